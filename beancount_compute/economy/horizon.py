"""The as-of day: how far derived entries (periods, mints, expiries) are made.

One typo in a year must not make centuries of periods: events behind a gap of more than two years
are refused, unless the `as-of` option reaches over it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from beancount_compute.economy.months import TWO_YEARS, later


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
