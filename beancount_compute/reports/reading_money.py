"""What the money of a booked transaction means: income, trades, and what is owed.

    2026-06-10 * "alice" "Trade with bob" #compute-trade
      Liabilities:DeferredRevenue:Tokens:Alice    500 CU {0.20 USD, 2026-05-01, ...} @ 0.25 USD
      Liabilities:DeferredRevenue:Tokens:Bob     -500 CU {0.20 USD, 2026-05-01, ...} @ 0.25 USD
      Assets:Receivable:Bob                    125.00 USD
      Liabilities:Payable:Alice               -118.75 USD
      Income:Fees                               -6.25 USD

becomes one trade of 125.00 gross, one income (fees, paid by alice, 6.25), a receivable of bob and a
payable of alice.

What a posting means is read by `ledger/meaning.py`; here its legs become facts. Those that belong
to several lots are shared out among them by `economy/earned_besides.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal, localcontext
from functools import cache
from operator import attrgetter
from typing import NamedTuple

from beancount.core.data import Transaction

from beancount_compute.collector import no_cyclic_garbage
from beancount_compute.economy import (
    BESIDES,
    EARNED_BY_LOTS,
    KINDS,
    LOST,
    OF_LOTS,
    OWED,
    WIDE,
    Flow,
    Kind,
    LegOrigin,
    Role,
    SoldLots,
    earned_besides,
    sale_of,
)
from beancount_compute.ledger import BY_HAND, OPENING, Meaning, named_amounts, price_of
from beancount_compute.reports.facts import SUMMED, Income, Lost, Movement, Owed, Trade
from beancount_compute.reports.reading import Units, Unread

# To name a member of an enum takes longer than to compare it.
_EXPIRED = Flow.EXPIRED
_NOTHING: dict[tuple[str, str], Decimal] = {}
_PARTNER, _OF_PLAN = Role.PARTNER, (Role.RECEIVABLE, Role.UNBILLED)
_TRADE, _WRITTEN = Kind.TRADE, (BY_HAND, OPENING)
_EARNING = frozenset(kind for kind, legs in BESIDES.items() if legs)
_new = tuple.__new__
# the kinds whose legs of money follow from what their lots carry
_CARRYING = frozenset(
    kind
    for kind, row in KINDS.items()
    if any(leg.origin in (*OF_LOTS, LegOrigin.FIRST, LegOrigin.TO_PLAN) for leg in row.money)
)


class MoneyFacts(NamedTuple):
    """What the money of transactions means, in the order of the books."""

    earned: tuple[Income, ...]  # besides what lots earned, where `Books.lots_earn`; else all
    trades: tuple[Trade, ...]
    read_owed: Callable[[], tuple[Owed, ...]]  # which most reports never need
    read_lost: Callable[[], tuple[Lost, ...]] = tuple  # likewise


def read_money(transactions: Sequence[Transaction], units: Units, meaning: Meaning) -> MoneyFacts:
    """What the money of transactions means whose units were read."""
    reader = _MoneyReader(transactions, units, meaning)
    with localcontext(WIDE):
        for unread in units.unread:
            if unread.kind in _EARNING:
                reader.read(unread)

    @cache
    def others() -> _MoneyReader:
        found = _MoneyReader(transactions, units, meaning)
        with localcontext(WIDE), no_cyclic_garbage():
            for unread in units.unread:
                if unread.kind not in _EARNING:
                    found.read(unread)
        return found

    @cache
    def owed() -> tuple[Owed, ...]:
        return tuple(sorted([*reader.owed, *others().owed], key=attrgetter("at")))

    @cache
    def lost() -> tuple[Lost, ...]:
        return tuple(sorted([*reader.lost, *others().lost], key=attrgetter("at")))

    return MoneyFacts(tuple(reader.incomes), tuple(reader.trades), owed, lost)


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
        self.lost: list[Lost] = []
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
                plan = origin if role in _OF_PLAN else ""
                line = (day, month, role, party, number, currency, kind, at, account, plan)
                owed.append(_new(Owed, line))
            elif role in LOST:
                plan = next((name for name, _, _ in named_amounts(entry.meta.get("back"))), "")
                self.lost.append(Lost(day, month, role, holder, plan, number, currency, at))
        if not BESIDES[kind]:
            return
        of_money = [leg for _, leg in legs]
        sale = None
        if kind == _TRADE:
            sale = sale_of(moved, of_money, price_of(entry))
            if sale is not None:
                self._trade(unread, day, sale)
        for earned in earned_besides(kind, moved, of_money, sale):
            earning, subscriber, origin, currency, amount, lot = earned
            if amount:
                # fmt: off
                self.incomes.append(_new(Income, (
                    day, month, earning, subscriber, origin, currency, amount, lot, at, undoes,
                    kind,
                )))
                # fmt: on

    def _trade(self, unread: Unread, day: date, sale: SoldLots) -> None:
        at, month, _, undoes, _, _ = unread
        seller, buyer, commodity, units, price, currency, gross, fees, lots, _ = sale
        # fmt: off
        self.trades.append(_new(Trade, (
            day, month, seller, buyer, commodity, units, price, currency, gross, fees[seller],
            fees[buyer], lots, -1 if undoes else 1, at, None,
        )))
        # fmt: on


def _carried(moved: Iterable[Movement]) -> dict[tuple[str, str], Decimal]:
    """The cost that left lots, by origin and currency."""
    found: dict[tuple[str, str], Decimal] = {}
    for each in moved:
        key = (each.origin, each.currency)
        found[key] = found[key] - each.amount if key in found else -each.amount
    return found
