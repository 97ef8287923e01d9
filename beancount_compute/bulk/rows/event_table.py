"""The files of a month as one table of DuckDB: their columns and types, each row with its place.

    events/2026-05/*.parquet   ->   event_rows(file, row_at, kind, node, id, date, ...)

Numbers are decimals, integers or text, never floats. A name that may be written in several ways
(blanks at its ends, letters with accents) is read by the plugin's own reader, and `node` is what
that makes of it.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
from pyarrow import parquet

from beancount_compute.bulk.bulk_terms import BulkError
from beancount_compute.economy import quoted
from beancount_compute.ledger import Fields
from beancount_compute.ledger.errors import FieldError
from beancount_compute.ledger.header import Columns
from beancount_compute.ledger.parquet import check_types
from beancount_compute.ledger.rows import COLUMNS

NAMED_PLAINLY = re.compile("[!-~]([ -~]*[!-~])?")  # a name like this is what its text says
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)  # s3://, s3a://, https://
_ROWS_AT_ONCE = 1_000_000
_NODES = ("subscriber", "counterparty")


class FilePart(NamedTuple):
    """Some row groups of a file, one after the other."""

    path: str
    first: int  # counted from 0
    rows: int

    def holds(self, row: int) -> bool:
        """Whether a row lies in it."""
        return self.first <= row < self.first + self.rows


class EventFiles(NamedTuple):
    """The files of a month, all with the same columns."""

    paths: list[str]
    schema: pa.Schema
    columns: Columns
    rows: int
    base: str = ""  # the folder from which places name the files; "" for whole paths
    part: FilePart | None = None  # of the one file that there is
    given: pa.Table | None = None  # their rows with `file` and `row_at`, where these are here

    def of_part(self, part: FilePart) -> EventFiles:
        """The same of a part of a file alone."""
        return self._replace(paths=[part.path], rows=part.rows, part=part)

    @property
    def place(self) -> str:
        """What SQL makes of the path of a file, as places name it: the same on each machine."""
        named, left_out = self._folder
        return f"{literal(named)} || substr(filename, {left_out + 1})"

    def name_of(self, path: str) -> str:
        """The path of a file as places name it."""
        named, left_out = self._folder
        return named + path[left_out:]

    @property
    def _folder(self) -> tuple[str, int]:
        """What places name in place of so many letters of a path."""
        if not self.base:
            return "", 0
        folder = os.path.commonpath([os.path.dirname(path) for path in self.paths])
        named = (Path(os.path.relpath(folder, self.base)).as_posix() + "/").removeprefix("./")
        return named, len(folder.rstrip("/")) + 1

    @property
    def present(self) -> list[str]:
        """The columns that the files have, of those an event may fill."""
        return [name for name in COLUMNS if name in self.columns.at]

    def column(self, name: str) -> pa.Field:
        """The column of a file that fills an event's."""
        return self.schema.field(self.columns.at[name])


def find_event_files(patterns: Sequence[str], base: Path | None = None) -> EventFiles:
    """The files of paths and globs; raises `BulkError` where they can't be read together.

    Places name them as seen from the folder `base`, that of the ledger.
    """
    paths: list[str] = []
    for pattern in patterns:
        if _ELSEWHERE.match(pattern):
            raise BulkError(
                f"{pattern} is no path: copy the files to this machine, or mount the storage as a "
                "folder"
            )
        found = sorted(glob.glob(pattern, recursive=True))
        if not found:
            raise BulkError(f"{pattern}: no such file: name the month's Parquet files, or a glob")
        paths += [os.path.abspath(path) for path in found]
    paths = sorted(set(paths))
    schemas = [_schema_of(path) for path in paths]
    first, rows = schemas[0][0], sum(count for _, count in schemas)
    for path, (schema, _) in zip(paths, schemas, strict=True):
        if difference := _difference(first, schema):
            raise BulkError(
                f"{path}: {difference}, unlike {paths[0]}: export all files of a month alike"
            )
    names = [name.strip() for name in first.names]
    try:
        _check_present(names)
        columns = Columns(names)
        check_types(first, columns)
    except FieldError as error:
        raise BulkError(f"{paths[0]}: {error}") from None
    return EventFiles(paths, first, columns, rows, os.path.abspath(base) if base else "")


