"""Columns of a table as lines of text: headings, a rule, rows with their figures aligned, totals.

      plan      opening   allocated   total
     ───────────────────────────────────────
      pro             0       2,000   2,000
      starter       100          50     150
     ───────────────────────────────────────
      total         100       2,050   2,150

A library that lays out any text takes milliseconds for each row, and there may be tens of thousands
of them: lines are put together here, and one wraps what has to be wrapped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from beancount_compute.reports.tables import Cell, Column, Measure, shown

INDENT = "  "
GAPS = (3, 2)  # between two columns; the narrower one where more fits so
_MARGIN = 2  # behind the last, the first of them under the rule
_RULE = "\N{BOX DRAWINGS LIGHT HORIZONTAL}"
_LEAST_TEXT = 12  # to which a column of text may shrink
_LONGEST_WORD = 32  # of several in a cell; longer ones are broken
_TIGHTEST = 6
_LEAST_LINE = 2  # a character may take two cells
_WRAPS = Console(color_system=None, legacy_windows=False)


class TextColumn(NamedTuple):
    """A column as it will stand; widths are counted in cells of the terminal."""

    column: Column
    heading: list[str]  # lines
    cells: list[str]
    width: int  # that it takes where nothing wraps
    least: int  # to which it may shrink: texts wrap between words; figures, dates and ids don't
    broken: int  # the same where a name alone is too long: words break anywhere
    tightest: int  # the same where nothing else helps
    to_right: bool

    def breaking(self) -> TextColumn:
        """The column as it may be where a name alone is too long."""
        return self._replace(least=self.broken)


def text_column(column: Column, values: Sequence[Cell]) -> TextColumn:
    """A column of a table; numbers of one kind with their decimal points below each other."""
    types = set(map(type, values))
    cells = _aligned(column, values, has_text=str in types)
    heading = column.title.split("\n")
    of_heading, of_cells = _longest(heading), _longest(cells)
    width = least = broken = tightest = max(of_heading, of_cells)
    if column.kind is Measure.TEXT and not column.whole:  # text shrinks to the floor, numbers never
        numbers = [
            cell for cell, value in zip(cells, values, strict=True) if not isinstance(value, str)
        ]
        firm = _longest(numbers)
        tightest = max(min(of_heading, _TIGHTEST), min(of_cells, _TIGHTEST), firm)
        broken = max(of_heading, min(of_cells, _LEAST_TEXT), firm)
        least = max(broken, _longest_name(cells))
    to_right = column.is_figure or any(issubclass(each, int | Decimal) for each in types)
    return TextColumn(column, heading, cells, width, least, broken, tightest, to_right)


def _longest_name(cells: Sequence[str]) -> int:
    """The longest cell of one word, or word of several: a name is useless in two pieces."""
    texts = [cell.split() for cell in set(cells)]
    names = [word for words in texts if len(words) == 1 for word in words]
    others = [word for words in texts if len(words) > 1 for word in words]
    return max(_longest(names), min(_longest(others), _LONGEST_WORD))


def _longest(lines: Sequence[str]) -> int:
    return max(map(len if _is_plain(lines) else length, lines), default=0)


def _is_plain(lines: Sequence[str]) -> bool:
    """Whether each character takes one cell of a terminal: nearly always, and quicker."""
    return "".join(lines).isascii()


def length(text: str) -> int:
    """How many cells of a terminal a line takes."""
    return len(text) if text.isascii() else cell_len(text)


def across(widths: Sequence[int], gap: int = GAPS[0]) -> int:
    """The width of a line of columns."""
    return len(INDENT) + sum(widths) + gap * (len(widths) - 1) + _MARGIN


def wrapped(text: str, width: int) -> list[str]:
    """A text in lines of that width; what has no space to break at is broken anywhere."""
    if length(text) <= width:
        return [text]
    lines = Text(text).wrap(_WRAPS, max(_LEAST_LINE, width), overflow="fold")
    return [line.plain.rstrip() for line in lines]


def lines_of(
    columns: Sequence[TextColumn], width: int, gap: int = GAPS[0], totals: int = 0
) -> list[str]:
    """Columns side by side: headings, a rule, rows; then a rule before the last rows, the totals.

    Lines are longer than wanted where they must be.
    """
    widths = _widths(columns, width, gap)
    rule = " " + _RULE * (across(widths, gap) - _MARGIN)
    between = " " * gap
    heading = [INDENT + between.join(row) for row in _heading(columns, widths)]
    rows = len(columns[0].cells) - totals if columns else 0
    first = [each._replace(cells=each.cells[:rows]) for each in columns]
    last = [each._replace(cells=each.cells[rows:]) for each in columns]
    below = [rule, *_rows(last, widths, between)] if totals else []
    return [*heading, rule, *_rows(first, widths, between), *below]


def _widths(columns: Sequence[TextColumn], width: int, gap: int) -> list[int]:
    """What each column takes: the widest of those that may wrap give way first."""
    widths = [each.width for each in columns]
    all_floors = [[each.least for each in columns]]
    if not any(each.column.whole for each in columns):  # beside ids, lines may be longer
        all_floors.append([each.tightest for each in columns])
    for floors in all_floors:
        for _ in range(across(widths, gap) - width):
            may = [at for at, floor in enumerate(floors) if widths[at] > floor]
            if not may:
                break
            widths[max(may, key=widths.__getitem__)] -= 1
    return widths


def _heading(columns: Sequence[TextColumn], widths: Sequence[int]) -> Iterator[tuple[str, ...]]:
    """The lines of the headings, which end on the same line."""
    headings = [
        [line for part in each.heading for line in wrapped(part, own)]
        for each, own in zip(columns, widths, strict=True)
    ]
    most = max(map(len, headings))
    filled = [
        _justified(each, [""] * (most - len(lines)) + lines, own)
        for each, lines, own in zip(columns, headings, widths, strict=True)
    ]
    return zip(*filled, strict=True)


def _rows(columns: Sequence[TextColumn], widths: Sequence[int], between: str) -> Iterator[str]:
    """The lines of the rows; one each, where nothing wraps."""
    sized = list(zip(columns, widths, strict=True))
    if all(each.width <= own and _is_plain(each.cells) for each, own in sized):
        fields = [f"%{'' if each.to_right else '-'}{own}s" for each, own in sized]
        cells = zip(*[each.cells for each in columns], strict=True)
        yield from map((INDENT + between.join(fields)).__mod__, cells)
        return
    wraps = [
        [_justified(each, wrapped(cell, own), own) for cell in each.cells] for each, own in sized
    ]
    for row in zip(*wraps, strict=True):
        most = max(map(len, row))
        filled = [
            lines + [" " * own] * (most - len(lines))
            for lines, own in zip(row, widths, strict=True)
        ]
        yield from [INDENT + between.join(line) for line in zip(*filled, strict=True)]


def _justified(column: TextColumn, lines: Sequence[str], width: int) -> list[str]:
    """Lines, each as wide as the column."""
    if column.to_right:
        return [" " * (width - length(line)) + line for line in lines]
    return [line + " " * (width - length(line)) for line in lines]


def _aligned(column: Column, values: Sequence[Cell], *, has_text: bool) -> list[str]:
    """The cells of a column; behind shorter numbers of one kind there is room for more digits."""
    cells = _shown(values)
    if not column.is_figure:
        return cells
    texts = {shown(value) for value in values if isinstance(value, str)} if has_text else set()
    numbers = {cell: _decimals(cell) for cell in set(cells) - texts}
    most = max(numbers.values(), default=0)
    padded = {cell: cell + " " * (most - decimals) for cell, decimals in numbers.items()}
    if not most:
        return cells
    padded |= {text: text for text in texts}
    return list(map(padded.__getitem__, cells))


def _shown(values: Sequence[Cell]) -> list[str]:
    """Cells as text, each object once: many rows have the same figures."""
    keys = list(map(id, values))
    different = dict(zip(keys, values, strict=True))
    known = {key: shown(value) for key, value in different.items()}
    return list(map(known.__getitem__, keys))


def _decimals(number: str) -> int:
    """How many characters a number has from its point on."""
    return len(number.partition(".")[2]) + ("." in number)
