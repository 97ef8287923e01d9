"""Meters and providers: what is measured of a use, what that takes, what it costs, who serves it.

    2026-01-01 custom "compute-meter" "chat/output"
      units: 12 CU                        ; what `per` of it takes from the subscriber
      per: 1000000
      cost: 10.00 USD                     ; what `per` of it costs to serve
      provider: "openai"                  ; to whom that is owed
    2026-01-01 custom "compute-quote" "chat/output" "llama" 2.00 USD

Who serves a meter, and for how much, is a dated line like any other: uses, units and prices stay.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import NamedTuple
from unicodedata import normalize

from beancount_compute.economy.events import NOWHERE, Place
from beancount_compute.economy.options import TermKey
from beancount_compute.economy.refusals import Refused
from beancount_compute.economy.rounding import (
    MOST_DIGITS,
    WIDE,
    has_few_digits,
    is_power_of_ten,
    trim,
)
from beancount_compute.economy.term_values import (
    Holds,
    Money,
    money_written,
    not_below_zero,
    text_written,
)
from beancount_compute.economy.words import amount, quoted

_NAME = re.compile(r"[\w./:+-]+(?: +[\w./:+-]+)*")


_PROVIDER = re.compile(r"[\w.-]+(?: +[\w.-]+)*")


class Meter(NamedTuple):
    """What is measured of uses, from a day on."""

    name: str
    since: date
    units: Money | None = None  # of compute, that `per` of it takes; None where uses say them
    per: Decimal = Decimal(1)
    cost: Money | None = None  # that `per` of it costs to serve
    provider: str = ""
    source: str = ""  # where the cost is from
    place: Place = NOWHERE

    def units_of(self, quantity: Decimal) -> Money:
        """The units that a quantity takes, exact."""
        if self.units is None:
            raise Refused(
                f"meter {quoted(self.name)} of {self.since} has no `units`: write them there, or "
                "beside the quantity"
            )
        taken, commodity = WIDE.multiply(quantity, self.units.number), self.units.currency
        taken = trim(taken.scaleb(-self.per.adjusted(), WIDE), 0)
        if not has_few_digits(taken):
            raise Refused(
                f"{amount(quantity, quoted(self.name))} take {amount(taken, commodity)}, of more "
                f"than {MOST_DIGITS} digits: write a quantity of fewer"
            )
        return Money(taken, commodity)


class Provider(NamedTuple):
    """Who serves meters, from a day on."""

    name: str
    since: date
    beyond: Money | None = None  # a credit's price where the prepaid ones are used up
    place: Place = NOWHERE


class Quote(NamedTuple):
    """What another provider would ask for a meter: compared, never booked."""

    meter: str
    provider: str
    since: date
    cost: Money  # of the meter's `per`
    place: Place = NOWHERE


MOST_OF_A_NAME = 200


def parse_term_name(text: str) -> str:
    """The name of a meter."""
    return _named(text, _NAME, "can't be a name here: write letters, digits, - _ . / : + and")


def parse_provider(text: str) -> str:
    """The name of a provider, which stands in the labels of its credits."""
    return _named(text, _PROVIDER, "can't be a provider's name: write letters, digits, - _ . and")


def _named(text: str, pattern: re.Pattern[str], said: str) -> str:
    name = normalize("NFC", text.strip())
    if not pattern.fullmatch(name) or len(name) > MOST_OF_A_NAME:
        raise Refused(f"{quoted(text)} {said} inner spaces")
    return name


def _per(number: Decimal) -> Decimal:
    if not is_power_of_ten(number):
        raise Refused(f"`per` {number:f} is not a power of ten, such as 1000000")
    return number


def _units(units: Money) -> Money:
    if units.number <= 0:
        raise Refused(f"`units` {amount(*units)} is not above zero: write what `per` of it takes")
    return units


def _source(text: str) -> str:
    if not text.isprintable():
        raise Refused("`source` must be a text of one line")
    return text


def _source_written(text: str) -> str:
    return text_written(text.replace("\\", "\\\\").replace('"', '\\"'))


METER_KEYS: dict[str, TermKey] = {
    key.name: key
    for key in (
        TermKey(
            "units",
            "units",
            Holds.AMOUNT,
            "12 CU",
            _units,
            lambda units: amount(*units),
            "what `per` of it takes from the subscriber",
        ),
        TermKey(
            "per",
            "per",
            Holds.NUMBER,
            "1000000",
            _per,
            lambda number: f"{number:f}",
            "how much of it `units` and `cost` are for, a power of ten",
        ),
        TermKey(
            "cost",
            "cost",
            Holds.AMOUNT,
            "10.00 USD",
            not_below_zero("`cost`"),
            money_written,
            "what `per` of it costs to serve",
        ),
        TermKey(
            "provider",
            "provider",
            Holds.TEXT,
            '"openai"',
            parse_provider,
            text_written,
            "who serves it",
        ),
        TermKey(
            "source",
            "source",
            Holds.TEXT,
            '"price list of 1 January"',
            _source,
            _source_written,
            "where the cost is from, for readers",
        ),
    )
}
PROVIDER_KEYS: dict[str, TermKey] = {
    "beyond": TermKey(
        "beyond",
        "beyond",
        Holds.AMOUNT,
        "1.00 USD",
        not_below_zero("`beyond`"),
        money_written,
        "a credit's price where the prepaid ones are used up",
    )
}
