"""How reports add up: contributions in, tables out, and back from a cell to its contributions.

    ("units", ("pro", "CU"), "used", -200, 17)      ; table, row, column, what it adds, by which
                                                    ; transaction

A report is a `Layout` for each of its tables, and one function that yields contributions. The
normal run may yield sums of many transactions; asked for one cell, the same function yields each
transaction on its own, so that what is listed adds up to what is shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, localcontext
from enum import StrEnum
from typing import NamedTuple

from beancount_compute.economy.rounding import (
    PRICE_STEP,
    WIDE,
    ZERO,
    decimals_of,
    round_half_even,
    shares_of_total,
    trim,
)
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.facts import SUMMED
from beancount_compute.reports.tables import Cell, Column, Kind, Table

Row = tuple[Cell, ...]  # the labels in front of a row
Contribution = tuple[str, Row, str, Decimal, int]


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
    kind: Kind
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

    def tables(self, books: Books, selection: Selection, *names: str) -> list[Table]:
        """The tables of those names, or all; each costs time only if it is asked for."""
        layouts = [
            each for each in self.layouts(books, selection) if not names or each.name in names
        ]
        request = Request(frozenset([each.name for each in layouts]))
        with localcontext(WIDE):
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


class _Row:
    """The contributions to a row: sums, and the extremes that some figures ask for."""

    __slots__ = ("least", "most", "sums")

    def __init__(self) -> None:
        self.sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.least: dict[str, Decimal] = {}
        self.most: dict[str, Decimal] = {}


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
    found: defaultdict[str, defaultdict[Row, _Row]] = defaultdict(lambda: defaultdict(_Row))
    for table, row, column, number, _ in contributions:
        sums = found[table][row]
        if column in extremes:
            sums.least[column] = min(number, sums.least.get(column, number))
            sums.most[column] = max(number, sums.most.get(column, number))
        else:
            sums.sums[column] += number
    return [_table(layout, found[layout.name]) for layout in layouts]


def _table(layout: Layout, found: dict[Row, _Row]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for labels in sorted(found, key=_sort_key):
        numbers = [_number(figure, found[labels]) for figure in layout.figures]
        if layout.keeps_zeros or any(numbers):
            currency = currency_of(layout.labels, labels)
            cells = [
                written(figure.kind, number, currency)
                for figure, number in zip(layout.figures, numbers, strict=True)
            ]
            rows.append((*labels, *cells))
    columns = [Column(figure.key, figure.title, figure.kind) for figure in layout.figures]
    return Table(layout.title, (*layout.labels, *columns), rows, layout.name)


def _sort_key(labels: Row) -> tuple[tuple[bool, Cell], ...]:
    return tuple([(label is None, "" if label is None else label) for label in labels])


def currency_of(columns: Iterable[Column], labels: Row) -> str:
    """The currency that a row's labels name; "" if none."""
    for column, label in zip(columns, labels, strict=True):
        if column.key == "currency":
            return str(label)
    return ""


def _number(figure: Figure, row: _Row) -> Decimal | None:
    sources = figure.sources
    match figure.how:
        case How.SUM:
            return sum([row.sums.get(source, ZERO) for source in sources], ZERO)
        case How.KNOWN:
            return row.sums.get(sources[0])
        case How.QUOTIENT:
            number, over = (row.sums.get(source, ZERO) for source in sources)
            return round_half_even(number / over, PRICE_STEP) if over else None
        case How.LEAST:
            return row.least.get(sources[0])
        case How.MOST:
            return row.most.get(sources[0])


def written(kind: Kind, number: Decimal | None, currency: str) -> Cell:
    """A figure in its way of writing: money with the decimals of its currency at least."""
    if number is None:
        return None
    match kind:
        case Kind.MONEY | Kind.PRICE:
            return trim(number, decimals_of(currency))
        case Kind.COUNT | Kind.DAYS:
            return int(number)
        case _:
            return trim(number, 0)


def trace(
    layout: Layout, contributions: Iterable[Contribution], asked: Asked
) -> list[tuple[int, Decimal]]:
    """What the transactions add to a cell, one entry for each, in the order of the books."""
    figure = next(each for each in layout.figures if each.key == asked.column)
    if figure.kind is Kind.DAYS:
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
