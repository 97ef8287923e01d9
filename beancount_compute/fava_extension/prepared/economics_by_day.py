"""The economics report for any days, plan and interval, from sums that are made once.

    ("2026-06", pro), "use", USD, by 2026-06-20:  80.00

Every unit is followed from hand to hand once; what became of it is added up by cohort and by the
day on which it happened. Displaced sales are proportional to their share, so they are worked out
for the whole and multiplied.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal, localcontext

from beancount_compute.economy import UNIT_COST, WIDE, Month
from beancount_compute.reports import (
    Books,
    Cell,
    Column,
    Interval,
    Request,
    Selection,
    Table,
    fold,
    name_of,
    tabulate,
)
from beancount_compute.reports.cohort_figures import Happened, has_bills, what_became
from beancount_compute.reports.economics import COST_OF_USE, cells_of, selected
from beancount_compute.reports.registry import economics

OF_MONTHS = (Interval.MONTH, Interval.QUARTER, Interval.YEAR)  # a cohort is of a month
_WHOLE = Decimal(1)
_SUMS = ("units", "amount")
_ASSUMPTIONS = (Column("assumption", "assumption"), Column("value", "value"))


def _by(interval: Interval, table: Table) -> Table:
    """The table under the name of its interval, where months are put together."""
    if interval is Interval.MONTH or not table.name.endswith("-by-month"):
        return table
    first = table.columns[0]._replace(title=str(interval))
    title = table.title.removesuffix("month") + interval
    return table._replace(title=title, columns=(first, *table.columns[1:]))


def assumed(books: Books, selection: Selection, displaced: Decimal) -> Table:
    """What the figures of some days rest on besides the books: the unit costs in force on them."""
    share = f"{displaced:f} of the units bought would have been overage"
    rows: list[tuple[Cell, ...]] = [("displaced sales", share if displaced else "none")]
    if has_bills(books.terms):
        rows.append(COST_OF_USE)
    start = (
        Month.of(selection.start).first if selection.start else date.min
    )  # cohorts are of months
    end = selection.end or date.max
    costs = list(books.terms.timeline(UNIT_COST).items())
    ends = [*[day for day, _ in costs[1:]], date.max]
    in_force = [
        (f"unit cost from {day}", f"{cost.number:f} {cost.currency} a unit used")
        for (day, cost), until in zip(costs, ends, strict=False)
        if day <= end and until > start
    ]
    none = "none is given (compute-option unit-cost): counted as 0"
    rows += in_force or [("unit cost", none)]
    return Table("Assumptions", _ASSUMPTIONS, rows, "assumptions")


class EconomicsByDay:
    """What became of all cohorts, by day; of all subscribers together."""

    def __init__(self, books: Books) -> None:
        self._books = books
        keys = ("date", "month", "plan", "commodity", "what", "currency")
        with localcontext(WIDE):
            happened = what_became(books, books.movements, _WHOLE)
            self._happened = fold(happened, keys, _SUMS)

    def tables(
        self, selection: Selection, displaced: Decimal, interval: Interval, *names: str
    ) -> list[Table]:
        """The report's tables by month and plan; months may be put together."""
        layouts = [
            layout
            for layout in economics(displaced).layouts(self._books, selection)
            if layout.name in names
        ]
        end = selection.end or date.max
        so_far = selected([each for each in self._happened if each.date <= end], selection)
        with localcontext(WIDE):
            found = fold(so_far, ("month", "plan", "commodity", "what", "currency"), _SUMS)
            found = [_as_asked(each, displaced, interval) for each in found]
            tables = tabulate(layouts, cells_of(found, Request(frozenset(names))))
        return [_by(interval, table) for table in tables]


def _as_asked(happened: Happened, displaced: Decimal, interval: Interval) -> Happened:
    """What happened, under the name of an interval, and with the share of displaced sales."""
    share = displaced if happened.what == "displaced" else _WHOLE
    name = name_of(interval, Month.parse(happened.month).first)
    return happened._replace(month=name, amount=happened.amount * share)
