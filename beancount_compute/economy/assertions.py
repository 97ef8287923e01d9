"""Assertions: figures of the books that must hold at the beginning of a day, as `balance` does.

2026-06-21 custom "compute-assert" "deferred-revenue" 280.00 USD
2026-06-21 custom "compute-assert" "tokens" "alice" 300 CU
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from beancount_compute.economy.facts import Assertion, Figure, HandPosting
from beancount_compute.economy.journal import JournalEntry, Leg, LotLeg, Role
from beancount_compute.economy.lots import Lot, Pocket
from beancount_compute.economy.rounding import WIDE, ZERO, round_half_even
from beancount_compute.economy.state import Refusal
from beancount_compute.economy.words import quoted

POCKETS = {
    Figure.DEFERRED_REVENUE: (Pocket.ALLOCATIONS, Pocket.TOKENS),
    Figure.ALLOCATIONS: (Pocket.ALLOCATIONS,),
    Figure.TOKENS: (Pocket.TOKENS,),
}


_Totals = dict[tuple[str, str, str], Decimal]  # by figure, subscriber ("" for all) and currency


def check_assertions(
    assertions: Iterable[Assertion],
    journal: Iterable[JournalEntry],
    openings: Iterable[HandPosting],
    removals: Iterable[HandPosting],
) -> list[Refusal]:
    """The assertions that fail, with what was expected and found, and the difference."""
    dated: list[tuple[date, list[Leg]]] = [(entry.date, entry.legs) for entry in journal]
    dated += [(each.date, [LotLeg(each.lot, -each.units)]) for each in openings]
    dated += [(each.date, [LotLeg(each.lot, each.units)]) for each in removals]
    dated.sort(key=lambda each: each[0])
    failed: list[Refusal] = []
    totals: _Totals = {}
    done = 0
    for assertion in sorted(assertions, key=lambda each: each.date):
        while done < len(dated) and dated[done][0] < assertion.date:
            for leg in dated[done][1]:
                _add(totals, leg)
            done += 1
        found = totals.get((assertion.figure, assertion.subscriber, assertion.currency), ZERO)
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
        name = (figure, whose, currency)
        totals[name] = WIDE.add(totals.get(name, ZERO), number)
