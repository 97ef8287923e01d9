"""How the auditor reads a ledger: directives, CSV and Parquet into facts and terms.

reading = Reading(path)
reading.facts, reading.terms, reading.accounts, reading.refusals
"""

from __future__ import annotations

import csv
import datetime
import glob
import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from beancount import loader
from beancount.core import account as beancount_account
from beancount.core import data
from beancount.core.amount import Amount
from beancount.parser import booking

from tests.laws.auditor.records import (
    EVENT_FIELDS,
    LATER_FIELDS,
    Capacity,
    Day,
    Event,
    Facts,
    HandPosting,
    Lot,
    Meter,
    Naming,
    Place,
    Plan,
    Refusal,
    Refusals,
    Terms,
    check_number,
    component,
    money,
    parse_day,
    parse_expires,
    parse_length,
    parse_time,
    refuse,
)

WHOLE_FEES = ("minimum-fee", "seller-fixed-fee", "buyer-fixed-fee")
DRAW_DOWNS = ("expiry", "fifo", "lifo", "hifo", "lofo")
ROOTS = {
    "receivable": "assets",
    "unbilled": "assets",
    "payable": "liabilities",
    "partner": "liabilities",
    "allocations": "liabilities",
    "tokens": "liabilities",
    "access": "liabilities",
    "access-revenue": "income",
    "refunds": "income",
    "disputes": "income",
    "recoveries": "income",
    "bad-debt": "expenses",
    "losses": "expenses",
    "revenue": "income",
    "breakage": "income",
    "fees": "income",
    "partner-income": "income",
    "overage": "income",
    "prepaid": "assets",
    "provider": "liabilities",
    "accrued": "liabilities",
    "lapsed": "expenses",
    "cost": "expenses",
    "variance": "expenses",
    "capacity": "assets",
    "depreciation": "expenses",
}
DEFAULT_ACCOUNTS = {
    "receivable": "Assets:Receivable:{subscriber}",
    "unbilled": "Assets:Unbilled:{subscriber}",
    "payable": "Liabilities:Payable:{subscriber}",
    "partner": "Liabilities:Partners:{partner}",
    "allocations": "Liabilities:DeferredRevenue:Allocations:{subscriber}",
    "tokens": "Liabilities:DeferredRevenue:Tokens:{subscriber}",
    "access": "Liabilities:DeferredRevenue:Access:{subscriber}",
    "access-revenue": "Income:Access",
    "refunds": "Income:Refunds",
    "disputes": "Income:Disputes",
    "recoveries": "Income:Recoveries",
    "bad-debt": "Expenses:BadDebt",
    "losses": "Expenses:Losses",
    "revenue": "Income:Compute",
    "breakage": "Income:Breakage",
    "fees": "Income:Fees",
    "partner-income": "Income:Partners",
    "overage": "Income:Overage",
    "prepaid": "Assets:Prepaid:{provider}",
    "provider": "Liabilities:Providers:{provider}",
    "accrued": "Liabilities:Accrued:{provider}",
    "lapsed": "Expenses:Compute:Lapsed",
    "cost": "Expenses:Compute:{provider}",
    "variance": "Expenses:Compute:Variance",
    "capacity": "Assets:Capacity:{capacity}",
    "depreciation": "Expenses:Capacity:{capacity}",
}
COLUMNS = [
    "id",
    "date",
    "time",
    "event",
    "subscriber",
    "counterparty",
    "plan",
    "units",
    "commodity",
    "price",
    "paid",
    "currency",
    "expires",
    "started",
    "reverses",
    "memo",
    "meter",
    "quantity",
    "from",
    "to",
]
LATER_COLUMNS = list(LATER_FIELDS)
TYPES_OF_LATER: dict[str, type] = {
    **dict.fromkeys(("charge", "credit", "discount"), Amount),
    **dict.fromkeys(("now", "unpaid", "void"), bool),
}


# Reading directives

