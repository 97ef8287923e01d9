"""Closed transactions read back as journal entries: to reverse them, and to count totals.

2026-05-20 * "alice" "Consumption" #compute-consumption   ->  the legs that it was written from
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import localcontext

from beancount.core.data import Directive, Transaction

from beancount_compute.closed.event_rows import FrozenEvent
from beancount_compute.economy.assertions import Totals
from beancount_compute.economy.events import Event, content_id
from beancount_compute.economy.kinds import REVERSIBLE, Kind
from beancount_compute.economy.rounding import WIDE
from beancount_compute.economy.state import Undo
from beancount_compute.ledger.meaning import Meaning, kind_of_tags
from beancount_compute.ledger.writing import ORDER


class Undoing:
    """Reads closed transactions back as journal entries: to reverse them, and to count totals."""

    def __init__(self, meaning: Meaning, events: Mapping[str, Event]) -> None:
        self._meaning, self._events = meaning, events

    def undo(self, entries: Iterable[Directive], wanted: frozenset[str]) -> dict[str, Undo]:
        """What a reversal needs to know of the closed events that it may name."""
        found: dict[str, Undo] = {}
        if not wanted:
            return found
        for entry in entries:
            if not isinstance(entry, Transaction) or ORDER not in entry.meta:
                continue
            if entry.meta.get("event") in wanted and kind_of_tags(entry.tags) in REVERSIBLE:
                self._note(entry.meta["event"], entry, found)
        for event_id in wanted - found.keys():
            merged = self._merged(event_id, entries)
            if merged is not None:
                self._note(event_id, merged, found)
        for entry in entries:
            if isinstance(entry, Transaction) and entry.meta.get("reverses") in found:
                found[entry.meta["reverses"]].done = True
        return found

    def _note(self, event_id: str, entry: Transaction, found: dict[str, Undo]) -> None:
        booked = self._meaning.entry_of(entry)
        if booked is not None:
            found[event_id] = Undo(booked._replace(event=self._events.get(booked.id)))

    def _merged(self, event_id: str, entries: Iterable[Directive]) -> Transaction | None:
        """The transaction of a use that was merged into those before it."""
        event = self._events.get(event_id)
        if event is None or event.kind is not Kind.CONSUMPTION:
            return None
        runs = (
            entry
            for entry in entries
            if isinstance(entry, Transaction)
            and entry.payee == event.subscriber
            and "events" in entry.meta
            and entry.date >= event.date
        )
        return min(runs, key=lambda entry: entry.date, default=None)

    def totals(self, entries: Iterable[Directive]) -> Totals:
        """The figures to date."""
        totals = Totals()
        with localcontext(WIDE):
            for entry in entries:
                if isinstance(entry, Transaction):
                    booked = self._meaning.entry_of(entry) if ORDER in entry.meta else None
                    totals.add(booked.legs if booked else self._meaning.lot_legs(entry))
        return totals


def events_by_id(events: Iterable[FrozenEvent]) -> dict[str, Event]:
    """The closed events by the id under which they were booked."""
    found: dict[str, Event] = {}
    repeats: Counter[str] = Counter()
    for event, _ in events:
        event_id = event.id
        if not event_id:
            event_id = content_id(event)
            repeats[event_id] += 1
            if repeats[event_id] > 1:
                event_id = f"{event_id}-{repeats[event_id]}"
        found[event_id] = event
    return found
