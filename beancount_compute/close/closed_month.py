"""A month that is closed already, worked out for a pack that is gone or that lies elsewhere.

    bean-compute close 2026-05 LEDGER               its folder 2026-05-pack was deleted
    bean-compute close 2026-05 LEDGER --pack to     it is to lie in another place

Nothing is sealed or frozen again: the books are those of the frozen text, up to the month's end.
"""

from __future__ import annotations

from typing import NamedTuple

from beancount.core.data import Directive, Price, Transaction

from beancount_compute.booking import Booking
from beancount_compute.close.loading import Loaded
from beancount_compute.close.tie_outs import TieOut, tie_outs
from beancount_compute.closed.chain import Seal
from beancount_compute.closed.copies import is_copied
from beancount_compute.economy.months import Month
from beancount_compute.ledger.writing import ORDER
from beancount_compute.reports.books import Books, read_books


class ClosedMonth(NamedTuple):
    """What a pack is made of."""

    month: str
    seal: Seal
    ties: list[TieOut]
    entries: list[Directive]  # the books up to the month's last day
    books: Books  # those entries, read for reports


def seal_of(loaded: Loaded, month: str) -> Seal | None:
    """The seal of a closed month; None where it is open."""
    closed = loaded.booking.chain.closed if loaded.booking else []
    return next((seal for seal in closed if seal.month == month), None)


def closed_month(seal: Seal, loaded: Loaded, booking: Booking) -> ClosedMonth:
    """The month of a seal, from a ledger that loads without errors."""
    last_day, units = Month.parse(seal.month).last, booking.terms.terms.units
    entries = [
        entry
        for month in booking.closed.months
        if month.name <= seal.month
        for entry in month.month.booked
    ]
    entries += [
        entry
        for entry in loaded.entries
        if ORDER not in entry.meta and entry.date <= last_day and is_copied(entry, units)
    ]
    others = [entry for entry in loaded.entries if not isinstance(entry, Transaction | Price)]
    books = read_books([*others, *entries], loaded.options)
    events = [
        event
        for month in booking.closed.months
        if month.name == seal.month
        for event, _ in month.events
    ]
    return ClosedMonth(seal.month, seal, tie_outs(books, seal.month, events), entries, books)
