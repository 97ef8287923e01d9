"""A month in bulk, from the ledger and its files to the month's folder.

find the files and the state  ->  who must be booked together  ->  shard by shard  ->  ties
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
from beancount.core.data import Open

from beancount_compute.bulk.bulk_terms import (
    BulkError,
    BulkTerms,
    bulk_terms,
    read_ledger,
    refuse_elsewhere,
)
from beancount_compute.bulk.by_engine.charging_anew import check_charged_anew
from beancount_compute.bulk.by_engine.operator_run import book_operator
from beancount_compute.bulk.closed_months import ClosedMonths
from beancount_compute.bulk.earlier_months import EarlierMonths
from beancount_compute.bulk.folder.month_folder import MonthFolder, about_month
from beancount_compute.bulk.folder.month_state import (
    digest_of_state,
    find_state,
    note_state,
)
from beancount_compute.bulk.folder.month_tables import DETAIL
from beancount_compute.bulk.folder.stated import earned_before
from beancount_compute.bulk.month_asked import EMBEDDED, BulkOutcome, MonthAsked, Told, nobody
from beancount_compute.bulk.month_finish import finish_month
from beancount_compute.bulk.rows.event_table import EventTable, unreadable
from beancount_compute.bulk.rows.groups import groups_for
from beancount_compute.bulk.rows.ledger_events import check_own_events, first_in_bulk
from beancount_compute.bulk.rows.month_files import (
    AT_ONCE,
    EventFiles,
    end_of,
    find_event_files,
)
from beancount_compute.bulk.rows.object_copies import Noted, at_hand, unnoted
from beancount_compute.bulk.shard_run import ShardRun, processes_of
from beancount_compute.close.loading import Loaded
from beancount_compute.close.storage import acquire
from beancount_compute.economy import Month
from beancount_compute.ledger import BULK_GOES_ON_FROM, BULK_STATE


def run_month(asked: MonthAsked, told: Told = nobody, noted: Noted = unnoted) -> BulkOutcome:
    """Book a month; raises `BulkError`, and leaves what was there, where it can't be done."""
    folder = asked.into or asked.ledger.parent / "bulk"
    files = find_event_files(asked.events, asked.ledger.parent)
    first = first_in_bulk(folder, asked.month)
    loaded = read_ledger(asked.ledger, first)
    _refuse_closed(loaded, asked)
    refuse_elsewhere(loaded, folder, asked.month)
    bulk = bulk_terms(loaded, asked.month)
    opened = _opened(loaded, bulk.month, folder / bulk.month.name)
    closed = ClosedMonths(loaded, Month.of(first))
    return write_month(asked, folder, files, bulk, closed, opened, told, noted)


def _refuse_closed(loaded: Loaded, asked: MonthAsked) -> None:
    """A closed month stays as it is."""
    closed = [seal.month for seal in loaded.closed]
    if closed and asked.month.name <= closed[-1]:
        again = f"bean-compute reopen {asked.month} {asked.ledger} --reason '...'"
        raise BulkError(f"{closed[-1]} is closed: to book {asked.month} anew, reopen it: {again}")


