"""Months counted from a day, back and ahead, so that the day ends one.

from 2026-06-30    1 is 2026-07,                    0 is 2026-06
from 2026-06-15    1 is 2026-06-16 to 2026-07-15,   0 is 2026-05-16 to 2026-06-15
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from beancount_compute.economy import AS_OF, Month, Span, later
from beancount_compute.reports import Books, Selection

_DAY = timedelta(1)


class MonthsFrom(NamedTuple):
    """The months that end on the same day of the month as `day`, or on the last where that does."""

    day: date

    @classmethod
    def up_to(cls, books: Books, selection: Selection) -> MonthsFrom:
        """From the selection's last day, or where that is behind the books' last month, from its
        end: of months that nobody has booked yet nothing is known."""
        known = max(books.last_day or date.min, books.terms.of_ledger(AS_OF) or date.min)
        return cls(min(selection.day_of(books), Month.of(known).last))

    def last_of(self, number: int) -> date:
        """The last day of a month: `day` of month 0."""
        ends_month = (self.day + _DAY).day == 1 if self.day < date.max else True
        return later(self.day, Span(number, 0), 31 if ends_month else None)

    def first_of(self, number: int) -> date:
        """The first day of a month."""
        return self.last_of(number - 1) + _DAY

    def number_of(self, day: date) -> int:
        """The month that a day lies in: above zero after `day`."""
        return _number(self.day, day)

    def name_of(self, number: int) -> str:
        """A month as text; names sort by time."""
        first, last = self.first_of(number), self.last_of(number)
        return Month.of(first).name if first.day == 1 else f"{first} to {last}"


@lru_cache(1 << 14)  # many lots and bookings share their days
def _number(origin: date, day: date) -> int:
    months = Month.of(day).ordinal - Month.of(origin).ordinal
    length = monthrange(origin.year, origin.month)[1]
    ends = 31 if origin.day == length else origin.day
    return months + (day.day > min(ends, monthrange(day.year, day.month)[1]))