SHAPES: dict[str, list[list[tuple[str, type]]]] = {
    "subscription": [[("subscriber", str), ("plan", str)]],
    "cancellation": [[("subscriber", str), ("plan", str)]],
    "allocation": [
        [("subscriber", str), ("units", Amount), ("paid", Amount)],
        [("subscriber", str), ("plan", str)],
    ],
    "grant": [[("subscriber", str), ("units", Amount)]],
    "consumption": [[("subscriber", str), ("units", Amount)], [("subscriber", str)]],
    "purchase": [[("counterparty", str), ("units", Amount), ("paid", Amount)]],
    "cost": [[("counterparty", str), ("paid", Amount)]],
    "bill": [[("counterparty", str), ("paid", Amount)]],
    "trade": [
        [("subscriber", str), ("counterparty", str), ("units", Amount), ("price", Amount)],
    ],
    "transfer": [[("subscriber", str), ("counterparty", str), ("units", Amount)]],
    "spend": [[("subscriber", str), ("counterparty", str), ("units", Amount), ("paid", Amount)]],
    "refund": [[("subscriber", str), ("units", Amount)]],
    "money-refund": [[("subscriber", str), ("paid", Amount)]],  # a refund with `of`
    "change": [[("subscriber", str), ("from_plan", str), ("plan", str)]],
    "chargeback": [[("of", str)], [("of", str), ("paid", Amount)]],
    "write-off": [[("of", str)], [("of", str), ("paid", Amount)]],
    "recovery": [[("of", str)], [("of", str), ("paid", Amount)]],
    "reversal": [[("reverses", str)]],
    "assert": [
        [("figure", str), ("paid", Amount)],
        [("figure", str), ("subscriber", str), ("paid", Amount)],
    ],
}
POCKETS = ("allocations", "tokens", "access")
FIGURES = {
    "deferred-revenue",
    "allocations",
    "tokens",
    "access",
    "access-revenue",
    "revenue",
    "breakage",
    "fees",
    "partner-income",
    "overage",
    "unbilled",
    "refunds",
    "disputes",
}
PLAN_KEYS = {
    "every",
    "unused",
    "mint-rate",
    "expires",
    "token-expires",
    "overage",
    "overage-since",
    "meter",
    "access-ssp",
    "units-ssp",
    "access-by",
    "bill",
    "minimum",
    "refundable",
}
# What an event may say besides: of a top-up alone its end, whose plan says it for a period.
OPTIONAL = {
    "subscription": {"started", "discount"},
    "cancellation": {"now"},
    "grant": {"expires"},
    "allocation": {"expires"},
    "purchase": {"expires"},
    "consumption": {"meter", "quantity"},
    "cost": {"meter"},
    "bill": {"first_day", "last_day"},
    "money-refund": {"of", "unpaid"},
    "change": {"charge", "credit"},
    "chargeback": {"void"},
    "write-off": {"void"},
}
WRITTEN = {"first_day": "from", "last_day": "to"}


def optional_of(kind: str, plan: object) -> set[str]:
    if kind == "allocation" and plan is not None:
        return {"discount"}
    return OPTIONAL.get(kind, set())


def check_measured(kind: str, units: object, meter: object, quantity: object) -> None:
    """A quantity is of a meter; a use without units needs both; a stated cost its meter."""
    if kind == "cost" and meter is None:
        refuse("a cost of no meter")
    if kind == "consumption" and (
        (units is None and quantity is None) or (quantity is not None and meter is None)
    ):
        refuse("a use without units, meter or quantity")


def place_of(meta: dict[str, Any]) -> Place:
    return Place(Path(meta["filename"]).name, meta["lineno"])


def written_keys(meta: dict[str, Any]) -> dict[str, Any]:
    """The metadata that a person wrote for the plugin."""
    return {
        key: value
        for key, value in meta.items()
        if key not in ("filename", "lineno") and not key.startswith(("__", "x-"))
    }


def check_keys(keys: dict[str, Any], known: set[str]) -> None:
    unknown = sorted(set(keys) - known)
    if unknown:
        refuse(f"unknown metadata {', '.join(unknown)}")


def typed(value: object, wanted: type, key: str) -> Any:
    if wanted is Decimal and isinstance(value, Decimal):
        return check_number(value)
    if wanted is Amount and isinstance(value, Amount) and isinstance(value.number, Decimal):
        check_number(value.number)
        return value
    if wanted is bool and isinstance(value, bool):
        return value
    if wanted is str and isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if wanted is datetime.date and isinstance(value, datetime.date):
        return value
    raise Refusal(f"{key}: {value!r} is not a {wanted.__name__}")


