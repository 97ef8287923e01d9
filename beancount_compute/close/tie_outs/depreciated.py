"""Tie-outs of capacity: what its lines give is what the books depreciated.

4800.00 USD over 48 months from 2026-06-01, until August         =   300.00 booked
6000.00 USD for 60000 CU, of which uses on its meters took 120   =    12.00 booked

Months in bulk say by account what they depreciate, and nothing of the uses: what goes by
units is left out then (`verify` works it out again), and what shares an account with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from beancount_compute.close.tie_outs.first_bill import MeteredUse, metered, units_of_use
from beancount_compute.close.tie_outs.tie_out import TieOut, of_money
from beancount_compute.economy import (
    ZERO,
    Capacity,
    Month,
    Role,
    Timeline,
    opening_depreciation,
    quoted,
    round_money,
)
from beancount_compute.reports import Books, depreciation_booked, depreciation_in_bulk

_MERGED = "events"  # in the metadata of uses that are one transaction


class _ServedUnits(NamedTuple):
    """Units that a capacity served, by when that was booked."""

    booked: date
    units: Decimal


class _Given(NamedTuple):
    """What the lines of a capacity give up to a day."""

    name: str
    place: tuple[str, str]  # account and currency
    number: Decimal
    doubtful: bool  # of merged uses nobody can tell the day


def depreciation(books: Books, last: date) -> Iterator[TieOut]:
    """Depreciation from the beginning to a month's end: in total, and of each that differs."""
    capacities = books.terms.capacities.items()
    by_units = any(line.quantity for _, timeline in capacities for line in timeline)
    uses = list(metered(books, date.min)) if by_units else []
    booked, in_bulk = depreciation_booked(books), depreciation_in_bulk(books)
    sharing: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    found: defaultdict[str, list[_Given]] = defaultdict(list)
    untold: set[tuple[str, str]] = set()
    for name, timeline in sorted(capacities):
        first = timeline.first()
        if first is not None and first.since <= last:
            place = books.accounts.account(Role.CAPACITY, name, ""), first.cost.currency
            found[first.cost.currency].append(_given(name, place, timeline, last, uses))
            sharing[place].append(name)
            if any(line.quantity for line in timeline):
                untold.add(place)
    for place, number in in_bulk.items():
        booked[sharing[place][0]] += number
    for currency, given in sorted(found.items()):
        of_it = [each for each in given if not (in_bulk and each.place in untold)]
        if not of_it:
            continue
        left = sum([each.number for each in of_it], ZERO)
        right = sum([booked[each.name] for each in of_it], ZERO)
        doubtful = any(each.doubtful for each in of_it)
        yield _tie("depreciation so far", currency, left, right, doubtful=doubtful)
        for name, place, number, doubt in of_it:
            if number != booked[name] and not (in_bulk[place] and len(sharing[place]) > 1):
                title = f"depreciation so far, {quoted(name)}"
                yield _tie(title, currency, number, booked[name], doubtful=doubt)


def _tie(name: str, currency: str, left: Decimal, right: Decimal, *, doubtful: bool) -> TieOut:
    sides = ("by the capacities' lines", left), ("bookings", right)
    return of_money(name, currency, *sides, informational=doubtful)


def _given(
    name: str,
    place: tuple[str, str],
    timeline: Timeline[Capacity],
    last: date,
    uses: Sequence[MeteredUse],
) -> _Given:
    """What a capacity's lines give: each until the month of the next one begins."""
    lines = [line for line in timeline if line.since <= last]
    own = [use for use in uses if _is_served_by(use, timeline)]
    served = [_units(use) for use in own]
    total = lines[0].depreciated.number if lines[0].depreciated else ZERO
    for line, behind in zip(lines, [*lines[1:], None], strict=True):
        end = Month.of(behind.since).first if behind else Month.of(last).next.first
        gone, of = _gone(line, end, served)
        left = max(line.to_depreciate - total, ZERO)
        total += left if gone >= of else round_money(left * gone / of, line.cost.currency)
    number = total - opening_depreciation(lines[0]).so_far
    doubtful = any(_MERGED in use.entry.meta for use in own)
    return _Given(name, place, number, doubtful)


def _gone(line: Capacity, end: date, served: Sequence[_ServedUnits]) -> tuple[Decimal, Decimal]:
    """What of a line's life is over before a day, and all of it."""
    begins = line.started or line.since
    if line.quantity is None:
        months = (end.year - begins.year) * 12 + end.month - begins.month
        return Decimal(months), Decimal(line.life.months if line.life else 0)
    before = line.served.number if line.served else ZERO
    units = [each.units for each in served if Month.of(begins).first <= each.booked < end]
    return max(sum(units, before), ZERO), line.quantity.number


def _is_served_by(use: MeteredUse, timeline: Timeline[Capacity]) -> bool:
    line = timeline.on(use.day)
    if line is None or line.provider != use.meter.provider:
        return False
    units = {line.quantity.currency for line in timeline if line.quantity}
    return _commodity(use) in units


def _commodity(use: MeteredUse) -> str:
    if use.entry.meta.get("quantity") and use.meter.units:
        return use.meter.units.currency
    return units_of_use(use.entry).currency


def _units(use: MeteredUse) -> _ServedUnits:
    entry, of = use.entry, use.meter
    quantity = entry.meta.get("quantity")
    if quantity and of.units:
        return _ServedUnits(entry.date, use.sign * quantity * of.units.number / of.per)
    return _ServedUnits(entry.date, use.sign * units_of_use(entry).number)