def _schema_of(path: str) -> tuple[pa.Schema, int]:
    if os.path.isdir(path):
        raise BulkError(f"{path} is a folder: name its files, such as '{path}/*.parquet'")
    try:
        with parquet.ParquetFile(path) as opened:
            return opened.schema_arrow.remove_metadata(), opened.metadata.num_rows
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BulkError(
            f"{path}: not Parquet, or cut off ({str(error).splitlines()[0].rstrip('.')}): export "
            "it anew"
        ) from None


def _check_present(names: Sequence[str]) -> None:
    for name in ("id", "date", "event", "subscriber"):
        if name not in names:
            raise FieldError(
                f"no column {quoted(name)}: in bulk every file has id, date, event and subscriber"
            )


def _difference(one: pa.Schema, other: pa.Schema) -> str:
    """What a schema has otherwise than another; "" for nothing."""
    if one.names != other.names:
        lacking = [name for name in one.names if name not in other.names]
        more = [name for name in other.names if name not in one.names]
        if lacking or more:
            said = [f"no column {quoted(name)}" for name in lacking]
            said += [f"a column {quoted(name)}" for name in more]
            return ", ".join(said)
        return "its columns stand in another order"
    for field, of_other in zip(one, other, strict=True):
        if of_other.type != field.type:
            return f"column {quoted(field.name)} holds {of_other.type}, not {field.type}"
    return ""


