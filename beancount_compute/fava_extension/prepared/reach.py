"""How far the books reach, and which days of a request they can speak of.

    events until 8 July, time=2026  ->  derived until 2026-07-08; the last day shown is that day

What comes after that day may still change everything: periods, mints and expiries are derived up to
the as-of day only, so a page names the day instead of a month or year that is not over.
"""

from __future__ import annotations

from datetime import date

from beancount_compute.economy.options import AS_OF
from beancount_compute.ledger.writing import ORDER
from beancount_compute.reports.books import Books
from beancount_compute.reports.intervals import Interval, last_of, name_of


def derived_until(books: Books, closed: date = date.min) -> date:
    """The last day of which anything was derived.

    That of the last booking, the as-of option or the last closed month: whichever is the latest.
    """
    booked = (entry.date for entry in reversed(books.transactions) if ORDER in entry.meta)
    return max(next(booked, date.min), books.terms.of_ledger(AS_OF) or date.min, closed)


def end_of(books: Books, closed: date = date.min) -> date:
    """The day on which the books end: the last that is derived, or a later one written by hand."""
    return max(derived_until(books, closed), books.last_day or date.min)


def days_within(books: Books, first: date, last: date, end: date) -> tuple[date, date]:
    """The days of a stretch that the books cover; its first alone where they end before it."""
    begin = books.transactions[0].date if books.transactions else first
    first = max(first, min(begin, last))
    return first, max(first, min(last, end))


def named_end(name: str, interval: Interval, day: date) -> str:
    """What stands after "at the end of": an interval that is over by that day, else the day."""
    return str(day) if name == name_of(interval, day) and day != last_of(interval, day) else name
