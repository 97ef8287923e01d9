"""What tests of reports share: a ledger's books, and a table's cells by row and column."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal, localcontext
from typing import Any

from beancount import loader
from beancount.core.data import Posting

from beancount_compute.economy.rounding import WIDE
from beancount_compute.reports.books import Books, Selection, read_books
from beancount_compute.reports.figures import CellAsked, NotSummed, Report
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


def added(report: Report, books: Books, name: str) -> dict[str, Decimal]:
    """The figures of a table, added up over all rows and currencies."""
    (table,) = report.tables(books, Selection(), name)
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in table.by_key():
        for key, cell in row.items():
            if isinstance(cell, Decimal):
                found[key] += cell
    return found


def at_cost(books: Books, account: str) -> Decimal:
    """What stands on an account and those below it, at cost, whatever the currency."""
    postings = [each for entry in books.transactions for each in entry.postings]
    return sum([_at_cost(each) for each in postings if each.account.startswith(account)], Decimal())


def _at_cost(posting: Posting) -> Decimal:
    assert posting.units is not None and posting.units.number is not None
    return posting.units.number * ((posting.cost and posting.cost.number) or 1)


def unexplained(report: Report, books: Books) -> set[str]:
    """The figures that no transactions add up to, by table and column; of all others they must."""
    found: set[str] = set()
    for table in report.tables(books, Selection()):
        for number, row in enumerate([*table.rows, *table.totals]):
            for column, cell in zip(table.columns, row, strict=True):
                if not column.is_figure or cell is None:
                    continue
                is_total = number >= len(table.rows)
                asked = CellAsked(table.name, row[: table.labels], column.key, is_total)
                try:
                    with localcontext(WIDE):
                        traced = report.trace(books, Selection(), asked)
                        assert sum([each for _, each in traced], Decimal()) == cell, asked
                except NotSummed:
                    found.add(f"{table.name} {column.key}")
    return found
