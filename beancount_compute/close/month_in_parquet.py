"""What the Parquet files of a month in bulk say, asked in SQL of DuckDB.

    lots, movements, days, ...        the month's files
    lots_before                       of the month before: its file, or what the ledger hands on

Files have as many decimals as their numbers need; all are read with those that one of them has, as
a UNION of DuckDB may round what has more.

DuckDB and pyarrow are the extra `[bulk]`: only whoever closes or verifies such a month needs them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from beancount_compute.booking import Booking
from beancount_compute.close.storage import CloseError
from beancount_compute.closed import State, bulk_files, holders_named, read_state
from beancount_compute.economy import STOCK, Lot, Month
from beancount_compute.economy.carried import Carried
from beancount_compute.ledger import holders_of, is_bulk_folder, mentions

TABLES = ("lots", "movements", "days", "costs", "refused")
_UNITS, _MONEY = ("units", "units_in", "units_out"), ("cost", "amount")
_DECIMAL = re.compile(r"DECIMAL\(\d+,(\d+)\)")
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
            state = read_state(files.state, files.state_rows(), month.previous.last)
            return _with_names(state, booking).carried
    return None


def _with_names(state: State, booking: Booking) -> State:
    """The state with names for those who were known by an account only, as a load gives them."""
    component = booking.accounts.component
    named = {of: name for name, of in booking.terms.components.items()}
    holders = holders_of(named, state.named, mentions(booking.own_events), component, dict)
    return holders_named(state, {n: holders.get(component(n), n) for n in state.by_account})


class _Source(NamedTuple):
    """What a table is read from."""

    text: str  # in SQL
    path: Path | None = None

    @classmethod
    def of_file(cls, path: Path) -> _Source:
        quoted = str(path).replace("'", "''")
        return cls(f"read_parquet('{quoted}')", path)


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
        sources = {name: _Source.of_file(folder / f"{name}.parquet") for name in TABLES}
        if before.folder is not None:
            sources["lots_of_folder"] = _Source.of_file(before.folder / "lots.parquet")
        if before.lots:
            given = dict(zip(("units", *LOT), _columns(before.lots), strict=True))
            self._connection.register("given", pyarrow.table(given))
            sources["lots_given"] = _Source("given")
        self._note(sources)
        named = ", ".join(f'"{each}"' for each in ("units", *LOT))
        parts = [f"SELECT {named} FROM lots WHERE false"]
        parts += [f"SELECT {named} FROM {name}" for name in sources if name.startswith("lots_")]
        self.ask(f"CREATE VIEW lots_before AS {' UNION ALL '.join(parts)}")

    def _note(self, sources: Mapping[str, _Source]) -> None:
        """Let queries know tables by their names."""
        scales: dict[str, dict[str, int]] = {}  # of decimals, by table and column
        for name, (text, path) in sources.items():
            columns = self.ask(f"DESCRIBE SELECT * FROM {text}", path)
            found = {column: _DECIMAL.fullmatch(kind) for column, kind, *_ in columns}
            scales[name] = {column: int(kind[1]) for column, kind in found.items() if kind}
        for name, (text, path) in sources.items():
            told: list[str] = []
            for alike in (_UNITS, _MONEY):
                most = max(each.get(column, 0) for each in scales.values() for column in alike)
                decimals = [column for column in alike if column in scales[name]]
                told += [f"{each}::DECIMAL(38, {most}) AS {each}" for each in decimals]
            replaced = f"REPLACE ({', '.join(told)})" if told else ""
            self.ask(f"CREATE VIEW {name} AS SELECT * {replaced} FROM {text}", path)

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
