"""Periods of subscriptions as they stand in the books: a change of plan cuts one short.

    2026-04-01 * "alice" "Allocation basic 2026-04-01/2026-04-30" #compute-allocation
    2026-04-21 * "alice" "Change from basic to plus" #compute-change

are a period of basic from 1 to 20 April, and one of plus from 21 to 30 April.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from beancount.core.data import Transaction

from beancount_compute.economy import Kind
from beancount_compute.ledger.metadata import FROM_PLAN, PeriodBooked, period_of
from beancount_compute.ledger.writing import ORDER

_TAGS = {f"compute-{Kind.ALLOCATION}", f"compute-{Kind.CHANGE}"}
_DAY = timedelta(1)


class StandingPeriod(NamedTuple):
    """A period that was not reversed."""

    at: int  # the place of its transaction among all
    subscriber: str
    of: PeriodBooked


def _cut(period: PeriodBooked, end: date) -> PeriodBooked:
    """A period as it ends before a day, if it had not ended yet."""
    if period.last < end:
        return period
    days, of_days = (end - period.first).days, (period.last - period.first).days + 1
    return period._replace(last=end - _DAY, ran=f"{days}/{of_days}")


def standing_periods(transactions: Sequence[Transaction]) -> list[StandingPeriod]:
    """The periods of subscriptions, in the order of the books.

    One that a change ended on the day on which it began is none.
    """
    undone = {entry.meta.get("reverses") for entry in transactions} - {None}
    found: list[StandingPeriod] = []
    last_of: dict[str, int] = {}  # by subscription
    for at, entry in enumerate(transactions):
        if ORDER not in entry.meta or _TAGS.isdisjoint(entry.tags):
            continue
        period = period_of(entry)
        if period is None or entry.meta.get("event") in undone:
            continue
        before = last_of.get(period.subscription)
        if FROM_PLAN in entry.meta and before is not None:
            found[before] = found[before]._replace(of=_cut(found[before].of, period.first))
        if period.plan:
            last_of[period.subscription] = len(found)
            found.append(StandingPeriod(at, entry.payee or "", period))
    return [each for each in found if each.of.first <= each.of.last]
