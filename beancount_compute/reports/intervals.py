"""Intervals: how days are grouped, under the names that Fava's time filter knows.

2026-05-20  ->  "2026-05-20", "2026-W21", "2026-05", "2026-Q2" or "2026"
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

from beancount_compute.economy import MONTH, Month, Span, later

_ONE_DAY = timedelta(1)


class Interval(StrEnum):
    """How long the stretches are for which figures are shown."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@lru_cache(1 << 14)
def name_of(interval: Interval, day: date) -> str:
    """The name of the interval that a day lies in; names sort by time."""
    match interval:
        case Interval.DAY:
            return day.isoformat()
        case Interval.WEEK:
            year, week, _ = day.isocalendar()
            return f"{year:04}-W{week:02}"
        case Interval.MONTH:
            return Month.of(day).name
        case Interval.QUARTER:
            return f"{day.year:04}-Q{(day.month + 2) // 3}"
        case Interval.YEAR:
            return f"{day.year:04}"


def first_of(interval: Interval, day: date) -> date:
    """The first day of the interval that a day lies in."""
    match interval:
        case Interval.DAY:
            return day
        case Interval.WEEK:
            return day - timedelta(min(day.weekday(), (day - date.min).days))
        case Interval.MONTH:
            return Month.of(day).first
        case Interval.QUARTER:
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case Interval.YEAR:
            return day.replace(month=1, day=1)


_SPANS = {
    Interval.DAY: Span(0, 1),
    Interval.WEEK: Span(0, 7),
    Interval.MONTH: MONTH,
    Interval.QUARTER: Span(3, 0),
    Interval.YEAR: Span(12, 0),
}


def last_of(interval: Interval, day: date) -> date:
    """The last day of the interval that a day lies in."""
    end = later(first_of(interval, day), _SPANS[interval])
    return end if end == date.max else end - _ONE_DAY


def first_named(interval: Interval, name: str) -> date:
    """The first day of the interval that a name of `name_of` stands for."""
    match interval:
        case Interval.DAY:
            return date.fromisoformat(name)
        case Interval.WEEK:
            return date.fromisocalendar(int(name[:4]), int(name[6:]), 1)
        case Interval.MONTH:
            return Month.parse(name).first
        case Interval.QUARTER:
            return date(int(name[:4]), int(name[6:]) * 3 - 2, 1)
        case Interval.YEAR:
            return date(int(name), 1, 1)


MOST = 4000  # ten years of days
_LONGEST = {  # days
    Interval.DAY: 1,
    Interval.WEEK: 7,
    Interval.MONTH: 31,
    Interval.QUARTER: 92,
    Interval.YEAR: 366,
}


class TooMany(Exception):
    """More intervals than anybody would look at; says what to ask for instead."""


def check_number(interval: Interval, first: date, last: date) -> None:
    """Raise `TooMany` where a page would show too many intervals from one day to another."""
    count = (last - first).days // _LONGEST[interval] + 1
    if count > MOST:
        raise TooMany(
            f"these are over {count - 1:,} {interval}s, and a page shows {MOST:,} at most: choose "
            "fewer days in the time filter, or a longer interval"
        )


def names_between(interval: Interval, first: date, last: date) -> list[str]:
    """The names of all intervals from the one of a day to that of another."""
    found: list[str] = []
    day = first
    while day <= last:
        found.append(name_of(interval, day))
        day = last_of(interval, day)
        if day >= last or day == date.max:
            break
        day += _ONE_DAY
    return found


def days_before(first: date, last: date) -> tuple[date, date]:
    """The days just before a stretch, as many; whole months where it is one of whole months.

    2026-05-01 to 2026-06-30  ->  2026-03-01 to 2026-04-30
    """
    if first == date.min:
        return first, first
    end = first - _ONE_DAY
    if first.day == 1 and last == Month.of(last).last:
        month = Month.of(first)
        back = max(2 * month.ordinal - Month.of(last).ordinal - 1, Month.of(date.min).ordinal)
        return Month.from_ordinal(back).first, end
    return first - min(last - first + _ONE_DAY, first - date.min), end
