"""What a ledger says to a month in bulk: terms, names, and what people wrote by hand.

The events stand in Parquet. Derived entries are booked up to the month's last day.
"""

from __future__ import annotations

import hashlib
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from beancount_compute.close.bulk_month import terms_digest
from beancount_compute.close.loading import Loaded, load
from beancount_compute.close.storage import CloseError
from beancount_compute.economy import (
    AS_OF,
    POSTING_GRAIN,
    STOCK,
    TIME_ZONE,
    Assertion,
    ControlTotal,
    Event,
    Facts,
    Grain,
    HandPosting,
    Introduction,
    Month,
    OpeningAccrual,
    Role,
    Terms,
)
from beancount_compute.ledger import BULK_JOURNAL, Accounts, bulk_folders

JOURNAL = BULK_JOURNAL
OPERATOR = ""  # whose name stands where subscribers have theirs


_NO_FILE = re.compile(
    r'File glob "(?P<path>((?P<folder>[^"*?[]*(?P<month>[0-9]{4}-[0-9]{2}))/)?[^"]*)" does not .*'
)


class BulkError(CloseError):
    """What stops a month in bulk, in words for the person who asked for it."""


class BulkTerms(NamedTuple):
    """All that a shard needs of the ledger; it can be sent to another process."""

    month: Month
    terms: Terms
    accounts: Accounts
    openings: list[HandPosting]
    removals: list[HandPosting]
    introductions: list[Introduction]
    accruals: list[OpeningAccrual]
    events: list[Event]  # of the ledger itself, of all months in bulk
    assertions: list[Assertion]  # likewise
    controls: list[ControlTotal]  # likewise
    earned: dict[tuple[Role, str, str], Decimal]  # before the month, as far as it is asserted
    zone: str
    title: str
    digest: str  # of the text that all this was read from
    terms_digest: str = ""  # of terms and hand-written lots up to the month's end, by value

    def facts_of(self, names: frozenset[str], known: frozenset[str] | None) -> Facts:
        """What was written by hand of some subscribers, of whom these are known already.

        Where the books begin with this month (`known` is None), what lies before it counts too.
        """
        first, last = self.month.first, self.month.last
        begins = date.min if known is None else first
        operator = OPERATOR in names

        def whose(each: HandPosting) -> bool:
            return operator if each.lot.pocket is STOCK else each.lot.holder in names

        return Facts(
            openings=[e for e in self.openings if whose(e) and begins <= e.date <= last],
            removals=[e for e in self.removals if whose(e) and begins <= e.date <= last],
            accruals=[e for e in self.accruals if operator and begins <= e.date <= last],
            events=self.own_events if operator else [],
            assertions=[e for e in self.asserted if e.subscriber and e.subscriber in names],
            introductions=[
                each if known is None else each._replace(date=max(each.date, first))
                for each in self.introductions
                if each.name in names and each.name not in (known or ()) and each.date <= last
            ],
        )

    @property
    def named(self) -> set[str]:
        """The subscribers whom the ledger names."""
        by_hand = {
            each.lot.holder
            for each in (*self.openings, *self.removals)
            if each.lot.pocket is not STOCK
        }
        asserted = {each.subscriber for each in self.asserted if each.subscriber}
        return by_hand | asserted | {each.name for each in self.introductions}

    @property
    def own_events(self) -> list[Event]:
        """The month's events that stand in the ledger; all are booked in the operator's part."""
        return [each for each in self.events if Month.of(each.date) == self.month]

    @property
    def asserted(self) -> list[Assertion]:
        """The assertions of the month."""
        return [each for each in self.assertions if Month.of(each.date) == self.month]

    @property
    def controlled(self) -> list[ControlTotal]:
        """The control totals of the month."""
        return [each for each in self.controls if Month.of(each.date) == self.month]

    @property
    def has_operator(self) -> bool:
        """Whether the operator has books of its own, of providers, capacity or events."""
        terms = self.terms
        return bool(terms.known_providers or terms.capacities or self.own_events)


