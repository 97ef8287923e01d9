"""The values of options and of keys of plans: how they are read, checked and written.

    "mint"  ->  Unused.MINT        0.05  ->  0.05, as it is no more than 1
    "12 months"  ->  Span(12, 0)   1.50 USD  ->  Money(1.50, "USD")

What can't be read raises `Refused`, which says what to write instead.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar
from unicodedata import normalize
from zoneinfo import ZoneInfo

from beancount_compute.economy.months import Span, parse_span
from beancount_compute.economy.refusals import Refused
from beancount_compute.economy.rounding import (
    decimals_of,
    is_power_of_ten,
    minor_unit,
    round_money,
    trim,
)
from beancount_compute.economy.words import amount, like, quoted

MOST_LATE_MONTHS = 120
Chosen = TypeVar("Chosen", bound=StrEnum)


class Unused(StrEnum):
    """What becomes of the units that a period leaves unused."""

    EXPIRE = "expire"
    ROLLOVER = "rollover"
    MINT = "mint"


class AccessBy(StrEnum):
    """How access is earned over a period."""

    DAY = "day"
    EVEN_MONTH = "even-month"


class BilledBy(StrEnum):
    """When what a subscription is charged beyond its holdings is invoiced."""

    USE = "use"  # at once
    PERIOD = "period"  # behind each period
    MONTH = "month"  # by the month of the period


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


class ScaleTarget(StrEnum):
    """What a `compute-scale` line multiplies."""

    PLAN_PRICE = "plan-price"
    TRADE_PRICE = "trade-price"
    COST = "cost"
    USE = "use"


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
    FLAG = "TRUE or FALSE"


def text_written(text: str) -> str:
    """A text that needs no escapes, in quotes."""
    return f'"{text}"'


def money_written(money: Money) -> str:
    """An amount with the decimals of its currency at least."""
    return f"{trim(money.number, decimals_of(money.currency)):f} {money.currency}"


def flag_written(flag: bool) -> str:
    """Yes or no, as Beancount writes it."""
    return "TRUE" if flag else "FALSE"


def number_written(number: Decimal) -> str:
    """A number without an exponent."""
    return f"{number:f}"


def fraction(name: str, hint: str) -> Callable[[Decimal], Decimal]:
    """What reads a fraction of that name; `hint` says what it is one of."""

    def parse(rate: Decimal) -> Decimal:
        if not 0 <= rate <= 1:
            raise Refused(f"{name} {rate:f} is outside 0 to 1: {hint}")
        return rate

    return parse


def choice(kind: type[Chosen], what: str) -> Callable[[str], Chosen]:
    """What reads a member of an enumeration."""

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


def whole_fee(name: str) -> Callable[[Money], Money]:
    """What reads a fee of that name, which the minor unit of its currency can hold."""

    def parse(fee: Money) -> Money:
        fee = not_below_zero(name)(fee)
        if fee.number != round_money(fee.number, fee.currency):
            raise Refused(
                f"{name} {amount(*fee)} is finer than the minor unit "
                f"{amount(minor_unit(fee.currency), fee.currency)}: round it to that"
            )
        return fee

    return parse


def cost_step(step: Decimal) -> Decimal:
    """The step of unit costs: a power of ten."""
    if not is_power_of_ten(step):
        raise Refused(f"cost-step {step:f} is not a power of ten, such as 0.000001")
    return step


def price_band(factor: Decimal) -> Decimal:
    """A factor above 1."""
    if factor <= 1:
        raise Refused(f"price-band {factor:f} is not above 1: write a factor, such as 3")
    return factor


def wash_days(days: Decimal) -> Decimal:
    """A number of days."""
    if days < 0 or days % 1:
        raise Refused(f"wash-days {days:f} is no number of days: write one, such as 7")
    return days


def time_zone(name: str) -> str:
    """A time zone that the machine knows."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Refused(
            f"time-zone {quoted(name)} is unknown: write one of the IANA time zones, such as "
            '"Europe/Berlin" or "UTC"'
        ) from None
    return name


def late_months(number: Decimal) -> int:
    """How many months back an event may lie."""
    if number != int(number) or not 0 <= number <= MOST_LATE_MONTHS:
        raise Refused(
            f"late-months {number:f} is no whole number from 0 to {MOST_LATE_MONTHS}: write how "
            "many months back an event of a closed month may lie, such as 12"
        )
    return int(number)


def selling_price(name: str) -> Callable[[Money], Money]:
    """What reads a stand-alone selling price of that name."""

    def parse(price: Money) -> Money:
        if price.number <= 0:
            raise Refused(
                f"`{name}` {amount(*price)} is not above zero: write for what it sells by itself"
            )
        return price

    return parse


def overage_price(price: Money) -> Money:
    """A price above zero."""
    if price.number <= 0:
        raise Refused(
            f"`overage` {amount(*price)} is not above zero: leave it out, and use "
            "beyond the holdings is an error"
        )
    return price


def meter_name(name: str) -> str:
    """A meter's name, in one spelling."""
    if not name.strip():
        raise Refused("the name of a meter is empty: write one that a compute-meter line names")
    return normalize("NFC", name.strip())


def or_absent(write: Callable[[Any], str], absent: str) -> Callable[[Any], str]:
    """What writes a value that may be absent."""
    return lambda value: text_written(absent) if value is None else write(value)
