"""An entry of the journal as reports read it: what it earns besides its lots, and its trade.

    alice sells 500 CU to bob at 0.25 USD, fee 6.25   ->   fees 6.25 on her lot;  500 CU at 0.25

The rule is that of the reports (`economy/earned_besides.py`), so that a month's sums are what they
would read out of each transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from functools import partial
from operator import add
from typing import NamedTuple

from beancount_compute.economy import (
    KINDS,
    STOCK,
    ZERO,
    EarnedBesides,
    Flow,
    JournalEntry,
    Kind,
    Lot,
    LotLeg,
    MoneyLeg,
    Pocket,
    Role,
    earned_besides,
    sale_of,
)

TRADED = (Kind.TRADE, Kind.SPEND)  # of which each lot earns, also where all together earn nothing


class PriceKey(NamedTuple):
    """Trades that are added up: those of a day at one price, or what reversals undo of them."""

    day: date
    undoes: bool
    traded: date  # on which day; earlier where it is undone
    commodity: str
    currency: str
    price: Decimal
    origins: tuple[str, ...]  # the plans of their lots


class TradeSum(NamedTuple):
    """What those come to; below zero where they are undone."""

    trades: int
    units: Decimal
    gross: Decimal
    seller_fee: Decimal
    buyer_fee: Decimal

    def plus(self, other: TradeSum) -> TradeSum:
        """Both together."""
        trades, *sums = map(add, self, other)
        return TradeSum(trades, *sums)


class EntryFacts(NamedTuple):
    """What an entry says besides what it moves."""

    earned: list[EarnedBesides]
    traded: tuple[PriceKey, TradeSum] | None


class _UnitsMoved(NamedTuple):
    """Units of a lot, as `economy.earned_besides` asks for them."""

    flow: Flow
    subscriber: str
    origin: str
    commodity: str
    currency: str
    units: Decimal
    amount: Decimal
    lot: Lot


# A named tuple's own constructor is a Python function and takes three times as long.
_units_moved = partial(tuple.__new__, _UnitsMoved)


def entry_facts(entry: JournalEntry, day_of: Callable[[str], date]) -> EntryFacts:
    """What an entry says; `day_of` is the day on which the event was booked that it undoes."""
    kind, undoes = Kind(entry.undoes or entry.kind), bool(entry.undoes)
    moved: list[_UnitsMoved] = []
    legs: list[MoneyLeg] = []
    price = None
    for leg in entry.legs:
        if isinstance(leg, MoneyLeg):
            legs.append(leg)
        elif leg.lot.pocket is not STOCK:
            price = price or leg.price
            moved.append(_moved(leg, kind, undoes=undoes))
    sold = sale_of(moved, legs, price) if kind is Kind.TRADE else None
    earned = list(earned_besides(kind, moved, legs, sold))
    if sold is None:
        return EntryFacts(earned, None)
    traded = entry.date
    if undoes:
        assert entry.event is not None
        traded = day_of(entry.event.reverses)
    of_price = sold.commodity, sold.currency, sold.price, tuple(sorted({*sold.origins}))
    fees = sold.fees[sold.seller], sold.fees[sold.buyer]
    return EntryFacts(
        earned,
        (
            PriceKey(entry.date, undoes, traded, *of_price),
            TradeSum(-1 if undoes else 1, sold.units, sold.gross, *fees),
        ),
    )


def earned_until(entry: JournalEntry, leg: MoneyLeg) -> Iterator[tuple[Lot, Decimal]]:
    """Of which lots a change of plan found access earned: as much of what leaves each.

    Nothing where the leg is not of access that a change found earned.
    """
    if entry.kind is not Kind.CHANGE or leg.role is not Role.ACCESS_REVENUE:
        return
    left = -leg.number
    for each in entry.legs:
        if left and isinstance(each, LotLeg) and each.lot.pocket is Pocket.ACCESS:
            part = min(left, max(each.units, ZERO))
            left -= part
            if part:
                yield each.lot, part


def _moved(leg: LotLeg, kind: Kind, *, undoes: bool) -> _UnitsMoved:
    lot, units = leg.lot, -leg.units
    into, out = KINDS[kind].moves[lot.pocket]
    flow = out if (units < ZERO) is not undoes else into
    of = lot.holder, lot.origin, lot.commodity, lot.currency
    return _units_moved((flow, *of, units, units * lot.cost, lot))
