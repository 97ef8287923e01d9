"""What Spark's workers do: read parts of files, and book groups, by the functions that run here.

    a part of a file  ->  who is tied to whom; ids; its rows by group
    all of a group    ->  the books of a month of those in it

Only these functions go over the wire, by their names: workers have the package themselves.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from beancount_compute.bulk.bulk_terms import OPERATOR, BulkError, BulkTerms
from beancount_compute.bulk.by_engine.engine_way import Shard
from beancount_compute.bulk.folder.month_state import PARTS_OF_STATE, note_given_state
from beancount_compute.bulk.folder.month_tables import DETAIL, Tables, together
from beancount_compute.bulk.month_asked import BookedShards, MonthAsked
from beancount_compute.bulk.rows.event_table import NAMING, EventTable
from beancount_compute.bulk.rows.file_scan import SELDOM_TWICE, FileRows, scan
from beancount_compute.bulk.rows.groups import Groups
from beancount_compute.bulk.rows.kept_rows import schema_of_rows
from beancount_compute.bulk.rows.month_files import EventFiles, FilePart
from beancount_compute.bulk.rows.parts import rows_that_tie
from beancount_compute.bulk.rows.repeats import ID
from beancount_compute.bulk.shard_run import ShardRun
from beancount_compute.bulk.spark.blobs import Blob, batch_of, blobs_in, blobs_of
from beancount_compute.economy.state import Undo

ERROR, COUNTS, ROWS = "error", "counts", "rows"
ODD, TIED, IDS, SUSPECTED, NAMED, NOBODY = "odd", "tied", "ids", "suspected", "named", "nobody"
BY_KERNEL, BY_ENGINE, OF_OPERATOR, NAMES = "by-kernel", "by-engine", "of-operator", "names"
NEEDED_FOR_NODES = ("subscriber", "counterparty", "event", *NAMING)
Batches = Iterator[pa.RecordBatch]


class ReadPart(Protocol):
    """What is asked of the rows of a part."""

    def of(self, table: EventTable) -> Iterator[Blob]:
        """Its answer."""


class PartTask(NamedTuple):
    """Reads parts of files, and says of each what is asked."""

    files: EventFiles
    read: ReadPart

    def __call__(self, batches: Batches) -> Batches:
        """Rows of path, first row and rows; what is said of each of them."""
        return _guarded(self._blobs(batches))

    def _blobs(self, batches: Batches) -> Iterator[Blob]:
        for batch in batches:
            for row in batch.to_pylist():
                part = FilePart(row["path"], row["first"], row["rows"])
                with tempfile.TemporaryDirectory() as spill:
                    files = self.files.of_part(part)
                    if files.in_store:
                        files = files._replace(given=_fetched(files))
                    yield from self.read.of(EventTable(files, "", Path(spill), 1))


def _fetched(files: EventFiles) -> pa.Table:
    """The rows of a part of an object, which no database reads."""
    none = schema_of_rows(files).empty_table()
    found = [*scan(files, 1, lambda rows: _with_places(rows, files))] or [none]
    return pa.concat_tables(found)


class TiesOfPart(NamedTuple):
    """Names that are written oddly, and the rows that tie subscribers together."""

    version: str  # of DuckDB, here as there

    def of(self, table: EventTable) -> Iterator[Blob]:
        """Both of them as tables."""
        if duckdb.__version__ != self.version:
            raise BulkError(
                f"the server's Python has DuckDB {duckdb.__version__}, and {self.version} is "
                "here: install the same"
            )
        odd = table.odd_names_in("files_as_they_are")
        table.name_rows(odd)
        given = pa.table({"written": [*odd], "node": [*odd.values()]}, schema=NAMES_SCHEMA)
        yield from blobs_of(0, ODD, given)
        yield from blobs_of(0, TIED, table.arrow(rows_that_tie(table)))


NAMES_SCHEMA = pa.schema([("written", pa.string()), ("node", pa.string())])


class RowsNamed(NamedTuple):
    """Which rows have one of some ids, or none at all where `blank` ones are asked for."""

    odd: dict[str, str]
    asked: pa.Table  # name, or the hash of one

    def of(self, table: EventTable) -> Iterator[Blob]:
        """The ids and whose they are."""
        table.name_rows(self.odd)
        table.register("asked_for", self.asked)
        (key,) = self.asked.column_names
        wanted = f"hash({ID})" if key == "h" else f"coalesce({ID}, '')"
        found = table.arrow(
            f"SELECT DISTINCT {ID} AS id, node FROM event_rows "
            f"WHERE {wanted} IN (SELECT {key} FROM asked_for)"
        )
        yield from blobs_of(0, NAMED, found)


class IdsOfPart(NamedTuple):
    """The hash of each id with the group that it lies in, by buckets of hashes."""

    odd: dict[str, str]
    groups: Groups

    def of(self, table: EventTable) -> Iterator[Blob]:
        """Each bucket as a table."""
        table.name_rows(self.odd)
        self.groups.note(table)
        found = table.arrow(
            f"SELECT hash({ID}) AS h, {self.groups.sql('e.node')} AS grp FROM event_rows e "
            f"WHERE {ID} <> ''"
        )
        bucket = found.column("h").to_numpy() % np.uint64(self.groups.number)
        for at, rows in _split(found, bucket):
            yield from blobs_of(at, IDS, rows)


class RowsOfPart(NamedTuple):
    """The rows of each group that is still to be booked."""

    odd: dict[str, str]
    groups: Groups
    booked: frozenset[int]

    def of(self, table: EventTable) -> Iterator[Blob]:
        """Each group as a table; texts that repeat stay dictionaries."""
        table.name_rows(self.odd)
        self.groups.note(table)
        present, named = table.files.present, False
        needed = [name for name in NEEDED_FOR_NODES if name in present]
        for rows in scan(table.files, 1, lambda rows: rows):
            whole = _with_places(rows, table.files)
            table.register("part_rows", whole.select(needed))
            if not named:
                table.name_some_rows("part_rows", "part_named")
                named = True
            found = table.arrow(f"SELECT {self.groups.sql('e.node')} AS grp FROM part_named e")
            for at, some in _split(whole, found.column("grp").to_numpy()):
                if at not in self.booked:
                    yield from blobs_of(at, ROWS, some)


def _with_places(rows: FileRows, files: EventFiles) -> pa.Table:
    """Rows as each part of a file gives them: with their places."""
    file, row = rows.places_of(np.arange(rows.size))
    columns = [_column(rows, files, name) for name in files.present]
    return pa.table([file.dictionary_encode(), row, *columns], ["file", "row_at", *files.present])


def _column(rows: FileRows, files: EventFiles, name: str) -> pa.Array:
    """A column of rows as each part of a file gives it."""
    kind = schema_of_rows(files).field(name).type
    if pa.types.is_string(kind) and name not in SELDOM_TWICE:
        kind = pa.dictionary(pa.int32(), pa.string())
    column = rows.column(name)
    return pa.nulls(rows.size, kind) if column is None else column.cast(kind)


def _split(table: pa.Table, by: npt.NDArray[Any]) -> Iterator[tuple[int, pa.Table]]:
    """The rows of a table by a number, in their order."""
    order = np.argsort(by, kind="stable")
    numbers, begin, rows = np.unique(by[order], return_index=True, return_counts=True)
    ordered = table.take(pa.array(order))
    for number, first, count in zip(numbers, begin, rows, strict=True):
        yield int(number), ordered.slice(first, count)


def same_ids(batches: Batches) -> Batches:
    """The hashes of ids that lie in more than one group."""
    return _guarded(_same_ids(blobs_in(batches)))


def _same_ids(blobs: Iterator[Blob]) -> Iterator[Blob]:
    buckets: defaultdict[int, list[pa.Table]] = defaultdict(list)
    for blob in blobs:
        if blob.name == ERROR:
            yield blob
        else:
            buckets[blob.group].append(blob.table)
    for bucket, tables in buckets.items():
        found = pa.concat_tables(tables)
        hashes, group = (found.column(name).to_numpy() for name in ("h", "grp"))
        order = np.argsort(hashes, kind="stable")
        hashes, group = hashes[order], group[order]
        again = (hashes[1:] == hashes[:-1]) & (group[1:] != group[:-1])
        if again.any():
            yield from blobs_of(bucket, SUSPECTED, pa.table({"h": np.unique(hashes[1:][again])}))


class DetailKept:
    """Where a run in a worker leaves what it makes: its legs, as all else it gives back."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.detail: list[pa.Table] = []

    def done(self, name: str) -> None:
        """No shard is."""

    def keep(self, name: str, tables: Tables, counts: dict[str, int]) -> None:
        """Keep the legs of a shard, where they are asked for."""
        if DETAIL in tables:
            self.detail.append(tables[DETAIL])


