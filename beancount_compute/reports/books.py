"""One reading of a loaded ledger, made once and folded by every report.

    books = read_books(entries, options_map)
    [each.units for each in books.movements if each.flow is Flow.USED]

Everything stands in the order of the books: by day, and within a day opening lots, then what the
engine booked, then what people wrote. Fava's filters cut earlier history off: always read the
unfiltered ledger, and select with `Selection`.
"""

from __future__ import annotations

import os
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from functools import cache, cached_property, partial
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

from beancount.core.data import Custom, Directive, Price, Transaction

from beancount_compute.collector import no_cyclic_garbage
from beancount_compute.economy import (
    GIVING_BACK,
    OWED_TO_OTHERS,
    WIDE,
    Earning,
    Flow,
    Kind,
    Month,
    Pocket,
    Terms,
)
from beancount_compute.ledger import (
    OPENING_TAG,
    ORDER,
    Accounts,
    Meaning,
    names_in,
    read_terms_and_accounts,
)
from beancount_compute.reports.facts import (
    SUMMED,
    DatedPrice,
    Income,
    Lost,
    Movement,
    Owed,
    Reopened,
    Trade,
)
from beancount_compute.reports.fold import fold, grouped
from beancount_compute.reports.metered_uses import ListedUse, metered_uses
from beancount_compute.reports.periods import PaidPeriod, read_periods
from beancount_compute.reports.provider_entries import (
    AccrualOpened,
    ProviderEntry,
    accruals_opened,
    provider_entries,
)
from beancount_compute.reports.reading import Units, read_units
from beancount_compute.reports.reading_money import MoneyFacts, earned_by_lots, read_money
from beancount_compute.reports.reading_served import read_served
from beancount_compute.reports.served_facts import (
    BillShares,
    IncomeOfMeter,
    ServedUnits,
    ServingFacts,
)
from beancount_compute.reports.sharing_bills import share_bills

REOPEN = "compute-reopen"
LATE, REVERSAL = "compute-late", f"compute-{Kind.REVERSAL}"
_by_date, _by_place = attrgetter("date"), attrgetter("at")
_subscriber = attrgetter("subscriber")
Dated = TypeVar("Dated", Movement, Income, Trade, Owed, Lost, DatedPrice)


class NotInBulk(Exception):
    """What months that were booked in bulk don't tell; says what to ask instead."""


class CostsOfMonths(NamedTuple):
    """What months in bulk say of meters, providers and capacity, added up by day."""

    served: tuple[ServedUnits, ...]
    uses: tuple[ListedUse, ...]
    entries: tuple[ProviderEntry, ...]
    incomes: tuple[IncomeOfMeter, ...]  # what changes those of which no meter is told


class BulkMonths(NamedTuple):
    """The months whose facts were added up by day, when `bean-compute bulk` booked them."""

    first: date
    last: date
    own: Books  # the ledger without them
    lots_at: Callable[[date], tuple[Movement, ...]]  # open lots at their cost; or `NotInBulk`
    costs: Callable[[], CostsOfMonths]
    subscribers: int  # known at their end

    @property
    def names(self) -> str:
        """The first and the last of them: "2026-05 to 2026-07"."""
        first, last = Month.of(self.first).name, Month.of(self.last).name
        return first if first == last else f"{first} to {last}"