def read_event(entry: data.Custom, kind: str) -> Event:
    """The event that a `custom` directive tells."""
    values = entry.values or []
    if kind == "refund" and "of" in entry.meta:
        return replace(read_event(entry, "money-refund"), kind="refund")
    for shape in SHAPES[kind]:
        kinds = [wanted for _, wanted in shape]
        if [v.dtype for v in values] == kinds:
            break
    else:
        refuse(f"compute-{kind} takes other values")
    found: dict[str, Any] = {}
    for value, (name, wanted) in zip(values, shape, strict=True):
        take_value(found, name, typed(value.value, wanted, name))
    keys = written_keys(entry.meta)
    optional = optional_of(kind, found.get("plan"))
    check_keys(keys, {"id", "time"} | {WRITTEN.get(name, name) for name in optional})
    if "id" in keys:
        found["id"] = typed(keys["id"], str, "id")
    if "time" in keys:
        found["time"] = parse_time(typed(keys["time"], str, "time"))
    if "started" in keys:
        found["started"] = typed(keys["started"], datetime.date, "started")
    if "expires" in keys:
        found["expires"] = parse_expires(keys["expires"])
    if "meter" in keys:
        found["meter"] = typed(keys["meter"], str, "meter")
    if "quantity" in keys:
        found["quantity"] = typed(keys["quantity"], Decimal, "quantity")
    for name, key in WRITTEN.items():
        if key in keys:
            found[name] = typed(keys[key], datetime.date, key)
    for name in LATER_FIELDS:
        if name in keys:
            take_value(found, name, typed(keys[name], TYPES_OF_LATER.get(name, str), name))
    check_measured(kind, found.get("units"), found.get("meter"), found.get("quantity"))
    return Event(place_of(entry.meta), kind, entry.date, **found)


def take_value(found: dict[str, Any], name: str, value: Any) -> None:
    if not isinstance(value, Amount):
        found[name] = value
        return
    found[name] = value.number
    found["commodity" if name == "units" else "currency"] = value.currency


def read_plan(entry: data.Custom) -> Plan:
    values = entry.values or []
    if [v.dtype for v in values] not in ([str, Amount, Amount], [str, Amount]):
        refuse("compute-plan takes a name, a price and units")
    name = typed(values[0].value, str, "plan")
    price = typed(values[1].value, Amount, "plan")
    units = typed(values[2].value, Amount, "plan") if len(values) == 3 else Amount(Decimal(0), "")
    if not re.fullmatch(r"[A-Za-z0-9_.-]+( +[A-Za-z0-9_.-]+)*", name):
        refuse(f"{name!r} is no plan name")
    if name in ("top-up", "grant"):
        refuse(f"{name!r} is taken")
    if price.number < 0 or units.number < 0:
        refuse("a plan has no negative price, nor units below zero")
    if "ACCESS-" in (price.currency[:7], units.currency[:7]):
        refuse("access is no unit and no money")
    keys = written_keys(entry.meta)
    check_keys(keys, PLAN_KEYS)
    found: dict[str, Any] = {}
    for key in ("every", "expires", "token-expires"):
        if key in keys:
            found[key.replace("-", "_")] = parse_length(keys[key])
    if "unused" in keys:
        if keys["unused"] not in ("expire", "rollover", "mint"):
            refuse(f"unused: {keys['unused']!r}")
        found["unused"] = keys["unused"]
    if "meter" in keys:
        found["meter"] = typed(keys["meter"], str, "meter")
    if "mint-rate" in keys:
        found["mint_rate"] = fraction_of_one(keys["mint-rate"], "mint-rate")
    if "overage" in keys:
        overage = typed(keys["overage"], Amount, "overage")
        if overage.number <= 0:
            refuse("overage is not positive")
        found["overage"] = (overage.number, overage.currency)
    ssps = [typed(keys[k], Amount, k) for k in ("access-ssp", "units-ssp") if k in keys]
    if len(ssps) == 1 or any(s.number <= 0 or s.currency != price.currency for s in ssps):
        refuse("two stand-alone prices above zero, or none")
    if ssps and not units.number:
        refuse("nothing to split")
    if not (price.number or units.number or "overage" in found):
        refuse("a plan that sells nothing")
    if "overage-since" in keys:
        found["since"] = typed(keys["overage-since"], datetime.date, "overage-since")
        if "overage" not in found or found["since"] > entry.date:
            refuse("a price since a day to come, or no price")
    if "overage" in found and not units.currency:
        refuse("overage of no unit")
    if keys.get("access-by", "day") not in ("day", "even-month"):
        refuse(f"access-by: {keys['access-by']!r}")
    if keys.get("access-by") == "even-month":
        if units.number and not ssps:
            refuse("no access")
        if found.get("every", (1, "months"))[1] == "days":
            refuse("even months of days")
        found["even"] = True
    read_billing(keys, found)
    if "refundable" in keys:
        found["refundable"] = typed(keys["refundable"], bool, "refundable")
    if ssps:
        found["ssps"] = (ssps[0].number, ssps[1].number)
    where = place_of(entry.meta)
    return Plan(
        where, name, entry.date, price.number, price.currency, units.number, units.currency, **found
    )


