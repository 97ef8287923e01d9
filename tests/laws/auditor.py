"""A naive auditor: it reads a ledger and works out the books from language.md alone.

Slow and obvious on purpose: whole numbers, Decimal and Fraction, plain lists, linear scans, day by
day and phase by phase. It shares no line with the plugin, so that what the two agree on was thought
twice. `audit(path)` gives the figures; `compare(path)` lists where the plugin's books differ.

Readings (where language.md is silent or can be read in two ways, this is what is done here):

R1  Opening lots stand from the beginning of their day (before period ends); hand-written reductions
    come after everything else of their day.
R2  Assertions see the books before anything of their day, opening lots included.
R3  Allocations with no terms in force on their first day (a subscription `started` before the plan
    was written) and lots older than their plan take the plan's earliest terms.
R4  When `every` changes, months go on being counted on the subscription's own day of month; where
    the running day of month is another one because of periods in days, from that day.
R5  The price of overage is the one in force on the day of use (the list of what a period keeps
    does not name it); the plan is that of the newest running subscription whose units are of the
    commodity used; newest by the day from which it runs (`started`); ties: first by plan name.
R6  A fee is its fraction of the rounded gross.
R7  The market price averages the written prices by units, not rounded gross by units.
R8  Units minted are units times mint-rate, never rounded.
R9  A top-up's payment or a settlement that rounds to zero is refused, like a gross.
R10 A spend out of lots in another currency than the settlement is booked: partner-income has one
    posting per currency.
R11 A giver who is also the receiver of a transfer is refused, like seller and buyer.
R12 A second cancellation of a cancelled subscription is refused, though its period still runs.
R13 The gap rule: cancellations and assertions are links of the chain like all events; two years are
    24 months; the as-of option reaches a gap if it is not before the first event behind it.
R14 Zero and negative figures are readable: such events are refused, but count for the as-of day;
    lines of a wrong type, with unknown keys or unreadable values don't.
R15 With posting-grain an accepted event, period start, mint, expiry or hand-written posting of a
    holder (both sides of a trade or transfer) ends the merging; so does each end of a period, also
    where nothing is left to end; an assertion ends it for its subscriber, or for all. A refused
    event doesn't. "month" merges within a calendar month.
R16 Tokens minted late, out of a restored lot, count their life from the end that they missed.
R17 What the rounding of a refund leaves goes to the revenue account of the first lot's origin.
R18 Hand-written additions to a pocket (outside #compute-opening) name no open lot: an error.
R19 `other characters to -` is one `-` for each; the first letter is the first character.
R20 Two `compute-subscriber` for one component: an error at the later; one that takes the natural
    component of a name that occurs anywhere in the events is an error, whatever the dates.
R21 A plan that cost-step can't split is an error on its line; its subscriptions stay, its
    allocations are not booked.
R22 An event's price in its own unit commodity is refused as a wrong currency.
R23 Overage may book a negative sum after a reversal (the running total says so).
R24 An expiry given as a date is the first day on which the units are no longer usable.
R25 A fee belongs to the one who pays it ({subscriber} in the fees account).
R26 Assertions on income read what the plugin booked, income counted positive.
R27 A file with an unknown or missing column is refused whole, on its line 1.
R28 A top-up or grant that would end on or before its day is refused.
"""

from __future__ import annotations

import csv
import datetime
import decimal
import glob
import hashlib
import itertools
import re
import sys
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from beancount import loader
from beancount.core import account as beancount_account
from beancount.core import data
from beancount.core.amount import Amount
from beancount.parser import booking

Day = datetime.date
ZERO = Decimal(0)
FAR = datetime.date.max
MINOR_UNITS = {
    code: Decimal(1).scaleb(-digits)
    for digits, codes in {
        0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
        3: "BHD IQD JOD KWD LYD OMR TND",
        4: "CLF UYW",
    }.items()
    for code in codes.split()
}
DRAW_DOWNS = ("expiry", "fifo", "lifo", "hifo", "lofo")
ROOTS = {
    "receivable": "assets",
    "payable": "liabilities",
    "partner": "liabilities",
    "allocations": "liabilities",
    "tokens": "liabilities",
    "revenue": "income",
    "breakage": "income",
    "fees": "income",
    "partner-income": "income",
    "overage": "income",
}
DEFAULT_ACCOUNTS = {
    "receivable": "Assets:Receivable:{subscriber}",
    "payable": "Liabilities:Payable:{subscriber}",
    "partner": "Liabilities:Partners:{partner}",
    "allocations": "Liabilities:DeferredRevenue:Allocations:{subscriber}",
    "tokens": "Liabilities:DeferredRevenue:Tokens:{subscriber}",
    "revenue": "Income:Compute",
    "breakage": "Income:Breakage",
    "fees": "Income:Fees",
    "partner-income": "Income:Partners",
    "overage": "Income:Overage",
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
]


class Refusal(Exception):
    """Why something that a person wrote is not booked."""


class Place(NamedTuple):
    """Where a person wrote something."""

    file: str
    line: int


class Lot(NamedTuple):
    """What makes a lot itself: two with the same values are one lot."""

    commodity: str
    cost: Decimal
    currency: str
    date: Day
    origin: str
    end: Day | None

    @property
    def label(self) -> str:
        return self.origin if self.end is None else f"{self.origin}/{self.end.isoformat()}"


@dataclass(frozen=True)
class Event:
    """One thing that happened, as a line of a ledger or of an event file says it."""

    place: Place
    kind: str
    date: Day
    time: str | None = None
    subscriber: str | None = None
    counterparty: str | None = None
    plan: str | None = None
    units: Decimal | None = None
    commodity: str | None = None
    price: Decimal | None = None
    paid: Decimal | None = None
    currency: str | None = None
    expires: str | None = None
    started: Day | None = None
    reverses: str | None = None
    memo: str | None = None
    id: str | None = None
    figure: str | None = None  # assertions: what is asserted

    def content(self) -> tuple[Any, ...]:
        """All that the event says, without the place."""
        return tuple(getattr(self, name) for name in EVENT_FIELDS)

    def order(self) -> tuple[Any, ...]:
        """The order of section 4 within a phase; the place only parts what is the same."""
        values = (
            self.time,
            self.kind,
            self.subscriber,
            self.counterparty,
            self.plan,
            self.units,
            self.price,
            self.paid,
            self.currency,
            self.expires,
            self.id,
            self.memo,
            self.commodity,
            self.started,
            self.reverses,
        )
        return (*tuple((0, 0) if v is None else (1, v) for v in values), self.place)


EVENT_FIELDS = [name for name in Event.__dataclass_fields__ if name != "place"]


@dataclass(frozen=True)
class Plan:
    """The terms of a plan from one day on."""

    place: Place
    name: str
    date: Day
    price: Decimal
    currency: str
    units: Decimal
    commodity: str
    every: tuple[int, str] = (1, "months")
    unused: str = "expire"
    mint_rate: Decimal = Decimal(1)
    expires: tuple[int, str] | None = None
    token_expires: tuple[int, str] | None = None
    overage: tuple[Decimal, str] | None = None


