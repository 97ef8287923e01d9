"""Subscribers whose month is plain: periods, mints, expiries, top-ups, uses within what they hold.

    lots and subscriptions of the month before, plain rows   ->   numbers, a day after the other

What can't be said exactly here is left to the engine, subscriber by subscriber: a use beyond the
holdings, a trade, an odd row, a number too large for 64 bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from beancount_compute.bulk.bulk_terms import BulkTerms
from beancount_compute.bulk.lot_keys import (
    NEVER,
    Flags,
    Ints,
    KeyColumns,
    distinct,
    joined,
    no_keys,
)
from beancount_compute.bulk.plain_lots import (
    NEVER_HERE,
    Arrivals,
    DrawnOfDay,
    Ended,
    Ends,
    LotsAt,
    PlainLots,
    group_of,
)
from beancount_compute.bulk.plain_rows import DAYS
from beancount_compute.bulk.plain_terms import (
    token_end,
)
from beancount_compute.economy import DRAW_DOWN

MOST_SLOTS = 24  # lots of one subscriber
COST_DECIMALS = 9  # of a lot's cost; finer ones are left
_LARGEST = 2.0**61


class Held(NamedTuple):
    """Lots, of the state or coming in: whose they are, and how many units."""

    code: Ints
    commodity: Ints
    keys: KeyColumns
    units: Ints
    day: Ints  # of the month, from 0, on which they come in

    def some(self, which: Flags) -> Held:
        """Some of them."""
        keys = KeyColumns(*[column[which] for column in self.keys])
        return Held(
            self.code[which], self.commodity[which], keys, self.units[which], self.day[which]
        )


class Receipts(NamedTuple):
    """What is owed for units that come in, in minor units."""

    day: Ints
    code: Ints
    origin: Ints
    currency: Ints
    paid: Ints


class PlainBooks(NamedTuple):
    """What a plain month comes to; of those in `good` alone."""

    good: Flags  # by code
    keys: KeyColumns
    lots: PlainLots
    ended: list[Ended]
    arrived: Arrivals
    receipts: Receipts
    drawn: list[DrawnOfDay]
    group: Ints
    groups: KeyColumns
    uses: int


class StepSizes(NamedTuple):
    """Of how many decimals the integers are."""

    units: int
    cost: int


def together_held(several: Sequence[Held]) -> Held:
    """Lots behind each other."""
    return Held(
        np.concatenate([each.code for each in several]),
        np.concatenate([each.commodity for each in several]),
        joined([each.keys for each in several]),
        np.concatenate([each.units for each in several]),
        np.concatenate([each.day for each in several]),
    )


class PlainMonth:
    """Books the plain subscribers of a month."""

    def __init__(
        self,
        bulk: BulkTerms,
        commodities: Sequence[str],
        origins: Sequence[str],
        people: int,
    ) -> None:
        self._bulk = bulk
        self._commodities = len(commodities)
        self._origins = origins
        self._people = people
        self.good: Flags = np.ones(people, bool)
        self._first = bulk.month.first.toordinal()
        self._days = bulk.month.last.day

    def leave(self, codes: Ints) -> None:
        """Leave subscribers to the engine."""
        self.good[codes] = False

    def book(self, held: Held, arriving: Held, receipts: Receipts, uses: Ints) -> PlainBooks:
        """Book the month; `uses` are units by day and row."""
        self._leave_large(held, arriving)
        held, arriving = (each.some(self.good[each.code]) for each in (held, arriving))
        order = self._bulk.terms.on(DRAW_DOWN, self._bulk.month.first)
        keys, place = distinct(joined([held.keys, arriving.keys]), order)
        ending = self._tokens(keys)
        all_keys, places = distinct(joined([keys, ending.tokens]), order)
        old = places[: len(keys.pocket)]
        ends = self._ends(all_keys, old, places[len(keys.pocket) :], ending)
        self._leave_odd_ends(held, arriving, place, ending.odd)
        place = old[place]
        rows = held.code * self._commodities + held.commodity
        lots = LotsAt(rows, place[: len(rows)], held.units)
        days = Arrivals(
            arriving.day,
            arriving.code * self._commodities + arriving.commodity,
            place[len(rows) :],
            arriving.units,
        )
        lots, days = self._within_slots(lots, days, ends)
        uses = uses.reshape(DAYS, -1)
        group, groups = group_of(all_keys, self._commodities)
        everybody = np.arange(self._people * self._commodities)
        month = self._simulate(
            everybody, lots, days, uses, ends, all_keys, group, len(groups.pocket)
        )
        short = np.flatnonzero(month.lots.short)
        if len(short):
            self.leave(short // self._commodities)
        gone = np.flatnonzero(~np.repeat(self.good, self._commodities))
        drawn = month.drawn
        if len(gone):
            without = self._simulate(
                gone, lots, days, uses, ends, all_keys, group, len(groups.pocket)
            )
            drawn = [_less(one, other) for one, other in zip(drawn, without.drawn, strict=True)]
        return PlainBooks(
            self.good, all_keys, month.lots, month.ended, days, receipts, drawn, group, groups, 0
        )

    def _leave_large(self, held: Held, arriving: Held) -> None:
        """Leave those whose units and money might not fit into 64 bits."""
        both = together_held([held, arriving])
        units = np.bincount(both.code, both.units.astype(float), self._people)
        cost = np.zeros(self._people)
        np.maximum.at(cost, both.code, both.keys.cost.astype(float))
        self.good &= units * np.maximum(cost, 1) < _LARGEST

    def _tokens(self, keys: KeyColumns) -> _Ending:
        """What the allocations become that end in this month."""
        last = self._first + self._days - 1
        at = np.flatnonzero((keys.pocket == 0) & (keys.end <= last))
        token, ends, odd = [], [], np.zeros(len(keys.pocket), bool)
        for key in at:
            found = token_end(
                self._bulk.terms,
                self._origins[keys.origin[key]],
                date.fromordinal(int(keys.day[key])),
                date.fromordinal(int(keys.end[key])),
                costs=bool(keys.cost[key]),
                allocation=True,
            )
            if found is None or (found[1] is not None and found[1].toordinal() <= last):
                odd[key] = True
            elif found[0]:
                token.append(key)
                ends.append(NEVER if found[1] is None else found[1].toordinal())
        minted = np.array(token, np.intp)
        tokens = keys.taken(minted) if len(minted) else no_keys()
        tokens = tokens._replace(
            pocket=np.ones(len(minted), np.int64), end=np.array(ends, np.int64)
        )
        return _Ending(minted, tokens, odd)

    def _ends(self, keys: KeyColumns, old: Ints, of_tokens: Ints, ending: _Ending) -> Ends:
        on = keys.end - self._first
        on = np.where(on < self._days, on, NEVER_HERE)
        token = np.full(len(keys.pocket), -1, np.int64)
        token[old[ending.minted]] = of_tokens
        return Ends(on, token)

    def _leave_odd_ends(self, held: Held, arriving: Held, place: Ints, odd: Flags) -> None:
        codes = np.concatenate([held.code, arriving.code])
        self.leave(codes[odd[place]])

    def _within_slots(self, lots: LotsAt, days: Arrivals, ends: Ends) -> tuple[LotsAt, Arrivals]:
        """Leave those with more lots than there are slots."""
        rows = np.concatenate([lots.row, days.row])
        keys = np.concatenate([lots.key, days.key])
        count = np.bincount(rows, 1 + (ends.token[keys] >= 0), self._people * self._commodities)
        self.leave(np.flatnonzero(count > MOST_SLOTS) // self._commodities)
        good = np.repeat(self.good, self._commodities)
        kept = good[lots.row]
        lots = LotsAt(*[column[kept] for column in lots])
        kept = good[days.row]
        days = Arrivals(*[column[kept] for column in days])
        in_order = np.argsort(days.day, kind="stable")
        return lots, Arrivals(*[column[in_order] for column in days])

    def _simulate(
        self,
        rows: Ints,
        lots: LotsAt,
        days: Arrivals,
        uses: Ints,
        ends: Ends,
        keys: KeyColumns,
        group: Ints,
        groups: int,
    ) -> _Simulated:
        """A month of some rows, day by day."""
        place = np.full(self._people * self._commodities, -1, np.int64)
        place[rows] = np.arange(len(rows))
        of_lots = place[lots.row] >= 0
        lots = LotsAt(place[lots.row[of_lots]], lots.key[of_lots], lots.units[of_lots])
        of_days = place[days.row] >= 0
        days = Arrivals(*[column[of_days] for column in days])
        days = days._replace(row=place[days.row])
        state = PlainLots(len(rows), lots, LotsAt(*days[1:]), ends)
        begin = np.searchsorted(days.day, np.arange(self._days + 1))
        commodity = rows % self._commodities
        ended, drawn = [], []
        for day in range(self._days):
            ended.append(state.end(day, ends))
            of_day = slice(begin[day], begin[day + 1])
            state.put(days.row[of_day], days.key[of_day], days.units[of_day])
            wanted = uses[day, rows]
            drawn.append(state.use(wanted, keys.cost, group, commodity, groups * self._commodities))
        return _Simulated(state, ended, drawn)


class _Ending(NamedTuple):
    """The allocations that are minted in a month, with the keys of their tokens."""

    minted: npt.NDArray[np.intp]
    tokens: KeyColumns
    odd: Flags  # those of which the engine must say it


class _Simulated(NamedTuple):
    lots: PlainLots
    ended: list[Ended]
    drawn: list[DrawnOfDay]


def _less(one: DrawnOfDay, other: DrawnOfDay) -> DrawnOfDay:
    return DrawnOfDay(*[a - b for a, b in zip(one, other, strict=True)])


def fewest_decimals(numbers: Sequence[Ints], decimals: int) -> int:
    """How many of so many decimals the numbers need."""
    for fewer in range(decimals, 0, -1):
        if not any((each % 10**fewer).any() for each in numbers):
            return decimals - fewer
    return decimals
