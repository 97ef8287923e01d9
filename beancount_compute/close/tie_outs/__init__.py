"""Tie-outs: pairs of figures that must agree before a month is closed.

    tie-out                                |    left |   right | difference |
    deferred revenue = cost of open lots   |  280.00 |  280.00 |       0.00 | USD
    fees = sum over trades                 |    6.25 |    6.25 |       0.00 | USD

Each figure is worked out in two ways: from the postings as they stand, and from the reports' fold,
the lots, or the events and terms. A difference comes with the lines where it can be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import localcontext

from beancount_compute.close.tie_outs.balances import (
    deferred_revenue,
    laws,
    no_lot_negative,
    roll_forwards,
    trial_balance,
)
from beancount_compute.close.tie_outs.bookings import check_bookings
from beancount_compute.close.tie_outs.hand_written import hand_postings, hand_written
from beancount_compute.close.tie_outs.movements import events_booked, fees, owed, prices, revenue
from beancount_compute.close.tie_outs.open_lots import open_lots
from beancount_compute.close.tie_outs.postings import weigh
from beancount_compute.close.tie_outs.tie_out import TieOut, tables
from beancount_compute.collector import no_cyclic_garbage
from beancount_compute.economy.events import Event
from beancount_compute.economy.months import Month
from beancount_compute.economy.rounding import WIDE
from beancount_compute.reports.books import Books, until
from beancount_compute.reports.reading_money import Money

__all__ = ["TieOut", "hand_postings", "tables", "tie_outs"]


def tie_outs(books: Books, month: str, events: Sequence[Event]) -> list[TieOut]:
    """All tie-outs of a month such as "2026-05".

    `books` holds everything up to the month's last day; what lies behind it is left out. `events`
    are what was booked in the month, once each, late ones among them; periods, mints and expiries
    are derived and are not.
    """
    first, last = Month.parse(month).first, Month.parse(month).last
    if books.last_day is not None and books.last_day > last:
        books = _cut(books, last)
    of_month = [entry for entry in books.transactions if entry.date >= first]
    with localcontext(WIDE), no_cyclic_garbage():
        weighed = weigh(books.transactions, books.accounts)
        checked = check_bookings(books, of_month, events)
        lots = open_lots(books)
        return [
            *roll_forwards(books, weighed, first),
            *deferred_revenue(books, weighed, lots),
            *laws(books, weighed),
            *events_booked(checked),
            *owed(books, checked, first),
            *fees(checked),
            *revenue(books, checked, month, first),
            *prices(books, first, events),
            *trial_balance(weighed),
            no_lot_negative(books, lots),
            hand_written(books),
        ]


def _cut(books: Books, last: date) -> Books:
    """The books up to a day."""
    money = Money(
        until(books.money.earned, last),
        until(books.trades, last),
        until(books.owed, last),
    )
    return replace(
        books,
        transactions=tuple([entry for entry in books.transactions if entry.date <= last]),
        movements=until(books.movements, last),
        read_money=lambda: money,
        prices=until(books.prices, last),
    )
