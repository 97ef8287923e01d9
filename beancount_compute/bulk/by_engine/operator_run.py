"""The operator's own part of a month: its events, and what all subscribers used of its providers.

    served 2026-05-20 chat 350 CU;  purchase openai   ->   cost, accrued, credits, depreciation

The same engine books it, behind all other parts, with the sums that these hand out. Where credits
lack it is booked once more, with each use of those days: the error counts them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from beancount_compute.bulk.bulk_terms import BulkTerms
from beancount_compute.bulk.by_engine.engine_way import OperatorPart, Shard, ShardBooks, book_shard
from beancount_compute.bulk.by_engine.served_uses import MeterDay, ServedUses
from beancount_compute.bulk.earlier_months import EarlierMonths
from beancount_compute.bulk.folder.month_folder import MonthFolder
from beancount_compute.bulk.folder.month_tables import DETAIL
from beancount_compute.bulk.month_asked import BookedShards
from beancount_compute.economy import Event

_LAST = "shard-zzzzz"  # behind all others, where it is kept


class OtherParts(Protocol):
    """The run that booked all other parts."""

    @property
    def operator(self) -> Shard | None:
        """The operator's part; None where it has none."""

    def uses_of(self, wanted: frozenset[MeterDay]) -> Iterator[tuple[MeterDay, list[Event]]]:
        """Each use of some days and meters."""


def book_operator(
    booked: BookedShards,
    others: OtherParts,
    bulk: BulkTerms,
    earlier: EarlierMonths,
    place: MonthFolder,
) -> BookedShards:
    """The shards with the operator's own."""
    shard = others.operator
    if shard is None:
        return booked
    done = place.done(_LAST)
    books = ShardBooks(*done) if done else _book(shard, booked, others, bulk, earlier)
    if not done:
        place.keep(_LAST, books.tables, books.counts)
    tables = {name: table for name, table in books.tables.items() if name != DETAIL}
    counts = booked.counts.copy()
    counts.update(books.counts)
    return booked._replace(by_engine=[*booked.by_engine, tables], counts=counts)


def _book(
    shard: Shard,
    booked: BookedShards,
    others: OtherParts,
    bulk: BulkTerms,
    earlier: EarlierMonths,
) -> ShardBooks:
    served = _handed_out(booked)
    days = {each.used_on for back in served.taken_back.values() for each in back}
    days |= {each.day for each in shard.undo.values() if each.entry.meter}
    costs = earlier.costs_for(days)
    books = book_shard(shard._replace(operator=OperatorPart(served, costs)), bulk)
    if served.lacking:  # only now is it worth to look at each use
        wanted = frozenset(served.lacking)
        served = _handed_out(booked, wanted, others.uses_of(wanted))
        books = book_shard(shard._replace(operator=OperatorPart(served, costs)), bulk)
    return books


def _handed_out(
    booked: BookedShards,
    wanted: frozenset[MeterDay] = frozenset(),
    uses: Iterable[tuple[MeterDay, list[Event]]] = (),
) -> ServedUses:
    """What the other parts used, with each use of the days and meters that are wanted."""
    served = ServedUses(wanted)
    for tables in (*booked.by_kernel, *booked.by_engine):
        served.add_sums(tables["served"])
        if "taken_back" in tables:
            served.add_taken_back(tables["taken_back"])
    for pair, of_pair in uses:
        served.uses[pair] += of_pair
    return served
