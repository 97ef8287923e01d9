"""Plain tables: what every report gives, and how a terminal shows them.

    Table("Units", (Column("plan", "plan"), Column("used", "used", Kind.UNITS)), [("pro", -200)])

A table that is wider than the terminal is turned on its side where it has few rows; else columns
that hold nothing but zeros are left out, and the rest is shown in parts. Every digit is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import StrEnum
from io import StringIO
from typing import NamedTuple

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.table import Table as RichTable
from rich.text import Text

from beancount_compute.economy.rounding import decimals_of, trim
from beancount_compute.economy.words import printable

Cell = str | int | Decimal | None  # None: there is no such figure
MOST_ON_SIDE = 6  # rows of a table that is turned on its side
_GAP = 3  # between two columns
_LEAST_TEXT = 12  # characters to which a column of text may shrink
_KEEP = "\u00a0"  # a space that is not stripped


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    DATE = "date"
    UNITS = "units"
    MONEY = "money"
    PRICE = "price"  # money per unit
    RATE = "rate"  # a fraction
    COUNT = "count"
    DAYS = "days"


class Column(NamedTuple):
    """A column: a key that stays the same between versions, and a title for people."""

    key: str
    title: str
    kind: Kind = Kind.TEXT


class Table(NamedTuple):
    """A titled table. Numbers are exact; a face decides how it shows them."""

    title: str
    columns: tuple[Column, ...]
    rows: list[tuple[Cell, ...]]
    name: str = ""  # what tells it from the report's other tables


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


def money(number: Decimal, currency: str) -> Decimal:
    """An amount with the decimals of its currency, or as many more as it needs."""
    return trim(number, decimals_of(currency))


def render(tables: Iterable[Table], width: int) -> str:
    """The tables as text of at most that many columns; names wrap, figures never do."""
    out = StringIO()
    console = Console(file=out, width=width, color_system=None, legacy_windows=False)
    for table in tables:
        for part in _fitted(table, width):
            console.print(_face(part))
    lines = out.getvalue().replace(_KEEP, " ").rstrip().splitlines()
    return "\n".join(line.rstrip() for line in lines)


def _face(table: Table) -> RichTable:
    face = RichTable(
        box=SIMPLE_HEAD, title=Text(table.title), title_justify="left", title_style="bold"
    )
    for at, column in enumerate(table.columns):
        numeric = _is_numeric(table, at)
        justify: JustifyMethod = "right" if numeric else "left"
        face.add_column(Text(column.title), justify=justify, no_wrap=_is_typed(column))
    cells = [_aligned(table, at) for at in range(len(table.columns))]
    for row in zip(*cells, strict=True):
        face.add_row(*[Text(cell, overflow="fold") for cell in row])
    return face


def _is_typed(column: Column) -> bool:
    return column.kind not in (Kind.TEXT, Kind.DATE)


def _is_numeric(table: Table, at: int) -> bool:
    return any(isinstance(row[at], int | Decimal) for row in table.rows)


def _aligned(table: Table, at: int) -> list[str]:
    """The cells of a column; numbers of one kind with their decimal points below each other."""
    cells = [shown(row[at]) for row in table.rows]
    if not _is_typed(table.columns[at]):
        return cells
    behind = [len(cell.partition(".")[2]) + ("." in cell) for cell in cells]
    most = max(behind, default=0)
    return [cell + _KEEP * (most - own) for cell, own in zip(cells, behind, strict=True)]


def _widths(table: Table) -> list[int]:
    """The least width of each column: numbers in full, text down to a few characters."""
    found: list[int] = []
    for at, column in enumerate(table.columns):
        texts = [isinstance(row[at], str) for row in table.rows]
        widths = [
            min(cell_len(cell), _LEAST_TEXT) if is_text else cell_len(cell)
            for cell, is_text in zip(_aligned(table, at), texts, strict=True)
        ]
        found.append(max([*widths, *map(cell_len, column.title.split("\n"))]))
    return found


def _fits(table: Table, width: int) -> bool:
    widths = _widths(table)
    return sum(widths) + _GAP * len(widths) <= width


def _fitted(table: Table, width: int) -> Iterator[Table]:
    """The table in a shape that fits, or in parts that do."""
    if _fits(table, width):
        yield table
        return
    if 0 < len(table.rows) <= MOST_ON_SIDE:
        turned = _turned(table)
        if _fits(turned, width):
            yield turned
            return
    table = _without_zeros(table)
    if _fits(table, width):
        yield table
        return
    yield from _parts(table, width)


def _labels(table: Table) -> int:
    """How many columns in front name the row: those of text and dates."""
    figures = [at for at, column in enumerate(table.columns) if _is_typed(column)]
    return figures[0] if figures else len(table.columns)


def _turned(table: Table) -> Table:
    """The table with its figures as rows, and a column for each of its rows."""
    labels = _labels(table)
    heads = ["\n".join(shown(cell) for cell in row[:labels]) for row in table.rows]
    rows: list[tuple[Cell, ...]] = [
        (column.title.replace("\n", " "), *(row[at] for row in table.rows))
        for at, column in enumerate(table.columns)
        if at >= labels
    ]
    first = "\n".join(column.title for column in table.columns[:labels])
    kinds = {column.kind for column in table.columns[labels:]}
    kind = kinds.pop() if len(kinds) == 1 else Kind.MONEY
    figures = [Column(head, head, kind) for head in heads]
    return Table(table.title, (Column("", first), *figures), rows)


def _without_zeros(table: Table) -> Table:
    labels = _labels(table)
    kept = [
        at for at in range(len(table.columns)) if at < labels or any(row[at] for row in table.rows)
    ]
    return table._replace(
        columns=tuple([table.columns[at] for at in kept]),
        rows=[tuple([row[at] for at in kept]) for row in table.rows],
    )


def _parts(table: Table, width: int) -> Iterator[Table]:
    """The table in parts that repeat its labels, each as wide as may be."""
    labels = _labels(table)
    widths = [each + _GAP for each in _widths(table)]
    front, part = list(range(labels)), list[int]()
    for at in range(labels, len(widths)):
        if part and sum(widths[i] for i in (*front, *part, at)) > width:
            yield _only(table, [*front, *part])
            part = []
        part.append(at)
    yield _only(table, [*front, *part])


def _only(table: Table, kept: list[int]) -> Table:
    return table._replace(
        columns=tuple([table.columns[at] for at in kept]),
        rows=[tuple([row[at] for at in kept]) for row in table.rows],
    )
