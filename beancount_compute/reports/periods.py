"""Periods of subscriptions as they were booked, and the spells that they make up.

    2026-05-01 * "alice" "Allocation" #compute-allocation
      period: "2026-05-01/2026-05-31"
      subscription: "s-1"
      ...                                  1000 CU {0.20 USD, 2026-05-01, "pro/2026-06-01"}

is a period of alice on "pro", for 200.00 USD a month. A short one, with which a change of plan
begins, recurs at the price of a whole one. Periods without a day between them are one spell,
whatever plan they are on. A subscription goes on by itself: where the books reach the day after a
period and no other has begun, the subscriber left on that day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from beancount.core.data import Transaction

from beancount_compute.economy import MONTH as ONE_MONTH
from beancount_compute.economy import (
    WIDE,
    ZERO,
    Flow,
    Plan,
    Span,
    Terms,
    round_money,
)
from beancount_compute.ledger import exchange_of, standing_periods
from beancount_compute.reports.facts import Movement

_DAYS_OF_A_MONTH = Decimal("30.4375")  # a twelfth of 365.25
_DAY = timedelta(1)


class PaidPeriod(NamedTuple):
    """A period of a subscription; of several currencies where its lines are."""

    first: date
    last: date
    subscriber: str
    subscription: str  # its id
    plan: str
    billed: tuple[tuple[str, Decimal], ...]  # by currency: what it is charged
    at: int
    prorated: str = ""  # the days of one that began with a change of plan: "10/30"
    ran: str = ""  # the days of one that ended with one: "20/30"

    @property
    def after(self) -> date:
        """The first day on which it no longer runs."""
        return self.last + _DAY


class Spell(NamedTuple):
    """A time in which a subscriber was subscribed without a day's break."""

    subscriber: str
    number: int  # 0 for the first one
    start: date
    left: date | None  # the first day without; None where it goes on as far as the books do
    periods: tuple[PaidPeriod, ...]


def read_periods(
    transactions: Sequence[Transaction], movements: Iterable[Movement]
) -> tuple[PaidPeriod, ...]:
    """The periods that stand, in the order of the books: those that were reversed are none."""
    billed: defaultdict[int, defaultdict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for each in movements:
        if each.flow is Flow.ALLOCATED and each.currency:
            billed[each.at][each.currency] += each.amount
    found = []
    for at, who, period in standing_periods(transactions):
        amounts = tuple(sorted(billed[at].items())) if at in billed else ()
        if invoiced := exchange_of(transactions[at].meta):  # lots carry what came back besides
            amounts = ((invoiced.currency, invoiced.charge),)
        plan, first, last, subscription, *parts = period
        found.append(PaidPeriod(first, last, who, subscription, plan, amounts, at, *parts))
    return tuple(found)


def spells_of(periods: Iterable[PaidPeriod], end: date) -> list[Spell]:
    """The spells of subscribers, by subscriber and day, as far as a day."""
    by_subscriber: defaultdict[str, list[PaidPeriod]] = defaultdict(list)
    for period in periods:
        if period.first <= end:
            by_subscriber[period.subscriber].append(period)
    found = []
    for name, of_one in sorted(by_subscriber.items()):
        number, after = 0, date.min
        among: list[PaidPeriod] = []
        for period in sorted(of_one, key=lambda each: (each.first, each.at)):
            if among and period.first > after:
                found.append(Spell(name, number, among[0].first, after, tuple(among)))
                number, among = number + 1, []
            among.append(period)
            after = max(after, period.after) if len(among) > 1 else period.after
        left = after if after <= end else None
        found.append(Spell(name, number, among[0].first, left, tuple(among)))
    return found


def monthly(period: PaidPeriod, terms: Terms) -> list[tuple[str, Decimal]]:
    """What a period is for a month, by currency, to the minor unit; a short one as a whole one."""
    plan = _plan(period, terms)
    found = []
    for currency, amount in period.billed:
        whole, months = amount, months_of(period, terms)
        if plan and period.prorated and amount == _share(plan, period.prorated):
            whole, months = plan.price, months_of(period._replace(prorated=""), terms)
        found.append((currency, round_money(WIDE.divide(whole, months), currency)))
    return found


def _share(plan: Plan, days: str) -> Decimal:
    """What some days of a period cost: 80.00 are 10 of the 30 days for 240.00."""
    return round_money(_part(plan.price, days), plan.currency)


def months_of(period: PaidPeriod, terms: Terms) -> Decimal:
    """How many months a period is paid for."""
    span = _span(period, terms)
    months = Decimal(span.months) if span.months else span.days / _DAYS_OF_A_MONTH
    return _part(months, period.prorated)


def months_run(period: PaidPeriod, terms: Terms) -> Decimal:
    """How many months a period lasts: until a change of plan, if there was one."""
    return _part(months_of(period, terms), period.ran)


def _part(whole: Decimal, days: str) -> Decimal:
    """The part of months, or of a price, that is for some days, "20/30"."""
    number, _, of_days = days.partition("/")
    return WIDE.divide(WIDE.multiply(whole, Decimal(number)), Decimal(of_days)) if days else whole


def _span(period: PaidPeriod, terms: Terms) -> Span:
    plan = _plan(period, terms)
    return plan.every if plan else ONE_MONTH


def _plan(period: PaidPeriod, terms: Terms) -> Plan | None:
    """The plan of a period, as it was on its first day."""
    return terms.plans[period.plan].on(period.first) if period.plan in terms.plans else None


def running(periods: Iterable[PaidPeriod], day: date) -> list[PaidPeriod]:
    """The periods that cover a day."""
    return [each for each in periods if each.first <= day <= each.last]


def sum_of(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """Amounts by currency."""
    found: dict[str, Decimal] = {}
    for currency, amount in amounts:
        found[currency] = found.get(currency, ZERO) + amount
    return found