@dataclass
class Subscription:
    """Who is on which plan, and how far its periods have been made."""

    event: Event
    began: Day
    next_start: Day
    anchor: int
    cancelled: Day | None = None
    last_end: Day | None = None
    periods: int = 0
    starts: list[Day] = field(default_factory=list)

    def running(self, day: Day) -> bool:
        return self.cancelled is None or (self.last_end is not None and day < self.last_end)


@dataclass(frozen=True)
class Leg:
    """One side of a transaction; `number` has Beancount's sign; lots are at cost."""

    role: str
    number: Decimal
    currency: str
    subscriber: str = ""
    origin: str = ""
    partner: str = ""
    lot: Lot | None = None

    def weight(self) -> tuple[str, Decimal]:
        if self.lot is None:
            return self.currency, self.number
        return self.lot.currency, self.number * self.lot.cost


@dataclass
class Transaction:
    """Legs that sum to zero, and the day on which they are booked."""

    date: Day
    why: str
    legs: list[Leg]


class Posting(NamedTuple):
    """A posting of the finished books."""

    date: Day
    account: str
    number: Decimal
    currency: str
    cost: tuple[Decimal, str, Day, str | None] | None


@dataclass(frozen=True)
class Audit:
    """What the books must show."""

    balances: dict[tuple[Day, str, str], Decimal]
    lots: dict[tuple[str, str, Decimal, str, Day, str | None], Decimal]
    prices: dict[tuple[Day, str, str], Decimal]
    errors: set[tuple[str, int]]
    messages: list[str]
    aliases: dict[tuple[str, int], tuple[str, int]]  # lines that count as one for errors
    found: dict[tuple[str, int], Decimal]  # assertions: the figure in the books


# Days and lives


def add_months(day: Day, months: int, day_of_month: int | None = None) -> Day:
    """The same day of month so many months later, or that month's last day."""
    number = day.year * 12 + day.month - 1 + months
    year, month = number // 12, number % 12 + 1
    following = datetime.date(year + month // 12, month % 12 + 1, 1)
    last = (following - datetime.timedelta(days=1)).day
    return datetime.date(year, month, min(day_of_month or day.day, last))


def after(day: Day, length: tuple[int, str]) -> Day:
    """The first day after a life of this length that begins on `day`."""
    count, unit = length
    if unit == "months":
        return add_months(day, count)
    return day + datetime.timedelta(days=count)


def parse_length(text: object) -> tuple[int, str]:
    """`N months` or `N days` and the names of the common ones."""
    named = {"month": (1, "months"), "quarter": (3, "months"), "year": (12, "months")}
    if not isinstance(text, str):
        refuse(f"{text!r} is not a length such as '3 months'")
    if text in named:
        return named[text]
    match = re.fullmatch(r"([1-9][0-9]{0,4}) (month|day)s?", text)
    if match is None:
        refuse(f"{text!r} is not a length such as '3 months'")
    return int(match[1]), match[2] + "s"


def parse_day(text: str) -> Day:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        refuse(f"{text!r} is not a date")
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        refuse(f"{text!r} is not a day of the calendar")


def parse_time(text: str) -> str:
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]", text):
        refuse(f"{text!r} is not a time such as 14:05:09")
    return text


