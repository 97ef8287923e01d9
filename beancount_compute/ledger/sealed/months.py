"""Closed months as they stand on disk: on a fast path where they hold, by value where not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from beancount.core.data import Directive

from beancount_compute.economy.journal import Role
from beancount_compute.ledger.accounts import POCKETS, Accounts
from beancount_compute.ledger.errors import Errors
from beancount_compute.ledger.fields import Fields
from beancount_compute.ledger.sealed.chain import Chain, with_digest
from beancount_compute.ledger.sealed.content import content_digest, item_of_event
from beancount_compute.ledger.sealed.event_rows import FrozenEvent, read_rows
from beancount_compute.ledger.sealed.files import Files
from beancount_compute.ledger.sealed.month_files import (
    Held,
    Month,
    NotAsWritten,
    Reader,
    as_found,
    items_of,
    nothing_held,
    terms_in,
)
from beancount_compute.ledger.term_directives import LedgerTerms


class FrozenMonth(NamedTuple):
    """A closed month as it was read."""

    files: Files
    month: Month
    events: list[FrozenEvent]
    holds: bool  # says what was sealed

    @property
    def name(self) -> str:
        """The month, such as "2026-05"."""
        return self.files.seal.month


class Closed(NamedTuple):
    """All closed months, as found."""

    chain: Chain
    months: list[FrozenMonth]
    held: Held

    @property
    def hold(self) -> bool:
        """Whether all of them say what was sealed."""
        return not self.chain.broken and all(month.holds for month in self.months)

    @property
    def booked(self) -> list[Directive]:
        """What they add to the books."""
        return [entry for month in self.months for entry in month.month.booked]

    @property
    def events(self) -> list[FrozenEvent]:
        """The events that were booked in them."""
        return [event for month in self.months for event in month.events]

    def copies(self) -> list[Directive]:
        """The copies of what people wrote in them."""
        return [
            copied_entry(text, entry)
            for month in self.months
            for text, _, entry in month.month.copies
        ]


def copied_entry(text: str, entry: Directive | None) -> Directive:
    """A copy as a directive."""
    if entry is not None:
        return entry
    ((_, _, found),) = as_found("", text + "\n", lambda: "").copies
    assert found is not None  # the slow reader always gives one
    return found


def frozen_accounts(
    terms: LedgerTerms, files: Iterable[Files]
) -> tuple[dict[Role, str], dict[str, str]]:
    """The accounts' templates as the closed months used them, and their named components.

    The books stand on them, whatever the ledger says now. Files that were touched say nothing.
    """
    templates: dict[Role, str] = dict(terms.templates)
    components: dict[str, str] = {}
    for each in files:
        if not each.hold:
            continue
        for entry in terms_in((each.month or b"").decode("utf-8", "replace")):
            name, value, *_ = [*(str(value) for value, _ in entry.values or ()), "", ""]
            if entry.type == "compute-account" and _can_serve(name, value):
                templates[Role(name)] = value
            elif entry.type == "compute-subscriber" and value:
                components[name] = value
    return templates, components


def _can_serve(role: str, template: str) -> bool:
    """Whether a template can be that of a role: whoever forged it may have written anything."""
    if role not in set(Role):
        return False
    return "{subscriber}" in template or (bool(template) and Role(role) not in POCKETS)


def read_months(
    files: Iterable[Files],
    accounts: Accounts,
    fields: Fields,
    next_order: Callable[[], str],
    errors: Errors,
) -> tuple[list[FrozenMonth], Held]:
    """The closed months, and what they leave in the pockets."""
    reader = Reader(accounts, next_order)
    held = nothing_held()
    months: list[FrozenMonth] = []
    for each in files:
        month = _as_written(each, reader, fields, held) if each.hold else None
        months.append(month or _by_value(each, accounts, fields, next_order, held, errors))
    return months, held


def _as_written(files: Files, reader: Reader, fields: Fields, held: Held) -> FrozenMonth | None:
    """A month whose files are those that were sealed; None where `close` did not write them."""
    assert files.month is not None and files.events is not None
    errors = Errors()
    events = read_rows(files.events_path, files.events, fields, errors)
    try:
        month = reader.as_written(files.month_path, files.month.decode(), held)
    except (NotAsWritten, UnicodeDecodeError):
        return None
    return None if errors.found else FrozenMonth(files, month, events, True)


def _by_value(
    files: Files,
    accounts: Accounts,
    fields: Fields,
    next_order: Callable[[], str],
    held: Held,
    errors: Errors,
) -> FrozenMonth:
    """A month whose files were touched: it holds if it still says what was sealed."""
    own = Errors()
    rows = files.events
    events = [] if rows is None else read_rows(files.events_path, rows, fields, own)
    text = (files.month or b"").decode("utf-8", "replace")
    month = as_found(files.month_path, text, next_order)
    for place, message in month.unreadable:
        own.add(place, message)
    held.add(month.booked, accounts)
    held.add((entry for _, _, entry in month.copies if entry is not None), accounts)
    items = items_of(month)
    items.update(item_of_event(event, booked) for event, booked in events)
    seal = files.seal
    holds = (
        not own.found
        and content_digest(items.elements()) == seal.content
        and with_digest(seal).digest == seal.digest
    )
    for error in own.found:
        name = f"closed month {seal.month}: {error.message}"
        errors.found.append(error._replace(message=name))
    return FrozenMonth(files, month, events, holds)
