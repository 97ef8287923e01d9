"""How fast a month in bulk is, beside a bare scan of the same files in the same run.

python tests/benchmarks/bulk.py                      # the table, of 1 M and 5 M events
python tests/benchmarks/bulk.py --events 1000000 20000000 50000000
python tests/benchmarks/bulk.py --events 20000000 --trading 0.1 --only duckdb
python tests/benchmarks/bulk.py --only parts         # the engine's own way, Arrow to sums
python tests/benchmarks/bulk.py --server sail        # or sc://host:15002: the same month there too
"""

from __future__ import annotations

import argparse
import gc
import math
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

from beancount_compute.bulk.bulk_terms import BulkTerms, bulk_terms, read_ledger
from beancount_compute.bulk.by_engine.engine_way import Shard, book_shard
from beancount_compute.bulk.folder.month_state import PARTS_OF_STATE
from beancount_compute.bulk.folder.state_tables import StateTables
from beancount_compute.bulk.month_asked import BulkOutcome, MonthAsked
from beancount_compute.bulk.month_run import run_month
from beancount_compute.economy import Month

Found = TypeVar("Found")
Numbers = npt.NDArray[Any]
LEDGER = """\
option "title" "Bulk"
option "operating_currency" "USD"
plugin "beancount_compute"
2025-01-01 custom "compute-plan" "pro" 200.00 USD 100000 CU
  unused: "mint"
  token-expires: "12 months"
  overage: 0.004 USD
2025-01-01 custom "compute-plan" "basic" 19.99 USD 20000 CU
  unused: "expire"
2025-01-01 custom "compute-option" "seller-fee" 0.05
2025-01-01 custom "compute-option" "buyer-fee" 0.01
"""
MONTH = Month.parse("2026-05")
EVENTS_OF_ONE = 50
PART = 1_000_000  # rows of a file


class Economy(NamedTuple):
    """What is made up: so many events, and the share of those who trade."""

    events: int
    trading: float
    overage: float = 0.005  # of the subscribers use more than they hold, and are charged for it
    refused: float = 0.001  # use more than they hold on a plan without overage


class Spent(NamedTuple):
    """What something took."""

    wall: float
    cpu: float