def parse_expires(value: object) -> str:
    """A date or a length, kept as text."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    if not isinstance(value, str):
        refuse(f"{value!r} is neither a date nor a length")
    if re.fullmatch(r"[0-9]{4}-.*", value):
        return parse_day(value).isoformat()
    parse_length(value)
    return value


def end_of(expires: str | None, day: Day) -> Day | None:
    if expires is None:
        return None
    dated = re.fullmatch(r"[0-9]{4}-.*", expires)
    end = parse_day(expires) if dated else after(day, parse_length(expires))
    if end <= day:
        refuse(f"the units would end on {end}, before any use")
    return end


# Money


def rounded(number: Decimal | Fraction, step: Decimal) -> Decimal:
    """Half-even to a multiple of `step`."""
    return round(Fraction(number) / Fraction(step)) * step


def minor_unit(currency: str) -> Decimal:
    return MINOR_UNITS.get(currency, Decimal("0.01"))


def money(number: Decimal | Fraction, currency: str) -> Decimal:
    return rounded(number, minor_unit(currency))


def significant_digits(number: Decimal) -> int:
    """Zeros behind the last decimal that says something are none: 2.50 has two."""
    number = number.normalize() if number else number
    return number.adjusted() + 1 - min(0, int(number.as_tuple().exponent)) if number else 0


def check_number(number: Decimal) -> Decimal:
    if not number.is_finite():
        refuse(f"{number} is not a number")
    if significant_digits(number) > 14:
        refuse(f"{number} has more than 14 significant digits")
    return number


def default_step(units: Decimal, currency: str) -> Decimal:
    step = Decimal("0.000001")
    while Fraction(step) > Fraction(minor_unit(currency)) / Fraction(units):
        step = step.scaleb(-1)
    return step


def split_cost(
    paid: Decimal, units: Decimal, currency: str, given_step: Decimal | None
) -> list[tuple[Decimal, Decimal]]:
    """(units, unit cost) of the one or two lots whose cost is exactly what was paid."""
    step = given_step or default_step(units, currency)
    low = (Fraction(paid) / Fraction(units)) // Fraction(step) * step
    at_high = (paid - low * units) / step
    if paid > 0 and low == 0:
        refuse(f"with cost-step {step} part of {units} units for {paid} would cost nothing")
    parts = [(units - at_high, low), (at_high, low + step)]
    parts = [part for part in parts if part[0] != 0]
    assert sum(count * cost for count, cost in parts) == paid
    return parts


# Names


def component(name: str) -> str:
    """The account component of a subscriber, partner or plan."""
    capital = name[:1].upper() + name[1:]
    if ":" not in capital and beancount_account.is_valid("Assets:" + capital):
        return capital
    made = "".join(c if is_component_character(c) else "-" for c in capital)
    if not beancount_account.is_valid("Assets:" + made):
        made = "S-" + made
    return made + "-" + hashlib.sha256(name.encode()).hexdigest()[:6]


def is_component_character(character: str) -> bool:
    return character != ":" and beancount_account.is_valid("Assets:A" + character)


def refuse(why: str) -> NoReturn:
    raise Refusal(why)


# Reading directives

SHAPES: dict[str, list[list[tuple[str, type]]]] = {
    "subscription": [[("subscriber", str), ("plan", str)]],
    "cancellation": [[("subscriber", str), ("plan", str)]],
    "allocation": [
        [("subscriber", str), ("units", Amount), ("paid", Amount)],
        [("subscriber", str), ("plan", str)],
    ],
    "grant": [[("subscriber", str), ("units", Amount)]],
    "consumption": [[("subscriber", str), ("units", Amount)]],
    "trade": [
        [("subscriber", str), ("counterparty", str), ("units", Amount), ("price", Amount)],
    ],
    "transfer": [[("subscriber", str), ("counterparty", str), ("units", Amount)]],
    "spend": [[("subscriber", str), ("counterparty", str), ("units", Amount), ("paid", Amount)]],
    "refund": [[("subscriber", str), ("units", Amount)]],
    "reversal": [[("reverses", str)]],
    "assert": [
        [("figure", str), ("paid", Amount)],
        [("figure", str), ("subscriber", str), ("paid", Amount)],
    ],
}
FIGURES = {
    "deferred-revenue",
    "allocations",
    "tokens",
    "revenue",
    "breakage",
    "fees",
    "partner-income",
    "overage",
}
PLAN_KEYS = {"every", "unused", "mint-rate", "expires", "token-expires", "overage"}


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
    if wanted is str and isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if wanted is datetime.date and isinstance(value, datetime.date):
        return value
    refuse(f"{key}: {value!r} is not a {wanted.__name__}")


def read_event(entry: data.Custom, kind: str) -> Event:
    """The event that a `custom` directive tells."""
    values = entry.values or []
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
    known = {"id", "time"}
    if kind == "subscription":
        known.add("started")
    if kind == "grant" or (kind == "allocation" and "plan" not in found):
        known.add("expires")
    check_keys(keys, known)
    if "id" in keys:
        found["id"] = typed(keys["id"], str, "id")
    if "time" in keys:
        found["time"] = parse_time(typed(keys["time"], str, "time"))
    if "started" in keys:
        found["started"] = typed(keys["started"], datetime.date, "started")
    if "expires" in keys:
        found["expires"] = parse_expires(keys["expires"])
    return Event(place_of(entry.meta), kind, entry.date, **found)


def take_value(found: dict[str, Any], name: str, value: Any) -> None:
    if not isinstance(value, Amount):
        found[name] = value
        return
    found[name] = value.number
    found["commodity" if name == "units" else "currency"] = value.currency


def read_plan(entry: data.Custom) -> Plan:
    values = entry.values or []
    if [v.dtype for v in values] != [str, Amount, Amount]:
        refuse("compute-plan takes a name, a price and units")
    name = typed(values[0].value, str, "plan")
    price, units = (typed(v.value, Amount, "plan") for v in values[1:])
    if not re.fullmatch(r"[A-Za-z0-9_.-]+( +[A-Za-z0-9_.-]+)*", name):
        refuse(f"{name!r} is no plan name")
    if name in ("top-up", "grant"):
        refuse(f"{name!r} is taken")
    if price.number < 0 or units.number <= 0:
        refuse("a plan has units and no negative price")
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
    if "mint-rate" in keys:
        found["mint_rate"] = fraction_of_one(keys["mint-rate"], "mint-rate")
    if "overage" in keys:
        overage = typed(keys["overage"], Amount, "overage")
        if overage.number <= 0:
            refuse("overage is not positive")
        found["overage"] = (overage.number, overage.currency)
    where = place_of(entry.meta)
    return Plan(
        where, name, entry.date, price.number, price.currency, units.number, units.currency, **found
    )


def fraction_of_one(value: object, key: str) -> Decimal:
    number: Decimal = typed(value, Decimal, key)
    if not 0 <= number <= 1:
        refuse(f"{key} {number} is outside 0..1")
    return number


# Reading event files


def read_cells(cells: dict[str, Any], place: Place) -> Event:
    """The event that a row tells."""
    found: dict[str, Any] = {}
    for key in ("subscriber", "counterparty", "plan", "commodity", "currency", "memo", "id"):
        if cells.get(key):
            found[key] = unicodedata.normalize("NFC", cells[key])
    if cells.get("reverses"):
        found["reverses"] = unicodedata.normalize("NFC", cells["reverses"])
    for key in ("units", "price", "paid"):
        if cells.get(key):
            found[key] = parse_number(cells[key])
    if cells.get("time"):
        found["time"] = parse_time(cells["time"])
    if cells.get("started"):
        found["started"] = parse_day(cells["started"])
    if cells.get("expires"):
        found["expires"] = parse_expires(cells["expires"])
    kind = cells.get("event", "")
    if kind not in SHAPES or kind == "assert":
        refuse(f"{kind!r} is no event")
    if not cells.get("date"):
        refuse("no date")
    event = Event(place, kind, parse_day(cells["date"]), **found)
    check_filled(event)
    return event


def check_filled(event: Event) -> None:
    """A row must have the cells of one shape of its event, and no others."""
    optional = {"memo", "id", "time", "date", "kind", "figure"}
    if event.kind == "subscription":
        optional.add("started")
    if event.kind == "grant" or (event.kind == "allocation" and event.plan is None):
        optional.add("expires")
    filled = {n for n in EVENT_FIELDS if getattr(event, n) is not None} - optional
    for shape in SHAPES[event.kind]:
        wanted = {name for name, _ in shape}
        if "units" in wanted:
            wanted.add("commodity")
        if wanted & {"paid", "price"}:
            wanted.add("currency")
        if filled == wanted:
            return
    refuse(f"{event.kind} takes other columns than {', '.join(sorted(filled))}")


def parse_number(text: str) -> Decimal:
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
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
    unknown = [c for c in header if c not in COLUMNS and not c.startswith("x_")]
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
        self.errors: set[tuple[str, int]] = set()
        self.messages: list[str] = []
        self.events: list[Event] = []
        self.plans: list[Plan] = []
        self.options: dict[str, list[tuple[Day, Any]]] = defaultdict(list)
        self.fixed: dict[str, Any] = {}
        self.accounts: dict[str, str] = {}
        self.subscribers: list[tuple[Day, str, str, Place]] = []
        self.files_read: set[Path] = set()
        self.load(path)

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
                self.guarded(place_of(entry.meta), self.read_directive, entry)
        for entry in customs:
            if entry.type == "compute-events":
                self.guarded(place_of(entry.meta), self.read_files, entry)
        self.check_shared_accounts(customs)

    def error(self, place: Place, why: object) -> None:
        self.errors.add((place.file, place.line))
        self.messages.append(f"{place.file}:{place.line}: {why}")

    def guarded(self, place: Place, function: Any, *arguments: Any) -> bool:
        try:
            function(*arguments)
        except Refusal as why:
            self.error(place, why)
            return False
        return True

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
        else:
            refuse(f"unknown type {entry.type}")

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
            "minimum-fee": lambda v: typed(v, Amount, name),
            "draw-down": lambda v: one_of(v, DRAW_DOWNS),
            "unit-cost": lambda v: typed(v, Amount, name),
            "cost-step": power_of_ten,
            "posting-grain": lambda v: one_of(v, ("event", "day", "month")),
            "as-of": lambda v: typed(v, datetime.date, name),
        }
        if name not in readers:
            refuse(f"unknown option {name!r}")
        value = readers[name](value)
        if name in ("cost-step", "posting-grain", "as-of"):
            if self.fixed.setdefault(name, value) != value:
                refuse(f"{name} has another value elsewhere")
            return
        if name == "minimum-fee":
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
        chosen = {r: t for r, t, _ in getattr(self, "chosen", [])}
        if chosen.get(role, template) != template:
            refuse(f"{role} has another account elsewhere")
        self.chosen = [*getattr(self, "chosen", []), (role, template, place_of(entry.meta))]
        self.accounts[role] = template

    def check_shared_accounts(self, customs: list[Any]) -> None:
        """The pockets share their account with no other role."""
        for pocket in ("allocations", "tokens"):
            for role, template in list(self.accounts.items()):
                if role != pocket and template == self.accounts[pocket]:
                    for chosen, _, place in getattr(self, "chosen", []):
                        if chosen in (role, pocket):
                            self.error(place, f"{role} and {pocket} share {template}")

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

    def read_file(self, path: Path, place: Place) -> None:
        rows = read_parquet(path, place) if path.suffix == ".parquet" else read_csv(path)
        for row_place, cells in rows:
            if isinstance(cells, Refusal):
                self.error(row_place, cells)
                continue
            try:
                self.events.append(read_cells(cells, row_place))
            except Refusal as why:
                self.error(row_place, why)


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
    if role in ("allocations", "tokens", "revenue", "breakage", "overage"):
        allowed.add("{plan}")
    if role == "partner":
        allowed.add("{partner}")
    sample = template
    for name in allowed:
        sample = sample.replace(name, "X")
    if not beancount_account.is_valid(sample):
        refuse(f"{template} is no account")
    if role in ("allocations", "tokens") and "{subscriber}" not in template:
        refuse(f"{role} needs {{subscriber}}")


# The books


class Books:
    """Who holds what, and everything booked, day by day."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.held: dict[tuple[str, str], dict[Lot, Decimal]] = defaultdict(dict)
        self.journal: list[Transaction] = []
        self.pending: dict[str, Transaction] = {}
        self.booked: dict[str, list[Leg]] = {}  # event id -> its legs
        self.overage_keys: dict[str, list[tuple[Any, Decimal, Decimal]]] = {}
        self.reversed: set[str] = set()
        self.subscriptions: list[Subscription] = []
        self.single_ends: list[tuple[Day, str | None]] = []  # of periods without a subscription
        self.known: dict[str, str] = {}  # subscriber -> component
        self.overage_due: dict[Any, Decimal] = defaultdict(Decimal)
        self.overage_booked: dict[Any, Decimal] = defaultdict(Decimal)
        self.trades: list[Event] = []
        self.aliases: dict[tuple[str, int], tuple[str, int]] = {}
        self.found: dict[tuple[str, int], Decimal] = {}
        self.bad_plans: set[Place] = set()
        self.as_of = datetime.date.min
        self.check_subscriber_directives()
        self.check_plans()
        self.events = self.standing_events()
        self.openings, self.reductions = self.hand_written()

    # Before the first day

    def check_subscriber_directives(self) -> None:
        """A directive may not take the natural component of another name without one."""
        chosen = {name for _, name, _, _ in self.reading.subscribers}
        natural = {
            component(e.subscriber): e.subscriber
            for e in self.reading.events
            if e.subscriber and e.subscriber not in chosen
        }
        for entry in list(self.reading.subscribers):
            if entry[2] in natural:
                self.reading.error(entry[3], f"{entry[2]} is {natural[entry[2]]}")
                self.reading.subscribers.remove(entry)

    def check_plans(self) -> None:
        for plan in self.reading.plans:
            try:
                self.split(money(plan.price, plan.currency), plan.units, plan.currency)
            except Refusal as why:
                self.reading.error(plan.place, why)
                self.bad_plans.add(plan.place)

    def split(self, paid: Decimal, units: Decimal, currency: str) -> list[tuple[Decimal, Decimal]]:
        return split_cost(paid, units, currency, self.reading.fixed.get("cost-step"))

    def standing_events(self) -> list[Event]:
        """The events that count: none behind a gap, one of each id; and the as-of day."""
        option = self.reading.fixed.get("as-of")
        limit = FAR
        days = sorted({e.date for e in self.reading.events})
        for day, following in itertools.pairwise(days):
            reached = option is not None and option >= following
            if limit == FAR and following > add_months(day, 24) and not reached:
                limit = following
        near = [e for e in self.reading.events if e.date < limit]
        for event in self.reading.events:
            if event.date >= limit:
                self.reading.error(event.place, "check the year, or set as-of")
        counting = [e.date for e in near if e.kind != "cancellation"]
        self.as_of = max([*counting, option or datetime.date.min], default=datetime.date.min)
        return self.merged(near)

    def merged(self, events: list[Event]) -> list[Event]:
        """Same id and same content is one event; other content is an error."""
        first: dict[str, Event] = {}
        standing: list[Event] = []
        contents: dict[Any, Event] = {}
        for event in sorted(events, key=lambda e: (e.date, phase(e), e.order())):
            twin = contents.setdefault(event.content(), event)
            self.aliases[event.place] = twin.place
            if event.id is None:
                standing.append(event)
            elif event.id not in first:
                first[event.id] = event
                standing.append(event)
            elif first[event.id].content() != event.content():
                self.reading.error(event.place, f"id {event.id} is also at {first[event.id].place}")
        return standing

    def hand_written(
        self,
    ) -> tuple[list[tuple[Day, str, str, Any]], list[tuple[Day, str, str, Any, Place]]]:
        """Opening lots and other hand-written pocket postings."""
        openings, reductions = [], []
        for entry in self.reading.entries:
            if not isinstance(entry, data.Transaction):
                continue
            written: list[Any] = entry.postings
            for posting in written:
                holder = self.holder_of(posting.account)
                if holder is None:
                    continue
                place = place_of(posting.meta if posting.meta else entry.meta)
                self.aliases[place] = place_of(entry.meta)
                opening = "compute-opening" in (entry.tags or ())
                if opening and posting.cost and posting.units.number < 0:
                    openings.append((entry.date, *holder, posting))
                else:
                    reductions.append((entry.date, *holder, posting, place_of(entry.meta)))
        return openings, reductions

    def holder_of(self, account: str) -> tuple[str, str] | None:
        """(subscriber, pocket) of an account, if it is one of a pocket."""
        for pocket in ("allocations", "tokens"):
            pattern = re.escape(self.reading.accounts[pocket])
            pattern = pattern.replace(r"\{subscriber\}", "(?P<subscriber>[^:]+)", 1)
            pattern = pattern.replace(r"\{subscriber\}", "(?P=subscriber)")
            pattern = pattern.replace(r"\{plan\}", "[^:]+")
            match = re.fullmatch(pattern, account)
            if match:
                return self.name_of(match["subscriber"]), pocket
        return None

    def name_of(self, held_by: str) -> str:
        for _, name, chosen, _ in self.reading.subscribers:
            if chosen == held_by:
                return name
        names = [e.subscriber for e in self.reading.events if e.subscriber]
        names += [
            e.counterparty
            for e in self.reading.events
            if e.counterparty and e.kind in ("trade", "transfer")
        ]
        for name in sorted(set(names)):
            if self.component_of(name) == held_by:
                return name
        return held_by

    def component_of(self, name: str) -> str:
        for _, other, chosen, _ in self.reading.subscribers:
            if other == name:
                return chosen
        return component(name)

    # The days

    def run(self) -> None:
        dates = {e.date for e in self.events} | {d for d, *_ in self.openings}
        dates |= {d for d, *_ in self.reductions} | {d for d, *_ in self.reading.subscribers}
        if not dates:
            return
        day = min(dates)
        last = max(*dates, self.as_of)
        while day <= last:
            self.run_day(day)
            if day == FAR:
                break
            day += datetime.timedelta(days=1)

    def run_day(self, day: Day) -> None:
        today = sorted((e for e in self.events if e.date == day), key=Event.order)
        self.each(today, ("assert",), self.check_assertion)
        for date, name, chosen, _ in self.reading.subscribers:
            if date == day:
                self.known[name] = chosen
        for date, holder, pocket, posting in self.openings:
            if date == day:
                self.open_lot(holder, pocket, posting)
        if day <= self.as_of:
            self.end_periods(day)
            self.end_lots(day)
        self.each(today, ("cancellation",), self.cancel)
        self.each(today, ("subscription", "allocation", "grant"), self.allocate)
        if day <= self.as_of:
            self.start_periods(day)
        self.each(today, ("trade", "transfer", "spend"), self.move)
        self.each(today, ("consumption",), self.consume)
        self.each(today, ("refund", "reversal"), self.give_back)
        for date, holder, pocket, posting, place in self.reductions:
            if date == day:
                self.reading.guarded(place, self.reduce_by_hand, holder, pocket, posting)

    def each(self, events: list[Event], kinds: tuple[str, ...], function: Any) -> None:
        for event in events:
            if event.kind in kinds:
                self.reading.guarded(event.place, function, event)

    # Holdings

    def change(self, holder: str, pocket: str, lot: Lot, units: Decimal) -> None:
        lots = self.held[holder, pocket]
        lots[lot] = lots.get(lot, ZERO) + units
        assert lots[lot] >= 0
        if lots[lot] == 0:
            del lots[lot]

    def draw(
        self, event: Event, pocket: str, wanted: Decimal, paid_only: bool = False
    ) -> list[tuple[str, Lot, Decimal]]:
        """(pocket, lot, units) of what leaves a pocket, in the draw-down order of the day."""
        assert event.subscriber is not None
        lots = [
            (lot, units)
            for lot, units in self.held[event.subscriber, pocket].items()
            if lot.commodity == event.commodity and (lot.cost > 0 or not paid_only)
        ]
        order = self.option("draw-down", event.date, "expiry")
        drawn = []
        for lot, units in sorted(lots, key=lambda held: draw_key(order, held[0])):
            taken = min(units, wanted)
            if taken > 0:
                drawn.append((pocket, lot, taken))
                wanted -= taken
        return drawn

    def option(self, name: str, day: Day, default: Any) -> Any:
        values = [(date, value) for date, value in self.reading.options[name] if date <= day]
        return max(values, key=lambda v: v[0])[1] if values else default

    def plan_terms(self, name: str | None, day: Day) -> Plan | None:
        """The terms in force; before the first ones, the first ones."""
        versions = sorted((p for p in self.reading.plans if p.name == name), key=lambda p: p.date)
        in_force = [p for p in versions if p.date <= day]
        if in_force:
            return in_force[-1]
        return versions[0] if versions else None

    def plan_known(self, name: str | None, day: Day) -> Plan:
        if not any(p.name == name and p.date <= day for p in self.reading.plans):
            refuse(f"unknown plan {name!r}")
        plan = self.plan_terms(name, day)
        assert plan is not None
        return plan

    # Booking

    def book(self, day: Day, why: str, legs: list[Leg]) -> None:
        """Apply lots and keep the transaction; it must sum to exactly zero."""
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for leg in legs:
            currency, weight = leg.weight()
            sums[currency] += weight
            if leg.lot is not None:
                self.change(leg.subscriber, leg.role, leg.lot, -leg.number)
        assert not any(sums.values()), (why, legs)
        self.journal.append(Transaction(day, why, [leg for leg in legs if leg.number != 0]))

    def keep(self, event_id: str | None, legs: list[Leg]) -> None:
        if event_id is not None:
            self.booked[event_id] = legs

    def touch(self, *holders: str | None) -> None:
        """Something happened to them: merged consumption ends here."""
        for holder in holders:
            self.pending.pop(holder or "", None)

    # Opening lots and hand-written postings

    def open_lot(self, holder: str, pocket: str, posting: Any) -> None:
        self.known.setdefault(holder, self.component_of(holder))
        self.change(holder, pocket, lot_of(posting), -posting.units.number)
        self.touch(holder)

    def reduce_by_hand(self, holder: str, pocket: str, posting: Any) -> None:
        if posting.cost is None:
            refuse("a pocket posting without its lot")
        lot = lot_of(posting)
        units = posting.units.number
        if not 0 < units <= self.held[holder, pocket].get(lot, ZERO):
            refuse(f"no such open lot; {holder} holds {dict(self.held[holder, pocket])}")
        self.change(holder, pocket, lot, -units)
        self.touch(holder)

    # Period ends, expiries

    def end_periods(self, day: Day) -> None:
        for subscription in self.subscriptions:
            if subscription.last_end == day:
                self.touch(subscription.event.subscriber)
        for end, holder in self.single_ends:
            if end == day:
                self.touch(holder)

    def end_lots(self, day: Day) -> None:
        """Everything whose end has come is minted or expires, until nothing is left to end."""
        ended = [
            (holder, pocket, lot)
            for (holder, pocket), lots in self.held.items()
            for lot in lots
            if lot.end is not None and lot.end <= day
        ]
        for holder, pocket, lot in ended:
            self.end_lot(day, holder, pocket, lot)
        if ended:
            self.end_lots(day)

    def end_lot(self, day: Day, holder: str, pocket: str, lot: Lot) -> None:
        units = self.held[holder, pocket][lot]
        plan = self.plan_terms(lot.origin, lot.date)
        minted = ZERO
        assert lot.end is not None
        if pocket == "allocations" and plan and plan.unused == "mint" and lot.cost > 0:
            minted = units * plan.mint_rate
            end = after(lot.end, plan.token_expires) if plan.token_expires else None
            legs = [
                Leg("allocations", minted, lot.commodity, holder, lot.origin, lot=lot),
                Leg(
                    "tokens", -minted, lot.commodity, holder, lot.origin, lot=lot._replace(end=end)
                ),
            ]
            if minted:
                self.book(day, "mint", legs)
        if units - minted:
            cost = (units - minted) * lot.cost
            legs = [
                Leg(pocket, units - minted, lot.commodity, holder, lot.origin, lot=lot),
                Leg("breakage", -cost, lot.currency, holder, lot.origin),
            ]
            self.book(day, "expiry", legs)
        self.touch(holder)

    # Allocations, subscriptions

    def introduce(self, name: str | None) -> None:
        """A name becomes known, unless its component is another's."""
        if not name:
            refuse("no subscriber")
        if name in self.known:
            return
        mine = self.component_of(name)
        others = [other for other, taken in self.known.items() if taken == mine]
        others += [n for _, n, taken, _ in self.reading.subscribers if taken == mine and n != name]
        if others:
            refuse(f"{name!r} and {others[0]!r} meet in {mine}; name one with compute-subscriber")
        self.known[name] = mine

    def cancel(self, event: Event) -> None:
        for subscription in self.subscriptions:
            same = (subscription.event.subscriber, subscription.event.plan)
            if same == (event.subscriber, event.plan) and subscription.cancelled is None:
                subscription.cancelled = event.date
                self.touch(event.subscriber)
                return
        refuse(f"{event.subscriber} has no subscription to {event.plan}")

    def allocate(self, event: Event) -> None:
        if event.kind == "subscription":
            self.subscribe(event)
        elif event.kind == "grant":
            self.grant(event)
        elif event.plan is not None:
            plan = self.plan_known(event.plan, event.date)
            if plan.place in self.bad_plans:
                refuse("the plan's cost can't be split")
            self.introduce(event.subscriber)
            end = after(event.date, plan.every)
            self.keep(event.id, self.allocate_plan(event.subscriber or "", plan, event.date, end))
            self.single_ends.append((end, event.subscriber))
        else:
            self.top_up(event)
        self.touch(event.subscriber)

    def subscribe(self, event: Event) -> None:
        self.plan_known(event.plan, event.date)
        for other in self.subscriptions:
            same = (other.event.subscriber, other.event.plan) == (event.subscriber, event.plan)
            if same and other.running(event.date):
                refuse(f"{event.subscriber} already is on {event.plan}")
        began = event.started or event.date
        if began > event.date:
            refuse("started after the subscription's own date")
        self.introduce(event.subscriber)
        self.subscriptions.append(Subscription(event, began, began, began.day))

    def start_periods(self, day: Day) -> None:
        for subscription in self.subscriptions:
            while subscription.next_start <= day and (
                subscription.cancelled is None or subscription.next_start < subscription.cancelled
            ):
                if subscription.periods == 1200:
                    self.reading.error(subscription.event.place, "more than 1,200 periods")
                    subscription.next_start = FAR
                    break
                self.start_period(subscription)

    def start_period(self, subscription: Subscription) -> None:
        event = subscription.event
        start = subscription.next_start
        plan = self.plan_terms(event.plan, start)
        assert plan is not None and event.subscriber is not None
        count, unit = plan.every
        if unit == "days":
            end = start + datetime.timedelta(days=count)
            subscription.anchor = end.day
        else:
            end = add_months(start, count, subscription.anchor)
        subscription.next_start = subscription.last_end = end
        subscription.periods += 1
        if start >= event.date and plan.place not in self.bad_plans:
            legs = self.allocate_plan(event.subscriber, plan, start, end)
            self.touch(event.subscriber)
            self.keep(f"{event.id}/{start.isoformat()}" if event.id else None, legs)

    def allocate_plan(self, holder: str, plan: Plan, start: Day, end: Day) -> list[Leg]:
        """One period of a plan; the lot carries its end, or with rollover its life's end."""
        lot_end: Day | None = end
        if plan.unused == "rollover":
            lot_end = after(start, plan.expires) if plan.expires else None
        paid = money(plan.price, plan.currency)
        parts = self.split(paid, plan.units, plan.currency)
        legs = [Leg("receivable", paid, plan.currency, holder, plan.name)]
        for units, cost in parts:
            lot = Lot(plan.commodity, cost, plan.currency, start, plan.name, lot_end)
            legs.append(Leg("allocations", -units, plan.commodity, holder, plan.name, lot=lot))
        self.book(start, "allocation", legs)
        return legs

    def top_up(self, event: Event) -> None:
        assert event.paid is not None and event.currency and event.commodity
        units = positive(event.units, "units")
        positive(event.paid, "payment")
        if event.currency == event.commodity:
            refuse("paid in the units bought")
        paid = positive(money(event.paid, event.currency), "rounded payment")
        parts = self.split(paid, units, event.currency)
        end = end_of(event.expires, event.date)
        self.introduce(event.subscriber)
        holder = event.subscriber or ""
        legs = [Leg("receivable", paid, event.currency, holder, "top-up")]
        for count, cost in parts:
            lot = Lot(event.commodity, cost, event.currency, event.date, "top-up", end)
            legs.append(Leg("tokens", -count, event.commodity, holder, "top-up", lot=lot))
        self.book(event.date, "top-up", legs)
        self.keep(event.id, legs)

    def grant(self, event: Event) -> None:
        units = positive(event.units, "units")
        currencies = self.reading.beancount_options["operating_currency"]
        if not currencies:
            refuse("a grant needs an operating currency")
        end = end_of(event.expires, event.date)
        self.introduce(event.subscriber)
        assert event.commodity is not None
        lot = Lot(event.commodity, ZERO, currencies[0], event.date, "grant", end)
        holder = event.subscriber or ""
        legs = [Leg("allocations", -units, event.commodity, holder, "grant", lot=lot)]
        self.book(event.date, "grant", legs)
        self.keep(event.id, legs)

    # The market

    def check_known(self, *names: str | None) -> None:
        for name in names:
            if name not in self.known:
                refuse(f"unknown subscriber {name!r}")

    def taken_tokens(self, event: Event) -> list[tuple[str, Lot, Decimal]]:
        units = positive(event.units, "units")
        drawn = self.draw(event, "tokens", units)
        if sum(d[2] for d in drawn) < units:
            refuse(f"{event.subscriber} does not hold {units} tokens")
        return drawn

    def move(self, event: Event) -> None:
        self.check_known(event.subscriber)
        if event.kind == "spend":
            legs = self.spend(event)
        else:
            self.check_known(event.counterparty)
            if event.subscriber == event.counterparty:
                refuse("both sides are the same")
            drawn = self.taken_tokens(event)
            legs = self.fees_and_gross(event) if event.kind == "trade" else []
            for _, lot, units in drawn:
                for name, number in ((event.subscriber, units), (event.counterparty, -units)):
                    holder = name or ""
                    legs.append(Leg("tokens", number, lot.commodity, holder, lot.origin, lot=lot))
            self.touch(event.counterparty)
            if event.kind == "trade":
                self.trades.append(event)
        self.touch(event.subscriber)
        self.book(event.date, event.kind, legs)
        self.keep(event.id, legs)

    def fees_and_gross(self, event: Event) -> list[Leg]:
        currency, seller, buyer = event.currency, event.subscriber, event.counterparty
        assert currency and seller and buyer and event.units
        if currency == event.commodity:
            refuse("a price in the units traded")
        gross = money(event.units * positive(event.price, "price"), currency)
        positive(gross, "rounded gross")
        seller_fee = self.fee("seller-fee", gross, event)
        buyer_fee = self.fee("buyer-fee", gross, event)
        return [
            Leg("receivable", gross + buyer_fee, currency, buyer),
            Leg("payable", seller_fee - gross, currency, seller),
            Leg("fees", -seller_fee, currency, seller),
            Leg("fees", -buyer_fee, currency, buyer),
        ]

    def fee(self, side: str, gross: Decimal, event: Event) -> Decimal:
        rate: Decimal = self.option(side, event.date, ZERO)
        if rate == 0:
            return ZERO
        assert event.currency is not None
        least: Decimal = self.option(f"minimum-fee {event.currency}", event.date, ZERO)
        return min(gross, max(least, money(gross * rate, event.currency)))

    def spend(self, event: Event) -> list[Leg]:
        assert event.currency and event.subscriber and event.counterparty
        positive(event.paid, "settlement")
        if event.currency == event.commodity:
            refuse("a settlement in the units spent")
        settled = positive(money(event.paid or ZERO, event.currency), "rounded settlement")
        drawn = self.taken_tokens(event)
        who: dict[str, Any] = {"subscriber": event.subscriber, "partner": event.counterparty}
        legs = [
            Leg("tokens", units, lot.commodity, event.subscriber, lot.origin, lot=lot)
            for _, lot, units in drawn
        ]
        rest: dict[str, Decimal] = defaultdict(Decimal)
        for _, lot, units in drawn:
            rest[lot.currency] += units * lot.cost
        rest[event.currency] -= settled
        legs.append(Leg("partner", -settled, event.currency, **who))
        legs += [Leg("partner-income", -number, code, **who) for code, number in rest.items()]
        return legs

    # Consumption

    def consume(self, event: Event) -> None:
        self.check_known(event.subscriber)
        units = positive(event.units, "units")
        drawn = self.draw(event, "allocations", units)
        left = units - sum((d[2] for d in drawn), ZERO)
        drawn += self.draw(event, "tokens", left)
        left = units - sum((d[2] for d in drawn), ZERO)
        holder = event.subscriber or ""
        legs = []
        for pocket, lot, count in drawn:
            legs.append(Leg(pocket, count, lot.commodity, holder, lot.origin, lot=lot))
            legs.append(Leg("revenue", -count * lot.cost, lot.currency, holder, lot.origin))
        if left > 0:
            legs += self.overage(event, left)
        self.book(event.date, "consumption", legs)
        self.keep(event.id, legs)
        self.merge(event)

    def overage(self, event: Event, units: Decimal) -> list[Leg]:
        """Book the rounded running total less what is booked already."""
        running = [
            s
            for s in self.subscriptions
            if s.event.subscriber == event.subscriber
            and s.running(event.date)
            and self.terms_of(s, event.date).commodity == event.commodity
        ]
        if not running:
            refuse(f"{units} units beyond the holdings, and no subscription")
        running.sort(key=lambda s: s.event.plan or "")
        newest = max(running, key=lambda s: s.began)
        plan = self.terms_of(newest, event.date)
        if plan.overage is None:
            refuse(f"{units} units beyond the holdings, and {plan.name} has no overage")
        price, currency = plan.overage
        key = (event.subscriber, plan.name, event.date.year, event.date.month, currency)
        self.overage_due[key] += units * price
        booked = money(self.overage_due[key], currency) - self.overage_booked[key]
        self.overage_booked[key] += booked
        if event.id is not None:
            self.overage_keys[event.id] = [(key, units * price, booked)]
        holder = event.subscriber or ""
        return [
            Leg("receivable", booked, currency, holder, plan.name),
            Leg("overage", -booked, currency, holder, plan.name),
        ]

    def terms_of(self, subscription: Subscription, day: Day) -> Plan:
        plan = self.plan_terms(subscription.event.plan, day)
        assert plan is not None
        return plan

    def merge(self, event: Event) -> None:
        """Put the transaction just booked into the one that the grain says."""
        grain = self.reading.fixed.get("posting-grain", "event")
        holder = event.subscriber or ""
        new = self.journal[-1]
        open_one = self.pending.get(holder)
        if grain != "event" and open_one and same_grain(grain, open_one.date, event.date):
            open_one.legs.extend(new.legs)
            open_one.date = event.date
            self.journal.pop()
        else:
            self.pending[holder] = new

    # Refunds, reversals

    def give_back(self, event: Event) -> None:
        if event.kind == "refund":
            self.refund(event)
        else:
            self.reverse(event)

    def refund(self, event: Event) -> None:
        self.check_known(event.subscriber)
        units = positive(event.units, "units")
        drawn = self.draw(event, "tokens", units, paid_only=True)
        left = units - sum((d[2] for d in drawn), ZERO)
        drawn += self.draw(event, "allocations", left, paid_only=True)
        if sum(d[2] for d in drawn) < units:
            refuse(f"{event.subscriber} does not hold {units} paid units")
        holder = event.subscriber or ""
        costs: dict[str, Decimal] = defaultdict(Decimal)
        origins: dict[str, str] = {}
        legs = []
        for pocket, lot, count in drawn:
            legs.append(Leg(pocket, count, lot.commodity, holder, lot.origin, lot=lot))
            costs[lot.currency] += count * lot.cost
            origins.setdefault(lot.currency, lot.origin)
        for currency, cost in costs.items():
            back = money(cost, currency)
            legs.append(Leg("payable", -back, currency, holder))
            legs.append(Leg("revenue", back - cost, currency, holder, origins[currency]))
        self.touch(holder)
        self.book(event.date, "refund", legs)
        self.keep(event.id, legs)

    def reverse(self, event: Event) -> None:
        """The mirror image of what the event booked, if all of it is still there."""
        target = event.reverses or ""
        if target not in self.booked:
            refuse(f"{target} is no event that was booked and can be reversed")
        if target in self.reversed:
            refuse(f"{target} is reversed already")
        legs = [replace(leg, number=-leg.number) for leg in self.booked[target]]
        wanted: dict[tuple[str, str, Lot], Decimal] = defaultdict(Decimal)
        for leg in legs:
            if leg.lot is not None:
                wanted[leg.subscriber, leg.role, leg.lot] += leg.number
        for (holder, pocket, lot), units in wanted.items():
            if units > self.held[holder, pocket].get(lot, ZERO):
                refuse(f"{holder} no longer holds {units} of {lot}")
        self.reversed.add(target)
        for key, due, booked in self.overage_keys.get(target, []):
            self.overage_due[key] -= due
            self.overage_booked[key] -= booked
        self.touch(*(leg.subscriber for leg in legs))
        legs.sort(key=lambda leg: leg.number)
        self.book(event.date, "reversal", legs)
        self.end_lots(event.date)

    # Assertions

    def check_assertion(self, event: Event) -> None:
        currency, expected = event.currency, event.paid
        assert currency is not None and expected is not None and event.figure is not None
        if event.subscriber is not None:
            self.check_known(event.subscriber)
        found = self.figure(event.figure, event.subscriber, currency)
        step = Decimal(1).scaleb(int(expected.as_tuple().exponent))
        found = rounded(found, step)
        self.found[event.place] = found
        if event.subscriber:
            self.touch(event.subscriber)
        else:
            self.pending.clear()
        if found != expected:
            refuse(f"{event.figure}: expected {expected}, found {found}")

    def figure(self, name: str, subscriber: str | None, currency: str) -> Decimal:
        pockets = {"deferred-revenue": ("allocations", "tokens")}.get(name, (name,))
        total = ZERO
        for (holder, pocket), lots in self.held.items():
            if pocket in pockets and subscriber in (None, holder):
                for lot, units in lots.items():
                    if lot.currency == currency:
                        total += units * lot.cost
                    if lot.commodity == currency and name != "deferred-revenue":
                        total += units
        for leg in [leg for t in self.journal for leg in t.legs]:
            income = leg.role == name and name not in ("allocations", "tokens")
            if income and leg.currency == currency and subscriber in (None, leg.subscriber):
                total -= leg.number
        return total


