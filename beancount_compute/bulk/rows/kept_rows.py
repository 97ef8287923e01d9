"""Rows of the files with their places, put into tables of the database.

file                row_at   id     date        event   ...
05/0003.parquet     1017     e-17   2026-05-20  trade
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from beancount_compute.bulk.rows.event_table import EventTable
from beancount_compute.bulk.rows.file_scan import FileRows
from beancount_compute.bulk.rows.month_files import EventFiles

ROWS_OF_AN_INSERT = 200_000


class KeptRows:
    """Rows that are put into a table of the database, many at a time."""

    def __init__(self, table: EventTable, name: str) -> None:
        self._table, self._name = table, name
        self._bits: list[pa.Table] = []
        self._rows = 0
        self._table.register("no_rows", schema_of_rows(table.files).empty_table())
        self._table.run(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM no_rows")

    def add(self, bit: pa.Table) -> None:
        """Keep some rows."""
        self._bits.append(bit)
        self._rows += len(bit)
        if self._rows > ROWS_OF_AN_INSERT:
            self.write()

    def write(self) -> None:
        """Put what waits into the table."""
        if self._rows:
            self._table.register("some_rows", pa.concat_tables(self._bits))
            self._table.run(f"INSERT INTO {self._name} SELECT * FROM some_rows")
            self._table.unregister("some_rows")
        self._bits.clear()
        self._rows = 0


def schema_of_rows(files: EventFiles) -> pa.Schema:
    """The columns of rows with their places."""
    fields = [pa.field("file", pa.string()), pa.field("row_at", pa.int64())]
    for name in files.present:
        kind = files.column(name).type
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
            kind = pa.string()
        fields.append(pa.field(name, kind))
    return pa.schema(fields)


def rows_at(
    rows: FileRows,
    files: EventFiles,
    at: npt.NDArray[np.intp],
    given: Mapping[str, pa.Array] = MappingProxyType({}),
) -> pa.Table:
    """Some rows, with their places; of some columns what is given for these rows."""
    schema = schema_of_rows(files)
    if not len(at):
        return schema.empty_table()
    chosen = pa.array(at)
    columns = [*rows.places_of(at)]
    for field in [*schema][2:]:
        column = rows.column(field.name)
        if field.name in given:
            columns.append(given[field.name].cast(field.type))
        elif column is None:
            columns.append(pa.nulls(len(at), field.type))
        else:
            column = column.take(chosen)
            if pa.types.is_dictionary(column.type):
                column = column.dictionary_decode()
            columns.append(column.cast(field.type))
    return pa.Table.from_arrays(columns, schema=schema)
