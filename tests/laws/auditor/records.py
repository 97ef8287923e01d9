"""What the auditor writes down, and the arithmetic of days and money: shared by its other files."""

from __future__ import annotations

import datetime
import decimal
import hashlib
import re
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple, NoReturn

from beancount.core import account as beancount_account

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


class Refusal(Exception):
    """Why something that a person wrote is not booked."""


def refuse(why: str) -> NoReturn:
    raise Refusal(why)


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
    meter: str | None = None
    quantity: Decimal | None = None
    first_day: Day | None = None
    last_day: Day | None = None
    figure: str | None = None  # assertions: what is asserted
    charge: Decimal | None = None  # a change: the invoice's own figures
    credit: Decimal | None = None
    discount: Decimal | None = None  # off the price of each period
    from_plan: str | None = None
    now: bool | None = None  # a cancellation at once
    of: str | None = None  # the event that this one is about
    unpaid: bool | None = None  # a refund of what was never paid
    void: bool | None = None  # the service ends, too

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
            self.meter,
            self.quantity,
            self.first_day,
            self.last_day,
        )
        later = [f"{name}={getattr(self, name)}" for name in LATER_FIELDS if self.says(name)]
        return (*tuple((0, 0) if v is None else (1, v) for v in values), later, self.place)

    def says(self, name: str) -> bool:
        return getattr(self, name) is not None


# They count last in the order of a step, and only where they are present.
LATER_FIELDS = ("charge", "credit", "discount", "from_plan", "now", "of", "unpaid", "void")
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
    since: Day | None = None  # from when the price holds for what was used already
    meter: str | None = None
    ssps: tuple[Decimal, Decimal] | None = None  # stand-alone prices, of access and of units
    even: bool = False  # access by even months
    bill: str = "use"  # when what is used is invoiced
    minimum: Decimal = ZERO  # what a period's use is charged at least
    refundable: bool = False  # what was paid can be had back on demand


@dataclass(frozen=True)
class Meter:
    """What is measured of uses from one day on, and what it costs."""

    place: Place
    name: str
    date: Day
    units: tuple[Decimal, str] | None = None
    per: Decimal = Decimal(1)
    cost: tuple[Decimal, str] | None = None
    provider: str = ""


@dataclass(frozen=True)
class Capacity:
    """What stands there from one day on, and how long it lasts: by months, or by units."""

    place: Place
    name: str
    date: Day
    cost: tuple[Decimal, str]
    provider: str
    months: int = 0
    quantity: tuple[Decimal, str] | None = None
    residual: Decimal = ZERO
    started: Day | None = None
    depreciated: Decimal = ZERO
    served: Decimal = ZERO


@dataclass
class Period:
    """A period of a subscription: what it gave, and what is charged in it."""

    start: Day
    end: Day
    whole: int  # days, by its terms
    plan: Plan  # the terms of its first day
    anchor: int  # the day of month on which its months begin
    gave: list[Leg] = field(default_factory=list)
    charged: Decimal = ZERO
    shortfall: Decimal | None = None  # once it is booked
    cut: bool = False  # it was cancelled at once
    due: Day | None = None  # and would have ended then


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
    discount: Decimal | None = None
    period: Period | None = None  # that of today, or the last one
    unbilled: dict[str, Decimal] = field(default_factory=dict)  # by currency
    invoices: int = 0  # how often what is unbilled was taken
    due: set[Day] = field(default_factory=set)  # the days on which changes are invoiced, at last

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


def out_of(holder: str, pocket: str, lot: Lot, number: Decimal, role: str) -> list[Leg]:
    """What of a lot goes at its cost to a role; none where it is nothing."""
    if not number:
        return []
    return [
        Leg(pocket, number, lot.commodity, holder, lot.origin, lot=lot),
        Leg(role, -number * lot.cost, lot.currency, holder, lot.origin),
    ]


@dataclass(frozen=True)
class HandPosting:
    """A hand-written posting on a pocket: units as written; None: it names no lot."""

    date: Day
    holder: str
    pocket: str
    lot: Lot | None
    units: Decimal
    place: Place


class Naming(NamedTuple):
    """The account component that a subscriber was given."""

    date: Day
    name: str
    component: str


@dataclass(frozen=True)
class Terms:
    """What was agreed: dated plans and options, and what holds for the whole ledger."""

    plans: list[Plan]
    options: dict[str, list[tuple[Day, Any]]]  # those with a date
    grain: str = "event"
    step: Decimal | None = None
    as_of: Day | None = None
    operating_currency: str | None = None
    meters: list[Meter] = field(default_factory=list)
    providers: set[str] = field(default_factory=set)  # whom any line of terms names
    beyond: list[tuple[Day, str, tuple[Decimal, str] | None]] = field(default_factory=list)
    money: set[str] = field(default_factory=set)
    capacities: list[Capacity] = field(default_factory=list)


@dataclass(frozen=True)
class Facts:
    """What happened, in any order."""

    events: list[Event]
    names: list[Naming] = field(default_factory=list)
    openings: list[HandPosting] = field(default_factory=list)
    reductions: list[HandPosting] = field(default_factory=list)
    # by the day of the opening: provider, meter, day served and currency, with what was accrued
    accruals: list[tuple[Day, tuple[str, str, Day, str], Decimal]] = field(default_factory=list)

    def component_of(self, name: str) -> str:
        for naming in self.names:
            if naming.name == name:
                return naming.component
        return component(name)


class Refusals:
    """The lines that are not booked, and why."""

    def __init__(self) -> None:
        self.places: set[tuple[str, int]] = set()
        self.messages: list[str] = []

    def add(self, place: Place, why: object) -> None:
        self.places.add((place.file, place.line))
        self.messages.append(f"{place.file}:{place.line}: {why}")

    def guarded(self, place: Place, function: Any, *arguments: Any) -> None:
        try:
            function(*arguments)
        except Refusal as why:
            self.add(place, why)


@dataclass
class Transaction:
    """Legs that sum to zero, and the day on which they are booked."""

    date: Day
    why: str
    legs: list[Leg]
    measured: Any = None  # the meter of uses, and whether they say no quantity
    owing: str | None = None  # the plan of uses that are counted for an invoice or a minimum
    undoes: str | None = None  # a reversal: the kind of what it undoes


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


@cache
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


def exact() -> Any:
    """Decimal arithmetic that never loses a digit without saying so."""
    traps = [decimal.Inexact, decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow]
    return decimal.localcontext(decimal.Context(prec=200, traps=traps))
