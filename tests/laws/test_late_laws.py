"""Late events come out as if they had come in time, in total.

A random ledger of four months, of which two are closed while some events are held back. Beside it
stand the same events in a ledger in which nothing is closed. Where the sealed events draw on the
same lots in both, late and in time must hold and earn the same. Where they don't, an oracle of its
own says what a late use may take: it knows only the printed books.
"""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from beancount.core.data import Transaction

from beancount_compute.close.loading import Loaded, load
from beancount_compute.close.verifying import verify
from tests.close.sealing import as_text, booked, close, errors_of, printed, write, write_events
from tests.examples import examples

BEGIN, CLOSED, AS_OF = date(2026, 5, 1), date(2026, 6, 30), date(2026, 8, 31)
PLANS = {
    "expire": '  unused: "expire"\n',
    "mint": '  unused: "mint"\n  mint-rate: 0.7\n  token-expires: "45 days"\n',
    "all": '  unused: "mint"\n',
    "roll": '  unused: "rollover"\n  expires: "40 days"\n',
}
SEEDS = range(examples(40, 2000))
MONTHS = ("2026-05", "2026-06")
Sums = dict[tuple[str, str], Decimal]


class World:
    """A ledger's terms and rows, some of them held back until the months are closed."""

    def __init__(self, seed: int, *, plans: list[str], kinds: list[str]) -> None:
        self.chance = chance = random.Random(seed)
        order = chance.choice(["expiry", "fifo", "lifo", "hifo", "lofo"])
        self.text = "".join(
            f'2026-01-01 custom "compute-plan" "{name}" {chance.choice([30, 70])}.00 USD 100 CU\n'
            f"{PLANS[name]}"
            for name in plans
        )
        self.text += f'2026-01-01 custom "compute-option" "draw-down" "{order}"\n'
        self.text += f'2026-01-01 custom "compute-option" "as-of" {AS_OF}\n'
        self.sealed: list[str] = []
        self.late: list[str] = []
        self.uses: list[tuple[str, date]] = []
        for name in ("ann", "bob"):
            self.add("allocation", date(2026, 5, 1), name, units="40", paid="20.00")
            for plan in plans:
                if chance.random() < 0.7:
                    self.add("allocation", self.day(0, 20), name, plan=plan)
            if chance.random() < 0.6:
                end = self.day(25, 80)
                self.add("allocation", self.day(0, 20), name, units="60", paid="12.00", end=end)
        for _ in range(chance.randint(2, 9)):
            self.one(chance.choice(kinds))

    def day(self, first: int, last: int) -> date:
        return BEGIN + timedelta(self.chance.randint(first, last))

    def one(self, kind: str) -> None:
        """A random event, held back as often as not."""
        chance = self.chance
        name, other = chance.sample(["ann", "bob"], 2)
        units = str(chance.choice([1, 5, 10, 30, 45]))
        day = self.day(0, 100)
        late = day <= CLOSED and chance.random() < 0.5
        match kind:
            case "consumption":
                self.add(kind, day, name, units=units, late=late)
                self.uses.append((f"e-{len(self.sealed) + len(self.late)}", day))
            case "transfer":
                self.add(kind, day, name, other, units=units)
            case "spend":
                self.add(kind, day, name, "shop", units=units, paid="3.00", late=late)
            case "reversal" if self.uses:
                target, used = self.uses.pop(chance.randrange(len(self.uses)))
                day = used if chance.random() < 0.7 else used + timedelta(chance.randint(1, 30))
                self.add(kind, day, "", target=target, late=day <= CLOSED)

    def add(
        self,
        kind: str,
        day: date,
        name: str,
        other: str = "",
        *,
        plan: str = "",
        units: str = "",
        paid: str = "",
        end: date | None = None,
        target: str = "",
        late: bool = False,
    ) -> None:
        number = len(self.sealed) + len(self.late) + 1
        unit, money = "CU" if units else "", "USD" if paid else ""
        (self.late if late else self.sealed).append(
            f"e-{number},{day},,{kind},{name},{other},{plan},{units},{unit},,{paid},{money},"
            f"{end or ''},,{target},"
        )

    def in_time(self, folder: Path) -> Path:
        return without_refused(write(folder, self.text, *self.sealed, *self.late))

    def with_late(self, folder: Path, in_time: Path) -> tuple[Path, Loaded]:
        """The ledger with the rows that stand in time, closed before the late ones came."""
        rows = (in_time.parent / "events.csv").read_text().splitlines()[1:]
        own = [row for row in rows if row not in self.late]
        ledger = without_refused(write(folder, self.text, *own))
        close(ledger, *MONTHS)
        kept = (folder / "events.csv").read_text().splitlines()[1:]
        write_events(ledger, *kept, *[row for row in self.late if row in rows])
        return ledger, load(ledger)


def without_refused(ledger: Path) -> Path:
    """The ledger without the rows that are refused."""
    path = ledger.parent / "events.csv"
    while errors := load(ledger).errors:
        lines = path.read_text().splitlines()
        del lines[errors[0].source["lineno"] - 1]
        path.write_text("\n".join(lines) + "\n")
    return ledger


