"""The files of a month as one table of DuckDB: their columns and types, each row with its place.

    events/2026-05/*.parquet   ->   event_rows(file, row_at, kind, node, id, date, ...)

Numbers are decimals, integers or text, never floats. A name that may be written in several ways
(blanks at its ends, letters with accents) is read by the plugin's own reader, and `node` is what
that makes of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from beancount_compute.bulk.bulk_terms import BulkError
from beancount_compute.bulk.rows.month_files import EventFiles
from beancount_compute.ledger import Fields
from beancount_compute.ledger.errors import FieldError

NAMED_PLAINLY = re.compile("[!-~]([ -~]*[!-~])?")  # a name like this is what its text says
_ROWS_AT_ONCE = 1_000_000
_NODES = ("subscriber", "counterparty")
NAMING = ("reverses", "of")  # the columns that name an event by its id


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
        if files.given is not None:
            self.register("files_as_they_are", files.given)
        elif not files.in_store:  # whose rows others read
            self._make_view()

    def run(self, sql: str) -> None:
        """Run a statement; what the system or a file refuses is a `BulkError`."""
        try:
            self.connection.execute(sql)
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
            return self.connection.execute(sql).fetchall()
        except duckdb.Error as error:
            raise unreadable(error) from None

    def register(self, name: str, table: pa.Table) -> None:
        """Let queries know a table of Arrow."""
        try:
            self.connection.register(name, table)
        except duckdb.Error as error:
            raise unreadable(error) from None

    def note_file(self, name: str, path: Path, lacking: Sequence[pa.Field] = ()) -> None:
        """Let queries know a Parquet file, which is read when it is asked for.

        The columns that it lacks are empty.
        """
        file = f"read_parquet({literal(str(path))})"
        if lacking:
            names = [field.name for field in lacking]
            self.register(f"{name}_lacks", pa.schema(lacking).empty_table())
            columns = ", ".join(f"l.{quote(each)}" for each in names)
            file = f"(SELECT f.*, {columns} FROM {file} f LEFT JOIN {name}_lacks l ON false)"
        self.run(f"CREATE OR REPLACE VIEW {name} AS FROM {file}")

    def unregister(self, name: str) -> None:
        """Let a table of Arrow go."""
        self.connection.unregister(name)

    def _make_view(self) -> None:
        paths = ", ".join(map(literal, self.files.here))
        source = f"read_parquet([{paths}], filename = true, file_row_number = true)"
        columns = [
            f"{quote(self.files.column(name).name)} AS {quote(name)}" for name in self.files.present
        ]
        where = ""
        if part := self.files.part:
            last = part.first + part.rows - 1
            where = f" WHERE file_row_number BETWEEN {part.first} AND {last}"
        self.run(
            f"CREATE VIEW files_as_they_are AS SELECT {self._place()} AS file, "
            f"file_row_number + 1 AS row_at, {', '.join(columns)} FROM {source}{where}"
        )

    def _place(self) -> str:
        """What SQL makes of the path of a file, as places name it."""
        if copies := self.files.copies:
            names = ", ".join(map(literal, self.files.paths))
            return f"[{names}][1 + CAST(substr(filename, {len(copies) + 2}, 6) AS INTEGER)]"
        named, left_out = self.files.folder
        return f"{literal(named)} || substr(filename, {left_out + 1})"

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
        ids = [f"nullif(trim({text_of(n)}), '')" for n in NAMING if n in self.files.present]
        nodes.append(f"coalesce({', '.join([*ids, literal('')])}) AS named_event")
        self.run(
            f"CREATE VIEW {called} AS SELECT *, CASE WHEN subscriber_node = '' THEN named_event "
            f"ELSE subscriber_node END AS node FROM (SELECT *, {', '.join(nodes)} FROM {rows})"
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