class GroupTask(NamedTuple):
    """Books groups, each as a month of its own."""

    files: EventFiles
    bulk: BulkTerms
    asked: MonthAsked
    groups: Groups
    source: str
    undo: dict[str, Undo]  # of earlier months, which reversals name
    has_state: bool

    def __call__(self, batches: Batches) -> Batches:
        """Rows and state of groups in, the tables of their books out."""
        return _guarded(self._blobs(blobs_in(batches)))

    def _blobs(self, blobs: Iterator[Blob]) -> Iterator[Blob]:
        given: defaultdict[int, defaultdict[str, list[pa.Table]]]
        given = defaultdict(lambda: defaultdict(list))
        for blob in blobs:
            if blob.name == ERROR:
                yield blob
            else:
                given[blob.group][blob.name].append(blob.table)
        for group in sorted(given):
            of_group = given.pop(group)
            none = schema_of_rows(self.files).empty_table()
            some = [rows for rows in of_group[ROWS] if rows.num_rows]
            of_group[ROWS] = sorted(some, key=_begin) or [none]
            tables = {name: pa.concat_tables(some) for name, some in of_group.items()}
            yield from self._books(group, tables)

    def _books(self, group: int, given: Tables) -> Iterator[Blob]:
        with tempfile.TemporaryDirectory() as spill:
            files = self.files._replace(rows=given[ROWS].num_rows, given=given[ROWS])
            table = EventTable(files, self.asked.memory_limit, Path(spill), 1)
            note_given_state(table, {n: given[n] for n in PARTS_OF_STATE if n in given})
            place = DetailKept(f"{self.source[:7]}{group % 16:x}")
            run = ShardRun(self.asked, table, self._bulk_of(group, table), place)
            booked = run.book(self._undo_of, has_state=self.has_state).at_once()
            operator = None
            if self.bulk.has_operator and group == self.groups.group_of(table, OPERATOR):
                operator = run.operator
        pieces = 0
        for name, found in _tables_of(booked, operator, place.detail):
            for blob in blobs_of(group, name, found):
                pieces += 1
                yield blob
        counts = {**booked.counts, "pieces": pieces}
        yield Blob(group, COUNTS, json.dumps(counts).encode())

    def _undo_of(self, ids: frozenset[str]) -> dict[str, Undo]:
        return {name: each for name, each in self.undo.items() if name in ids}

    def _bulk_of(self, group: int, table: EventTable) -> BulkTerms:
        """What the ledger says of those in a group."""
        self.groups.note(table)
        names = pa.array(sorted(self.bulk.named), pa.string())
        table.register("named_anywhere", pa.table({"node": names}))
        here = {
            name
            for (name,) in table.numbers(
                f"SELECT e.node FROM named_anywhere e WHERE {self.groups.sql('e.node')} = {group}"
            )
        }
        bulk = self.bulk
        return bulk._replace(
            openings=[each for each in bulk.openings if each.lot.holder in here],
            removals=[each for each in bulk.removals if each.lot.holder in here],
            introductions=[each for each in bulk.introductions if each.name in here],
            events=bulk.events if group == self.groups.group_of(table, OPERATOR) else [],
            assertions=[each for each in bulk.assertions if each.subscriber in here],
        )


