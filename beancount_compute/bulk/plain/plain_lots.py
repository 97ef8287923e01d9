"""The lots of many subscribers as arrays, and a month of plain days on them.

    row     a subscriber and a commodity
    lot     of a row, by its key: the lots of a row stand behind each other in draw-down order

There is a place for each lot that a row has at any time of the month, so nothing moves when one
comes in. All units are integers of the smallest step. A day goes in the order of the books: ends,
periods, top-ups, uses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from beancount_compute.bulk.plain.lot_keys import Flags, Ints, KeyColumns, wide
from beancount_compute.bulk.rows.steps import cost_halves, narrow

NEVER_HERE = 99  # the day of what does not happen in the month
_DAY_BITS = 22
Rows = npt.NDArray[np.int64]
Overdrawn = Callable[[int, Rows, Ints], None]  # a day, rows and the units that they lack


class LotsAt(NamedTuple):
    """Units of lots, with their rows and keys."""

    row: Rows
    key: Ints
    units: Ints

    def some(self, which: Flags) -> LotsAt:
        """Some of them."""
        return LotsAt(*[column[which] for column in self])


class LotsLeft(NamedTuple):
    """All lots of a month at its end, those without units too."""

    row: Rows
    key: Ints
    units: Ints
    used: Ints  # in the month


class Arrivals(NamedTuple):
    """Lots that come in, in the order of days."""

    day: Ints  # of the month, from 0
    row: Rows
    key: Ints
    units: Ints

    def some(self, which: Flags | Rows) -> Arrivals:
        """Some of them."""
        return Arrivals(*[column[which] for column in self])

    def in_order(self) -> Arrivals:
        """The same by day."""
        return self.some(np.argsort(self.day, kind="stable"))


class Ended(NamedTuple):
    """Lots that met their end: minted where a token is named, else expired."""

    day: Ints
    row: Rows
    key: Ints
    units: Ints
    token: Ints  # below zero for none

    def some(self, which: Flags | Rows) -> Ended:
        """Some of them."""
        return Ended(*[column[which] for column in self])


class Ends(NamedTuple):
    """What becomes of a lot that ends, by key."""

    on: Ints  # the day of the month, from 0; NEVER_HERE where it lies behind
    token: Ints  # the key of the tokens, or -1


class DrawnByDay(NamedTuple):
    """What was used, by day and cohort: units, and cost in two halves."""

    units: Ints
    cost_high: Ints
    cost_low: Ints


class PlainLots:
    """The lots of all rows, in draw-down order."""

    def __init__(
        self, rows: int, held: LotsAt, arriving: Arrivals, ends: Ends, cohort: Ints, cost: Ints
    ) -> None:
        """`held` are there at the beginning; `cohort` and `cost` are those of keys."""
        keys = max(1, len(ends.on))
        row = np.concatenate([held.row, arriving.row])
        key = np.concatenate([held.key, arriving.key])
        minted = np.flatnonzero(ends.token[key] >= 0)
        packed = np.concatenate([row * keys + key, row[minted] * keys + ends.token[key[minted]]])
        in_order = np.argsort(packed)
        first = np.empty(len(packed), bool)
        first[:1] = True
        first[1:] = packed[in_order[1:]] != packed[in_order[:-1]]
        lot_of = np.empty(len(packed), np.int64)
        lot_of[in_order] = np.cumsum(first) - 1
        self.row, self.key = map(narrow, np.divmod(packed[in_order[first]], keys))
        self._held, self._held_at = held, lot_of[: len(held.row)]
        self._arriving, self._arriving_at = arriving, lot_of[len(held.row) : len(row)]
        self._tokens_of = np.full(len(self.row), -1, np.int64)  # the lot that it may become
        self._tokens_of[lot_of[minted]] = lot_of[len(row) :]
        self._token, self._cohort, self._cost = ends.token, cohort[self.key], cost[self.key]
        self._begin = np.searchsorted(self.row, np.arange(rows + 1, dtype=self.row.dtype))
        self._next = self._begin[:-1].copy()  # the first lot of a row that may have units
        on = ends.on[self.key]
        ending = np.flatnonzero(on < NEVER_HERE)
        self._ending = ending[np.argsort(on[ending], kind="stable")]
        self._ending_on = on[self._ending]
        self.units = np.zeros(len(self.row), np.int64)
        self.used = np.zeros(len(self.row), np.int64)
        np.add.at(self.units, self._held_at, held.units)

    def month(
        self, uses: Ints, cohorts: int, commodities: int, overdrawn: Overdrawn
    ) -> tuple[DrawnByDay, Ended]:
        """Go through a month; `uses` are units by day and row."""
        drawn = DrawnByDay(*[np.zeros((len(uses), cohorts), np.int64) for _ in DrawnByDay._fields])
        ended = []
        begin = np.searchsorted(self._arriving.day, np.arange(len(uses) + 1))
        for day, wanted in enumerate(uses):
            ended.append(self._end(day))
            some = slice(begin[day], begin[day + 1])
            self._put(self._arriving_at[some], self._arriving.units[some])
            rows = np.flatnonzero(wanted)
            of_day = DrawnByDay(*[sums[day] for sums in drawn])
            lacking, missing = self._use(rows, wanted[rows].astype(np.int64), commodities, of_day)
            if len(lacking):
                overdrawn(day, lacking, missing)
        return drawn, Ended(*[np.concatenate(columns) for columns in zip(*ended, strict=True)])

    @property
    def left(self) -> LotsLeft:
        """What is left of them, and what was used."""
        return LotsLeft(self.row, self.key, self.units, self.used)

    def _put(self, lots: Rows, units: Ints) -> None:
        """Put units into lots; any may come several times."""
        np.add.at(self.units, lots, units)
        np.minimum.at(self._next, self.row[lots], lots)

    def _end(self, day: int) -> Ended:
        """Let lots meet their end on a day; tokens of a mint are in the pockets when it is done."""
        first, behind = np.searchsorted(self._ending_on, [day, day + 1])
        lots = self._ending[first:behind]
        lots = lots[self.units[lots] > 0]
        units = self.units[lots]
        self.units[lots] = 0
        tokens = self._tokens_of[lots]
        self._put(tokens[tokens >= 0], units[tokens >= 0])
        key, days = self.key[lots], np.full(len(lots), day)
        return Ended(days, self.row[lots], key, units, self._token[key])

    def _use(
        self, rows: Rows, left: Ints, commodities: int, drawn: DrawnByDay
    ) -> tuple[Rows, Ints]:
        """Use units, of each row so many; who lacks some, and how many."""
        lacking, missing = [rows[:0]], [left[:0]]
        while len(rows):
            lot = self._next[rows]
            none = lot == self._begin[rows + 1]
            if none.any():
                lacking.append(rows[none])
                missing.append(left[none])
                rows, left, lot = rows[~none], left[~none], lot[~none]
            held = self.units[lot]
            taken = np.minimum(left, held)
            self.units[lot] = held - taken
            self.used[lot] += taken
            place = self._cohort[lot]
            if commodities > 1:
                place += rows % commodities
            halves = cost_halves(taken, self._cost[lot])
            for sums, each in zip(drawn, (taken, *halves), strict=True):
                np.add.at(sums, place, each)
            more = np.flatnonzero(left > held)
            rows, left = rows[more], left[more] - held[more]
            self._next[rows] += 1
        return np.concatenate(lacking), np.concatenate(missing)


def group_of(keys: KeyColumns, commodities: int) -> tuple[Ints, KeyColumns]:
    """The group of each key, as the first of so many places, one for each commodity.

    Keys of a group are alike but for their cost; the columns of one key of each come with it.
    """
    _, life = np.unique((wide(keys.day) << _DAY_BITS) | keys.end, return_inverse=True)
    packed = (((wide(keys.pocket) << 20 | keys.origin) << 12 | keys.currency) << 30) | life
    _, first, group = np.unique(packed, return_index=True, return_inverse=True)
    return group.astype(np.int64) * commodities, keys.taken(first)
