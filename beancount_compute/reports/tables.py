"""Plain tables: what every report gives.

    Table("Units", (Column("plan", "plan"), Column("used", "used", Measure.UNITS)), [("pro", -200)])

`text_face.py` shows them on a terminal, `exchange.py` writes them for other programs. Totals are
what rows add up to, for each unit and currency of which there are two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from beancount_compute.economy import ZERO, decimals_of, printable, round_money, trim

Cell = str | int | Decimal | None  # None: there is no such figure
Row = tuple[Cell, ...]  # the labels in front of a row
ColumnSums = Sequence[Decimal | None]  # of a column, one for each row; None where nothing was added
Pick = Callable[[Iterable[Decimal]], Decimal]


class Measure(StrEnum):
    """What a column holds."""

    TEXT = "text"
    DATE = "date"
    UNITS = "units"
    MONEY = "money"
    PRICE = "price"  # money per unit
    RATE = "rate"  # a fraction
    NUMBER = "number"  # of no unit, such as an exponent
    COUNT = "count"
    DAYS = "days"


class Column(NamedTuple):
    """A column: a key that stays the same between versions, and a title for people."""

    key: str
    title: str
    kind: Measure = Measure.TEXT
    aside: int = 0  # above zero: a narrow terminal may leave it out, the highest first
    whole: bool = False  # never broken into lines: an id, a place

    @property
    def is_figure(self) -> bool:
        """Whether it holds numbers of one kind."""
        return self.kind not in (Measure.TEXT, Measure.DATE)


DATE, MONTH = Column("date", "date", Measure.DATE), Column("month", "month", Measure.DATE)
PLAN, SUBSCRIBER = Column("plan", "plan"), Column("subscriber", "subscriber")
UNIT, CURRENCY = Column("commodity", "unit"), Column("currency", "currency")
_UNITS = (UNIT.key, CURRENCY.key)


class Table(NamedTuple):
    """A titled table. Numbers are exact; a face decides how it shows them."""

    title: str
    columns: tuple[Column, ...]
    rows: list[tuple[Cell, ...]]
    name: str = ""  # what tells it from the report's other tables
    totals: tuple[Row, ...] = ()  # of its rows, one for each unit and currency

    @property
    def labels(self) -> int:
        """How many columns in front name the row."""
        figures = [at for at, column in enumerate(self.columns) if column.is_figure]
        return figures[0] if figures else len(self.columns)

    def place(self, key: str) -> int:
        """Where the column of a key stands."""
        return next(at for at, column in enumerate(self.columns) if column.key == key)

    def by_key(self) -> list[dict[str, Cell]]:
        """Each row's cells by the keys of their columns."""
        keys = [column.key for column in self.columns]
        return [dict(zip(keys, row, strict=True)) for row in self.rows]

    def only(self, kept: list[int]) -> Table:
        """The table with some of its columns."""
        return self._replace(
            columns=tuple([self.columns[at] for at in kept]),
            rows=[tuple([row[at] for at in kept]) for row in self.rows],
            totals=tuple([tuple([row[at] for at in kept]) for row in self.totals]),
        )


TOTAL = "total"  # the first cell of a row that adds others up
NOT_NAMED = "(not named)"  # where a name would stand


def columns(*titles: str) -> tuple[Column, ...]:
    """Columns of text, or of numbers in various units."""
    return tuple([Column(title, title) for title in titles])


def shown(cell: Cell) -> str:
    """A cell as a person reads it: thousands separators, all the digits that it was given."""
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return f"{cell:,f}"
    return f"{cell:,}" if isinstance(cell, int) else printable(cell)


def counted(number: int, noun: str) -> str:
    """So many of something: 1 error, 2 errors."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def money(number: Decimal, currency: str) -> Decimal:
    """An amount with the decimals of its currency, or as many more as it needs."""
    return trim(number, decimals_of(currency))


def rounded(table: Table) -> Table:
    """The table for people: amounts rounded half-even to the minor unit of their row's currency."""
    currency = next((at for at, each in enumerate(table.columns) if each.key == "currency"), None)
    money_at = [at for at, each in enumerate(table.columns) if each.kind is Measure.MONEY]
    if currency is None or not money_at:
        return table
    known: defaultdict[Cell, dict[int, Cell]] = defaultdict(dict)  # most rows share their cells

    def whole(row: Row) -> Row:
        cells, done = list(row), known[row[currency]]
        for at in money_at:
            key = id(cells[at])
            if key not in done:
                done[key] = _to_minor_unit(cells[at], str(row[currency]))
            cells[at] = done[key]
        return tuple(cells)

    rows, totals = [whole(row) for row in table.rows], [whole(row) for row in table.totals]
    return table._replace(rows=rows, totals=tuple(totals))


