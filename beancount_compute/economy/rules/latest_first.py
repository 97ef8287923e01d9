"""Reversals of one day: what stands later in the books is undone first, cancellations at once.

    2026-06-05   reversal of the top-up of 1 May     stands second: its units are all there again
    2026-06-05   reversal of the use of 20 May       stands first

So a chain of events can be undone on one day, whatever their ids.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from beancount_compute.economy import Event, Kind
from beancount_compute.economy.rules.reversal import targets

_kind_of = attrgetter("kind")


def latest_first(events: list[Event], booked: Iterable[str]) -> list[Event]:
    """The events of a day with its reversals of one time in that order; nothing else moves.

    `booked` are the ids of what was booked so far and is reversed some day, in order.
    """
    reversals = [event for event in events if event.kind is Kind.REVERSAL]
    if len(reversals) < 2:
        return events
    at = {event_id: position for position, event_id in enumerate(booked)}
    today = {id(event): position for position, event in enumerate(events, len(at))}
    at |= {each.event.reverses: today[id(of.event)] for each, of in targets(events).items()}
    in_turn = iter(sorted(reversals, key=lambda each: (each.time, -at.get(each.reverses, -1))))
    return [next(in_turn) if event.kind is Kind.REVERSAL else event for event in events]


def cancellations_first(events: list[Event]) -> tuple[list[Event], list[Event]]:
    """The cancellations of a day, with their reversals behind them, and the other events."""
    at = 0  # they come first in the order of the books
    while at < len(events) and events[at].kind is Kind.CANCELLATION:
        at += 1
    if not at:
        return [], events
    undone = {id(each.event): of.event for each, of in targets(events).items()}
    undone = {each: of for each, of in undone.items() if of in events[:at]}
    first = [
        each
        for event in events[:at]
        for each in (event, *(other for other in events[at:] if undone.get(id(other)) is event))
    ]
    return first, [event for event in events[at:] if id(event) not in undone]


def changes_apart(events: list[Event]) -> tuple[list[Event], list[Event]]:
    """The changes of plan of a day, which come before its periods, and the other events."""
    if Kind.CHANGE not in map(_kind_of, events):
        return [], events
    changes = [each for each in events if each.kind is Kind.CHANGE]
    return changes, [each for each in events if each.kind is not Kind.CHANGE]
