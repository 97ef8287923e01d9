"""Newcomers whose names look like known ones, in the order in which they come.

[("2026-04-01", "ann@x.io"), ("2026-05-01", "Ann@x.io")]  ->  of May: Ann@x.io, like ann@x.io
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from beancount_compute.economy import KINDS, PARTNER, Event, Month, Place, names_of
from beancount_compute.review.confusable import keys

SUBSCRIBER_NAME, PARTNER_NAME = "subscriber", "partner"
FirstSeen = tuple[date, str, Place]  # the day of booking, the name, and where it stands


class Lookalike(NamedTuple):
    """A newcomer, and whom the name looks like."""

    what: str  # a subscriber or a partner
    name: str
    other: str
    place: Place


def names_in_events(
    booked: Iterable[tuple[date, Event]], others: Iterable[FirstSeen]
) -> dict[str, list[FirstSeen]]:
    """Where each subscriber and each partner is first named; `others` are subscribers too."""
    subscribers: dict[str, FirstSeen] = {}
    partners: dict[str, FirstSeen] = {}
    for day, event in booked:
        for name in names_of(event):
            _note(subscribers, day, name, event)
        if event.counterparty and KINDS[event.kind].counterparty == PARTNER:
            _note(partners, day, event.counterparty, event)
    for seen in others:
        known = subscribers.setdefault(seen[1], seen)
        if seen < known:
            subscribers[seen[1]] = seen
    return {SUBSCRIBER_NAME: [*subscribers.values()], PARTNER_NAME: [*partners.values()]}


def _note(first: dict[str, FirstSeen], day: date, name: str, event: Event) -> None:
    known = first.get(name)
    if known is None or day < known[0] or (day == known[0] and event.place < known[2]):
        first[name] = (day, name, event.place)


def lookalikes(named: dict[str, list[FirstSeen]]) -> dict[str, list[Lookalike]]:
    """The newcomers of each month that look like somebody known."""
    found: defaultdict[str, list[Lookalike]] = defaultdict(list)
    for what, first in named.items():
        known: dict[str, str] = {}
        for day, name, place in sorted(first, key=lambda each: each[:2]):
            own = keys(name)
            others = sorted({known[key] for key in own if key in known})
            if others:
                found[Month.of(day).name].append(Lookalike(what, name, others[0], place))
            for key in own:
                known.setdefault(key, name)
    return dict(found)
