"""The end of a run: the tables of all shards put together, tied, and written as the month's folder.

tables of shards  ->  one of each name  ->  ties, journal  ->  bulk/2026-05/
"""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import pyarrow as pa

from beancount_compute.bulk.bulk_terms import JOURNAL, BulkTerms
from beancount_compute.bulk.by_engine.charging_anew import charged_anew_noted
from beancount_compute.bulk.folder.cohort_journal import journal_of
from beancount_compute.bulk.folder.day_sums import add_up_days
from beancount_compute.bulk.folder.month_folder import MonthFolder
from beancount_compute.bulk.folder.month_tables import (
    DETAIL,
    SCHEMAS,
    Tables,
    as_written,
    together,
    with_words,
)
from beancount_compute.bulk.folder.stated import check_stated
from beancount_compute.bulk.folder.ties import control_text, ties_of, ties_of_detail
from beancount_compute.bulk.month_asked import BookedShards, BulkOutcome
from beancount_compute.bulk.rows.event_table import EventTable
from beancount_compute.bulk.rows.ledger_events import own_events_noted
from beancount_compute.bulk.rows.month_files import noted_from

LARGE = ("lots", "movements")
WRITTEN = (
    "subscriptions",
    "subscribers",
    "operator",
    "days",
    "trades",
    "uses",
    "costs",
    "operator_journal",
    "refused",
)


def finish_month(
    table: EventTable,
    booked: BookedShards,
    bulk: BulkTerms,
    place: MonthFolder,
    opened: Collection[str],
    *,
    detail: bool = False,
    has_state: bool,
) -> BulkOutcome:
    """Tie what the shards come to, and write it; some accounts are opened already."""
    made = add_up_days(table, _made(table, booked))
    with ThreadPoolExecutor(len(LARGE)) as pool:
        paths = pool.map(lambda name: _write_large(name, booked, place), LARGE)
        for name, path in zip(LARGE, paths, strict=True):  # what is written is what is tied
            table.note_file(f"new_{name}", path)
    ties = ties_of(table, made, booked.counts)
    check_stated(table, made, bulk, has_state=has_state)
    if detail:
        ties += ties_of_detail(table, place.gather(DETAIL))
    journal = journal_of(table, made, bulk, opened)
    place.publish(
        {name: as_written(name, made[name]) for name in WRITTEN},
        {JOURNAL: journal.text, "control.csv": control_text(ties)},
        {
            "opened": sorted({*opened, *journal.opened}),
            **own_events_noted(bulk),
            **charged_anew_noted(bulk),
            "files": noted_from(place.target.parent, table.files.paths),
        },
    )
    return BulkOutcome(place.target, ties, dict(booked.counts))


def _made(table: EventTable, booked: BookedShards) -> Tables:
    """The tables of all: what the kernel made, and what the engine did, each by subscriber.

    So a lookup of one name finds it in few row groups, and names stand in their order; what was
    refused stands as the files do, however many shards there were.
    """
    made: Tables = {}
    for name in (each for each in SCHEMAS if each not in (DETAIL, *LARGE)):
        rows = _by_subscriber(
            together(name, [each[name] for each in booked.by_engine if name in each])
        )
        plain = together(name, [each[name] for each in booked.by_kernel if name in each])
        if len(booked.by_kernel) > 1:  # a single one is in order
            plain = _by_subscriber(plain)
        made[name] = together(name, [plain, rows])
    for name in ("subscribers", "refused"):
        table.register(f"made_{name}", made[name])
    made["subscribers"] = table.arrow("SELECT * FROM made_subscribers ORDER BY subscriber")
    made["refused"] = table.arrow("SELECT * FROM made_refused ORDER BY file, row, message")
    return made


def _write_large(name: str, booked: BookedShards, place: MonthFolder) -> Path:
    """Write a table of which only some subscribers are held at a time; each in order by name."""
    ways = booked.by_kernel, booked.by_engine
    rows = [
        _by_subscriber(together(name, [each[name] for each in way if name in each])) for way in ways
    ]
    in_bits = booked.in_bits.get(name)
    empty = [in_bits.empty] if in_bits is not None else []
    schema = with_words(together(name, [*rows, *empty]).schema)
    bits = in_bits.bits() if in_bits is not None else iter(())
    return place.write(name, schema, chain(bits, rows))


def _by_subscriber(rows: pa.Table) -> pa.Table:
    return rows.sort_by("subscriber") if "subscriber" in rows.column_names else rows
