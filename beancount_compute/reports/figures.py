"""How reports add up: contributions in, tables out, and back from a cell to its contributions.

    ("units", ("pro", "CU"), "used", -200, 17)      ; table, row, column, what it adds, by which
                                                    ; transaction

A report is a `Layout` for each of its tables, and one function that yields contributions. The
normal run may yield sums of many transactions; asked for one cell, the same function yields each
transaction on its own, so that what is listed adds up to what is shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal, localcontext
from enum import StrEnum
from functools import cache
from itertools import compress
from operator import add
from typing import NamedTuple

from beancount_compute.collector import no_cyclic_garbage
from beancount_compute.economy.rounding import (
    PRICE_STEP,
    WIDE,
    ZERO,
    round_half_even,
    shares_of_total,
)
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.cells import Pen, writer
from beancount_compute.reports.facts import SUMMED
from beancount_compute.reports.sheets import EMPTY, Numbers, Sheet, summed
from beancount_compute.reports.tables import Cell, Column, Measure, Row, Table

Contribution = tuple[str, Row, str, Decimal, int]
Added = Mapping[str, Sheet]  # what was added up, by table
_Sums = defaultdict[str, Decimal]  # of a row, by column


class How(StrEnum):
    """How a figure comes from the contributions to its row."""

    SUM = "sum"
    KNOWN = "known"  # a sum; none where nothing contributes
    QUOTIENT = "quotient"  # of two columns, rounded half-even to 0.000001; none over zero
    LEAST = "least"
    MOST = "most"


class Figure(NamedTuple):
    """A column of figures. `of` names the columns that it is worked out from; its own if empty."""

    key: str
    title: str
    kind: Measure
    of: tuple[str, ...] = ()
    how: How = How.SUM

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns of contributions that it is worked out from."""
        return self.of or (self.key,)


class Layout(NamedTuple):
    """The columns of one table of a report: labels, then figures.

    A label with the key "currency" is the currency of the row's money and prices.
    """

    name: str
    title: str
    labels: tuple[Column, ...]
    figures: tuple[Figure, ...]
    keeps_zeros: bool = False  # whether rows without any figure but zero are shown


class Request(NamedTuple):
    """What a report is to yield: some of its tables; sums, or each transaction on its own."""

    tables: frozenset[str]
    each: bool = False  # each transaction on its own
    row: Row | None = None  # then only what concerns this row need be yielded

    def wants(self, *tables: str) -> bool:
        """Whether any of these tables is asked for."""
        return not self.tables.isdisjoint(tables)


class Asked(NamedTuple):
    """A cell whose transactions are asked for."""

    table: str
    row: Row
    column: str


class Report(NamedTuple):
    """A report: its tables, and what adds up to them."""

    name: str
    title: str
    layouts: Callable[[Books, Selection], Sequence[Layout]]
    contributions: Callable[[Books, Selection, Request], Iterable[Contribution]]
    needs_subscriber: bool = False
    added: Callable[[Books, Selection, Request], Added] | None = None  # the same, where quicker

    def tables(self, books: Books, selection: Selection, *names: str) -> list[Table]:
        """The tables of those names, or all; each costs time only if it is asked for."""
        layouts = [
            each for each in self.layouts(books, selection) if not names or each.name in names
        ]
        request = Request(frozenset([each.name for each in layouts]))
        with localcontext(WIDE), no_cyclic_garbage():
            if self.added:
                return tables_of(layouts, self.added(books, selection, request))
            return tabulate(layouts, self.contributions(books, selection, request))

    def trace(self, books: Books, selection: Selection, asked: Asked) -> list[tuple[int, Decimal]]:
        """The transactions behind a cell, in the order of the books, with what each adds to it.

        Raises `NotSummed` for a figure that no transactions add up to.
        """
        layouts = self.layouts(books, selection)
        layout = next(each for each in layouts if each.name == asked.table)
        request = Request(frozenset([layout.name]), each=True, row=asked.row)
        with localcontext(WIDE):
            return trace(layout, self.contributions(books, selection, request), asked)

    def sources(self, books: Books, selection: Selection) -> list[int]:
        """All transactions behind the figures, balances apart, in the order of the books."""
        names = [each.name for each in self.layouts(books, selection)]
        request = Request(frozenset(names), each=True)
        with localcontext(WIDE):
            found = {at for *_, at in self.contributions(books, selection, request)}
        return sorted(found - {SUMMED})


class NotSummed(Exception):
    """A figure that no transactions add up to, such as the days that are left."""


def tabulate(layouts: Iterable[Layout], contributions: Iterable[Contribution]) -> list[Table]:
    """The tables that contributions add up to; rows are sorted by their labels."""
    layouts = list(layouts)
    extremes = {
        source
        for layout in layouts
        for figure in layout.figures
        if figure.how in (How.LEAST, How.MOST)
        for source in figure.sources
    }
    found: defaultdict[str, defaultdict[Row, _Sums]]
    found = defaultdict(lambda: defaultdict(lambda: defaultdict(Decimal)))
    for table, row, column, number, _ in contributions:
        sums = found[table][row]
        if column in extremes:
            least, most = _of_extreme(How.LEAST, column), _of_extreme(How.MOST, column)
            sums[least] = min(number, sums.get(least, number))
            sums[most] = max(number, sums.get(most, number))
        else:
            sums[column] += number
    return tables_of(layouts, {each.name: _sheet(each, found[each.name]) for each in layouts})


