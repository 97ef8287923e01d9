"""What somebody asks of a month in bulk, what its shards come to, and what is written of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, Protocol

import pyarrow as pa

from beancount_compute.bulk.folder.month_tables import Tables, together
from beancount_compute.bulk.folder.ties import ControlRow
from beancount_compute.economy import Month

EMBEDDED = "duckdb"


class Told(Protocol):
    """Who is told how far a run is."""

    def __call__(self, done: int, rows: int, *, reading: bool = False) -> None:
        """Rows booked, of so many, or only read as yet."""


def nobody(done: int, rows: int, *, reading: bool = False) -> None:
    """Nobody is told."""


class MonthAsked(NamedTuple):
    """What somebody asks of a run."""

    ledger: Path
    month: Month
    events: Sequence[str]  # paths, addresses and globs
    into: Path | None = None  # the folder of the months; "bulk" beside the ledger
    memory_limit: str = ""
    prove: int = 1000
    processes: int = 0  # 0 for as many as there are processors
    plain: bool = True  # False to let the engine book everybody
    detail: bool = False  # a row a leg, too; which only the engine can tell
    engine: str = EMBEDDED  # or the address of a server of Spark Connect
    groups: int = 0  # of subscribers, on a server; 0 for as many as the rows ask for


class TableInBits(NamedTuple):
    """A table too large to be held: some subscribers after the other."""

    empty: pa.Table  # with the decimals that its numbers need
    bits: Callable[[], Iterator[pa.Table]]


class BookedShards(NamedTuple):
    """What all shards of a month come to."""

    by_kernel: list[Tables]
    by_engine: list[Tables]  # in the order of the shards
    counts: Counter[str]
    in_bits: Mapping[str, TableInBits] = MappingProxyType({})  # of the kernel, too

    def at_once(self) -> BookedShards:
        """The same with nothing in bits."""
        whole = {name: together(name, [*each.bits()]) for name, each in self.in_bits.items()}
        return BookedShards([*self.by_kernel, *filter(None, [whole])], self.by_engine, self.counts)


class BulkOutcome(NamedTuple):
    """What a run wrote, and its figures."""

    folder: Path
    control: list[ControlRow]
    counts: dict[str, int]
