"""Closed months as they stand on disk: on a fast path where they hold, by value where not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import NamedTuple

from beancount.core.data import Custom, Directive

from beancount_compute.closed.chain import Chain, with_digest
from beancount_compute.closed.content import content_digest, item_of_event
from beancount_compute.closed.event_rows import FrozenEvent, read_rows
from beancount_compute.closed.files import Files
from beancount_compute.closed.held import Held
from beancount_compute.closed.month_files import Month, as_found, items_of
from beancount_compute.closed.reading import NotAsWritten, Reader
from beancount_compute.closed.used_terms import FIRST, LAST
from beancount_compute.economy.roles import POCKETS, Role
from beancount_compute.ledger.accounts import Accounts
from beancount_compute.ledger.errors import Errors
from beancount_compute.ledger.fields import Fields
from beancount_compute.ledger.terms_in_force import LedgerTerms


class FrozenMonth(NamedTuple):
    """A closed month as it was read."""

    files: Files
    month: Month
    events: Iterable[FrozenEvent]  # may be read anew each time
    holds: bool  # says what was sealed

    @property
    def name(self) -> str:
        """The month, such as "2026-05"."""
        return self.files.seal.month


class Rows:
    """The frozen events of an untouched file, read each time that somebody asks."""

    def __init__(self, files: Files, fields: Fields) -> None:
        self._files, self._fields = files, fields

    def __iter__(self) -> Iterator[FrozenEvent]:
        rows = read_rows(self._files.events_path, self._files.events(), self._fields, Errors())
        rows.reverse()
        while rows:  # each is let go as soon as the next is asked for
            yield rows.pop()


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
        for entry in each.head:
            name, value, *_ = [*(str(value) for value, _ in entry.values or ()), "", ""]
            if entry.type == "compute-account" and _can_serve(name, value):
                templates[Role(name)] = value
            elif entry.type == "compute-subscriber" and value:
                components[name] = value
    return templates, components


def lost_plans(said: LedgerTerms, files: Iterable[Files]) -> list[Custom]:
    """The plans of closed months that the ledger does not name any more, as they were used.

    That is an error; but whoever subscribed to them goes on, as everything else does.
    """
    found: dict[tuple[str, date], Custom] = {}
    for each in files:
        for entry in each.head:
            name = str(entry.values[0].value) if entry.values else ""
            if entry.type == "compute-plan" and name not in said.terms.plans:
                meta = {key: value for key, value in entry.meta.items() if key not in (FIRST, LAST)}
                found.setdefault((name, entry.date), entry._replace(meta=meta))
    return list(found.values())


def _can_serve(role: str, template: str) -> bool:
    """Whether a template can be that of a role: whoever forged it may have written anything."""
    if role not in set(Role):
        return False
    return "{subscriber}" in template or (bool(template) and Role(role) not in POCKETS)


def open_months(
    files: Iterable[Files],
    accounts: Accounts,
    fields: Fields,
    next_order: Callable[[], str],
    held: Held,
    errors: Errors,
) -> list[FrozenMonth]:
    """The closed months, the text of untouched ones not read yet."""
    return [
        FrozenMonth(each, Month([], [], [], []), Rows(each, fields), True)
        if each.hold
        else _by_value(each, accounts, fields, next_order, held, errors)
        for each in files
    ]


def read_texts(
    months: Iterable[FrozenMonth],
    accounts: Accounts,
    fields: Fields,
    next_order: Callable[[], str],
    held: Held,
    errors: Errors,
) -> list[FrozenMonth]:
    """The same months with the text of the untouched ones."""
    reader = Reader(accounts, next_order)
    found: list[FrozenMonth] = []
    for month in months:
        files = month.files
        if files.hold:
            try:
                text = reader.as_written(files.month_path, files.month().decode(), held)
                month = month._replace(month=text._replace(terms=files.head))
            except (NotAsWritten, UnicodeDecodeError):  # sealed, but not by `close`
                month = _by_value(files, accounts, fields, next_order, held, errors)
        found.append(month)
    return found


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
    rows = files.events() if files.rows else b""
    events = read_rows(files.events_path, rows, fields, own) if rows else []
    text = files.month().decode("utf-8", "replace") if files.text else ""
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
