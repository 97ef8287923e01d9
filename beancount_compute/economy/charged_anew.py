"""Which price a use of a plan has in the end, where a later line of it holds for earlier uses too.

    2026-01-01 custom "compute-plan" "bulk" 0.00 USD 0 CU      ; a period from January to December
      overage: 480.00 USD
    2026-04-01 custom "compute-plan" "bulk" 0.00 USD 0 CU
      overage: 432.00 USD
      overage-since: 2026-01-01         ->  a use of 10 February: 480.00 until March, then 432.00

Only a period that is still running on the line's day is charged anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from beancount_compute.economy.months import Span, later
from beancount_compute.economy.rounding import WIDE, ZERO
from beancount_compute.economy.term_values import Money
from beancount_compute.economy.terms import Plan, Terms


class PeriodDays(NamedTuple):
    """How a period runs: until which day, and how its subscription goes on to count."""

    end: date  # the first day after it
    day_of_month: int
    counted_in_days: bool


def period_from(day: date, plan: Plan, day_of_month: int, *, counted_in_days: bool) -> PeriodDays:
    """The period that begins on a day; behind periods in days months count from its own day."""
    if plan.every.days:
        counted_in_days = True
    elif counted_in_days:
        counted_in_days, day_of_month = False, day.day
    return PeriodDays(later(day, plan.every, day_of_month), day_of_month, counted_in_days)


Changes = Sequence[tuple[str, date]]  # the plans before, each with the first day on the next one


def plan_of_day(plan: str, changes: Changes, day: date) -> str:
    """The plan that a subscription, which is on one by now, was on on a day."""
    return next((before for before, until in changes if day < until), plan)


def period_with(
    terms: Terms, plan: str, start: date, day: date, changes: Changes = ()
) -> tuple[date, date]:
    """The first day and the end of the period that a day lies in, of a subscription's `start`.

    A change of plan cuts a period in two; where the new plan's `every` is another, its periods
    follow each other from the change on.
    """
    first, of_month, in_days = start, start.day, False
    every: Span | None = None
    while True:
        offer = _offer(terms, plan, changes, first)
        if every not in (None, offer.every) and any(until == first for _, until in changes):
            of_month = first.day
        every = offer.every
        end, of_month, in_days = period_from(first, offer, of_month, counted_in_days=in_days)
        for _, until in changes:
            if first < until < end:
                if day < until:
                    return first, until
                first, changed = until, _offer(terms, plan, changes, until)
                if changed.every != every:
                    end, of_month, in_days = until, until.day, bool(changed.every.days)
                    every = changed.every
        if day < end:
            return first, end
        first = end


def _offer(terms: Terms, plan: str, changes: Changes, day: date) -> Plan:
    offer = terms.plan_of_lot(plan_of_day(plan, changes, day), day)
    assert offer is not None  # a plan that is known stays known
    return offer


def price_of_use(lines: Iterable[Plan], day: date, end: date, before: date) -> Money | None:
    """What a unit used on a day costs by the lines of its plan that are dated before another day.

    `end` is that of the period in which it was used.
    """
    price: Money | None = None
    for line in lines:
        reaches = line.overage_since is not None and line.overage_since <= day
        if line.since <= day or (reaches and line.since < min(end, before)):
            price = line.overage
    return price


@dataclass(slots=True)
class UsedInPeriod:
    """The units beyond the holdings that a running period of a plan has seen, by day."""

    id: str  # of the period
    first: date
    end: date
    units: dict[date, Decimal] = field(default_factory=dict)

    def add(self, day: date, units: Decimal) -> None:
        """Count a use, or below zero what a reversal takes back, of the period's own days."""
        if self.first <= day < self.end:
            self.units[day] = WIDE.add(self.units.get(day, ZERO), units)

    def copied(self) -> UsedInPeriod:
        """The same, to try something out with."""
        return UsedInPeriod(self.id, self.first, self.end, dict(self.units))


UsedInPeriods = dict[tuple[str, str], UsedInPeriod]  # by subscriber and plan