@dataclass(frozen=True, eq=False)
class Books:
    """What a loaded ledger says; nothing of it changes."""

    transactions: tuple[Transaction, ...]
    movements: tuple[Movement, ...]
    read_money: Callable[[], MoneyFacts]  # for `money`, which some reports never need
    prices: tuple[DatedPrice, ...]  # by date, commodity and currency
    reopened: tuple[Reopened, ...]
    subscribers: frozenset[str]  # all that the books or a `compute-subscriber` line name
    terms: Terms
    accounts: Accounts
    lots_earn: bool = True  # whether `incomes` adds what lots of `movements` earned to the money's
    bulk: BulkMonths | None = None  # the months of which days are facts, and no transactions
    kinds: frozenset[str] = frozenset()  # what was booked

    @property
    def singly(self) -> Books:
        """The books of what single transactions say."""
        return self if self.bulk is None else self.bulk.own

    @cached_property
    def money(self) -> MoneyFacts:
        """What the money of the transactions means."""
        return self.read_money()

    @cached_property
    def incomes(self) -> tuple[Income, ...]:
        """What was recognised as income; of each transaction, what its lots earned comes first."""
        with localcontext(WIDE), no_cyclic_garbage():
            of_lots = earned_by_lots(self.movements) if self.lots_earn else ()
            return tuple(sorted([*of_lots, *self.money.earned], key=_by_place))

    @property
    def trades(self) -> tuple[Trade, ...]:
        """The sales between subscribers."""
        return self.money.trades

    @property
    def owed(self) -> tuple[Owed, ...]:
        """What was posted on receivable, payable and partners' accounts."""
        return self.money.read_owed()

    @property
    def lost(self) -> tuple[Lost, ...]:
        """Bad debts, losses and what was recovered of them."""
        return self.money.read_lost()

    @cached_property
    def owed_of(self) -> dict[str, tuple[Owed, ...]]:
        """What was posted on the receivable and payable accounts of each subscriber."""
        of_subscribers = [each for each in self.owed if each.role not in OWED_TO_OTHERS]
        return _by(attrgetter("party"), of_subscribers)

    @cached_property
    def periods(self) -> tuple[PaidPeriod, ...]:
        """The periods of subscriptions, in the order in which they were booked."""
        return read_periods(self.transactions, self.movements)

    @cached_property
    def of_providers(self) -> tuple[ProviderEntry, ...]:
        """What was booked of providers, read back."""
        own = provider_entries(self.transactions, self.accounts)
        return own if self.bulk is None else (*own, *self.bulk.costs().entries)

    @cached_property
    def accruals_opened(self) -> tuple[AccrualOpened, ...]:
        """The accruals that the ledger opens with."""
        return accruals_opened(self.transactions, self.accounts)

    @cached_property
    def metered_uses(self) -> tuple[ListedUse, ...]:
        """The uses of meters that somebody serves."""
        own = metered_uses(self.transactions, self.terms.meters)
        return own if self.bulk is None else (*own, *self.bulk.costs().uses)

    @cached_property
    def _serving_singly(self) -> ServingFacts:
        with localcontext(WIDE), no_cyclic_garbage():
            providers, earned = self.of_providers, self.money.earned
            return read_served(self.transactions, self.movements, earned, providers, self.terms)

    @cached_property
    def serving(self) -> ServingFacts:
        """What was served, and what that cost."""
        found = self._serving_singly
        if self.bulk is None:
            return found
        return found._replace(served=(*found.served, *self.bulk.costs().served))

    @cached_property
    def served_at(self) -> dict[int, ServedUnits]:
        """What was served, by transaction; of months in bulk none says it."""
        return {each.at: each for each in self._serving_singly.served}

    @cached_property
    def bill_shares(self) -> BillShares:
        """Both bills, shared out to who was served."""
        with localcontext(WIDE), no_cyclic_garbage():
            return share_bills(self.serving)

    @cached_property
    def providers(self) -> frozenset[str]:
        """All that the terms or the books name."""
        of_capacity = Kind.DEPRECIATION
        booked = {each.subscriber for _, each in self.of_providers if each.kind is not of_capacity}
        return self.terms.known_providers | booked

    def is_provider(self, name: str) -> bool:
        """Whether a name is that of a provider, and of no subscriber."""
        return name not in self.subscribers and name in self.providers

    @cached_property
    def trade_at(self) -> dict[int, Trade]:
        """The trade of each transaction that is one, or undoes one."""
        return {each.at: each for each in self.trades}

    @cached_property
    def movements_of(self) -> dict[str, tuple[Movement, ...]]:
        """The movements of each subscriber."""
        return _by(_subscriber, self.movements)

    @cached_property
    def incomes_of(self) -> dict[str, tuple[Income, ...]]:
        """The incomes of each subscriber."""
        return _by(_subscriber, self.incomes)

    @cached_property
    def openings(self) -> tuple[Movement, ...]:
        """The opening lots, of whatever day."""
        opening, entered = Flow.OPENING, Flow.ENTERED
        return tuple([m for m in self.movements if m.flow is opening or m.flow is entered])

    @cached_property
    def movements_of_all(self) -> tuple[Movement, ...]:
        """The movements of all subscribers together: those of a day and lot added up."""
        by = ("date", "flow", "pocket", "commodity", "lot", "why")
        same = ("month", "origin", "currency")
        # no posting of nothing; a sum that is nothing is a row all the same
        moved = [each for each in self.movements if each.units or each.at == SUMMED]
        with localcontext(WIDE), no_cyclic_garbage():
            return tuple(fold(moved, by, ("units", "amount"), same))

    @cached_property
    def incomes_of_all(self) -> tuple[Income, ...]:
        """The incomes from all subscribers together: alike ones of a day added up."""
        with localcontext(WIDE):
            of_lots = earned_by_lots(self.movements_of_all) if self.lots_earn else ()
            by = ("date", "earning", "origin", "currency", "lot", "kind")
            others = fold(self.money.earned, by, ("amount",), ("month",))
            return tuple(sorted([*of_lots, *others], key=_by_date))

    @cached_property
    def earnings(self) -> tuple[Earning, ...]:
        """The kinds of income that reports show: those that few ledgers have, where there are."""
        return tuple(each for each in Earning if SELDOM.get(each, _always)(self))

    @property
    def hidden_flows(self) -> frozenset[Flow]:
        """The flows that reports have no column for: those that few ledgers have."""
        shown = (
            (Flow.EARNED, self.terms.sell_access),
            (Flow.RETURNED, Kind.CHANGE in self.kinds),
            (Flow.VOIDED, self.gives_back),
        )
        return frozenset(flow for flow, shows in shown if not shows)

    @property
    def reduced(self) -> bool:
        """Whether a change of plan took back of revenue, for what was delivered before it."""
        return Kind.CHANGE in self.kinds and any(
            each.earning is Earning.REFUNDS for each in self.money.earned
        )

    @property
    def gives_back(self) -> bool:
        """Whether money went back of an allocation, so that some of it was voided."""
        return not self.kinds.isdisjoint(GIVING_BACK)

    @cached_property
    def pocket_accounts(self) -> dict[Pocket, frozenset[str]]:
        """The accounts of each pocket that anything was posted to."""
        found: defaultdict[Pocket, set[str]] = defaultdict(set)
        for movement in self.movements:
            found[movement.pocket].add(movement.account)
        return {pocket: frozenset(accounts) for pocket, accounts in found.items()}

    @cached_property
    def place_of(self) -> dict[int, int]:
        """The place of each transaction, by the identity of the directive."""
        return {id(entry): at for at, entry in enumerate(self.transactions)}

    @cached_property
    def origins(self) -> frozenset[str]:
        """The plans of the terms, and all origins of lots that the books name."""
        return frozenset(self.terms.plans) | {each.lot.origin for each in self.movements}

    @cached_property
    def corrections(self) -> tuple[int, ...]:
        """The places of late events and reversals among the transactions."""
        wanted = {LATE, REVERSAL}
        return tuple(
            [
                at
                for at, entry in enumerate(self.transactions)
                if ORDER in entry.meta and not wanted.isdisjoint(entry.tags)
            ]
        )

    @cached_property
    def _price_days(self) -> dict[tuple[str, str], tuple[DatedPrice, ...]]:
        return _by(attrgetter("commodity", "currency"), self.prices)

    def price_on(self, day: date, commodity: str, currency: str) -> Decimal | None:
        """The last price on or before a day; None where there is none yet."""
        prices = until(self._price_days.get((commodity, currency), ()), day)
        return prices[-1].number if prices else None

    @property
    def first_day(self) -> date | None:
        """The first day on which units were booked; None for empty books."""
        return self.movements[0].date if self.movements else None

    @cached_property
    def last_day(self) -> date | None:
        """The last day on which anything was booked; None for empty books."""
        days = [self.transactions[-1].date] if self.transactions else []
        return max([*days, *(self.prices[-1:] and [self.prices[-1].date])], default=None)


