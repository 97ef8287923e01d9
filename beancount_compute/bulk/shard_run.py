"""The shards of a month: found on a table of its events, and booked.

who must be booked together  ->  the plain way, the sample, shard by shard
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from datetime import date
from functools import partial
from multiprocessing import get_context
from typing import Protocol

import numpy as np
import pyarrow as pa

from beancount_compute.bulk.bulk_terms import OPERATOR, BulkTerms
from beancount_compute.bulk.by_engine.engine_way import (
    BookedAgain,
    Shard,
    ShardBooks,
    book_shard,
    booked_again,
    uses_in,
)
from beancount_compute.bulk.by_engine.sample_proof import compare
from beancount_compute.bulk.by_engine.served_uses import MeterDay
from beancount_compute.bulk.folder.month_state import state_of_shard
from beancount_compute.bulk.folder.month_tables import DETAIL, Tables
from beancount_compute.bulk.folder.stated import plain_sold
from beancount_compute.bulk.month_asked import BookedShards, MonthAsked, Told, nobody
from beancount_compute.bulk.plain.plain_metered import plain_metered
from beancount_compute.bulk.plain.plain_served import plain_served, plain_uses
from beancount_compute.bulk.plain.plain_way import PlainResult, go_plain_way
from beancount_compute.bulk.rows.event_table import EventTable, literal
from beancount_compute.bulk.rows.ledger_events import note_own_events
from beancount_compute.bulk.rows.parts import (
    UndoOf,
    connected,
    note_edges,
    note_same_components,
    party_of,
    shards_of,
)
from beancount_compute.bulk.rows.repeats import ID, hashes_of_ids, hashes_that_repeat, note_repeats
from beancount_compute.economy import Event
from beancount_compute.economy.state import Undo

USES = "uses_kept"  # of those who are left or in the sample
FEW_ROWS = 60_000  # which no other process is worth


class ShardPlace(Protocol):
    """Where the books of shards are kept until all are there."""

    @property
    def source(self) -> str:
        """What tells the source of a month from every other."""

    def done(self, name: str) -> tuple[Tables, dict[str, int]] | None:
        """What an earlier run made of a shard; None where it did not get so far."""

    def keep(self, name: str, tables: Tables, counts: dict[str, int]) -> None:
        """Keep what was made of a shard."""


class ShardRun:
    """One run: the table of events, and what becomes of it."""

    def __init__(
        self,
        asked: MonthAsked,
        table: EventTable,
        bulk: BulkTerms,
        place: ShardPlace,
        told: Told = nobody,
    ) -> None:
        self._asked, self._bulk, self._place, self._told = asked, bulk, place, told
        self._table = table
        self._processes = processes_of(asked)
        self._counts: Counter[str] = Counter({"read": table.files.rows})
        self._tables: dict[int, Tables] = {}  # by shard
        self._rows_done = 0
        # who has no part in the ledger's own events need not be sent them
        self._others = bulk._replace(events=[])
        note_own_events(table, bulk)
        self._operator = -1  # the shard of the operator's own part, if there is any
        self._undo: Mapping[str, Undo] = {}  # of earlier months, which reversals name
        self._plain: PlainResult | None = None
        self._has_state = False
        self._shards: list[int] = []  # the rows of each

    def book(self, undo_of: UndoOf, *, has_state: bool) -> BookedShards:
        """Book all shards; `undo_of` is asked for what earlier months booked."""
        table, bulk = self._table, self._bulk
        undo_of = partial(self._keep_undo, undo_of)
        plain = None
        if self._asked.plain:
            plain = go_plain_way(table, bulk, undo_of, self._told, has_state=has_state)
        if plain is None:
            self._note_ties(bulk.month.first if has_state else None, undo_of)
        else:
            self._counts["repeated"] = plain.repeated
        sample = self._note_left(plain)
        shards = self._note_shards()
        self._note_rows()
        self._plain, self._shards, self._has_state = plain, shards, has_state
        rows = table.files.rows
        self._counts["by the kernel"] = rows - self._counts["repeated"] - sum(shards)
        self._told_done(self._counts["by the kernel"])
        prove = partial(self._prove, plain, has_state) if plain and sample else _nothing
        self._book(shards, has_state, prove)
        by_engine = [self._tables[at] for at in sorted(self._tables)]
        by_kernel, in_bits = [], {}
        if plain is not None:
            served = plain_served(plain.uses, bulk, plain.names)
            metered = plain_metered(table, plain.tables["days"], bulk)
            sold = plain_sold(table, bulk)
            by_kernel = [plain.tables | {"served": served, "sold": sold, "uses": metered}]
            in_bits = plain.books.in_bits()
        return BookedShards(by_kernel, by_engine, self._counts, in_bits)

    def note_all(self, undo_of: UndoOf, *, has_state: bool) -> None:
        """Get ready to book some shards again; `undo_of` is asked as it was the first time."""
        self._has_state = has_state
        first = self._bulk.month.first if has_state else None
        self._note_ties(first, partial(self._keep_undo, undo_of))
        self._note_left(None)
        self._shards = self._note_shards()

    def _note_ties(self, first: date | None, undo_of: UndoOf) -> None:
        """Note of all rows who is tied to whom, and which of them come again."""
        table = self._table
        table.name_rows(table.odd_names_in("files_as_they_are"))
        hashes = hashes_that_repeat(hashes_of_ids(table))
        self._counts["repeated"] = note_repeats(table, hashes)
        note_edges(table, first, undo_of)

    def _keep_undo(self, undo_of: UndoOf, ids: frozenset[str]) -> Mapping[str, Undo]:
        self._undo = undo_of(ids)
        return self._undo

    def book_again(self, ids: frozenset[str], payers: Collection[str] = ()) -> BookedAgain:
        """What undoes the events of those ids: the shards that have them are booked once more.

        Of some payers also what went back of what they paid. All is noted already.
        """
        table = self._table
        table.register("ids_asked", pa.table({"name": pa.array(sorted(ids), pa.string())}))
        table.run(
            "CREATE OR REPLACE TABLE asked AS SELECT name FROM ids_asked UNION SELECT "
            "left(name, -11) FROM ids_asked "
            f"WHERE right(name, 11) LIKE '/{self._bulk.month}-%'"  # its periods
        )
        found = {
            at
            for (at,) in table.numbers(
                f"SELECT DISTINCT s.shard FROM event_rows e JOIN asked a ON {ID} = a.name "
                "JOIN shards s ON s.node = e.node UNION SELECT s.shard FROM state_subscriptions t "
                "JOIN asked a ON t.id = a.name JOIN shards s ON s.node = t.subscriber UNION "
                "SELECT s.shard FROM own_events o JOIN asked a ON o.event_id = a.name "
                "JOIN shards s ON s.node = o.operator"
            )
        }
        if any(name.startswith("e-") for name in ids):  # derived from what an event says
            found |= {at for at, _ in enumerate(self._shards)}
        if payers:
            table.register("payers", pa.table({"node": pa.array(sorted(payers), pa.string())}))
            found |= {
                at
                for (at,) in table.numbers(
                    "SELECT DISTINCT s.shard FROM payers p JOIN shards s ON s.node = p.node"
                )
            }
        whole = BookedAgain({}, [])
        if not found:
            return whole
        self._note_rows(found)
        for at in sorted(found):
            of_shard = booked_again(self._shard(at, self._has_state), self._bulk, ids, payers)
            whole.undo.update(of_shard.undo)
            whole.entries.extend(of_shard.entries)
        table.run("DROP TABLE left_rows")
        return whole

    def _note_left(self, plain: PlainResult | None) -> int:
        """Note the rows that are left to the engine, and those of a sample; how large that is."""
        table = self._table
        names = plain.names if plain else pa.array([], pa.string())
        dice = np.random.default_rng(int(self._place.source[:8], 16))
        chosen = np.sort(dice.permutation(len(names))[: self._asked.prove])
        table.register("plain_nodes", pa.table({"node": names}))
        table.register("sample_nodes", pa.table({"node": names.take(pa.array(chosen, pa.int64()))}))
        columns = ", ".join(f'e."{name}"' for name in table.files.present)
        rows = f"SELECT e.file, e.row_at, {columns}, e.node"
        left = f"{rows}, false AS sampled FROM event_rows e"
        if plain is not None:
            asked = "SELECT node FROM left_nodes UNION SELECT node FROM sample_nodes"
            plain.reader.keep_uses(table.arrow(asked).column("node").combine_chunks(), USES)
            table.name_some_rows(USES, "uses_named")
            of = f"({rows} FROM uses_named e UNION ALL {rows} FROM other_named e) e"
            left = (
                f"{rows}, false AS sampled FROM {of} WHERE e.node IN (SELECT node FROM left_nodes) "
                f"UNION ALL {rows}, true FROM {of} WHERE e.node IN (SELECT node FROM sample_nodes)"
            )
        made = "VIEW" if plain is None else "TABLE"
        table.run(
            f"CREATE {made} left_all AS SELECT e.* FROM ({left}) e ANTI JOIN repeats r "
            "ON r.file = e.file AND r.row_at = e.row_at"
        )
        return len(chosen)

    def _prove(self, plain: PlainResult, has_state: bool) -> None:
        """Let the sample go through the engine; raises `BulkError` where a figure differs."""
        names = self._table.arrow("SELECT node FROM sample_nodes").column("node").combine_chunks()
        rows = self._table.arrow("SELECT * EXCLUDE (node, sampled) FROM left_all WHERE sampled")
        state = state_of_shard(self._table, "SELECT node FROM sample_nodes") if has_state else None
        books = book_shard(Shard(names, rows, state), self._others)
        served = plain_served(plain.uses, self._bulk, names)
        kernel = {**plain.tables, **plain.books.of(names), "served": served}
        compare(self._table, kernel, books.tables, names)
        self._counts["proved"] = len(names)

    def _note_shards(self) -> list[int]:
        """Note whose shard is which; how many rows that are left to the engine each shard has."""
        table = self._table
        named = pa.array(sorted(self._bulk.named), pa.string())
        table.register("named_given", pa.table({"node": named}))
        table.run(
            "CREATE TABLE people AS SELECT node, row_number() OVER (ORDER BY node) - 1 AS code, "
            "rows FROM (SELECT node, sum(rows)::BIGINT AS rows FROM ("
            "SELECT node, count(*) AS rows FROM left_all WHERE NOT sampled GROUP BY node UNION ALL "
            "SELECT subscriber, 0 FROM state_subscribers ANTI JOIN plain_nodes "
            "ON plain_nodes.node = subscriber UNION ALL SELECT node, 0 FROM named_given "
            "UNION ALL SELECT one, 0 FROM edges UNION ALL SELECT other, 0 FROM edges "
            f"UNION ALL SELECT {literal(OPERATOR)}, 0 WHERE {self._bulk.has_operator}) "
            "GROUP BY node)"
        )
        note_same_components(table, self._components())
        pairs = table.arrow(
            "SELECT a.code AS one, b.code AS other FROM edges e JOIN people a ON a.node = e.one "
            "JOIN people b ON b.node = e.other WHERE a.code <> b.code"
        )
        people = table.arrow("SELECT code, rows FROM people ORDER BY code")
        rows = people.column("rows").to_numpy()
        part = connected(len(rows), *(pairs.column(n).to_numpy() for n in ("one", "other")))
        operators = table.numbers(f"SELECT code FROM people WHERE node = {literal(OPERATOR)}")
        apart = part == part[operators[0][0]] if operators else np.zeros(len(part), bool)
        shard = shards_of(part, np.where(apart, 0, rows))
        if operators:
            self._operator = int(shard.max()) + 1
            shard[apart] = self._operator
        table.register("shards_given", pa.table({"code": people.column("code"), "shard": shard}))
        table.run(
            "CREATE TABLE shards AS SELECT p.node, s.shard FROM people p JOIN shards_given s "
            "ON s.code = p.code"
        )
        return [int(each) for each in np.bincount(shard, weights=rows)]

    def _note_rows(self, shards: Collection[int] | None = None) -> None:
        """Keep the rows that are left to the engine, with their shards: those of some, or all."""
        of = "true" if shards is None else f"s.shard IN [{', '.join(map(str, sorted(shards)))}]"
        self._table.run(
            "CREATE TABLE left_rows AS SELECT e.* EXCLUDE (node, sampled), s.shard FROM left_all e "
            f"JOIN shards s ON s.node = e.node WHERE NOT sampled AND {of}"
        )

    def _components(self) -> dict[str, str]:
        """The account components of those who have not just their name for one."""
        names = {*self._bulk.accounts.named, *self._table.odd_names}
        return {name: self._bulk.accounts.component(name) for name in names}

    def _book(self, shards: Sequence[int], has_state: bool, meanwhile: Callable[[], None]) -> None:
        """Book the shards that no earlier run has booked, side by side where they are many.

        The largest are begun with, as the end has to wait for them.
        """
        waiting = []
        for at, rows in enumerate(shards):
            if at == self._operator:
                self._told_done(rows)
                continue
            done = self._place.done(_name(at))
            if done is None:
                waiting.append((at, rows))
            else:
                self._add(at, ShardBooks(*done), rows, keep=False)
        waiting.sort(key=lambda shard: -shard[1])
        if not waiting or self._processes < 2 or sum(shards) < FEW_ROWS:
            meanwhile()
            for at, rows in waiting:
                self._add(at, book_shard(self._shard(at, has_state), self._others), rows)
            return
        self._book_side_by_side(waiting, has_state, meanwhile)

    def _book_side_by_side(
        self, waiting: list[tuple[int, int]], has_state: bool, meanwhile: Callable[[], None]
    ) -> None:
        running: dict[Future[ShardBooks], tuple[int, int]] = {}
        with ProcessPoolExecutor(self._processes, get_context("spawn")) as pool:
            todo = iter(waiting)
            while True:
                for at, rows in todo:
                    shard = self._shard(at, has_state)
                    running[pool.submit(book_shard, shard, self._others)] = at, rows
                    if len(running) > self._processes:
                        break
                meanwhile()
                meanwhile = _nothing
                if not running:
                    return
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    at, rows = running.pop(future)
                    self._add(at, future.result(), rows)

    def _shard(self, at: int, has_state: bool) -> Shard:
        names = f"SELECT node FROM shards WHERE shard = {at}"
        rows = self._table.arrow(f"SELECT * EXCLUDE (shard) FROM left_rows WHERE shard = {at}")
        state = None
        if has_state:
            state = state_of_shard(self._table, names, operator=at == self._operator)
        those = self._table.arrow(names).column("node").combine_chunks()
        undo = {}
        if self._undo:
            inside = {*those.to_pylist()}
            undo = {
                name: each for name, each in self._undo.items() if party_of(each.entry) in inside
            }
        return Shard(those, rows, state, undo, self._asked.detail)

    @property
    def operator(self) -> Shard | None:
        """The operator's own part, which waits for what all others hand out to it."""
        return self._shard(self._operator, self._has_state) if self._operator >= 0 else None

    def uses_of(self, wanted: frozenset[MeterDay]) -> Iterator[tuple[MeterDay, list[Event]]]:
        """Each use of some days and meters, of all other parts: they are booked once more."""
        for at, _ in enumerate(self._shards):
            if at != self._operator:
                shard = self._shard(at, self._has_state)._replace(one_by_one=wanted)
                yield from uses_in(shard, self._others).items()
        if self._plain:
            days = {day for day, _ in wanted}
            plain = self._plain
            uses = plain_uses(self._table, plain.reader, self._bulk, plain.names, days)
            for meter, use in uses:
                if (meter.day, meter.meter) in wanted:
                    yield (meter.day, meter.meter), [use]

    def _add(self, at: int, books: ShardBooks, rows: int, *, keep: bool = True) -> None:
        if keep:
            self._place.keep(_name(at), books.tables, books.counts)
        self._tables[at] = {name: each for name, each in books.tables.items() if name != DETAIL}
        self._counts.update(books.counts)
        self._told_done(rows)

    def _told_done(self, rows: int) -> None:
        self._rows_done += rows
        self._told(self._rows_done, self._table.files.rows)


def _nothing() -> None:
    """What there is to do meanwhile, when that is done."""


def processes_of(asked: MonthAsked) -> int:
    """How many shards are booked side by side."""
    return asked.processes or os.cpu_count() or 1


def _name(at: int) -> str:
    return f"shard-{at:05}"
