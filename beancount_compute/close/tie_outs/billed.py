"""Tie-outs of what providers bill: what is owed, and what is accrued until they do.

purchases and bills 90.00 + 36.50        =   booked as owed to providers
costs of days without a bill 18.00 USD   =   accrued
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from operator import attrgetter

from beancount_compute.close.tie_outs.postings import place_of_entry
from beancount_compute.close.tie_outs.tie_out import TieOut, of_money
from beancount_compute.economy import ZERO, Event, JournalEntry, Kind, MoneyLeg, Role, round_money
from beancount_compute.reports import Books, grouped, since

_OWED = (Kind.PURCHASE, Kind.BILL)
DayServed = tuple[str, str, date]  # provider, currency and day


def billed(books: Books, first: date, events: Sequence[Event]) -> Iterator[TieOut]:
    """What the month's purchases and bills say is owed; what no bill has come for by now."""
    yield from _owed(books, first, events)
    yield from _accrued(books)


def _owed(books: Books, first: date, events: Sequence[Event]) -> Iterator[TieOut]:
    stated: defaultdict[str, Decimal] = defaultdict(Decimal)
    for event in events:
        if event.kind in _OWED:
            stated[event.currency] += round_money(event.paid or ZERO, event.currency)
    booked: defaultdict[str, Decimal] = defaultdict(Decimal)
    for owed in since(books.owed, first):
        undoes = "undoes" in books.transactions[owed.at].meta
        if owed.role is Role.PROVIDER and owed.kind in _OWED and not undoes:
            booked[owed.currency] -= owed.amount
    for currency in sorted(stated.keys() | booked.keys()):
        sides = ("purchases and bills", stated[currency]), ("bookings", booked[currency])
        yield of_money("owed to providers", currency, *sides)


def _accrued(books: Books) -> Iterator[TieOut]:
    """Each day's costs stand until a bill for it comes, which takes all that is left of them."""
    unbilled = _Unbilled()
    openings = grouped(books.accruals_opened, attrgetter("at"))
    booked = dict(books.of_providers)
    for at in sorted({*openings, *booked}):
        for _, accrual in openings[at]:
            unbilled.add(accrual.provider, accrual.currency, accrual.served, accrual.number)
        if at in booked and not unbilled.holds(booked[at]):
            unbilled.bad[_currency_of(booked[at])].append(place_of_entry(books.transactions[at]))
    yield from unbilled.ties()


class _Unbilled:
    """What is accrued by day, and in all; its sums need `WIDE`."""

    def __init__(self) -> None:
        self.bad: defaultdict[str, list[str]] = defaultdict(list)  # the bills that took else
        self._waiting: defaultdict[DayServed, Decimal] = defaultdict(Decimal)
        self._accrued: defaultdict[str, Decimal] = defaultdict(Decimal)

    def add(self, provider: str, currency: str, day: date, number: Decimal) -> None:
        """Add what a day's uses cost."""
        self._waiting[provider, currency, day] += number
        self._accrued[currency] += number

    def holds(self, entry: JournalEntry) -> bool:
        """Take an entry in; False for a bill that did not take what waits for its days."""
        moved: defaultdict[str, Decimal] = defaultdict(Decimal)
        for leg in entry.legs:
            if isinstance(leg, MoneyLeg) and leg.role is Role.ACCRUED:
                moved[leg.currency] -= leg.number
        if entry.kind is Kind.BILL:
            currency = _currency_of(entry)
            self._accrued[currency] += moved[currency]
            return self._taken(entry, currency) == -moved[currency]
        for currency, number in moved.items():
            self.add(entry.subscriber, currency, entry.served or entry.date, number)
        return True

    def _taken(self, bill: JournalEntry, currency: str) -> Decimal:
        """What waits for a bill's days, and does so no more."""
        first, _, last = bill.period.partition("/")
        found = ZERO
        for key in [*self._waiting]:
            provider, of, day = key
            if (provider, of) == (bill.subscriber, currency) and first <= day.isoformat() <= last:
                found += self._waiting.pop(key)
        return found

    def ties(self) -> Iterator[TieOut]:
        """What is accrued, beside what days wait for."""
        left: defaultdict[str, Decimal] = defaultdict(Decimal)
        for (_, currency, _), number in self._waiting.items():
            left[currency] += number
        for currency, number in sorted(self._accrued.items()):
            sides = ("costs of days without a bill", left[currency]), ("accrued", number)
            yield of_money("accrued = not yet billed", currency, *sides, self.bad[currency])


def _currency_of(bill: JournalEntry) -> str:
    legs = [leg for leg in bill.legs if isinstance(leg, MoneyLeg) and leg.role is Role.PROVIDER]
    return legs[0].currency if legs else ""
