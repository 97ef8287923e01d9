"""The groups of a month, booked by a server of Spark Connect.

    parts of files  ->  who is tied to whom  ->  rows by group  ->  each group booked, as here

Spark carries blobs, and divides the work; what is asked of rows is asked by DuckDB in each worker,
with the very same queries. Who is tied to whom is put together here: such pairs are few.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import duckdb
import pyarrow as pa

from beancount_compute.bulk.bulk_terms import OPERATOR, BulkError, BulkTerms
from beancount_compute.bulk.by_engine.engine_way import Shard
from beancount_compute.bulk.by_engine.served_uses import MeterDay
from beancount_compute.bulk.folder.month_folder import MonthFolder
from beancount_compute.bulk.folder.month_state import OPERATOR as OPERATOR_STATE
from beancount_compute.bulk.folder.month_state import PARTS_OF_STATE, note_given_state
from beancount_compute.bulk.folder.month_tables import DETAIL, Tables
from beancount_compute.bulk.folder.state_tables import StateTables
from beancount_compute.bulk.month_asked import BookedShards, MonthAsked, Told
from beancount_compute.bulk.rows.event_table import EventTable
from beancount_compute.bulk.rows.groups import Groups
from beancount_compute.bulk.rows.kept_rows import schema_of_rows
from beancount_compute.bulk.rows.ledger_events import note_own_events
from beancount_compute.bulk.rows.month_files import AT_ONCE, FilePart
from beancount_compute.bulk.rows.object_copies import at_hand
from beancount_compute.bulk.rows.object_store import parquet_file, refusing_store
from beancount_compute.bulk.rows.parts import UndoOf, note_edges, party_of
from beancount_compute.bulk.shard_run import ShardRun, processes_of
from beancount_compute.bulk.spark.blobs import Blob, blobs_of
from beancount_compute.bulk.spark.spark_link import SparkLink
from beancount_compute.bulk.spark.spark_tasks import (
    BY_ENGINE,
    BY_KERNEL,
    COUNTS,
    ERROR,
    NAMED,
    NAMES,
    ODD,
    OF_OPERATOR,
    ROWS,
    SUSPECTED,
    TIED,
    DetailKept,
    GroupTask,
    IdsOfPart,
    PartTask,
    ReadPart,
    RowsNamed,
    RowsOfPart,
    TiesOfPart,
    same_ids,
)
from beancount_compute.economy import Event
from beancount_compute.economy.state import Undo

DATABASE = duckdb.__version__
ROWS_OF_A_PART = 1_000_000


class SparkRun:
    """A month on a server."""

    def __init__(
        self,
        link: SparkLink,
        asked: MonthAsked,
        table: EventTable,
        bulk: BulkTerms,
        place: MonthFolder,
        told: Told,
    ) -> None:
        self._link, self._asked, self._bulk, self._place = link, asked, bulk, place
        self._table, self._told = table, told
        self._parts = list(parts_of(table.files.paths))
        self._odd: dict[str, str] = {}
        self._undo: dict[str, Undo] = {}
        self._has_state = False
        self.operator: Shard | None = None  # what is booked behind all others

    def book(self, groups: Groups, undo_of: UndoOf, *, has_state: bool) -> BookedShards:
        """Book all groups; `undo_of` is asked for what earlier months booked."""
        self._has_state = has_state
        groups = self._grouped(groups, undo_of, has_state=has_state)
        return self._booked(groups, has_state=has_state)

    def _grouped(self, groups: Groups, undo_of: UndoOf, *, has_state: bool) -> Groups:
        """Who falls into which group."""
        table, accounts = self._table, self._bulk.accounts
        note_own_events(table, self._bulk)
        self._note_tied_rows()
        names = {*accounts.named, *self._odd.values()}
        groups = groups._replace(components={n: accounts.component(n) for n in sorted(names)})
        table.run("CREATE TABLE same_id(id VARCHAR, node VARCHAR)")
        self._note_named_rows()
        first = self._bulk.month.first if has_state else None
        note_edges(table, first, partial(self._keep_undo, undo_of), "tied_rows")
        groups = groups.tied(table)
        while groups.number > 1 and self._note_same_ids(groups):
            groups = groups.tied(table)
        return groups

    def _keep_undo(self, undo_of: UndoOf, ids: frozenset[str]) -> dict[str, Undo]:
        self._undo = dict(undo_of(ids))
        return self._undo

    def _note_tied_rows(self) -> None:
        found = self._asked_of_parts(TiesOfPart(DATABASE))
        for written, node in zip(*_columns(found[ODD]), strict=True):
            self._odd[written] = node
        self._table.register("tied_rows", found[TIED])

    def _note_named_rows(self) -> None:
        """Note as `event_rows(id, node)` those rows that events name, or the ledger's events."""
        empty = pa.table({"id": pa.array([], pa.string()), "node": pa.array([], pa.string())})
        table, found = self._table, empty
        names = table.arrow(
            "SELECT named_event AS name FROM tied_rows WHERE named_event <> '' UNION "
            "SELECT left(named_event, -11) FROM tied_rows WHERE length(named_event) > 11 "
            "UNION SELECT '' FROM tied_rows WHERE named_event LIKE 'e-%' "
            "UNION SELECT event_id FROM own_events UNION SELECT named_id FROM own_events "
            "WHERE named_id <> '' UNION SELECT left(named_id, -11) FROM own_events "
            "WHERE length(named_id) > 11 "
            "UNION SELECT '' FROM own_events WHERE named_id LIKE 'e-%'"
        )
        if names.num_rows:
            found = self._asked_of_parts(RowsNamed(self._odd, names))[NAMED]
        table.register("event_rows", found)

    def _note_same_ids(self, groups: Groups) -> bool:
        """Tie those together who have one id in two groups; whether there are any."""
        table = self._table
        found = self._link.mapped(
            self._reading(IdsOfPart(self._odd, groups)).repartition(groups.number, "grp"), same_ids
        )
        suspected = self._gathered(self._link.found(found)).get(SUSPECTED)
        if suspected is None:
            return False
        table.register("found_ids", self._asked_of_parts(RowsNamed(self._odd, suspected))[NAMED])
        before = table.numbers("SELECT count(*) FROM same_id")
        table.run(
            "INSERT INTO same_id SELECT DISTINCT id, node FROM found_ids WHERE id IN (SELECT id "
            "FROM found_ids GROUP BY id HAVING count(DISTINCT node) > 1) "
            "EXCEPT SELECT id, node FROM same_id"
        )
        table.run("INSERT INTO edges SELECT node, min(node) OVER (PARTITION BY id) FROM same_id")
        return bool(before != table.numbers("SELECT count(*) FROM same_id"))

    def _booked(self, groups: Groups, *, has_state: bool) -> BookedShards:
        count = groups.number
        done: dict[int, tuple[Tables, dict[str, int]]] = {}
        for at in range(count):
            kept = self._place.done(_name(at))
            if kept is not None:
                done[at] = kept
        if len(done) < count:
            for at, tables, counts in self._books(groups, frozenset(done), has_state=has_state):
                self._place.keep(_name(at), tables, counts)
                done[at] = {n: each for n, each in tables.items() if n != DETAIL}, counts
                self._told(sum(n["read"] for _, n in done.values()), self._table.files.rows)
        counts = Counter[str]()
        for _, each in done.values():
            counts.update(each)
        counts["read"] = self._table.files.rows  # those of all groups must come to as many
        by_way = {
            way: [tables for at in sorted(done) if (tables := _of_way(done[at][0], way))]
            for way in (BY_KERNEL, BY_ENGINE, OF_OPERATOR)
        }
        if by_way[OF_OPERATOR]:
            self.operator = self._operator(by_way[OF_OPERATOR][0], has_state=has_state)
        return BookedShards(by_way[BY_KERNEL], by_way[BY_ENGINE], counts)

    def _operator(self, tables: Tables, *, has_state: bool) -> Shard:
        """The operator's part, as a group has given it back."""
        names = tables[NAMES].column(NAMES).combine_chunks()
        inside = {*names.to_pylist()}
        undo = {name: e for name, e in self._undo.items() if party_of(e.entry) in inside}
        state = StateTables(*map(tables.__getitem__, StateTables._fields)) if has_state else None
        return Shard(names, tables[ROWS], state, undo, self._asked.detail)

    def uses_of(self, wanted: frozenset[MeterDay]) -> Iterator[tuple[MeterDay, list[Event]]]:
        """Each use of some days and meters, for the errors of a month that lacks credits.

        All is booked once more for that, and here.
        """
        old, asked = self._table, self._asked
        place = self._place
        files = at_hand(old.files, place.copies / self._bulk.month.name, place.noted)
        table = EventTable(files, asked.memory_limit, place.spill, processes_of(asked))
        state = {name: old.arrow(f"SELECT * FROM state_{name}") for name in PARTS_OF_STATE}
        note_given_state(table, state)
        run = ShardRun(asked, table, self._bulk, DetailKept(self._place.source))
        run.book(lambda ids: self._undo, has_state=self._has_state)
        yield from run.uses_of(wanted)

    def _books(
        self, groups: Groups, done: frozenset[int], *, has_state: bool
    ) -> Iterator[tuple[int, Tables, dict[str, int]]]:
        """The books of each group that is not done, as they come."""
        asked = self._asked._replace(
            events=[], processes=1, prove=-(-self._asked.prove // groups.number)
        )
        task = GroupTask(
            self._table.files._replace(paths=[]),
            self._bulk,
            asked,
            groups,
            self._place.source,
            self._undo,
            has_state,
        )
        given = self._link.blobs(self._given(groups, done, has_state=has_state))
        rows = self._reading(RowsOfPart(self._odd, groups, done)).union(given)
        frame = self._link.mapped(rows.repartition(groups.number, "grp"), task)
        some: defaultdict[int, list[Blob]] = defaultdict(list)
        counts: dict[int, dict[str, int]] = {}
        for blob in self._link.found(frame):
            _check(blob)
            at = blob.group
            if blob.name == COUNTS:
                counts[at] = json.loads(blob.data)
            else:
                some[at].append(blob)
            if at in counts and len(some[at]) == counts[at]["pieces"]:
                of_group = counts.pop(at)
                del of_group["pieces"]
                yield at, self._gathered(some.pop(at, [])), of_group

    def _given(self, groups: Groups, done: frozenset[int], *, has_state: bool) -> Iterator[Blob]:
        """What goes to groups from here: their state; and that all are booked, empty or not."""
        table = self._table
        groups.note(table)
        parts = [name for name in PARTS_OF_STATE if name != OPERATOR_STATE] if has_state else []
        if has_state:
            whole = table.arrow(f"SELECT * FROM state_{OPERATOR_STATE}")
            yield from blobs_of(groups.group_of(table, OPERATOR), OPERATOR_STATE, whole)
        for name in parts:
            group = groups.sql("s.subscriber")
            found = table.arrow(f"SELECT s.*, {group} AS grp FROM state_{name} s")  # in its order
            for at in range(groups.number):
                rows = found.filter(pa.compute.equal(found.column("grp"), at)).drop_columns("grp")
                if rows.num_rows and at not in done:
                    yield from blobs_of(at, name, rows)
        none = schema_of_rows(table.files).empty_table()
        for at in range(groups.number):
            if at not in done:
                yield from blobs_of(at, ROWS, none)

    def _reading(self, read: ReadPart) -> Any:
        task = PartTask(self._table.files._replace(paths=[]), read)
        return self._link.mapped(self._link.parts(self._parts), task)

    def _asked_of_parts(self, read: ReadPart) -> Tables:
        return self._gathered(self._link.found(self._reading(read)))

    def _gathered(self, blobs: Any) -> Tables:
        """Blobs as tables by name; raises the `BulkError` that stands among them."""
        found: defaultdict[str, list[pa.Table]] = defaultdict(list)
        for blob in blobs:
            _check(blob)
            found[blob.name].append(blob.table)
        return {name: pa.concat_tables(some).unify_dictionaries() for name, some in found.items()}


def parts_of(paths: list[str]) -> Iterator[FilePart]:
    """The parts of files: whole row groups, as many as make a part."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = [*pool.map(_row_groups_of, paths)]
    for path, sizes in zip(paths, found, strict=True):
        first = rows = 0
        for size in sizes:
            if rows and rows + size > ROWS_OF_A_PART:
                yield FilePart(path, first, rows)
                first, rows = first + rows, 0
            rows += size
        if rows or not first:
            yield FilePart(path, first, rows)


def _row_groups_of(path: str) -> list[int]:
    """How many rows each row group of a file has."""
    with refusing_store(path), parquet_file(path) as opened:
        about = opened.metadata
        return [about.row_group(at).num_rows for at in range(about.num_row_groups)]


def _check(blob: Blob) -> None:
    if blob.name == ERROR:
        raise BulkError(blob.data.decode())


def _of_way(tables: Tables, way: str) -> Tables:
    return {
        name.removeprefix(f"{way} "): table
        for name, table in tables.items()
        if name.startswith(f"{way} ")
    }


def _columns(table: pa.Table) -> list[list[Any]]:
    return [column.to_pylist() for column in table.columns]


def _name(at: int) -> str:
    return f"shard-{at:05}"
