"""What a subscriber would have paid for use beyond the holdings, on any day.

2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  overage: 0.30 USD
2026-05-01 custom "compute-subscription" "bob" "pro"        ; bob, 2026-05-20: 0.30 USD
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from functools import cache

from beancount_compute.economy import Kind, Money
from beancount_compute.economy.rules.consumption import plan_of_overage
from beancount_compute.ledger import ORDER, PeriodBooked, period_of
from beancount_compute.reports.books import Books


class OveragePrices:
    """The overage prices of the plans that subscribers were on."""

    def __init__(self, books: Books) -> None:
        self._terms = books.terms
        self._periods: defaultdict[str, list[PeriodBooked]] = defaultdict(list)
        self._starts: dict[str, date] = {}  # the first booked day of each subscription
        tag = f"compute-{Kind.ALLOCATION}"
        for entry in books.transactions:
            if ORDER in entry.meta and tag in entry.tags:
                period = period_of(entry)
                if period is not None:
                    self._periods[entry.payee or ""].append(period)
                    self._starts.setdefault(period.subscription, period.first)
        self.of = cache(self._price)

    def _price(self, subscriber: str, day: date, commodity: str) -> Money | None:
        """The price of a unit beyond the holdings; None where use would be refused."""
        running = [
            (self._starts[period.subscription], plan)
            for period in self._periods.get(subscriber, ())
            if period.first <= day <= period.last
            and (plan := self._terms.plan(period.plan, day)) is not None
            and plan.sells(commodity)
        ]
        return plan_of_overage(running).overage if running else None
