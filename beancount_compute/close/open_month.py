"""An open month, worked out as its close will freeze it: the same for the command and for a page.

    look_at("2026-05", loaded)  ->  124 events, 2 of them late, the books, the tie-outs

Nothing is checked or frozen here: `closing.py` does, and stops where the month can't be closed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from decimal import localcontext
from typing import NamedTuple

from beancount.core.data import Directive, Price, Transaction

from beancount_compute.booking import Booking
from beancount_compute.close.loading import Loaded
from beancount_compute.close.tie_outs import TieOut, tie_outs
from beancount_compute.closed import (
    BY_HAND,
    FROZEN,
    ON_LOAD,
    FrozenEvent,
    Rebooked,
    copy_of,
    frozen_events,
    is_copied,
    item_of,
    rebook,
)
from beancount_compute.collector import no_cyclic_garbage
from beancount_compute.economy import USUAL, Month
from beancount_compute.ledger import ORDER
from beancount_compute.reports import Books, counted, read_books


class OpenMonth(NamedTuple):
    """A month as it stands, before anything of it is frozen."""

    month: str
    rebooked: Rebooked
    copies: list[Directive]  # of what people and other plugins wrote
    events: list[FrozenEvent]
    entries: list[Directive]  # the books up to the month's last day
    books: Books  # those entries, read for reports
    ties: list[TieOut]

    @property
    def late(self) -> int:
        """How many of the events came after their month was closed."""
        return sum(booked is not None for _, booked in self.events)


def counted_events(events: int, late: int) -> str:
    """How many events a month has, in words: "124 events, 2 of them late"."""
    return counted(events, "event") + (f", {late:,} of them late" if late else "")


def look_at(month: str, loaded: Loaded) -> OpenMonth:
    """Book an open month by itself, and tie it out; those before it must be closed."""
    with localcontext(USUAL), no_cyclic_garbage():
        return _looked_at(month, loaded)


def _looked_at(month: str, loaded: Loaded) -> OpenMonth:
    booking = loaded.booked
    last_day = Month.parse(month).last
    copies = _copies(loaded, booking, last_day)
    order = iter(range(_next_order(booking), 10**10))
    facts = booking.facts._replace(events=booking.events)
    rebooked = rebook(
        facts,
        booking.terms,
        booking.accounts,
        [month],
        own_prices(booking),
        booking.state,
        lambda: str(next(order)),
        month,
    )
    events = [FrozenEvent(*each) for each in frozen_events(facts, last_day)]
    closed_before = written_until(booking.chain.last_day, loaded)
    whole = [*booking.closed.booked, *closed_before, *rebooked.entries, *_originals(copies)]
    books = books_with(whole, loaded)
    ties = tie_outs(books, month, [event for event, _ in events])
    return OpenMonth(month, rebooked, copies, events, whole, books, ties)


def _next_order(booking: Booking) -> int:
    orders = [int(entry.meta[ORDER]) for entry in booking.closed.booked]
    return max(orders, default=10**9) + 1


def _copies(loaded: Loaded, booking: Booking, last_day: date) -> list[Directive]:
    """What people and other plugins wrote in the month, as it is frozen.

    Nothing stands before the first closed month, so that one holds what was written earlier too.
    """
    units = booking.terms.terms.units
    after = booking.chain.last_day
    by_hand = [
        entry
        for entry in booking.entries
        if after < entry.date <= last_day and is_copied(entry, units)
    ]
    seen = Counter(item_of(entry) for entry in booking.entries if is_copied(entry, units))
    copies = [copy_of(entry, BY_HAND) for entry in by_hand]
    for entry in loaded.entries:  # paddings, and what plugins behind ours wrote
        if ORDER in entry.meta or not is_copied(entry, units):
            continue
        item = item_of(entry)
        if seen[item]:
            seen[item] -= 1
        elif after < entry.date <= last_day:
            copies.append(copy_of(entry, ON_LOAD))
    return copies


def _originals(copies: Iterable[Directive]) -> list[Directive]:
    """The copies without their mark, as reports read them."""
    return [
        entry._replace(meta={key: value for key, value in entry.meta.items() if key != FROZEN})
        for entry in copies
    ]


def written_until(day: date, loaded: Loaded) -> list[Directive]:
    """What people wrote up to a day, as far as a month that is closed holds it."""
    units = loaded.booked.terms.terms.units
    return [
        entry
        for entry in loaded.entries
        if ORDER not in entry.meta and entry.date <= day and is_copied(entry, units)
    ]


def books_with(entries: Iterable[Directive], loaded: Loaded) -> Books:
    """The books of these transactions and prices, in the place of the ledger's own."""
    others = [entry for entry in loaded.entries if not isinstance(entry, Transaction | Price)]
    return read_books([*others, *entries], loaded.options)


def own_prices(booking: Booking) -> frozenset[tuple[date, str, str]]:
    """The days and pairs of which the ledger gives a price itself."""
    return frozenset(
        (entry.date, entry.currency, entry.amount.currency)
        for entry in booking.entries
        if isinstance(entry, Price)
    )
