"""What tests of reports share: a ledger's books, and a table's cells by row and column."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from beancount import loader

from beancount_compute.reports.books import Books, Selection, read_books
from beancount_compute.reports.figures import Report
from beancount_compute.reports.tables import Cell, Table

Shown = dict[tuple[Cell, ...], dict[str, str]]  # by labels; the figures as text, zeros left out


def books_of(ledger: str) -> Books:
    """The books of a ledger that loads without errors."""
    entries, errors, options = loader.load_string(ledger)
    assert not errors, [error.message for error in errors]
    return read_books(entries, options)


def labels_of(table: Table) -> int:
    """How many columns in front name the row."""
    return sum(column.kind in ("text", "date") for column in table.columns)


def shown(table: Table) -> Shown:
    """The figures of a table but zeros, by the labels of their row and the key of their column."""
    front = labels_of(table)
    return {
        row[:front]: {
            column.key: str(cell)
            for column, cell in zip(table.columns[front:], row[front:], strict=True)
            if cell
        }
        for row in table.rows
    }


def figures(report: Report, books: Books, selection: Selection, name: str) -> Shown:
    """One table of a report."""
    (table,) = [each for each in report.tables(books, selection) if each.name == name]
    return shown(table)


def whole(cell: Any) -> Decimal:
    """A cell as a number; none is zero."""
    return Decimal(cell or 0)
