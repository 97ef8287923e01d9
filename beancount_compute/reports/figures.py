"""What a report is: its tables, and one function that says what adds to which cell.

    ("units", ("pro", "CU"), "used", -200, 17)      ; table, row, column, what it adds, by which
                                                    ; transaction
    Adding("units", movements, ("origin", "commodity"), "flow", "units")     ; the same, by field

A report is a `Layout` for each of its tables, and one function that yields contributions. The
normal run may yield sums of many transactions; asked for one cell, the same function yields each
transaction on its own, so that what is listed adds up to what is shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, localcontext
from enum import StrEnum
from functools import cache
from itertools import compress
from operator import add, attrgetter
from typing import Any, NamedTuple, Protocol

from beancount_compute.collector import no_cyclic_garbage
from beancount_compute.economy import PRICE_STEP, WIDE, ZERO, round_half_even, shares_of_total
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.bulk_reach import books_of, shown
from beancount_compute.reports.facts import SUMMED
from beancount_compute.reports.fold import Fact, added_up, fold, pivot
from beancount_compute.reports.tables import (
    Column,
    ColumnSums,
    Measure,
    Pen,
    Pick,
    Row,
    Table,
    totals_of,
    units_of,
)

Single = tuple[str, Row, str, Decimal, int]
_Columns = Mapping[str, ColumnSums]  # of a table, by column of contributions


class Adding(NamedTuple):
    """Adding that add to a table: row, column and number are fields of theirs, and `at` is one."""

    table: str
    facts: Sequence[Any]
    row: tuple[str, ...]
    column: str
    number: str

    def singly(self) -> Iterator[Single]:
        """What each of them adds."""
        labels, adds = attrgetter(*self.row), attrgetter(self.column, self.number, "at")
        for each in self.facts:
            yield self.table, labels(each), *adds(each)


Contribution = Single | Adding


class How(StrEnum):
    """How a figure comes from the contributions to its row."""

    SUM = "sum"
    KNOWN = "known"  # a sum; none where nothing contributes
    QUOTIENT = "quotient"  # of two sums, rounded half-even to 0.000001; none over zero
    LEAST = "least"  # where transactions are added up, the report yields the least itself
    MOST = "most"

    @property
    def pick(self) -> Pick | None:
        """What takes one of several numbers, where they don't add up."""
        return min if self is How.LEAST else max if self is How.MOST else None


class Figure(NamedTuple):
    """A column of figures: what it adds up of the contributions to a row.

    `of` names their columns, with a minus those that it takes off; its own key if empty. A quotient
    divides by the sum of `over`.
    """

    key: str
    title: str
    kind: Measure
    of: tuple[str, ...] = ()
    how: How = How.SUM
    over: tuple[str, ...] = ()
    adds_up: bool = True  # whether rows have a total of it; balances of different days have none

    @property
    def signs(self) -> dict[str, int]:
        """The columns of contributions that it adds up (1), and those that it takes off (-1)."""
        return {
            source.removeprefix("-"): -1 if source[0] == "-" else 1
            for source in self.of or (self.key,)
        }


class Layout(NamedTuple):
    """The columns of one table of a report: labels, then figures.

    A label with the key "currency" is the currency of the row's money and prices.
    """

    name: str
    title: str
    labels: tuple[Column, ...]
    figures: tuple[Figure, ...]
    keeps_zeros: bool = False  # whether rows without any figure but zero are shown
    adds_up: bool = True  # whether its rows are parts of a whole, none of them the whole itself


class Request(NamedTuple):
    """What a report is to yield: some of its tables; sums, or each transaction on its own."""

    tables: frozenset[str]
    each: bool = False  # each transaction on its own
    row: Row | None = None  # then only what concerns this row need be yielded

    def wants(self, *tables: str) -> bool:
        """Whether any of these tables is asked for."""
        return not self.tables.isdisjoint(tables)

    def fold(self, facts: Sequence[Fact], by: Sequence[str], sums: Sequence[str]) -> Sequence[Fact]:
        """The facts, alike ones added up unless each transaction is asked for (`fold.fold`)."""
        return facts if self.each else fold(facts, by, sums)


class CellAsked(NamedTuple):
    """A cell whose transactions are asked for."""

    table: str
    row: Row
    column: str
    is_total: bool = False


