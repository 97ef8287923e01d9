"""What a review looks at, put in order once: events by month, sales, names, files.

Everything that is written counts, also what is in closed months; a rule gives what it finds in one
month, as the books stood at the end of that month.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from operator import attrgetter
from typing import NamedTuple

from beancount_compute.booking import Booking
from beancount_compute.economy import (
    STOCK,
    Event,
    HandPosting,
    Introduction,
    Kind,
    Month,
    Place,
    Terms,
    content_id,
)
from beancount_compute.ledger import bulk_folders
from beancount_compute.reports import LATE, Books
from beancount_compute.review.bills import Bills
from beancount_compute.review.file_series import FileSeries, file_series
from beancount_compute.review.lookalikes import Lookalike, lookalikes, names_in_events

EVENT_FILES = (".csv", ".parquet")


class Sale(NamedTuple):
    """A trade as it was written."""

    event: Event
    month: str  # of booking
    reversed_in: str  # the month of that booking; "" where it stands

    def stands_in(self, month: str) -> bool:
        """Whether it was not reversed by the end of a month."""
        return not self.reversed_in or self.reversed_in > month


class LateOne(NamedTuple):
    """An event that came after its month was closed."""

    event: Event
    month: str  # of booking


@dataclass(frozen=True, eq=False)
class LookedAt:
    """All that a review looks at."""

    events: Sequence[Event]  # each once, by day
    late: Sequence[LateOne]
    openings: Sequence[HandPosting]
    introductions: Sequence[Introduction]
    files: Sequence[str]  # of events, as seen from the ledger
    path: str  # of the ledger
    terms: Terms
    books: Books
    bulk: Mapping[str, str]  # the folders of months in bulk

    @cached_property
    def month_of(self) -> dict[str, str]:
        """The month of booking of late events, by id."""
        return {event.id: month for event, month in self.late}

    def booked(self, event: Event) -> str:
        """The month in which an event is booked."""
        return self.month_of.get(event.id) or Month.of(event.date).name

    @cached_property
    def by_month(self) -> dict[str, list[Event]]:
        """The events of each month, by the day on which they occurred."""
        found: defaultdict[str, list[Event]] = defaultdict(list)
        for event in self.events:
            found[Month.of(event.date).name].append(event)
        return dict(found)

    @cached_property
    def reversed_in(self) -> dict[str, str]:
        """The month in which the reversal of what is named was booked."""
        found: dict[str, str] = {}
        for event in self.events:
            if event.reverses:
                found.setdefault(event.reverses, self.booked(event))
        return found

    @cached_property
    def sales(self) -> list[Sale]:
        """All trades, in the order of the books."""
        found: list[Sale] = []
        times: dict[str, int] = {}
        for event in sorted(each for each in self.events if each.kind is Kind.TRADE):
            if not event.flaw:
                name = event.id
                if not name:
                    name = content_id(event)
                    times[name] = times.get(name, 0) + 1
                    name = f"{name}-{times[name]}" if times[name] > 1 else name
                found.append(Sale(event, self.booked(event), self.reversed_in.get(name, "")))
        return found

    @cached_property
    def sales_of(self) -> dict[str, list[Sale]]:
        """The trades booked in each month."""
        found: defaultdict[str, list[Sale]] = defaultdict(list)
        for sale in self.sales:
            found[sale.month].append(sale)
        return dict(found)

    def file_of(self, event: Event) -> str:
        """The event file that an event stands in, as seen from the ledger; "" for the ledger."""
        return self._seen_from_ledger(event.file)

    def _seen_from_ledger(self, file: str) -> str:
        known = self._files.get(file)
        if known is None:
            path = os.path.relpath(file, self.folder) if file else ""
            path = path.replace(os.sep, "/") if path.lower().endswith(EVENT_FILES) else ""
            known = self._files[file] = path
        return known

    @cached_property
    def _files(self) -> dict[str, str]:
        return {}

    @cached_property
    def kinds_in(self) -> dict[str, frozenset[Kind]]:
        """The kinds of the events of each month."""
        return {
            month: frozenset([event.kind for event in events])
            for month, events in self.by_month.items()
        }

    @cached_property
    def series(self) -> dict[str, FileSeries]:
        """The series of event files."""
        days = {(event.file, event.date) for event in self.events}  # few beside the events
        months = {(self._seen_from_ledger(file), Month.of(day).name) for file, day in days}
        return file_series(self.files, months)

    @cached_property
    def lookalikes(self) -> dict[str, list[Lookalike]]:
        """The newcomers of each month whose names look like known ones."""
        booked = ((self._day_of(event), event) for event in self.events)
        others = [(each.date, each.lot.holder, each.place) for each in self.openings]
        others += [(each.date, each.name, each.place) for each in self.introductions]
        return lookalikes(names_in_events(booked, others))

    def _day_of(self, event: Event) -> date:
        """The day from which an event is known, as far as its month of booking tells."""
        month = self.month_of.get(event.id) if event.id else None
        return max(Month.parse(month).first, event.date) if month else event.date

    @cached_property
    def bills(self) -> Bills:
        """What was billed, and what of it was paid."""
        return Bills(self.books)

    @property
    def ledger(self) -> Place:
        """Where what stands nowhere is missed: the ledger."""
        return Place(self.path, 1)

    @property
    def folder(self) -> str:
        """The folder of the ledger."""
        return os.path.dirname(self.path)

    @cached_property
    def places(self) -> dict[str, Place]:
        """Where the subscriptions stand, by id."""
        return {
            event.id or content_id(event): event.place
            for event in self.events
            if event.kind is Kind.SUBSCRIPTION
        }

    def place_of_transaction(self, at: int) -> Place:
        """Where a transaction of the books was written."""
        meta = self.books.transactions[at].meta
        return Place(str(meta.get("filename", "")), int(meta.get("lineno", 0)))


def looked_at(booking: Booking, books: Books) -> LookedAt:
    """What there is to look at in a ledger."""
    seen: set[str] = set()
    events: list[Event] = []
    for event in sorted(booking.own_events, key=attrgetter("date")):
        if not event.id or event.id not in seen:
            seen.add(event.id)
            events.append(event)
    late = [*_late_ones(booking.facts.late, books)]
    late += [
        LateOne(event, month.name)
        for month in booking.closed.months
        for event, day in month.events
        if day is not None
    ]
    openings = [each for each in booking.written_by_hand.openings if each.lot.pocket is not STOCK]
    ledger = os.path.abspath(str(booking.options.get("filename") or ""))
    folder = os.path.dirname(ledger)
    return LookedAt(
        events,
        sorted(late),
        sorted(openings, key=lambda each: (each.date, each.place)),
        sorted(booking.written_by_hand.introductions),
        event_files(booking.options["include"], folder, booking.chain.folder),
        ledger,
        booking.terms.terms,
        books,
        bulk_folders(booking.options["include"]),
    )


def _late_ones(late: Mapping[date, Iterable[Event]], books: Books) -> Iterator[LateOne]:
    """The late events of the open days that were booked; a reversal may book nothing."""
    booked = {each.meta.get("event") for each in books.transactions if late and LATE in each.tags}
    for day, came in late.items():
        for event in came:
            if event.id in booked or event.kind is Kind.REVERSAL:
                yield LateOne(event, Month.of(day).name)


def event_files(include: Iterable[str], folder: str, closed: str) -> list[str]:
    """The event files that a load read, as seen from the ledger's folder."""
    return sorted(
        os.path.relpath(name, folder).replace(os.sep, "/")
        for name in include
        if name.lower().endswith(EVENT_FILES)
        and not (closed and os.path.abspath(name).startswith(os.path.abspath(closed) + os.sep))
    )