def phase(event: Event) -> int:
    """The phase of a day that an event belongs to; assertions come first."""
    phases = {"assert": 0, "cancellation": 1}
    phases |= dict.fromkeys(("subscription", "allocation", "grant"), 2)
    phases |= dict.fromkeys(("trade", "transfer", "spend"), 3)
    phases |= {"consumption": 4, "refund": 5, "reversal": 5}
    return phases[event.kind]


def same_grain(grain: str, one: Day, other: Day) -> bool:
    return one == other if grain == "day" else (one.year, one.month) == (other.year, other.month)


def positive(number: Decimal | None, what: str) -> Decimal:
    if number is None or number <= 0:
        refuse(f"{what} {number} is not above zero")
    return number


def draw_key(order: str, lot: Lot) -> tuple[Any, ...]:
    end, age = lot.end or FAR, lot.date.toordinal()
    cost = (lot.currency, lot.cost)
    return {
        "expiry": (end, age, cost, lot.origin),
        "fifo": (age, end, cost, lot.origin),
        "lifo": (-age, end, cost, lot.origin),
        "hifo": ((lot.currency, -lot.cost), end, age, lot.origin),
        "lofo": (cost, end, age, lot.origin),
    }[order]


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


# The finished books


def account_of(books: Books, leg: Leg) -> str:
    account = books.reading.accounts[leg.role]
    account = account.replace("{subscriber}", books.known.get(leg.subscriber, "?"))
    account = account.replace("{partner}", component(leg.partner) if leg.partner else "?")
    return account.replace("{plan}", component(leg.origin) if leg.origin else "?")


