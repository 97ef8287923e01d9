"""What the Parquet files of a month in bulk say, asked in SQL of DuckDB.

    lots, movements, days, ...        the month's files
    lots_before                       of the month before: its file, or what the ledger hands on

DuckDB and pyarrow are the extra `[bulk]`: only whoever closes or verifies such a month needs them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from beancount_compute.booking import Booking
from beancount_compute.close.storage import CloseError
from beancount_compute.closed import bulk_files, read_state
from beancount_compute.economy import STOCK, Lot, Month
from beancount_compute.economy.carried import Carried
from beancount_compute.ledger import is_bulk_folder

TABLES = ("lots", "movements", "days", "costs", "refused")
LOT = ("subscriber", "pocket", "commodity", "cost", "currency", "date", "origin", "end")


class HandedOn(NamedTuple):
    """The lots that a month goes on from."""

    folder: Path | None  # of the month before, where that was booked in bulk
    lots: list[tuple[Lot, Decimal]]  # what the ledger hands on, and what was entered by hand


def handed_on_to(month: Month, folder: Path, booking: Booking) -> HandedOn:
    """The lots before a month: of its folder's neighbour, of a closed month, or by hand."""
    before = folder.parent / month.previous.name
    in_folder = before if is_bulk_folder(str(before)) else None
    closed = state_before(month, booking) if in_folder is None else None
    lots = [] if closed is None else [*closed.lots]
    since = month.first if closed or in_folder else date.min
    facts = booking.written_by_hand
    by_hand = [(each, each.units) for each in facts.openings]
    by_hand += [(each, -each.units) for each in facts.removals]
    lots += [(each.lot, units) for each, units in by_hand if since <= each.date <= month.last]
    return HandedOn(in_folder, [each for each in lots if each[0].pocket is not STOCK])


def state_before(month: Month, booking: Booking) -> Carried | None:
    """What the ledger's own closed month before one hands on."""
    for each in booking.closed.months:
        if each.name == month.previous.name and not bulk_files(each.files.head_rows()):
            files = each.files
            return read_state(files.state, files.state_rows(), month.previous.last).carried
    return None


class MonthInParquet:
    """The files of a month as tables; raises `CloseError` where one can't be read."""

    def __init__(self, folder: Path, before: HandedOn) -> None:
        try:
            import duckdb
            import pyarrow
        except ImportError as error:
            raise CloseError(
                f'{error.name} is not installed: pip install "beancount_compute[bulk]"'
            ) from None
        self._error = duckdb.Error
        self._connection = duckdb.connect()
        for name in TABLES:
            self._view(name, folder / f"{name}.parquet")
        columns = dict(zip(("units", *LOT), _columns(before.lots), strict=True))
        if not before.lots:
            columns = {}
        self._begin(before.folder, pyarrow.table(columns) if columns else None)

    def _view(self, name: str, path: Path) -> None:
        quoted = str(path).replace("'", "''")
        self.ask(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{quoted}')", path)

    def _begin(self, folder: Path | None, given: Any) -> None:
        named = ", ".join(f'"{each}"' for each in ("units", *LOT))
        parts = [f"SELECT {named} FROM lots WHERE false"]
        if folder is not None:
            self._view("lots_of_folder", folder / "lots.parquet")
            parts.append(f"SELECT {named} FROM lots_of_folder")
        if given is not None:
            self._connection.register("lots_given", given)
            parts.append(f"SELECT {named} FROM lots_given")
        self.ask(f"CREATE VIEW lots_before AS {' UNION ALL '.join(parts)}")

    def ask(self, sql: str, path: Path | None = None) -> list[tuple[Any, ...]]:
        """The rows that a query finds."""
        try:
            found = self._connection.sql(sql)
            return [] if found is None else list(found.fetchall())
        except self._error as error:
            where = f"{path}: " if path else ""
            raise CloseError(
                f"{where}can't be read as bean-compute bulk wrote it: "
                f"{str(error).splitlines()[0]}: restore it, or book the month anew"
            ) from None


def _columns(lots: Iterable[tuple[Lot, Decimal]]) -> list[list[Any]]:
    found: list[list[Any]] = [[] for _ in ("units", *LOT)]
    for lot, units in lots:
        for column, value in zip(found, (units, lot[0], str(lot[1]), *lot[2:]), strict=True):
            column.append(value)
    return found
