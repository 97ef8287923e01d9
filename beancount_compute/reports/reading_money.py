"""What the money of a booked transaction means: income, trades, and what is owed.

    2026-06-10 * "alice" "Trade with bob" #compute-trade
      Liabilities:DeferredRevenue:Tokens:Alice    500 CU {0.20 USD, 2026-05-01, ...} @ 0.25 USD
      Liabilities:DeferredRevenue:Tokens:Bob     -500 CU {0.20 USD, 2026-05-01, ...} @ 0.25 USD
      Assets:Receivable:Bob                    125.00 USD
      Liabilities:Payable:Alice               -118.75 USD
      Income:Fees                               -6.25 USD

becomes one trade of 125.00 gross, one income (fees, paid by alice, 6.25), a receivable of bob and a
payable of alice.

Accounts may be renamed, pooled or shared by several roles. So what a posting means follows from the
transaction's kind, in which each root account has one use: revenue and breakage are the carrying
amounts of the lots, money under the assets is receivable, money under the liabilities is payable
or the partner's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal, localcontext
from typing import NamedTuple

from beancount.core.amount import Amount
from beancount.core.data import Transaction

from beancount_compute.economy.kinds import Flow, Kind
from beancount_compute.economy.roles import Earning, Role
from beancount_compute.economy.rounding import WIDE, ZERO, minor_unit, shares_of_total
from beancount_compute.economy.terms import Terms
from beancount_compute.ledger.accounts import Accounts
from beancount_compute.reports.facts import SUMMED, Income, LotKey, Movement, Owed, Trade
from beancount_compute.reports.fees import at_price, without_price
from beancount_compute.reports.reading import BY_HAND, OPENING, Units
from beancount_compute.reports.running import Running

# To name a member of an enum takes longer than to compare it.
_SOLD, _BOUGHT, _FEES = Flow.TRADED_OUT, Flow.TRADED_IN, Earning.FEES
_RECEIVABLE, _PAYABLE = Role.RECEIVABLE, Role.PAYABLE
_EARNED = {
    Flow.USED: (Earning.COMPUTE, Kind.CONSUMPTION),
    Flow.EXPIRED: (Earning.BREAKAGE, Kind.EXPIRY),
}
_new = tuple.__new__
Posted = tuple[str, Decimal, str]  # account, number, currency


class Money(NamedTuple):
    """What the money of transactions means, in the order of the books."""

    earned: tuple[Income, ...]  # besides what lots earned, where `Books.lots_earn`; else all
    trades: tuple[Trade, ...]
    owed: tuple[Owed, ...]


class Seen(NamedTuple):
    """A transaction, and its postings on pockets apart from the others."""

    at: int
    entry: Transaction
    month: str
    kind: str  # what it books, or undoes
    undoes: bool
    moved: Sequence[Movement]
    posted: list[Posted]
    assets: list[Posted]  # of these, and so are the liabilities
    liabilities: list[Posted]


def read_money(
    transactions: Sequence[Transaction],
    units: Units,
    accounts: Accounts,
    terms: Terms,
    names: dict[str, str],
) -> Money:
    """What the money of transactions means whose units were read; `names` as there."""
    reader = _Reader(accounts, terms, names)
    with localcontext(WIDE):
        for seen in _seen(transactions, units, accounts):
            reader.read(seen)
    return Money(tuple(reader.incomes), tuple(reader.trades), tuple(reader.owed))


def _seen(transactions: Sequence[Transaction], units: Units, accounts: Accounts) -> Iterator[Seen]:
    assets, liabilities = accounts.roots.assets + ":", accounts.roots.liabilities + ":"
    others = units.other_accounts
    owned = frozenset([account for account in others if account.startswith(assets)])
    due = frozenset([account for account in others if account.startswith(liabilities)])
    movements = units.movements
    for at, month, kind, undoes, first, end in units.unread:
        entry = transactions[at]
        posted: list[Posted] = []
        on_assets: list[Posted] = []
        on_liabilities: list[Posted] = []
        for account, amount, _, _, _, _ in entry.postings:
            if account not in others or amount.__class__ is not Amount:
                continue
            number, currency = amount
            if number.__class__ is not Decimal:
                continue  # an error of Beancount's booking, which it has reported
            line = (account, number, currency)
            posted.append(line)
            if account in owned:
                on_assets.append(line)
            elif account in due:
                on_liabilities.append(line)
        # fmt: off
        yield _new(Seen, (
            at, entry, month, kind, undoes, movements[first:end], posted, on_assets,
            on_liabilities,
        ))
        # fmt: on


def earned_by_lots(movements: Iterable[Movement]) -> Iterator[Income]:
    """What was recognised as lots were used or lapsed: their carrying amount.

    Use that was undone on the same day was recognised too, though nothing is left of it.
    """
    for day, month, flow, who, _, origin, _, _, currency, amount, lot, _, at, undoes in movements:
        if lot.cost and flow in _EARNED and (amount or at == SUMMED):
            earning, kind = _EARNED[flow]
            # fmt: off
            yield _new(Income, (
                day, month, earning, who, origin, currency, -amount, lot, at, undoes, kind,
            ))
            # fmt: on


class _Reader:
    """Reads transactions into incomes, trades and what is owed; its sums need `WIDE`."""

    def __init__(self, accounts: Accounts, terms: Terms, names: dict[str, str]) -> None:
        self.incomes: list[Income] = []
        self.trades: list[Trade] = []
        self.owed: list[Owed] = []
        self._accounts = accounts
        self._terms = terms
        self._names = names
        self._known = set(names.values())
        self._trade_of: dict[str, Trade] = {}  # by event id, for reversals
        self._running = Running(terms)
        self._rules: dict[str, Callable[[Seen], None]] = {
            Kind.ALLOCATION: self._allocation,
            Kind.CONSUMPTION: self._consumption,
            Kind.TRADE: self._trade,
            Kind.SPEND: self._spend,
            Kind.REFUND: self._refund,
            BY_HAND: self._by_hand,
            OPENING: self._by_hand,
        }

    def read(self, seen: Seen) -> None:
        """Add what the money of a transaction means, beyond what its lots earned.

        Grants, mints and transfers move none.
        """
        rule = self._rules.get(seen.kind)
        if rule is not None:
            rule(seen)

    def _allocation(self, seen: Seen) -> None:
        self._owe(seen, seen.assets, _RECEIVABLE, seen.entry.payee)
        if not seen.undoes:
            self._running.allocated(seen.entry)

    def _consumption(self, seen: Seen) -> None:
        """Overage: a receivable, and an income of its own or within that of the use."""
        name, day = seen.entry.payee or "", seen.entry.date
        self._owe(seen, seen.assets, _RECEIVABLE, name)
        for _, number, currency in seen.assets:
            origin = self._running.overage_plan(name, day, currency)
            self._income(seen, Earning.OVERAGE, name, origin, currency, number, None)

    def _trade(self, seen: Seen) -> None:
        meta, undoes = seen.entry.meta, seen.undoes
        trade = self._trade_of.get(meta.get("reverses", "")) if undoes else None
        made = _undone(trade, seen) if trade is not None else self._new_trade(seen)
        if made is None:
            return
        if not undoes:
            self._trade_of[meta.get("event", "")] = made
        self.trades.append(made)
        self._owe(seen, seen.assets, _RECEIVABLE, made.buyer)
        self._owe(seen, seen.liabilities, _PAYABLE, made.seller)
        weights, currency = [units for _, units in made.lots], made.currency
        for payer, fee in ((made.seller, made.seller_fee), (made.buyer, made.buyer_fee)):
            shares = shares_of_total(fee, weights, minor_unit(currency))
            for (lot, _), share in zip(made.lots, shares, strict=True):
                self._income(seen, _FEES, payer, lot.origin, currency, share, lot)

    def _new_trade(self, seen: Seen) -> Trade | None:
        """The trade; None where a frozen transaction was edited until it is none."""
        day, sign = seen.entry.date, -1 if seen.undoes else 1
        sold = [each for each in seen.moved if each.flow is _SOLD]
        bought = [each for each in seen.moved if each.flow is _BOUGHT]
        if not (sold and bought and seen.assets):
            return None
        lots = tuple([(each.lot, -each.units) for each in sold])
        units = sum([number for _, number in lots], ZERO)
        _, by_buyer, currency = seen.assets[0]
        to_seller = -sum([number for _, number, _ in seen.liabilities], ZERO)
        priced = (each.price for each in seen.entry.postings if each.price is not None)
        price = next(priced, None)
        if price is not None and price.number is not None:
            money = at_price(units, price.number, currency)
        else:
            agreed = seen.entry.meta.get("occurred", day)  # late: the terms of its own day
            paid = (by_buyer * sign, to_seller * sign)
            money = without_price(units * sign, *paid, currency, self._terms, agreed)
            money = money._replace(gross=money.gross * sign)
        gross = money.gross
        return Trade(
            date=day,
            month=seen.month,
            seller=sold[0].subscriber,
            buyer=bought[0].subscriber,
            commodity=sold[0].commodity,
            units=units,
            price=money.price,
            currency=currency,
            gross=gross,
            seller_fee=gross - to_seller,
            buyer_fee=by_buyer - gross,
            lots=lots,
            times=sign,
            at=seen.at,
        )

    def _spend(self, seen: Seen) -> None:
        """Partner income: each lot's carrying amount less its share, by units, of the settlement.

        A settlement in a currency in which none of the lots costs anything falls on the first.
        """
        prefix = "Reversal of Spend with " if seen.undoes else "Spend with "
        partner = (seen.entry.narration or "").removeprefix(prefix)
        self._owe(seen, seen.liabilities, Role.PARTNER, partner)
        for _, number, currency in seen.liabilities:
            bearing = [each for each in seen.moved if each.currency == currency]
            bearing = bearing or list(seen.moved[:1])
            weights = [each.units for each in bearing]
            shares = shares_of_total(number, weights, minor_unit(currency))
            for each, share in zip(bearing, shares, strict=True):
                self._income_of(seen, Earning.PARTNER_INCOME, each, currency, share)
        for each in seen.moved:
            self._income_of(seen, Earning.PARTNER_INCOME, each, each.currency, -each.amount)

    def _refund(self, seen: Seen) -> None:
        """What the rounding of a refund leaves is revenue of the first lot of its currency."""
        self._owe(seen, seen.liabilities, _PAYABLE, seen.entry.payee)
        for line in seen.posted:
            if line not in seen.liabilities:
                _, number, currency = line
                for first in [each for each in seen.moved if each.currency == currency][:1]:
                    self._income_of(seen, Earning.COMPUTE, first, currency, -number)

    def _by_hand(self, seen: Seen) -> None:
        """Payments, payouts and whatever else people write on what is owed."""
        payee = seen.entry.payee or ""
        for account, number, currency in seen.posted:
            owed = self._accounts.owed_account(account)
            if owed is None or (owed.subscriber and owed.subscriber not in self._names):
                continue  # a template such as Assets:{subscriber} fits other accounts too
            if owed.role is Role.PARTNER:
                party = owed.partner or payee
            elif owed.subscriber:
                party = self._names[owed.subscriber]
            else:
                party = payee if payee in self._known else ""
            line = (seen.entry.date, seen.month, owed.role, party, number, currency)
            self.owed.append(Owed(*line, BY_HAND, seen.at, account))

    def _owe(self, seen: Seen, lines: list[Posted], role: Role, party: str | None) -> None:
        at, entry, month, kind, *_ = seen
        for account, number, currency in lines:
            line = (entry.date, month, role, party or "", number, currency, kind, at, account)
            self.owed.append(_new(Owed, line))

    def _income_of(
        self, seen: Seen, earning: Earning, moved: Movement, currency: str, amount: Decimal
    ) -> None:
        self._income(seen, earning, moved.subscriber, moved.origin, currency, amount, moved.lot)

    def _income(
        self,
        seen: Seen,
        earning: Earning,
        subscriber: str,
        origin: str,
        currency: str,
        amount: Decimal,
        lot: LotKey | None,
    ) -> None:
        if amount:
            at, entry, month, kind, undoes, *_ = seen
            # fmt: off
            self.incomes.append(_new(Income, (
                entry.date, month, earning, subscriber, origin, currency, amount, lot, at, undoes,
                kind,
            )))
            # fmt: on


def _undone(trade: Trade, seen: Seen) -> Trade:
    """A trade, the other way round, on the day of its reversal."""
    return trade._replace(
        date=seen.entry.date,
        month=seen.month,
        units=-trade.units,
        gross=-trade.gross,
        seller_fee=-trade.seller_fee,
        buyer_fee=-trade.buyer_fee,
        lots=tuple([(lot, -units) for lot, units in trade.lots]),
        times=-trade.times,
        at=seen.at,
    )