def read_billing(keys: dict[str, Any], found: dict[str, Any]) -> None:
    """When what is used is invoiced, and what is charged at least."""
    if ("bill" in keys or "minimum" in keys) and "overage" not in found:
        refuse("nothing is charged for use")
    if "bill" in keys:
        if keys["bill"] not in ("use", "period", "month"):
            refuse(f"bill: {keys['bill']!r}")
        count, unit = found.get("every", (1, "months"))
        if keys["bill"] == "month" and unit == "days" and count < 28:
            refuse("a period is shorter than a month")
        found["bill"] = keys["bill"]
    if "minimum" in keys:
        least = typed(keys["minimum"], Amount, "minimum")
        currency = found["overage"][1]
        if least.currency != currency or money(least.number, currency) != least.number:
            refuse("a minimum of another currency, or finer than the minor unit")
        if least.number <= 0:
            refuse("a minimum above zero")
        found["minimum"] = least.number


def fraction_of_one(value: object, key: str) -> Decimal:
    number: Decimal = typed(value, Decimal, key)
    if not 0 <= number <= 1:
        refuse(f"{key} {number} is outside 0..1")
    return number


# Reading event files


def read_cells(cells: dict[str, Any], place: Place) -> Event:
    """The event that a row tells."""
    found: dict[str, Any] = {}
    texts = ("subscriber", "counterparty", "plan", "commodity", "currency", "memo", "id", "meter")
    for key in texts:
        if cells.get(key):
            found[key] = unicodedata.normalize("NFC", cells[key])
    if cells.get("reverses"):
        found["reverses"] = unicodedata.normalize("NFC", cells["reverses"])
    for name, key in WRITTEN.items():
        if cells.get(key):
            found[name] = parse_day(cells[key])
    for key in ("from_plan", "of"):
        if cells.get(key):
            found[key] = unicodedata.normalize("NFC", cells[key])
    for key in ("now", "unpaid", "void"):
        if cells.get(key):
            found[key] = cells[key] == "true" or refuse(f"{key}: true, or nothing")
    for key in ("units", "price", "paid", "quantity", "charge", "credit", "discount"):
        if cells.get(key):
            found[key] = parse_number(cells[key])
    if cells.get("time"):
        found["time"] = parse_time(cells["time"])
    if cells.get("started"):
        found["started"] = parse_day(cells["started"])
    if cells.get("expires"):
        found["expires"] = parse_expires(cells["expires"])
    kind = cells.get("event", "")
    if kind not in SHAPES or kind in ("assert", "money-refund"):
        refuse(f"{kind!r} is no event")
    if not cells.get("date"):
        refuse("no date")
    event = Event(place, kind, parse_day(cells["date"]), **found)
    check_filled(event)
    return event


def check_filled(event: Event) -> None:
    """A row must have the cells of one shape of its event, and no others."""
    optional = {"memo", "id", "time", "date", "kind", "figure"}
    kind = "money-refund" if event.kind == "refund" and event.of else event.kind
    optional |= optional_of(kind, event.plan)
    check_measured(event.kind, event.units, event.meter, event.quantity)
    filled = {n for n in EVENT_FIELDS if getattr(event, n) is not None} - optional
    for shape in SHAPES[kind]:
        wanted = {name for name, _ in shape}
        if "units" in wanted:
            wanted.add("commodity")
        if wanted & {"paid", "price"} or any(map(event.says, ("charge", "credit", "discount"))):
            wanted.add("currency")
        if filled == wanted:
            return
    refuse(f"{event.kind} takes other columns than {', '.join(sorted(filled))}")


def parse_number(text: str) -> Decimal:
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", text, re.ASCII):
        refuse(f"{text!r} is not a number")
    return check_number(Decimal(text))


def read_csv(path: Path) -> list[tuple[Place, dict[str, str] | Refusal]]:
    """(place, cells or why not) of each row."""
    name = path.name
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        return [(Place(name, 1), Refusal("not UTF-8"))]
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    rows: list[tuple[int, list[str]]] = []
    line = 1
    for row in reader:
        rows.append((line, [cell.strip() for cell in row]))
        line = reader.line_num + 1
    rows = [(line, row) for line, row in rows if row]
    if not rows:
        return [(Place(name, 1), Refusal("an empty file"))]
    header = rows[0][1]
    try:
        check_header(header)
    except Refusal as why:
        return [(Place(name, 1), why)]
    found: list[tuple[Place, dict[str, str] | Refusal]] = []
    for line, row in rows[1:]:
        if len(row) != len(header):
            found.append((Place(name, line), Refusal(f"{len(row)} columns, not {len(header)}")))
        else:
            found.append((Place(name, line), dict(zip(header, row, strict=True))))
    return found