def generated_postings(books: Books) -> list[Posting]:
    postings = []
    for transaction in books.journal:
        for leg in transaction.legs:
            lot = leg.lot
            cost = (lot.cost, lot.currency, lot.date, lot.label) if lot else None
            account = account_of(books, leg)
            postings.append(Posting(transaction.date, account, leg.number, leg.currency, cost))
    return postings


def loaded_postings(entries: list[Any]) -> list[Posting]:
    postings = []
    for entry in entries:
        written: list[Any] = entry.postings if isinstance(entry, data.Transaction) else []
        for posting in written:
            held = posting.cost
            cost = (held.number, held.currency, held.date, held.label) if held else None
            units = posting.units
            postings.append(
                Posting(entry.date, posting.account, units.number, units.currency, cost)
            )
    return postings


def balances_of(postings: list[Posting]) -> dict[tuple[Day, str, str], Decimal]:
    running: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    balances = {}
    for posting in sorted(postings, key=lambda p: p.date):
        running[posting.account, posting.currency] += posting.number
        key = (posting.date, posting.account, posting.currency)
        balances[key] = running[posting.account, posting.currency]
    return balances


def lots_of(
    postings: list[Posting],
) -> dict[tuple[str, str, Decimal, str, Day, str | None], Decimal]:
    lots: dict[tuple[str, str, Decimal, str, Day, str | None], Decimal] = defaultdict(Decimal)
    for posting in postings:
        if posting.cost is not None:
            lots[(posting.account, posting.currency, *posting.cost)] += posting.number
    return {key: units for key, units in lots.items() if units != 0}


