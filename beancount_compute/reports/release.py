"""The forward release: in which month what is deferred becomes revenue or breakage at the latest.

    at 2026-06-30    allocations  tokens   total
    2027-06    USD          0.00   80.00   80.00      ; May's units, tokens until 1 June 2027
    2027-07    USD        200.00    0.00  200.00      ; June's, which are to become tokens on 1 July

A limit and no forecast: use comes sooner. The month is that of the day on which a lot's units can
no longer be used and lapse, of an allocation that will be minted that of its tokens; what has no
end stands on a line of its own. All lines together are deferred revenue. The disclosure
(`reports/disclosure.py`) shows the same amounts in bands, by the last day of use, a day earlier.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from beancount_compute.economy import POCKETS, Pocket
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.figures import Contribution, Figure, Layout, Report, Request
from beancount_compute.reports.remaining import ends_of_all, month_of
from beancount_compute.reports.tables import CURRENCY, MONTH, Measure


def _layouts(books: Books, selection: Selection) -> list[Layout]:
    access = books.terms.sell_access
    pockets = tuple(each.value for each in POCKETS.values() if access or each is not Pocket.ACCESS)
    figures = [Figure(pocket, pocket, Measure.MONEY) for pocket in pockets]
    figures.append(Figure("total", "total", Measure.MONEY, pockets))
    day = selection.end or books.last_day or ""
    title = f"Deferred revenue at {day}, by the month of its release at the latest"
    return [Layout("by-month", title, (MONTH, CURRENCY), tuple(figures))]


def _contributions(books: Books, selection: Selection, request: Request) -> Iterator[Contribution]:
    day = selection.day_of(books)
    movements = selection.movements(books, each=request.each)
    folded = request.fold(movements, ("pocket", "lot"), ("amount",))
    for each, end, amount in ends_of_all(folded, books.terms, day):
        if end is not None and each.pocket is Pocket.ACCESS:
            end -= timedelta(1)  # earned in the evening before
        row = (month_of(end, day), each.lot.currency)
        yield "by-month", row, each.pocket.value, amount, each.at


RELEASE = Report(
    "release", "Forward release of deferred revenue", _layouts, _contributions, of_sums=True
)