def check_header(header: list[str]) -> None:
    unknown = [c for c in header if c not in COLUMNS + LATER_COLUMNS and not c.startswith("x_")]
    if unknown:
        refuse(f"unknown columns {unknown}")
    if len(set(header)) != len(header):
        refuse("a column twice")
    if "event" not in header or "date" not in header:
        refuse("no event or date column")


def read_parquet(path: Path, place: Place) -> list[tuple[Place, dict[str, str] | Refusal]]:
    """Rows as text; every error is at the directive."""
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except (pyarrow.ArrowException, OSError):
        return [(place, Refusal("not Parquet"))]
    try:
        check_header(table.column_names)
        for column in table.schema:
            if pyarrow.types.is_floating(column.type):
                refuse(f"column {column.name} is a float: cast it")
    except Refusal as why:
        return [(place, why)]
    return [(place, {k: as_text(v) for k, v in row.items()}) for row in table.to_pylist()]


def as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value).strip()


# Reading the ledger


class Reading:
    """Everything that the ledger and its event files say, and what can't be read."""

    def __init__(self, path: Path) -> None:
        self.refusals = Refusals()
        self.aliases: dict[tuple[str, int], tuple[str, int]] = {}
        self.events: list[Event] = []
        self.plans: list[Plan] = []
        self.options: dict[str, list[tuple[Day, Any]]] = defaultdict(list)
        self.fixed: dict[str, Any] = {}
        self.accounts: dict[str, str] = {}
        self.subscribers: list[tuple[Day, str, str, Place]] = []
        self.meters: list[Meter] = []
        self.providers: set[str] = set()
        self.capacities: list[Capacity] = []
        self.beyond: list[tuple[Day, str, tuple[Decimal, str] | None]] = []
        self.chosen: list[tuple[str, str, Place]] = []  # roles and their accounts
        self.files_read: set[Path] = set()
        self.said_in: list[list[Event]] = []  # the events of the ledger, then those of each file
        self.load(path)
        self.check_shared_accounts()
        self.check_subscriber_directives()
        names = [Naming(day, name, chosen) for day, name, chosen, _ in self.subscribers]
        self.facts = Facts(self.events, names)
        self.read_hand_written()
        self.check_capacities()
        currencies = self.beancount_options["operating_currency"]
        self.terms = Terms(
            self.plans,
            self.options,
            self.fixed.get("posting-grain", "event"),
            self.fixed.get("cost-step"),
            self.fixed.get("as-of"),
            currencies[0] if currencies else None,
            self.meters,
            self.providers,
            self.beyond,
            {*currencies, *(plan.currency for plan in self.plans)}
            | {plan.overage[1] for plan in self.plans if plan.overage}
            | {price[1] for _, _, price in self.beyond if price},
            self.capacities,
        )

    def load(self, path: Path) -> None:
        source = (str(path.resolve()), True)
        entries, self.parse_errors, self.beancount_options = loader._parse_recursive([source], None)
        entries.sort(key=data.entry_sortkey)
        book: Any = booking.book
        entries, booking_errors = book(entries, self.beancount_options)
        self.parse_errors.extend(booking_errors)
        self.entries = entries
        roots = {k: self.beancount_options["name_" + k] for k in set(ROOTS.values())}
        self.roots = roots
        for role, template in DEFAULT_ACCOUNTS.items():
            self.accounts[role] = roots[ROOTS[role]] + ":" + template.split(":", 1)[1]
        customs = [e for e in entries if isinstance(e, data.Custom)]
        customs = [e for e in customs if e.type.startswith("compute-")]
        for entry in customs:
            if entry.type != "compute-events":
                self.refusals.guarded(place_of(entry.meta), self.read_directive, entry)
        self.said_in = [self.events]
        for entry in customs:
            if entry.type == "compute-events":
                self.refusals.guarded(place_of(entry.meta), self.read_files, entry)
        self.count_twins_once()

    def read_directive(self, entry: data.Custom) -> None:
        kind = entry.type.removeprefix("compute-")
        if kind in SHAPES:
            event = read_event(entry, kind)
            if kind == "assert" and event.figure not in FIGURES:
                refuse(f"{event.figure!r} is no figure")
            self.events.append(event)
        elif kind == "plan":
            self.take_plan(read_plan(entry))
        elif kind == "option":
            self.read_option(entry)
        elif kind == "account":
            self.read_account(entry)
        elif kind == "subscriber":
            self.read_subscriber(entry)
        elif kind in ("meter", "provider", "quote"):
            self.read_of_provider(kind, entry)
        elif kind == "capacity":
            self.read_capacity(entry)
        elif kind not in ("accept", "scenario"):  # which book nothing
            refuse(f"unknown type {entry.type}")

    def read_of_provider(self, kind: str, entry: data.Custom) -> None:
        """A meter, a provider, or a quote, of which nothing is booked."""
        name, *others = [value.value for value in entry.values or []]
        keys = written_keys(entry.meta)

        def pair(key: str) -> tuple[Decimal, str] | None:
            amount = typed(keys[key], Amount, key) if key in keys else None
            return (amount.number, amount.currency) if amount else None

        if kind == "provider":
            self.providers.add(name)
            self.beyond.append((entry.date, name, pair("beyond")))
        elif kind == "quote":
            self.providers.add(others[0])
        else:
            per, provider = keys.get("per", Decimal(1)), keys.get("provider", "")
            where = place_of(entry.meta)
            self.meters.append(
                Meter(where, name, entry.date, pair("units"), per, pair("cost"), provider)
            )
            self.providers |= {provider} - {""}

    def read_capacity(self, entry: data.Custom) -> None:
        """A line of what is depreciated; what it `can-serve` is for reports."""
        name, cost = [value.value for value in entry.values or []]
        keys = written_keys(entry.meta)
        quantity = keys.get("quantity")
        count, unit = parse_length(keys["life"]) if "life" in keys else (0, "months")
        if unit != "months" or bool(count) == bool(quantity):
            refuse("months of life, or a quantity")
        if "residual" in keys and keys["residual"].number > cost.number:
            refuse("worth more in the end than it costs")
        numbers = {
            key: keys[key].number for key in ("residual", "depreciated", "served") if key in keys
        }
        self.capacities.append(
            Capacity(
                place_of(entry.meta),
                name,
                entry.date,
                (cost.number, cost.currency),
                keys["provider"],
                count,
                (quantity.number, quantity.currency) if quantity else None,
                started=keys.get("started"),
                **numbers,
            )
        )
        self.providers.add(keys["provider"])

    def check_capacities(self) -> None:
        """What goes by quantity needs meters that can be served."""
        taken = {(each.provider, each.units[1] if each.units else None) for each in self.meters}
        for line in list(self.capacities):
            units = [line.quantity[1], None] if line.quantity else []  # None: as uses say
            if units and not any((line.provider, unit) in taken for unit in units):
                self.refusals.add(line.place, f"no meter of {line.provider!r} takes such units")
                self.capacities.remove(line)

    def take_plan(self, plan: Plan) -> None:
        for other in self.plans:
            if (other.name, other.date) == (plan.name, plan.date):
                if replace(other, place=plan.place) == plan:
                    return
                refuse("other terms of that day stand above")
        self.plans.append(plan)

    def read_option(self, entry: data.Custom) -> None:
        check_keys(written_keys(entry.meta), set())
        values = entry.values or []
        if len(values) != 2 or values[0].dtype is not str:
            refuse("compute-option takes a name and a value")
        name, value = values[0].value, values[1].value
        readers: dict[str, Any] = {
            "seller-fee": lambda v: fraction_of_one(v, name),
            "buyer-fee": lambda v: fraction_of_one(v, name),
            **dict.fromkeys(WHOLE_FEES, lambda v: typed(v, Amount, name)),
            "draw-down": lambda v: one_of(v, DRAW_DOWNS),
            "unit-cost": lambda v: typed(v, Amount, name),
            "cost-step": power_of_ten,
            "posting-grain": lambda v: one_of(v, ("event", "day", "month")),
            "as-of": lambda v: typed(v, datetime.date, name),
            "meter": lambda v: typed(v, str, name),
            "top-ups-refundable": lambda v: typed(v, bool, name),
        }
        if name not in readers:
            refuse(f"unknown option {name!r}")
        value = readers[name](value)
        if name in ("cost-step", "posting-grain", "as-of"):
            if self.fixed.setdefault(name, value) != value:
                refuse(f"{name} has another value elsewhere")
            return
        if name in WHOLE_FEES:
            name = f"{name} {value.currency}"
            value = value.number
            if value < 0 or money(value, name[-3:]) != value:
                refuse("finer than the minor unit, or negative")
        for day, other in self.options[name]:
            if day == entry.date and other != value:
                refuse(f"{name} has another value on that day")
        self.options[name].append((entry.date, value))

    def read_account(self, entry: data.Custom) -> None:
        check_keys(written_keys(entry.meta), set())
        values = entry.values or []
        if len(values) != 2 or values[0].dtype is not str:
            refuse("compute-account takes a role and an account")
        role, template = values[0].value, values[1].value
        if role not in ROOTS:
            refuse(f"{role!r} is no role")
        if values[1].dtype not in (str, beancount_account.TYPE):
            refuse("not an account")
        check_template(role, template, self.roots)
        chosen = {r: t for r, t, _ in self.chosen}
        if chosen.get(role, template) != template:
            refuse(f"{role} has another account elsewhere")
        self.chosen.append((role, template, place_of(entry.meta)))
        self.accounts[role] = template

    def check_shared_accounts(self) -> None:
        """The pockets share their account with no other role."""
        for pocket in ("allocations", "tokens", "access"):
            for role, template in list(self.accounts.items()):
                if role != pocket and template == self.accounts[pocket]:
                    for chosen, _, place in self.chosen:
                        if chosen in (role, pocket):
                            self.refusals.add(place, f"{role} and {pocket} share {template}")

    def read_subscriber(self, entry: data.Custom) -> None:
        check_keys(written_keys(entry.meta), set())
        values = entry.values or []
        if [v.dtype for v in values] != [str, str]:
            refuse("compute-subscriber takes a name and a component")
        name = typed(values[0].value, str, "name")
        chosen = typed(values[1].value, str, "component")
        if ":" in chosen or not beancount_account.is_valid("Assets:" + chosen):
            refuse(f"{chosen!r} is no account component")
        for _, other, taken, _ in self.subscribers:
            if (other == name) != (taken == chosen):
                refuse(f"{other!r} is already {taken}")
        self.subscribers.append((entry.date, name, chosen, place_of(entry.meta)))

    def read_files(self, entry: data.Custom) -> None:
        check_keys(written_keys(entry.meta), set())
        values = entry.values or []
        if len(values) != 1 or values[0].dtype is not str:
            refuse("compute-events takes a path")
        folder = Path(entry.meta["filename"]).parent
        pattern = str(folder / values[0].value)
        found = sorted(p for p in glob.glob(pattern, recursive=True) if Path(p).is_file())
        if not found:
            refuse(f"no file {values[0].value}")
        for name in found:
            path = Path(name).resolve()
            if path not in self.files_read:
                self.files_read.add(path)
                self.read_file(path, place_of(entry.meta))

    def count_twins_once(self) -> None:
        """Of rows without an id, equal in several files, those of the file with most stand."""
        told: dict[tuple[int, int], Place] = {}
        files = [Counter(e.content() for e in events if not e.id) for events in self.said_in]
        copies: list[set[Any]] = [set() for _ in files]  # contents of which another file has more
        for content, number in Counter(c for file in files for c in file).items():
            if number == 1:
                continue
            having = [at for at, file in enumerate(files) if content in file]
            most = max(having, key=lambda at: (files[at][content], -at))
            one = having[0]
            for at in having:
                if at != most:
                    copies[at].add(content)
            for at in having[1:]:
                place = next(e.place for e in self.said_in[at] if e.content() == content)
                told[one, at] = min(told.get((one, at), place), place)
        for events, other in zip(self.said_in, copies, strict=True):
            if other:
                events[:] = [e for e in events if e.content() not in other]
        for place in told.values():
            self.refusals.add(place, "said in another file too")
        self.events = [event for events in self.said_in for event in events]

    def read_file(self, path: Path, place: Place) -> None:
        events: list[Event] = []
        self.said_in.append(events)
        rows = read_parquet(path, place) if path.suffix == ".parquet" else read_csv(path)
        for row_place, cells in rows:
            if isinstance(cells, Refusal):
                self.refusals.add(row_place, cells)
                continue
            try:
                event = read_cells(cells, row_place)
                if event.units != 0:  # a row of 0 units says nothing
                    events.append(event)
            except Refusal as why:
                self.refusals.add(row_place, why)

    def check_subscriber_directives(self) -> None:
        """A directive may not take the natural component of another name without one."""
        chosen = {name for _, name, _, _ in self.subscribers}
        natural = {
            component(e.subscriber): e.subscriber
            for e in self.events
            if e.subscriber and e.subscriber not in chosen
        }
        for entry in list(self.subscribers):
            if entry[2] in natural:
                self.refusals.add(entry[3], f"{entry[2]} is {natural[entry[2]]}")
                self.subscribers.remove(entry)

    def read_hand_written(self) -> None:
        """Opening lots and other hand-written postings on the pockets; opening accruals."""
        for entry in self.entries:
            if isinstance(entry, data.Transaction) and "accrued" in entry.meta:
                for text in entry.meta["accrued"].split(", "):
                    meter, number, currency = text.rsplit(" ", 2)
                    accrued = (entry.payee or "", meter, entry.meta["served"], currency)
                    self.facts.accruals.append((entry.date, accrued, Decimal(number)))
            written: list[Any] = entry.postings if isinstance(entry, data.Transaction) else []
            for posting in written:
                holder = self.holder_of(posting.account)
                if holder is None:
                    continue
                place = place_of(entry.meta)
                self.aliases[place_of(posting.meta if posting.meta else entry.meta)] = place
                lot = lot_of(posting) if posting.cost else None
                units = posting.units.number
                units = -units if holder[1] == "prepaid" else units  # an asset
                found = HandPosting(entry.date, *holder, lot, units, place)
                opening = "compute-opening" in (entry.tags or ())
                if opening and posting.cost and units < 0:
                    self.facts.openings.append(found)
                else:
                    self.facts.reductions.append(found)

    def holder_of(self, account: str) -> tuple[str, str] | None:
        """(subscriber, pocket) of an account, if it is one of a pocket."""
        for pocket in ("allocations", "tokens", "access", "prepaid"):
            pattern = re.escape(self.accounts[pocket])
            pattern = pattern.replace(r"\{subscriber\}", "(?P<subscriber>[^:]+)", 1)
            pattern = pattern.replace(r"\{subscriber\}", "(?P=subscriber)")
            pattern = pattern.replace(r"\{plan\}", "[^:]+").replace(r"\{provider\}", "[^:]+")
            match = re.fullmatch(pattern, account)
            if match and pocket == "prepaid":
                return "", pocket
            if match:
                return self.name_of(match["subscriber"]), pocket
        return None

    def name_of(self, held_by: str) -> str:
        for _, name, chosen, _ in self.subscribers:
            if chosen == held_by:
                return name
        names = [e.subscriber for e in self.events if e.subscriber and e.kind != "assert"]
        names += [
            e.counterparty
            for e in self.events
            if e.counterparty and e.kind in ("trade", "transfer")
        ]
        for name in sorted(set(names)):
            if self.facts.component_of(name) == held_by:
                return name
        return held_by


