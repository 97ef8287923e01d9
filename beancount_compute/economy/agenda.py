"""The agenda: which days the books come by, and what is due on each of them.

    2026-06-01   a lot ends, a period starts         ; derived, up to the as-of day
    2026-06-10   a trade                             ; somebody wrote it

What is derived (ends of lots, periods, whatever a policy brings about) is put here when its day is
known, and taken when the day has come. One typo in a year must not make centuries of it: events
behind a gap of more than two years are refused, unless the `as-of` option reaches over it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from enum import IntEnum
from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple

from beancount_compute.economy.months import TWO_YEARS, later


class Due(IntEnum):
    """What may be due on a day, in the order in which it is booked."""

    PERIOD_ENDS = 0  # of single periods, by subscriber: they end a merge of uses
    LOT_ENDS = 1  # of open lots
    PERIODS = 2  # of subscriptions


class Agenda:
    """What is due on days to come; nothing behind the as-of day."""

    def __init__(self, as_of: date) -> None:
        self.as_of = as_of
        self._days: list[date] = []  # a heap
        self._due: tuple[dict[date, list[Any]], ...] = tuple({} for _ in Due)

    def visit(self, days: Iterable[date]) -> None:
        """Let the books come by on days, whatever the as-of day."""
        self._days += days
        heapify(self._days)

    def put(self, due: Due, day: date, what: Any) -> None:
        """Put something on a day; what lies behind the as-of day never comes."""
        if day > self.as_of:
            return
        on = self._due[due]
        known = on.get(day)
        if known is None:
            on[day] = [what]
            heappush(self._days, day)
        else:
            known.append(what)

    def take(self, due: Due, day: date) -> list[Any]:
        """What is due on a day, in the order in which it was put there; it is gone from here."""
        return self._due[due].pop(day, [])

    def days(self) -> Iterator[date]:
        """Each day once, in order, with those that are put here meanwhile."""
        before: date | None = None
        while self._days:
            day = heappop(self._days)
            if day != before:
                before = day
                yield day


class Horizon(NamedTuple):
    """The as-of day, and the first day whose events are refused."""

    as_of: date
    refused_from: date | None
    last_before: date | None  # the day of the last event before the gap

    def covers(self, day: date) -> bool:
        """Whether what happens on that day is booked."""
        return self.refused_from is None or day < self.refused_from


def horizon(days: Iterable[date], cancellations: Iterable[date], option: date | None) -> Horizon:
    """The horizon over the days of events (assertions too) and of cancellations.

    Cancellations are events, but make no derived entries.
    """
    making = set(days)
    refused_from = None
    before = None
    for day in sorted(making.union(cancellations)):
        if before is not None and day > later(before, TWO_YEARS) and (not option or option < day):
            refused_from = day
            break
        before = day
    if refused_from is not None:
        making = {day for day in making if day < refused_from}
    return Horizon(max(making | {option or date.min}), refused_from, before)
