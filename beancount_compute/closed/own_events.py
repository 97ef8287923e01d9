"""The ledger's own events against the frozen ones: what is open, what is late, what was changed.

use-17,2026-05-20,,consumption,alice,...   in May, which is closed, and not frozen: a late event
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from beancount_compute.closed.frozen_months import Closed, FrozenMonth
from beancount_compute.closed.frozen_rows import FrozenEvent
from beancount_compute.economy import (
    CONTENT,
    Event,
    Kind,
    events_in_order,
    id_taken,
    quoted,
    same_content,
)
from beancount_compute.ledger import Errors

MOST_OF_A_KIND = 5  # errors of one kind for a month, before the rest is only counted
NEVER_LATE = (Kind.SUBSCRIPTION, Kind.CANCELLATION, Kind.CHANGE)


class OwnEvents(NamedTuple):
    """The ledger's own events that are not in the closed months."""

    opened: list[Event]
    late: list[Event]


def split_events(events: Iterable[Event], closed: Closed, errors: Errors) -> OwnEvents:
    """The open and the late events; each closed one must be what was frozen."""
    sorting = _Sorting(events, closed)
    for month in closed.months:
        sorting.match(month, errors)
    left = [*_not_frozen(sorting.repeats, closed, errors), *sorting.by_id.values()]
    left += [event for same in sorting.anonymous.values() for event in same]
    late: list[Event] = []
    for event in events_in_order(left):
        if sorting.doubtful:  # it may well be booked in a month whose rows can't be read
            continue
        if event.kind in NEVER_LATE:
            message = (
                f"a {event.kind} can't come late: {event.date} lies in a closed month; "
                f"date it {closed.first_open_day}, the first open day, or later"
            )
            errors.add(event.place, message)
        elif not event.id:
            message = (
                f"{event.date} lies in a closed month: give this event an id, and it is booked "
                f"late, on {closed.first_open_day}; or date it {closed.first_open_day} or later"
            )
            errors.add(event.place, message)
        else:
            late.append(event)
    late = _each_once(late, errors)
    taken = {**sorting.taken, **{event.id: event for event in late}}
    opened: list[Event] = []
    for event in sorting.opened:
        if event.id not in taken:
            opened.append(event)
        elif event.id not in sorting.moved:
            errors.add(event.place, id_taken(event.id, taken[event.id].place))
    return OwnEvents(opened, late)


def _each_once(late: list[Event], errors: Errors) -> list[Event]:
    """Late events of one id and the same content count once; the first in order stands."""
    first_of: dict[str, Event] = {}
    for event in late:
        first = first_of.setdefault(event.id, event)
        if not same_content(first, event):
            errors.add(event.place, id_taken(event.id, first.place))
    return list(first_of.values())


class _Sorting:
    """The events of a ledger, to be matched with frozen ones month by month."""

    def __init__(self, events: Iterable[Event], closed: Closed) -> None:
        self.opened: list[Event] = []
        self.by_id: dict[str, Event] = {}
        self.repeats: list[Event] = []
        self.anonymous: dict[tuple[object, ...], list[Event]] = {}
        self.taken: dict[str, Event] = {}  # closed events whose ids open ones have as well
        self.moved: set[str] = set()  # those that the ledger now only dates later
        self.doubtful = False  # a row of a closed month can't be read
        last_day = closed.last_day
        for event in events:
            if event.date > last_day:
                self.opened.append(event)
            elif not event.id:
                self.anonymous.setdefault(_content(event), []).append(event)
            elif self.by_id.setdefault(event.id, event) is not event:
                self.repeats.append(event)
        self._open_ids = {event.id: event for event in reversed(self.opened) if event.id}

    def match(self, month: FrozenMonth, errors: Errors) -> None:
        """Take a month's frozen events out; tell what differs or is gone."""
        gone: list[Event] = []
        frozen = _rows_of(month, errors)
        if frozen is None:
            self.doubtful = True
            return
        frozen.reverse()
        while frozen:  # each is let go as soon as it is compared
            event, _ = frozen.pop()
            source = self._source(event)
            if source is None:
                gone.append(event)
            elif source[:CONTENT] != event[:CONTENT] and _content(source) != _content(event):
                _tell_changed(month, event, source, errors)
        _tell_gone(month, gone, errors)

    def _source(self, event: Event) -> Event | None:
        if not event.id:
            same = self.anonymous.get(_content(event))
            return same.pop() if same else None
        source = self.by_id.pop(event.id, None)
        if event.id in self._open_ids:
            self.taken[event.id] = source or event
            if source is None:
                self.moved.add(event.id)
                return self._open_ids[event.id]
        return source


def _rows_of(month: FrozenMonth, errors: Errors) -> list[FrozenEvent] | None:
    """The frozen events of a month; None where not all of them can be read."""
    own, seal = Errors(), month.files.seal
    frozen = month.files.events(month.fields, own)
    for error in own.found:
        message = f"closed month {seal.month}: {error.message}"
        errors.found.append(error._replace(message=message))
    if own.found:
        return None
    if len(frozen) != seal.events:
        message = (
            f"the seal of {seal.month} says {seal.events} events, its file holds {len(frozen)}: "
            "restore the index as it was"
        )
        errors.add(seal.place, message)
    return frozen


def _content(event: Event) -> tuple[Any, ...]:
    """What an event says; the ends of lines in it are no content."""
    return tuple(
        each.replace("\r\n", "\n") if each.__class__ is str else each for each in event[:CONTENT]
    )


def _tell_changed(month: FrozenMonth, event: Event, source: Event, errors: Errors) -> None:
    message = (
        f"event id {quoted(event.id)} is booked in the closed month {month.name} with another "
        f"content ({event.place}): restore this line as it was, and correct it with a "
        "compute-reversal and a new event"
    )
    errors.add(source.place, message)


def _tell_gone(month: FrozenMonth, gone: list[Event], errors: Errors) -> None:
    if gone and errors.unread:  # they stand where nobody can read them
        ids, file = errors.unread_ids(), errors.unread_file()
        causes = [ids.get(event.id) or file for event in gone]
        for event, cause in zip(gone, causes, strict=True):
            if cause is not None:
                errors.add_following(event.place, cause)
        gone = [event for event, cause in zip(gone, causes, strict=True) if cause is None]
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


def _not_frozen(repeats: list[Event], closed: Closed, errors: Errors) -> list[Event]:
    """The second events of an id that repeat no frozen one; one that says else is an error."""
    if not repeats:
        return []
    frozen_of = {event.id: (month, event) for month in closed.months for event, _ in month.events}
    left: list[Event] = []
    for event in repeats:
        if event.id not in frozen_of:
            left.append(event)
        elif _content(frozen_of[event.id][1]) != _content(event):
            _tell_changed(*frozen_of[event.id], event, errors)
    return left
