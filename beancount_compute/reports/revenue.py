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

from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.facts import SUMMED, Earning, Income
from beancount_compute.reports.figures import Contribution, Figure, Layout, Report, Request
from beancount_compute.reports.tables import Column, Kind

_BY = {
    "month": Column("month", "month", Kind.DATE),
    "plan": Column("plan", "plan"),
    "subscriber": Column("subscriber", "subscriber"),
}
_CURRENCY = Column("currency", "currency")
Earned = tuple[str, str, Earning, Decimal, int]  # who, currency, kind, amount, by which transaction


_KEYS = {each: each.value.replace(" ", "_") for each in Earning}
_FIGURES = (
    *(Figure(_KEYS[each], each.value.replace(" ", "\n"), Kind.MONEY) for each in Earning),
    Figure("total", "total", Kind.MONEY, tuple(_KEYS.values())),
)


def _layouts(*_: object) -> list[Layout]:
    return [
        Layout(f"by-{name}", f"Revenue by {name}", (label, _CURRENCY), _FIGURES)
        for name, label in _BY.items()
    ]


def _contributions(books: Books, selection: Selection, request: Request) -> Iterator[Contribution]:
    if request.wants("by-month", "by-plan"):
        for each in selection.incomes(books, each=request.each):
            column = _KEYS[each.earning]
            yield "by-month", (each.month, each.currency), column, each.amount, each.at
            yield "by-plan", (each.origin, each.currency), column, each.amount, each.at
    if request.wants("by-subscriber"):
        incomes = selection.incomes(books)
        for who, currency, earning, amount, at in (
            _one_by_one(incomes) if request.each else _added_up(incomes)
        ):
            yield "by-subscriber", (who, currency), _KEYS[earning], amount, at


def _one_by_one(incomes: Iterable[Income]) -> Iterator[Earned]:
    for each in incomes:
        yield each.subscriber, each.currency, each.earning, each.amount, each.at


def _added_up(incomes: Iterable[Income]) -> Iterator[Earned]:
    sums: dict[tuple[str, str, Earning], Decimal] = {}
    for _, _, earning, subscriber, _, currency, amount, _, _, _, _ in incomes:
        key = (subscriber, currency, earning)
        known = sums.get(key)
        sums[key] = amount if known is None else known + amount
    for key, amount in sums.items():
        yield *key, amount, SUMMED


REVENUE = Report("revenue", "Revenue by kind", _layouts, _contributions)
