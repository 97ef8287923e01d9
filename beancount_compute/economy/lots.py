"""Who holds which lots, and which lot goes first.

    Liabilities:DeferredRevenue:Tokens:Alice   -800 CU {0.20 USD, 2026-05-01, "pro/2027-06-01"}

A lot is units of one origin, unit cost, date and end in one pocket of one subscriber. `Lot` is what
the journal shows and never changes; `OpenLot` is its units today, and never leaves the engine.
"""

from __future__ import annotations

import datetime
from bisect import bisect_left, insort
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple, assert_never

from beancount_compute.economy.months import text_of
from beancount_compute.economy.roles import Pocket
from beancount_compute.economy.rounding import ZERO, decimals_of, must_be_exact, trim
from beancount_compute.economy.term_values import DrawDown


class _LotFields(NamedTuple):
    holder: str
    pocket: Pocket
    commodity: str
    cost: Decimal  # per unit, of `currency`
    currency: str
    date: datetime.date
    origin: str  # a plan, "top-up" or "grant"
    end: datetime.date | None  # the first day on which it is no longer usable


class Lot(_LotFields):
    """What tells one lot from another. Compared by identity, which is quick; `key_of` by value."""

    __slots__ = ()
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @property
    def label(self) -> str:
        """The lot's label in the ledger: "pro/2027-06-01", or "pro" where it has no end."""
        return self.origin if self.end is None else f"{self.origin}/{text_of(self.end)}"


Key = tuple[Decimal, str, datetime.date, str, datetime.date | None]
Rank = tuple[Any, ...]


class OpenLot:
    """A lot and the units of it that are held; a mutable record, because a draw must be quick."""

    __slots__ = ("holding", "key", "lot", "rank", "units")

    def __init__(self, lot: Lot, key: Key, units: Decimal, rank: Rank, holding: Holding) -> None:
        self.lot = lot
        self.key = key
        self.units = units
        self.rank = rank
        self.holding = holding


Draw = tuple[OpenLot, Decimal]  # units to take from a lot; planned first, taken when all is known

_by_rank = attrgetter("rank")
_TOKENS = Pocket.TOKENS  # to name a member of an enum takes longer
_NEVER = datetime.date.max.toordinal() + 1
# A named tuple's own constructor is a Python function and takes three times as long.
lot_of = partial(tuple.__new__, Lot)


def key_of(lot: Lot) -> Key:
    """What tells a lot from the others of its pocket: its cost, currency, date, origin and end."""
    return lot[3:]


def cost_of(number: Decimal, currency: str) -> Decimal:
    """A unit cost in the one way of writing it."""
    return trim(number, decimals_of(currency))


def received(lot: Lot, name: str) -> Lot:
    """A lot as tokens of who receives it: same cost, date, origin and end."""
    return lot_of((name, _TOKENS, *lot[2:]))


def rank_of(lot: Lot, order: DrawDown) -> Rank:
    """The lot's place in a draw-down order: the lowest goes first."""
    _, _, _, cost, currency, lot_date, origin, lot_end = lot
    end = _NEVER if lot_end is None else lot_end.toordinal()
    day = lot_date.toordinal()
    match order:
        case DrawDown.EXPIRY:
            return (end, day, currency, cost, origin)
        case DrawDown.FIFO:
            return (day, end, currency, cost, origin)
        case DrawDown.LIFO:
            return (-day, end, currency, cost, origin)
        case DrawDown.HIFO:
            return (currency, -cost, end, day, origin)
        case DrawDown.LOFO:
            return (currency, cost, end, day, origin)
        case _:
            assert_never(order)


class Holding:
    """The open lots of one commodity in one pocket of one subscriber, in draw-down order."""

    __slots__ = ("_by_key", "order", "queue")

    def __init__(self, order: DrawDown) -> None:
        self._by_key: dict[Key, OpenLot] = {}
        self.queue: list[OpenLot] = []
        self.order = order  # which the queue is in; another day may want another

    def __iter__(self) -> Iterator[OpenLot]:
        return iter(self.queue)

    def copied(self) -> Holding:
        """The same lots, to try something out with."""
        copy = Holding(self.order)
        for each in self.queue:
            lot = OpenLot(each.lot, each.key, each.units, each.rank, copy)
            copy.queue.append(lot)
            copy._by_key[each.key] = lot
        return copy

    def find(self, key: Key) -> OpenLot | None:
        """The open lot of that key."""
        return self._by_key.get(key)

    def plan(
        self, wanted: Decimal, order: DrawDown, *, paid_only: bool = False
    ) -> tuple[list[Draw], Decimal]:
        """The lots to draw on for the units wanted, in order, and the units that they don't cover.

        Raises `decimal.Inexact` where a lot's carrying amount would need more than 28 digits.
        """
        if order is not self.order:
            self.reorder(order)
        draws: list[Draw] = []
        for open_lot in self.queue:
            units = open_lot.units
            if units > wanted:
                cost = open_lot.lot.cost
                if paid_only and not cost:
                    continue
                must_be_exact((units - wanted) * cost)  # what stays
                draws.append((open_lot, wanted))
                return draws, ZERO
            if paid_only and not open_lot.lot.cost:
                continue
            draws.append((open_lot, units))
            wanted -= units
            if not wanted:
                break
        return draws, wanted

    def lot_for(self, lot: Lot, units: Decimal) -> Lot:
        """The lot under which units would lie here: an open one of the same key, or the given one.

        Raises `decimal.Inexact` where the two together would need more than 28 digits.
        """
        open_lot = self._by_key.get(lot[3:])
        if open_lot is None:
            return lot
        must_be_exact((open_lot.units + units) * lot.cost)
        return open_lot.lot

    def add(self, lot: Lot, units: Decimal) -> OpenLot | None:
        """Put units in; the open lot if it is a new one, None if it melts into an open one."""
        key = lot[3:]
        open_lot = self._by_key.get(key)
        if open_lot is not None:
            open_lot.units += units
            return None
        rank, queue = rank_of(lot, self.order), self.queue
        open_lot = self._by_key[key] = OpenLot(lot, key, units, rank, self)
        if queue and rank < queue[-1].rank:
            insort(queue, open_lot, key=_by_rank)
        else:
            queue.append(open_lot)
        return open_lot

    def take(self, open_lot: OpenLot, units: Decimal) -> None:
        """Take units out of an open lot; a lot that is empty is gone."""
        if units == open_lot.units:
            self.close(open_lot)
        else:
            open_lot.units -= units

    def close(self, open_lot: OpenLot) -> None:
        """Take all that is left out of an open lot."""
        open_lot.units = ZERO
        del self._by_key[open_lot.key]
        if self.queue[0] is open_lot:
            del self.queue[0]
        else:
            del self.queue[bisect_left(self.queue, open_lot.rank, key=_by_rank)]

    def reorder(self, order: DrawDown) -> None:
        """Queue the lots in another draw-down order."""
        self.order = order
        for open_lot in self.queue:
            open_lot.rank = rank_of(open_lot.lot, order)
        self.queue.sort(key=_by_rank)
