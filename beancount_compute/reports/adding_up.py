"""The facts of all subscribers together: alike ones of a day, added up.

2026-05-20  used  alice  0.20 USD, 2026-05-01, "pro"  -200 CU
2026-05-20  used  bob    0.20 USD, 2026-05-01, "pro"  -300 CU   ->   used  "pro" ...  -500 CU

What tells no subscriber is folded from a fraction of the facts then. The sums of a day are few, and
quickly found among themselves. Sums need the context `WIDE`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from beancount_compute.reports.facts import SUMMED, Income, Movement

_new = tuple.__new__
_Sums = dict[tuple[Any, ...], list[Any]]  # the first that is alike, and its figures added up


def movements_added_up(movements: Iterable[Movement]) -> Iterator[Movement]:
    """The movements of each day, lot and pocket, in order of date; none has a subscriber."""
    for sums in _sums_of_movements(movements):
        for first, units, amount in sums.values():
            currency, lot, undoes = first.currency, first.lot, first.undoes
            figures = (units, currency, amount, lot, "", SUMMED, undoes)
            yield _new(Movement, (*first[:3], "", *first[4:7], *figures))


def _sums_of_movements(movements: Iterable[Movement]) -> Iterator[_Sums]:
    today: date | None = None
    sums: _Sums = {}
    for movement in movements:
        day, _, flow, _, pocket, _, commodity, units, _, amount, lot, _, _, _ = movement
        if not units:
            continue  # a posting of nothing
        if day != today:
            yield sums
            today, sums = day, {}
        key = (flow, pocket, commodity, id(lot))
        known = sums.get(key)
        if known is None:
            sums[key] = [movement, units, amount]
        else:
            known[1] += units
            known[2] += amount
    yield sums


def incomes_added_up(incomes: Iterable[Income]) -> Iterator[Income]:
    """The incomes of each day, kind and lot, in order of date; none has a subscriber."""
    for sums in _sums_of_incomes(incomes):
        for first, amount in sums.values():
            yield _new(Income, (*first[:3], "", *first[4:6], amount, first.lot, SUMMED, *first[9:]))


def _sums_of_incomes(incomes: Iterable[Income]) -> Iterator[_Sums]:
    today: date | None = None
    sums: _Sums = {}
    for income in incomes:
        day, _, earning, _, origin, currency, amount, lot, _, _, kind = income
        if day != today:
            yield sums
            today, sums = day, {}
        key = (earning, origin, currency, id(lot), kind)
        known = sums.get(key)
        if known is None:
            sums[key] = [income, amount]
        else:
            known[1] += amount
    yield sums
