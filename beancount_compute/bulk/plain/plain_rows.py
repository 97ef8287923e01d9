"""The uses of a month as units by day and name, in one reading of its files.

    2026-05-20  consumption  alice  200 CU      ->   units of alice on day 19 += 200

Any other row stands in `others_as_they_are`, and is looked at one by one. Every id leaves its hash,
and every use whose it is, so that those of a few names are quickly read again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beancount_compute.bulk.month_asked import Told
from beancount_compute.bulk.plain.lot_keys import Ints
from beancount_compute.bulk.plain.plain_uses import PlainUses
from beancount_compute.bulk.rows.event_table import EventTable
from beancount_compute.bulk.rows.file_scan import FileRows, scan
from beancount_compute.bulk.rows.free_memory import give_back_memory
from beancount_compute.bulk.rows.kept_rows import KeptRows, rows_at
from beancount_compute.bulk.rows.repeats import id_hashes
from beancount_compute.bulk.rows.text_words import UNKNOWN, NameCodes, Unsigned, as_text

DAYS = 31
OTHERS = "others_as_they_are"
_NO_USE, _UNSEEN = UNKNOWN, -2  # what stands for the name of a row; of a use by an unknown name
_MOST_UNSEEN = 1_000_000  # uses of names that were not known when they were read
_OF_USES = ("id", "date", "time", "event", "units", "commodity", "memo")  # without whose it is


class _Unseen(NamedTuple):
    """Uses of names that were not known when they were read."""

    rows: Ints
    names: pa.Array
    cells: Ints
    steps: Ints


class UsesByName:
    """Units used, by day and commodity (a cell) and name; names may turn up at any time."""

    def __init__(self, names: pa.Array, cells: int, rows: int) -> None:
        self.names = NameCodes(names)
        self._cells = cells
        self._units: Ints = np.zeros((cells, self._room()), np.int64)
        self.code_of_row = np.full(rows, _NO_USE, np.int32)
        self._unseen: list[_Unseen] = []

    def _room(self) -> int:
        return len(self.names) * 5 // 4 + 1024

    def add(self, codes: Ints, cells: Ints, steps: Ints) -> None:
        """Add uses of names that are known."""
        np.add.at(self._units.reshape(-1), cells * self._units.shape[1] + codes, steps)

    def add_unseen(self, uses: _Unseen) -> None:
        """Add uses of names that were not known when they were read."""
        self._unseen.append(uses)
        if sum(len(each.rows) for each in self._unseen) > _MOST_UNSEEN:
            self._learn()

    def _learn(self) -> None:
        """Get to know the names of the uses that wait for it."""
        if not self._unseen:
            return
        texts = pa.concat_arrays([each.names for each in self._unseen])
        rows, cells, steps = (
            np.concatenate([each[at] for each in self._unseen]) for at in (0, 2, 3)
        )
        self._unseen.clear()
        new = texts.filter(pa.array(self.names.codes_of(texts) == UNKNOWN))
        if len(new):
            self.names = NameCodes(pa.concat_arrays([self.names.names, pc.unique(new)]))
        if len(self.names) > self._units.shape[1]:
            units = np.zeros((self._cells, self._room()), np.int64)
            units[:, : self._units.shape[1]] = self._units
            self._units = units
        codes = self.names.codes_of(texts)
        self.code_of_row[rows] = codes
        self.add(codes, cells, steps)

    def all_names(self) -> pa.Array:
        """All names that are known or turned up."""
        self._learn()
        return self.names.names

    def units_given_up(self, names: pa.Array, commodities: int) -> Ints:
        """The units by day, and by name and commodity, of names in another order; none are kept."""
        self._learn()
        codes = self.names.codes_of(names)
        units, self._units = self._units, np.zeros((self._cells, 0), np.int64)
        if not np.array_equal(codes, np.arange(len(names))):
            units = np.where(codes == UNKNOWN, 0, units[:, codes])
        units = units[:, : len(names)].reshape(DAYS, commodities, len(names))
        return np.ascontiguousarray(units.transpose(0, 2, 1)).reshape(-1)


class UsesOfDays(NamedTuple):
    """What names used on each day of a month."""

    names: pa.Array
    commodities: Sequence[str]
    first: date
    steps: Ints  # by day, name and commodity
    decimals: int

    def of(self, names: pa.Array) -> dict[tuple[date, str], Decimal]:
        """What some of the names used, by day and commodity."""
        codes = NameCodes(self.names).codes_of(names)
        steps = self.steps.reshape(DAYS, -1, len(self.commodities))
        return {
            (self.first + timedelta(day), commodity): Decimal(number).scaleb(-self.decimals)
            for day, of_day in enumerate(steps)
            for commodity, number in zip(
                self.commodities, of_day[codes].sum(axis=0).tolist(), strict=True
            )
            if number
        }


class _Bit(NamedTuple):
    """What some rows of a file come to; one that is no use of a name that is known has no steps."""

    at: int
    codes: Ints
    cells: Ints
    steps: Ints
    unseen: _Unseen
    others: pa.Table
    hashes: Unsigned


class MonthReader:
    """Reads the rows of a month."""

    def __init__(
        self, table: EventTable, plain: PlainUses, commodities: int, names: pa.Array
    ) -> None:
        """Some `names` are known."""
        self._table, self._plain, self._commodities = table, plain, commodities
        self.uses = UsesByName(names, DAYS * commodities, table.files.rows)

    def read(self, told: Told) -> Unsigned:
        """Read all files; the hashes of all ids."""
        files, uses = self._table.files, self.uses
        hashes = np.empty(files.rows, np.uint64)
        count = 0
        others = KeptRows(self._table, OTHERS)
        for bit in scan(files, self._table.threads, self._read):
            uses.code_of_row[bit.at : bit.at + len(bit.codes)] = bit.codes
            uses.add(np.maximum(bit.codes, 0), bit.cells, bit.steps)
            if len(bit.unseen.rows):
                uses.add_unseen(bit.unseen)
            hashes[count : count + len(bit.hashes)] = bit.hashes
            count += len(bit.hashes)
            others.add(bit.others)
            told(bit.at + len(bit.codes), files.rows, reading=True)
        others.write()
        give_back_memory()  # into which the files were read
        return hashes[:count]

    def _read(self, rows: FileRows) -> _Bit:
        names, files = self.uses.names, self._table.files
        use = self._plain.of(rows)
        who = rows.column("subscriber")
        codes = np.full(rows.size, UNKNOWN, np.int64) if who is None else names.codes_of(who)
        cells = use.day * self._commodities + use.unit if self._commodities > 1 else use.day
        codes[codes == UNKNOWN] = _UNSEEN
        others = np.flatnonzero(~use.plain)
        codes[others], cells[others] = _NO_USE, 0
        unseen = np.flatnonzero(codes == _UNSEEN)
        strangers = pa.nulls(len(unseen), pa.string())
        if who is not None and len(unseen):
            strangers = as_text(who.take(pa.array(unseen)))
        steps = np.where(use.plain, use.steps, 0)
        later = _Unseen(unseen + rows.at, strangers.fill_null(""), cells[unseen], steps[unseen])
        steps[unseen] = 0
        of_others = rows_at(rows, files, others)
        return _Bit(rows.at, codes, cells, steps, later, of_others, id_hashes(rows.column("id")))

    def keep_uses(self, names: pa.Array, called: str, days: Collection[date] = ()) -> None:
        """Put the uses of some names into a table, those of all days or of some."""
        files, codes = self._table.files, self.uses.code_of_row
        seen = self.uses.all_names()
        chosen = np.append(NameCodes(names).codes_of(seen) != UNKNOWN, False)  # of `_NO_USE`
        only = [name for name in _OF_USES if name in files.present]

        def chosen_of(rows: FileRows) -> pa.Table:
            of_rows = codes[rows.at : rows.at + rows.size]
            at = np.flatnonzero(chosen[of_rows])
            if days:
                at = at[self._plain.on_days(rows, days)[at]]
            return rows_at(rows, files, at, {"subscriber": seen.take(pa.array(of_rows[at]))})

        kept = KeptRows(self._table, called)
        if chosen.any():
            for bit in scan(files, self._table.threads, chosen_of, only):
                kept.add(bit)
        kept.write()
