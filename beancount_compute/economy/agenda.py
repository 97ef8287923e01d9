"""The agenda: which days the books come by, and what is due on each of them.

    2026-06-01   a lot ends, a period starts         ; derived, up to the as-of day
    2026-06-10   a trade                             ; somebody wrote it

What is derived (ends of lots, periods, whatever a policy brings about) is put here when its day is
known, and taken when the day has come. One typo in a year must not make centuries of it, nor take
the year with it: of stretches of time that lie more than two years apart only one is booked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from datetime import date
from enum import IntEnum
from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple

from beancount_compute.economy.months import TWO_YEARS, later


class Due(IntEnum):
    """What may be due on a day, in the order in which it is booked."""

    PERIOD_ENDS = 0  # of single periods, by subscriber: they end a merge of uses
    LOT_ENDS = 1  # of open lots
    INVOICES = 2  # of subscriptions
    PERIODS = 3  # of subscriptions
    ACCESS = 4  # open lots of it: in the evening
    SHORTFALLS = 5  # of periods with a minimum, in the evening of their last day
    DEPRECIATION = 6  # of capacities, by name: in the evening
    CATCH_UPS = 7  # lines of plans whose price holds for earlier uses: behind ends of lots
    CANCELLED = 8  # subscriptions that end at once, with the event and its id: in the evening


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


class Stretch(NamedTuple):
    """Days with events, of which none lies more than two years behind the one before it."""

    first: date
    last: date
    events: int


class Horizon(NamedTuple):
    """The as-of day, and the stretches of time whose events are booked; all others are refused."""

    as_of: date
    stands: tuple[Stretch, ...]

    def covers(self, day: date) -> bool:
        """Whether what happens on that day is booked."""
        return any(each.first <= day <= each.last for each in self.stands)

    def nearest(self, day: date) -> date:
        """The day nearest to a refused one on which something is booked."""
        ends = [end for each in self.stands for end in (each.first, each.last)]
        return min(ends, key=lambda end: (abs(end - day), end))


def horizon(
    events: Mapping[date, int],
    making: Set[date],
    option: date | None,
    closed: date | None = None,
    bridged: Callable[[Stretch, Stretch], bool] = lambda *_: False,
) -> Horizon:
    """The horizon over days with so many events each; `making` are those that make derived entries.

    Stretches that hold the last closed day stand, and so do those that the option joins. Where
    there are none such, the one with the most events stands, the later of two that are alike. What
    is `bridged`, by the periods of a subscription that runs on, is one stretch.
    """
    counts = dict(events)
    if closed is not None:
        counts.setdefault(closed, 0)
    joined: list[Stretch] = []
    by_option: set[date] = set()  # the first days of stretches that the option joined
    for each in _stretches(counts):
        before = joined[-1] if joined else None
        reached = option is not None and each.first <= option
        if before is None or not (reached or bridged(before, each)):
            joined.append(each)
            continue
        if reached:
            by_option.add(before.first)
        joined[-1] = Stretch(before.first, each.last, before.events + each.events)
    stands = [
        each
        for each in joined
        if each.first in by_option or (closed is not None and each.first <= closed <= each.last)
    ]
    if joined and not stands:
        stands = [max(joined, key=lambda each: (each.events, each.last))]
    days = [day for day in making if any(each.first <= day <= each.last for each in stands)]
    as_of = max([*days, option or date.min, closed or date.min])
    return Horizon(as_of, tuple(stands))


def _stretches(counts: Mapping[date, int]) -> Iterator[Stretch]:
    """The days with events, cut at each gap of more than two years."""
    days: list[date] = []
    for day in sorted(counts):
        if days and day > later(days[-1], TWO_YEARS):
            yield Stretch(days[0], days[-1], sum(counts[each] for each in days))
            days = []
        days.append(day)
    if days:
        yield Stretch(days[0], days[-1], sum(counts[each] for each in days))