def _to_minor_unit(cell: Cell, currency: str) -> Cell:
    if not isinstance(cell, Decimal):
        return cell
    amount = round_money(cell, currency)
    return amount or abs(amount)  # no -0.00


def writer(kind: Measure, currency: str) -> Callable[[Decimal], Cell]:
    """How numbers of a kind are written: money with its currency's decimals at least, and no -0."""
    match kind:
        case Measure.MONEY | Measure.PRICE:
            decimals = decimals_of(currency)
            return lambda number: trim(number or ZERO, decimals)
        case Measure.COUNT | Measure.DAYS:
            return int
        case Measure.UNITS | Measure.RATE | Measure.NUMBER | Measure.TEXT | Measure.DATE:
            return lambda number: trim(number or ZERO, 0)


def written(kind: Measure, number: Decimal | None, currency: str) -> Cell:
    """A figure in its way of writing: money with the decimals of its currency at least."""
    return None if number is None else writer(kind, currency)(number)


class Pen:
    """Writes columns of figures, each for rows of some currencies; "" for none.

    What it wrote once it remembers: thousands of rows have few different sums.
    """

    def __init__(self) -> None:
        self._written = cache(_Written)

    def cells(
        self,
        kind: Measure,
        numbers: ColumnSums | None,
        currencies: Sequence[str],
        *,
        none_is_zero: bool,
    ) -> list[Cell]:
        """The cells of figures, where None is either no figure or zero; no numbers are all None."""
        ways = {each: self._written(kind, each, none_is_zero) for each in set(currencies)}
        if len(ways) == 1:  # nearly always
            [way] = ways.values()
            if numbers is None:
                return [way[None]] * len(currencies)
            return list(map(way.__getitem__, numbers))
        numbers = numbers or [None] * len(currencies)
        return [ways[each][number] for each, number in zip(currencies, numbers, strict=True)]


class _Written(dict[Decimal | None, Cell]):
    """The cells of numbers in one way of writing."""

    def __init__(self, kind: Measure, currency: str, none_is_zero: bool) -> None:
        self._write = writer(kind, currency)
        super().__init__({None: self._write(ZERO) if none_is_zero else None})

    def __missing__(self, number: Decimal) -> Cell:
        cell = self[number] = self._write(number)
        return cell


def units_of(labels: Sequence[Column], row: Row) -> Row:
    """The unit and the currency of a row: what rows have alike whose figures add up."""
    return tuple([row[at] for at, each in enumerate(labels) if each.key in _UNITS])


def totals_of(
    labels: Sequence[Column],
    rows: Sequence[Row],
    sums: Mapping[str, ColumnSums],
    picks: Mapping[str, Pick | None],
) -> tuple[list[Row], dict[str, ColumnSums]]:
    """The labels of the totals, and the total of each column of contributions.

    `picks` has the columns that don't add up: the least of them is the least of all.
    """
    places: defaultdict[Row, list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        places[units_of(labels, row)].append(at)
    among = {units: of for units, of in sorted(places.items()) if len(of) > 1}
    totals: dict[str, ColumnSums] = {}
    for column, numbers in sums.items():
        pick = picks.get(column) or _sum
        known = [[numbers[at] for at in of if numbers[at] is not None] for of in among.values()]
        totals[column] = [pick(filter(None, of)) if any(of) else None for of in known]
    return [_labels_of(labels, units) for units in among], totals


def _sum(numbers: Iterable[Decimal]) -> Decimal:
    return sum(numbers, ZERO)


def _labels_of(labels: Sequence[Column], units: Row) -> Row:
    """The name of a total in front, its unit and currency where they stand."""
    left = iter(units)
    return (TOTAL, *[next(left) if each.key in _UNITS else "" for each in labels[1:]])
