"""Who is on which plan as of a day, whether that goes on, and how much of the period was used.

    alice  pro  running     62 %     ; 620 of the 1000 CU of the period that covers the day
    bob    pro  cancelled  100 %     ; that period is his last
    carl   pro  ended                ; his last period is over

Periods and use are read from what was booked. That a period which is not over will be the last one
is booked nowhere, nor who pays by use alone: `close/standing.py` finds it in the events.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple, TypeVar

from beancount_compute.close.standing import Cancelled, Status
from beancount_compute.economy import ZERO, Flow, Pocket, is_access
from beancount_compute.ledger import PeriodBooked, standing_periods
from beancount_compute.reports import Books, LotKey

After = TypeVar("After")


class OnPlan(NamedTuple):
    """The plans of a subscriber on a day, and how they stand."""

    plans: tuple[str, ...]  # in force; where none is, the last one that was
    status: Status


class Used(NamedTuple):
    """What was allocated for periods, and what of it was used."""

    allocated: Decimal
    used: Decimal

    @property
    def share(self) -> Decimal | None:
        """From 0 to 1; none where nothing was allocated."""
        return self.used / self.allocated if self.allocated else None


NOTHING_USED = Used(ZERO, ZERO)


class _Period(NamedTuple):
    of: PeriodBooked
    is_last: bool  # of its subscription, as far as the books go
    allocated: dict[str, Decimal]  # by unit
    days: dict[str, list[int]]  # ordinals on which it was used, by unit
    used: dict[str, list[Decimal]]  # so far, after each of these days


class Subscriptions:
    """All periods of all subscribers; `cancelled` says which last ones have no next."""

    def __init__(self, books: Books, cancelled: Cancelled) -> None:
        self._cancelled = cancelled
        self._periods: dict[str, list[_Period]] = {}
        by_lot = self._read(books)
        for each in books.movements:
            if each.flow is Flow.USED and each.pocket is Pocket.ALLOCATIONS:
                period = by_lot.get((each.subscriber, each.lot))
                if period is not None:
                    _use(period, each.commodity, each.date.toordinal(), -each.units)

    def _read(self, books: Books) -> dict[tuple[str, LotKey], _Period]:
        found: defaultdict[str, list[tuple[int, PeriodBooked]]] = defaultdict(list)
        last_of: dict[str, PeriodBooked] = {}  # by subscription
        for at, who, period in standing_periods(books.transactions):
            found[who].append((at, period))
            last_of[period.subscription] = period
        period_at: dict[int, _Period] = {}
        for name, booked in found.items():
            periods = [
                _Period(self._cut_short(name, p), last_of[p.subscription] is p, {}, {}, {})
                for _, p in booked
            ]
            self._periods[name] = periods
            period_at |= {at: period for (at, _), period in zip(booked, periods, strict=True)}
        by_lot: dict[tuple[str, LotKey], _Period] = {}
        for each in books.movements:
            brought = period_at.get(each.at)
            if brought is not None and each.flow is Flow.ALLOCATED:
                allocated = brought.allocated
                allocated[each.commodity] = allocated.get(each.commodity, ZERO) + each.units
                by_lot[each.subscriber, each.lot] = brought
        return by_lot

    def _cut_short(self, subscriber: str, period: PeriodBooked) -> PeriodBooked:
        """A period as it runs: one that was cancelled at once ends on that day."""
        days = self._cancelled.at_once.get((subscriber, period.plan), ())
        return period._replace(
            last=min([period.last, *[day for day in days if period.first <= day]])
        )

    def names(self, day: date) -> Iterator[tuple[str, str]]:
        """Subscribers with a period that covers the day, with each unit that it brought."""
        for name, periods in self._periods.items():
            brought = {unit for period in _covering(periods, day) for unit in period.allocated}
            units = {"" if is_access(unit) else unit for unit in brought}
            yield from ((name, unit) for unit in sorted(units))
        yield from ((name, "") for name in self._cancelled.by_use if self._by_use(name, day))

    def on(self, day: date, subscriber: str, plan: str = "") -> OnPlan:
        """The plans of a subscriber, or that one alone."""
        begun = [
            each
            for each in self._periods.get(subscriber, ())
            if each.of.first <= day and plan in ("", each.of.plan)
        ]
        by_use = [
            each
            for each in self._cancelled.by_use.get(subscriber, ())
            if each.first <= day and plan in ("", each.plan)
        ]
        now = list(_covering(begun, day))
        used_now = [each for each in by_use if day <= each.last]
        if not now and not used_now:
            ended = [each.of.plan for each in begun] or [each.plan for each in by_use]
            return OnPlan((ended[-1],), Status.ENDED) if ended else OnPlan((), Status.NONE)
        going_on = [not self._is_cancelled(subscriber, each) for each in now]
        going_on += [each.cancelled is None or day < each.cancelled for each in used_now]
        plans = [each.of.plan for each in now] + [each.plan for each in used_now]
        status = Status.RUNNING if any(going_on) else Status.CANCELLED
        return OnPlan(tuple(dict.fromkeys(plans)), status)

    def _by_use(self, subscriber: str, day: date) -> bool:
        return any(each.first <= day <= each.last for each in self._cancelled.by_use[subscriber])

    def used(self, day: date, subscriber: str, commodity: str, plan: str = "") -> Used:
        """Of a unit that periods which cover the day brought."""
        allocated = used = ZERO
        for each in _covering(self._periods.get(subscriber, ()), day):
            if plan in ("", each.of.plan) and commodity in each.allocated:
                allocated += each.allocated[commodity]
                place = bisect_right(each.days.get(commodity, ()), day.toordinal())
                used += each.used[commodity][place - 1] if place else ZERO
        return Used(allocated, used)

    def _is_cancelled(self, subscriber: str, period: _Period) -> bool:
        of = period.of
        return period.is_last and self._cancelled.ends(
            of.subscription, subscriber, of.plan, of.first, of.last
        )


def _covering(periods: Iterable[_Period], day: date) -> Iterator[_Period]:
    return (each for each in periods if each.of.first <= day <= each.of.last)


def _use(period: _Period, commodity: str, day: int, units: Decimal) -> None:
    days, used = period.days.setdefault(commodity, []), period.used.setdefault(commodity, [])
    note(days, used, day, (used[-1] if used else ZERO) + units)


def note(days: list[int], after: list[After], day: int, now: After) -> None:
    """Note what stands after a day, by ordinal: the last of several on one day."""
    if days and days[-1] == day:
        after[-1] = now
    else:
        days.append(day)
        after.append(now)
