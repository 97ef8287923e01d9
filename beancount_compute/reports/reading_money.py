"""What the money of a booked transaction means: income, trades, and what is owed.

    2026-06-10 * "alice" "Trade with bob" #compute-trade
      Liabilities:DeferredRevenue:Tokens:Alice    500 CU {0.20 USD, 2026-05-01, ...} @ 0.25 USD
      Liabilities:DeferredRevenue:Tokens:Bob     -500 CU {0.20 USD, 2026-05-01, ...} @ 0.25 USD
      Assets:Receivable:Bob                    125.00 USD
      Liabilities:Payable:Alice               -118.75 USD
      Income:Fees                               -6.25 USD

becomes one trade of 125.00 gross, one income (fees, paid by alice, 6.25), a receivable of bob and a
payable of alice.

What a posting means is read by `ledger/meaning.py`; here its legs become facts, and those that
belong to several lots are shared out among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal, localcontext
from functools import cache
from operator import attrgetter
from typing import NamedTuple

from beancount.core.data import Transaction

from beancount_compute.collector import no_cyclic_garbage
from beancount_compute.economy import (
    EARNED_BY_LOTS,
    EARNINGS,
    KINDS,
    OWED,
    WIDE,
    ZERO,
    Earning,
    Flow,
    Kind,
    LegOrigin,
    MoneyLeg,
    Role,
    minor_unit,
    multiply_money,
    shares_of_total,
)
from beancount_compute.ledger import BY_HAND, OPENING, Meaning, price_of
from beancount_compute.reports.facts import SUMMED, Income, LotKey, Movement, Owed, Trade
from beancount_compute.reports.reading import Units, Unread

# To name a member of an enum takes longer than to compare it.
_SOLD, _BOUGHT, _FEES = Flow.TRADED_OUT, Flow.TRADED_IN, Earning.FEES
_EXPIRED = Flow.EXPIRED
_NOTHING: dict[tuple[str, str], Decimal] = {}
_PARTNER, _RECEIVABLE = Role.PARTNER, Role.RECEIVABLE
_TRADE, _SPEND, _WRITTEN = Kind.TRADE, Kind.SPEND, (BY_HAND, OPENING)
_OF_LOTS = (LegOrigin.LOTS, LegOrigin.LAPSED)  # the income of lots, which movements tell
# of each kind the legs that recognise income besides, and where they have their origin from
_BESIDES: dict[str, dict[Role, LegOrigin]] = {
    kind: {
        leg.role: leg.origin
        for leg in row.money
        if leg.role in EARNINGS and leg.origin not in _OF_LOTS
    }
    for kind, row in KINDS.items()
}
_EARNING = frozenset(kind for kind, legs in _BESIDES.items() if legs)
_new = tuple.__new__
# the kinds whose legs of money follow from what their lots carry
_CARRYING = frozenset(
    kind
    for kind, row in KINDS.items()
    if any(leg.origin in (*_OF_LOTS, LegOrigin.FIRST) for leg in row.money)
)


class MoneyFacts(NamedTuple):
    """What the money of transactions means, in the order of the books."""

    earned: tuple[Income, ...]  # besides what lots earned, where `Books.lots_earn`; else all
    trades: tuple[Trade, ...]
    read_owed: Callable[[], tuple[Owed, ...]]  # which most reports never need


class Meant(NamedTuple):
    """A transaction with its movements and legs of money."""

    at: int
    entry: Transaction
    month: str
    kind: str  # what it books, or undoes
    undoes: bool
    moved: Sequence[Movement]
    legs: list[MoneyLeg]


def read_money(transactions: Sequence[Transaction], units: Units, meaning: Meaning) -> MoneyFacts:
    """What the money of transactions means whose units were read."""
    reader = _MoneyReader(transactions, units, meaning)
    with localcontext(WIDE):
        for unread in units.unread:
            if unread.kind in _EARNING:
                reader.read(unread)

    @cache
    def owed() -> tuple[Owed, ...]:
        others = _MoneyReader(transactions, units, meaning)
        with localcontext(WIDE), no_cyclic_garbage():
            for unread in units.unread:
                if unread.kind not in _EARNING:
                    others.read(unread)
        return tuple(sorted([*reader.owed, *others.owed], key=attrgetter("at")))

    return MoneyFacts(tuple(reader.incomes), tuple(reader.trades), owed)


def earned_by_lots(movements: Iterable[Movement]) -> Iterator[Income]:
    """What was recognised as lots were used or lapsed: their carrying amount.

    Use that was undone on the same day was recognised too, though nothing is left of it.
    """
    for each in movements:
        flow, lot, amount, at = each.flow, each.lot, each.amount, each.at
        if flow in EARNED_BY_LOTS and lot.cost and (amount or at == SUMMED):
            earning, kind = EARNED_BY_LOTS[flow]
            # fmt: off
            yield _new(Income, (
                each.date, each.month, earning, each.subscriber, each.origin, each.currency,
                -amount, lot, at, each.undoes, kind,
            ))
            # fmt: on


class _MoneyReader:
    """Reads transactions into incomes, trades and what is owed; its sums need `WIDE`."""

    def __init__(self, transactions: Sequence[Transaction], units: Units, meaning: Meaning) -> None:
        self.incomes: list[Income] = []
        self.trades: list[Trade] = []
        self.owed: list[Owed] = []
        self._transactions = transactions
        self._movements = units.movements
        self._meaning = meaning

    def read(self, unread: Unread) -> None:
        """Add what the money of a transaction means, beyond what its lots earned."""
        at, month, kind, undoes, first, end = unread
        entry = self._transactions[at]
        if kind in _WRITTEN:
            for account, role, party, number, currency in self._meaning.owed_by_hand(entry):
                line = (entry.date, month, role, party, number, currency, BY_HAND, at, account, "")
                self.owed.append(_new(Owed, line))
            return
        moved = self._movements[first:end]
        carried = lapsed = _NOTHING
        if kind in _CARRYING:
            carried = _carried(each for each in moved if each.flow is not _EXPIRED)
            lapsed = _carried(each for each in moved if each.flow is _EXPIRED)
        legs = self._meaning.money(entry, kind, carried, lapsed)
        day, owed = entry.date, self.owed
        for account, (role, holder, origin, number, currency) in legs:
            if role in OWED:
                party = origin if role is _PARTNER else holder
                plan = origin if role is _RECEIVABLE else ""
                line = (day, month, role, party, number, currency, kind, at, account, plan)
                owed.append(_new(Owed, line))
        if not _BESIDES[kind]:
            return
        of_money = [leg for _, leg in legs]
        meant = _new(Meant, (at, entry, month, kind, undoes, moved, of_money))
        if kind == _TRADE:
            self._trade(meant)
        elif kind == _SPEND:
            self._spend(meant)
        else:
            self._besides(meant)

    def _besides(self, meant: Meant) -> None:
        """Income besides what the lots earned: of one plan, and of the first lot where it is one's.

        So is overage (also within the posting of the use), and what the rounding of a refund
        leaves.
        """
        roles = _BESIDES[meant.kind]
        for leg in meant.legs:
            origin = roles.get(leg.role)
            if origin is not None:
                lots = (each.lot for each in meant.moved if each.currency == leg.currency)
                lot = next(lots, None) if origin is LegOrigin.FIRST else None
                earning, number = EARNINGS[leg.role], -leg.number
                self._income(meant, earning, leg.holder, leg.origin, leg.currency, number, lot)

    def _trade(self, meant: Meant) -> None:
        """The trade, and its fees by lot; none where a frozen one was edited until it is none."""
        entry = meant.entry
        sold = [each for each in meant.moved if each.flow is _SOLD]
        bought = [each for each in meant.moved if each.flow is _BOUGHT]
        price = price_of(entry)
        if price is None or not (sold and bought):
            return
        lots = tuple([(each.lot, -each.units) for each in sold])
        weights = [number for _, number in lots]
        units = sum(weights, ZERO)
        seller, buyer = sold[0].subscriber, bought[0].subscriber
        fees, fees_role = {seller: ZERO, buyer: ZERO}, Role.FEES
        for leg in meant.legs:
            if leg.role is fees_role:
                fees[leg.holder] = fees.get(leg.holder, ZERO) - leg.number
        number, currency = price
        # fmt: off
        self.trades.append(_new(Trade, (
            entry.date, meant.month, seller, buyer, sold[0].commodity, units, number, currency,
            multiply_money(units, number, currency), fees[seller], fees[buyer], lots,
            -1 if meant.undoes else 1, meant.at,
        )))
        # fmt: on
        for payer, fee in fees.items():
            shares = shares_of_total(fee, weights, minor_unit(currency))
            for (lot, _), share in zip(lots, shares, strict=True):
                self._income(meant, _FEES, payer, lot.origin, currency, share, lot)

    def _spend(self, meant: Meant) -> None:
        """Partner income: each lot's carrying amount less its share, by units, of the settlement.

        A settlement in a currency in which none of the lots costs anything falls on the first.
        """
        spent = [each for each in meant.moved if each.flow is not _EXPIRED]
        for leg in meant.legs:
            if leg.role is not _PARTNER:
                continue
            bearing = [each for each in spent if each.currency == leg.currency] or spent[:1]
            weights = [each.units for each in bearing]
            shares = shares_of_total(leg.number, weights, minor_unit(leg.currency))
            for each, share in zip(bearing, shares, strict=True):
                self._income_of(meant, Earning.PARTNER_INCOME, each, leg.currency, share)
        for each in spent:
            self._income_of(meant, Earning.PARTNER_INCOME, each, each.currency, -each.amount)

    def _income_of(
        self, meant: Meant, earning: Earning, moved: Movement, currency: str, amount: Decimal
    ) -> None:
        self._income(meant, earning, moved.subscriber, moved.origin, currency, amount, moved.lot)

    def _income(
        self,
        meant: Meant,
        earning: Earning,
        subscriber: str,
        origin: str,
        currency: str,
        amount: Decimal,
        lot: LotKey | None,
    ) -> None:
        if amount:
            # fmt: off
            self.incomes.append(_new(Income, (
                meant.entry.date, meant.month, earning, subscriber, origin, currency, amount, lot,
                meant.at, meant.undoes, meant.kind,
            )))
            # fmt: on


def _carried(moved: Iterable[Movement]) -> dict[tuple[str, str], Decimal]:
    """The cost that left lots, by origin and currency."""
    found: dict[tuple[str, str], Decimal] = {}
    for each in moved:
        key = (each.origin, each.currency)
        found[key] = found[key] - each.amount if key in found else -each.amount
    return found