def drawn(loaded: Loaded) -> dict[str, str]:
    """What each event drew on; not what is derived."""
    return {
        each.meta["event"]: as_text(each).partition(": ")[2]
        for each in booked(loaded.entries)
        if "compute-late" not in each.tags and not each.tags & {"compute-mint", "compute-expiry"}
    }


def totals(loaded: Loaded) -> Sums:
    """Units and cost of all accounts, whatever their lots."""
    found: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for entry in loaded.entries:
        for posting in entry.postings if isinstance(entry, Transaction) else ():
            assert posting.units is not None
            found[posting.account, posting.units.currency] += posting.units.number
            if posting.cost is not None:
                key = (posting.account, posting.cost.currency)
                found[key] += posting.units.number * posting.cost.number
    return {key: number for key, number in found.items() if number}


@pytest.mark.parametrize("seed", SEEDS)
def test_late_is_in_time_in_total(seed: int, tmp_path: Path) -> None:
    """Every account holds the same units and money at the end, and the months behind close."""
    plans = random.Random(seed).sample(sorted(PLANS), 2)
    kinds = ["consumption"] * 4 + ["transfer", "spend", "reversal"]
    world = World(seed, plans=plans, kinds=kinds)
    open_ledger = world.in_time(tmp_path / "open")
    ledger, late = world.with_late(tmp_path / "late", open_ledger)
    in_time, sealed = drawn(load(open_ledger)), drawn(late)
    came_late = {row.split(",")[0] for row in world.late}
    if {event: text for event, text in in_time.items() if event not in came_late} != sealed:
        return  # a sealed event drew otherwise than it would have
    assert errors_of(late, ledger) == []
    assert totals(late) == totals(load(open_ledger))
    before = printed(late)
    close(ledger, "2026-07")
    again = load(ledger)
    assert printed(again) == before
    assert verify(again) == []


def taken(loaded: Loaded, event: str) -> dict[str, Decimal]:
    """What a late use took of each lot, whether it was open or had lapsed."""
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for entry in booked(loaded.entries):
        if entry.meta["event"] == event:
            for posting in entry.postings:
                if posting.cost is not None and posting.units and posting.units.number > 0:
                    found[posting.cost.label] += posting.units.number
            for label, units in lapsed_in(entry):
                found[label] += units
    return dict(found)


def lapsed_in(entry: Transaction) -> list[tuple[str, Decimal]]:
    """Label and units of what had lapsed: "tokens 60 CU {0.50 USD, 2026-06-01, top-up/...}"."""
    texts = [str(text) for key, text in entry.meta.items() if key.startswith("lapsed")]
    return [(text[:-1].split(", ")[-1], Decimal(text.split()[1])) for text in texts]


def may_take(loaded: Loaded, holder: str, day: date) -> dict[str, Decimal]:
    """By hand: the smallest quantity of each lot at the end of any day, lapses left out."""
    changes: defaultdict[str, list[tuple[date, Decimal]]] = defaultdict(list)
    ends: dict[str, date] = {}
    for entry in booked(loaded.entries):
        for posting in entry.postings:
            if posting.cost is not None and posting.account.endswith(holder) and posting.units:
                label = str(posting.cost.label)
                on = entry.meta.get("occurred", entry.date)
                if "compute-expiry" in entry.tags:
                    ends[label] = entry.date
                else:
                    changes[label].append((on, -posting.units.number))
        for label, units in lapsed_in(entry) if entry.payee.title() == holder else ():
            changes[label].append((entry.meta["occurred"], -units))
    found: dict[str, Decimal] = {}
    for label, moves in changes.items():
        least, on = None, day
        while on <= CLOSED:
            held = sum((units for at, units in moves if at <= on), Decimal())
            least = held if least is None else min(least, held)
            on += timedelta(1)
        if least and ends.get(label, date.max) > day:
            found[label] = least
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_a_late_use_takes_what_its_holder_had_all_the_time(seed: int, tmp_path: Path) -> None:
    """Of lots that expire, one late use after the other: all that the rule allows, and of no lot
    more; what it lacks is refused."""
    world = World(seed, plans=["expire"], kinds=["consumption", "consumption", "transfer"])
    world.sealed += [row for row in world.late if world.chance.random() < 0.5]
    world.late = [row for row in world.late if row not in world.sealed]
    ledger = without_refused(write(tmp_path / "l", world.text, *world.sealed))
    close(ledger, *MONTHS)
    rows = (ledger.parent / "events.csv").read_text().splitlines()[1:]
    for row in sorted(world.late, key=lambda row: row.split(",")[1]):
        event, day, _, _, name, _, _, units, *_ = row.split(",")
        allowed = may_take(load(ledger), name.title(), date.fromisoformat(day))
        write_events(ledger, *rows, row)
        loaded = load(ledger)
        wanted = Decimal(units)
        if sum(allowed.values()) < wanted:
            (error,) = errors_of(loaded, ledger)
            assert f"{sum(allowed.values(), Decimal()).normalize():f} CU" in error
            write_events(ledger, *rows)
            continue
        assert errors_of(loaded, ledger) == []
        found = taken(loaded, event)
        assert sum(found.values()) == wanted
        assert all(number <= allowed.get(lot, 0) for lot, number in found.items())
        rows.append(row)
