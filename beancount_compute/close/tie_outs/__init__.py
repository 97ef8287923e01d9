"""Tie-outs: pairs of figures that must agree before a month is closed.

    tie-out                                |    left |   right | difference |
    deferred revenue = cost of open lots   |  280.00 |  280.00 |       0.00 | USD
    fees = sum over trades                 |    6.25 |    6.25 |       0.00 | USD

Each compares two things that know nothing of each other: events with what was booked of them
(`control_totals.py`), postings with lots (`balances.py`), accounts with reports (`reported.py`). No
rule is worked out a second time. A difference comes with the lines where it can be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import localcontext

from beancount_compute.close.tie_outs.access_left import access_left
from beancount_compute.close.tie_outs.balances import (
    deferred_revenue,
    hand_written,
    laws,
    no_lot_negative,
    open_lots,
    roll_forwards,
    trial_balance,
)
from beancount_compute.close.tie_outs.billed import billed
from beancount_compute.close.tie_outs.control_totals import ControlTotals, events_booked, reversals
from beancount_compute.close.tie_outs.depreciated import depreciation
from beancount_compute.close.tie_outs.first_bill import first_bill
from beancount_compute.close.tie_outs.in_bulk import bulk_ties
from beancount_compute.close.tie_outs.not_invoiced import not_invoiced
from beancount_compute.close.tie_outs.postings import weigh
from beancount_compute.close.tie_outs.reported import Reported, income, owed, prices
from beancount_compute.close.tie_outs.stock import prepaid
from beancount_compute.close.tie_outs.tie_out import TieOut, tables
from beancount_compute.close.tie_outs.went_back import went_back
from beancount_compute.collector import no_cyclic_garbage
from beancount_compute.economy import WIDE, Event, Month
from beancount_compute.reports import Books, MoneyFacts, until

__all__ = ["TieOut", "bulk_ties", "tables", "tie_outs"]


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
        lots = open_lots(books)
        reported = Reported(books, first, of_month)
        return [
            *roll_forwards(books, weighed, first),
            *deferred_revenue(books, weighed, lots),
            *laws(books, weighed),
            events_booked(books, of_month, events),
            *ControlTotals(books, first, events).ties(),
            reversals(books, of_month),
            *owed(books, reported, first),
            *income(books, reported, first),
            *prices(books, first, events),
            *trial_balance(weighed),
            no_lot_negative(books, lots),
            hand_written(books),
            *prepaid(books, first, events),
            *first_bill(books, first, events),
            *billed(books, first, events),
            *depreciation(books, last),
            *access_left(books, last),
            *not_invoiced(books),
            *went_back(books),
        ]


def _cut(books: Books, last: date) -> Books:
    """The books up to a day."""
    money = MoneyFacts(
        until(books.money.earned, last),
        until(books.trades, last),
        lambda: until(books.owed, last),
    )
    return replace(
        books,
        transactions=tuple([entry for entry in books.transactions if entry.date <= last]),
        movements=until(books.movements, last),
        read_money=lambda: money,
        prices=until(books.prices, last),
    )
