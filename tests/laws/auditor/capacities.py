"""The second bill, once more: capacity goes to the months of its life, or by what it serves.

From manual/language.md and manual/costs.md alone. Readings:

C1  Uses count for the line of a capacity that holds on the day of the use, in the month in which
    they are booked; what a reversal takes back, likewise.
C2  A line under which less is to be depreciated than is already books nothing; where it costs less
    than is already, that is an error, in the evening in which its first share would come.
C3  A quantity in units that no meter of the provider takes is an error; nothing goes by that line.
C4  Of what a meter without units serves, the units that were charged count.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.laws.auditor.records import ZERO, Capacity, Day, Event, Leg, Meter, minor_unit, rounded


def month_number(day: Day) -> int:
    return day.year * 12 + day.month


@dataclass
class Progress:
    """How far a capacity is depreciated, and under which line."""

    line: Capacity
    before: Decimal  # what was when the line took over
    so_far: Decimal
    served: Fraction = Fraction(0)


class CapacityBooks:
    """What stands there whether it is used or not."""

    terms: Any
    refusals: Any
    book: Any

    def __init__(self) -> None:
        self.progress: dict[str, Progress] = {}
        self.served_of: dict[str, Fraction] = defaultdict(Fraction)  # by capacity, this month

    def capacity_on(self, name: str, day: Day) -> Capacity | None:
        lines = [line for line in self.terms.capacities if line.name == name and line.date <= day]
        return max(lines, key=lambda line: line.date) if lines else None

    def has_capacity(self, provider: str, day: Day) -> bool:
        """Whether meters of a provider need no cost."""
        names = {line.name for line in self.terms.capacities}
        lines = [self.capacity_on(name, day) for name in names]
        return any(line.provider == provider for line in lines if line)

    def count_served(self, event: Event, meter: Meter, sign: int) -> None:
        for name in {line.name for line in self.terms.capacities}:
            line = self.capacity_on(name, event.date)
            if line is None or line.provider != meter.provider:
                continue
            number, commodity = units_of(event, meter)
            of = [each.quantity for each in self.terms.capacities if each.name == name]
            counted = {quantity[1] for quantity in of if quantity}
            if commodity in counted:
                self.served_of[name] += sign * number

    def depreciate(self, day: Day) -> None:
        """The shares of a month, in the evening of its last day."""
        if (day + datetime.timedelta(days=1)).day != 1:
            return
        for name in sorted({line.name for line in self.terms.capacities}):
            line = self.capacity_on(name, day)
            served = self.served_of.pop(name, Fraction(0))
            if line is None:
                continue
            known = self.progress.get(name) or self.at_first(name)
            if line != known.line:
                if line.cost[0] < known.so_far:
                    self.refusals.add(line.place, "less than is depreciated already")
                known = Progress(line, known.so_far, known.so_far)
            known.served += served
            so_far = until(known, month_number(day))
            share, known.so_far = so_far - known.so_far, so_far
            self.progress[name] = known
            legs = [
                Leg("depreciation", share, line.cost[1], partner=name),
                Leg("capacity", -share, line.cost[1], partner=name),
            ]
            self.book(day, "depreciation", legs)

    def at_first(self, name: str) -> Progress:
        """How far it was before the books, as its first line says."""
        lines = [line for line in self.terms.capacities if line.name == name]
        first = min(lines, key=lambda line: line.date)
        known = Progress(first, first.depreciated, first.depreciated, Fraction(first.served))
        if first.started or first.served:
            known.so_far = until(known, month_number(first.date) - 1)
        return known


def until(known: Progress, month: int) -> Decimal:
    """What is depreciated when a month ends: rounded on the line's running total."""
    line = known.line
    left = line.cost[0] - line.residual - known.before
    if left <= 0:
        return known.before
    if line.quantity is not None:
        gone = min(max(known.served / Fraction(line.quantity[0]), Fraction(0)), Fraction(1))
    else:
        begun = month - month_number(line.started or line.date) + 1
        gone = Fraction(max(0, min(begun, line.months)), line.months)
    return known.before + rounded(Fraction(left) * gone, minor_unit(line.cost[1]))


def units_of(event: Event, meter: Meter) -> tuple[Fraction, str]:
    """What a use takes by its meter, whatever was charged; by units where it has no quantity."""
    if event.quantity is not None and meter.units is not None:
        return Fraction(event.quantity * meter.units[0]) / Fraction(meter.per), meter.units[1]
    return Fraction(event.units or ZERO), event.commodity or ""
