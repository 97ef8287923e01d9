"""The capacities of a ledger as a new one opens with them, from a day on.

2026-01-01 "gpu" 4800.00 USD, life 48 months    -> 2027-01-01 "gpu" 4800.00 USD, life 48 months,
                                                   started 2026-01-01
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from beancount_compute.economy.capacities import Capacity, Depreciation
from beancount_compute.economy.engine import Bookkeeper
from beancount_compute.economy.inputs import Facts
from beancount_compute.economy.months import Month
from beancount_compute.economy.term_values import Money
from beancount_compute.economy.terms import Terms, Timeline
from tests.laws.captured import Captured


def depreciations_on(
    ledger: Captured, facts: Facts, terms: Terms, day: date
) -> Mapping[str, Depreciation]:
    """How far each capacity is depreciated when a day is over."""
    keeper = Bookkeeper(facts._replace(events=[*facts.events]), terms, ledger.component, ends=[day])
    for _ in keeper.records():
        pass
    return keeper.states[day].depreciations


def capacities_from(terms: Terms, known: Mapping[str, Depreciation], first: date) -> Terms:
    """The terms with the lines in force before a month's first day in the words of that day."""
    found = {}
    for name, timeline in terms.capacities.items():
        lines = {line.since: line for line in timeline if line.since >= first}
        if name in known:
            line = timeline.on(first)
            assert line is not None
            lines[first] = _opening_line(line, known[name], first)
        found[name] = Timeline(sorted(lines.items()))
    return terms._replace(capacities=found)


def _opening_line(line: Capacity, known: Depreciation, first: date) -> Capacity:
    if line.since == first:  # it takes over, from what was depreciated by then
        return line._replace(depreciated=Money(known.so_far, known.currency))
    line = line._replace(since=first, depreciated=Money(known.before, known.currency))
    if line.quantity is not None:
        return line._replace(served=Money(known.served, line.quantity.currency))
    return line._replace(started=line.started or known.since)


def taken_over(terms: Terms) -> dict[object, date]:
    """By the place of each line the day on which its first share is booked."""
    lines = [line for timeline in terms.capacities.values() for line in timeline]
    return {line.place: Month.of(line.since).last for line in lines}
