"""The months before one, as far as an event names one of theirs: booked once more from their files.

reverses u-123, of April   ->   the shard of April that has u-123   ->   what undoes it
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from copy import copy
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from beancount_compute.bulk.bulk_terms import BulkError, BulkTerms
from beancount_compute.bulk.closed_months import ClosedMonths
from beancount_compute.bulk.folder.month_folder import MonthFolder, about_month
from beancount_compute.bulk.folder.month_state import note_state, read_part
from beancount_compute.bulk.folder.operator_state import costs_from
from beancount_compute.bulk.month_asked import MonthAsked
from beancount_compute.bulk.rows.event_table import EventTable, literal, text_of
from beancount_compute.bulk.rows.month_files import (
    EventFiles,
    event_files_of,
    first_gone,
    noted_files,
)
from beancount_compute.bulk.rows.object_copies import at_hand
from beancount_compute.bulk.rows.repeats import ID
from beancount_compute.bulk.shard_run import ShardRun, processes_of
from beancount_compute.economy import (
    AS_OF,
    COUNTED_BACK,
    GIVING_BACK,
    JournalEntry,
    Kind,
    Month,
    content_id,
)
from beancount_compute.economy.state import EntrySince, Undo

_GAVE_BACK = (*GIVING_BACK, Kind.RECOVERY)
_TELLING = COUNTED_BACK - {Kind.MINT, Kind.EXPIRY}  # these count only behind one cancelled at once
# what of which something may have gone back, or come in again
_MAY_GO_BACK = (Kind.ALLOCATION, Kind.CHANGE, *GIVING_BACK)


class EarlierMonths:
    """The months before one. Each of them is opened once."""

    def __init__(
        self,
        folder: Path,
        table: EventTable,
        bulk: BulkTerms,
        asked: MonthAsked,
        place: MonthFolder,
        closed: ClosedMonths | None,
    ) -> None:
        """`table` has the rows of the month; `closed` are those of the ledger itself."""
        self._folder, self._bulk, self._asked, self._place = folder, bulk, asked, place
        self._table, self._closed = table, closed
        self._opened: dict[Month, tuple[EventTable, BulkTerms]] = {}
        self._runs: dict[Month, ShardRun] = {}

    def undo_of(self, ids: frozenset[str]) -> dict[str, Undo]:
        """What undoes the events of those ids, as far as any month has them."""
        return self._with_money_back(self._undo_of(ids))

    def _undo_of(self, ids: frozenset[str]) -> dict[str, Undo]:
        found: dict[str, Undo] = {}
        undone: set[str] = set()  # by months since
        month = self._bulk.month.previous
        while ids - found.keys() and (self._folder / month.name).exists():
            table, bulk = self._open(month)
            left = ids - found.keys()
            undo: dict[str, Undo] = {}
            if _may_have(table, bulk, left):
                undo = self._run_of(month).book_again(left).undo
            undone |= _reversed(table, bulk, self._folder / month.name)
            found = {**_done(undo, undone), **found}  # in the order of the books
            month = month.previous
        left = ids - found.keys()
        undo = self._closed.undo_of(left) if left and self._closed else {}
        return {**_done(undo, undone), **found}

    def _run_of(self, month: Month) -> ShardRun:
        """A month, ready to be booked again."""
        if month not in self._runs:
            table, bulk = self._open(month)
            before = self._folder / month.previous.name
            there = before if before.exists() else None
            closed = self._closed.carried if self._closed and not there else None
            has_state = note_state(table, there, closed, bulk)
            earlier = copy(self)  # whose months are opened for both
            earlier._table, earlier._bulk = table, bulk
            run = ShardRun(self._asked, table, bulk, self._place)
            run.note_all(earlier.undo_of, has_state=has_state)
            self._runs[month] = run
        return self._runs[month]

    def _with_money_back(self, found: dict[str, Undo]) -> dict[str, Undo]:
        """With what went back of the allocations since, and came in again."""
        asked = {name: each for name, each in found.items() if each.entry.kind in _MAY_GO_BACK}
        if not asked:
            return found
        payers = {each.entry.subscriber for each in asked.values()}
        days = {each.entry.date for each in asked.values()}
        told = self._closed.told_since(min(days), payers) if self._closed else []
        until = Month.of(min(days)).to(self._bulk.month.previous)
        months = [month for month in until if (self._folder / month.name).exists()]
        gave_back = any((each.undoes or each.kind) in _GAVE_BACK for each, _ in told) or any(
            _has_some(self._folder / month.name, payers, _GAVE_BACK) for month in months
        )
        if not gave_back and not _gives_back(self._table, self._bulk):
            return found  # reversals ask only whether any did
        for month in months:
            folder, begins = self._folder / month.name, any(Month.of(day) == month for day in days)
            if begins or _has_some(folder, payers, _TELLING) or _cut_off(folder, month, payers):
                entries = self._run_of(month).book_again(frozenset(), payers).entries
                told += [(each, each.event.reverses if each.event else "") for each in entries]
        of_payer: defaultdict[str, list[EntrySince]] = defaultdict(list)
        for at, (entry, undone) in enumerate(sorted(told, key=lambda each: each[0].date)):
            for name in {entry.subscriber, entry.counterparty}:
                of_payer[name].append(EntrySince(at, entry, undone))
        for name, each in asked.items():
            found[name] = replace(each, since=tuple(of_payer[each.entry.subscriber]))
        return found

    def costs_for(self, days: Collection[date]) -> list[JournalEntry]:
        """The entries of cost of months before that are for some days."""
        found: list[JournalEntry] = []
        month = self._bulk.month.previous
        while days and month.last >= min(days) and (self._folder / month.name).exists():
            path = self._folder / month.name / "costs.parquet"
            found = [*costs_from(read_part(path, "costs"), days), *found]
            month = month.previous
        return [*self._closed.costs_for(days), *found] if days and self._closed else found

    def _open(self, month: Month) -> tuple[EventTable, BulkTerms]:
        """A month as it was booked: its files must still be there."""
        if month not in self._opened:
            bulk = self._bulk._replace(
                month=month,
                terms=self._bulk.terms.setting(AS_OF, month.last),
                assertions=[],
                controls=[],
            )
            table = EventTable(
                at_hand(self._files(month), self._place.copies / month.name, self._place.noted),
                self._asked.memory_limit,
                self._place.spill,
                processes_of(self._asked),
            )
            self._opened[month] = table, bulk
        return self._opened[month]

    def _files(self, month: Month) -> EventFiles:
        about = about_month(self._folder / month.name)
        folder = (self._folder / month.name).resolve().parent  # it may be a link to elsewhere
        paths = noted_files(folder, about["files"])
        if gone := first_gone(paths):
            raise BulkError(
                f"an event is named that may be of {month}, and {gone} is gone: put it back"
            )
        return event_files_of(paths, self._asked.ledger.parent)


def _done(undo: dict[str, Undo], undone: Collection[str]) -> dict[str, Undo]:
    """What undoes some events, of which months since have undone some."""
    return {name: replace(each, done=each.done or name in undone) for name, each in undo.items()}


def _may_have(table: EventTable, bulk: BulkTerms, ids: Collection[str]) -> bool:
    """Whether a month may have booked an event or a period of some ids; it is not booked for it."""
    own = {each.id or content_id(each) for each in bulk.own_events}
    if own & {*ids} or any(name[-11:-2] == f"/{bulk.month}-" for name in ids):
        return True
    table.register("ids_sought", pa.table({"name": pa.array(sorted(ids), pa.string())}))
    without_id = any(name.startswith("e-") for name in ids)  # derived from what an event says
    found = (
        f"SELECT count(*) FROM files_as_they_are WHERE {ID} IN (FROM ids_sought) "
        f"OR ({without_id} AND coalesce({ID}, '') = '')"
    )
    return bool(table.numbers(found)[0][0])


def _gives_back(table: EventTable, bulk: BulkTerms) -> bool:
    """Whether a month may give money back of something, or brings it in again."""
    if any(each.of for each in bulk.own_events):
        return True
    if "of" not in table.files.present or table.files.in_store:
        return "of" in table.files.present
    count = f"SELECT count(*) FROM files_as_they_are WHERE trim({text_of('of')}) <> ''"
    return bool(table.numbers(count)[0][0])


def _has_some(folder: Path, payers: Collection[str], kinds: Collection[Kind]) -> bool:
    """Whether a month booked something of some kinds for some subscribers, or undid it."""
    columns = ["kind", "undoes", "subscriber"]
    moved = read_part(folder / "movements.parquet", "movements").select(columns)
    those = moved.filter(pc.is_in(moved["subscriber"], pa.array(sorted(payers), pa.string())))
    booked = {*those["kind"].to_pylist()} - {Kind.ALLOCATION} | {*those["undoes"].to_pylist()}
    return not booked.isdisjoint(kinds)


def _cut_off(folder: Path, month: Month, payers: Collection[str]) -> bool:
    """Whether some of what subscribers held was cut off at once in a month, or just before it."""
    state = read_part(folder / "subscriptions.parquet", "subscriptions")
    if "beside" not in state.column_names:
        return False
    state = state.filter(pc.is_in(state["subscriber"], pa.array(sorted(payers), pa.string())))
    return any(
        on is not None and on >= month.previous.last and ",shared\n" in (beside or "")
        for on, beside in zip(
            *(state[of].to_pylist() for of in ("cancelled_on", "beside")), strict=True
        )
    )


def _reversed(table: EventTable, bulk: BulkTerms, folder: Path) -> set[str]:
    """The ids that the month's reversals named, but for those that were refused."""
    refused = read_part(folder / "refused.parquet", "refused")
    places = {(row["file"], row["row"]) for row in refused.to_pylist()}
    own = {each.reverses for each in bulk.own_events if each.place[:2] not in places} - {""}
    if "reverses" not in table.files.present:
        return own
    table.register("refused_rows", refused)
    return own | {
        name
        for (name,) in table.numbers(
            f"SELECT DISTINCT trim({text_of('reverses')}) FROM files_as_they_are e ANTI JOIN "
            f"refused_rows r ON r.file = e.file AND r.row = e.row_at "
            f"WHERE trim({text_of('event')}) = {literal(Kind.REVERSAL.value)}"
        )
    }