def one_of(value: object, known: tuple[str, ...]) -> str:
    if value not in known:
        refuse(f"{value!r} is none of {known}")
    return str(value)


def power_of_ten(value: object) -> Decimal:
    number: Decimal = typed(value, Decimal, "cost-step")
    if number <= 0 or number.normalize().as_tuple().digits != (1,):
        refuse(f"{number} is no power of ten")
    return number


def check_template(role: str, template: str, roots: dict[str, str]) -> None:
    parts = template.split(":")
    if parts[0] != roots[ROOTS[role]]:
        refuse(f"{role} must be below {roots[ROOTS[role]]}")
    allowed = {"{subscriber}"}
    of_plans = ("revenue", "breakage", "overage", "access-revenue")
    if role in (*POCKETS, *of_plans, "refunds", "disputes", "bad-debt"):
        allowed.add("{plan}")
    if role == "partner":
        allowed.add("{partner}")
    if role in ("prepaid", "provider", "lapsed", "cost", "accrued", "variance"):
        allowed = {"{provider}"} | ({"{meter}"} if role in ("cost", "accrued") else set())
    if role in ("capacity", "depreciation"):
        allowed = {"{capacity}"}
    sample = template
    for name in allowed:
        sample = sample.replace(name, "X")
    if not beancount_account.is_valid(sample):
        refuse(f"{template} is no account")
    if role in POCKETS and "{subscriber}" not in template:
        refuse(f"{role} needs {{subscriber}}")


def lot_of(posting: Any) -> Lot:
    """The lot that a hand-written posting names."""
    cost = posting.cost
    label = cost.label or ""
    origin, slash, end = label.rpartition("/")
    if slash and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", end):
        last: Day | None = parse_day(end)
    else:
        origin, last = label, None
    return Lot(posting.units.currency, cost.number, cost.currency, cost.date, origin, last)
