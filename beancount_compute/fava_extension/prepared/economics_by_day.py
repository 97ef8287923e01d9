"""The economics report for any days, plan and interval, from sums that are made once.

    ("2026-06", pro), "use", USD, by 2026-06-20:  80.00

Every unit is followed from hand to hand once; what became of it is added up by cohort and by the
day on which it happened. Displaced sales are proportional to their share, so they are worked out
for the whole and multiplied.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, localcontext

from beancount_compute.economy.months import Month
from beancount_compute.economy.options import UNIT_COST
from beancount_compute.economy.rounding import WIDE
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.cohort_figures import Sum, Sums, first_month, signed
from beancount_compute.reports.economics import economics, rows_of
from beancount_compute.reports.facts import SUMMED
from beancount_compute.reports.figures import Request, tabulate
from beancount_compute.reports.intervals import Interval, name_of
from beancount_compute.reports.tables import Cell, Column, Table
from beancount_compute.reports.unused import Cohort

OF_MONTHS = (Interval.MONTH, Interval.QUARTER, Interval.YEAR)  # a cohort is of a month
_WHOLE = Decimal(1)
_What = tuple[str, str, str, str, str]  # month, plan and commodity of cohorts; what happened; unit
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
        self._sums: defaultdict[tuple[_What, date], Decimal] = defaultdict(Decimal)
        with localcontext(WIDE):
            for cohort, what, unit, number, movement in Sums(_WHOLE, books).each(books.movements):
                month, plan, _, commodity = cohort
                self._sums[(month, plan, commodity, what, unit), movement.date] += number

    def tables(
        self, selection: Selection, displaced: Decimal, interval: Interval, *names: str
    ) -> list[Table]:
        """The report's tables by month and plan; months may be put together."""
        layouts = [
            layout
            for layout in economics(displaced).layouts(self._books, selection)
            if layout.name in names
        ]
        request = Request(frozenset(names))
        with localcontext(WIDE):
            found = self._selected(selection, displaced, interval)
            tables = tabulate(layouts, rows_of(found, request))
        return [_by(interval, table) for table in tables]

    def _selected(
        self, selection: Selection, displaced: Decimal, interval: Interval
    ) -> Iterator[tuple[Sum, Decimal, int]]:
        sums: defaultdict[_What, Decimal] = defaultdict(Decimal)
        first = first_month(selection)
        for (happened, day), number in self._sums.items():
            month, plan, *_ = happened
            if month < first or (selection.end is not None and day > selection.end):
                continue
            if selection.plan not in ("", plan):
                continue
            sums[happened] += number
        for (month, plan, commodity, what, unit), number in sums.items():
            name = name_of(interval, Month.parse(month).first)
            everybody = Cohort(name, plan, "", commodity)
            if what == "displaced":
                number *= displaced
            for column, adds in signed(what, unit, number):
                yield (everybody, column, unit), adds, SUMMED
