"""What was stated, by day: the engine takes one day after the other."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date
from operator import attrgetter
from typing import TypeVar

from beancount_compute.economy.events import Event
from beancount_compute.economy.inputs import Assertion, HandPosting, Introduction
from beancount_compute.economy.kinds import Kind

Dated = TypeVar("Dated", Assertion, HandPosting, Introduction)

_id_of = attrgetter("id")
_reversed_by = attrgetter("reverses")


def by_day_of(
    events: Iterable[Event],
) -> tuple[dict[date, list[Event]], frozenset[str], set[str]]:
    """The events by day; the ids that reversals name, and those that come more than once."""
    by_day: defaultdict[date, list[Event]] = defaultdict(list)
    events = list(events)
    for event in events:
        by_day[event.date].append(event)
    # in the order in which they were read, as they lie in memory
    ids = list(filter(None, map(_id_of, events)))
    reversed_ids = set(map(_reversed_by, events))
    repeated: set[str] = set()
    if len(set(ids)) < len(ids):
        repeated = {name for name, times in Counter(ids).items() if times > 1}
    return dict(by_day), frozenset(reversed_ids - {""}), repeated


def only_cancellations(events: list[Event]) -> bool:
    """Whether nothing else happens among events; cancellations make no derived entries."""
    return all(event.kind is Kind.CANCELLATION for event in events)


def grouped(things: Iterable[Dated]) -> dict[date, list[Dated]]:
    """Things by their day, in the order given."""
    found: dict[date, list[Dated]] = {}
    for thing in things:
        found.setdefault(thing.date, []).append(thing)
    return found