def write_economy(folder: Path, economy: Economy, month: Month, *, first: bool) -> list[Path]:
    """A month's files; in the first one everybody subscribes."""
    dice = np.random.default_rng(month.ordinal)
    people = max(2, economy.events // EVENTS_OF_ONE)
    names = np.array([f"user-{number:08}" for number in range(people)])
    traders = int(people * economy.trading)
    files = []
    rows = economy.events if not first else people
    folder.mkdir(parents=True, exist_ok=True)
    for at, begin in enumerate(range(0, rows, PART)):
        count = min(PART, rows - begin)
        number = np.arange(begin, begin + count)
        share = begin / rows, (begin + count) / rows
        if first:
            who, kind = number, np.full(count, 3)
            day = number % 28
        else:
            who = dice.integers(0, people, count)
            kind = (dice.random(count) < 0.02).astype(int)  # a top-up for each subscriber
            of_traders = who < traders
            kind[of_traders & (dice.random(count) < 0.15)] = 2
            day = np.sort(
                (31 * (share[0] + dice.random(count) * (share[1] - share[0]))).astype(int)
            )
        files.append(
            _write(
                folder / f"{at:04}.parquet",
                economy,
                month,
                dice,
                names,
                number,
                who,
                kind,
                day,
                traders,
            )
        )
    return files


def _write(
    path: Path,
    economy: Economy,
    month: Month,
    dice: np.random.Generator,
    names: Numbers,
    number: Numbers,
    who: Numbers,
    kind: Numbers,
    day: Numbers,
    traders: int,
) -> Path:
    count = len(who)
    people = len(names)
    kinds = pa.array(["consumption", "allocation", "trade", "subscription"])
    units = dice.integers(1, 800, count)
    basic = who % 10 >= 8
    units[basic] = units[basic] // 4 + 1
    beyond = 1000 - economy.refused * 1000
    heavy = (who % 1000 < economy.overage * 1000) | (who % 1000 >= beyond)
    units[heavy] *= 40
    units[kind == 1] = dice.integers(10, 200, (kind == 1).sum()) * 100
    units[kind == 2] = dice.integers(1, 20, (kind == 2).sum())
    paid = dice.integers(900, 9000, count)
    with_units, with_paid = kind != 3, kind == 1
    other = dice.integers(0, max(1, traders), count)
    other = np.where(other == who, (other + 1) % max(2, traders), other)
    price = dice.integers(1000, 3000, count)
    table = pa.table(
        {
            "id": pa.array([f"e-{month}-{n:010}" for n in number]),
            "date": pa.array(np.datetime64(month.first) + day.astype("timedelta64[D]")).cast(
                pa.date32()
            ),
            "event": kinds.take(pa.array(kind)),
            "subscriber": pa.array(names[who]),
            "counterparty": pa.array(names[other % people], mask=kind != 2),
            "plan": pa.array(np.where(basic, "basic", "pro"), mask=kind != 3),
            "units": pa.array(units, mask=~with_units).cast(pa.decimal128(38, 6)),
            "commodity": pa.array(np.full(count, "CU"), mask=~with_units),
            "price": _decimals(price, 4, kind == 2),
            "paid": _decimals(paid, 2, with_paid),
            "currency": pa.array(np.full(count, "USD"), mask=~(with_paid | (kind == 2))),
        }
    )
    parquet.write_table(table, path, compression="zstd", row_group_size=250_000)
    return path


def _decimals(numbers: Numbers, places: int, which: Numbers) -> pa.Array:
    words = np.zeros((len(numbers), 2), np.int64)
    words[:, 0] = numbers
    array = pa.Array.from_buffers(
        pa.decimal128(38, places), len(numbers), [None, pa.py_buffer(words)]
    )
    return pa.compute.if_else(pa.array(which), array, pa.scalar(None, array.type))


def timed(work: Callable[[], Found]) -> tuple[Found, Spent]:
    """What work gives, and what it took here and in other processes."""
    wall, own = time.perf_counter(), _cpu()
    found = work()
    return found, Spent(time.perf_counter() - wall, _cpu() - own)


def _cpu() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def bare_scan(files: list[Path]) -> None:
    """Read every column that is used, and do next to nothing with it."""
    listed = ", ".join(f"'{path}'" for path in files)
    connection = duckdb.connect()
    connection.sql(
        "SELECT count(*), max(id), max(date), max(event), max(subscriber), max(counterparty), "
        "max(plan), sum(units), max(commodity), sum(price), sum(paid), max(currency) "
        f"FROM read_parquet([{listed}])"
    ).fetchall()


def _write_months(economy: Economy, folder: Path) -> list[Path]:
    """Write two months and book the first; the files of the second."""
    ledger = folder / "main.beancount"
    ledger.write_text(LEDGER)
    before = MONTH.previous
    first = write_economy(folder / before.name, economy, before, first=True)
    run_month(MonthAsked(ledger, before, [str(path) for path in first]))
    return write_economy(folder / MONTH.name, economy, MONTH, first=False)


class Measured(NamedTuple):
    """What a month took, and what stands beside it."""

    outcome: BulkOutcome
    scan: Spent
    here: Spent
    megabytes: float
    there: Spent | None  # on a server


def measure(economy: Economy, folder: Path, server: str = "", **how: Any) -> Measured:
    """Book two months, and measure the second."""
    files = _write_months(economy, folder)
    asked = MonthAsked(folder / "main.beancount", MONTH, [str(path) for path in files], **how)
    bare_scan(files)
    _, scan = timed(lambda: bare_scan(files))
    gc.collect()
    pa.default_memory_pool().release_unused()
    with PeakOfAll() as peak:
        outcome, here = timed(lambda: run_month(asked))
    there = None
    if server:
        _, there = timed(lambda: run_month(asked._replace(engine=server)))
    return Measured(outcome, scan, here, peak.megabytes, there)


def read_part(folder: Path, files: list[Path]) -> tuple[Shard, BulkTerms]:
    """The events of files as one part, in Arrow, and what the ledger says to it."""
    ledger = folder / "main.beancount"
    bulk = bulk_terms(read_ledger(ledger, MONTH.first), MONTH)
    before = folder / "bulk" / MONTH.previous.name
    state = StateTables(**{n: parquet.read_table(before / f"{n}.parquet") for n in PARTS_OF_STATE})
    rows = pa.concat_tables([parquet.read_table(path) for path in files])
    places = {"file": ["events"] * len(rows), "row_at": range(1, len(rows) + 1)}
    for name, column in places.items():
        rows = rows.append_column(name, pa.array(column))
    names = state.subscribers.column("subscriber").combine_chunks()
    return Shard(names, rows, state), bulk


class PeakOfAll:
    """The most memory that this process and those it started had at one time, in MB."""

    def __init__(self) -> None:
        self.megabytes = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakOfAll:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.05):
            of_all = sum(map(_resident, [os.getpid(), *_started_by(os.getpid())]))
            self.megabytes = max(self.megabytes, of_all / 1024)


