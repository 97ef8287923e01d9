"""Random ledgers in the language of beancount_compute, the same ones for the same seed.

    >>> write_ledger(7, folder)          # doctest: +SKIP
    PosixPath('.../main.beancount')

A seed chooses one of the PROFILES: `seed % len(PROFILES)`. Those in VALID hold no refusal: events
that the naive auditor refuses are dropped before the ledger is written, and assertions carry the
auditor's figures.
"""

from __future__ import annotations

import csv
import datetime
import io
import random
import re
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.laws.auditor.comparing import Audit, audit
from tests.laws.auditor.reading import COLUMNS, LATER_COLUMNS
from tests.laws.auditor.records import add_months, minor_unit
from tests.laws.auditor.records import component as component_of

PROFILES = (
    "clean",
    "money",
    "reversals",
    "mistakes",
    "names",
    "opening",
    "grain",
    "broken",
    "far",
    "two units",  # of everybody, under plans in one currency, all with overage
    "placeholders",  # in all accounts that may have them
)
VALID = {"clean", "money", "reversals", "names", "opening", "grain", "two units", "placeholders"}

PLAIN_NAMES = ["alice", "bob", "Carol", "dave", "erin", "frank"]
ODD_NAMES = [
    "u_8f3a@example.com",
    "Acme, Inc.",
    'Bob "The Box" Ltd',
    "🚀",
    "émile",
    "e\u0301mile",
    "日本",
    "-dash",
    "A:B",
    "42",
    "O'Neil",
    "a  b",
    "Alice",
    "{plan}",
    "{subscriber}",
]
PLAN_NAMES = ["pro", "basic", "Team 5", "gpu.large", "x_1", "free"]
PRICES = {
    "USD": ["0.01", "0.02", "1.00", "10.00", "19.99", "20.00", "200.00", "99.95", "12345.67"],
    "EUR": ["0.05", "7.77", "100.00", "333.33"],
    "JPY": ["1", "100", "1999", "30000"],
    "KWD": ["0.001", "0.750", "12.345", "7.000"],
}
UNITS = ["1", "3", "7", "10", "100", "1000", "3000", "7777", "0.5", "2.5", "333.3", "1500"]
UNIT_PRICES = {
    "USD": ["0.25", "0.01", "0.333", "1.005", "12345.5", "0.0007"],
    "EUR": ["0.3", "0.07"],
    "JPY": ["1", "0.5", "33"],
    "KWD": ["0.001", "0.0125", "0.3"],
}


@dataclass
class Item:
    """One event as cells of a row, or other text as it stands; and the file it goes to."""

    cells: dict[str, str] = field(default_factory=dict)
    where: str = "main"
    text: str | None = None
    keep: bool = False  # a mistake on purpose


@dataclass
class World:
    """What a ledger's events can be made of."""

    chance: random.Random
    profile: str
    start: datetime.date
    days: int
    commodities: list[str]
    currencies: list[str]
    subscribers: list[str] = field(default_factory=list)
    plans: dict[str, tuple[str, str]] = field(default_factory=dict)  # name -> commodity, currency
    header: list[str] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    ids: int = 0
    accounts: dict[str, str] = field(default_factory=dict)  # role -> chosen template
    parquet: bool = False

    def day(self, low: float = 0.0, high: float = 1.0) -> datetime.date:
        first, last = int(low * self.days), int(high * self.days)
        return self.start + datetime.timedelta(days=self.chance.randint(first, last))

    def pick(self, values: list[Any]) -> Any:
        return self.chance.choice(values)

    def likely(self, share: float) -> bool:
        return self.chance.random() < share

    def next_id(self) -> str:
        self.ids += 1
        return f"id-{self.ids}"


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


# Terms


def has_all(world: World) -> bool:
    """Whether a ledger has all at once of what others have each by itself: access, bills, minimums,
    discounts, catch-ups, cancellations at once, changes of plan, money back."""
    return random.Random(f"all {world.start} {world.days} {world.subscribers}").random() < 0.1


def new_world(seed: int) -> World:
    chance = random.Random(seed)
    profile = PROFILES[seed % len(PROFILES)]
    rich = profile in ("money", "mistakes")
    commodities = ["CU", "GPU-H"] if rich and chance.random() < 0.6 else ["CU"]
    currencies = ["USD"]
    if profile == "two units":
        commodities = ["CU", "GPU-H"]
    elif rich or chance.random() < 0.2:
        currencies = chance.sample(list(PRICES), 2)
    start = datetime.date(chance.choice([2023, 2024, 2025]), 1, 1)
    start += datetime.timedelta(days=chance.randint(0, 90))
    days = chance.choice([60, 120, 200, 400, 600])
    world = World(chance, profile, start, days, commodities, currencies)
    names = PLAIN_NAMES + (ODD_NAMES * 2 if profile in ("names", "mistakes") else [])
    world.subscribers = chance.sample(sorted(set(names)), chance.randint(2, 6))
    chance.shuffle(world.subscribers)
    return world


def random_length(world: World) -> str:
    return str(world.pick(["1 months", "3 months", "12 months", "10 days", "45 days", "2 months"]))


def add_plans(world: World) -> None:
    two_units = world.profile == "two units"
    for number, name in enumerate(
        world.chance.sample(PLAN_NAMES, world.chance.randint(2 if two_units else 1, 4))
    ):
        currency = world.pick(world.currencies)
        commodity = world.commodities[number % 2] if two_units else world.pick(world.commodities)
        world.plans[name] = (commodity, currency)
        day = world.start - datetime.timedelta(days=world.chance.randint(0, 400))
        world.header.append(plan_text(world, name, day))
        if world.likely(0.4):
            world.header.append(plan_text(world, name, world.day(0.2, 0.9)))
    besides = random.Random(f"access {world.start} {world.days}")
    if besides.random() < 0.4 or has_all(world):  # some sell access, alone or with units
        plans = [at for at, each in enumerate(world.header) if "compute-plan" in each]
        for at in plans:
            world.header[at] = with_access(world.header[at], besides)


