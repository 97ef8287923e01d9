"""Closed months on load: their frozen text into the books, and what does not hold as errors.

closed/index.beancount says that May is closed   ->  May's transactions as they stand,
the ledger's events of May                       ->  compared with the frozen ones,
a new one among them                             ->  booked late, on the first open day
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

from beancount.core.data import Custom, Directive, Price, Transaction

from beancount_compute.economy.carried import Carried
from beancount_compute.economy.events import CONTENT, Event, Kind, Place
from beancount_compute.economy.facts import Assertion, Facts
from beancount_compute.economy.journal import Role
from beancount_compute.economy.words import quoted
from beancount_compute.ledger.accounts import Accounts
from beancount_compute.ledger.directives import place_of
from beancount_compute.ledger.errors import Errors
from beancount_compute.ledger.fields import Fields
from beancount_compute.ledger.sealed.carrying import (
    Holders,
    Undoing,
    events_by_id,
    known_since,
    names_in,
    schedule,
    terms_days,
)
from beancount_compute.ledger.sealed.chain import Chain, Seal, with_digest
from beancount_compute.ledger.sealed.content import (
    BY_HAND,
    FROZEN,
    content_digest,
    digest,
    item_of,
    item_of_event,
)
from beancount_compute.ledger.sealed.event_rows import FrozenEvent, read_rows
from beancount_compute.ledger.sealed.month_files import (
    Held,
    Month,
    NotAsWritten,
    Reader,
    as_found,
    copy_of,
    items_of,
    nothing_held,
    terms_in,
)
from beancount_compute.ledger.sealed.used_terms import ASSERT, check_terms
from beancount_compute.ledger.term_directives import LedgerTerms
from beancount_compute.ledger.text import directive_text

MOST_OF_A_KIND = 5  # errors of one kind for a month, before the rest is only counted


class Files(NamedTuple):
    """The bytes of a month's two files; None where one is gone."""

    seal: Seal
    month_path: str
    events_path: str
    month: bytes | None
    events: bytes | None

    @property
    def hold(self) -> bool:
        """Whether the files are, byte by byte, those that were sealed."""
        return (
            self.month is not None
            and self.events is not None
            and files_digest(self.month, self.events) == self.seal.files
            and with_digest(self.seal).digest == self.seal.digest
        )


def files_digest(month: bytes, events: bytes) -> str:
    """The digest of a month's two files."""
    return digest(digest(month) + digest(events))


def read_files(chain: Chain, include: list[str], errors: Errors) -> list[Files]:
    """The files of all closed months; each is registered, so that an edit is seen at once."""
    found: list[Files] = []
    for seal in chain.closed:
        paths = month_paths(chain.folder, seal.month)
        data = [_bytes(path, seal, errors) for path in paths]
        for path, content in zip(paths, data, strict=True):
            if content is not None and path not in include:
                include.append(path)
        found.append(Files(seal, *paths, *data))
    return found


def month_paths(folder: str, month: str) -> tuple[str, str]:
    """Where the two files of a month lie."""
    stem = os.path.join(folder, month)
    return f"{stem}.beancount", f"{stem}.events.csv"


def _bytes(path: str, seal: Seal, errors: Errors) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        message = (
            f"closed month {seal.month}: can't read {quoted(os.path.basename(path))}: "
            f"{error.strerror or error}: restore it, nothing from this month on is booked"
        )
        errors.add(seal.place, message)
        return None


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
    """All closed months."""

    chain: Chain
    months: list[FrozenMonth]
    held: Held

    @property
    def booked(self) -> list[Directive]:
        """What they add to the books."""
        return [entry for month in self.months for entry in month.month.booked]