class EventTable:
    """The rows of a month's files, in a database of their own."""

    def __init__(self, files: EventFiles, memory_limit: str, spill: Path, threads: int) -> None:
        self.files, self.threads = files, threads
        self.connection = duckdb.connect()
        self.run(f"SET temp_directory = {literal(str(spill))}")
        self.run("SET preserve_insertion_order = true")
        self.run(f"SET threads = {threads}")
        if memory_limit:
            self.run(f"SET memory_limit = {literal(memory_limit)}")
        self.run("SET arrow_large_buffer_size = false")
        if files.given is None:
            self._make_view()
        else:
            self.register("files_as_they_are", files.given)

    def run(self, sql: str) -> duckdb.DuckDBPyRelation | None:
        """Run a statement; what the system or a file refuses is a `BulkError`."""
        try:
            return self.connection.sql(sql)
        except duckdb.Error as error:
            raise unreadable(error) from None

    def arrow(self, sql: str) -> pa.Table:
        """What a query finds."""
        try:
            return self.connection.sql(sql).to_arrow_table()
        except duckdb.Error as error:
            raise unreadable(error) from None

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        """What a query finds, bit by bit."""
        try:
            yield from self.connection.sql(sql).to_arrow_reader(_ROWS_AT_ONCE)
        except duckdb.Error as error:
            raise unreadable(error) from None

    def numbers(self, sql: str) -> list[tuple[Any, ...]]:
        """The few rows that a query finds."""
        try:
            return self.connection.sql(sql).fetchall()
        except duckdb.Error as error:
            raise unreadable(error) from None

    def register(self, name: str, table: pa.Table) -> None:
        """Let queries know a table of Arrow."""
        try:
            self.connection.register(name, table)
        except duckdb.Error as error:
            raise unreadable(error) from None

    def note_file(self, name: str, path: Path) -> None:
        """Let queries know a Parquet file, which is read when it is asked for."""
        self.run(f"CREATE OR REPLACE VIEW {name} AS FROM read_parquet({literal(str(path))})")

    def unregister(self, name: str) -> None:
        """Let a table of Arrow go."""
        self.connection.unregister(name)

    def _make_view(self) -> None:
        paths = ", ".join(literal(path) for path in self.files.paths)
        source = f"read_parquet([{paths}], filename = true, file_row_number = true)"
        columns = [
            f"{quote(self.files.column(name).name)} AS {quote(name)}" for name in self.files.present
        ]
        where = ""
        if part := self.files.part:
            last = part.first + part.rows - 1
            where = f" WHERE file_row_number BETWEEN {part.first} AND {last}"
        self.run(
            f"CREATE VIEW files_as_they_are AS SELECT {self.files.place} AS file, "
            f"file_row_number + 1 AS row_at, {', '.join(columns)} FROM {source}{where}"
        )

    def odd_names_in(self, rows: str, names: Iterable[str] = ()) -> dict[str, str]:
        """The names that are not just what their text says, with what the plugin reads of them.

        Those in some rows, and of others that are given.
        """
        fields = Fields()
        written = {name for name in names if not NAMED_PLAINLY.fullmatch(name)}
        for name in _NODES:
            if name in self.files.present:
                found = self.numbers(
                    f"SELECT DISTINCT {text_of(name)} FROM {rows} "
                    f"WHERE NOT regexp_full_match({text_of(name)}, '{NAMED_PLAINLY.pattern}')"
                )
                written |= {name for (name,) in found}
        odd: dict[str, str] = {}
        for name in sorted(written):
            try:
                odd[name] = fields.names[name.strip()]
            except FieldError:
                odd[name] = name
        return odd

    def name_rows(self, odd: Mapping[str, str]) -> None:
        """Make `event_rows`, in which `node` is whom a row names; some names are written oddly."""
        self.odd_names = set(odd.values())
        if odd:
            given = pa.table({"written": [*odd], "node": [*odd.values()]})
            self.register("odd_names_given", given)
            self.run("CREATE TABLE odd_names AS SELECT * FROM odd_names_given")
        self._name("files_as_they_are", "event_rows")

    def name_some_rows(self, rows: str, called: str) -> None:
        """The same for some rows, when the names are read."""
        self._name(rows, called)

    def _name(self, rows: str, called: str) -> None:
        nodes = []
        for name in _NODES:
            node = "''"
            if name in self.files.present:
                text = text_of(name)
                node = f"coalesce({text}, '')"
                if self.odd_names:
                    known = f"(SELECT o.node FROM odd_names o WHERE o.written = {text})"
                    node = f"coalesce({known}, {text}, '')"
            nodes.append(f"{node} AS {name}_node")
        nodes.append(f"coalesce(trim({text_of('event')}), '') AS kind")
        node = "subscriber_node"
        if "reverses" in self.files.present:
            node = (
                f"CASE WHEN subscriber_node = '' THEN coalesce(trim({text_of('reverses')}), '') "
                "ELSE subscriber_node END"
            )
        self.run(
            f"CREATE VIEW {called} AS SELECT *, {node} AS node FROM "
            f"(SELECT *, {', '.join(nodes)} FROM {rows})"
        )


def text_of(name: str) -> str:
    """A column as text."""
    return f"CAST({quote(name)} AS VARCHAR)"


def quote(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def unreadable(error: Exception, path: str = "") -> BulkError:
    """What a file or the system refused, in one line."""
    said = " ".join(str(error).split())
    if "KeyboardInterrupt" in said:  # DuckDB was asking Arrow for rows when somebody stopped it
        raise KeyboardInterrupt
    if "No space left" in said or "max_temp_directory_size" in said:
        return BulkError(f"the disk is full: make room, and run again ({said[:200]})")
    if "Out of Memory" in said:
        said = said.partition(" Possible solutions")[0]
        return BulkError(f"the memory limit is too small: give a larger --memory-limit ({said})")
    if path:
        return BulkError(f"can't read {path}: {said[:300].rstrip('.')}: export it anew")
    return BulkError(f"can't read the events: {said[:300].rstrip('.')}")
