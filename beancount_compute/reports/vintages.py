"""Vintages: when what was paid for in a month became revenue, and what is still deferred.

    vintage          added  earlier  2026-05  2026-06  otherwise  deferred
    2026-05  USD    400.00     0.00   240.00    80.00       0.00     80.00
    2026-06  USD    400.00     0.00     0.00   200.00       0.00    200.00

A lot keeps its date through mints, trades and transfers; the month of that date is its vintage.
Each row adds up: added = earlier + the months + otherwise + deferred. `earlier` is what was
recognised before the first day of the selection, `otherwise` what left deferred revenue without
being recognised as revenue or breakage: spent with partners, refunded, removed by hand. Two more
tables show revenue and breakage apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from beancount_compute.economy.kinds import Flow, Kind
from beancount_compute.economy.roles import Earning
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.facts import Income
from beancount_compute.reports.figures import Contribution, Figure, Layout, Report, Request
from beancount_compute.reports.tables import Column, Measure

_LABELS = (Column("vintage", "vintage", Measure.DATE), Column("currency", "currency"))
_TABLES = {Earning.COMPUTE: "revenue", Earning.BREAKAGE: "breakage"}
_IN = (Flow.OPENING, Flow.ALLOCATED, Flow.TOPPED_UP, Flow.GRANTED)
_OTHERWISE = (Flow.SPENT, Flow.REFUNDED, Flow.REMOVED)


def _layouts(books: Books, selection: Selection) -> list[Layout]:
    """A column for each month in which something was recognised."""
    incomes = selection.incomes(books, each=False)
    found = {each.month for each in incomes if each.earning in _TABLES}
    months = tuple([Figure(month, month, Measure.MONEY) for month in sorted(found)])
    earlier = Figure("earlier", "earlier", Measure.MONEY)
    every = ("earlier", *sorted(found))
    whole = Layout(
        "recognised",
        "Revenue and breakage by vintage",
        _LABELS,
        (
            Figure("added", "added", Measure.MONEY),
            earlier,
            *months,
            Figure("otherwise", "otherwise", Measure.MONEY),
            Figure("deferred", "deferred", Measure.MONEY),
        ),
    )
    parts = [
        Layout(
            name,
            f"{name.capitalize()} by vintage",
            _LABELS,
            (earlier, *months, Figure("total", "total", Measure.MONEY, every)),
        )
        for name in _TABLES.values()
    ]
    return [whole, *parts]


def _contributions(books: Books, selection: Selection, request: Request) -> Iterator[Contribution]:
    for income in selection._replace(start=None).incomes(books, each=request.each):
        if income.lot is not None:
            yield from _of_income(income, selection.start)
    if not request.wants("recognised"):
        return
    for each in selection.movements(books, each=request.each):
        if each.currency:
            row = (each.lot.month, each.currency)
            yield "recognised", row, "deferred", each.amount, each.at
            if each.flow in _IN:
                yield "recognised", row, "added", each.amount, each.at
            elif each.flow in _OTHERWISE:
                yield "recognised", row, "otherwise", -each.amount, each.at


def _of_income(income: Income, start: date | None) -> Iterator[Contribution]:
    _, month, earning, _, _, currency, amount, lot, at, _, kind = income
    name = _TABLES.get(earning)
    if name is None or lot is None:
        return
    row = (lot.month, currency)
    column = "earlier" if start is not None and income.date < start else month
    yield name, row, column, amount, at
    yield "recognised", row, column, amount, at
    if kind == Kind.REFUND:  # what its rounding left was recognised after all
        yield "recognised", row, "otherwise", -amount, at


VINTAGES = Report("vintages", "Revenue and breakage by vintage", _layouts, _contributions)
