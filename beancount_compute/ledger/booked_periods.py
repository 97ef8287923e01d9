"""Periods of subscriptions as they stand in the books: a change of plan cuts one short.

    2026-04-01 * "alice" "Allocation basic 2026-04-01/2026-04-30" #compute-allocation
    2026-04-21 * "alice" "Change from basic to plus" #compute-change

are a period of basic from 1 to 20 April, and one of plus from 21 to 30 April. What was cancelled
at once is a period until that day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from beancount.core.data import Transaction

from beancount_compute.economy import Kind
from beancount_compute.ledger.metadata import FROM_PLAN, PeriodBooked, period_of
from beancount_compute.ledger.writing import ORDER

_AT_ONCE = f"compute-{Kind.CANCELLATION}"
_ALLOCATION = f"compute-{Kind.ALLOCATION}"
_TAGS = {_ALLOCATION, f"compute-{Kind.CHANGE}", _AT_ONCE}
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


def _subscription(entry: Transaction) -> str:
    return str(entry.meta.get("subscription", ""))


def _end_at_once(
    found: list[StandingPeriod], last_of: Mapping[str, int], entry: Transaction
) -> None:
    """Let the period of a cancellation at once end on its day."""
    at = last_of.get(_subscription(entry))
    if at is not None:
        found[at] = found[at]._replace(of=_cut(found[at].of, entry.date + _DAY))


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
        if _AT_ONCE in entry.tags:
            _end_at_once(found, last_of, entry)
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
