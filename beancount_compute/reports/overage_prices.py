"""What a subscriber would have paid for use beyond the holdings, on any day.

2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  overage: 0.30 USD
2026-05-01 custom "compute-subscription" "bob" "pro"        ; bob, 2026-05-20: 0.30 USD
"""

from __future__ import annotations

from datetime import date
from functools import cache

from beancount_compute.economy.kinds import Kind
from beancount_compute.economy.options import Money
from beancount_compute.ledger.writing import ORDER
from beancount_compute.reports.books import Books
from beancount_compute.reports.running import Running


class OveragePrices:
    """The overage prices of the plans that subscribers were on."""

    def __init__(self, books: Books) -> None:
        self._terms = books.terms
        self._running = Running(books.terms)
        self._currencies = sorted(
            {
                plan.overage.currency
                for timeline in books.terms.plans.values()
                for plan in timeline
                if plan.overage
            }
        )
        tag = f"compute-{Kind.ALLOCATION}"
        for entry in books.transactions:
            if ORDER in entry.meta and tag in entry.tags:
                self._running.allocated(entry)
        self.of = cache(self._price)

    def _price(self, subscriber: str, day: date) -> Money | None:
        """The price a unit of the plan that an overage would fall under; None if there is none."""
        for currency in self._currencies:
            name = self._running.overage_plan(subscriber, day, currency)
            plan = self._terms.plan(name, day) if name else None
            if plan is not None:
                return plan.overage
        return None
