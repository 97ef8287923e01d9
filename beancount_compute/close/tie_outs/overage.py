"""What use beyond the holdings must be billed at, worked out again from events and terms.

    30 CU beyond the holdings at 0.305 USD, then 10 more in the same month
      ->  9.15 USD, then round(40 x 0.305) - 9.15 = 3.05 USD

The rule is that of `economy/consumption.py`: the plan of the newest running subscription, rounded
on the running total of subscriber, plan and calendar month. Subscriptions are read from the periods
that were booked. One that began before the books has none at first, and no event of the month need
say so; hence, where the newest that is known would not give what was booked, another plan may.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from beancount.core.data import Transaction

from beancount_compute.close.tie_outs.postings import Kinds
from beancount_compute.economy.events import Event
from beancount_compute.economy.kinds import Kind
from beancount_compute.economy.rounding import ZERO, round_money
from beancount_compute.ledger.metadata import PeriodBooked, period_of
from beancount_compute.reports.books import Books


class Use(NamedTuple):
    """The part of a use that the holdings don't cover."""

    id: str  # of the event
    event: Event
    units: Decimal


class Charge(NamedTuple):
    """What one use adds to the overage of its month; `exact` before the rounding."""

    id: str
    subscriber: str
    plan: str
    currency: str
    exact: Decimal
    number: Decimal


Month = tuple[str, str, str]  # subscriber, plan, currency


class Overage:
    """The running totals of one calendar month; its sums need the context `WIDE`."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._exact: defaultdict[Month, Decimal] = defaultdict(Decimal)
        self._billed: defaultdict[Month, Decimal] = defaultdict(Decimal)
        self._charges: dict[str, Charge] = {}
        self._periods: dict[str, list[PeriodBooked]] | None = None
        self._starts: dict[str, date] = {}  # the first booked day of each subscription

    def charge(self, uses: Sequence[Use], billed: dict[str, Decimal]) -> list[Charge] | None:
        """The charges of the uses of one transaction; None where no plan has an overage price.

        `billed` is what was booked, by currency: it only decides between plans.
        """
        told = [self._newest(self._running(use.event)) for use in uses]
        by_rule = self._worked_out(uses, told)
        if by_rule is not None and _totals(by_rule) == billed:
            return self._keep(by_rule)
        for plan in sorted(self._books.terms.plans):
            charges = self._worked_out(uses, [plan] * len(uses))
            if charges is not None and _totals(charges) == billed:
                return self._keep(charges)
        return self._keep(by_rule)

    def undo(self, event_id: str) -> Charge | None:
        """Take the charge of a use of this month back; None where it had none."""
        charge = self._charges.pop(event_id, None)
        if charge is not None:
            month = (charge.subscriber, charge.plan, charge.currency)
            self._exact[month] -= charge.exact
            self._billed[month] -= charge.number
        return charge

    def _keep(self, charges: list[Charge] | None) -> list[Charge] | None:
        for charge in charges or ():
            month = (charge.subscriber, charge.plan, charge.currency)
            self._exact[month] += charge.exact
            self._billed[month] += charge.number
            self._charges[charge.id] = charge
        return charges

    def _worked_out(self, uses: Sequence[Use], plans: Sequence[str]) -> list[Charge] | None:
        added: dict[Month, tuple[Decimal, Decimal]] = {}  # by the uses before
        charges: list[Charge] = []
        for use, name in zip(uses, plans, strict=True):
            plan = self._books.terms.plan(name, use.event.date)
            if plan is None or plan.overage is None or not plan.sells(use.event.commodity):
                return None
            price, currency = plan.overage
            month = (use.event.subscriber, name, currency)
            exact, billed = added.get(month, (ZERO, ZERO))
            exact += use.units * price
            total = round_money(self._exact[month] + exact, currency)
            number = total - self._billed[month] - billed
            added[month] = (exact, billed + number)
            charges.append(Charge(use.id, *month, use.units * price, number))
        return charges

    def _running(self, event: Event) -> list[PeriodBooked]:
        """The subscriber's periods on that day whose plan is for such units."""
        plan = self._books.terms.plan
        return [
            period
            for period in self._periods_of(event.subscriber)
            if period.first <= event.date <= period.last
            and (terms := plan(period.plan, event.date)) is not None
            and terms.sells(event.commodity)
        ]

    def _newest(self, running: Sequence[PeriodBooked]) -> str:
        """The plan of the newest subscription; "" if there is none."""
        if not running:
            return ""
        newest = max(self._starts[period.subscription] for period in running)
        return min(each.plan for each in running if self._starts[each.subscription] == newest)

    def _periods_of(self, subscriber: str) -> list[PeriodBooked]:
        if self._periods is None:
            self._periods = {}
            for name, period in _all_periods(self._books):
                self._starts.setdefault(period.subscription, period.first)
                self._periods.setdefault(name, []).append(period)
        return self._periods.get(subscriber, [])


def _totals(charges: Sequence[Charge]) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = {}
    for charge in charges:
        totals[charge.currency] = totals.get(charge.currency, ZERO) + charge.number
    return {currency: number for currency, number in totals.items() if number}


def _all_periods(books: Books) -> Iterator[tuple[str, PeriodBooked]]:
    kinds = Kinds()
    for entry in books.transactions:
        if kinds.of(entry) == Kind.ALLOCATION:
            period = period_in(entry)
            if period is not None:
                yield entry.payee or "", period


def period_in(entry: Transaction) -> PeriodBooked | None:
    """The period that an allocation is; None for a top-up, and where its text was edited."""
    try:
        return period_of(entry)
    except (KeyError, ValueError):
        return None