def add_catch_ups(world: World) -> None:
    """Some plans change the price of what was used already, on a day of their own."""
    besides = random.Random(f"catch-ups {world.start} {world.days}")
    if besides.random() < 0.5 and not has_all(world):
        return
    lines = {each.split(' "')[2]: each for each in world.header if "overage:" in each}
    dates = {each[:10] for each in world.header}
    for name, line in lines.items():
        day = world.start + datetime.timedelta(days=besides.randint(10, world.days))
        since = day - datetime.timedelta(days=besides.choice([0, 5, 20, 90, 400]))
        if day.isoformat() not in dates and day.isoformat() > line[:10]:
            currency = world.plans[name.split('"')[0]][1]
            price = f"overage: {besides.choice(UNIT_PRICES[currency])} {currency}"
            text = re.sub("overage: .*", f"{price}\n  overage-since: {since}", line)
            world.header.append(f"{day}{text[10:]}")


def add_refundables(world: World) -> None:
    """Some plans and top-ups can be had back on demand, from some day on or up to it."""
    besides = random.Random(f"refundable {world.start} {world.days}")
    if besides.random() < 0.75 and not has_all(world):
        return
    for at, text in enumerate(world.header):
        if '"compute-plan"' in text and besides.random() < 0.6:
            world.header[at] += f"\n  refundable: {besides.choice(['TRUE', 'TRUE', 'FALSE'])}"
    day = world.start - datetime.timedelta(days=30)
    for value in besides.choice([[], ["TRUE"], ["TRUE", "FALSE"], ["FALSE", "TRUE"]]):
        world.header.append(f'{day} custom "compute-option" "top-ups-refundable" {value}')
        day = world.start + datetime.timedelta(days=besides.randint(0, world.days))


def with_access(plan: str, chance: random.Random) -> str:
    """The text of a plan that sells access too, or alone; or as it is."""
    first, *keys = plan.splitlines()
    *front, price, currency, _, _ = first.split(" ")
    what = chance.choice(["", "both", "both", "alone", "none"])
    days = any(key.startswith("  every:") and "days" in key for key in keys)
    overage = any("overage" in key for key in keys)  # it needs a unit of which it is the price
    if what and what != "both" and (Decimal(price) or overage):
        units = first.split(" ")[-2:] if what == "alone" or overage else []
        first = " ".join([*front, price, currency, *(["0", units[1]] if units else [])])
    elif what == "both" and Decimal(price):
        of_access, of_units = chance.choice([("150", "100"), ("1", "2"), ("0.07", "99")])
        keys += [f"  access-ssp: {of_access} {currency}", f"  units-ssp: {of_units} {currency}"]
    else:
        return plan
    if Decimal(price) and not days and chance.random() < 0.5:
        keys.append('  access-by: "even-month"')
    return "\n".join([first, *keys])


def plan_text(world: World, name: str, day: datetime.date) -> str:
    commodity, currency = world.plans[name]
    price = "0" if name == "free" else world.pick(PRICES[currency])
    lines = [f'{day} custom "compute-plan" "{name}" {price} {currency} ']
    lines[0] += f"{world.pick(UNITS)} {commodity}"
    everies = ["month"] * 4 + ["quarter", "year", "2 months", "30 days", "7 days", "month"]
    if world.likely(0.7):
        lines.append(f'  every: "{world.pick(everies)}"')
    unused = world.pick(["expire", "rollover", "mint", "mint", "mint"])
    lines.append(f'  unused: "{unused}"')
    if world.likely(0.4):
        lines.append(f"  mint-rate: {world.pick(['0', '0.5', '1', '0.333'])}")
    if world.likely(0.5):
        lines.append(f'  expires: "{random_length(world)}"')
    if world.likely(0.6):
        lines.append(f'  token-expires: "{random_length(world)}"')
    if world.profile == "two units" or world.likely(0.7):
        lines.append(f"  overage: {world.pick(UNIT_PRICES[currency])} {currency}")
    return "\n".join(lines)