def _started_by(process: int) -> list[int]:
    path = Path(f"/proc/{process}/task")
    found: list[int] = []
    for task in path.iterdir():
        with suppress(OSError):
            found += map(int, (task / "children").read_text().split())
    return found + [each for child in found for each in _started_by(child)]


def _resident(process: int) -> float:
    """KB that a process has to itself, and its share of what it has with others."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return float(line.split()[1])
    return 0.0


HEAD = "    events  trading    wall  events/s     cpu  scan wall   cpu   ratio  kernel  peak MB"


def measured(events: int, trading: float, server: str, **how: object) -> Spent:
    """Measure a month and print its row."""
    folder = Path(tempfile.mkdtemp(prefix="bulk-"))
    try:
        outcome, scan, here, megabytes, there = measure(
            Economy(events, trading), folder, server, **how
        )
    finally:
        shutil.rmtree(folder)
    share = outcome.counts["by the kernel"] / events
    print(
        f"{events:10,} {trading:8.0%} {here.wall:7.2f} {events / here.wall:9,.0f} "
        f"{here.cpu:7.2f} {scan.wall:10.2f} {scan.cpu:5.2f} {here.cpu / scan.cpu:7.1f} "
        f"{share:7.1%} {megabytes:8,.0f}",
        flush=True,
    )
    if there is not None:
        print(
            f"      there          {there.wall:7.2f} {events / there.wall:9,.0f} {there.cpu:7.2f} "
            f"{there.wall / here.wall:.1f} times the time of here",
            flush=True,
        )
    return here


def measured_parts() -> None:
    """Measure the engine's own way: a part of 50,000 events without and with trades, of 500,000."""
    print("    events  trading    wall  events/s of one core")
    for events, trading in ((50_000, 0.0), (50_000, 1.0), (500_000, 1.0)):
        folder = Path(tempfile.mkdtemp(prefix="bulk-"))
        try:
            files = _write_months(Economy(events, trading, refused=0.0), folder)
            part = read_part(folder, files)
            _, spent = timed(partial(book_shard, *part))
        finally:
            shutil.rmtree(folder)
        print(f"{events:10,} {trading:8.0%} {spent.wall:7.2f} {events / spent.cpu:9,.0f}")


def main() -> None:
    """Print a table of events a second and ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, nargs="*", default=[1_000_000, 5_000_000])
    parser.add_argument("--trading", type=float, nargs="*", default=[0.0, 0.1])
    parser.add_argument("--memory-limit", default="")
    parser.add_argument("--server", default="", help="sail, or an address of Spark Connect")
    parser.add_argument("--only", choices=["duckdb", "parts"], help="a part of the table")
    asked = parser.parse_args()
    server, sail = asked.server, None
    if server == "sail":
        from pysail.spark import SparkConnectServer

        sail = SparkConnectServer(ip="127.0.0.1", port=0)  # which lives as long as this name
        sail.start(background=True)
        server = "sc://{}:{}".format(*sail.listening_address)
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors")
    if asked.only != "parts":
        print(f"DuckDB\n{HEAD}")
        for trading in asked.trading:
            spent = [
                measured(events, trading, server, memory_limit=asked.memory_limit)
                for events in asked.events
            ]
            if len(spent) > 1:
                times = math.log(asked.events[-1] / asked.events[0])
                print(f"growth: n^{math.log(spent[-1].cpu / spent[0].cpu) / times:.2f} of cpu")
    if asked.only != "duckdb":
        print("The engine's own way, Arrow to sums")
        measured_parts()


if __name__ == "__main__":
    main()
