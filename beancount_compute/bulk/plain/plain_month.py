"""Subscribers whose month is plain: periods, mints, expiries, top-ups, uses within what they hold.

    lots and subscriptions of the month before, plain rows   ->   numbers, a day after the other

What can't be said exactly here is left to the engine, subscriber by subscriber: a trade, use beyond
the holdings of several subscriptions, an odd row, a number too large for 64 bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from beancount_compute.bulk.bulk_terms import BulkTerms
from beancount_compute.bulk.plain.lot_keys import (
    NEVER,
    Flags,
    Ints,
    KeyColumns,
    distinct,
    joined,
    no_keys,
    small_behind,
    wide,
)
from beancount_compute.bulk.plain.plain_lots import (
    NEVER_HERE,
    Arrivals,
    DrawnByDay,
    Ended,
    Ends,
    LotsAt,
    LotsLeft,
    Overdrawn,
    PlainLots,
    group_of,
)
from beancount_compute.bulk.plain.plain_overage import PlainOverage
from beancount_compute.bulk.plain.plain_rows import DAYS
from beancount_compute.bulk.plain.plain_terms import (
    token_end,
)
from beancount_compute.bulk.rows.steps import MOST_STEPS
from beancount_compute.economy import DRAW_DOWN

COST_DECIMALS = 9  # of a lot's cost; finer ones are left


class Held(NamedTuple):
    """Lots, of the state or coming in: whose they are, and how many units."""

    code: Ints
    commodity: Ints
    keys: KeyColumns
    units: Ints
    day: Ints  # of the month, from 0, on which they come in

    def some(self, which: Flags) -> Held:
        """Some of them."""
        if which.all():
            return self
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
    lots: LotsLeft
    ended: Ended
    arrived: Arrivals
    receipts: Receipts
    drawn: DrawnByDay
    group: Ints
    groups: KeyColumns
    overage: PlainOverage


def together_held(several: Sequence[Held]) -> Held:
    """Lots behind each other."""
    return Held(
        small_behind([each.code for each in several]),
        small_behind([each.commodity for each in several]),
        joined([each.keys for each in several]),
        np.concatenate([each.units for each in several]),
        small_behind([each.day for each in several]),
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

    def begin(self, held: Held, arriving: Held) -> None:
        """Take the lots that there are, and those that come in; the given ones may be let go."""
        self._leave_large(held, arriving)
        held, arriving = (each.some(self.good[each.code]) for each in (held, arriving))
        order = self._bulk.terms.on(DRAW_DOWN, self._bulk.month.first)
        keys = joined([held.keys, arriving.keys])
        held, arriving = (each._replace(keys=no_keys()) for each in (held, arriving))
        keys, place = distinct(keys, order)
        ending = self._tokens(keys)
        all_keys, places = distinct(joined([keys, ending.tokens]), order)
        old = places[: len(keys.pocket)]
        ends = self._ends(all_keys, old, places[len(keys.pocket) :], ending)
        self._leave_odd_ends(held, arriving, place, ending.odd)
        place = old[place]
        of_held, of_arriving = place[: len(held.code)], place[len(held.code) :]
        self._held = LotsAt(self._row(held), of_held, held.units).some(self.good[held.code])
        self._arrived = (
            Arrivals(arriving.day, self._row(arriving), of_arriving, arriving.units)
            .some(self.good[arriving.code])
            .in_order()
        )
        self._keys, self._ends_of_keys = all_keys, ends

    def book(self, receipts: Receipts, uses: Ints, overage: PlainOverage) -> PlainBooks:
        """Book the month; `uses` are units by day and row."""
        all_keys, ends = self._keys, self._ends_of_keys
        good = self.good.copy()
        course = _Course(self._held, self._arrived, uses.reshape(DAYS, -1)[: self._days])
        del self._held, self._arrived  # they are large
        course.uses[:, np.repeat(~good, self._commodities)] = 0
        group, groups = group_of(all_keys, self._commodities)
        cohorts = len(groups.pocket) * self._commodities

        def went(some: _Course, overdrawn: Overdrawn) -> tuple[LotsLeft, DrawnByDay, Ended]:
            rows = some.uses.shape[1]
            lots = PlainLots(rows, some.held, some.arrived, ends, group, all_keys.cost)
            drawn, ended = lots.month(some.uses, cohorts, self._commodities, overdrawn)
            return lots.left, drawn, ended

        lots, drawn, ended = went(course, overage.charge)
        gone = good & ~self.good
        if gone.any():  # what they use counts for nothing
            _, without, _ = went(
                course.only(np.flatnonzero(np.repeat(gone, self._commodities))), _whatever
            )
            for sums, of_gone in zip(drawn, without, strict=True):
                sums -= of_gone
        return PlainBooks(
            self.good,
            all_keys,
            lots,
            ended,
            course.arrived,
            receipts,
            drawn,
            group,
            groups,
            overage,
        )

    def _row(self, lots: Held) -> Ints:
        return wide(lots.code) * self._commodities + lots.commodity

    def _leave_large(self, held: Held, arriving: Held) -> None:
        """Leave those whose units and money might not fit into 64 bits."""
        units, cost = np.zeros(self._people), np.ones(self._people)
        for lots in (held, arriving):
            units += np.bincount(lots.code, lots.units.astype(float), self._people)
            np.maximum.at(cost, lots.code, lots.keys.cost.astype(float))
        self.good &= units * cost < MOST_STEPS

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


class _Course(NamedTuple):
    """What happens to rows in a month."""

    held: LotsAt
    arrived: Arrivals
    uses: Ints  # by day and row

    def only(self, rows: Ints) -> _Course:
        """The same of some rows, which get numbers of their own."""
        place = np.full(self.uses.shape[1], -1, np.int64)
        place[rows] = np.arange(len(rows))
        held = self.held.some(place[self.held.row] >= 0)
        arrived = self.arrived.some(place[self.arrived.row] >= 0)
        return _Course(
            held._replace(row=place[held.row]),
            arrived._replace(row=place[arrived.row]),
            self.uses[:, rows],
        )


def _whatever(day: int, rows: Ints, lacking: Ints) -> None:
    """Who lacks units is known already."""


class _Ending(NamedTuple):
    """The allocations that are minted in a month, with the keys of their tokens."""

    minted: npt.NDArray[np.intp]
    tokens: KeyColumns
    odd: Flags  # those of which the engine must say it
