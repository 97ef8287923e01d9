"""Deferred revenue month by month: what the roll-forward of each month would say, in one pass.

    month    currency  opening   added  released  closing
    2026-05  USD          0.00  400.00   -240.00   160.00
    2026-06  USD        160.00  400.00   -280.00   280.00

Added is what was allocated, topped up and granted; released what was used, spent, expired,
refunded or removed by hand. Opening lots count as opening of the month in which they were entered.
Months in which nothing happened are there too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal, localcontext

from beancount_compute.economy.kinds import Flow
from beancount_compute.economy.months import Month
from beancount_compute.economy.rounding import WIDE
from beancount_compute.reports.books import Books, Selection
from beancount_compute.reports.tables import Cell, Column, Measure, Table, money

COLUMNS = (
    Column("month", "month", Measure.DATE),
    Column("currency", "currency"),
    Column("opening", "opening", Measure.MONEY),
    Column("added", "added", Measure.MONEY),
    Column("released", "released", Measure.MONEY),
    Column("closing", "closing", Measure.MONEY),
)
_IN = frozenset([Flow.ALLOCATED, Flow.TOPPED_UP, Flow.GRANTED])
_OUT = frozenset([Flow.USED, Flow.SPENT, Flow.EXPIRED, Flow.REFUNDED, Flow.REMOVED])
Sums = defaultdict[tuple[str, str], Decimal]  # by month and currency


def deferred_by_month(books: Books, selection: Selection) -> Table:
    """The movement of deferred revenue in every month up to the selection's last day."""
    opened: Sums = defaultdict(Decimal)
    added: Sums = defaultdict(Decimal)
    released: Sums = defaultdict(Decimal)
    moved: Sums = defaultdict(Decimal)  # of one subscriber or plan alone, it comes or goes
    currencies: set[str] = set()
    first = last = ""
    with localcontext(WIDE):
        for each in selection.movements(books, each=False):
            if not each.currency or not each.amount:
                continue
            first = first or each.month
            last = each.month
            currencies.add(each.currency)
            key = (each.month, each.currency)
            if each.flow is Flow.OPENING:
                opened[key] += each.amount
            elif each.flow in _IN:
                added[key] += each.amount
            elif each.flow in _OUT:
                released[key] += each.amount
            else:  # what only moves from one to another changes nothing in sum
                moved[key] += each.amount
        if selection.end is not None:
            last = max(last, Month.of(selection.end).name)
        for key, amount in moved.items():
            (added if amount > 0 else released)[key] += amount
        rows = list(_rows(sorted(currencies), _names(first, last), opened, added, released))
    start = Month.of(selection.start).name if selection.start else ""
    kept = [row for row in rows if str(row[0]) >= start]
    return Table("Deferred revenue by month", COLUMNS, kept, "deferred-by-month")


def _rows(
    currencies: list[str], months: list[str], opened: Sums, added: Sums, released: Sums
) -> Iterator[tuple[Cell, ...]]:
    held = dict.fromkeys(currencies, Decimal())
    for month in months:
        for currency in currencies:
            key = (month, currency)
            opening = held[currency] + opened[key]
            held[currency] = opening + added[key] + released[key]
            figures = (opening, added[key], released[key], held[currency])
            yield (month, currency, *[money(number, currency) for number in figures])


def _names(first: str, last: str) -> list[str]:
    """All months between two, both included; none where there is no first one."""
    return [month.name for month in Month.parse(first).to(Month.parse(last))] if first else []