def written_prices(entries: list[Any]) -> dict[tuple[Day, str, str], Decimal]:
    return {
        (e.date, e.currency, e.amount.currency): e.amount.number or ZERO
        for e in entries
        if isinstance(e, data.Price)
    }


def market_prices(books: Books) -> dict[tuple[Day, str, str], Decimal]:
    """The day's averages, weighted by units; the ledger's own prices win."""
    trades: dict[tuple[Day, str, str], list[Event]] = defaultdict(list)
    for trade in books.trades:
        assert trade.commodity and trade.currency
        trades[trade.date, trade.commodity, trade.currency].append(trade)
    prices = {}
    for key, events in trades.items():
        units = sum(Fraction(e.units or 0) for e in events)
        worth = Fraction(0) + sum(Fraction(e.units or 0) * Fraction(e.price or 0) for e in events)
        prices[key] = rounded(worth / Fraction(units), Decimal("0.000001"))
    return prices | written_prices(books.reading.entries)


def exact() -> Any:
    """Decimal arithmetic that never loses a digit without saying so."""
    traps = [decimal.Inexact, decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow]
    return decimal.localcontext(decimal.Context(prec=200, traps=traps))


def audit(path: Path | str) -> Audit:
    """What the books of this ledger must show."""
    with exact():
        reading = Reading(Path(path))
        books = Books(reading)
        books.run()
        postings = generated_postings(books) + loaded_postings(reading.entries)
        return Audit(
            balances_of(postings),
            lots_of(postings),
            market_prices(books),
            reading.errors,
            reading.messages,
            books.aliases,
            books.found,
        )