def add_options(world: World) -> None:
    besides = random.Random(f"{world.start} {world.days}")  # a choice more, and all others stay
    before = world.start - datetime.timedelta(days=30)
    chance = world.chance

    def option(name: str, value: str, day: datetime.date = before) -> None:
        world.header.append(f'{day} custom "compute-option" "{name}" {value}')

    for side in ("seller-fee", "buyer-fee"):
        if world.likely(0.6):
            option(side, world.pick(["0.05", "0.01", "0", "1", "0.0333"]))
        if world.likely(0.2):
            option(side, world.pick(["0.02", "0.5"]), world.day(0.3, 0.8))
    for currency in world.currencies:
        if world.likely(0.3):
            option("minimum-fee", f"{world.pick(PRICES[currency][:2])} {currency}")
        for side in ("seller", "buyer"):
            if besides.random() < 0.25:
                later = datetime.timedelta(days=besides.choice([0, 0, 30 + world.days // 2]))
                fee = besides.choice(PRICES[currency][:2])
                option(f"{side}-fixed-fee", f"{fee} {currency}", before + later)
    if world.likely(0.8):
        option("draw-down", quoted(world.pick(["expiry", "fifo", "lifo", "hifo", "lofo"])))
    if world.likely(0.3):
        option("draw-down", quoted(world.pick(["fifo", "lifo", "hifo"])), world.day(0.3, 0.8))
    if world.likely(0.2):
        option("unit-cost", "0.04 USD")
    if world.likely(0.15):
        option("cost-step", world.pick(["0.0000001", "0.000000001"]))
    if world.profile == "grain" or world.likely(0.05):
        option("posting-grain", quoted(world.pick(["day", "month", "month"])))
    if world.likely(0.4):
        extra = chance.choice([-100, 0, 30, 200, 500])
        day = world.start + datetime.timedelta(days=world.days + extra)
        option("as-of", day.isoformat())


def add_accounts(world: World) -> None:
    """Renamed and pooled accounts."""
    chosen = []
    if world.profile == "placeholders":
        chosen = [
            (role, f"{root}:{role.title()}:{{subscriber}}" + (":{plan}" if plan else ""))
            for role, root, plan in (
                ("allocations", "Liabilities", True),
                ("tokens", "Liabilities", True),
                ("receivable", "Assets", False),
                ("payable", "Liabilities", False),
                ("revenue", "Income", True),
                ("breakage", "Income", True),
                ("overage", "Income", True),
                ("fees", "Income", False),
                ("partner-income", "Income", False),
            )
        ]
    elif world.profile == "names" or world.likely(0.15):
        templates = {
            "tokens": "Liabilities:Contract:Tokens:{subscriber}",
            "allocations": "Liabilities:{subscriber}:Contract",
            "receivable": "Assets:Receivable",
            "payable": "Liabilities:Payable",
            "partner": "Liabilities:Partners",
            "revenue": "Income:Compute:{plan}",
            "breakage": "Income:Lapsed:{subscriber}",
            "overage": "Income:Compute:{plan}:Over",
            "fees": "Income:Market:{subscriber}",
            "partner-income": "Income:Partners:{subscriber}",
        }
        chosen = world.chance.sample(sorted(templates.items()), world.chance.randint(1, 4))
        if world.likely(0.3):
            chosen.append(("allocations", "Liabilities:Alloc:{plan}:{subscriber}"))
            chosen = [c for c in chosen if c[0] != "allocations"] + chosen[-1:]
    for role, template in chosen:
        day = world.day()
        world.header.append(f'{day} custom "compute-account" "{role}" "{template}"')
        world.accounts[role] = template


def add_subscriber_names(world: World) -> None:
    for number, name in enumerate(world.subscribers):
        if world.profile in ("names", "mistakes") and world.likely(0.2):
            day = world.day(0, 0.2)
            chosen = f"Customer-{number}"
            world.header.append(f'{day} custom "compute-subscriber" {quoted(name)} "{chosen}"')


# Events


def event(world: World, kind: str, day: datetime.date, **cells: str) -> Item:
    found = {"event": kind, "date": day.isoformat()} | cells
    if world.likely(0.6):
        found["id"] = world.next_id()
    if world.likely(0.2):
        found["time"] = world.pick(["00:00:00", "09:30:00", "14:05:09", "23:59:59"])
    return Item(found)


def add_subscriptions(world: World) -> None:
    least = len(world.plans) if world.profile == "two units" else 0
    for name in world.subscribers:
        for plan in world.chance.sample(
            sorted(world.plans), world.chance.randint(least, len(world.plans))
        ):
            day = world.day(0, 0.3)
            if world.likely(0.25):
                day = add_months(day, 0, 31)
            item = event(world, "subscription", day, subscriber=name, plan=plan)
            if world.likely(0.1):
                began = day - datetime.timedelta(days=world.chance.randint(0, 60))
                item.cells["started"] = began.isoformat()
            world.items.append(item)
            if world.likely(0.5):
                add_cancellation(world, name, plan, day)


def add_cancellation(world: World, name: str, plan: str, day: datetime.date) -> None:
    last = world.start + datetime.timedelta(days=world.days)
    end = day + datetime.timedelta(days=world.chance.randint(1, 200))
    end = world.pick([end, add_months(day, 1), add_months(day, 2)])
    if end > last + datetime.timedelta(days=60):
        return
    world.items.append(event(world, "cancellation", end, subscriber=name, plan=plan))
    if world.likely(0.5):
        again = end + datetime.timedelta(days=world.pick([0, 1, 15, 31, 40]))
        if again <= last:
            world.items.append(event(world, "subscription", again, subscriber=name, plan=plan))


def units_of(world: World, small: bool) -> str:
    values = ["1", "2", "0.5", "10", "33", "100", "0.1", "250"] if small else UNITS
    return str(world.pick(values))


def random_event(world: World) -> Item:
    name, other = world.chance.sample(world.subscribers, 2)
    kinds = ["consumption"] * 8 + ["trade"] * 4 + ["allocation"] * 3
    kinds += ["grant", "grant", "transfer", "spend", "spend", "refund", "plan-allocation"]
    kind = world.pick(kinds)
    commodity, currency = world.pick(world.commodities), world.pick(world.currencies)
    units = {"units": units_of(world, True), "commodity": commodity}
    day = world.day()
    if kind == "plan-allocation":
        plan = world.pick(sorted(world.plans))
        return event(world, "allocation", day, subscriber=name, plan=plan)
    if kind == "allocation":
        item = top_up(world, name, commodity, currency, world.day(0, 0.7))
    elif kind == "grant":
        units["units"] = units_of(world, False)
        item = event(world, kind, world.day(0, 0.7), subscriber=name, **units)
    elif kind == "trade":
        price = world.pick(UNIT_PRICES[currency])
        money = {"price": price, "currency": currency}
        return event(world, kind, day, subscriber=name, counterparty=other, **units, **money)
    elif kind == "transfer":
        return event(world, kind, day, subscriber=name, counterparty=other, **units)
    elif kind == "spend":
        partner = world.pick(["GPU World", "Zed", "alice", "m@x.de"])
        money = {"paid": world.pick(PRICES[currency]), "currency": currency}
        return event(world, kind, day, subscriber=name, counterparty=partner, **units, **money)
    else:
        return event(world, kind, day, subscriber=name, **units)
    if world.likely(0.4):
        item.cells["expires"] = world.pick([random_length(world), add_months(day, 13).isoformat()])
    return item


def top_up(world: World, name: str, commodity: str, currency: str, day: datetime.date) -> Item:
    money = {"paid": world.pick(PRICES[currency]), "currency": currency}
    units = {"units": units_of(world, False), "commodity": commodity}
    return event(world, "allocation", day, subscriber=name, **units, **money)


def add_events(world: World) -> None:
    for name in world.subscribers:
        if world.likely(0.7):
            currency = world.pick(world.currencies)
            commodity = world.pick(world.commodities)
            world.items.append(top_up(world, name, commodity, currency, world.day(0, 0.3)))
    for _ in range(world.chance.randint(10, 50)):
        world.items.append(random_event(world))
    if world.likely(0.9 if world.profile in ("grain", "reversals", "placeholders") else 0.4):
        add_heavy_use(world)
    if world.profile == "two units":
        for _ in range(4):
            add_heavy_use(world)
    if world.likely(0.5):  # a crowded day
        day = world.day(0.3, 0.9)
        for _ in range(world.chance.randint(3, 8)):
            item = random_event(world)
            item.cells["date"] = day.isoformat()
            world.items.append(item)


def add_discounts(world: World) -> None:
    """Some pay less for each period, down to nothing."""
    besides = random.Random(f"discount {world.start} {world.days}")
    if besides.random() < 0.3 and not has_all(world):
        return
    prices: dict[str, tuple[str, str]] = {}
    for line in world.header:
        if found := re.match(r'\S+ custom "compute-plan" "([^"]+)" (\S+) (\S+)', line):
            prices.setdefault(found[1], (found[2], found[3]))
    for item in world.items:
        plan = item.cells.get("plan")
        if plan is None or item.cells["event"] == "cancellation" or besides.random() < 0.4:
            continue
        price, currency = Decimal(prices[plan][0]), prices[plan][1]
        off = (price / besides.choice([1, 2, 3, 10])).quantize(minor_unit(currency), ROUND_DOWN)
        if off:
            item.cells |= {"discount": f"{off}", "currency": currency}


def add_heavy_use(world: World) -> None:
    """Many uses in a few weeks, up to and beyond what is held."""
    subscribed = [i.cells for i in world.items if i.cells.get("event") == "subscription"]
    if not subscribed:
        return
    cells = world.pick(subscribed)
    first = datetime.date.fromisoformat(cells["date"])
    last = world.start + datetime.timedelta(days=world.days)
    commodity = world.plans[cells["plan"]][0]
    for _ in range(world.chance.randint(3, 9)):
        day = first + datetime.timedelta(days=world.chance.randint(0, 50))
        units = {"units": units_of(world, world.likely(0.4)), "commodity": commodity}
        if day <= last:
            use = event(world, "consumption", day, subscriber=cells["subscriber"], **units)
            world.items.append(use)


def add_uses_charged_anew(world: World) -> None:
    """Uses ahead of a line that changes their price, and reversals of some of them."""
    besides = random.Random(f"charged anew {world.start} {world.days}")
    last = world.start + datetime.timedelta(days=world.days)
    for line in [each for each in world.header if "overage-since" in each]:
        name, anew = line.split('"')[3], datetime.date.fromisoformat(line[:10])
        subscribed = [i.cells for i in world.items if i.cells.get("plan") == name]
        for at, cells in enumerate([each for each in subscribed if "subscriber" in each][:4]):
            day = anew - datetime.timedelta(days=besides.choice([0, 1, 2, 6, 25, 60]))
            if not cells["date"] <= day.isoformat() <= last.isoformat():
                continue
            units = {"units": besides.choice(UNITS), "commodity": world.plans[name][0]}
            use = {"event": "consumption", "date": day.isoformat(), "id": f"anew-{name}-{at}"}
            world.items.append(Item(use | {"subscriber": cells["subscriber"]} | units))
            then = anew + datetime.timedelta(days=besides.choice([-1, 0, 1, 30, 900]))
            if day <= then <= last:
                cells = {"event": "reversal", "date": then.isoformat(), "reverses": use["id"]}
                world.items.append(Item(cells))


def add_reversals(world: World, count: int) -> None:
    """Reversals of events with an id, and of periods of subscriptions with one."""
    with_id = [i for i in world.items if "id" in i.cells]
    for _ in range(count):
        if not with_id:
            return
        target = world.pick(with_id)
        kind, day = target.cells["event"], datetime.date.fromisoformat(target.cells["date"])
        reverses = target.cells["id"]
        if kind in ("cancellation", "reversal"):
            continue
        if kind == "subscription":
            day = add_months(day, world.chance.randint(0, 3))
            reverses += f"/{day.isoformat()}"
        day += datetime.timedelta(days=world.pick([0, 0, 1, 5, 20, 60, 100]))
        if day <= world.start + datetime.timedelta(days=world.days):
            world.items.append(event(world, "reversal", day, reverses=reverses))


def add_duplicates(world: World) -> None:
    """The same event twice, written differently."""
    with_id = [i for i in world.items if "id" in i.cells]
    for item in world.chance.sample(with_id, min(len(with_id), world.chance.randint(0, 3))):
        cells = dict(item.cells)
        if "units" in cells:
            cells["units"] += "0" if "." in cells["units"] else ".00"
        world.items.append(Item(cells))
    without = [i for i in world.items if "id" not in i.cells and i.text is None]
    if without and world.likely(0.3):
        world.items.append(Item(dict(world.pick(without).cells)))


def add_openings(world: World) -> None:
    for name in world.subscribers:
        if not name.isalpha() or not name.isascii() or world.likely(0.3):
            continue
        component = name[0].upper() + name[1:]
        for _ in range(world.chance.randint(1, 2)):
            world.items.append(Item(text=opening_text(world, component)))


def opening_text(world: World, component: str) -> str:
    day = world.start - datetime.timedelta(days=world.pick([0, 1, 10]))
    lot_day = day - datetime.timedelta(days=world.chance.randint(0, 25))
    cost, units = world.pick(["0.20", "0.0066", "1.25", "0"]), units_of(world, False)
    pocket = world.pick(["tokens", "allocations"])
    origins = [*sorted(world.plans), "top-up"]
    origin = "grant" if cost == "0" else world.pick(origins)
    if cost == "0":
        pocket = "allocations"
    label = origin
    if world.likely(0.7):
        label += f"/{add_months(lot_day, world.chance.randint(1, 14))}"
    account = world.accounts.get(
        pocket, f"Liabilities:DeferredRevenue:{pocket.title()}:{{subscriber}}"
    )
    account = account.replace("{subscriber}", component)
    account = account.replace("{plan}", component_of(origin))
    why = '  why: "acquired"\n' if day > world.start - datetime.timedelta(days=10) else ""
    return (
        f'{day} * "Opening" #compute-opening\n{why}'
        f"  {account}  -{units} CU "
        f'{{{cost} {world.currencies[0]}, {lot_day}, "{label}"}}\n'
        f"  Equity:Opening-Balances"
    )


def add_by_hand(world: World, found: Audit) -> None:
    """Payments, and reductions of open lots by hand."""
    for key, units in world.chance.sample(
        sorted(found.lots.items(), key=str), min(2, len(found.lots))
    ):
        account, commodity, cost, currency, lot_day, label = key
        units = -units
        part = world.pick([units, units / 2, min(units, Decimal(1))])
        day = world.day(0.5, 1.1)
        world.items.append(
            Item(
                text=f'{max(day, lot_day)} * "By hand"\n  {account}  {part:f} {commodity} '
                f'{{{cost:f} {currency}, {lot_day}, "{label}"}}\n  Equity:Adjustments'
            )
        )
    owed = sorted({k[1:] for k in found.balances if k[1].startswith("Assets:Receivable")})
    for account, currency in world.chance.sample(owed, min(2, len(owed))):
        world.items.append(
            Item(
                text=f'{world.day(0, 1.1)} * "Payment"\n'
                f"  Assets:Bank  {world.pick(PRICES[currency])} {currency}\n  {account}"
            )
        )


def add_prices(world: World) -> None:
    trades = [i for i in world.items if i.cells.get("event") == "trade"]
    if trades and world.likely(0.3):
        cells = world.pick(trades).cells
        price = f"{cells['date']} price {cells['commodity']} 0.77 {cells['currency']}"
        world.items.append(Item(text=price))


def add_assertions(world: World) -> None:
    for _ in range(world.chance.randint(0, 5)):
        figures = ["deferred-revenue", "tokens", "allocations", "revenue", "breakage", "fees"]
        figure = world.pick([*figures, "partner-income", "overage"])
        unit = world.pick([*world.currencies, *world.commodities])
        if figure not in ("tokens", "allocations"):
            unit = world.pick(world.currencies)
        cells = {"event": "assert", "figure": figure, "currency": unit}
        cells["paid"] = world.pick(["0.00", "0.00", "0", "0.000000"])
        if figure in ("deferred-revenue", "tokens", "allocations", "revenue") and world.likely(0.4):
            cells["subscriber"] = world.pick(world.subscribers)
        cells["date"] = world.day(0.4, 1.1).isoformat()
        world.items.append(Item(cells))


def add_later_assertions(world: World) -> None:
    """Of figures that came with bills, access and money back."""
    besides = random.Random(f"assertions {world.start} {world.days} {world.subscribers}")
    kinds = {item.cells.get("event") for item in world.items}
    figures = ["refunds"] if "refund" in kinds else []
    figures += ["disputes"] if "chargeback" in kinds else []
    figures += ["unbilled"] if any("\n  bill:" in each for each in world.header) else []
    for _ in range(besides.randint(0, 4)):
        figure = besides.choice([*figures, *figures, "unbilled", "access", "access-revenue"])
        currency = besides.choice(world.currencies)
        cells = {"event": "assert", "figure": figure, "paid": "0.00", "currency": currency}
        if figure == "access" and besides.random() < 0.3:
            cells["currency"] = f"ACCESS-{currency}"
        if besides.random() < 0.5:
            cells["subscriber"] = besides.choice(world.subscribers)
        day = world.start + datetime.timedelta(days=int(besides.random() * world.days * 1.1))
        world.items.append(Item(cells | {"date": day.isoformat()}))


# Mistakes


def wrong_cells(world: World) -> list[dict[str, str]]:
    """Rows of each kind of refusal."""
    name, other = world.chance.sample(world.subscribers, 2)
    plan = world.pick(sorted(world.plans))
    commodity, currency = world.plans[plan]
    units = {"units": "1", "commodity": commodity}
    price = {"price": "1", "currency": currency}
    paid = {"paid": "1", "currency": currency}
    many = units | {"units": "987654321"}
    two = {"subscriber": name, "counterparty": other}
    mistakes: list[tuple[str, dict[str, str]]] = [
        ("trade", {**two, **many, **price}),
        ("transfer", {**two, **many}),
        ("spend", {**two, **many, **paid}),
        ("refund", {"subscriber": name, **many}),
        ("trade", {"subscriber": name, "counterparty": name, **units, **price}),
        ("trade", {"subscriber": name, "counterparty": "nobody", **units, **price}),
        ("trade", {**two, **units, **price, "price": "0"}),
        ("trade", {**two, **units, **price, "price": "0.0000001"}),
        ("trade", {**two, **units, **price, "currency": commodity}),
        ("consumption", {"subscriber": "nobody", **units}),
        ("consumption", {"subscriber": name, **units, "units": "0"}),
        ("consumption", {"subscriber": name, **units, "units": "-5"}),
        ("consumption", {"subscriber": name, **units, "commodity": "XYZ"}),
        ("grant", {"subscriber": name, **units, "units": "0"}),
        ("allocation", {"subscriber": name, **units, **paid, "paid": "0"}),
        ("allocation", {"subscriber": name, **units, **paid, "paid": "-3"}),
        ("allocation", {"subscriber": name, "plan": "no such plan"}),
        ("subscription", {"subscriber": name, "plan": "no such plan"}),
        ("cancellation", {"subscriber": name, "plan": "no such plan"}),
        ("cancellation", {"subscriber": "nobody", "plan": plan}),
        ("spend", {**two, **units, **paid, "paid": "0"}),
        ("reversal", {"reverses": "no-such-id"}),
        ("consumption", {"subscriber": name, **units, "time": "25:00:00"}),
        ("consumption", {"subscriber": name, **units, "units": "123456789012345"}),
    ]
    return [
        {"event": kind, "date": world.day(0.2, 0.9).isoformat()} | cells for kind, cells in mistakes
    ]


def wrong_rows(world: World) -> list[dict[str, str]]:
    """Rows that only an event file can hold."""
    cells = {"event": "consumption", "subscriber": world.subscribers[0], "commodity": "CU"}
    cells |= {"units": "1", "date": world.day(0.2, 0.9).isoformat()}
    wrong = [{"units": u} for u in ("NaN", "1e3", "1,000", "Infinity", "+5", ".5", "٣", "")]
    wrong += [{"date": d} for d in ("2025-02-30", "01.02.2025", "", "2025-1-1")]
    wrong += [{"event": "party"}, {"subscriber": ""}, {"time": "9:00"}]
    return [cells | change for change in wrong]


def wrong_texts(world: World) -> list[str]:
    """Directives that can't be read, or terms that can't be."""
    day, name = world.day(0.2, 0.9), quoted(world.subscribers[0])
    plan = sorted(world.plans)[0]
    return [
        f'{day} custom "compute-option" "seller-fee" 1.5',
        f'{day} custom "compute-option" "buyer-fee" -0.1',
        f'{day} custom "compute-option" "no-such-option" 1',
        f'{day} custom "compute-option" "draw-down" "random"',
        f'{day} custom "compute-option" "cost-step" 0.005',
        f'{day} custom "compute-option" "minimum-fee" 0.001 USD',
        f'{day} custom "compute-option" "posting-grain" "year"',
        f'{day} custom "compute-account" "profit" Income:Profit',
        f'{day} custom "compute-account" "revenue" Assets:Revenue',
        f'{day} custom "compute-account" "tokens" "Liabilities:Tokens"',
        f'{day} custom "compute-consumption" {name} 5',
        f'{day} custom "compute-consumption" {name} "5 CU"',
        f'{day} custom "compute-consumption" {name} 5 CU\n  colour: "red"',
        f'{day} custom "compute-consumption" {name} 5 CU\n  time: "noon"',
        f'{day} custom "compute-consumption" {name}',
        f'{day} custom "compute-party" {name} 5 CU',
        f'{day} custom "compute-plan" "grant" 5.00 USD 5 CU',
        f'{day} custom "compute-plan" "pl/an" 5.00 USD 5 CU',
        f'{day} custom "compute-plan" "half" 5.00 USD 5 CU\n  mint-rate: 2',
        f'{day} custom "compute-plan" "half" 5.00 USD 5 CU\n  unused: "burn"',
        f'{day} custom "compute-plan" "half" 5.00 USD 5 CU\n  every: "fortnight"',
        f'{day} custom "compute-plan" "half" 5.00 USD -5 CU',
        f'{day} custom "compute-assert" "happiness" 5.00 USD',
        f'{day} custom "compute-subscriber" "zoe" "not valid"',
        f'{day} custom "compute-events" "missing.csv"',
        f'{day} custom "compute-events" "none-*.csv"',
        f'{day} custom "compute-grant" {name} 5 CU\n  expires: 12',
        f'{day} custom "compute-subscription" {name} "{plan}"\n  started: "long ago"',
        (
            f'{day} * "By hand"\n  Liabilities:Payable:Nobody  5 USD\n  Equity:Adjustments\n'
            f"{day - datetime.timedelta(days=1)} open Liabilities:Payable:Nobody"
        ),
    ]


def add_mistakes(world: World, share: float) -> None:
    for cells in wrong_cells(world):
        if world.likely(share):
            world.items.append(Item(cells, keep=True))
    for cells in wrong_rows(world):
        if world.likely(share):
            world.items.append(Item(cells, where="a.csv", keep=True))
    for text in wrong_texts(world):
        if world.likely(share):
            world.items.append(Item(text=text, keep=True))
    with_id = [i for i in world.items if "id" in i.cells and "units" in i.cells and not i.keep]
    if with_id and world.likely(share * 3):
        cells = dict(world.pick(with_id).cells)
        cells["units"] = "77"
        world.items.append(Item(cells, keep=True))
    if with_id and world.likely(share * 3):
        cells = world.pick(with_id).cells
        day = datetime.date.fromisoformat(cells["date"]) - datetime.timedelta(days=1)
        early = {"event": "reversal", "date": day.isoformat(), "reverses": cells["id"]}
        world.items.append(Item(early, keep=True))
    running = [i for i in world.items if i.cells.get("event") == "subscription"]
    if running and world.likely(share * 3):
        cells = {k: v for k, v in world.pick(running).cells.items() if k not in ("id", "started")}
        day = datetime.date.fromisoformat(cells["date"]) + datetime.timedelta(days=1)
        world.items.append(Item(cells | {"date": day.isoformat()}, keep=True))


def add_bad_posting(world: World, found: Audit) -> None:
    """A hand-written posting whose lot does not exist."""
    lots = sorted(found.lots, key=str)
    if lots and world.likely(0.5):
        account, commodity, cost, currency, lot_day, label = world.pick(lots)
        change = world.pick(["label", "cost", "date", "units", "none"])
        cost += 1 if change == "cost" else 0
        lot_day -= datetime.timedelta(days=1 if change == "date" else 0)
        label = "nothing" if change == "label" else label
        units = "1" if change != "units" else "987654321"
        lot = f'{{{cost:f} {currency}, {lot_day}, "{label}"}}' if change != "none" else ""
        world.items.append(
            Item(
                text=f'{world.day(0.9, 1.0)} * "Wrong"\n  {account}  {units} {commodity} {lot}\n'
                "  Equity:Adjustments",
                keep=True,
            )
        )


def add_far_events(world: World) -> None:
    """An event behind a gap of more than two years, with and without as-of reaching it."""
    world.header = [line for line in world.header if '"as-of"' not in line]
    item = random_event(world)
    years = world.pick([2, 3, 3, 100, 1000])
    day = world.start + datetime.timedelta(days=world.days)
    day = add_months(day, 12 * years) + datetime.timedelta(days=world.chance.randint(-3, 3))
    item.cells["date"] = day.isoformat()
    item.keep = True
    world.items.append(item)
    if years < 10 and world.likely(0.6):
        option = day + datetime.timedelta(days=world.pick([-400, -1, 0, 1, 50]))
        world.header.append(f'{world.start} custom "compute-option" "as-of" {option}')


# Writing


def directive(cells: dict[str, str]) -> str:
    """The `custom` directive that says the same as a row."""
    kind = cells["event"]
    values = [quoted(cells[c]) for c in ("figure", "subscriber", "counterparty") if c in cells]
    values += [quoted(cells[c]) for c in ("from_plan", "plan") if c in cells]
    if "of" in cells and kind != "refund":
        values.append(quoted(cells["of"]))
    if "units" in cells:
        values.append(f"{cells['units']} {cells['commodity']}")
    values += [f"{cells[c]} {cells['currency']}" for c in ("price", "paid") if c in cells]
    if "reverses" in cells:
        values.append(quoted(cells["reverses"]))
    lines = [f'{cells["date"]} custom "compute-{kind}" ' + " ".join(values)]
    for key in ("id", "time", "expires", "started", "meter", "quantity", "from", "to"):
        if key in cells:
            is_day = key in ("expires", "started", "from", "to") and cells[key][4:5] == "-"
            is_day |= key == "quantity"
            lines.append(f"  {key}: {cells[key] if is_day else quoted(cells[key])}")
    for key in ("charge", "credit", "discount"):
        if key in cells:
            lines.append(f"  {key}: {cells[key]} {cells['currency']}")
    lines += [f"  {key}: TRUE" for key in ("now", "unpaid", "void") if key in cells]
    if "of" in cells and kind == "refund":
        lines.append(f"  of: {quoted(cells['of'])}")
    return "\n".join(lines)


def scatter(world: World) -> None:
    """Give every item a file."""
    places = ["main", "main", "part.beancount", "a.csv", "b.csv"]
    if world.parquet:
        places.append("c.parquet")
    places = world.chance.sample(places, world.chance.randint(1, len(places)))
    for item in world.items:
        if item.where != "main":
            continue
        item.where = world.pick(places)
        if item.text is not None or item.cells.get("event") == "assert":
            item.where = world.pick(["main", "part.beancount"])
    world.chance.shuffle(world.items)


def write_beancount(path: Path, opening: list[str], items: list[Item]) -> dict[int, Item]:
    """Write and say on which lines each item stands."""
    lines = [line for text in opening for line in text.split("\n")]
    at: dict[int, Item] = {}
    for item in items:
        text = item.text if item.text is not None else directive(item.cells)
        for line in text.split("\n"):
            lines.append(line)
            at[len(lines)] = item
        lines.append("")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return at


def write_csv(path: Path, items: list[Item], chance: random.Random) -> dict[int, Item]:
    header = [*COLUMNS, "x_team"]
    chance.shuffle(header)
    header += later_columns(items)
    text = io.StringIO()
    writer = csv.DictWriter(text, header, lineterminator=chance.choice(["\n", "\r\n"]))
    writer.writeheader()
    for item in items:
        writer.writerow(item.cells | {"x_team": chance.choice(["", "red"])})
    path.write_bytes(text.getvalue().encode())
    return dict(enumerate(items, 2))


def later_columns(items: list[Item]) -> list[str]:
    """Those of them that any item fills."""
    return [name for name in LATER_COLUMNS if any(name in item.cells for item in items)]


def write_parquet(path: Path, items: list[Item]) -> None:
    import pyarrow
    from pyarrow import parquet

    columns: dict[str, Any] = {}
    for name in COLUMNS + later_columns(items):
        cells = [item.cells.get(name) for item in items]
        if name in ("units", "price", "paid", "quantity", "charge", "credit", "discount"):
            numbers = [None if c is None else Decimal(c) for c in cells]
            columns[name] = pyarrow.array(numbers, pyarrow.decimal128(38, 12))
        elif name in ("date", "started", "from", "to"):
            days = [None if c is None else datetime.date.fromisoformat(c) for c in cells]
            columns[name] = pyarrow.array(days, pyarrow.date32())
        else:
            columns[name] = pyarrow.array(cells, pyarrow.string())
    parquet.write_table(pyarrow.table(columns), path)


def write_world(world: World, folder: Path, seed: int) -> dict[tuple[str, int], Item]:
    """Write all files and say which item stands where."""
    chance = random.Random(seed + 1_000_003)
    opening = [
        'plugin "beancount_compute"',
        f'option "operating_currency" "{world.currencies[0]}"',
        "2020-01-01 open Equity:Opening-Balances",
        "2020-01-01 open Equity:Adjustments",
        "2020-01-01 open Assets:Bank",
        *world.header,
    ]
    by_file: dict[str, list[Item]] = {}
    for item in world.items:
        by_file.setdefault(item.where, []).append(item)
    at: dict[tuple[str, int], Item] = {}
    for name, items in by_file.items():
        path = folder / name
        if name == "main":
            continue
        if name.endswith(".csv"):
            found = write_csv(path, items, chance)
        elif name.endswith(".parquet"):
            write_parquet(path, items)
            found = {}
        else:
            found = write_beancount(path, [], items)
        at |= {(name, line): item for line, item in found.items()}
        if name.endswith(".beancount"):
            opening.append(f'include "{name}"')
        else:
            opening.append(f'{world.start} custom "compute-events" "{name}"')
    found = write_beancount(folder / "main.beancount", opening, by_file.get("main", []))
    return at | {("main.beancount", line): item for line, item in found.items()}


def write_valid(world: World, folder: Path, seed: int) -> Audit:
    """Write, drop what is refused and not meant to be, write again, until nothing is."""
    for old in folder.iterdir():
        old.unlink()
    while True:
        at = write_world(world, folder, seed)
        found = audit(folder / "main.beancount")
        refused = [at[place] for place in found.errors if place in at]
        refused = [i for i in refused if not i.keep and i.cells.get("event") != "assert"]
        if not refused and world.parquet and ("main.beancount" in {f for f, _ in found.errors}):
            for item in world.items:
                if item.where == "c.parquet":
                    item.where = "b.csv"
            world.parquet = False
            (folder / "c.parquet").unlink(missing_ok=True)
            continue
        if not refused:
            return state_assertions(world, folder, seed, at, found)
        world.items = [i for i in world.items if not any(i is r for r in refused)]


def state_assertions(
    world: World, folder: Path, seed: int, at: dict[tuple[str, int], Item], found: Audit
) -> Audit:
    """Put the auditor's figures into the assertions."""
    for place, item in at.items():
        if item.cells.get("event") == "assert" and place in found.found:
            number = found.found[place]
            if world.profile not in VALID and random.Random(place[1]).random() < 0.3:
                number += Decimal(1)
                item.keep = True
            item.cells["paid"] = f"{number:f}"
    unknown = [at[p] for p in found.errors if p in at and p not in found.found]
    if world.profile in VALID:
        world.items = [i for i in world.items if not any(i is u for u in unknown)]
    if not unknown and not any(i.cells.get("event") == "assert" for i in world.items):
        return found  # the files say the same already
    write_world(world, folder, seed)
    return audit(folder / "main.beancount")


def write_ledger(seed: int, folder: Path) -> Path:
    """Write the ledger of this seed into an empty folder; return its main file."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files_of(seed).items():
        (folder / name).write_bytes(content)
    return folder / "main.beancount"


@lru_cache(maxsize=200)
def files_of(seed: int) -> dict[str, bytes]:
    """The files of the ledger of this seed, by name."""
    with TemporaryDirectory() as name:
        _make_ledger(seed, Path(name))
        return {path.name: path.read_bytes() for path in Path(name).iterdir()}


def _make_ledger(seed: int, folder: Path) -> None:
    """Make the ledger of this seed in an empty folder."""
    from tests.laws.random_billing import Billing  # they make items, too
    from tests.laws.random_changes import Changes
    from tests.laws.random_providers import add_providers, has_providers
    from tests.laws.random_returns import Returns

    world = new_world(seed)
    billing, changes, returns = Billing(world), Changes(world), Returns(world)
    add_plans(world)
    changes.add_plans()
    add_catch_ups(world)
    billing.change_plans()
    add_refundables(world)
    add_options(world)
    add_accounts(world)
    billing.add_accounts()
    add_subscriber_names(world)
    add_subscriptions(world)
    add_events(world)
    billing.add_events()
    add_discounts(world)
    changes.add_events()
    returns.add_events()
    if has_providers(seed):
        add_providers(world, seed)
    if world.profile == "opening":
        add_openings(world)
    if world.profile == "far":
        add_far_events(world)
    add_reversals(world, 25 if world.profile == "reversals" else world.chance.randint(0, 5))
    add_duplicates(world)
    if world.profile != "opening":  # there an assertion may name whom no event names
        add_uses_charged_anew(world)
    add_prices(world)
    world.parquet = world.profile in VALID and world.likely(0.2)
    scatter(world)
    found = write_valid(world, folder, seed)
    if world.profile in ("opening", "mistakes", "clean", "placeholders"):
        add_by_hand(world, found)
    add_assertions(world)
    add_later_assertions(world)
    if world.profile == "mistakes":
        add_mistakes(world, 0.1)
        add_bad_posting(world, found)
    if world.profile == "broken":
        add_mistakes(world, 0.3)
        add_bad_posting(world, found)
    write_valid(world, folder, seed)
