"""What remains to be delivered, by the last day on which it can be used, and by a forecast.

    alice's 200.00 of June, which become tokens on 1 July and end on 1 July 2027
        last day of use    2027-01-01 to 2027-06-30    200.00
        expected           2026-07-01 to 2026-09-30    100.00     ; if half of it is used in July
                           2027-07-01 to 2028-06-30    100.00     ; what is left when it ends

The bands are the next three, six, twelve and twenty-four months from a day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache

from beancount_compute.economy import (
    ZERO,
    Pocket,
    Span,
    Terms,
    Unused,
    decimals_of,
    later,
    minor_unit,
)
from beancount_compute.reports.facts import Movement
from beancount_compute.reports.release_pattern import BEYOND, Aged, project

YEAR = Span(12, 0)
_BANDS = (3, 6, 12, 24)  # months after the day
_ENDED, _NO_END, _NO_PATTERN = "ended, not yet booked", "without an end", "beyond the pattern"


def ends_of(moved: Movement, terms: Terms) -> Iterator[tuple[date | None, Decimal]]:
    """The first day on which an amount can no longer be used, also as the tokens it may become."""
    lot, amount = moved.lot, moved.amount
    plan = terms.plan_of_lot(lot.origin, lot.date) if moved.pocket is Pocket.ALLOCATIONS else None
    if plan is None or plan.unused is not Unused.MINT or lot.end is None:
        yield lot.end, amount
        return
    minted = amount * plan.mint_rate
    yield (later(lot.end, plan.token_expires) if plan.token_expires else None), minted
    if minted != amount:
        yield lot.end, amount - minted


@cache
def _bands(day: date) -> list[tuple[date, str]]:
    """The last day of each band of the future, and its name; names sort by time."""
    is_last = (day + timedelta(1)).day == 1
    found: list[tuple[date, str]] = []
    first = day + timedelta(1)
    for months in _BANDS:
        last = later(day, Span(months, 0), 31 if is_last else None)
        found.append((last, f"{first} to {last}"))
        first = last + timedelta(1)
    return [*found, (date.max, f"{first} and later")]


def band_of(end: date | None, day: date) -> str:
    """The band of the last day of use of what can't be used from `end` on."""
    if end is None:
        return _NO_END
    if end <= day:
        return _ENDED
    return next(name for last, name in _bands(day) if end - timedelta(1) <= last)


def expected(
    moved: Iterable[Movement], currency: str, terms: Terms, day: date, pattern: Mapping[int, Aged]
) -> Iterator[tuple[str, Decimal]]:
    """The bands in which what is open is expected to be released; together they are all of it."""
    names = [name for _, name in _bands(day)]
    parts: defaultdict[str, Fraction] = defaultdict(Fraction)
    whole = ZERO
    for (since, end), amount in _open(moved, currency, terms).items():
        whole += amount
        for month, part in project(amount, since, end, day, pattern):
            if month is BEYOND:
                parts[_NO_PATTERN] += part
            else:
                parts[names[sum(month > most for most in _BANDS)]] += part
    return _rounded(parts, whole, currency)


def _open(
    moved: Iterable[Movement], currency: str, terms: Terms
) -> dict[tuple[date, date | None], Decimal]:
    """What is open, by the date of the lot and the day from which it can't be used."""
    amounts: defaultdict[tuple[date, date | None], Decimal] = defaultdict(Decimal)
    for each in moved:
        if each.lot.currency == currency:
            for end, amount in ends_of(each, terms):
                amounts[each.lot.date, end] += amount
    return {key: amount for key, amount in amounts.items() if amount}


def _rounded(
    parts: dict[str, Fraction], whole: Decimal, currency: str
) -> Iterator[tuple[str, Decimal]]:
    """The parts to the minor unit, rounded on their running total; together they are the whole."""
    scale = 10 ** decimals_of(currency)
    names = [name for name in sorted(parts) if parts[name]]
    given, running = ZERO, Fraction(0)
    for name in names[:-1]:
        running += parts[name]
        due = round(running * scale) * minor_unit(currency)
        yield name, due - given
        given = due
    for name in names[-1:]:
        yield name, whole - given