def _tables_of(
    booked: BookedShards, operator: Shard | None, detail: Sequence[pa.Table]
) -> Iterator[tuple[str, pa.Table]]:
    """All that a group gives back; the operator's part is booked behind all groups."""
    for way, tables in ((BY_KERNEL, booked.by_kernel), (BY_ENGINE, booked.by_engine)):
        for name in sorted({name for each in tables for name in each}):
            yield f"{way} {name}", together(name, [each[name] for each in tables if name in each])
    if detail:
        yield DETAIL, together(DETAIL, detail)
    if operator is not None:
        yield f"{OF_OPERATOR} {NAMES}", pa.table({NAMES: operator.names})
        yield f"{OF_OPERATOR} {ROWS}", operator.rows
        for name, found in (operator.state._asdict() if operator.state else {}).items():
            yield f"{OF_OPERATOR} {name}", found


def _begin(rows: pa.Table) -> tuple[str, int]:
    """Where rows of a part of a file begin."""
    return rows.column("file")[0].as_py(), rows.column("row_at")[0].as_py()


def _guarded(blobs: Iterator[Blob]) -> Batches:
    """Blobs as batches; what stops a task for good is the last of them."""
    try:
        for blob in blobs:
            yield batch_of([blob])
    except BulkError as error:
        yield batch_of([Blob(0, ERROR, str(error).encode())])
