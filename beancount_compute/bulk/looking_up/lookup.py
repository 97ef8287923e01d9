"""Subscribers of a month in bulk, looked up in its Parquet files: only what is asked for is read.

    files = MonthFiles(Path("bulk/2026-05"))
    files.page(0, 50)                     the first fifty names
    files.found(Search(words="ali"))      names that hold the words, at most MOST_FOUND
    files.rows("lots", ["alice"])         what she holds, out of the row groups that may have her

Rows of a file stand by subscriber, so that the statistics of its row groups leave out nearly all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
from pyarrow import parquet

from beancount_compute.bulk.bulk_terms import BulkError
from beancount_compute.bulk.rows.event_table import literal
from beancount_compute.close.standing import Status
from beancount_compute.economy import Month

MOST_FOUND = 10_000  # of a search, or in an order other than that of names
FIRST_KEY = "subscriber"
_CASELESS = re.compile(r"[0-9._@/:-]{2,}", re.ASCII)  # is quick to look for, in each name as it is
_KEPT = 16  # answers that are remembered
FoundRow = dict[str, Any]


class HolderAsked(NamedTuple):
    """A row of the table of subscribers: who, and of which unit and currency; "" for any."""

    subscriber: str
    commodity: str = ""
    currency: str = ""


class Search(NamedTuple):
    """Which subscribers, and in which order."""

    words: str = ""  # part of the name, in whatever case, with accents or without
    plan: str = ""
    key: str = FIRST_KEY  # a column of `ORDERS`
    falling: bool = False


def files_of(folders: Iterable[str]) -> list[MonthFiles]:
    """The files of months, by the folders that `bulk_folders` finds."""
    database = duckdb.connect()
    return [MonthFiles(Path(each), database) for each in folders]


class MonthFiles:
    """The files of one month; what it found once it remembers."""

    def __init__(self, folder: Path, database: duckdb.DuckDBPyConnection | None = None) -> None:
        self.folder = folder
        self.month = Month.parse(folder.name)
        self._database = database or duckdb.connect()
        self._found: dict[Search, list[HolderAsked]] = {}

    def rows(self, table: str, names: Sequence[str], where: str = "") -> list[FoundRow]:
        """The rows of some subscribers."""
        if not names:
            return []
        asked = ", ".join("?" * len(names))
        more = f" AND {where}" if where else ""
        found = self._ask(
            f"SELECT * FROM {self._file(table)} WHERE subscriber BETWEEN ? AND ? "
            f"AND subscriber IN ({asked}){more}",
            [min(names), max(names), *names],
        )
        return list(found.to_pylist())

    def knows(self, name: str) -> bool:
        """Whether anybody has that name."""
        return bool(self.rows("subscribers", [name]))

    @cached_property
    def _names(self) -> parquet.ParquetFile:
        path = self.folder / "subscribers.parquet"
        try:
            return parquet.ParquetFile(path)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _unreadable(path, error) from None

    @property
    def count(self) -> int:
        """How many subscribers there are."""
        return int(self._names.metadata.num_rows)

    def page(self, start: int, count: int) -> list[str]:
        """So many names from a place on, out of the row groups that have these places."""
        about, found = self._names.metadata, list[str]()
        before = 0
        for group in range(about.num_row_groups):
            rows = about.row_group(group).num_rows
            first, last = max(start, before) - before, min(start + count, before + rows) - before
            if first < last:
                column = self._names.read_row_group(group, ["subscriber"]).column(0)
                found += column.slice(first, last - first).to_pylist()
            before += rows
        return found

    def found(self, search: Search) -> list[HolderAsked]:
        """Whom a search finds, in its order: at most `MOST_FOUND`, and one more where there are."""
        if search not in self._found:
            if len(self._found) == _KEPT:
                with suppress(KeyError, RuntimeError):  # another request may be quicker
                    del self._found[next(iter(self._found))]
            self._found[search] = self._find(search)
        return self._found[search]

    def _find(self, search: Search) -> list[HolderAsked]:
        of, order = ORDERS[search.key]
        where, given = ["true"], list[Any]()
        if search.words:
            where += [
                f"contains(subscriber, {literal(run)})" for run in _CASELESS.findall(search.words)
            ]
            where.append(f"contains({_plain_text('subscriber')}, {_plain_text('?')})")
            given.append(search.words)
        limit = f"LIMIT {MOST_FOUND + 1}"
        if search.key == FIRST_KEY and not search.plan:  # names stand in their order
            falling = "ORDER BY subscriber DESC" if search.falling else ""
            of_names = f"SELECT subscriber FROM {self._file('subscribers')}"
            sql = f"{of_names} WHERE {' AND '.join(where)} {falling} {limit}"
        else:
            if search.plan:
                where.append(f"{'plan' if of == 'subscriptions' else 'origin'} = ?")
                given.append(search.plan)
            by = "subscriber, commodity, currency" if of == "lots" else "subscriber"
            way = "DESC" if search.falling else "ASC"
            sql = (
                f"SELECT {by} FROM {self._file(of)} WHERE {' AND '.join(where)} GROUP BY {by} "
                f"ORDER BY {order.format(last=self._last)} {way} NULLS LAST, {by} {limit}"
            )
        return [HolderAsked(*row.values()) for row in self._ask(sql, given).to_pylist()]

    @property
    def _last(self) -> str:
        return literal(str(self.month.last))

    def _file(self, table: str) -> str:
        return f"read_parquet({literal(str(self.folder / f'{table}.parquet'))})"

    def _ask(self, sql: str, given: Sequence[Any] = ()) -> pa.Table:
        try:
            return self._database.cursor().sql(sql, params=list(given)).to_arrow_table()
        except duckdb.Error as error:
            raise _unreadable(self.folder, error) from None


def _unreadable(path: Path, error: Exception) -> BulkError:
    said = str(error).splitlines()[0]
    return BulkError(f"{path}: not as bean-compute bulk wrote it: {said}: book that month anew")


def _plain_text(name: str) -> str:
    """A text without case and accents."""
    return f"strip_accents(lower({name}))"


_IN_FORCE = "period_end > DATE {last}"
_STATUS = (
    f"CASE WHEN bool_or({_IN_FORCE} AND NOT ended) THEN '{Status.RUNNING}' "
    f"WHEN bool_or({_IN_FORCE}) THEN '{Status.CANCELLED}' ELSE '{Status.ENDED}' END"
)
# Of which file a column of the table is an order, and what orders it. Figures only order here,
# where sixteen digits do; what is shown is exact.
ORDERS: dict[str, tuple[str, str]] = {
    FIRST_KEY: ("lots", "subscriber"),
    "plan": ("subscriptions", f"coalesce(min(plan) FILTER ({_IN_FORCE}), min(plan))"),
    "status": ("subscriptions", _STATUS),
    "units": ("lots", "sum(units::DOUBLE)"),
    "carrying_amount": ("lots", "sum(units::DOUBLE * cost::DOUBLE)"),
    "next_expiry": ("lots", 'min("end")'),
}
