"""Tie-outs of what providers bill: what is owed, and what is accrued until they do.

purchases and bills 90.00 + 36.50        =   booked as owed to providers
costs of days without a bill 18.00 USD   =   accrued
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from beancount_compute.close.tie_outs.postings import place_of_entry
from beancount_compute.close.tie_outs.tie_out import TieOut, of_money
from beancount_compute.economy import ZERO, Event, JournalEntry, Kind, MoneyLeg, Role, round_money
from beancount_compute.reports import Books, since

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
    waiting: defaultdict[DayServed, Decimal] = defaultdict(Decimal)
    accrued: defaultdict[str, Decimal] = defaultdict(Decimal)
    bad: defaultdict[str, list[str]] = defaultdict(list)
    opened = defaultdict(list)
    for at, accrual in books.accruals_opened:
        opened[at].append(accrual)
    for at, entry in sorted([*books.of_providers, *[(at, None) for at in opened]], key=_place):
        for each in opened[at]:
            waiting[each.provider, each.currency, each.served] += each.number
            accrued[each.currency] += each.number
        if entry is None:
            continue
        moved: defaultdict[str, Decimal] = defaultdict(Decimal)
        for leg in entry.legs:
            if isinstance(leg, MoneyLeg) and leg.role is Role.ACCRUED:
                moved[leg.currency] -= leg.number
        for currency, number in moved.items():
            accrued[currency] += number
        if entry.kind is Kind.BILL:
            currency = _currency_of(entry)
            if _taken(waiting, entry, currency) != -moved[currency]:
                bad[currency].append(place_of_entry(books.transactions[at]))
            continue
        for currency, number in moved.items():
            waiting[entry.subscriber, currency, entry.served or entry.date] += number
    left: defaultdict[str, Decimal] = defaultdict(Decimal)
    for (_, currency, _), number in waiting.items():
        left[currency] += number
    for currency in sorted(accrued):
        sides = ("costs of days without a bill", left[currency]), ("accrued", accrued[currency])
        yield of_money("accrued = not yet billed", currency, *sides, bad[currency])


def _place(entry: tuple[int, object]) -> int:
    return entry[0]


def _currency_of(bill: JournalEntry) -> str:
    legs = [leg for leg in bill.legs if isinstance(leg, MoneyLeg) and leg.role is Role.PROVIDER]
    return legs[0].currency if legs else ""


def _taken(waiting: dict[DayServed, Decimal], bill: JournalEntry, currency: str) -> Decimal:
    """What waits for a bill's days, and does so no more."""
    first, _, last = bill.period.partition("/")
    found = ZERO
    for key in [*waiting]:
        provider, of, day = key
        if (provider, of) == (bill.subscriber, currency) and first <= day.isoformat() <= last:
            found += waiting.pop(key)
    return found
