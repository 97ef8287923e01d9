"""Plain tables: what every report gives, and how a terminal shows them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from io import StringIO
from typing import NamedTuple

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from beancount_compute.economy.rounding import decimals_of, trim

Cell = str | int | Decimal


class Table(NamedTuple):
    """A titled table. Numbers are exact; a face decides how it shows them."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]


def shown(cell: Cell) -> str:
    """A cell as a person reads it: thousands separators, all the digits that it was given."""
    if isinstance(cell, Decimal):
        return f"{cell:,f}"
    return f"{cell:,}" if isinstance(cell, int) else cell


def money(number: Decimal, currency: str) -> Decimal:
    """An amount with the decimals of its currency, or as many more as it needs."""
    return trim(number, decimals_of(currency))


def render(tables: Iterable[Table], width: int) -> str:
    """The tables as text of at most that many columns."""
    out = StringIO()
    console = Console(file=out, width=width, color_system=None, legacy_windows=False)
    for table in tables:
        face = RichTable(
            box=SIMPLE_HEAD, title=Text(table.title), title_justify="left", title_style="bold"
        )
        for at, column in enumerate(table.columns):
            numeric = any(not isinstance(row[at], str) for row in table.rows)
            face.add_column(Text(column), justify="right" if numeric else "left")
        for row in table.rows:
            face.add_row(*[Text(shown(cell)) for cell in row])
        console.print(face)
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip().splitlines())
