"""The events of a month by the ids under which they are booked.

use-17,2026-05-20,,consumption,alice,...   ->  "use-17"
,2026-05-20,,consumption,alice,...         ->  "e-5f1c0a9b2d34", a second one "e-5f1c0a9b2d34-2"
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from beancount_compute.economy.events import Event, content_id
from beancount_compute.economy.kinds import Kind


class MonthEvents:
    """Finds events by id, and the uses that were merged into one transaction."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.by_id = _by_id(events)
        self.reversed_ids = {event.reverses for event in self.by_id.values() if event.reverses}
        self._uses: dict[str, list[str]] = {}  # the ids of a subscriber's uses, in order

    def run(self, first_id: str, count: int) -> list[tuple[str, Event]]:
        """The uses that a transaction holds: one, or as many as were merged, from the first on."""
        first = self.by_id[first_id]
        if count == 1:
            return [(first_id, first)]
        if not self._uses:
            self._uses = _uses_by_subscriber(self.by_id)
        ids = self._uses[first.subscriber]
        at = ids.index(first_id)
        return [(each, self.by_id[each]) for each in ids[at : at + count]]


def _by_id(events: Iterable[Event]) -> dict[str, Event]:
    """In the order of the books, in which late events stand first by their own days."""
    found: dict[str, Event] = {}
    repeats: dict[str, int] = {}
    for event in sorted(events):
        event_id = event.id
        if not event_id:
            derived = content_id(event)
            count = repeats[derived] = repeats.get(derived, 0) + 1
            event_id = derived if count == 1 else f"{derived}-{count}"
        found[event_id] = event
    return found


def _uses_by_subscriber(events: dict[str, Event]) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for event_id, event in events.items():
        if event.kind is Kind.CONSUMPTION:
            found[event.subscriber].append(event_id)
    return dict(found)
