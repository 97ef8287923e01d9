"""What an overview compares: the days that are chosen, and as many before them.

time=2026-06, books to the 20th   ->  2026-06-01 to 2026-06-20, so far; before: May
no time filter, interval=month    ->  the last month of the books; before: the month before it
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from beancount_compute.reports import Selection
from beancount_compute.reports.intervals import Interval, days_before, first_of, last_of, name_of


class Compared(NamedTuple):
    """Two stretches of days, the first and last of each included."""

    name: str
    first: date
    last: date
    before: tuple[date, date]
    name_before: str
    chosen: bool  # by a time filter; else they are the last interval of the books

    def until(self, end: date) -> date:
        """The last day, or that on which the books end within these days."""
        return end if self.first <= end < self.last else self.last


def compared(selection: Selection, time: str, interval: Interval, latest: date) -> Compared:
    """The chosen days and those before; without any, the interval of the latest day."""
    if selection.start is not None and selection.end is not None:
        first, last = selection.start, selection.end
        before = days_before(first, last)
        return Compared(time, first, last, before, _named(*before), chosen=True)
    first, last = first_of(interval, latest), last_of(interval, latest)
    past = first_of(interval, first) if first == date.min else days_before(first, first)[1]
    before = (first_of(interval, past), last_of(interval, past))
    name = name_of(interval, latest)
    return Compared(name, first, last, before, name_of(interval, past), chosen=False)


def _named(first: date, last: date) -> str:
    """A stretch by the name of its interval, if it is one; else by its days."""
    for interval in (Interval.DAY, Interval.MONTH, Interval.QUARTER, Interval.YEAR):
        if (first, last) == (first_of(interval, first), last_of(interval, first)):
            return name_of(interval, first)
    return f"{first} to {last}"
