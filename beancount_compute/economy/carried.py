"""What the closed months hand on: the state at the beginning of the first open day.

    closed/2026-05.beancount  ->  lots, subscriptions, what can still be reversed  ->  2026-06-01

The engine goes on from it as if it had booked those months itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from beancount_compute.economy.assertions import Totals
from beancount_compute.economy.events import Event
from beancount_compute.economy.lots import Key, Lot
from beancount_compute.economy.rules.subscription import resume
from beancount_compute.economy.state import Economy, Undo


class Carried(NamedTuple):
    """The state of the books when their closed months end."""

    last_day: date  # of the last closed month
    lots: list[tuple[Lot, Decimal]]
    known: Mapping[str, date]  # subscribers, with the day since which they are known
    subscriptions: Iterable[tuple[Event, str]]  # their events and cancellations, with ids, in order
    undo: Mapping[str, Undo]  # of closed events that open ones reverse
    terms_days: Mapping[tuple[str, Key], date]  # of lots that came late, by holder and key
    period_ends: Iterable[tuple[str, date]]  # of subscribers' single periods, behind the last day
    totals: Totals | None = None  # only where something is asserted


def take_over(economy: Economy, carried: Carried, first_day: date) -> None:
    """Let the economy stand where the closed months left it."""
    for name, since in carried.known.items():
        economy.today = since
        economy.welcome(name)
    economy.today = first_day
    economy.terms_days.update(carried.terms_days)
    for lot, units in carried.lots:
        economy.put(economy.welcome(lot.holder), lot, units)
    for name, day in carried.period_ends:
        economy.end_period_later(name, day)
    resume(economy, carried.subscriptions, carried.last_day)
    economy.undo.update({event_id: replace(undo) for event_id, undo in carried.undo.items()})
