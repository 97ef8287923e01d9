"""The plugin: Beancount's entries in, the same entries with the booked ones out.

plugin "beancount_compute"
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, NamedTuple

from beancount.core.data import Custom, Directive, Open, Price, Transaction
from beancount.core.getters import get_entry_accounts

from beancount_compute.economy.engine import Bookkeeper
from beancount_compute.economy.events import Event, Kind, Place
from beancount_compute.economy.facts import Assertion, Facts, Introduction
from beancount_compute.economy.words import quoted
from beancount_compute.ledger.accounts import Accounts
from beancount_compute.ledger.assertion_directives import assertion_of
from beancount_compute.ledger.directives import PREFIX, metadata_of, place_of, values_of
from beancount_compute.ledger.errors import ComputeError, Errors, FieldError
from beancount_compute.ledger.event_columns import BLOCK
from beancount_compute.ledger.event_directives import FORMS, event_of, events_at_once
from beancount_compute.ledger.event_files import read_file
from beancount_compute.ledger.fields import Fields
from beancount_compute.ledger.finding_files import FileRequest, find_files
from beancount_compute.ledger.hand_written import (
    check_openings,
    pocket_postings,
    read_hand_written,
)
from beancount_compute.ledger.names import component_of
from beancount_compute.ledger.term_directives import TERM_TYPES, Line
from beancount_compute.ledger.terms_of_ledger import roots_of, terms_of
from beancount_compute.ledger.writing import ORDER, Writer, open_directives

_MAKE_KNOWN = (Kind.SUBSCRIPTION, Kind.ALLOCATION, Kind.GRANT)


PLUGIN = "beancount_compute"


class Written(NamedTuple):
    """The `compute-` directives of a ledger, by what they are."""

    terms: list[Custom]
    events: list[Event]
    assertions: list[Assertion]
    files: list[FileRequest]


def compute(
    entries: list[Directive], options_map: dict[str, Any], config: str | None = None
) -> tuple[list[Directive], list[ComputeError]]:
    """Book the economy that a ledger's `compute-` directives describe."""
    errors = Errors()
    ledger = Place(str(options_map.get("filename", "<unknown>")), 1)
    if config:
        errors.add(
            ledger, f"the plugin takes no configuration, such as {quoted(config)}: remove it"
        )
    if [name for name, _ in options_map["plugin"]].count(PLUGIN) > 1:
        if any(ORDER in entry.meta for entry in entries):
            return entries, []  # the second time
        errors.add(ledger, f'plugin "{PLUGIN}" stands twice: remove one of the two')
    with _no_cyclic_garbage():
        fields = Fields()
        written = _read(entries, fields, errors)
        written.events.extend(_events_of_files(written.files, options_map, fields, errors))
        generated = _book(entries, written, options_map, errors)
        return _with_values(entries) + generated, errors.in_order()


@contextmanager
def _no_cyclic_garbage() -> Iterator[None]:
    """Stop the collector: what is generated is no garbage, and looking for some takes longest.

    What was made stays frozen, out of the collector's sight, until the next load thaws it: else
    Beancount's own checks would set off collections that visit all of it again.
    """
    enabled = gc.isenabled()
    gc.unfreeze()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


def _read(entries: list[Directive], fields: Fields, errors: Errors) -> Written:
    written = Written([], [], [], [])
    for at in range(0, len(entries), BLOCK):
        block = [
            entry
            for entry in entries[at : at + BLOCK]
            if entry.__class__ is Custom and entry.type.startswith(PREFIX)
        ]
        events = events_at_once([entry for entry in block if entry.type in FORMS], fields)
        if events is not None:
            written.events.extend(events)
            block = [entry for entry in block if entry.type not in FORMS]
        for entry in block:
            try:
                _read_one(entry, written, fields)
            except FieldError as error:
                errors.add(place_of(entry.meta), str(error))
    return written


def _read_one(entry: Custom, written: Written, fields: Fields) -> None:
    form = FORMS.get(entry.type)
    if form is not None:
        written.events.append(event_of(entry, form, fields))
    elif entry.type in TERM_TYPES:
        written.terms.append(entry)
    elif entry.type == "compute-assert":
        written.assertions.append(assertion_of(entry))
    elif entry.type == "compute-events":
        written.files.append(_file_request(entry))
    else:
        raise _unknown_type(entry.type)


def _unknown_type(name: str) -> FieldError:
    known = ", ".join([*TERM_TYPES, *FORMS, "compute-assert", "compute-events"])
    return FieldError(f"unknown directive {quoted(name)}; known: {known}")


