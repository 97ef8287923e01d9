"""Burn-down: the day on which somebody's units are used up, or begin to lapse.

    at 2026-06-30   held   a day   day
    alice        1800 CU      20   2026-09-28   used up          ; 1800 / 20 = 90 days
    bob          1000 CU       2   2026-08-01   lapses first     ; 31 days x 2 = 62 used, 938 lapse

The pace is what was used or spent in the last three whole months, by day; in as many as there are
since the subscriber first held units; where none is whole, in the days since then. Units that end
sooner go first; of an allocation that will be minted, the end is that of its tokens. What later
periods will bring is not counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from math import ceil
from typing import NamedTuple

from beancount_compute.economy import WIDE, ZERO, Flow, Pocket, Terms, trim
from beancount_compute.insight.months_from import MonthsFrom
from beancount_compute.reports import Books, Column, Measure, Movement, Selection, Table
from beancount_compute.reports.credits_at_pace import days_of_pace
from beancount_compute.reports.remaining import ends_of
from beancount_compute.reports.tables import SUBSCRIBER, UNIT, Row

USED_UP, LAPSES, STAYS = "used up", "lapses first", "not used"
_COLUMNS = (
    SUBSCRIBER,
    UNIT,
    Column("held", "held", Measure.UNITS),
    Column("a_day", "used\na day", Measure.UNITS),
    Column("day", "day", Measure.DATE),
    Column("outcome", "what happens then"),
    Column("lapsing", "lapses\nin all", Measure.UNITS),
)
_GONE = (Flow.USED, Flow.SPENT)


class BurnDown(NamedTuple):
    """What happens first to units that are held, and when; how many of them lapse in all."""

    outcome: str
    day: date | None
    lapsing: Fraction


def burn_down_table(books: Books, selection: Selection) -> Table:
    """The burn-down day of each subscriber who holds anything."""
    day = MonthsFrom.up_to(books, selection).day
    with localcontext(WIDE):
        rows = [*_rows(selection.movements(books), books.terms, day)]
    at = f" at {day}" if day > date.min else ""
    return Table(f"When what is held{at} is used up", _COLUMNS, rows, "burn-down")


def _rows(movements: Iterable[Movement], terms: Terms, day: date) -> Iterator[Row]:
    by_holder: defaultdict[tuple[str, str], list[Movement]] = defaultdict(list)
    for each in [each for each in movements if each.pocket is not Pocket.ACCESS]:
        by_holder[each.subscriber, each.commodity].append(each)
    for holder, moved in sorted(by_holder.items()):
        held = _held(moved, terms)
        total = sum([units for _, units in held], ZERO)
        if total > 0:
            a_day = _a_day(moved, day)
            outcome, when, lapsing = burn_down(held, a_day, day)
            numbers = [trim(_to_hundredth(each), 0) for each in (a_day, lapsing)]
            yield *holder, trim(total, 0), numbers[0], str(when or ""), outcome, numbers[1]


def _held(moved: Iterable[Movement], terms: Terms) -> list[tuple[date | None, Decimal]]:
    """What is held, by the day from which it can't be used, the soonest first."""
    sums: defaultdict[date | None, Decimal] = defaultdict(Decimal)
    for each in moved:
        for end, units in ends_of(each._replace(amount=each.units), terms):
            sums[end] += units
    return sorted(
        [(end, units) for end, units in sums.items() if units > 0],
        key=lambda each: each[0] or date.max,
    )


def _a_day(moved: Sequence[Movement], day: date) -> Fraction:
    first, last = days_of_pace(moved[0].date, day)
    used = [-m.units for m in moved if m.flow in _GONE and first <= m.date <= last]
    return max(Fraction(sum(used, ZERO)) / ((last - first).days + 1), Fraction())


def burn_down(held: Sequence[tuple[date | None, Decimal]], a_day: Fraction, day: date) -> BurnDown:
    """What happens first to what is held after a day, those that end soonest first."""
    used = lapsing = Fraction()
    first: date | None = None
    for end, units in held:
        taken = Fraction(units) if a_day else Fraction()
        if end is not None:
            days = max((end - day).days - 1, 0)  # on its end it is gone
            taken = min(taken, max(a_day * days - used, Fraction()))
            if taken < units:
                first, lapsing = first or end, lapsing + Fraction(units) - taken
        used += taken
    if first is not None:
        return BurnDown(LAPSES, first, lapsing)
    if not a_day:
        return BurnDown(STAYS, None, lapsing)
    days_left = ceil(used / a_day)
    beyond = days_left > (date.max - day).days
    return BurnDown(USED_UP, None if beyond else day + timedelta(days_left), lapsing)


def _to_hundredth(number: Fraction) -> Decimal:
    return Decimal(round(number * 100)) / 100
