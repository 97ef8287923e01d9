"""Options and keys of plans, a row each: how it is read, written, and what rests on it.

    2026-01-01 custom "compute-option" "seller-fee" 0.05
    2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
      unused: "mint"

A row is all that there is to an option: reading, freezing, comparing and printing follow from it.
What can't be read raises `Refused`, which says what to write instead.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, NamedTuple, TypeVar
from unicodedata import normalize
from zoneinfo import ZoneInfo

from beancount_compute.economy.kinds import Kind
from beancount_compute.economy.months import Span, parse_span
from beancount_compute.economy.refusals import Refused
from beancount_compute.economy.rounding import (
    ZERO,
    decimals_of,
    is_power_of_ten,
    minor_unit,
    round_money,
    trim,
)
from beancount_compute.economy.words import amount, like, quoted

MOST_LATE_MONTHS = 120
T = TypeVar("T")
Chosen = TypeVar("Chosen", bound=StrEnum)


class Unused(StrEnum):
    """What becomes of the units that a period leaves unused."""

    EXPIRE = "expire"
    ROLLOVER = "rollover"
    MINT = "mint"


class DrawDown(StrEnum):
    """Which lot goes first."""

    EXPIRY = "expiry"
    FIFO = "fifo"
    LIFO = "lifo"
    HIFO = "hifo"
    LOFO = "lofo"


class Grain(StrEnum):
    """How much consumption of a subscriber one transaction may hold."""

    EVENT = "event"
    DAY = "day"
    MONTH = "month"


class Money(NamedTuple):
    """An amount of a currency."""

    number: Decimal
    currency: str


class Holds(StrEnum):
    """The type of a value, in the words of a message."""

    NUMBER = "number"
    AMOUNT = "amount"
    TEXT = "text"
    DATE = "date"


class Option(NamedTuple, Generic[T]):
    """What a `compute-option` line may set. Values are Decimals, `Money`, texts or dates."""

    name: str
    holds: Holds
    example: str
    parse: Callable[[Any], T]  # of a value of that type
    write: Callable[[T], str]  # as a ledger writes it
    default: T  # where no line sets it
    meaning: str
    used_by: frozenset[Kind] = frozenset()  # the entries that rest on it
    whole_ledger: bool = False  # holds whatever its date
    by_currency: bool = False  # one value for each currency


class TermKey(NamedTuple):
    """What a line of terms, such as `compute-plan`, may say in its metadata."""

    name: str
    field: str  # of `terms.Plan`, or of whatever the line states: there is its default
    holds: Holds
    example: str
    parse: Callable[[Any], Any]
    write: Callable[[Any], str]
    meaning: str
    used_by: frozenset[Kind] = frozenset()  # the entries that rest on it
    needs: Unused | None = None  # what `unused` must be for it to mean anything; None for any


def text_written(text: str) -> str:
    """A text that needs no escapes, in quotes."""
    return f'"{text}"'


def money_written(money: Money) -> str:
    """An amount with the decimals of its currency at least."""
    return f"{trim(money.number, decimals_of(money.currency)):f} {money.currency}"


def _plain(number: Decimal) -> str:
    return f"{number:f}"


def _fraction(name: str, hint: str) -> Callable[[Decimal], Decimal]:
    def parse(rate: Decimal) -> Decimal:
        if not 0 <= rate <= 1:
            raise Refused(f"{name} {rate:f} is outside 0 to 1: {hint}")
        return rate

    return parse


def _choice(kind: type[Chosen], what: str) -> Callable[[str], Chosen]:
    def parse(text: str) -> Chosen:
        return chosen(kind, text, what)

    return parse


def chosen(kind: type[Chosen], text: str, what: str) -> Chosen:
    """The member of an enumeration that a text names."""
    try:
        return kind(text)
    except ValueError:
        choices = ", ".join(f'"{each}"' for each in kind)
        meant = like(text, list(kind))
        raise Refused(f"{what} {quoted(text)} is unknown: write one of {choices}{meant}") from None


def life_of(text: str) -> Span:
    """How long something lasts: "month", "quarter", "year", "N months" or "N days"."""
    span = parse_span(text)
    if span is None:
        raise Refused(
            f"{quoted(text)} is not a span of time: write "
            '"month", "quarter", "year", "N months" or "N days"'
        )
    return span


def not_below_zero(name: str) -> Callable[[Money], Money]:
    """What reads an amount of that name."""

    def parse(money: Money) -> Money:
        if money.number < 0:
            raise Refused(f"{name} {amount(*money)} is below zero: write 0 or more")
        return money

    return parse


def _minimum_fee(fee: Money) -> Money:
    fee = not_below_zero("minimum-fee")(fee)
    if fee.number != round_money(fee.number, fee.currency):
        raise Refused(
            f"minimum-fee {amount(*fee)} is finer than the minor unit "
            f"{amount(minor_unit(fee.currency), fee.currency)}: write at least that"
        )
    return fee


def _cost_step(step: Decimal) -> Decimal:
    if not is_power_of_ten(step):
        raise Refused(f"cost-step {step:f} is not a power of ten, such as 0.000001")
    return step


def _price_band(factor: Decimal) -> Decimal:
    if factor <= 1:
        raise Refused(f"price-band {factor:f} is not above 1: write a factor, such as 3")
    return factor


def _days(days: Decimal) -> Decimal:
    if days < 0 or days % 1:
        raise Refused(f"wash-days {days:f} is no number of days: write one, such as 7")
    return days


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Refused(
            f"time-zone {quoted(name)} is unknown: write one of the IANA time zones, such as "
            '"Europe/Berlin" or "UTC"'
        ) from None
    return name


def _late_months(number: Decimal) -> int:
    if number != int(number) or not 0 <= number <= MOST_LATE_MONTHS:
        raise Refused(
            f"late-months {number:f} is no whole number from 0 to {MOST_LATE_MONTHS}: write how "
            "many months back an event of a closed month may lie, such as 12"
        )
    return int(number)


def _overage(price: Money) -> Money:
    if price.number <= 0:
        raise Refused(
            f"`overage` {amount(*price)} is not above zero: leave it out, and use "
            "beyond the holdings is an error"
        )
    return price


def _meter_name(name: str) -> str:
    if not name.strip():
        raise Refused("the name of a meter is empty: write one that a compute-meter line names")
    return normalize("NFC", name.strip())


def _or(write: Callable[[Any], str], absent: str) -> Callable[[Any], str]:
    return lambda value: text_written(absent) if value is None else write(value)


_DRAWS = frozenset([Kind.CONSUMPTION, Kind.TRADE, Kind.TRANSFER, Kind.SPEND, Kind.REFUND])
_TRADES = frozenset([Kind.TRADE])
_OF_GROSS = "it is a fraction of the gross, 5 % is written 0.05"

SELLER_FEE: Option[Decimal] = Option(
    "seller-fee",
    Holds.NUMBER,
    "a fraction, such as 0.05",
    _fraction("seller-fee", _OF_GROSS),
    _plain,
    ZERO,
    "fraction of a trade's gross that the seller pays, 0 to 1",
    _TRADES,
)
BUYER_FEE: Option[Decimal] = Option(
    "buyer-fee",
    Holds.NUMBER,
    "a fraction, such as 0.01",
    _fraction("buyer-fee", _OF_GROSS),
    _plain,
    ZERO,
    "fraction of a trade's gross that the buyer pays, 0 to 1",
    _TRADES,
)
MINIMUM_FEE: Option[Money | None] = Option(
    "minimum-fee",
    Holds.AMOUNT,
    "an amount, such as 0.10 USD",
    _minimum_fee,
    _or(money_written, "none"),
    None,
    "least fee of each side whose rate is above zero; one per currency",
    _TRADES,
    by_currency=True,
)
DRAW_DOWN: Option[DrawDown] = Option(
    "draw-down",
    Holds.TEXT,
    'an order in quotes, such as "fifo"',
    _choice(DrawDown, "draw-down"),
    text_written,
    DrawDown.EXPIRY,
    "which lot goes first",
    _DRAWS,
)
UNIT_COST: Option[Money | None] = Option(
    "unit-cost",
    Holds.AMOUNT,
    "an amount, such as 0.04 USD",
    not_below_zero("unit-cost"),
    _or(money_written, "none"),
    None,
    "what a used unit costs to serve: for reports, never booked",
)
COST_STEP: Option[Decimal | None] = Option(
    "cost-step",
    Holds.NUMBER,
    "a number, such as 0.000001",
    _cost_step,
    _or(_plain, "default"),
    None,
    "smallest step of a unit cost, a power of ten",
    frozenset([Kind.ALLOCATION]),
    whole_ledger=True,
)
POSTING_GRAIN: Option[Grain] = Option(
    "posting-grain",
    Holds.TEXT,
    'a grain in quotes, such as "day"',
    _choice(Grain, "posting-grain"),
    text_written,
    Grain.EVENT,
    "how much consumption of a subscriber one transaction may hold",
    frozenset([Kind.CONSUMPTION]),
    whole_ledger=True,
)
AS_OF: Option[date | None] = Option(
    "as-of",
    Holds.DATE,
    "a date, such as 2026-06-30",
    lambda day: day,
    _or(str, "none"),
    None,
    "derived entries at least up to this day",
    whole_ledger=True,
)
TIME_ZONE: Option[str] = Option(
    "time-zone",
    Holds.TEXT,
    'a zone in quotes, such as "Europe/Berlin"',
    _time_zone,
    text_written,
    "UTC",
    "where days begin: times of event files with a zone of their own are read in it",
    whole_ledger=True,
)
METER: Option[str] = Option(
    "meter",
    Holds.TEXT,
    'a meter in quotes, such as "chat/output"',
    _meter_name,
    text_written,
    "",
    "the meter of uses that name none, of those in its unit; a plan's own wins",
)
PRICE_BAND: Option[Decimal] = Option(
    "price-band",
    Holds.NUMBER,
    "a factor, such as 3",
    _price_band,
    _plain,
    Decimal(3),
    "how far a trade's price may be from the median of the 30 days before: for the review",
)
WASH_DAYS: Option[Decimal] = Option(
    "wash-days",
    Holds.NUMBER,
    "a number of days, such as 7",
    _days,
    _plain,
    Decimal(7),
    "within how many days units that come back to their seller are told: for the review",
)
LATE_MONTHS: Option[int] = Option(
    "late-months",
    Holds.NUMBER,
    "a number, such as 12",
    _late_months,
    str,
    12,
    "how many months before its booking an event of a closed month may have occurred",
)
OPTIONS: dict[str, Option[Any]] = {
    option.name: option
    for option in (
        SELLER_FEE,
        BUYER_FEE,
        MINIMUM_FEE,
        DRAW_DOWN,
        UNIT_COST,
        COST_STEP,
        POSTING_GRAIN,
        AS_OF,
        TIME_ZONE,
        METER,
        PRICE_BAND,
        WASH_DAYS,
        LATE_MONTHS,
    )
}

_PERIODS = frozenset([Kind.ALLOCATION])
_ENDS = frozenset([Kind.MINT, Kind.EXPIRY])
PLAN_KEYS: dict[str, TermKey] = {
    key.name: key
    for key in (
        TermKey(
            "every",
            "every",
            Holds.TEXT,
            '"month"',
            life_of,
            lambda span: text_written(str(span)),
            'length of a period: "month", "quarter", "year", "N months", "N days"',
            _PERIODS,
        ),
        TermKey(
            "unused",
            "unused",
            Holds.TEXT,
            '"mint"',
            _choice(Unused, "`unused`"),
            text_written,
            'what is left at a period\'s end: "expire", "rollover" or "mint"',
            _PERIODS | _ENDS,
        ),
        TermKey(
            "mint-rate",
            "mint_rate",
            Holds.NUMBER,
            "0.5",
            _fraction("`mint-rate`", "write a fraction, such as 0.5"),
            _plain,
            "fraction of each unused lot that is minted, 0 to 1; the rest lapses",
            _ENDS,
            Unused.MINT,
        ),
        TermKey(
            "expires",
            "expires",
            Holds.TEXT,
            '"12 months"',
            life_of,
            lambda span: text_written(str(span)),
            "with rollover: life of a lot, counted from its allocation",
            _PERIODS,
            Unused.ROLLOVER,
        ),
        TermKey(
            "token-expires",
            "token_expires",
            Holds.TEXT,
            '"12 months"',
            life_of,
            lambda span: text_written(str(span)),
            "life of minted tokens, counted from the mint",
            _ENDS,
            Unused.MINT,
        ),
        TermKey(
            "overage",
            "overage",
            Holds.AMOUNT,
            "0.30 USD",
            _overage,
            money_written,
            "price per unit of use beyond the holdings; absent: such use is an error",
            frozenset([Kind.CONSUMPTION]),
        ),
        TermKey(
            "meter",
            "meter",
            Holds.TEXT,
            '"chat/output"',
            _meter_name,
            text_written,
            "the meter of uses that name none, of subscribers on the plan",
        ),
    )
}
