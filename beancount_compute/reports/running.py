"""Under which plan overage was billed: that of the subscriber's newest running subscription.

    2026-05-01 * "alice" "Allocation pro 2026-05-01/2026-05-31" #compute-allocation
      event: "s-alice/2026-05-01"

No posting of an overage says its plan. It follows from the periods that were booked, whose events
are `<subscription id>/<first day>`, by the rule of `economy/consumption.py`.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import NamedTuple

from beancount.core.data import Transaction

from beancount_compute.economy.terms import Terms

_DAY = len("2026-05-01")


class Period(NamedTuple):
    plan: str
    first: date
    last: date
    subscription: str


class Running:
    """The periods of each subscriber's subscriptions."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._allocated: defaultdict[str, list[Transaction]] = defaultdict(list)

    def allocated(self, entry: Transaction) -> None:
        """Remember an allocation; most are never asked for."""
        self._allocated[entry.payee or ""].append(entry)

    def overage_plan(self, subscriber: str, day: date, currency: str) -> str:
        """The plan whose price an overage of that day was billed at; "" if none can be told."""
        starts: dict[str, date] = {}
        running: list[Period] = []
        for entry in self._allocated[subscriber]:
            period = period_of(entry)
            if period is None:
                continue
            starts.setdefault(period.subscription, period.first)
            plan = self._terms.plan(period.plan, day)
            price = plan.overage if plan else None
            if period.first <= day <= period.last and price and price.currency == currency:
                running.append(period)
        if not running:
            return ""
        newest = max(starts[period.subscription] for period in running)
        return min(each.plan for each in running if starts[each.subscription] == newest)


def period_of(entry: Transaction) -> Period | None:
    """The period of a subscription that an allocation is; None for any other allocation."""
    words = (entry.narration or "").removeprefix("Allocation ")
    plan, _, days = words.rpartition(" ")
    first, _, last = days.partition("/")
    event = str(entry.meta["event"])
    if not first or not event.endswith("/" + first):
        return None
    return Period(plan, date.fromisoformat(first), date.fromisoformat(last), event[: -_DAY - 1])
