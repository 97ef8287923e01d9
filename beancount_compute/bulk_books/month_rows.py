"""The rows of a month's files, and where the journal's transactions of their days stand.

days.parquet  2026-05-20  consumption  ...   ->   the place of 2026-05-20 * "Consumption"
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from beancount_compute.bulk_books import CantReadMonths
from beancount_compute.ledger import BULK_TAG
from beancount_compute.reports import Books

RowsOfFile = Iterator[tuple[Any, ...]]


def rows_of(path: Path, columns: Sequence[str]) -> RowsOfFile:
    """The rows of a month's file; raises `CantReadMonths` where it is none as they are written."""
    try:
        table = parquet.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise _unread(path, error) from None
    lacking = [name for name in columns if name not in table.column_names]
    if lacking:
        raise _unread(path, ValueError(f"it has no column {lacking[0]}"))
    return zip(*[table.column(name).to_pylist() for name in columns], strict=True)


def number_of_rows(path: Path) -> int:
    """How many rows a month's file has; raises `CantReadMonths` as `rows_of` does."""
    try:
        return int(parquet.read_metadata(path).num_rows)
    except (OSError, pa.ArrowException) as error:
        raise _unread(path, error) from None


def _unread(path: Path, error: Exception) -> CantReadMonths:
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    if isinstance(error, FileNotFoundError):  # of Arrow: it says the path once more
        why = "no such file"
    return CantReadMonths(
        f"can't read {path}: {' '.join(why.split())[:200]}: book the month anew with "
        "bean-compute bulk"
    )


class Places:
    """Where the journal's transaction of a day and kind stands among all."""

    def __init__(self, books: Books) -> None:
        transactions = books.transactions
        self._dates = [entry.date for entry in transactions]
        self._at = {
            (entry.date, entry.narration): at
            for at, entry in enumerate(transactions)
            if BULK_TAG in entry.tags
        }
        self.of = cache(self._of)

    def _of(self, day: date, kind: str, undoes: str) -> int:
        """The place; where somebody took the transaction out of the journal, one of the day's."""
        at = self._at.get((day, narration_of(kind, undoes)))
        return max(0, bisect_right(self._dates, day) - 1) if at is None else at


def narration_of(kind: str, undoes: str) -> str:
    """How the journal calls what a kind, or a reversal of it, books."""
    return f"Reversal of {undoes}" if undoes else kind.capitalize()