# The comparison


def carried(
    balances: dict[tuple[Day, str, str], Decimal], keys: set[tuple[Day, str, str]]
) -> dict[tuple[Day, str, str], Decimal]:
    """The balances on all these days; where nothing was booked, the one before."""
    running: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    found = {}
    for key in sorted(keys):
        running[key[1:]] = balances.get(key, running[key[1:]])
        found[key] = running[key[1:]]
    return found


def differing(what: str, ours: dict[Any, Decimal], theirs: dict[Any, Decimal]) -> list[str]:
    lines = []
    for key in sorted(set(ours) | set(theirs), key=str):
        if ours.get(key) != theirs.get(key):
            shown = " ".join(str(part) for part in key)
            lines.append(f"{what} {shown}: auditor {ours.get(key)}, plugin {theirs.get(key)}")
    return lines


def unbalanced(entries: list[Any]) -> list[str]:
    """Transactions of the plugin that do not sum to exactly zero."""
    lines = []
    for entry in entries:
        tags = getattr(entry, "tags", None) or ()
        if not any(t.startswith("compute-") and t != "compute-opening" for t in tags):
            continue
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for posting in entry.postings:
            units, cost = posting.units, posting.cost
            if cost is None:
                sums[units.currency] += units.number
            else:
                sums[cost.currency] += units.number * cost.number
        lines += [f"sum of {entry.date} {tags}: {n} {c}" for c, n in sums.items() if n != 0]
    return lines


