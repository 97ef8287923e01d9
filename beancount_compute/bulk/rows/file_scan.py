"""The rows of a month's files as columns of Arrow: several threads read, some rows at a time.

    events/2026-05/*.parquet   ->   rows 1 to 250,000 of a file: id, date, subscriber, units, ...

What is made of them comes back in the order of the files, whichever thread is done first. Columns
whose texts repeat come as dictionaries, so that each text of them is looked at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

from beancount_compute.bulk.rows.event_table import unreadable
from beancount_compute.bulk.rows.month_files import EventFiles
from beancount_compute.bulk.rows.object_store import parquet_file, refusing_store

ROWS_AT_ONCE = 125_000
SELDOM_TWICE = ("id", "subscriber", "memo")  # texts that a dictionary would only hold up
Made = TypeVar("Made")


class FileRows(NamedTuple):
    """Some rows of a file that stand behind each other."""

    at: int  # rows of all files before them
    file: str  # as places name it
    begin: int  # rows of the file before them
    size: int
    columns: Mapping[str, pa.Array]  # by the names of events; one without any value may lack
    places: tuple[pa.Array, pa.Array] | None = None  # file and row, where these are no such rows

    def column(self, name: str) -> pa.Array | None:
        """A column; None where no row has a value in it."""
        found = self.columns.get(name)
        return None if found is None or found.null_count == len(found) else found

    def places_of(self, at: npt.NDArray[np.intp]) -> tuple[pa.Array, pa.Array]:
        """File and row of some of the rows."""
        if self.places is not None:
            file, row = self.places
            return file.take(pa.array(at)), row.take(pa.array(at))
        return pa.repeat(self.file, len(at)), pa.array(at + (self.begin + 1), pa.int64())


def scan(
    files: EventFiles, threads: int, make: Callable[[FileRows], Made], only: Sequence[str] = ()
) -> Iterator[Made]:
    """What is made of all rows, of all columns or some."""
    if files.given is not None:
        yield from map(make, _given_rows(files.given, only or files.present))
        return
    with ThreadPoolExecutor(max(1, threads)) as pool:
        waiting: deque[Future[list[Made]]] = deque()
        first = 0
        try:
            for path, here in zip(files.paths, files.here, strict=True):
                with refusing_store(path), parquet_file(here) as opened:
                    metadata = opened.metadata
                begin = 0
                for group in range(metadata.num_row_groups):
                    if files.part is None or files.part.holds(begin):
                        reader = _GroupReader(
                            files, path, here, metadata, group, first, begin, only
                        )
                        waiting.append(pool.submit(reader.made, make))
                    begin += metadata.row_group(group).num_rows
                    if len(waiting) > threads:
                        yield from waiting.popleft().result()
                first += metadata.num_rows
            while waiting:
                yield from waiting.popleft().result()
        except (pa.ArrowException, OSError) as error:
            raise unreadable(error) from None
        finally:
            pool.shutdown(cancel_futures=True)


def _given_rows(given: pa.Table, names: Sequence[str]) -> Iterator[FileRows]:
    first = 0
    for batch in given.to_batches(max_chunksize=ROWS_AT_ONCE):
        columns = {name: batch.column(name) for name in names}
        places = batch.column("file").cast(pa.string()), batch.column("row_at")
        yield FileRows(first, "", 0, len(batch), columns, places)
        first += len(batch)


class _GroupReader(NamedTuple):
    """A row group that is to be read."""

    files: EventFiles
    path: str
    here: str  # what is opened for it
    metadata: parquet.FileMetaData
    group: int
    first: int  # rows of the files before this one
    begin: int  # rows of its own before the group
    only: Sequence[str]

    def made(self, make: Callable[[FileRows], Made]) -> list[Made]:
        """What is made of its rows."""
        try:
            with refusing_store(self.path):
                return self._made(make)
        except (pa.ArrowException, OSError) as error:
            raise unreadable(error, self.path) from None

    def _made(self, make: Callable[[FileRows], Made]) -> list[Made]:
        names = {self.files.column(name).name: name for name in self.only or self.files.present}
        of_group = self.metadata.row_group(self.group)
        for at in range(of_group.num_columns):
            column = of_group.column(at)
            says = column.statistics if column.is_stats_set else None
            if says is not None and says.has_null_count and says.null_count == of_group.num_rows:
                names.pop(column.path_in_schema, None)
        texts = [given for given, name in names.items() if name not in SELDOM_TWICE]
        found, begin = [], self.begin
        with parquet_file(self.here, metadata=self.metadata, read_dictionary=texts) as opened:
            for batch in opened.iter_batches(
                ROWS_AT_ONCE, row_groups=[self.group], columns=[*names], use_threads=False
            ):
                columns = {names[given]: batch.column(given) for given in batch.schema.names}
                place = self.first + begin, self.files.name_of(self.path), begin
                found.append(make(FileRows(*place, batch.num_rows, columns)))
                begin += len(batch)
        return found