def _file_request(entry: Custom) -> FileRequest:
    (path,) = values_of(entry, {("text",): ()}, 'a path or a glob: "events/2026-05.csv"')
    metadata_of(entry, ())
    place = place_of(entry.meta)
    return FileRequest(path, os.path.dirname(place.file), place)


def _events_of_files(
    requests: list[FileRequest], options_map: dict[str, Any], fields: Fields, errors: Errors
) -> Iterator[Event]:
    """The events of all files; each file read is registered, so that an edit is seen at once."""
    include: list[str] = options_map["include"]
    ledger_folder = os.path.dirname(options_map.get("filename") or "")
    for path, place in find_files(requests, ledger_folder, errors):
        if path not in include:
            include.append(path)
        yield from read_file(path, place, fields, errors)


def _book(
    entries: list[Directive], written: Written, options_map: dict[str, Any], errors: Errors
) -> list[Directive]:
    terms = terms_of(written.terms, options_map, errors)
    named = _free_components(terms.introductions, written.events, errors)
    components = {line.name: line.value for line in named}
    accounts = Accounts(terms.templates, components, roots_of(options_map))
    transactions = [entry for entry in entries if entry.__class__ is Transaction]
    postings = pocket_postings(transactions, accounts)
    check_openings(transactions, accounts, errors)
    holders = _holders(written.events, components, accounts) if postings else {}
    hand_written = read_hand_written(postings, holders, errors)
    facts = Facts(
        written.events,
        hand_written.openings,
        hand_written.removals,
        [Introduction(line.date, line.name, line.place) for line in named],
        written.assertions,
    )
    keeper = Bookkeeper(facts, terms.terms, accounts.component)
    written.events.clear()  # the bookkeeper has them now, and lets them go day by day
    writer = Writer(accounts)
    generated: list[Directive] = [writer.transaction(record) for record in keeper.records()]
    own_prices = _own_prices(entries)
    generated += [
        writer.price(price)
        for price in keeper.prices()
        if (price.date, price.commodity, price.currency) not in own_prices
    ]
    for refusal in keeper.refusals:
        errors.add(*refusal)
    for account in hand_written.accounts:
        writer.first_used.setdefault(account, date.max)
    return [*open_directives(_to_open(entries, writer.first_used)), *generated]


def _free_components(lines: list[Line], events: Iterable[Event], errors: Errors) -> list[Line]:
    """The `compute-subscriber` lines whose component no other subscriber has without one.

    Whoever is only mentioned has none: it takes an event that makes a subscriber known.
    """
    named = {line.name for line in lines}
    taken = (
        {
            component_of(event.subscriber): event.subscriber
            for event in events
            if event.kind in _MAKE_KNOWN and not event.flaw and event.subscriber not in named
        }
        if lines
        else {}
    )
    kept: list[Line] = []
    for line in lines:
        other = taken.get(line.value)
        if other is None:
            kept.append(line)
        else:
            message = (
                f"subscriber {quoted(other)} has the component {line.value} already: "
                f"give {quoted(line.name)} another"
            )
            errors.add(line.place, message)
    return kept


def _holders(
    events: Iterable[Event], components: dict[str, str], accounts: Accounts
) -> dict[str, str]:
    """The subscriber of each component: the named ones, then whoever appears first in the books."""
    holders = {component: name for name, component in components.items()}
    first: dict[str, tuple[date, int, str]] = {}
    for event in events:
        for name in (event.subscriber, event.counterparty):
            place = (event.date, event.phase, name)
            if name and (name not in first or place < first[name]):
                first[name] = place
    for _, _, name in sorted(first.values()):
        holders.setdefault(accounts.component(name), name)
    return holders


def _own_prices(entries: Iterable[Directive]) -> set[tuple[date, str, str]]:
    """The prices that the ledger gives itself: they win over those of trades."""
    return {
        (entry.date, entry.currency, entry.amount.currency)
        for entry in entries
        if entry.__class__ is Price
    }


def _to_open(entries: Iterable[Directive], first_used: dict[str, date]) -> dict[str, date]:
    """The accounts to open, on the first day on which any directive uses them."""
    opened = {entry.account for entry in entries if entry.__class__ is Open}
    days = {account: day for account, day in first_used.items() if account not in opened}
    for entry in entries:
        if entry.__class__ is Custom:
            continue
        for account in get_entry_accounts(entry):
            if account in days and entry.date < days[account]:
                days[account] = entry.date
    return days


def _with_values(entries: list[Directive]) -> list[Directive]:
    """The entries; a `compute-` directive without any value would crash Beancount's `pad`."""
    return [
        entry._replace(values=[]) if entry.__class__ is Custom and entry.values is None else entry
        for entry in entries
    ]
