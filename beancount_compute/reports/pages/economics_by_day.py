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

from beancount_compute.economy.rounding import WIDE, ZERO
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.cohort_figures import Sum, Sums, first_month
from beancount_compute.reports.economics import economics, rows_of
from beancount_compute.reports.facts import SUMMED
from beancount_compute.reports.figures import Request, tabulate
from beancount_compute.reports.intervals import Interval, name_of
from beancount_compute.reports.tables import Table
from beancount_compute.reports.unused import Cohort

OF_MONTHS = (Interval.MONTH, Interval.QUARTER, Interval.YEAR)  # a cohort is of a month
_WHOLE = Decimal(1)


class EconomicsByDay:
    """What became of all cohorts, by day; of all subscribers together."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._sums: defaultdict[tuple[Sum, date], Decimal] = defaultdict(Decimal)
        with localcontext(WIDE):
            for (cohort, column, unit), number, movement in Sums(_WHOLE, books).each(
                books.movements
            ):
                everybody = Cohort(cohort.month, cohort.plan, "", cohort.commodity)
                self._sums[(everybody, column, unit), movement.date] += number

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
            return tabulate(layouts, rows_of(found, displaced, self._books, request))

    def _selected(
        self, selection: Selection, displaced: Decimal, interval: Interval
    ) -> Iterator[tuple[Sum, Decimal, int]]:
        sums: defaultdict[Sum, Decimal] = defaultdict(Decimal)
        first = first_month(selection)
        for ((cohort, column, unit), day), number in self._sums.items():
            if cohort.month < first or (selection.end is not None and day > selection.end):
                continue
            if selection.plan not in ("", cohort.plan):
                continue
            sums[cohort, column, unit] += number
        for (cohort, column, unit), number in sums.items():
            name = name_of(interval, date.fromisoformat(f"{cohort.month}-01"))
            named = cohort._replace(month=name)
            if column == "displaced":
                number *= displaced
            elif column == "outlay":  # the cost of use, and the sales displaced as a whole
                lost = -sums.get((cohort, "displaced", unit), ZERO)
                number = number - lost + lost * displaced
            yield (named, column, unit), number, SUMMED
