"""Capacity: what stands there whether it is used or not, and how its cost goes to the months.

    2026-06-01 custom "compute-capacity" "gpu" 4800.00 USD
      provider: "llama"
      life: "48 months"                ->  100.00 USD on 2026-06-30, 2026-07-31, ...
    2026-06-01 custom "compute-capacity" "rack" 6000.00 USD
      provider: "llama"
      quantity: 60000 CU               ->  0.10 USD for each that llama's meters served in the month

Under each line of a name the cost that is left goes to the months of its life in equal shares, or
by the units that it has served of all that it will, rounded on the running total.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from beancount_compute.economy.events import NOWHERE, Place
from beancount_compute.economy.meters import parse_provider
from beancount_compute.economy.months import Month, Span
from beancount_compute.economy.options import TermKey
from beancount_compute.economy.refusals import Refused
from beancount_compute.economy.rounding import WIDE, ZERO, minor_unit, round_money
from beancount_compute.economy.term_values import (
    Holds,
    Money,
    life_of,
    money_written,
    not_below_zero,
    text_written,
)
from beancount_compute.economy.words import amount, quoted

MOST_MONTHS = 1200


class Capacity(NamedTuple):
    """What some capacity cost, and how long it lasts from a day on: by months, or by units."""

    name: str
    since: date
    cost: Money  # in all
    provider: str  # whose meters it serves
    life: Span | None  # None where it lasts by units
    quantity: Money | None = None  # of units of compute that it will serve
    residual: Money | None = None  # what it is worth then
    can_serve: Money | None = None  # units of compute a month
    started: date | None = None  # the earlier day from which this life counts
    depreciated: Money | None = None  # before the life of its first line
    served: Money | None = None  # of the quantity, before the first line
    place: Place = NOWHERE

    @property
    def to_depreciate(self) -> Decimal:
        """What all its lines together depreciate, in the currency of the cost."""
        return WIDE.subtract(self.cost.number, self.residual.number if self.residual else ZERO)

    def gone_of(self, month: Month, served: Decimal) -> tuple[Decimal, Decimal]:
        """What of its life is over when a month ends, and all of it: months, or units."""
        if self.quantity is not None:
            return max(ZERO, min(served, self.quantity.number)), self.quantity.number
        assert self.life is not None
        begun = month.ordinal - Month.of(self.started or self.since).ordinal + 1
        return Decimal(max(0, min(begun, self.life.months))), Decimal(self.life.months)

    def depreciation_until(self, month: Month, before: Decimal, served: Decimal) -> Decimal:
        """What is depreciated when a month ends.

        `before` was when this line took over, and `served` are the units since then.
        """
        left = WIDE.subtract(self.to_depreciate, before)
        gone, of = self.gone_of(month, served)
        if left <= 0:
            return before
        if gone < of:
            left = round_money(WIDE.divide(WIDE.multiply(left, gone), of), self.cost.currency)
        return WIDE.add(before, left)

    def ends_with(self, month: Month) -> bool:
        """Whether no share comes behind a month by itself: of units some must be served."""
        gone, of = self.gone_of(month, ZERO)
        return self.life is None or gone == of


class Depreciation(NamedTuple):
    """How far a capacity is depreciated."""

    first: date  # of its first line
    since: date  # of the line under which it is
    before: Decimal  # what was when that one took over
    so_far: Decimal
    currency: str
    served: Decimal = ZERO  # units since then, up to the last month's end
    pending: Decimal = ZERO  # and in the running month


def opening_depreciation(first: Capacity) -> Depreciation:
    """How far a capacity is depreciated before its first line: what no books have to show."""
    before = first.depreciated.number if first.depreciated else ZERO
    served = first.served.number if first.served else ZERO
    so_far = before
    if first.started is not None or served:
        so_far = first.depreciation_until(Month.of(first.since).previous, before, served)
    return Depreciation(first.since, first.since, before, so_far, first.cost.currency, served)


def of_minor_units(name: str) -> Callable[[Money], Money]:
    """What reads an amount of that name, of the accounts and so not below their smallest unit."""
    at_least_zero = not_below_zero(name)

    def parse(money: Money) -> Money:
        at_least_zero(money)
        if money.number != round_money(money.number, money.currency):
            least = amount(minor_unit(money.currency), money.currency)
            raise Refused(
                f"{name} {amount(*money)} is finer than the minor unit {least}: write whole ones"
            )
        return money

    return parse


def _life(text: str) -> Span:
    span = life_of(text)
    if not span.months:
        raise Refused(f'`life` {quoted(text)} is not in months: write them, such as "48 months"')
    if span.months > MOST_MONTHS:
        raise Refused(f"`life` {quoted(text)} is more than {MOST_MONTHS:,} months: write fewer")
    return span


def _above_zero(name: str, what: str) -> Callable[[Money], Money]:
    def parse(units: Money) -> Money:
        if units.number <= 0:
            raise Refused(f"{name} {amount(*units)} is not above zero: write {what}")
        return units

    return parse


def _units_written(units: Money) -> str:
    return amount(*units)


CAPACITY_KEYS: dict[str, TermKey] = {
    key.name: key
    for key in (
        TermKey(
            "provider",
            "provider",
            Holds.TEXT,
            '"own"',
            parse_provider,
            text_written,
            "whose meters it serves",
        ),
        TermKey(
            "life",
            "life",
            Holds.TEXT,
            '"48 months"',
            _life,
            lambda span: text_written(str(span)),
            "the months to which its cost goes, in equal shares",
        ),
        TermKey(
            "quantity",
            "quantity",
            Holds.AMOUNT,
            "60000 CU",
            _above_zero("`quantity`", "what it will serve in its life"),
            _units_written,
            "the units that it will serve, by which its cost goes to the months",
        ),
        TermKey(
            "residual",
            "residual",
            Holds.AMOUNT,
            "500.00 USD",
            of_minor_units("`residual`"),
            money_written,
            "what it is worth at the end, which is not depreciated",
        ),
        TermKey(
            "can-serve",
            "can_serve",
            Holds.AMOUNT,
            "500 CU",
            _above_zero("`can-serve`", "what it can serve in a month"),
            _units_written,
            "what it can serve in a month",
        ),
        TermKey(
            "started",
            "started",
            Holds.DATE,
            "2025-11-15",
            lambda day: day,
            str,
            "the earlier day from which the life of the first line counts",
        ),
        TermKey(
            "depreciated",
            "depreciated",
            Holds.AMOUNT,
            "700.00 USD",
            of_minor_units("`depreciated`"),
            money_written,
            "what was depreciated before the life of the first line",
        ),
        TermKey(
            "served",
            "served",
            Holds.AMOUNT,
            "1200 CU",
            _above_zero("`served`", "what of the quantity was served before, or leave it out"),
            _units_written,
            "the units of the quantity that were served before the first line",
        ),
    )
}
