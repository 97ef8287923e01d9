"""Vintages: when what was paid for in a month became revenue, and what is still deferred.

    vintage          added  earlier  2026-05  2026-06  otherwise  deferred
    2026-05  USD    400.00     0.00   240.00    80.00       0.00     80.00
    2026-06  USD    400.00     0.00     0.00   200.00       0.00    200.00

A lot keeps its date through mints, trades and transfers; the month of that date is its vintage.
Each row adds up: added = earlier + the months + otherwise + deferred. `earlier` is what was
recognised before the first day of the selection, `otherwise` what left deferred revenue without
being recognised as revenue or breakage: spent with partners, refunded, returned by a change of
plan, removed by hand. Two more tables show revenue and breakage apart.
"""

from __future__ import annotations

from collections.abc import Iterator

from beancount_compute.economy import COMING, EARNED_BY_LOTS, RELEASING, Earning, Kind
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.figures import Contribution, Figure, Layout, Report, Request
from beancount_compute.reports.tables import CURRENCY, Column, Measure

_LABELS = (Column("vintage", "vintage", Measure.DATE), CURRENCY)
_TABLES = {
    earning: "revenue" if earning is Earning.COMPUTE else earning.value
    for earning, _ in EARNED_BY_LOTS.values()
}
_RESIDUES = [(kind, Earning.COMPUTE) for kind in (Kind.REFUND, Kind.CHANGE)]  # of rounding
_OTHERWISE = [flow for flow in RELEASING if flow not in EARNED_BY_LOTS]


def _layouts(books: Books, selection: Selection) -> list[Layout]:
    """A column for each month in which something was recognised."""
    incomes = selection.incomes(books, each=False)
    tables = [name for earning, name in _TABLES.items() if earning in books.earnings]
    found = sorted({each.month for each in incomes if each.earning in _TABLES})
    months = [Figure(month, month, Measure.MONEY) for month in ("earlier", *found)]
    added, *left = [Figure(key, key, Measure.MONEY) for key in ("added", "otherwise", "deferred")]
    total = Figure("total", "total", Measure.MONEY, ("earlier", *found))
    whole = (added, *months, *left)
    parts = [
        Layout(name, f"{name.capitalize()} by vintage", _LABELS, (*months, total))
        for name in tables
    ]
    return [Layout("recognised", "Revenue and breakage by vintage", _LABELS, whole), *parts]


def _contributions(books: Books, selection: Selection, request: Request) -> Iterator[Contribution]:
    incomes = selection._replace(start=None).incomes(books, each=request.each)
    for earlier, among in zip((True, False), selection.split(incomes), strict=True):
        for income in among:
            if income.lot is None or income.earning not in _TABLES:
                continue
            row, amount = (income.lot.month, income.currency), income.amount
            column = "earlier" if earlier else income.month
            yield _TABLES[income.earning], row, column, amount, income.at
            yield "recognised", row, column, amount, income.at
            if (income.kind, income.earning) in _RESIDUES:  # it was recognised after all
                yield "recognised", row, "otherwise", -amount, income.at
    if not request.wants("recognised"):
        return
    for each in selection.movements(books, each=request.each):
        if each.currency:
            row = (each.lot.month, each.currency)
            yield "recognised", row, "deferred", each.amount, each.at
            if each.flow in COMING:
                yield "recognised", row, "added", each.amount, each.at
            elif each.flow in _OTHERWISE:
                yield "recognised", row, "otherwise", -each.amount, each.at


VINTAGES = Report(
    "vintages", "Revenue and breakage by vintage", _layouts, _contributions, of_sums=True
)
