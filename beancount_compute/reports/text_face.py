"""Tables as a terminal shows them: decimal points aligned, units and currency named, totals last.

      pocket      allocations   tokens   total
      unit                 CU       CU      CU
     ─────────────────────────────────────────
      opening               0        0       0
      allocated         2,000        0   2,000

Amounts are rounded to the minor unit of their currency (CSV and JSON hold every digit). A table
that is wider than the terminal is turned on its side, where it has few rows. Otherwise its title
names what all rows share, and what other columns tell or what is zero everywhere is left out; if it
still doesn't fit, it is shown in parts. What is left out is said. Texts wrap between words, and a
name is broken only where no figure would fit beside it. Figures, dates, ids and places are never
broken: where they don't fit, lines are longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from beancount_compute.reports.tables import Cell, Column, Measure, Table, rounded, shown
from beancount_compute.reports.text_columns import (
    GAPS,
    INDENT,
    TextColumn,
    across,
    lines_of,
    text_column,
    wrapped,
)

MOST_ON_SIDE = 6  # rows of a table that is turned on its side


def render(tables: Iterable[Table], width: int) -> str:
    """The tables as text that fits a terminal of that width."""
    lines: list[str] = []
    for table in tables:
        if table.name and not table.rows:
            lines += [*wrapped(f"{table.title}: none", width), ""]
            continue
        for shape in _fitted(rounded(table), width):
            columns = lines_of(shape.columns, width, shape.gap, shape.totals)
            lines += [*wrapped(shape.title, width), "", *columns, ""]
            if shape.left_out:
                note = f"Left out: {', '.join(shape.left_out)}."
                lines += [INDENT + line for line in wrapped(note, width - len(INDENT))]
                lines.append("")
    return "\n".join([line.rstrip() for line in lines]).rstrip()


class _Shape(NamedTuple):
    """A table, or some of its columns."""

    title: str
    columns: list[TextColumn]
    totals: int = 0  # of the rows, at the end
    left_out: tuple[str, ...] = ()
    gap: int = GAPS[0]

    def breaking(self) -> _Shape:
        """The same with names that may break."""
        return self._replace(columns=[each.breaking() for each in self.columns])


def _fitted(table: Table, width: int) -> Iterator[_Shape]:
    """The table in the first shape that fits, or in parts that do; names stay whole if they can."""
    whole = _laid_out(table)
    shapes = [whole, *_turned(table), *_narrower(whole, table)]
    for tried in (shapes, [each.breaking() for each in shapes]):
        for shape in tried:
            for gap in _gaps(shape):
                if _fits(shape.columns, width, gap):
                    yield shape._replace(gap=gap)
                    return
        last = tried[-1]._replace(gap=_gaps(tried[-1])[-1])
        if _fits_in_parts(last, width):
            break
    yield from _parts(last, width)


def _gaps(shape: _Shape) -> Sequence[int]:
    """Columns come closer to each other where that helps; beside ids lines may be longer."""
    return GAPS[:1] if any(each.column.whole for each in shape.columns) else GAPS


def _laid_out(table: Table) -> _Shape:
    columns = [text_column(*each) for each in _by_column(table)]
    return _Shape(table.title, columns, len(table.totals))


def _by_column(table: Table) -> Iterator[tuple[Column, tuple[Cell, ...]]]:
    """Each column with its cells, those of totals too; without rows it has none."""
    cells = list(zip(*table.rows, *table.totals, strict=True)) or [()] * len(table.columns)
    return zip(table.columns, cells, strict=True)


def _fits(columns: list[TextColumn], width: int, gap: int) -> bool:
    return across([each.least for each in columns], gap) <= width


def _turned(table: Table) -> Iterator[_Shape]:
    """The table with its figures as rows, and a column for each of its few rows.

    A list of single things, in which some columns may be left out, reads better as a list. Rates
    and prices become text: with their many decimals they would push the amounts aside.
    """
    labels, rows_and_totals = table.labels, [*table.rows, *table.totals]
    is_list = any(column.aside for column in table.columns)
    if is_list or len(rows_and_totals) > MOST_ON_SIDE or labels == len(table.columns):
        return
    heads = ["\n".join(shown(cell) for cell in row[:labels]) for row in rows_and_totals]
    rows: list[tuple[Cell, ...]] = [
        (
            _one_line(column.title),
            *(_beside_amounts(row[at], column.kind) for row in rows_and_totals),
        )
        for at, column in enumerate(table.columns)
        if at >= labels
    ]
    first = "\n".join(_one_line(column.title) for column in table.columns[:labels])
    figures = [Column(head, head, Measure.MONEY) for head in heads]
    yield _laid_out(Table(table.title, (Column("", first), *figures), rows))


def _beside_amounts(cell: Cell, kind: Measure) -> Cell:
    apart = kind in (Measure.RATE, Measure.NUMBER, Measure.PRICE) and cell is not None
    return shown(cell) if apart else cell


def _narrower(shape: _Shape, table: Table) -> Iterator[_Shape]:
    """The table with less and less beside it."""
    shape = _with_units_in_title(shape)
    yield shape
    for aside in sorted({column.aside for column in table.columns} - {0}, reverse=True):
        shape = _without(shape, {column for column in table.columns if column.aside == aside})
        yield shape
    zeros = {
        column
        for column, cells in _by_column(table)
        if column.is_figure and cells and not any(cells)
    }
    if zeros:
        yield _without(shape, zeros)


def _with_units_in_title(shape: _Shape) -> _Shape:
    """The table with its unit and currency in the title, where all rows have the same."""
    shared = [
        each
        for each in shape.columns
        if each.column.key in ("commodity", "currency") and len({*each.cells}) == 1
    ]
    names = ", ".join(each.cells[0] for each in shared)
    if not names:
        return shape
    kept = [each for each in shape.columns if each not in shared]
    return shape._replace(title=f"{shape.title}, in {names}", columns=kept)


def _without(shape: _Shape, gone: set[Column]) -> _Shape:
    left_out = [_one_line(each.column.title) for each in shape.columns if each.column in gone]
    kept = [each for each in shape.columns if each.column not in gone]
    return shape._replace(columns=kept, left_out=(*shape.left_out, *left_out))


def _labels_and_figures(shape: _Shape) -> tuple[list[TextColumn], list[TextColumn]]:
    first = next((at for at, each in enumerate(shape.columns) if each.column.is_figure), None)
    return shape.columns[:first], [] if first is None else shape.columns[first:]


def _fits_in_parts(shape: _Shape, width: int) -> bool:
    """Whether each figure fits beside the labels."""
    labels, figures = _labels_and_figures(shape)
    return bool(figures) and all(_fits([*labels, each], width, shape.gap) for each in figures)


def _parts(shape: _Shape, width: int) -> Iterator[_Shape]:
    """The table in parts that repeat its labels, each as wide as may be."""
    labels, figures = _labels_and_figures(shape)
    part: list[TextColumn] = []
    for each in figures:
        if part and not _fits([*labels, *part, each], width, shape.gap):
            yield _part(shape, labels, part)._replace(left_out=())
            part = []
        part.append(each)
    yield _part(shape, labels, part)


def _part(shape: _Shape, labels: list[TextColumn], figures: list[TextColumn]) -> _Shape:
    """Some figures beside the labels; without the totals where none of them has one."""
    columns, rows = [*labels, *figures], len(labels[0].cells) - shape.totals if labels else 0
    if any("".join(each.cells[rows:]).strip() for each in figures):
        return shape._replace(columns=columns)
    columns = [each._replace(cells=each.cells[:rows]) for each in columns]
    return shape._replace(columns=columns, totals=0)


def _one_line(title: str) -> str:
    return title.replace("\n", " ")
