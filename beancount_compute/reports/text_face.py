"""Tables as a terminal shows them: every digit, decimal points aligned, units and currency named.

      pocket      allocations   tokens   total
      unit                 CU       CU      CU
     ─────────────────────────────────────────
      opening               0        0       0
      allocated         2,000        0   2,000

A table that is wider than the terminal is turned on its side, where it has few rows. Otherwise its
title names what all rows share, and what other columns tell or what is zero everywhere is left out;
if it still doesn't fit, it is shown in parts. What is left out is said. Ids and places are never
broken: where they don't fit, lines are longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from io import StringIO
from typing import NamedTuple

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from beancount_compute.reports.tables import Cell, Column, Kind, Table, shown

MOST_ON_SIDE = 6  # rows of a table that is turned on its side
_GAP = 3  # between two columns
_EDGE = 1  # beside the outer ones
_LEAST_TEXT = 12  # characters to which a column of text may shrink
_KEEP = "\ue000"  # a space that is not stripped; `shown` lets none pass


def render(tables: Iterable[Table], width: int) -> str:
    """The tables as text of at most that many columns; names wrap, figures never do."""
    out = StringIO()
    console = _console(out, width)
    for table in tables:
        if table.name and not table.rows:
            console.print(Text(f"{table.title}: none\n"))
            continue
        for part, note in _fitted(table, width):
            console.print(Text(part.title))
            wide = max(width, _needed(part)) if _has_ids(part) else width
            (console if wide == width else _console(out, wide)).print(_face(part))
            if note:
                console.print(Padding(Text(note), (0, 0, 1, 2)))
    lines = out.getvalue().replace(_KEEP, " ").rstrip().splitlines()
    return "\n".join(line.rstrip() for line in lines)


def _console(out: StringIO, width: int) -> Console:
    return Console(file=out, width=width, color_system=None, legacy_windows=False)


def _face(table: Table) -> RichTable:
    face = RichTable(box=SIMPLE_HEAD)
    for at, column in enumerate(table.columns):
        justify: JustifyMethod = "right" if _is_numeric(table, at) else "left"
        face.add_column(Text(column.title), justify=justify, no_wrap=_is_whole(column))
    cells = [_aligned(table, at) for at in range(len(table.columns))]
    for row in zip(*cells, strict=True):
        face.add_row(*[Text(cell, overflow="fold") for cell in row])
    return face


def _has_ids(table: Table) -> bool:
    return any(column.whole for column in table.columns)


def _is_whole(column: Column) -> bool:
    return column.whole or column.kind is not Kind.TEXT


def _is_numeric(table: Table, at: int) -> bool:
    return table.columns[at].is_figure or any(
        isinstance(row[at], int | Decimal) for row in table.rows
    )


def _aligned(table: Table, at: int) -> list[str]:
    """The cells of a column; numbers of one kind with their decimal points below each other."""
    cells = [shown(row[at]) for row in table.rows]
    if not table.columns[at].is_figure:
        return cells
    behind = [len(cell.partition(".")[2]) + ("." in cell) for cell in cells]
    other = [isinstance(row[at], str) for row in table.rows]  # see `_turned`
    most = max([own for own, apart in zip(behind, other, strict=True) if not apart], default=0)
    return [
        cell if apart else cell + _KEEP * (most - own)
        for cell, own, apart in zip(cells, behind, other, strict=True)
    ]


class _Shape(NamedTuple):
    table: Table
    note: str  # what is left out


def _fitted(table: Table, width: int) -> Iterator[_Shape]:
    """The table in the first shape that fits, or in parts that do."""
    narrowed = list(_narrower(_Shape(table, "")))
    for shape in (narrowed[0], *_turned(table), *narrowed[1:]):
        if _fits(shape.table, width):
            yield shape
            return
    yield from _parts(narrowed[-1], width)


def _widths(table: Table) -> list[int]:
    """The least width of each column: figures and dates in full, text down to a few characters."""
    found: list[int] = []
    for at, column in enumerate(table.columns):
        wraps = not _is_whole(column)
        widths = [
            min(cell_len(cell), _LEAST_TEXT)
            if wraps and isinstance(row[at], str)
            else cell_len(cell)
            for row, cell in zip(table.rows, _aligned(table, at), strict=True)
        ]
        found.append(max([*widths, *map(cell_len, column.title.split("\n"))]))
    return found


def _needed(table: Table) -> int:
    """The least width of the table."""
    widths = _widths(table)
    return sum(widths) + _GAP * len(widths) + _EDGE


def _fits(table: Table, width: int) -> bool:
    return _needed(table) <= width


def _turned(table: Table) -> Iterator[_Shape]:
    """The table with its figures as rows, and a column for each of its few rows.

    A list of single things, in which some columns may be left out, reads better as a list. Rates
    and prices become text: with their many decimals they would push the amounts aside.
    """
    labels = table.labels
    is_list = any(column.aside for column in table.columns)
    if is_list or len(table.rows) > MOST_ON_SIDE or labels == len(table.columns):
        return
    heads = ["\n".join(shown(cell) for cell in row[:labels]) for row in table.rows]
    rows: list[tuple[Cell, ...]] = [
        (_one_line(column.title), *(_beside_amounts(row[at], column.kind) for row in table.rows))
        for at, column in enumerate(table.columns)
        if at >= labels
    ]
    first = "\n".join(_one_line(column.title) for column in table.columns[:labels])
    figures = [Column(head, head, Kind.MONEY) for head in heads]
    yield _Shape(Table(table.title, (Column("", first), *figures), rows), "")


def _beside_amounts(cell: Cell, kind: Kind) -> Cell:
    apart = kind in (Kind.RATE, Kind.PRICE) and cell is not None
    return shown(cell) if apart else cell


def _narrower(shape: _Shape) -> Iterator[_Shape]:
    """The table with less and less beside it."""
    yield shape
    shape = _with_units_in_title(shape)
    yield shape
    for aside in sorted({column.aside for column in shape.table.columns} - {0}, reverse=True):
        columns = shape.table.columns
        shape = _without(shape, [at for at, each in enumerate(columns) if each.aside == aside])
        yield shape
    labels = shape.table.labels
    zeros = [
        at
        for at in range(labels, len(shape.table.columns))
        if not any(row[at] for row in shape.table.rows)
    ]
    if zeros:
        yield _without(shape, zeros)


def _with_units_in_title(shape: _Shape) -> _Shape:
    table = shape.table
    shared = [
        at
        for at, column in enumerate(table.columns)
        if column.key in ("commodity", "currency") and len({row[at] for row in table.rows}) == 1
    ]
    names = ", ".join(str(table.rows[0][at]) for at in shared)
    if not names:
        return shape
    kept = [at for at in range(len(table.columns)) if at not in shared]
    return shape._replace(table=table.only(kept)._replace(title=f"{table.title}, in {names}"))


def _without(shape: _Shape, gone: list[int]) -> _Shape:
    columns = shape.table.columns
    names = ", ".join(_one_line(columns[at].title) for at in gone)
    before = shape.note.removeprefix("Left out: ").removesuffix(".")
    note = f"Left out: {before}, {names}." if before else f"Left out: {names}."
    kept = [at for at in range(len(columns)) if at not in gone]
    return _Shape(shape.table.only(kept), note)


def _parts(shape: _Shape, width: int) -> Iterator[_Shape]:
    """The table in parts that repeat its labels, each as wide as may be."""
    table = shape.table
    widths = [each + _GAP for each in _widths(table)]
    front, part = list(range(table.labels)), list[int]()
    for at in range(len(front), len(widths)):
        if part and sum(widths[i] for i in (*front, *part, at)) + _EDGE > width:
            yield _Shape(table.only([*front, *part]), "")
            part = []
        part.append(at)
    yield _Shape(table.only([*front, *part]), shape.note)


def _one_line(title: str) -> str:
    return title.replace("\n", " ")
