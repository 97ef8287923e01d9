"""What was stated, by day: the engine takes one day after the other."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from operator import attrgetter
from typing import NamedTuple, TypeVar

from beancount_compute.economy.events import Event, Kind, content_id
from beancount_compute.economy.facts import Assertion, HandPosting, Introduction

Dated = TypeVar("Dated", Assertion, HandPosting, Introduction)

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_id_of = attrgetter("id")
_reversed_by = attrgetter("reverses")


class ByDay(NamedTuple):
    """Events by day, and what their ids tell."""

    events_on: dict[date, list[Event]]
    reversed_ids: frozenset[str]  # that reversals name
    repeated_ids: set[str]  # that come more than once
    like_periods: set[str]  # "s/2026-06-01", which is the id of a period of a subscription "s"


def by_day_of(events: Iterable[Event]) -> ByDay:
    """The events by day."""
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
    like_periods: set[str] = set()
    if "/" in "".join(ids):  # asked of all at once, which is quicker
        like_periods = {name for name in ids if subscription_of(name)}
    return ByDay(dict(by_day), frozenset(reversed_ids - {""}), repeated, like_periods)


def subscription_of(event_id: str) -> str:
    """The subscription that an id would be of a period of: "s" of "s/2026-06-01"; else ""."""
    subscription, _, day = event_id.rpartition("/")
    return subscription if _DAY.fullmatch(day) else ""


def subscription_ids(events: Iterable[Event]) -> Iterator[str]:
    """The ids of the subscriptions among events, given or derived."""
    for event in events:
        if event.kind is Kind.SUBSCRIPTION:
            yield event.id or content_id(event)


def only_cancellations(events: list[Event]) -> bool:
    """Whether nothing else happens among events; cancellations make no derived entries."""
    return all(event.kind is Kind.CANCELLATION for event in events)


def grouped(things: Iterable[Dated]) -> dict[date, list[Dated]]:
    """Things by their day, in the order given."""
    found: dict[date, list[Dated]] = {}
    for thing in things:
        found.setdefault(thing.date, []).append(thing)
    return found