class Selection(NamedTuple):
    """What a report is asked for: days, both included, and one subscriber or plan; "" for all."""

    start: date | None = None
    end: date | None = None
    subscriber: str = ""
    plan: str = ""

    def covers(self, day: date) -> bool:
        """Whether a day is selected."""
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)

    def day_of(self, books: Books) -> date:
        """The day as of which balances are shown: the last selected, or the last of the books."""
        return self.end or books.last_day or date.min

    def no_later_than(self, day: date) -> Selection:
        """The selection as far as a day: behind the books' end nobody has left, nor stayed."""
        return self if self.end is None or self.end <= day else self._replace(end=day)

    def split(self, dated: Sequence[Dated]) -> tuple[Sequence[Dated], Sequence[Dated]]:
        """What comes before the first day, and what comes since, of what stands by date."""
        at = 0 if self.start is None else bisect_left(dated, self.start, key=_by_date)
        return dated[:at], dated[at:]

    def movements(self, books: Books, *, each: bool = True) -> Sequence[Movement]:
        """The movements of subscriber and plan up to the last day: what came before counts too.

        Where `each` is not asked for, those of all subscribers may come added up, which is quicker.
        """
        found = books.movements if each else books.movements_of_all
        if self.subscriber:
            found = books.movements_of.get(self.subscriber, ())
        found = until(found, self.end)
        return [one for one in found if one.origin == self.plan] if self.plan else found

    def incomes(self, books: Books, *, each: bool = True) -> Sequence[Income]:
        """The incomes of subscriber and plan within the days; see `movements` for `each`."""
        found = books.incomes if each else books.incomes_of_all
        if self.subscriber:
            found = books.incomes_of.get(self.subscriber, ())
        found = since(until(found, self.end), self.start)
        return [one for one in found if one.origin == self.plan] if self.plan else found

    def lost(self, books: Books) -> Sequence[Lost]:
        """What subscriber and plan lost or gave back after all within the days."""
        found = since(until(books.lost, self.end), self.start)
        return [
            each
            for each in found
            if self.subscriber in ("", each.subscriber) and self.plan in ("", each.origin)
        ]

    def incomes_by_meter(self, books: Books) -> Iterator[IncomeOfMeter]:
        """The same, by the meter of the use where there is one."""
        served = books.served_at
        for income in self.incomes(books):
            use = served.get(income.at)
            of = (use.meter, use.provider, use.commodity) if use else ("", "", "")
            yield tuple.__new__(IncomeOfMeter, (income, *of))
        for each in books.bulk.costs().incomes if books.bulk else ():
            if self.covers(each.income.date) and self.plan in ("", each.income.origin):
                yield each

    def trades(self, books: Books) -> Sequence[Trade]:
        """The trades within the days, of a seller or buyer, that moved lots of the plan."""
        found = since(until(books.trades, self.end), self.start)
        return [
            each
            for each in found
            if (not self.subscriber or self.subscriber in (each.seller, each.buyer))
            and (not self.plan or any(lot.origin == self.plan for lot, _ in each.lots))
        ]


