"""Revenue: what was earned, by month, plan and subscriber.

    month              compute  breakage   fees  partner income  overage   total
    2026-05  USD        240.00      0.00   0.00            0.00     0.00  240.00
    2026-06  USD        280.00      0.00   6.25            0.00     0.00  286.25

Compute is the carrying amount of units used (ASC 606-10-55-46), with what the rounding of refunds
leaves; breakage that of units that lapsed. Fees, partner income and overage go to the plan of the
lots or of the overage price; the fee of a trade to the subscriber who paid it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from beancount_compute.economy.roles import Earning
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.facts import SUMMED, Income
from beancount_compute.reports.figures import Contribution, Figure, Layout, Report, Request
from beancount_compute.reports.tables import Column, Measure

_BY = {
    "month": Column("month", "month", Measure.DATE),
    "plan": Column("plan", "plan"),
    "subscriber": Column("subscriber", "subscriber"),
}
_CURRENCY = Column("currency", "currency")
Alike = tuple[Earning, str, str, str, str]  # its month, subscriber, plan and currency
Earned = tuple[Alike, Decimal, int]  # how much, by which transaction


_KEYS = {each: each.value.replace(" ", "_") for each in Earning}
_FIGURES = (
    *(Figure(_KEYS[each], each.value.replace(" ", "\n"), Measure.MONEY) for each in Earning),
    Figure("total", "total", Measure.MONEY, tuple(_KEYS.values())),
)


def _layouts(*_: object) -> list[Layout]:
    return [
        Layout(f"by-{name}", f"Revenue by {name}", (label, _CURRENCY), _FIGURES)
        for name, label in _BY.items()
    ]


def _contributions(books: Books, selection: Selection, request: Request) -> Iterator[Contribution]:
    by_month, by_plan = request.wants("by-month"), request.wants("by-plan")
    by_subscriber = request.wants("by-subscriber")
    incomes = selection.incomes(books, each=request.each or by_subscriber)
    found = _one_by_one(incomes) if request.each else _added_up(incomes)
    for (earning, month, subscriber, origin, currency), amount, at in found:
        column = _KEYS[earning]
        if by_month:
            yield "by-month", (month, currency), column, amount, at
        if by_plan:
            yield "by-plan", (origin, currency), column, amount, at
        if by_subscriber:
            yield "by-subscriber", (subscriber, currency), column, amount, at


def _one_by_one(incomes: Iterable[Income]) -> Iterator[Earned]:
    for each in incomes:
        key = (each.earning, each.month, each.subscriber, each.origin, each.currency)
        yield key, each.amount, each.at


def _added_up(incomes: Iterable[Income]) -> Iterator[Earned]:
    sums: dict[Alike, Decimal] = {}
    for _, month, earning, subscriber, origin, currency, amount, _, _, _, _ in incomes:
        key = (earning, month, subscriber, origin, currency)
        known = sums.get(key)
        sums[key] = amount if known is None else known + amount
    for key, amount in sums.items():
        yield key, amount, SUMMED


REVENUE = Report("revenue", "Revenue by kind", _layouts, _contributions)
