"""The uses of meters as booked, each at the meter of its own day; a reversal takes its use back.

    2026-05-20 * "alice" "Consumption" #compute-consumption
      meter: "chat/output"
      quantity: 250000          ->  openai, chat/output, 250000 x 10.00 / 1000000 = 2.50 USD

Merged uses are all under one line of their meter, and stand on the day of the last of them.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import NamedTuple

from beancount.core.data import Transaction

from beancount_compute.economy import WIDE, ZERO, Kind, Meter, Month, Timeline
from beancount_compute.ledger import ORDER, kind_of_tags, lapsed_of, money_of


class ListedUse(NamedTuple):
    """A use of a meter that somebody serves, or several added up; a reversal's is below zero."""

    date: datetime.date  # of its booking
    day: datetime.date  # of the use
    month: str  # of that day
    provider: str
    meter: str
    since: datetime.date  # the line of the meter
    commodity: str  # of its cost: money, or credits; "" where its capacity is all that it costs
    quantity: Decimal  # where the use says it; else
    units: Decimal  # of compute, which `units` of the meter took
    uses: Decimal
    at: int


def metered_uses(
    transactions: Sequence[Transaction], meters: Mapping[str, Timeline[Meter]]
) -> tuple[ListedUse, ...]:
    """The uses whose meter has a provider, in the order of the books."""
    if not meters:
        return ()
    with localcontext(WIDE):
        return tuple(_uses(transactions, meters))


def _uses(
    transactions: Sequence[Transaction], meters: Mapping[str, Timeline[Meter]]
) -> Iterator[ListedUse]:
    days: dict[str, datetime.date] = {}
    for at, entry in enumerate(transactions):
        meta = entry.meta
        name, undoes = meta.get("meter"), meta.get("undoes")
        if not name or ORDER not in meta:
            continue
        if Kind.CONSUMPTION not in (undoes, kind_of_tags(entry.tags)):
            continue
        day = meta.get("occurred", entry.date)
        if undoes:
            day = days.get(str(meta.get("reverses")), day)
        else:
            days[str(meta.get("event"))] = day
        timeline = meters.get(name)
        meter = timeline.on(day) if timeline else None
        if meter is None or not meter.provider:
            continue
        quantity = abs(meta.get("quantity", ZERO))
        units = ZERO if quantity else _units(entry)
        uses = meta.get("events", Decimal(1))
        if undoes:
            quantity, units, uses = -quantity, -units, -uses
        yield ListedUse(
            entry.date,
            day,
            Month.of(day).name,
            meter.provider,
            name,
            meter.since,
            meter.cost.currency if meter.cost else "",
            quantity,
            units,
            uses,
            at,
        )


def _units(entry: Transaction) -> Decimal:
    """The units of a use, or of one that is undone, with those beyond the holdings."""
    used = money_of(entry.meta.get("used"))
    if used is not None:
        return abs(used.number)
    lots = [units.number for p in entry.postings if p.cost and (units := money_of(p.units))]
    return abs(sum(lots, ZERO)) + sum([abs(each.number) for each in lapsed_of(entry.meta)], ZERO)


def at_price(quantity: Decimal, units: Decimal, meter: Meter, price: Decimal) -> Fraction:
    """What a quantity, or units without one, cost where `per` of a meter costs so much, exact."""
    found = Fraction(quantity) * Fraction(price) / Fraction(meter.per)
    if units:
        of = meter.units.number if meter.units else Decimal(1)
        found += Fraction(units) * Fraction(price) / Fraction(of)
    return found


class RoundedTotals:
    """Running totals that are rounded half-even: what is added is what they grow by."""

    def __init__(self) -> None:
        self._exact: defaultdict[tuple[str, ...], Fraction] = defaultdict(Fraction)

    def add(self, key: tuple[str, ...], number: Fraction, step: Decimal) -> Decimal:
        """Add a number to a total."""
        in_steps = Fraction(step)
        before = round(self._exact[key] / in_steps)
        self._exact[key] += number
        return (round(self._exact[key] / in_steps) - before) * step
