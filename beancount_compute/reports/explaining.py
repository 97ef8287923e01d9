"""From a cell of a report to the transactions behind it, whose amounts add up to the cell.

    bean-compute report rollforward LEDGER --explain bob used --table units-by-subscriber

    date        event    place                 narration    subscriber  adds
    2026-05-20  use-2    main.beancount:11     Consumption  bob         -1000
    2026-06-20  use-3    main.beancount:13     Consumption  bob         -1400

A derived transaction has no line of its own: what caused it stands in its place.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from decimal import Decimal, localcontext
from typing import NamedTuple

from beancount.core.data import Transaction

from beancount_compute.economy import WIDE, ZERO, quoted
from beancount_compute.ledger import ORDER
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.figures import CellAsked, ReportLike
from beancount_compute.reports.tables import DATE, TOTAL, Cell, Column, Row, Table, shown, written


class NoSuchCell(Exception):
    """There is no such cell, or more than one; says what to write instead."""


class Found(NamedTuple):
    """A cell of a report."""

    asked: CellAsked
    column: Column
    title: str
    number: int  # of the row, from 1 on
    value: Cell
    currency: str


def find_cell(tables: list[Table], row: str, column: str, name: str = "") -> Found:
    """The cell in a row (its first cell, or its number) and a column (its key or title).

    Raises `NoSuchCell` unless there is exactly one, in the named table or in all of them.
    """
    if name and name not in [table.name for table in tables]:
        names = ", ".join(table.name for table in tables)
        raise NoSuchCell(f"no table {quoted(name)} in this report: its tables are {names}")
    among = [table for table in tables if not name or table.name == name]
    found = _cells(among, row, column, by_number=False) or _cells(
        among, row, column, by_number=True
    )
    if not found:
        raise NoSuchCell(_nothing(among, row, column))
    if len(found) > 1:
        places = ", ".join(f"--table {each.asked.table} row {each.number}" for each in found[:6])
        raise NoSuchCell(
            f"row {quoted(row)} and column {quoted(column)} name {len(found)} cells "
            f"({places}): add --table, and give the row's number where its name comes twice"
        )
    return found[0]


def _cells(tables: list[Table], row: str, column: str, *, by_number: bool) -> list[Found]:
    return [
        Found(
            CellAsked(table.name, cells[: table.labels], found.key, number > len(table.rows)),
            found,
            table.title,
            number,
            cells[table.columns.index(found)],
            _currency(table, cells),
        )
        for table in tables
        for found in table.columns[table.labels :]
        if column in (found.key, _one_line(found.title))
        for number, cells in enumerate(
            table.rows if by_number else [*table.rows, *table.totals], start=1
        )
        if (row == str(number) if by_number else row == _text(cells[0]))
    ]


def _currency(table: Table, cells: Sequence[Cell]) -> str:
    labels = zip(table.columns, cells[: table.labels], strict=False)
    return next((str(cell) for column, cell in labels if column.key == "currency"), "")


def _nothing(tables: list[Table], row: str, column: str) -> str:
    """What there is instead."""
    figures = [each for table in tables for each in table.columns[table.labels :]]
    if column not in _names(figures):
        choices = ", ".join(dict.fromkeys(each.key for each in figures)) or "none"
        texts = [each for table in tables for each in table.columns[: table.labels]]
        if column in _names(texts):
            return f"column {quoted(column)} holds no figures: those that do are {choices}"
        return f"no column of figures {quoted(column)}: there are {choices}"
    rows = list(dict.fromkeys(_text(cells[0]) for table in tables for cells in table.rows if cells))
    some = ", ".join(rows[:10]) + (", ..." if len(rows) > 10 else "")
    return f"no row {quoted(row)}: rows are {some or 'none'}, or their numbers from 1 on"


def _names(columns: Iterable[Column]) -> set[str]:
    return {name for each in columns for name in (each.key, _one_line(each.title))}


def explain(
    report: ReportLike, books: Books, selection: Selection, found: Found, folder: str = ""
) -> Table:
    """The transactions behind a cell; files in the folder are named from there.

    Raises `NotSummed` for a figure that no transactions add up to.
    """
    rows: list[tuple[Cell, ...]] = []
    for at, added in report.trace(books, selection, found.asked):
        number = written(found.column.kind, added, found.currency)
        entry = books.transactions[at]
        who = entry.payee or ""
        event = str(entry.meta.get("event", ""))
        text = entry.narration or ""
        rows.append((str(entry.date), event, place_of(entry, folder), text, who, number))
    labels = ", ".join(filter(None, map(_text, found.asked.row)))
    title = _one_line(found.column.title)
    return Table(
        f"{found.title}: {title} of {labels} = {shown(found.value)}",
        (
            DATE,
            Column("event", "event", whole=True),
            Column("place", "place", whole=True),
            Column("narration", "narration", aside=2),
            Column("subscriber", "subscriber", aside=1),
            Column("adds", "adds", found.column.kind),
        ),
        rows,
        "explanation",
        _total(rows, found),
    )


def _total(rows: Sequence[Row], found: Found) -> tuple[Row, ...]:
    """What the transactions add up to: the cell."""
    numbers = [row[-1] for row in rows if isinstance(row[-1], Decimal | int)]
    if len(numbers) < 2:
        return ()
    with localcontext(WIDE):
        whole = written(found.column.kind, sum(map(Decimal, numbers), ZERO), found.currency)
    return ((TOTAL, "", "", "", "", whole),)


def place_of(entry: Transaction, folder: str) -> str:
    """The file and line of a transaction; what caused it, where it has none of its own."""
    source = entry.meta.get("source")
    if ORDER in entry.meta and source:
        return str(source)
    file = str(entry.meta.get("filename", ""))
    if folder and file.startswith(folder + os.sep):
        file = file[len(folder) + 1 :]
    return f"{file}:{entry.meta.get('lineno', 0)}"


def _text(cell: Cell) -> str:
    return "" if cell is None else str(cell)


def _one_line(title: str) -> str:
    return title.replace("\n", " ")
