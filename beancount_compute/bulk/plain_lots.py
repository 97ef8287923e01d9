"""The lots of many subscribers as arrays, and a month of plain days on them.

    row     a subscriber and a commodity
    slots   its lots in draw-down order: key, units, and what was used of each

All units are integers of the smallest step. A day goes in the order of the books: ends, periods,
top-ups, uses. A row that uses more than it holds is told; what was done to it counts for nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from beancount_compute.bulk.lot_keys import Ints, KeyColumns

NEVER_HERE = 99  # the day of what does not happen in the month
EMPTY = np.iinfo(np.int32).max  # a slot without a lot: behind all keys
_LOW_BITS = 31
_DAY_BITS = 22
Rows = npt.NDArray[np.int64]
Keys32 = npt.NDArray[np.int32]


class Arrivals(NamedTuple):
    """Lots that come in, in the order of days."""

    day: Ints  # of the month, from 0
    row: Rows
    key: Ints
    units: Ints


class Ended(NamedTuple):
    """Lots that met their end: minted where a token is named, else expired."""

    day: int
    row: Rows
    key: Ints
    units: Ints
    token: Ints  # below zero for none


class Ends(NamedTuple):
    """What becomes of a lot that ends, by key."""

    on: Ints  # the day of the month, from 0; NEVER_HERE where it lies behind
    token: Ints  # the key of the tokens, or -1


class DrawnOfDay(NamedTuple):
    """What was used of a day, by group of keys: units, and cost in two halves."""

    units: Ints
    cost_high: Ints
    cost_low: Ints


class LotsAt(NamedTuple):
    """Units of lots, with their rows and keys."""

    row: Rows
    key: Ints
    units: Ints


class PlainLots:
    """The slots of all rows: one for each lot that a row has at any time of the month.

    So nothing moves when a lot comes in: its slot is there, and was empty.
    """

    def __init__(self, rows: int, held: LotsAt, arriving: LotsAt, ends: Ends) -> None:
        """`held` are there at the beginning, `arriving` come in, and some of both are minted."""
        self._keys = max(1, len(ends.on))
        row = np.concatenate([held.row, arriving.row])
        key = np.concatenate([held.key, arriving.key])
        minted = ends.token[key] >= 0
        row = np.concatenate([row, row[minted]])
        key = np.concatenate([key, ends.token[key[minted]]])
        self._pairs = np.unique(row * self._keys + key)
        row, key = np.divmod(self._pairs, self._keys)
        slot = np.arange(len(row)) - np.searchsorted(row, row)
        slots = int(slot.max(initial=0)) + 1
        self._place = row * slots + slot  # of each pair, in the flat arrays
        self.key = np.full((rows, slots), EMPTY, np.int32)
        self.units = np.zeros((rows, slots), np.int64)
        self.used = np.zeros((rows, slots), np.int64)
        self.short = np.zeros(rows, bool)  # used more than was held
        self.key.reshape(-1)[self._place] = key
        on = ends.on[key]
        ending = np.flatnonzero(on < NEVER_HERE)
        self._ending = ending[np.argsort(on[ending], kind="stable")]
        self._ending_on = on[self._ending]
        self.put(held.row, held.key, held.units)

    def put(self, rows: Rows, keys: Ints, units: Ints) -> None:
        """Put units into lots; any row may come several times."""
        at = self._place[np.searchsorted(self._pairs, rows * self._keys + keys)]
        np.add.at(self.units.reshape(-1), at, units)

    def end(self, day: int, ends: Ends) -> Ended:
        """Let lots meet their end on a day; tokens of a mint are in the pockets when it is done."""
        first, behind = np.searchsorted(self._ending_on, [day, day + 1])
        pairs = self._ending[first:behind]
        held = self.units.reshape(-1)
        units = held[self._place[pairs]]
        pairs, units = pairs[units > 0], units[units > 0]
        held[self._place[pairs]] = 0
        row, key = np.divmod(self._pairs[pairs], self._keys)
        ended = Ended(day, row, key, units, ends.token[key])
        minted = ended.token >= 0
        self.put(row[minted], ended.token[minted], units[minted])
        return ended

    def use(
        self, wanted: Ints, cost: Ints, group: Ints, commodity: Ints, groups: int
    ) -> DrawnOfDay:
        """Use units, of each row so many; `group` and `cost` are those of keys."""
        drawn = DrawnOfDay(*[np.zeros(groups, np.int64) for _ in DrawnOfDay._fields])
        rows = np.flatnonzero(wanted)
        left = wanted[rows]
        for slot in range(self.key.shape[1]):
            if not len(rows):
                return drawn
            held = self.units[rows, slot]
            take = np.minimum(left, held)
            some = take > 0
            if some.any():
                at, taken = rows[some], take[some]
                self.units[at, slot] = held[some] - taken
                self.used[at, slot] += taken
                key = self.key[at, slot]
                of = group[key] + commodity[at]
                spent = taken * cost[key]
                np.add.at(drawn.units, of, taken)
                np.add.at(drawn.cost_high, of, spent >> _LOW_BITS)
                np.add.at(drawn.cost_low, of, spent & ((1 << _LOW_BITS) - 1))
                left = left - take
            more = left > 0
            rows, left = rows[more], left[more]
        self.short[rows] = True
        return drawn


def in_whole(high: int, low: int) -> int:
    """A number from its two halves."""
    return (high << _LOW_BITS) + low


def cost_halves(units: Ints, cost: Ints) -> tuple[Ints, Ints]:
    """What units cost, in two halves, so that sums of many stay exact."""
    spent = units * cost
    return spent >> _LOW_BITS, spent & ((1 << _LOW_BITS) - 1)


def group_of(keys: KeyColumns, commodities: int) -> tuple[Ints, KeyColumns]:
    """The group of each key, as the first of so many places, one for each commodity.

    Keys of a group are alike but for their cost; the columns of one key of each come with it.
    """
    _, life = np.unique((keys.day << _DAY_BITS) | keys.end, return_inverse=True)
    packed = (((keys.pocket << 20 | keys.origin) << 12 | keys.currency) << 30) | life
    _, first, group = np.unique(packed, return_index=True, return_inverse=True)
    return group.astype(np.int64) * commodities, keys.taken(first)
