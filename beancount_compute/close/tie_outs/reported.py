"""What reports say beside what is posted on the accounts: what is owed, income, prices.

receivables: by reports, as they read the month's bookings              1,025.00
             postings of the plugin on those accounts                   1,025.00
             payments and other hand entries                             -900.00
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from operator import attrgetter

from beancount.core.data import Transaction

from beancount_compute.close.tie_outs.postings import place_of_entry, units_of
from beancount_compute.close.tie_outs.tie_out import TieOut, count, figure, of_money
from beancount_compute.economy import (
    OWED,
    ROLE_OF_EARNING,
    ROLES,
    ZERO,
    Earning,
    Event,
    Kind,
    Role,
    Root,
    average_price,
    is_access,
)
from beancount_compute.ledger import ORDER, is_of_provider, named_amounts
from beancount_compute.reports import Books, grouped, not_in_opening, since

_OVERAGE, _SHORTFALLS = "revenue from overage", "breakage of minimums"
_TAKEN_BACK = "revenue taken back by refunds and disputes"
INCOME, UNKNOWN = "income", "on no account of the reports"
LOST = "bad debt, losses and recoveries"
_RELEASED = (Earning.COMPUTE, Earning.BREAKAGE, Earning.PARTNER_INCOME)
AccountCurrency = tuple[str, str]  # an account, and a currency
OnAccounts = defaultdict[AccountCurrency, Decimal]  # a debit is above zero


class Reported:
    """The money of a month, as reports and as the accounts say; its sums need `WIDE`."""

    def __init__(self, books: Books, first: date, transactions: Iterable[Transaction]) -> None:
        self._books, self._first = books, first
        self._account = cache(books.accounts.account)
        self._entries = [
            entry for entry in transactions if ORDER in entry.meta and not is_of_provider(entry)
        ]
        self.headings: dict[str, str] = {}  # of the accounts that reports know
        self.reported = OnAccounts(Decimal)
        for key, number, _ in self._by_reports():
            self.reported[key] += number
        self.posted = OnAccounts(Decimal)
        for entry in self._entries:
            for key, number in self._by_accounts(entry):
                self.posted[key] += number

    def _by_reports(self) -> Iterator[tuple[AccountCurrency, Decimal, int]]:
        """What is owed and earned, with the places of the transactions."""
        for owed in since(self._books.owed, self._first):
            if owed.kind and owed.role is not Role.PROVIDER:  # `stock.py` tells of these
                self.headings[owed.account] = OWED[owed.role]
                yield (owed.account, owed.currency), owed.amount, owed.at
        for income in since(self._books.incomes, self._first):
            role = ROLE_OF_EARNING[income.earning]
            account = self._account(role, income.subscriber, income.origin)
            self.headings[account] = INCOME
            yield (account, income.currency), -income.amount, income.at
        yield from self._lost()

    def _lost(self) -> Iterator[tuple[AccountCurrency, Decimal, int]]:
        """Losses and recoveries as they are told, and as bad debt what else goes back."""
        at_of = self._books.place_of
        entries = {at_of[id(entry)]: entry for entry in self._entries if "back" in entry.meta}
        rest: defaultdict[tuple[int, str], Decimal] = defaultdict(Decimal)
        for moved in since(self._books.movements, self._first):
            if moved.at in entries:
                rest[moved.at, moved.currency] += moved.amount
        for income in since(self._books.incomes, self._first):
            if income.at in entries and income.lot is None:
                rest[income.at, income.currency] += income.amount
        for owed in since(self._books.owed, self._first):
            if owed.at in entries:
                rest[owed.at, owed.currency] -= owed.amount
        for (at, currency), number in rest.items():
            (origin, *_), meta = next(named_amounts(entries[at].meta["back"])), entries[at].meta
            for role, sign in ((Role.LOSSES, 1), (Role.RECOVERIES, -1)):
                told = meta.get(role.value)
                if told is not None:
                    number -= sign * told.number
                    yield self._on_loss(role, entries[at], origin, currency), sign * told.number, at
            if number:
                account = self._on_loss(Role.BAD_DEBT, entries[at], origin, currency)
                yield account, number, at

    def _on_loss(
        self, role: Role, entry: Transaction, origin: str, currency: str
    ) -> AccountCurrency:
        account = self._account(role, entry.payee or "", origin)
        self.headings[account] = LOST
        return account, currency

    def _by_accounts(self, entry: Transaction) -> Iterator[tuple[AccountCurrency, Decimal]]:
        for posting in entry.postings:
            if self._books.accounts.pocket_account(posting.account) is None:
                number, currency = units_of(posting)
                yield (posting.account, currency), number

    def ties(self, heading: str, sign: int) -> Iterator[TieOut]:
        """The accounts of a heading together, and each of them that differs."""
        found: defaultdict[str, list[AccountCurrency]] = defaultdict(list)  # by currency
        for key in sorted(self.reported.keys() | self.posted.keys()):
            if self.headings.get(key[0], UNKNOWN) == heading:
                found[key[1]].append(key)
        for _, keys in sorted(found.items()):
            lines = {key: self._lines(key) for key in keys if self._differs(key)}
            named = "account" if len(keys) == 1 else "accounts"
            posted = f"postings on {len(keys):,} {named}"
            everyone = [line for at in lines.values() for line in at]
            if heading != UNKNOWN:
                yield self._compared(heading, keys, sign, posted, everyone)
            for key, at in lines.items() if len(keys) > 1 or heading == UNKNOWN else ():
                yield self._compared(f"{heading}: {key[0]}", [key], sign, "postings", at)

    def _compared(
        self, name: str, keys: list[AccountCurrency], sign: int, posted: str, lines: Iterable[str]
    ) -> TieOut:
        left, right = (
            sign * sum([sums[key] for key in keys], ZERO) for sums in (self.reported, self.posted)
        )
        return of_money(name, keys[0][1], ("reports", left), (posted, right), lines)

    def _differs(self, key: AccountCurrency) -> bool:
        return self.reported[key] != self.posted[key]

    def _lines(self, key: AccountCurrency) -> list[str]:
        """The transactions whose postings on an account are not what reports say."""
        reported: defaultdict[int, Decimal] = defaultdict(Decimal)
        for each, number, at in self._by_reports():
            if each == key:
                reported[at] += number
        found: list[str] = []
        for entry in self._entries:
            posted = sum([number for each, number in self._by_accounts(entry) if each == key], ZERO)
            if posted != reported[self._books.place_of[id(entry)]]:
                found.append(place_of_entry(entry))
        return found


def owed(books: Books, month: Reported, first: date) -> Iterator[TieOut]:
    """Receivables and payables: what reports say = what was booked; then payments by hand."""
    by_hand: defaultdict[tuple[Role, str], Decimal] = defaultdict(Decimal)
    for each in since(books.owed, first):
        if not each.kind:
            by_hand[each.role, each.currency] += each.amount
    for role, heading in OWED.items():
        sign = 1 if ROLES[role].root is Root.ASSETS else -1
        yield from month.ties(heading, sign)
        for (of_role, currency), amount in sorted(by_hand.items()):
            if of_role is role and amount:
                yield figure(f"{heading}, payments by hand", currency, sign * amount)


def income(books: Books, month: Reported, first: date) -> Iterator[TieOut]:
    """Income: what reports say = what was booked; shown beside it, where the revenue comes from.

    606-10-50-8(b) asks for it: lots that were open when the month began, and later ones. Fees are
    no part of it; overage and what is left of minimums come from no lot.
    """
    yield from _fees(books, first)
    sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    young = not_in_opening(books, first)
    for each in since(books.incomes, first):
        if each.earning in (Earning.REFUNDS, Earning.DISPUTES):
            sums[_TAKEN_BACK, each.currency] += each.amount
        elif each.lot is None:
            name = _SHORTFALLS if each.earning is Earning.BREAKAGE else _OVERAGE
            sums[name, each.currency] += each.amount
        elif each.earning in _RELEASED:
            earlier = each.lot.date < first and each.lot not in young
            name = "revenue from opening balance" if earlier else "revenue from this month"
            sums[name, each.currency] += each.amount
    opening, added = "revenue from opening balance", "revenue from this month"
    for name in (opening, added, _OVERAGE, _SHORTFALLS, _TAKEN_BACK):
        for currency in sorted({currency for of, currency in sums if of == name}):
            yield figure(name, currency, sums[name, currency])
    yield from month.ties(INCOME, -1)
    yield from month.ties(LOST, 1)
    yield from month.ties(UNKNOWN, 1)


def _fees(books: Books, first: date) -> Iterator[TieOut]:
    """Fees = what trades leave with the operator: owed by buyers, less what is owed to sellers."""
    left: defaultdict[str, Decimal] = defaultdict(Decimal)
    right: defaultdict[str, Decimal] = defaultdict(Decimal)
    places: defaultdict[int, Decimal] = defaultdict(Decimal)
    for each in since(books.owed, first):
        if each.kind == Kind.TRADE:
            left[each.currency] += each.amount
            places[each.at] += each.amount
    for fee in since(books.incomes, first):
        if fee.earning is Earning.FEES:
            right[fee.currency] += fee.amount
            places[fee.at] -= fee.amount
    lines = [place_of_entry(books.transactions[at]) for at, number in places.items() if number]
    for currency in sorted(left.keys() | right.keys()):
        sides = ("receivables less payables", left[currency]), ("fees", right[currency])
        yield of_money("fees = sum over trades", currency, *sides, lines)


def prices(books: Books, first: date, events: Iterable[Event]) -> Iterator[TieOut]:
    """The price of a day = the average of its trades; one that the ledger gives is shown beside."""
    trades: defaultdict[tuple[date, str, str], list[tuple[Decimal, Decimal]]] = defaultdict(list)
    for event in events:
        if event.kind is Kind.TRADE and event.price is not None and event.units is not None:
            day = max(event.date, first)  # a late one counts on the first open day
            trades[day, event.commodity, event.currency].append((event.price, event.units))
    of_units = [each for each in since(books.prices, first) if not is_access(each.commodity)]
    given = grouped(of_units, attrgetter("date", "commodity", "currency"))
    bad: list[str] = []
    shown: list[TieOut] = []
    for key, of_day in sorted(trades.items()):
        day, commodity, currency = key
        name, average = f"{commodity} on {day}", average_price(of_day, currency)
        own = [price for price in given[key] if price.own]
        found = given[key][0].number if given[key] else ZERO
        if own:
            sides = (("average of the trades", average), ("the ledger's own price", own[0].number))
            shown.append(of_money(name, currency, *sides, informational=True))
        elif found != average or len(given[key]) != 1:
            bad.append(name)
            sides = (("average of the trades", average), ("price directive", found))
            shown.append(of_money(name, currency, *sides))
    derived = [key for key, of_day in given.items() if not all(price.own for price in of_day)]
    for day, commodity, _ in sorted(key for key in derived if key not in trades):
        bad.append(f"{commodity} on {day}: no trade")
    days = len(trades.keys() | derived)
    yield count("prices = average of trades", "days", "tie", days, bad)
    yield from shown
