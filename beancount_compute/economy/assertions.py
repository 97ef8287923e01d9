"""Assertions: figures of the books that must hold at the beginning of a day, as `balance` does.

2026-06-21 custom "compute-assert" "deferred-revenue" 280.00 USD
2026-06-21 custom "compute-assert" "tokens" "alice" 300 CU
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from beancount_compute.economy.inputs import Assertion
from beancount_compute.economy.journal import Leg, LotLeg
from beancount_compute.economy.roles import CONTRA, EARNINGS, POCKETS, STOCK, Role
from beancount_compute.economy.rounding import WIDE, ZERO, round_half_even, trim
from beancount_compute.economy.words import quoted

DEFERRED_REVENUE = "deferred-revenue"
# what can be asserted: the pockets in units or at cost, income as a positive number and so what
# was taken back of it, and what was charged and not invoiced for yet
FIGURES = (DEFERRED_REVENUE, *POCKETS, *EARNINGS, Role.UNBILLED)


class Totals:
    """Every figure to date, of all and of each subscriber, in each currency and commodity."""

    def __init__(self) -> None:
        self._figures: dict[tuple[str, str, str], Decimal] = {}

    def add(self, legs: Iterable[Leg]) -> None:
        """Count the legs of an entry, or of a hand-written posting that took effect."""
        for leg in legs:
            if isinstance(leg, LotLeg):
                if leg.lot.pocket is STOCK:
                    continue
                lot, units = leg.lot, -leg.units
                cost = WIDE.multiply(units, lot.cost)
                for figure in (DEFERRED_REVENUE, lot.pocket.value):
                    self._count(figure, lot.holder, lot.commodity, units)
                    self._count(figure, lot.holder, lot.currency, cost)
            elif leg.role in EARNINGS:
                number = leg.number if leg.role in CONTRA else -leg.number
                self._count(leg.role.value, leg.holder, leg.currency, number)
            elif leg.role is Role.UNBILLED:
                self._count(leg.role.value, leg.holder, leg.currency, leg.number)

    def add_figure(self, figure: str, currency: str, number: Decimal) -> None:
        """Count a figure of all subscribers together, which was added up elsewhere."""
        name = (figure, "", currency)
        self._figures[name] = WIDE.add(self._figures.get(name, ZERO), number)

    def check(self, assertion: Assertion) -> str:
        """What to say of an assertion that fails; "" where it holds."""
        name = (assertion.figure, assertion.subscriber, assertion.currency)
        found = self._figures.get(name, ZERO)
        step = Decimal(1).scaleb(min(0, int(assertion.number.as_tuple().exponent)))
        rounded = round_half_even(found, step)
        return "" if rounded == assertion.number else _failure(assertion, found, rounded)

    def _count(self, figure: str, subscriber: str, currency: str, number: Decimal) -> None:
        for whose in ("", subscriber):
            name = (figure, whose, currency)
            self._figures[name] = WIDE.add(self._figures.get(name, ZERO), number)


def _failure(assertion: Assertion, found: Decimal, rounded: Decimal) -> str:
    whose = f" of {quoted(assertion.subscriber)}" if assertion.subscriber else ""
    exact = "" if found == rounded else f" (exactly {trim(found, 0):f})"
    return (
        f"assertion fails: {assertion.figure}{whose} at the beginning of {assertion.date}: "
        f"expected {assertion.number:f} {assertion.currency}, "
        f"found {rounded:f} {assertion.currency}{exact}, "
        f"difference {WIDE.subtract(rounded, assertion.number):f}"
    )