def read_ledger(ledger: Path, bulk_from: date) -> Loaded:
    """The ledger, which must be without errors; what is of a day or later is left to bulk."""
    loaded = load(ledger, bulk_from=bulk_from)
    errors = [
        each for each in loaded.errors if not _no_journal_yet(each.message, ledger, bulk_from)
    ]
    if errors:
        error = errors[0]
        source = error.source or {}
        place = f"{source.get('filename', ledger)}:{source.get('lineno', 0)}"
        count = len(errors)
        others = f" (the first of {count:,} errors)" if count > 1 else ""
        raise BulkError(f"{place}: {error.message}{others}: mend the ledger first")
    _ = loaded.booked  # raises where the plugin is not used
    return loaded


def _no_journal_yet(message: str, ledger: Path, bulk_from: date) -> bool:
    """Whether an error is that the ledger includes journals of which there is none yet.

    Raises `BulkError` where it names that of an earlier month: from nothing none is begun again.
    """
    found = _NO_FILE.fullmatch(message)
    if found is None or not found["path"].endswith(JOURNAL):
        return False
    if found["month"] and found["month"] < Month.of(bulk_from).name:
        raise BulkError(
            f"{ledger} includes {found['path']}, which is gone: bring back the folder "
            f"{found['folder']}, or book {found['month']} anew"
        )
    return True


def refuse_elsewhere(loaded: Loaded, folder: Path, month: Month) -> None:
    """Refuse a folder of months that lacks those which the ledger includes."""
    for name, included in bulk_folders(loaded.options["include"]).items():
        if name < month.name and not (folder / name).exists():
            raise BulkError(
                f"the ledger includes {included}, and {folder} has no {name}: {month} goes on from "
                f"the months before it: give their folder with --into"
            )


def bulk_terms(loaded: Loaded, month: Month) -> BulkTerms:
    """What a loaded ledger says to a month; raises `BulkError` for what no shard can book."""
    booking = loaded.booked
    terms = booking.terms.terms
    _refuse_left_behind(loaded, month)
    facts = booking.written_by_hand
    wanted = terms.setting(AS_OF, month.last).setting(POSTING_GRAIN, Grain.EVENT)
    return BulkTerms(
        month,
        Terms(*map(_plain, wanted)),
        booking.accounts,
        list(facts.openings),
        list(facts.removals),
        list(facts.introductions),
        list(facts.accruals),
        [each for each in booking.own_events if booking.terms.in_bulk(each.date)],
        [each for each in booking.assertions if booking.terms.in_bulk(each.date)],
        [each for each in booking.controls if booking.terms.in_bulk(each.date)],
        dict(booking.state.carried.earned) if booking.state else {},
        terms.of_ledger(TIME_ZONE),
        str(loaded.options.get("title") or ""),
        _digest(loaded),
        terms_digest(booking, month),
    )


def _plain(value: Any) -> Any:
    """A value that another process can be sent."""
    return dict(value) if isinstance(value, MappingProxyType) else value


def _refuse_left_behind(loaded: Loaded, month: Month) -> None:
    """Refuse events of the ledger that neither a closed month has nor one in bulk."""
    booking = loaded.booked
    last_closed = booking.closed.last_day if booking.closed.state is not None else date.min
    for event in booking.own_events:
        if event.date > last_closed and not booking.terms.in_bulk(event.date):
            raise BulkError(
                f"{event.place}: an event of {event.date}, which no closed month has and none in "
                f"bulk: close {Month.of(event.date)} first, or date it in {month}"
            )
    late = [event for of_day in booking.facts.late.values() for event in of_day]
    if late:
        raise BulkError(
            f"{late[0].place}: an event of {late[0].date}, whose month is closed: date it in "
            f"{month}"
        )


def _digest(loaded: Loaded) -> str:
    """The SHA-256 of the ledger's files, without the journals that came of earlier months."""
    digest = hashlib.sha256()
    for name in sorted({*loaded.options["include"], str(loaded.options["filename"])}):
        path = Path(name)
        if path.is_file() and path.name != JOURNAL:
            digest.update(path.read_bytes())
    return digest.hexdigest()