class Report(NamedTuple):
    """A report: its tables, and what adds up to them."""

    name: str
    title: str
    layouts: Callable[[Books, Selection], Sequence[Layout]]
    contributions: Callable[[Books, Selection, Request], Iterable[Contribution]]
    needs_subscriber: bool = False
    of_sums: bool = False  # whether days of which many transactions are added up are enough

    def tables(self, books: Books, selection: Selection, *names: str) -> list[Table]:
        """The tables of those names, or all; each costs time only if it is asked for."""
        books = books_of(self, books, selection)
        layouts = [
            each
            for each in shown(self.layouts(books, selection), books)
            if not names or each.name in names
        ]
        request = Request(frozenset([each.name for each in layouts]))
        with localcontext(WIDE), no_cyclic_garbage():
            return tabulate(layouts, self.contributions(books, selection, request))

    def trace(
        self, books: Books, selection: Selection, asked: CellAsked
    ) -> list[tuple[int, Decimal]]:
        """The transactions behind a cell, in the order of the books, with what each adds to it.

        Raises `NotSummed` for a figure that no transactions add up to.
        """
        books = books_of(self, books, selection)
        layouts = shown(self.layouts(books, selection), books)
        layout = next(each for each in layouts if each.name == asked.table)
        request = Request(frozenset([layout.name]), each=True, row=asked.row)
        with localcontext(WIDE):
            return trace(layout, _singly(self.contributions(books, selection, request)), asked)

    def sources(self, books: Books, selection: Selection) -> list[int]:
        """All transactions behind the figures, balances apart, in the order of the books."""
        books = books_of(self, books, selection)
        names = [each.name for each in shown(self.layouts(books, selection), books)]
        request = Request(frozenset(names), each=True)
        with localcontext(WIDE):
            found = {at for *_, at in _singly(self.contributions(books, selection, request))}
        return sorted(found - {SUMMED})