def write_month(
    asked: MonthAsked,
    folder: Path,
    files: EventFiles,
    bulk: BulkTerms,
    closed: ClosedMonths | None = None,
    opened: Collection[str] = (),
    told: Told = nobody,
    noted: Noted = unnoted,
) -> BulkOutcome:
    """Book a month of a ledger that is read; `closed` are those that it closed itself."""
    before = find_state(folder, bulk)
    check_own_events(folder, bulk, asked.ledger)
    check_charged_anew(folder, bulk)
    if before is not None:
        opened = {*opened, *about_month(before)["opened"]}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        release = acquire(folder)
    except (BlockingIOError, TimeoutError):
        raise BulkError(f"another bean-compute is writing to {folder}: wait for it") from None
    except OSError as error:
        raise _unwritable(folder, error) from None
    place = None
    try:
        about: dict[str, Any] = {
            "ledger": bulk.title,
            "terms": bulk.terms_digest,
            "source": _source(files, bulk, before),
        }
        if before is not None:
            about[BULK_GOES_ON_FROM] = about_month(before).get(BULK_STATE)
        if asked.detail:
            about[DETAIL], asked = True, asked._replace(plain=False)
        groups = None
        if asked.engine != EMBEDDED:
            groups = groups_for(files.rows, before, asked.groups)
        shards = groups.version if groups else ""
        place = MonthFolder(folder, bulk.month, about, shards, noted)
        if groups is None:
            files = at_hand(files, place.copies / bulk.month.name, noted)
        table = EventTable(files, asked.memory_limit, place.spill, processes_of(asked))
        state = closed.carried if closed and before is None else None
        has_state = note_state(table, before, state, bulk)
        bulk = bulk._replace(earned=earned_before(table, folder, bulk))
        earlier = EarlierMonths(folder, table, bulk, asked, place, closed)
        if groups is None:
            run = ShardRun(asked, table, bulk, place, told)
            booked = run.book(earlier.undo_of, has_state=has_state)
            booked = book_operator(booked, run, bulk, earlier, place)
        else:
            with _linked(asked.engine) as spark_run:
                on_server = spark_run(asked, table, bulk, place, told)
                booked = on_server.book(groups, earlier.undo_of, has_state=has_state)
                booked = book_operator(booked, on_server, bulk, earlier, place)
        return finish_month(
            table, booked, bulk, place, opened, detail=asked.detail, has_state=has_state
        )
    except BrokenProcessPool:
        raise BulkError(
            "a process that booked a shard was ended, for want of memory as a rule: run again with "
            "a smaller --memory-limit; it goes on from here"
        ) from None
    except OSError as error:
        raise _unwritable(folder, error, ": the next run goes on from here") from None
    except duckdb.Error as error:  # wherever the database finds that it has no more room
        raise unreadable(error) from None
    finally:
        if place is not None:
            place.leave()
        release()


@contextmanager
def _linked(address: str) -> Iterator[Callable[..., Any]]:
    """A session with a server, and what books a month by it."""
    try:
        from beancount_compute.bulk.spark.spark_link import linked_to
        from beancount_compute.bulk.spark.spark_run import SparkRun
    except ImportError as error:
        name = (error.name or "pyspark").partition(".")[0]
        raise BulkError(
            f'{name} is not installed: pip install "beancount_compute[spark]"'
        ) from None
    with linked_to(address) as link:
        yield partial(SparkRun, link)


def _unwritable(folder: Path, error: OSError, then: str = "") -> BulkError:
    if "No space left" in str(error):
        return BulkError(f"the disk is full: make room for {folder}, and run again")
    return BulkError(f"can't write to {folder}: {error.strerror or error}{then}")


def _source(files: EventFiles, bulk: BulkTerms, before: Path | None) -> str:
    """What tells the source of a month from every other: its files, the ledger and the state."""
    digest = hashlib.sha256(f"{bulk.digest} {digest_of_state(before)}".encode())
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for path, (size, end) in zip(files.paths, pool.map(end_of, files.paths), strict=True):
            digest.update(f"{os.path.basename(path)} {size}".encode() + end)
    return digest.hexdigest()


def _opened(loaded: Loaded, month: Month, target: Path) -> set[str]:
    """The accounts that the ledger opens, or the plugin, or the journal of an earlier month."""
    found = {entry.account for entry in loaded.booked.opened if entry.date < month.first}
    folder = target.parent.resolve()
    for entry in loaded.entries:
        if isinstance(entry, Open):
            path = Path(entry.meta["filename"]).resolve()
            later_one = path.parent.parent == folder and path.parent.name >= target.name
            if path.is_file() and not later_one:
                found.add(entry.account)
    return found
