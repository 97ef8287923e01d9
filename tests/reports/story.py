"""The story of manual/language.md, section 7, and ledgers for tests as books.

Alice and Bob pay 200.00 USD for 1000 CU a month. In May alice uses 200 and mints 800; bob uses
1000. In June she sells him 500 at 0.25 USD (fee 5 %), and he uses 1400.
"""

from __future__ import annotations

from decimal import Decimal
from textwrap import dedent

from beancount import loader

from beancount_compute.reports.books import Books, Selection, read_books
from beancount_compute.reports.registry import REPORTS
from beancount_compute.reports.tables import Cell, Table

STORY = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  unused: "mint"
  token-expires: "12 months"
2026-01-01 custom "compute-option" "seller-fee" 0.05
2026-05-01 custom "compute-subscription" "alice" "pro"
  id: "s-alice"
2026-05-01 custom "compute-subscription" "bob" "pro"
  id: "s-bob"
2026-05-20 custom "compute-consumption" "alice" 200 CU
  id: "use-alice"
2026-05-20 custom "compute-consumption" "bob" 1000 CU
  id: "use-bob"
2026-06-10 custom "compute-trade" "alice" "bob" 500 CU 0.25 USD
  id: "trade"
2026-06-20 custom "compute-consumption" "bob" 1400 CU
  id: "use-more"
2026-06-20 custom "compute-cancellation" "alice" "pro"
2026-06-20 custom "compute-cancellation" "bob" "pro"
"""
HEAD = 'plugin "beancount_compute"\noption "operating_currency" "USD"\n'


def books_of(ledger: str, *, errors: int = 0) -> Books:
    """The books of a ledger that loads with that many errors."""
    entries, found, options = loader.load_string(dedent(ledger))
    assert len(found) == errors, found
    return read_books(entries, options)


def rows(
    books: Books, report: str, table: str, selection: Selection | None = None
) -> list[dict[str, Cell]]:
    """The rows of one table of a report, by the keys of its columns; numbers as they compare."""
    (found,) = REPORTS[report].tables(books, selection or Selection(), table)
    return by_key(found)


def by_key(table: Table) -> list[dict[str, Cell]]:
    keys = [column.key for column in table.columns]
    return [dict(zip(keys, row, strict=True)) for row in table.rows]


def figures(row: dict[str, Cell]) -> dict[str, str]:
    """The figures of a row that are not zero, as they are written."""
    return {key: f"{cell:f}" for key, cell in row.items() if isinstance(cell, Decimal) and cell}