class ReportLike(Protocol):
    """What can be asked for by the name of a report: one that adds up, or one of estimates."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def needs_subscriber(self) -> bool: ...
    @property
    def of_sums(self) -> bool: ...
    def layouts(self, books: Books, selection: Selection) -> Sequence[Layout]: ...
    def tables(self, books: Books, selection: Selection, *names: str) -> list[Table]: ...
    def sources(self, books: Books, selection: Selection) -> list[int]: ...
    def trace(
        self, books: Books, selection: Selection, asked: CellAsked
    ) -> list[tuple[int, Decimal]]: ...


def _singly(contributions: Iterable[Contribution]) -> Iterator[Single]:
    for each in contributions:
        yield from each.singly() if isinstance(each, Adding) else [each]


class NotSummed(Exception):
    """A figure that no transactions add up to, such as the days that are left."""


def tabulate(layouts: Iterable[Layout], contributions: Iterable[Contribution]) -> list[Table]:
    """The tables that contributions add up to; rows are sorted by their labels, None last."""
    found: defaultdict[str, tuple[list[Row], list[str], list[Decimal]]]
    found = defaultdict(lambda: ([], [], []))
    for each in contributions:
        if isinstance(each, Adding):
            rows, columns, numbers = found[each.table]
            rows += map(attrgetter(*each.row), each.facts)
            columns += map(attrgetter(each.column), each.facts)
            numbers += map(attrgetter(each.number), each.facts)
            continue
        table, row, column, number, _ = each
        rows, columns, numbers = found[table]
        rows.append(row)
        columns.append(column)
        numbers.append(number)
    pen = Pen()
    return [_table(layout, *_sums(*found[layout.name]), pen) for layout in layouts]


def _sums(
    rows: Sequence[Row], columns: Sequence[str], numbers: Sequence[Decimal]
) -> tuple[list[Row], _Columns]:
    """The different rows in order, and in each column of contributions the sums of every row."""
    different, sums = pivot(rows, columns, numbers)
    places = range(len(different))
    try:
        order = sorted(places, key=different.__getitem__)
    except TypeError:  # None stands beside text
        order = sorted(
            places, key=lambda at: [(each is None, each or "") for each in different[at]]
        )
    if order == list(places):
        return different, sums
    in_order = {column: [of[at] for at in order] for column, of in sums.items()}
    return [different[at] for at in order], in_order


def _table(layout: Layout, rows: list[Row], sums: _Columns, pen: Pen) -> Table:
    """A table, worked out and written column by column, for there may be thousands of rows."""
    figures = [_worked_out(each, sums) for each in layout.figures]
    if not layout.keeps_zeros:
        kept = list(map(any, zip(*[each for each in figures if each is not None], strict=True)))
        if not kept or not all(kept):
            rows = list(compress(rows, kept))
            figures = [each and list(compress(each, kept)) for each in figures]
            sums = {column: list(compress(of, kept)) for column, of in sums.items()}
    columns = [Column(figure.key, figure.title, figure.kind) for figure in layout.figures]
    return Table(
        layout.title,
        (*layout.labels, *columns),
        _written(layout, rows, figures, pen),
        layout.name,
        _totals(layout, rows, sums, pen),
    )


def _written(
    layout: Layout, rows: Sequence[Row], figures: Sequence[ColumnSums | None], pen: Pen
) -> list[Row]:
    """Rows with their figures as they are written."""
    currencies = _currencies(layout.labels, rows)
    cells = [
        pen.cells(figure.kind, numbers, currencies, none_is_zero=figure.how is How.SUM)
        for figure, numbers in zip(layout.figures, figures, strict=True)
    ]
    return list(map(add, rows, zip(*cells, strict=True))) if cells else list(rows)


def _totals(layout: Layout, rows: Sequence[Row], sums: _Columns, pen: Pen) -> tuple[Row, ...]:
    """The rows below the others; none where the rows are no parts of a whole."""
    if not layout.adds_up or not layout.figures:
        return ()
    picks = {column: each.how.pick for each in layout.figures for column in each.signs}
    labels, added = totals_of(layout.labels, rows, sums, picks)
    figures = [_worked_out(each, added) for each in layout.figures]
    written = [list(row) for row in _written(layout, labels, figures, pen)]
    for at, each in enumerate(layout.figures, start=len(layout.labels)):
        for row in written:
            row[at] = row[at] if each.adds_up else None
    return tuple(map(tuple, written))


def _currencies(columns: Sequence[Column], rows: Sequence[Row]) -> list[str]:
    """The currency that the labels of each row name; "" if none."""
    at = next((at for at, column in enumerate(columns) if column.key == "currency"), None)
    return [""] * len(rows) if at is None else [str(labels[at]) for labels in rows]


def _worked_out(figure: Figure, sums: _Columns) -> ColumnSums | None:
    """A figure in every row; None where nothing was added to any of them."""
    above = _added(figure.signs, sums)
    if figure.how is not How.QUOTIENT:
        return above
    below = _added(dict.fromkeys(figure.over, 1), sums)
    return below and _quotients(above or [ZERO] * len(below), below)


def _added(signs: Mapping[str, int], sums: _Columns) -> ColumnSums | None:
    """Columns added up, or taken off, row by row; None where there is none of them."""
    total: ColumnSums | None = None
    for column, sign in signs.items():
        if column not in sums:
            continue
        numbers = sums[column]
        if sign < 0:
            numbers = [number and -number for number in numbers]
        if total is not None:  # many a number is zero
            numbers = [
                (one + other if one else other) if other else one
                for one, other in zip(total, numbers, strict=True)
            ]
        total = numbers
    return total


def _quotients(above: ColumnSums, below: ColumnSums) -> ColumnSums:
    """Quotients rounded half-even; None over zero. Many are zero or equal, and worked out once."""

    @cache
    def quotient(over: Decimal, under: Decimal) -> Decimal:
        return round_half_even(over / under, PRICE_STEP)

    return [
        None if not under else quotient(over, under) if over else ZERO
        for over, under in zip(above, below, strict=True)
    ]


def trace(
    layout: Layout, contributions: Iterable[Single], asked: CellAsked
) -> list[tuple[int, Decimal]]:
    """What the transactions add to a cell, one entry for each, in the order of the books."""
    figure = next(each for each in layout.figures if each.key == asked.column)
    if figure.kind is Measure.DAYS:
        raise NotSummed(f"{figure.key} is counted from a day, not summed from transactions")
    units = units_of(layout.labels, asked.row) if asked.is_total else ()
    in_cell = [
        (column, number, at)
        for table, row, column, number, at in contributions
        if table == asked.table
        and (units_of(layout.labels, row) == units if asked.is_total else row == asked.row)
    ]
    signs = figure.signs
    found = [(at, number * signs[column]) for column, number, at in in_cell if column in signs]
    match figure.how:
        case How.SUM | How.KNOWN:
            return _by_transaction(found)
        case How.QUOTIENT:
            below = [number for column, number, _ in in_cell if column in figure.over]
            return _shares_of_quotient(_by_transaction(found), sum(below, ZERO))
        case How.LEAST | How.MOST:
            pick = min if figure.how is How.LEAST else max
            return [pick(found, key=lambda each: (each[1], each[0]))] if found else []


def _by_transaction(found: Iterable[tuple[int, Decimal]]) -> list[tuple[int, Decimal]]:
    found = sorted(found, key=lambda each: each[0])
    places, (sums,) = added_up([at for at, _ in found], [number for _, number in found])
    return [(at, number) for at, number in zip(places, sums, strict=True) if number]


def _shares_of_quotient(
    above: list[tuple[int, Decimal]], below: Decimal
) -> list[tuple[int, Decimal]]:
    """What each transaction's part of the numerator adds to a quotient that was rounded."""
    if not below:
        return []
    numbers = [number for _, number in above]
    quotient = round_half_even(sum(numbers, ZERO) / below, PRICE_STEP)
    shares = shares_of_total(quotient, numbers, PRICE_STEP)
    return [(at, share) for (at, _), share in zip(above, shares, strict=True)]
