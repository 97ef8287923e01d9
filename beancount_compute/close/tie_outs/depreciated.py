"""Tie-outs of capacity: what its lines give is what the books depreciated.

4800.00 USD over 48 months from 2026-06-01, until August   =   300.00 booked
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from beancount_compute.close.tie_outs.tie_out import TieOut, of_money
from beancount_compute.economy import (
    ZERO,
    Capacity,
    Month,
    opening_depreciation,
    quoted,
    round_money,
)
from beancount_compute.reports import Books, depreciation_booked


def depreciation(books: Books, last: date) -> Iterator[TieOut]:
    """Depreciation from the beginning to a month's end: in total, and of each that differs."""
    booked = depreciation_booked(books)
    given: dict[str, tuple[Decimal, str]] = {}
    for name, timeline in books.terms.capacities.items():
        first = timeline.first()
        if first is not None and first.since <= last:
            until_now = _given([line for line in timeline if line.since <= last], last)
            given[name] = until_now - opening_depreciation(first).so_far, first.cost.currency
    names: defaultdict[str, list[str]] = defaultdict(list)
    for name, (_, currency) in sorted(given.items()):
        names[currency].append(name)
    for currency, of_it in sorted(names.items()):
        left = sum([given[name][0] for name in of_it], ZERO)
        right = sum([booked[name] for name in of_it], ZERO)
        yield _tie("depreciation so far", currency, left, right)
        for name in of_it:
            if given[name][0] != booked[name]:
                title = f"depreciation so far, {quoted(name)}"
                yield _tie(title, currency, given[name][0], booked[name])


def _tie(name: str, currency: str, left: Decimal, right: Decimal) -> TieOut:
    return of_money(name, currency, ("by the capacities' lines", left), ("bookings", right))


def _given(lines: list[Capacity], last: date) -> Decimal:
    """What the lines of a capacity depreciate in all: each until the month of the next begins."""
    total = lines[0].depreciated.number if lines[0].depreciated else ZERO
    for line, behind in zip(lines, [*lines[1:], None], strict=True):
        end = Month.of(behind.since).first if behind else Month.of(last).next.first
        begins = line.started or line.since
        months = (end.year - begins.year) * 12 + end.month - begins.month
        left = max(line.to_depreciate - total, ZERO)
        shares = min(months, line.life.months)
        part = left * shares / line.life.months
        total += left if shares == line.life.months else round_money(part, line.cost.currency)
    return total
