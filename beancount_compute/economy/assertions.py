"""Assertions: figures of the books that must hold at the beginning of a day, as `balance` does.

    2026-06-21 custom "compute-assert" "deferred-revenue" 280.00 USD
    2026-06-21 custom "compute-assert" "tokens" "alice" 300 CU
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from beancount_compute.economy.engine import Books
from beancount_compute.economy.events import Place
from beancount_compute.economy.journal import Leg, LotLeg, Role
from beancount_compute.economy.lots import Lot, Pocket
from beancount_compute.economy.rounding import WIDE, ZERO, round_half_even
from beancount_compute.economy.state import Refusal
from beancount_compute.economy.words import quoted


class Figure(StrEnum):
    """What can be asserted. The pockets in units or at cost, income as a positive number."""

    DEFERRED_REVENUE = "deferred-revenue"
    ALLOCATIONS = "allocations"
    TOKENS = "tokens"
    REVENUE = "revenue"
    BREAKAGE = "breakage"
    FEES = "fees"
    PARTNER_INCOME = "partner-income"
    OVERAGE = "overage"


POCKETS = {
    Figure.DEFERRED_REVENUE: (Pocket.ALLOCATIONS, Pocket.TOKENS),
    Figure.ALLOCATIONS: (Pocket.ALLOCATIONS,),
    Figure.TOKENS: (Pocket.TOKENS,),
}


class Assertion(NamedTuple):
    """What a figure must be at the beginning of a day, to the digits written."""

    date: date
    figure: Figure
    subscriber: str  # "" for all
    number: Decimal
    currency: str  # or the commodity, for units
    place: Place


_Totals = dict[tuple[str, str, str], Decimal]  # by figure, subscriber ("" for all) and currency


def check_assertions(books: Books, assertions: Iterable[Assertion]) -> list[Refusal]:
    """The assertions that fail, with what was expected and found, and the difference."""
    assertions = sorted(assertions, key=lambda each: each.date)
    if not assertions:
        return []
    failed: list[Refusal] = []
    totals: _Totals = {}
    dated = iter(_dated_legs(books))
    following = next(dated, None)
    for assertion in assertions:
        while following is not None and following[0] < assertion.date:
            for leg in following[1]:
                _add(totals, leg)
            following = next(dated, None)
        name = (assertion.figure.value, assertion.subscriber, assertion.currency)
        found = totals.get(name, ZERO)
        step = Decimal(1).scaleb(min(0, int(assertion.number.as_tuple().exponent)))
        rounded = round_half_even(found, step)
        if rounded != assertion.number:
            failed.append(Refusal(assertion.place, _failure(assertion, found, rounded)))
    return failed


def _failure(assertion: Assertion, found: Decimal, rounded: Decimal) -> str:
    whose = f" of {quoted(assertion.subscriber)}" if assertion.subscriber else ""
    exact = "" if found == rounded else f" (exactly {found:f})"
    return (
        f"assertion fails: {assertion.figure}{whose} at the beginning of {assertion.date}: "
        f"expected {assertion.number:f}, found {rounded:f} {assertion.currency}{exact}, "
        f"difference {WIDE.subtract(rounded, assertion.number):f}"
    )


def _dated_legs(books: Books) -> list[tuple[date, list[Leg]]]:
    dated: list[tuple[date, list[Leg]]] = [(entry.date, entry.legs) for entry in books.journal]
    dated += [(each.date, [LotLeg(each.lot, -each.units)]) for each in books.openings]
    dated += [(each.date, [LotLeg(each.lot, each.units)]) for each in books.removals]
    return sorted(dated, key=lambda each: each[0])


def _add(totals: _Totals, leg: Leg) -> None:
    if isinstance(leg, LotLeg):
        lot = leg.lot
        for figure, pockets in POCKETS.items():
            if lot.pocket in pockets:
                _count(totals, figure, lot.holder, lot.commodity, -leg.units)
                _count(totals, figure, lot.holder, lot.currency, _carrying_amount(lot, leg.units))
    elif leg.role in _INCOME:
        _count(totals, _INCOME[leg.role], leg.holder, leg.currency, -leg.number)


_INCOME: dict[Role, Figure] = {
    Role.REVENUE: Figure.REVENUE,
    Role.BREAKAGE: Figure.BREAKAGE,
    Role.FEES: Figure.FEES,
    Role.PARTNER_INCOME: Figure.PARTNER_INCOME,
    Role.OVERAGE: Figure.OVERAGE,
}


def _carrying_amount(lot: Lot, units: Decimal) -> Decimal:
    return WIDE.multiply(-units, lot.cost)


def _count(
    totals: _Totals, figure: Figure, subscriber: str, currency: str, number: Decimal
) -> None:
    for whose in ("", subscriber):
        name = (figure.value, whose, currency)
        totals[name] = WIDE.add(totals.get(name, ZERO), number)