def is_from_plugin(error: Any) -> bool:
    return type(error).__module__.startswith("beancount_compute")


def compare(ledger_path: Path | str) -> list[str]:
    """Every difference between the plugin's books and the auditor's."""
    ours = audit(ledger_path)
    entries, errors, _ = loader.load_file(str(ledger_path))
    reading = Reading(Path(ledger_path))
    expected = {(type(e).__name__, e.message) for e in reading.parse_errors}
    lines = []
    theirs_at: dict[tuple[str, int], str] = {}
    for error in errors:
        if is_from_plugin(error):
            place = (Path(error.source["filename"]).name, error.source["lineno"])
            theirs_at[ours.aliases.get(place, place)] = error.message
        elif (type(error).__name__, error.message) not in expected:
            lines.append(f"beancount says: {type(error).__name__} {error.message}")
    said = {m.split(": ", 1)[0]: m for m in ours.messages}
    ours_at = {ours.aliases.get(p, p): said[f"{p[0]}:{p[1]}"] for p in ours.errors}
    for place in sorted(set(ours_at) - set(theirs_at)):
        lines.append(f"error only of the auditor: {ours_at[place]}")
    for place in sorted(set(theirs_at) - set(ours_at)):
        lines.append(f"error only of the plugin: {place[0]}:{place[1]}: {theirs_at[place]}")
    with exact():
        postings = loaded_postings(entries)
        theirs = balances_of(postings)
        every = set(ours.balances) | set(theirs)
        lines += differing("balance", carried(ours.balances, every), carried(theirs, every))
        lines += differing("lot", ours.lots, lots_of(postings))
        lines += differing("price", ours.prices, written_prices(entries))
        lines += unbalanced(entries)
    return lines


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print("\n".join(compare(argument)) or f"{argument}: no difference")
