"""What a ledger says to a month in bulk: terms, names, and what people wrote by hand.

The events stand in Parquet. Derived entries are booked up to the month's last day.
"""

from __future__ import annotations

import hashlib
from datetime import date
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
    Facts,
    Grain,
    HandPosting,
    Introduction,
    Month,
    OpeningAccrual,
    Terms,
)
from beancount_compute.economy.carried import Carried
from beancount_compute.ledger import BULK_JOURNAL, Accounts

JOURNAL = BULK_JOURNAL
OPERATOR = ""  # whose name stands where subscribers have theirs


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
        return by_hand | {each.name for each in self.introductions}

    @property
    def has_operator(self) -> bool:
        """Whether the operator has books of its own, of providers or capacity."""
        return bool(self.terms.known_providers or self.terms.capacities)


def read_ledger(ledger: Path) -> Loaded:
    """The ledger, which must be without errors."""
    loaded = load(ledger)
    errors = [each for each in loaded.errors if not _no_journal_yet(each.message)]
    if errors:
        error = errors[0]
        source = error.source or {}
        place = f"{source.get('filename', ledger)}:{source.get('lineno', 0)}"
        count = len(errors)
        others = f" (the first of {count:,} errors)" if count > 1 else ""
        raise BulkError(f"{place}: {error.message}{others}: mend the ledger first")
    loaded.booked  # noqa: B018 - raises where the plugin is not used
    return loaded


def _no_journal_yet(message: str) -> bool:
    """Whether an error is that the ledger includes journals of which there is none yet."""
    return message.startswith("File glob") and JOURNAL in message


def bulk_terms(loaded: Loaded, month: Month) -> BulkTerms:
    """What a loaded ledger says to a month; raises `BulkError` for what no shard can book."""
    booking = loaded.booked
    terms = booking.terms.terms
    _refuse_own_events(loaded, month)
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
        terms.of_ledger(TIME_ZONE),
        str(loaded.options.get("title") or ""),
        _digest(loaded),
        terms_digest(booking, month),
    )


def state_of_closed(loaded: Loaded, month: Month) -> Carried | None:
    """What the ledger's own closed months hand on to a month, where they end just before it."""
    state = loaded.booked.state
    if state is None or state.carried.last_day.toordinal() + 1 != month.first.toordinal():
        return None
    return state.carried


def _plain(value: Any) -> Any:
    """A value that another process can be sent."""
    return dict(value) if isinstance(value, MappingProxyType) else value


def _refuse_own_events(loaded: Loaded, month: Month) -> None:
    """Refuse a ledger with open events, or with statements that only its own events could meet."""
    booking = loaded.booked
    last_closed = booking.closed.last_day if booking.closed.state is not None else date.min
    events = [each for each in booking.own_events if each.date > last_closed]
    if events:
        raise BulkError(
            f"{events[0].place}: the ledger has {len(events):,} open events of its own: in bulk "
            "all stand in Parquet: move them there, or close their months"
        )
    asserted = [each for each in booking.assertions if Month.of(each.date) == month]
    if asserted:
        raise BulkError(
            f"{asserted[0].place}: compute-assert is not checked in bulk: write a balance line on "
            "the accounts of the month's journal"
        )
    stated = [each for each in booking.controls if Month.of(each.date) == month]
    if stated:
        raise BulkError(
            f"{stated[0].place}: compute-control is not checked in bulk: compare control.csv"
        )


def _digest(loaded: Loaded) -> str:
    """The SHA-256 of the ledger's files, without the journals that came of earlier months."""
    digest = hashlib.sha256()
    for name in sorted({*loaded.options["include"], str(loaded.options["filename"])}):
        path = Path(name)
        if path.is_file() and path.name != JOURNAL:
            digest.update(path.read_bytes())
    return digest.hexdigest()
