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

import pyarrow as pa
from pyarrow import parquet

from beancount_compute.bulk.event_table import EventFiles, unreadable

ROWS_AT_ONCE = 250_000
_SELDOM_TWICE = ("id", "subscriber", "memo")  # texts that a dictionary would only hold up
Made = TypeVar("Made")


class FileRows(NamedTuple):
    """Some rows of a file that stand behind each other."""

    at: int  # rows of all files before them
    file: str  # as places name it
    begin: int  # rows of the file before them
    size: int
    columns: Mapping[str, pa.Array]  # by the names of events; one without any value may lack

    def column(self, name: str) -> pa.Array | None:
        """A column; None where no row has a value in it."""
        found = self.columns.get(name)
        return None if found is None or found.null_count == len(found) else found


def scan(
    files: EventFiles, threads: int, make: Callable[[FileRows], Made], only: Sequence[str] = ()
) -> Iterator[Made]:
    """What is made of all rows, of all columns or some."""
    with ThreadPoolExecutor(max(1, threads)) as pool:
        waiting: deque[Future[list[Made]]] = deque()
        first = 0
        try:
            for path in files.paths:
                with parquet.ParquetFile(path) as opened:
                    metadata = opened.metadata
                begin = 0
                for group in range(metadata.num_row_groups):
                    reader = _GroupReader(files, path, metadata, group, first, begin, only)
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


class _GroupReader(NamedTuple):
    """A row group that is to be read."""

    files: EventFiles
    path: str
    metadata: parquet.FileMetaData
    group: int
    first: int  # rows of the files before this one
    begin: int  # rows of its own before the group
    only: Sequence[str]

    def made(self, make: Callable[[FileRows], Made]) -> list[Made]:
        """What is made of its rows."""
        names = {self.files.column(name).name: name for name in self.only or self.files.present}
        of_group = self.metadata.row_group(self.group)
        for at in range(of_group.num_columns):
            column = of_group.column(at)
            says = column.statistics if column.is_stats_set else None
            if says is not None and says.has_null_count and says.null_count == of_group.num_rows:
                names.pop(column.path_in_schema, None)
        texts = [given for given, name in names.items() if name not in _SELDOM_TWICE]
        found, begin = [], self.begin
        with parquet.ParquetFile(
            self.path, metadata=self.metadata, read_dictionary=texts
        ) as opened:
            for batch in opened.iter_batches(
                ROWS_AT_ONCE, row_groups=[self.group], columns=[*names], use_threads=False
            ):
                columns = {names[given]: batch.column(given) for given in batch.schema.names}
                place = self.first + begin, self.files.name_of(self.path), begin
                found.append(make(FileRows(*place, batch.num_rows, columns)))
                begin += len(batch)
        return found