def frozen_accounts(
    terms: LedgerTerms, files: Iterable[Files]
) -> tuple[dict[Role, str], dict[str, str]]:
    """The accounts' templates as the closed months used them, and their named components.

    The books stand on them, whatever the ledger says now.
    """
    templates: dict[Role, str] = dict(terms.templates)
    components: dict[str, str] = {}
    for each in files:
        for entry in terms_in((each.month or b"").decode("utf-8", "replace")):
            values = [value for value, _ in entry.values or ()]
            if entry.type == "compute-account" and values[0] in set(Role):
                templates[Role(values[0])] = str(values[1])
            elif entry.type == "compute-subscriber":
                components[str(values[0])] = str(values[1])
    return templates, components


def read_months(
    files: Iterable[Files],
    accounts: Accounts,
    fields: Fields,
    next_order: Callable[[], str],
    errors: Errors,
) -> tuple[list[FrozenMonth], Held]:
    """The closed months, up to one whose files are gone."""
    reader = Reader(accounts, next_order)
    held = nothing_held()
    months: list[FrozenMonth] = []
    for each in files:
        if each.month is None or each.events is None:
            break
        months.append(_read_month(each, reader, accounts, fields, next_order, held, errors))
    return months, held


def _read_month(
    files: Files,
    reader: Reader,
    accounts: Accounts,
    fields: Fields,
    next_order: Callable[[], str],
    held: Held,
    errors: Errors,
) -> FrozenMonth:
    assert files.month is not None and files.events is not None
    own_errors = Errors() if not files.hold else errors
    events = read_rows(files.events_path, files.events, fields, own_errors)
    if files.hold:
        try:
            month = reader.as_written(files.month_path, files.month.decode(), held)
        except (NotAsWritten, UnicodeDecodeError):  # sealed, but not by bean-compute close
            pass
        else:
            return FrozenMonth(files, month, events, True)
    text = files.month.decode("utf-8", "replace")
    month = as_found(files.month_path, text, next_order)
    held.add(month.booked, accounts)
    held.add((entry for _, _, entry in month.copies if entry is not None), accounts)
    items = items_of(month)
    items.update(item_of_event(event, booked) for event, booked in events)
    items.update(f"unreadable row {error.source}" for error in own_errors.found)
    seal = files.seal
    holds = (
        content_digest(items.elements()) == seal.content and with_digest(seal).digest == seal.digest
    )
    if not holds:
        errors.found.extend(own_errors.found)
    return FrozenMonth(files, month, events, holds)


class Sources(NamedTuple):
    """What of the ledger's own events and entries is still to be booked."""

    events: list[Event]
    late: list[Event]


def split_sources(
    events: Iterable[Event], months: Iterable[FrozenMonth], chain: Chain, errors: Errors
) -> Sources:
    """The open and the late events; each closed one must be what was frozen."""
    last_day = chain.last_day
    opened: list[Event] = []
    by_id: dict[str, Event] = {}
    repeats: list[Event] = []
    anonymous: dict[tuple[object, ...], list[Event]] = {}
    open_ids: dict[str, Event] = {}
    for event in events:
        if event.date > last_day:
            opened.append(event)
            if event.id:
                open_ids.setdefault(event.id, event)
        elif not event.id:
            anonymous.setdefault(event[:CONTENT], []).append(event)
        elif by_id.setdefault(event.id, event) is not event:
            repeats.append(event)
    moved: set[str] = set()
    for month in months:
        _match(month, by_id, anonymous, open_ids, moved, errors)
    repeats = [event for event in repeats if not _repeats_frozen(event, months, errors)]
    late = _late([*by_id.values(), *repeats], chain, errors)
    for left in anonymous.values():
        for event in left:
            message = (
                f"{event.date} lies in a closed month: give this event an id, and it is booked "
                f"late, on {chain.first_open_day}; or date it {chain.first_open_day} or later"
            )
            errors.add(event.place, message)
    return Sources([event for event in opened if event.id not in moved], late)


