"""Tables for other programs: CSV and JSON, exact and in a stable order of columns.

    subscriber,commodity,opening,allocated,...,closing
    alice,CU,0,2000,...,1300

    {"name": "units-by-subscriber", "rows": [{"subscriber": "alice", "closing": "1300", ...}], ...}

Amounts keep all their digits, without separators; in JSON they are strings, because a JSON reader
may make binary fractions of numbers. Counts and days are numbers there. A figure that does not
exist is an empty cell, in JSON null. Totals stand beside the rows in JSON and are left out of CSV,
which programs add up themselves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from beancount_compute.ledger import csv_text
from beancount_compute.reports.tables import Cell, Row, Table

_SIGNS = "=+@\uff1d\uff0b\uff0d\uff20-"  # the wide ones too
# At the beginning, or behind what a spreadsheet may take for the end of a cell or of a line,
# whatever blanks, quotes and marks of no width stand before the sign.
_FORMULA = re.compile(
    rf'(\A|[;\t\r\n])(?=[\s"\u200b-\u200f\u2060\ufeff]*[{_SIGNS}])|\A(?=[\t\r\n])'
)


def csv_of(tables: Iterable[Table]) -> str:
    """The tables as CSV (RFC 4180, header rows, LF); several are parted by an empty line."""
    return "\n".join(_csv_of(table) for table in tables)


def _csv_of(table: Table) -> str:
    header = [defused(column.key) for column in table.columns]
    return csv_text([header, *([_plain(cell) for cell in row] for row in table.rows)])


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return f"{cell:f}"
    return defused(cell) if isinstance(cell, str) else str(cell)


def defused(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe stands before each of them."""
    return text if text.isalnum() else _FORMULA.sub(r"\1'", text)


def json_of(name: str, selection: dict[str, str], tables: Iterable[Table]) -> str:
    """A report as one JSON object."""
    document = {
        "report": name,
        "selection": selection,
        "tables": [table_as_json(table) for table in tables],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def table_as_json(table: Table) -> dict[str, Any]:
    """A table as JSON holds it."""
    return {
        "name": table.name,
        "title": table.title,
        "columns": [{"key": each.key, "kind": each.kind.value} for each in table.columns],
        "rows": [_cells_of(table, row) for row in table.rows],
        "totals": [_cells_of(table, row) for row in table.totals],
    }


def _cells_of(table: Table, row: Row) -> dict[str, Any]:
    return {
        column.key: f"{cell:f}" if isinstance(cell, Decimal) else cell
        for column, cell in zip(table.columns, row, strict=True)
    }
