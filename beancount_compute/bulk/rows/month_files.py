"""The files of a month: found, alike in their columns, and named as places name them.

events/2026-05/*.parquet              files of this machine
s3://books/events/2026-05/*.parquet   objects of a store, which may have copies here
"""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from beancount_compute.bulk.bulk_terms import BulkError
from beancount_compute.bulk.rows.object_store import (
    find_objects,
    has_scheme,
    is_object,
    is_there,
    open_file,
    parquet_file,
    refusing_store,
)
from beancount_compute.economy import quoted
from beancount_compute.ledger.errors import FieldError
from beancount_compute.ledger.header import Columns
from beancount_compute.ledger.parquet import check_types
from beancount_compute.ledger.rows import COLUMNS

AT_ONCE = 16  # files of which something is asked: a store takes its time for each
_END = 65536


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

    paths: list[str]  # of a store, the addresses of its objects
    schema: pa.Schema
    columns: Columns
    rows: int
    base: str = ""  # the folder from which places name the files; "" for whole paths
    part: FilePart | None = None  # of the one file that there is
    given: pa.Table | None = None  # their rows with `file` and `row_at`, where these are here
    copies: str = ""  # the folder in which objects have copies

    def of_part(self, part: FilePart) -> EventFiles:
        """The same of a part of a file alone."""
        return self._replace(paths=[part.path], rows=part.rows, part=part)

    @property
    def in_store(self) -> bool:
        """Whether their rows lie in a store alone."""
        return self.given is None and not self.copies and any(map(is_object, self.paths))

    @property
    def here(self) -> list[str]:
        """What to open for each of them."""
        if not self.copies:
            return self.paths
        return [f"{self.copies}/{at:06}.parquet" for at, _ in enumerate(self.paths)]

    def name_of(self, path: str) -> str:
        """The path of a file as places name it: the same on each machine."""
        if is_object(path):
            return path
        named, left_out = self.folder
        return named + path[left_out:]

    @property
    def folder(self) -> tuple[str, int]:
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
    """The files of paths, addresses and globs; raises `BulkError` where they are not alike.

    Places name them as seen from the folder `base`, that of the ledger.
    """
    paths: list[str] = []
    for pattern in patterns:
        found = find_objects(pattern) if has_scheme(pattern) else _files_of(pattern)
        if not found:
            raise BulkError(f"{pattern}: no such file: name the month's Parquet files, or a glob")
        paths += found
    return event_files_of(sorted(set(paths)), base)


def _files_of(pattern: str) -> list[str]:
    return [os.path.abspath(path) for path in glob.glob(pattern, recursive=True)]


def event_files_of(paths: list[str], base: Path | None = None) -> EventFiles:
    """The same of files that are found."""
    if len({is_object(path) for path in paths}) > 1:
        raise BulkError(
            "some events lie in a store, others here: let all of a month lie in one place"
        )
    with ThreadPoolExecutor(AT_ONCE) as pool:
        schemas = [*pool.map(_schema_of, paths)]
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
        _check_widths(first, columns)
    except FieldError as error:
        raise BulkError(f"{paths[0]}: {error}") from None
    return EventFiles(paths, first, columns, rows, os.path.abspath(base) if base else "")


def _schema_of(path: str) -> tuple[pa.Schema, int]:
    if os.path.isdir(path):
        raise BulkError(f"{path} is a folder: name its files, such as '{path}/*.parquet'")
    if os.path.exists(path) and not os.path.isfile(path):  # to open a pipe is to wait for ever
        raise BulkError(f"{path} is no plain file: write what it gives to a file, and name that")
    try:
        with refusing_store(path), parquet_file(path) as opened:
            return opened.schema_arrow.remove_metadata(), opened.metadata.num_rows
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BulkError(
            f"{path}: not Parquet, or cut off ({str(error).splitlines()[0].rstrip('.')}): export "
            "it anew"
        ) from None


def end_of(path: str) -> tuple[int, bytes]:
    """How long a file is, and its last bytes: of Parquet, what it holds, by columns."""
    with refusing_store(path), open_file(path) as file:
        size: int = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _END))
        return size, file.read()


def noted_from(folder: Path, paths: Sequence[str]) -> list[str]:
    """Paths as a month in a folder notes them; addresses as they are."""
    return [
        path if is_object(path) else Path(os.path.relpath(path, folder)).as_posix()
        for path in paths
    ]


def noted_files(folder: Path, names: Sequence[str]) -> list[str]:
    """The paths that a month in a folder has noted."""
    return [name if is_object(name) else os.path.normpath(folder / name) for name in names]


def first_gone(paths: Sequence[str]) -> str:
    """The first of the files that is there no more; "" where all are."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        there = pool.map(is_there, paths)
        return next((path for path, found in zip(paths, there, strict=True) if not found), "")


def _check_present(names: Sequence[str]) -> None:
    for name in ("id", "date", "event", "subscriber"):
        if name not in names:
            raise FieldError(
                f"no column {quoted(name)}: in bulk every file has id, date, event and subscriber"
            )


def _check_widths(schema: pa.Schema, columns: Columns) -> None:
    """The database reads no decimals of more than 128 bits."""
    for name in COLUMNS:
        if name not in columns.at:
            continue
        kind = schema.field(columns.at[name]).type
        if pa.types.is_decimal256(kind.value_type if pa.types.is_dictionary(kind) else kind):
            raise FieldError(
                f"column {quoted(name)} holds {kind}, which is too wide: cast it to "
                "decimal128(38, 6)"
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