def _sheet(layout: Layout, rows: Mapping[Row, _Sums]) -> Sheet:
    keys = dict.fromkeys([key for figure in layout.figures for key in _keys(figure)])
    return Sheet(list(rows), {key: [sums.get(key) for sums in rows.values()] for key in keys})


def tables_of(layouts: Iterable[Layout], added: Added) -> list[Table]:
    """The tables of what was added up; rows are sorted by their labels."""
    pen = Pen()
    return [_table(layout, added.get(layout.name, EMPTY), pen) for layout in layouts]


def _of_extreme(how: How, column: str) -> str:
    """Where the least or most of a column stands among the sums of a row."""
    return f"{how} {column}"


def _keys(figure: Figure) -> Sequence[str]:
    """Where the sums that a figure is worked out from stand in a sheet."""
    if figure.how in (How.LEAST, How.MOST):
        return [_of_extreme(figure.how, each) for each in figure.sources]
    return figure.sources


def _table(layout: Layout, sheet: Sheet, pen: Pen) -> Table:
    """A table, worked out and written column by column, for there may be thousands of rows."""
    sheet = sheet.in_order()
    rows, figures = sheet.rows, [_worked_out(each, sheet) for each in layout.figures]
    if not layout.keeps_zeros:
        kept = list(map(any, zip(*[each for each in figures if each is not None], strict=True)))
        if not kept or not all(kept):
            rows = list(compress(rows, kept))
            figures = [each and list(compress(each, kept)) for each in figures]
    currencies = _currencies(layout.labels, rows)
    cells = [
        pen.cells(figure.kind, numbers, currencies, none_is_zero=figure.how is How.SUM)
        for figure, numbers in zip(layout.figures, figures, strict=True)
    ]
    columns = [Column(figure.key, figure.title, figure.kind) for figure in layout.figures]
    whole = list(map(add, rows, zip(*cells, strict=True))) if cells else list(rows)
    return Table(layout.title, (*layout.labels, *columns), whole, layout.name)


def _currencies(columns: Sequence[Column], rows: Sequence[Row]) -> list[str]:
    """The currency that the labels of each row name; "" if none."""
    at = next((at for at, column in enumerate(columns) if column.key == "currency"), None)
    return [""] * len(rows) if at is None else [str(labels[at]) for labels in rows]


def currency_of(columns: Iterable[Column], labels: Row) -> str:
    """The currency that a row's labels name; "" if none."""
    for column, label in zip(columns, labels, strict=True):
        if column.key == "currency":
            return str(label)
    return ""


def _worked_out(figure: Figure, sheet: Sheet) -> Numbers | None:
    """A figure in every row; None where nothing was added to any of them."""
    found = [sheet.numbers.get(key) for key in _keys(figure)]
    if figure.how is How.QUOTIENT:
        above, below = found
        return below and _quotients(above or [ZERO] * len(below), below)
    added_to = [numbers for numbers in found if numbers is not None]
    return summed(added_to) if added_to else None


def _quotients(above: Numbers, below: Numbers) -> Numbers:
    """Quotients rounded half-even; None over zero. Many are zero or equal, and worked out once."""
    quotient = cache(_quotient)
    return [
        None if not under else quotient(over, under) if over else ZERO
        for over, under in zip(above, below, strict=True)
    ]


def _quotient(above: Decimal, below: Decimal) -> Decimal:
    return round_half_even(above / below, PRICE_STEP)


def written(kind: Measure, number: Decimal | None, currency: str) -> Cell:
    """A figure in its way of writing: money with the decimals of its currency at least."""
    return None if number is None else writer(kind, currency)(number)


def trace(
    layout: Layout, contributions: Iterable[Contribution], asked: Asked
) -> list[tuple[int, Decimal]]:
    """What the transactions add to a cell, one entry for each, in the order of the books."""
    figure = next(each for each in layout.figures if each.key == asked.column)
    if figure.kind is Measure.DAYS:
        raise NotSummed(f"{figure.key} is counted from a day, not summed from transactions")
    found = [
        (column, number, at)
        for table, row, column, number, at in contributions
        if table == asked.table and row == asked.row and column in figure.sources
    ]
    match figure.how:
        case How.SUM | How.KNOWN:
            return _by_transaction((at, number) for _, number, at in found)
        case How.QUOTIENT:
            return _shares_of_quotient(figure, found)
        case How.LEAST | How.MOST:
            pick = min if figure.how is How.LEAST else max
            numbers = [(number, at) for _, number, at in found]
            return [(at, number) for number, at in [pick(numbers)]] if numbers else []


def _by_transaction(found: Iterable[tuple[int, Decimal]]) -> list[tuple[int, Decimal]]:
    sums: defaultdict[int, Decimal] = defaultdict(Decimal)
    for at, number in found:
        sums[at] += number
    return [(at, sums[at]) for at in sorted(sums) if sums[at]]


def _shares_of_quotient(
    figure: Figure, found: list[tuple[str, Decimal, int]]
) -> list[tuple[int, Decimal]]:
    """What each transaction's part of the numerator adds to a quotient that was rounded."""
    above, below = figure.sources
    parts = _by_transaction((at, number) for column, number, at in found if column == above)
    over = sum([number for column, number, _ in found if column == below], ZERO)
    if not over:
        return []
    whole = sum([number for _, number in parts], ZERO)
    quotient = round_half_even(whole / over, PRICE_STEP)
    shares = shares_of_total(quotient, [number for _, number in parts], PRICE_STEP)
    return [(at, share) for (at, _), share in zip(parts, shares, strict=True)]
