"""Tables on their way from one task to another: few rows of bytes, which any engine carries alike.

group  name    data
3      rows    the events of group 3 in a part of a file, as a stream of Arrow
3      lots    what those of group 3 held at the month's beginning
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pyarrow as pa

SCHEMA_OF_BLOBS = "grp int, name string, data binary"  # as Spark writes it
_ARROW = pa.schema([("grp", pa.int32()), ("name", pa.string()), ("data", pa.binary())])
_MOST_ROWS = 100_000  # of a blob: a message has room for it
_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


class Blob(NamedTuple):
    """A table, or a bit of one, of a group."""

    group: int
    name: str
    data: bytes

    @property
    def table(self) -> pa.Table:
        """The table that it holds."""
        return pa.ipc.open_stream(self.data).read_all()


def blobs_of(group: int, name: str, table: pa.Table) -> Iterator[Blob]:
    """A table as blobs, one at least."""
    for begin in range(0, max(1, table.num_rows), _MOST_ROWS):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema, options=_OPTIONS) as stream:
            stream.write_table(table.slice(begin, _MOST_ROWS))
        yield Blob(group, name, sink.getvalue().to_pybytes())


def batch_of(blobs: Iterable[Blob]) -> pa.RecordBatch:
    """Blobs as a batch of Arrow."""
    columns = list(zip(*blobs, strict=True)) or [(), (), ()]
    arrays = [pa.array(c, f.type) for c, f in zip(columns, _ARROW, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=_ARROW)


def blobs_in(batches: Iterable[pa.RecordBatch]) -> Iterator[Blob]:
    """The blobs of batches."""
    for batch in batches:
        group, name, data = (batch.column(at) for at in range(3))
        for at in range(batch.num_rows):
            yield Blob(group[at].as_py(), name[at].as_py(), data[at].as_py())
