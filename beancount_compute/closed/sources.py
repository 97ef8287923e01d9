"""The ledger's own events against the frozen ones: what is open, what is late, what was changed.

use-17,2026-05-20,,consumption,alice,...   in May, which is closed, and not frozen: a late event
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

from beancount_compute.closed.carrying import Seen
from beancount_compute.closed.chain import NO_SEAL, Chain
from beancount_compute.closed.doubts import Doubts
from beancount_compute.closed.event_rows import FrozenEvent
from beancount_compute.closed.months import FrozenMonth
from beancount_compute.economy.events import CONTENT, Event, id_taken, same_content
from beancount_compute.economy.kinds import NEVER_LATE
from beancount_compute.economy.months import Month
from beancount_compute.economy.words import quoted
from beancount_compute.ledger.errors import Errors

MOST_OF_A_KIND = 5  # errors of one kind for a month, before the rest is only counted


class Sources(NamedTuple):
    """The ledger's own events, by what becomes of them."""

    opened: list[Event]
    late: list[Event]
    # by month: those that were frozen, as the ledger has them; only where a month does not hold
    closed: dict[str, list[FrozenEvent]]
    lost: list[FrozenEvent]  # of months whose frozen text does not hold, and not in its rows
    seen: Seen  # what the frozen events say of subscribers


def split_sources(
    events: Iterable[Event], months: Iterable[FrozenMonth], chain: Chain, errors: Errors
) -> Sources:
    """The open and the late events; each closed one must be what was frozen."""
    sorting = _Sorting(events, chain.last_day)
    sources = Sources([], [], {}, [], Seen())
    keep = chain.broken or not all(month.holds for month in months)
    for month in months:
        matched = sorting.match(month, sources.seen, errors)
        if keep:
            sources.closed[month.name] = list(matched)
        else:
            deque(matched, maxlen=0)  # each is let go
    left = [*_not_frozen(sorting.repeats, months, errors), *sorting.by_id.values()]
    anonymous = [event for same in sorting.anonymous.values() for event in same]
    doubts = Doubts(months, sorting.whole, sorting.matched, chain)
    strange: list[Event] = []
    for event in (*left, *anonymous):
        held = doubts.held(event)
        if held is None:
            strange.append(event)
        else:
            sources.lost.append(held)
    for event in sorted(strange):
        held = doubts.held_late(event)
        if held is not None:
            sources.lost.append(held)
        elif event.kind in NEVER_LATE:
            message = (
                f"a {event.kind} can't come late: {event.date} lies in a closed month; "
                f"date it {chain.first_open_day}, the first open day, or later"
            )
            errors.add(event.place, message)
        elif not event.id:
            message = (
                f"{event.date} lies in a closed month: give this event an id, and it is booked "
                f"late, on {chain.first_open_day}; or date it {chain.first_open_day} or later"
            )
            errors.add(event.place, message)
        else:
            sources.late.append(event)
    sources.late[:] = _each_once(sources.late, errors)
    taken = {**sorting.taken, **{event.id: event for event in sources.late}}
    for event in sorting.opened:
        if event.id not in taken:
            sources.opened.append(event)
        elif event.id not in sorting.moved:
            errors.add(event.place, id_taken(event.id, taken[event.id].place))
    return sources


def _each_once(late: list[Event], errors: Errors) -> list[Event]:
    """Late events of one id and the same content count once; the first in order stands."""
    first_of: dict[str, Event] = {}
    for event in sorted(late):
        first = first_of.setdefault(event.id, event)
        if not same_content(first, event):
            errors.add(event.place, id_taken(event.id, first.place))
    return list(first_of.values())


class _Sorting:
    """The events of a ledger, to be matched with frozen ones month by month."""

    def __init__(self, events: Iterable[Event], last_day: date) -> None:
        self.opened: list[Event] = []
        self.by_id: dict[str, Event] = {}
        self.repeats: list[Event] = []
        self.anonymous: dict[tuple[object, ...], list[Event]] = {}
        self.taken: dict[str, Event] = {}  # closed events whose ids open ones have as well
        self.moved: set[str] = set()  # those that the ledger now only dates later
        self.matched: Counter[str] = Counter()  # events that frozen rows name, by month
        self.whole: set[str] = set()  # months of which no row is missing
        for event in events:
            if event.date > last_day:
                self.opened.append(event)
            elif not event.id:
                self.anonymous.setdefault(event[:CONTENT], []).append(event)
            elif self.by_id.setdefault(event.id, event) is not event:
                self.repeats.append(event)
        self._open_ids = {event.id: event for event in reversed(self.opened) if event.id}

    def match(self, month: FrozenMonth, seen: Seen, errors: Errors) -> Iterator[FrozenEvent]:
        """Take a month's frozen events out; tell what differs or is gone, where the month holds."""
        gone: list[Event] = []
        rows = 0
        for frozen in month.events:
            rows += 1
            seen.add(frozen)
            event, _ = frozen
            source = self._source(event)
            if source is None:
                gone.append(event)
                if month.holds:
                    yield frozen
                continue
            if source[:CONTENT] != event[:CONTENT] and month.holds:
                _tell_changed(month, event, source, errors)
                source = event
            yield frozen if month.holds else _as_booked(source, month)
        files = month.files
        self.matched[month.name] = rows - len(gone)
        if files.untouched or (rows == files.seal.events and not gone):
            self.whole.add(month.name)
        if month.holds:
            _tell_gone(month, gone, errors)

    def _source(self, event: Event) -> Event | None:
        if not event.id:
            same = self.anonymous.get(event[:CONTENT])
            return same.pop() if same else None
        source = self.by_id.pop(event.id, None)
        if event.id in self._open_ids:
            self.taken[event.id] = source or event
            if source is None:
                self.moved.add(event.id)
                return self._open_ids[event.id]
        return source


def _as_booked(source: Event, month: FrozenMonth) -> FrozenEvent:
    """An event of a month that does not hold: late ones are booked on its first day."""
    first_day = Month.parse(month.name).first
    late = source.date < first_day and month.files.seal.previous != NO_SEAL
    return FrozenEvent(source, first_day if late else None)


def _tell_changed(month: FrozenMonth, event: Event, source: Event, errors: Errors) -> None:
    message = (
        f"event id {quoted(event.id)} is booked in the closed month {month.name} with another "
        f"content ({event.place}): restore this line as it was, and correct it with a "
        "compute-reversal and a new event"
    )
    errors.add(source.place, message)


def _tell_gone(month: FrozenMonth, gone: list[Event], errors: Errors) -> None:
    for at, event in enumerate(gone):
        rest = len(gone) - at - 1
        more = f" (and {rest} more of {month.name})" if rest and at + 1 == MOST_OF_A_KIND else ""
        name = f"event {quoted(event.id)}" if event.id else f"this {event.kind} without an id"
        message = (
            f"{name} of the closed month {month.name} is gone from the ledger's events{more}: "
            "restore it; what is booked stands, and a compute-reversal undoes it"
        )
        errors.add(event.place, message)
        if more:
            break


def _not_frozen(repeats: list[Event], months: Iterable[FrozenMonth], errors: Errors) -> list[Event]:
    """The second events of an id that repeat no frozen one; one that says else is an error."""
    if not repeats:
        return []
    frozen_of = {event.id: (month, event) for month in months for event, _ in month.events}
    left: list[Event] = []
    for event in repeats:
        if event.id not in frozen_of:
            left.append(event)
        elif not same_content(frozen_of[event.id][1], event):
            _tell_changed(*frozen_of[event.id], event, errors)
    return left