def _by(key: Callable[[Dated], Any], dated: Iterable[Dated]) -> dict[Any, tuple[Dated, ...]]:
    return {each: tuple(among) for each, among in grouped(dated, key).items()}


def until(dated: tuple[Dated, ...], end: date | None) -> tuple[Dated, ...]:
    """What is dated on or before a day, of what stands in order of date."""
    return dated if end is None else dated[: bisect_right(dated, end, key=_by_date)]


def since(dated: tuple[Dated, ...], start: date | None) -> tuple[Dated, ...]:
    """What is dated on or after a day, of what stands in order of date."""
    return dated if start is None else dated[bisect_left(dated, start, key=_by_date) :]


def _always(_: Books) -> bool:
    return True


# when reports show a kind of income that few ledgers have
SELDOM: dict[Earning, Callable[[Books], bool]] = {
    Earning.ACCESS: lambda books: books.terms.sell_access,
    Earning.REFUNDS: lambda books: Kind.MONEY_REFUND in books.kinds or books.reduced,
    Earning.DISPUTES: lambda books: Kind.CHARGEBACK in books.kinds,
}


def read_books(entries: Iterable[Directive], options_map: dict[str, Any]) -> Books:
    """Read a loaded ledger, whole and unfiltered."""
    with no_cyclic_garbage():
        return _read(entries, options_map)


def _read(entries: Iterable[Directive], options_map: dict[str, Any]) -> Books:
    by_type: defaultdict[type, list[Any]] = grouped(entries, type)
    terms, accounts, introduced = read_terms_and_accounts(by_type[Custom], options_map)
    transactions = _in_order(by_type[Transaction])
    names = names_in(transactions, accounts, introduced)
    meaning = Meaning(accounts, names)
    units = read_units(transactions, meaning)
    return Books(
        tuple(transactions),
        units.movements,
        cache(partial(_money, transactions, units, meaning)),
        _prices(by_type[Price]),
        _reopened(by_type[Custom], str(options_map.get("filename") or "")),
        frozenset(names.values()) | units.holders,
        terms,
        accounts,
        kinds=units.kinds,
    )


def _money(transactions: list[Transaction], units: Units, meaning: Meaning) -> MoneyFacts:
    with no_cyclic_garbage():
        return read_money(transactions, units, meaning)


def _in_order(transactions: list[Transaction]) -> list[Transaction]:
    """The transactions by day; opening lots first, then the engine's in its order, then others."""
    transactions.sort(key=_place_in_day)
    transactions.sort(key=_by_date)
    return transactions


def _place_in_day(entry: Transaction) -> str:
    order = entry.meta.get(ORDER)
    if order is not None:
        return str(order)  # ten digits, the first of them at least a 1
    return "0" if OPENING_TAG in (entry.tags or ()) else "~"


def _prices(entries: Iterable[Price]) -> tuple[DatedPrice, ...]:
    found = [
        DatedPrice(
            entry.date,
            entry.currency,
            entry.amount.number,
            entry.amount.currency,
            ORDER not in entry.meta,
        )
        for entry in entries
        if entry.amount.number is not None
    ]
    return tuple(sorted(found))


def _reopened(entries: Iterable[Custom], ledger: str) -> tuple[Reopened, ...]:
    """The reopenings, each with its file as the ledger's folder knows it: a seal vouches for it."""
    found: list[Reopened] = []
    for entry in entries:
        if entry.type == REOPEN:
            month, reason, *_ = [*(str(value) for value, _ in entry.values or ()), "", ""]
            file, line = str(entry.meta.get("filename", "")), int(entry.meta.get("lineno", 0))
            if os.path.isabs(file) and os.path.isabs(ledger):
                file = os.path.relpath(file, os.path.dirname(ledger)).replace(os.sep, "/")
            found.append(Reopened(entry.date, month, reason, file, line))
    return tuple(found)
