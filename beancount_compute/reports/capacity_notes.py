"""What `check` notes of capacity: accounts that hold less than is still to be depreciated.

2026-05-31 * "GPU Shop" "One GPU"                 ; what capacity costs is bought like anything
  Assets:Capacity:Gpu    4800.00 USD
  Liabilities:Payable
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, localcontext

from beancount_compute.economy import WIDE, ZERO, Kind, Role, opening_depreciation, quoted
from beancount_compute.ledger import BULK_TAG, ORDER, kind_of_tags
from beancount_compute.reports.books import Books
from beancount_compute.reports.tables import money

HeldOn = defaultdict[tuple[str, str], Decimal]  # by account and currency


def notes_of_capacities(books: Books) -> list[str]:
    """One note for each account that holds less than is still to be depreciated of it."""
    if not books.terms.capacities:
        return []
    with localcontext(WIDE):
        return list(_notes(books))


def _notes(books: Books) -> Iterator[str]:
    booked, held = depreciation_booked(books), _held(books)
    still, names = HeldOn(Decimal), defaultdict[tuple[str, str], list[str]](list)
    for name, timeline in sorted(books.terms.capacities.items()):
        line, first = timeline.on(books.last_day or date.min), timeline.first()
        if line is None or first is None:
            continue
        so_far = booked[name] + opening_depreciation(first).so_far
        place = (books.accounts.account(Role.CAPACITY, name, ""), line.cost.currency)
        still[place] += max(line.to_depreciate - so_far, ZERO)
        names[place].append(quoted(name))
    in_bulk = depreciation_in_bulk(books)
    for (account, currency), number in still.items():
        number -= in_bulk[account, currency]
        holds = held[account, currency]
        if holds < number:
            of = ", ".join(names[account, currency])
            yield (
                f"{account} holds {money(holds, currency):,f} {currency} and "
                f"{money(number, currency):,f} {currency} of capacity {of} are still to be "
                "depreciated: book there what it cost"
            )


def depreciation_booked(books: Books) -> defaultdict[str, Decimal]:
    """What the books depreciate, by capacity; the sums need `WIDE`."""
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for entry in books.transactions:
        if ORDER in entry.meta and kind_of_tags(entry.tags) == Kind.DEPRECIATION:
            name = entry.payee or ""
            account = books.accounts.account(Role.DEPRECIATION, name, "")
            for posting in entry.postings:
                if posting.account == account and posting.units and posting.units.number:
                    found[name] += posting.units.number
    return found


def depreciation_in_bulk(books: Books) -> HeldOn:
    """What journals of months in bulk depreciate, by account of the capacity; needs `WIDE`."""
    found = HeldOn(Decimal)
    names = books.terms.capacities
    wanted = {books.accounts.account(Role.CAPACITY, name, "") for name in names}
    narration = Kind.DEPRECIATION.value.capitalize()
    for entry in books.transactions:
        if BULK_TAG in entry.tags and entry.narration == narration:
            for posting in entry.postings:
                if posting.account in wanted and posting.units and posting.units.number:
                    found[posting.account, posting.units.currency] -= posting.units.number
    return found


def _held(books: Books) -> HeldOn:
    found = HeldOn(Decimal)
    names = books.terms.capacities
    wanted = {books.accounts.account(Role.CAPACITY, name, "") for name in names}
    for entry in books.transactions:
        for posting in entry.postings:
            if posting.account in wanted and posting.units and posting.units.number:
                found[posting.account, posting.units.currency] += posting.units.number
    return found
