"""Late events in their turn: on the terms of their own day, ahead of all else of the booking day.

    2026-05-20  a use, which comes when May and June are closed
    2026-07-01  is the day on which it is booked, and `occurred` says 2026-05-20

What they take is the subject of `rules/late_draws.py`. It asks what became of lots since, which is
noted here as the journal grows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import localcontext
from itertools import groupby
from operator import attrgetter

from beancount_compute.economy import (
    EXACT,
    Event,
    JournalEntry,
    LotHistory,
    events_in_order,
    in_full,
)
from beancount_compute.economy.rules.breakage import end_returned
from beancount_compute.economy.rules.latest_first import latest_first
from beancount_compute.economy.rules.reversal import OutcomeOf, placed
from beancount_compute.economy.state import Economy

BookEvents = Callable[[list[Event]], None]


class LateBookings:
    """The late events of a ledger, and how far its journal is part of the history of lots."""

    def __init__(self, economy: Economy, late: Mapping[date, Iterable[Event]]) -> None:
        """`late` has them by the day on which they are booked."""
        self.on = dict(late)
        self._economy = economy
        self._noted = 0

    def remember(self, past: LotHistory | None, events: Iterable[Event]) -> None:
        """Go on from the history of the closed months; `events` may undo what late ones need."""
        if self.on:
            self._economy.history = past.copied() if past else LotHistory()
            self._economy.reversed_on = {
                event.reverses: event.date for event in events if event.reverses
            }

    def tried_on(self, trial: Economy) -> LateBookings:
        """The same for a copy of the economy, in which events are tried."""
        return LateBookings(trial, {})

    def begin_day(self) -> None:
        """Leave out of the history what the journal holds of other days."""
        self._noted = len(self._economy.journal)

    def end_day(self) -> None:
        """Let the day be part of the history, where late events of another one will ask for it."""
        if self.on:
            self._note()

    def book(self, day: date, outcome: OutcomeOf, book: BookEvents) -> None:
        """Book those of a day, before all else of it."""
        economy, plain = self._economy, self._economy.plain
        late = events_in_order(self.on.pop(day, ()))
        for on, events in groupby(late, key=attrgetter("date")):
            economy.terms_of(on)
            economy.plain = False
            end_returned(economy, on)
            self._note()
            with localcontext(EXACT):
                in_order = placed(latest_first(list(events), economy.undo), outcome, economy.undo)
            for event in in_order:
                self.book_event(event, book)
        if late:
            economy.plain = plain
            economy.merging.clear()
            economy.terms_of(day)

    def book_event(self, event: Event, book: BookEvents) -> None:
        """Book a late event, which counts from the day on which it occurred."""
        journal = self._economy.journal
        before = len(journal)
        book([event])
        journal[before:] = [
            entry._replace(occurred=event.date)
            if isinstance(entry, JournalEntry) and entry.event is event
            else entry
            for entry in journal[before:]
        ]
        self._note()

    def _note(self) -> None:
        """Let what was booked since the last time be part of the history of lots."""
        economy = self._economy
        assert economy.history is not None
        for record in economy.journal[self._noted :]:
            economy.history.note(in_full(record))
        self._noted = len(economy.journal)