def _match(
    month: FrozenMonth,
    by_id: dict[str, Event],
    anonymous: dict[tuple[object, ...], list[Event]],
    open_ids: dict[str, Event],
    moved: set[str],
    errors: Errors,
) -> None:
    """Take the frozen events of a month out of the sources; tell what differs or is gone."""
    gone: list[Event] = []
    for event, _ in month.events:
        if not event.id:
            left = anonymous.get(event[:CONTENT])
            if left:
                left.pop()
            else:
                gone.append(event)
            continue
        source = by_id.pop(event.id, None)
        if source is None:
            source = open_ids.get(event.id)
            if source is None:
                gone.append(event)
                continue
            moved.add(event.id)
        if source[:CONTENT] != event[:CONTENT] and month.holds:
            _tell_changed(month, event, source, errors)
    if month.holds:
        _tell_gone(month, gone, errors)


def _tell_changed(month: FrozenMonth, event: Event, source: Event, errors: Errors) -> None:
    message = (
        f"event id {quoted(event.id)} is booked in the closed month {month.name} with another "
        f"content ({event.place.file}:{event.place.line}): restore this line as it was, and "
        "correct it with a compute-reversal and a new event"
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


def _repeats_frozen(event: Event, months: Iterable[FrozenMonth], errors: Errors) -> bool:
    """Whether a second event of an id is a frozen one: the same once more, or an error."""
    for month in months:
        for frozen, _ in month.events:
            if frozen.id == event.id:
                if frozen[:CONTENT] != event[:CONTENT]:
                    _tell_changed(month, frozen, event, errors)
                return True
    return False


_NEVER_LATE = (Kind.SUBSCRIPTION, Kind.CANCELLATION)


def _late(events: Iterable[Event], chain: Chain, errors: Errors) -> list[Event]:
    late: list[Event] = []
    for event in events:
        if event.kind in _NEVER_LATE:
            message = (
                f"a {event.kind} can't come late: {event.date} lies in a closed month; "
                f"date it {chain.first_open_day}, the first open day, or later"
            )
            errors.add(event.place, message)
        else:
            late.append(event)
    return late


def check_assertions(
    assertions: Iterable[Assertion],
    months: Iterable[FrozenMonth],
    chain: Chain,
    errors: Errors,
) -> list[Assertion]:
    """The open assertions; one of a closed month must have been there when it was closed."""
    frozen = Counter(
        item_of(_bare(entry))
        for month in months
        for entry in month.month.terms
        if entry.type == ASSERT
    )
    opened: list[Assertion] = []
    for each in assertions:
        if each.date > chain.last_day:
            opened.append(each)
        elif not frozen[assertion_item(each)]:
            message = (
                f"an assertion can't come late: {each.date} lies in a closed month; "
                f"date it {chain.first_open_day}, the first open day, or later"
            )
            errors.add(each.place, message)
    return opened


def _bare(entry: Custom) -> Custom:
    return entry._replace(meta={})


def assertion_text(each: Assertion) -> str:
    """An assertion as it is frozen."""
    whose = f" {_quote(each.subscriber)}" if each.subscriber else ""
    return f'{each.date} custom "{ASSERT}" "{each.figure}"{whose} {each.number:f} {each.currency}\n'


def assertion_item(each: Assertion) -> str:
    """An assertion by value."""
    (entry,) = terms_in(assertion_text(each))
    return item_of(_bare(entry))


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def is_copied(entry: Directive, units: frozenset[str]) -> bool:
    """Whether what a person wrote is frozen with its month: transactions, and prices of units."""
    return isinstance(entry, Transaction) or (isinstance(entry, Price) and entry.currency in units)


def check_copies(
    entries: Iterable[Directive],
    months: Iterable[FrozenMonth],
    chain: Chain,
    units: frozenset[str],
    errors: Errors,
) -> None:
    """Compare what people wrote in closed months with the frozen copies."""
    frozen: dict[str, list[tuple[FrozenMonth, Place, Directive | None]]] = {}
    for month in months:
        for text, place, entry in month.month.copies:
            if f'{FROZEN}: "{BY_HAND}"' in text:
                frozen.setdefault(text, []).append((month, place, entry))
    strange: list[Directive] = []
    for entry in entries:
        if entry.date > chain.last_day or not is_copied(entry, units):
            continue
        text = directive_text(copy_of(entry, BY_HAND)).rstrip("\n")
        if frozen.get(text):
            frozen[text].pop()
        else:
            strange.append(entry)
    left = [(text, *each) for text, found in frozen.items() for each in found]
    _by_value(strange, left)
    for entry in strange:
        what = "transaction" if isinstance(entry, Transaction) else "price"
        message = (
            f"this {what} of {entry.date} is not in the closed month as it stands here: it was "
            f"added or changed afterwards; restore it, and write what is new on "
            f"{chain.first_open_day} or later"
        )
        errors.add(place_of(entry.meta), message)
    for text, month, place, _ in left:
        if month.holds:
            head = text.partition("\n")[0]
            message = (
                f"gone from the ledger, or changed, after {month.name} was closed: {head}: restore "
                f"it, and correct it with an entry of {chain.first_open_day} or later"
            )
            errors.add(place, message)


def _by_value(
    strange: list[Directive],
    left: list[tuple[str, FrozenMonth, Place, Directive | None]],
) -> None:
    """Pair what is the same but for spacing or idle zeros; both lists keep what has no pair."""
    for entry in list(strange):
        item = item_of(copy_of(entry, BY_HAND))
        for each in left:
            if copied_item(each[0]) == item:
                strange.remove(entry)
                left.remove(each)
                break


def copied_entry(text: str, entry: Directive | None) -> Directive:
    """A copy as a directive."""
    if entry is not None:
        return entry
    ((_, _, found),) = as_found("", text + "\n", lambda: "").copies
    assert found is not None  # the slow reader always gives one
    return found


def copied_item(text: str) -> str:
    """A copy's text by value."""
    return item_of(copied_entry(text, None))


def carried_state(
    closed: Closed,
    facts: Facts,
    terms: LedgerTerms,
    accounts: Accounts,
    wanted: frozenset[str],
) -> Carried:
    """The state in which the closed months leave the books; `wanted` are the ids to be reversed."""
    events = [event for month in closed.months for event in month.events]
    last_day = closed.chain.last_day
    introductions = [each for each in facts.introductions if each.date <= last_day]
    names = names_in(events) | {each.name for each in introductions} | set(terms.components)
    holders = Holders(accounts, names)
    lots = holders.lots(closed.held)
    assertions = any(facts.assertions)
    undoing = None
    if wanted or assertions:
        undoing = Undoing(accounts, holders, terms.terms, events_by_id(events))
    booked = closed.booked
    return Carried(
        last_day,
        lots,
        known_since(events, lots, introductions, last_day),
        schedule(events),
        undoing.undo(booked, wanted) if undoing else {},
        terms_days(booked, holders),
        undoing.totals(_all(closed)) if undoing and assertions else None,
    )


def _all(closed: Closed) -> list[Directive]:
    """Everything that moved a pocket: what was booked, and the copies of what people wrote."""
    copies: list[Directive] = []
    for month in closed.months:
        copies += [copied_entry(text, entry) for text, _, entry in month.month.copies]
    return [*closed.booked, *copies]


def check_frozen_terms(
    closed: Closed, terms: LedgerTerms, lines: list[Custom], errors: Errors
) -> None:
    """Compare the ledger's terms with those that the closed months used."""
    for month in closed.months:
        if month.holds:
            seal, first_open = month.files.seal, closed.chain.first_open_day
            check_terms(seal, month.month.terms, terms, lines, first_open, errors)


def check_names(closed: Closed, terms: LedgerTerms, errors: Errors) -> None:
    """A `compute-subscriber` line can't rename the accounts of somebody in a closed month."""
    named = {
        str(entry.values[0].value)
        for month in closed.months
        for entry in month.month.terms
        if entry.type == "compute-subscriber" and entry.values
    }
    names = names_in(event for month in closed.months for event in month.events)
    for line in terms.introductions:
        if line.name in names and line.name not in named:
            message = (
                f"subscriber {quoted(line.name)} is in the books of {closed.months[-1].name} or "
                f"before under another component: remove this line, or reopen those months"
            )
            errors.add(line.place, message)
