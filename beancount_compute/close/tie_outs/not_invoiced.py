"""Tie-out of what is unbilled: what uses and shortfalls were charged, and no invoice has taken yet.

15.00 on 25 January and 17.00 on 4 February, invoiced on 15 February   =   0.00 unbilled

What was charged is read from what was earned, and each invoice must take all that waits of its
subscription (ASC 606-10-45-4). What the books began with, entered by hand, waits too; whatever else
people write on these accounts differs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from beancount_compute.close.tie_outs.postings import place_of_entry
from beancount_compute.close.tie_outs.tie_out import TieOut, of_money
from beancount_compute.economy import ZERO, Kind, Role
from beancount_compute.ledger import named_amounts
from beancount_compute.reports import Books, Owed

_CHARGES = (Kind.CONSUMPTION, Kind.SHORTFALL)
Waiting = defaultdict[tuple[str, str], Decimal]  # by subscription, or by subscriber, and currency


def not_invoiced(books: Books) -> Iterator[TieOut]:
    """What is charged and not invoiced, beside what stands in unbilled, by currency."""
    ties = _NotInvoiced(books)
    for owed in books.owed:
        if owed.role is Role.UNBILLED:
            ties.add(owed)
    yield from ties.found()


class _NotInvoiced:
    """What waits for an invoice, posting by posting; its sums need `WIDE`."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._waiting = Waiting(Decimal)  # by subscription
        self._opened = Waiting(Decimal)  # by subscriber, from before the books
        self._booked: defaultdict[str, Decimal] = defaultdict(Decimal)
        self._begun: set[str] = set()  # subscribers of whom anything was charged or invoiced
        self._bad: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, owed: Owed) -> None:
        """Take in what is posted on unbilled."""
        entry, currency = self._books.transactions[owed.at], owed.currency
        self._booked[currency] += owed.amount
        of_party = owed.party, currency
        if not owed.kind:
            if owed.party in self._begun:
                self._bad[currency].append(place_of_entry(entry))
            else:
                self._opened[of_party] += owed.amount
            return
        self._begun.add(owed.party)
        of_subscription = str(entry.meta.get("subscription", "")), currency
        if owed.kind == Kind.INVOICE:
            rest = -owed.amount - self._waiting.pop(of_subscription, ZERO)
            if rest and self._opened[of_party] != rest:
                self._bad[currency].append(place_of_entry(entry))
            elif rest:
                self._opened[of_party] = ZERO
            return
        charged = owed.amount
        if owed.kind in _CHARGES:
            told = [entry.meta.get(key) for key in ("overage", "shortfall")]
            amounts = [each for text in told for each in named_amounts(text)]
            charged = sum([number for _, number, of in amounts if of == currency], ZERO)
        if charged != owed.amount:
            self._bad[currency].append(place_of_entry(entry))
        self._waiting[of_subscription] += charged

    def found(self) -> Iterator[TieOut]:
        """The two figures of each currency."""
        left: defaultdict[str, Decimal] = defaultdict(Decimal)
        for waiting in (self._waiting, self._opened):
            for (_, currency), number in waiting.items():
                left[currency] += number
        for currency, number in sorted(self._booked.items()):
            sides = ("charges not invoiced", left[currency]), ("unbilled", number)
            yield of_money("unbilled = not yet invoiced", currency, *sides, self._bad[currency])
