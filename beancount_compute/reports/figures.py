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
from functools import cache, partial
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
from beancount_compute.reports.books import Books, Selection, no_cyclic_garbage
from beancount_compute.reports.facts import SUMMED
from beancount_compute.reports.tables import Cell, Column, Kind, Table

Row = tuple[Cell, ...]  # the labels in front of a row
Contribution = tuple[str, Row, str, Decimal, int]
Sums = defaultdict[str, Decimal]  # of a row, by column
Added = defaultdict[str, defaultdict[Row, Sums]]  # what was added up, by table and row


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
    found: Added = defaultdict(new_rows)
    for table, row, column, number, _ in contributions:
        sums = found[table][row]
        if column in extremes:
            least, most = _of_extreme(How.LEAST, column), _of_extreme(How.MOST, column)
            sums[least] = min(number, sums.get(least, number))
            sums[most] = max(number, sums.get(most, number))
        else:
            sums[column] += number
    return tables_of(layouts, found)


def new_sums() -> Sums:
    """A row, to add up in."""
    return defaultdict(Decimal)


def new_rows() -> defaultdict[Row, Sums]:
    """The rows of a table, to add up in."""
    return defaultdict(new_sums)


def tables_of(layouts: Iterable[Layout], added: Added) -> list[Table]:
    """The tables of what was added up; rows are sorted by their labels."""
    return [_table(layout, added[layout.name]) for layout in layouts]


def _of_extreme(how: How, column: str) -> str:
    """Where the least or most of a column stands among the sums of a row."""
    return f"{how} {column}"


def _table(layout: Layout, found: dict[Row, Sums]) -> Table:
    """A table; what is the same for all its rows is looked up once, for there may be thousands."""
    readers = [_reader(figure) for figure in layout.figures]
    writers = cache(partial(_writers, layout))
    rows: list[tuple[Cell, ...]] = []
    for labels in _in_order(found):
        sums = found[labels]
        numbers = [read(sums) for read in readers]
        if layout.keeps_zeros or any(numbers):
            cells = [
                zero if number is ZERO else None if number is None else write(number)
                for number, (write, zero) in zip(
                    numbers, writers(currency_of(layout.labels, labels)), strict=True
                )
            ]
            rows.append((*labels, *cells))
    columns = [Column(figure.key, figure.title, figure.kind) for figure in layout.figures]
    return Table(layout.title, (*layout.labels, *columns), rows, layout.name)


def _in_order(found: Iterable[Row]) -> list[Row]:
    """Rows sorted by their labels; only where one of these is None do they need a key."""
    rows = list(found)
    return sorted(rows, key=_sort_key if any(None in labels for labels in rows) else None)


def _sort_key(labels: Row) -> tuple[tuple[bool, Cell], ...]:
    return tuple([(label is None, "" if label is None else label) for label in labels])


def currency_of(columns: Iterable[Column], labels: Row) -> str:
    """The currency that a row's labels name; "" if none."""
    for column, label in zip(columns, labels, strict=True):
        if column.key == "currency":
            return str(label)
    return ""


def _reader(figure: Figure) -> Callable[[Sums], Decimal | None]:
    """What works a figure out from the sums of a row; `ZERO` itself where nothing was added."""
    first, *others = sources = figure.sources
    match figure.how:
        case How.SUM if others:
            return lambda sums: sum([sums[each] for each in sources if each in sums], ZERO)
        case How.SUM:
            return lambda sums: sums.get(first, ZERO)
        case How.KNOWN:
            return lambda sums: sums.get(first)
        case How.QUOTIENT:
            return partial(_quotient, first, others[0])
        case How.LEAST | How.MOST:
            extreme = _of_extreme(figure.how, first)
            return lambda sums: sums.get(extreme)


def _quotient(above: str, below: str, sums: Sums) -> Decimal | None:
    over = sums.get(below)
    return round_half_even(sums.get(above, ZERO) / over, PRICE_STEP) if over else None


def _writers(layout: Layout, currency: str) -> list[tuple[Callable[[Decimal], Cell], Cell]]:
    """How the figures of rows in a currency are written; and how a zero is."""
    found = [_writer(figure.kind, currency) for figure in layout.figures]
    return [(write, write(ZERO)) for write in found]


def _writer(kind: Kind, currency: str) -> Callable[[Decimal], Cell]:
    match kind:
        case Kind.MONEY | Kind.PRICE:
            decimals = decimals_of(currency)
            return lambda number: trim(number, decimals)
        case Kind.COUNT | Kind.DAYS:
            return int
        case _:
            return lambda number: trim(number, 0)


def written(kind: Kind, number: Decimal | None, currency: str) -> Cell:
    """A figure in its way of writing: money with the decimals of its currency at least."""
    return None if number is None else _writer(kind, currency)(number)


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
