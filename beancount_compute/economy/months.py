"""Calendar time: spans (how long a period, a life or a gap lasts) and calendar months.

2026-01-31 + 1 month  = 2026-02-28        ; the month's last day where it is shorter
2026-01-31 + 2 months = 2026-03-31        ; and the day of the month comes back

Month.parse("2026-05")   from 2026-05-01 to 2026-05-31, before 2026-06
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import MAXYEAR, MINYEAR, date, timedelta
from functools import lru_cache
from typing import NamedTuple

_NAMED = {"month": 1, "quarter": 3, "year": 12}
_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])", re.ASCII)
_SPAN = re.compile(r"([1-9][0-9]{0,4}) +(month|day)s?", re.ASCII)


class Span(NamedTuple):
    """A number of calendar months, or of days."""

    months: int
    days: int

    def __str__(self) -> str:
        count, unit = (self.months, "month") if self.months else (self.days, "day")
        return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


MONTH = Span(1, 0)
TWO_YEARS = Span(24, 0)


def parse_span(text: str) -> Span | None:
    """The span that a text like "quarter", "3 months" or "10 days" names; None if it names none."""
    if text in _NAMED:
        return Span(_NAMED[text], 0)
    found = _SPAN.fullmatch(text)
    if not found:
        return None
    count = int(found[1])
    return Span(count, 0) if found[2] == "month" else Span(0, count)


@lru_cache(1 << 12)  # few days are written many times
def day_text(day: date) -> str:
    """A day as 2026-05-31."""
    return day.isoformat()


@lru_cache(1 << 12)  # most lots of a plan begin and end together
def later(day: date, span: Span, day_of_month: int | None = None) -> date:
    """The day one span after another; `date.max` where the calendar ends before it.

    Months keep `day_of_month` (default: the day's own), or end on the month's last day.
    """
    if span.days:
        return day + timedelta(span.days) if span.days <= (date.max - day).days else date.max
    month = day.month - 1 + span.months
    year, month = day.year + month // 12, month % 12 + 1
    if year > date.max.year:
        return date.max
    return date(year, month, min(day_of_month or day.day, monthrange(year, month)[1]))


@lru_cache(1 << 12)  # many lots and periods of a day name the same days
def text_of(day: date) -> str:
    """A day as a ledger writes it; writing it anew takes ten times as long as looking it up."""
    return day.isoformat()


def last_day(start: date, end: date) -> date:
    """The last day of a period from its first day to the first day after it."""
    return end - timedelta(1) if end > start else start


class Month(NamedTuple):
    """A calendar month; months sort by time. As text it is 2026-05."""

    year: int
    number: int  # 1 to 12

    @classmethod
    def parse(cls, text: str) -> Month:
        """The month that a text such as "2026-05" names; raises `ValueError` if it names none."""
        found = _MONTH.fullmatch(text)
        if not found or int(found[1]) < MINYEAR:
            raise ValueError(f"not a month: {text!r}")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, day: date) -> Month:
        """The month that a day lies in."""
        return cls(day.year, day.month)

    @classmethod
    def from_ordinal(cls, ordinal: int) -> Month:
        """The month of an ordinal; raises `ValueError` outside of the calendar."""
        if not MINYEAR <= ordinal // 12 <= MAXYEAR:
            raise ValueError(f"no month of the calendar: {ordinal}")
        return cls(ordinal // 12, ordinal % 12 + 1)

    @property
    def ordinal(self) -> int:
        """The month as a number that grows by one each month."""
        return self.year * 12 + self.number - 1

    @property
    def name(self) -> str:
        """The month as text: 2026-05. Names sort as the months do."""
        return f"{self.year:04}-{self.number:02}"

    def __str__(self) -> str:
        return self.name

    @property
    def first(self) -> date:
        """The first day."""
        return date(self.year, self.number, 1)

    @property
    def last(self) -> date:
        """The last day."""
        return date(self.year, self.number, monthrange(self.year, self.number)[1])

    @property
    def next(self) -> Month:
        """The month after it; raises `ValueError` at the end of the calendar."""
        return self.from_ordinal(self.ordinal + 1)

    @property
    def previous(self) -> Month:
        """The month before it; raises `ValueError` at the beginning of the calendar."""
        return self.from_ordinal(self.ordinal - 1)

    def to(self, last: Month) -> Iterator[Month]:
        """All months from this one to another, both included; none if that one is earlier."""
        return map(self.from_ordinal, range(self.ordinal, last.ordinal + 1))
