"""Where sealed text was changed: what it said, worked out again, and what differs from it.

    closed/2026-05.beancount:12: closed month 2026-05 was changed: event "use-17": found 201 CU ...,
    sealed 200 CU ...

The changed month is shown as found; the open months go on from what it was.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from beancount.core.data import Custom, Directive, Price, Transaction

from beancount_compute.closed.carrying import Seen, State
from beancount_compute.closed.chain import Chain
from beancount_compute.closed.content import (
    BY_HAND,
    FROZEN,
    ON_LOAD,
    item_of,
    item_of_event,
)
from beancount_compute.closed.copies import (
    assertion_text,
    units_by_month,
    written_in_closed,
)
from beancount_compute.closed.event_rows import FrozenEvent
from beancount_compute.closed.held import nothing_held
from beancount_compute.closed.month_files import copy_of, terms_in
from beancount_compute.closed.months import Closed, FrozenMonth
from beancount_compute.closed.rebooking import Rebooked, rebook
from beancount_compute.closed.sources import MOST_OF_A_KIND, Sources
from beancount_compute.economy.events import Event, Place
from beancount_compute.economy.inputs import Assertion, Facts
from beancount_compute.ledger.accounts import Accounts
from beancount_compute.ledger.directives import place_of
from beancount_compute.ledger.errors import Errors
from beancount_compute.ledger.terms_in_force import LedgerTerms

_ON_LOAD = f'{FROZEN}="{ON_LOAD}"'  # a copy of what only a whole load adds: nothing to compare with


class Piece(NamedTuple):
    """Something that a month says: by value, under a name that pairs it, and where it stands."""

    name: str
    item: str
    place: Place


def restore(
    closed: Closed,
    sources: Sources,
    facts: Facts,
    assertions: Iterable[Assertion],
    entries: list[Directive],
    terms: LedgerTerms,
    accounts: Accounts,
    errors: Errors,
) -> State:
    """The state as it was sealed, from the ledger's own events; tells what the text says else."""
    last_day = closed.chain.last_day
    events = _events(closed, sources)
    own_prices = frozenset(
        (entry.date, entry.currency, entry.amount.currency)
        for entry in entries
        if isinstance(entry, Price)
    )
    late: defaultdict[date, list[Event]] = defaultdict(list)
    for event, booked in events:
        if booked is not None:
            late[booked].append(event)
    rebooked = rebook(
        facts._replace(
            events=[event for event, booked in events if booked is None], late=dict(late)
        ),
        terms,
        accounts,
        last_day,
        own_prices,
        first_month=closed.months[0].name,
    )
    units = units_by_month(closed.months, terms.terms.units)
    by_hand = written_in_closed(entries, units, closed.chain)
    for month in closed.months:
        if not month.holds:
            expected = _expected(
                month, closed.chain, events, rebooked, assertions, by_hand, sources
            )
            _tell(month, expected, errors)
    held = nothing_held()
    held.add(rebooked.entries, accounts)
    held.add(by_hand, accounts)
    seen = Seen(events)
    return State(last_day, seen, lambda: events, rebooked.entries, lambda: by_hand, held)


def _events(closed: Closed, sources: Sources) -> list[FrozenEvent]:
    events = [event for found in sources.closed.values() for event in found]
    return events + sources.lost


def _expected(
    month: FrozenMonth,
    chain: Chain,
    events: Iterable[FrozenEvent],
    rebooked: Rebooked,
    assertions: Iterable[Assertion],
    by_hand: Iterable[Directive],
    sources: Sources,
) -> list[Piece]:
    nowhere = Place(month.files.month_path, 1)
    rows = Place(month.files.events_path, 1)
    own = {id(each.event) for each in sources.closed.get(month.name, ())}
    pieces = [
        _piece(entry, nowhere)
        for text in rebooked.terms.get(month.name, ())
        for entry in terms_in(text)
    ]
    pieces += [
        _piece(entry, nowhere)
        for text in sorted(
            {assertion_text(each) for each in assertions if chain.month_of(each.date) == month.name}
        )
        for entry in terms_in(text)
    ]
    pieces += [
        _piece(entry, nowhere)
        for entry in rebooked.entries
        if chain.month_of(entry.date) == month.name
    ]
    pieces += [
        _piece(copy_of(entry, BY_HAND), nowhere)
        for entry in by_hand
        if chain.month_of(entry.date) == month.name
    ]
    pieces += [
        _event_piece(each, rows)
        for each in events
        if id(each.event) in own or chain.month_of(each.booked or each.event.date) == month.name
    ]
    return pieces


def _found(month: FrozenMonth) -> list[Piece]:
    entries: list[Directive] = [*month.month.terms, *month.month.booked]
    entries += [entry for _, _, entry in month.month.copies if entry is not None]
    pieces = [_piece(entry, place_of(entry.meta)) for entry in entries]
    return pieces + [_event_piece(each, each.event.place) for each in month.events]


def _piece(entry: Directive, place: Place) -> Piece:
    match entry:
        case Transaction() if "event" in entry.meta:
            name = f'event "{entry.meta.get("event")}"'
        case Custom():
            values = [str(value) for value, _ in entry.values or ()]
            name = " ".join([entry.type, *values[:1]])
        case Transaction():
            name = f"the transaction of {entry.date}"
        case _:
            name = f"the {type(entry).__name__.lower()} of {entry.date}"
    return Piece(name, item_of(entry), place)


def _event_piece(frozen: FrozenEvent, place: Place) -> Piece:
    event, booked = frozen
    name = f'row "{event.id}"' if event.id else f"the row of {event.date}"
    return Piece(name, item_of_event(event, booked), place)


def _tell(month: FrozenMonth, expected: list[Piece], errors: Errors) -> None:
    """Name what a month says otherwise than it did."""
    files = month.files
    seal = files.seal
    there = {files.month_path: files.text, files.events_path: files.rows}
    expected = [piece for piece in expected if there[piece.place.file]]  # what is gone was told
    found = [piece for piece in _found(month) if _ON_LOAD not in piece.item]
    before = len(errors.found)
    strange = _without([*found], Counter(piece.item for piece in expected))
    missing = _without([*expected], Counter(piece.item for piece in found))
    told: list[tuple[Place, str]] = []
    for piece in strange:
        same = next((each for each in missing if each.name == piece.name), None)
        if same is None:
            told.append((piece.place, f"{piece.name} was not sealed"))
        else:
            missing.remove(same)
            told.append((piece.place, f"{piece.name}: {_differing(piece.item, same.item)}"))
    told += [(piece.place, f"{piece.name} is gone") for piece in missing]
    for at, (place, text) in enumerate(told[:MOST_OF_A_KIND]):
        rest = len(told) - MOST_OF_A_KIND
        more = f" (and {rest} more)" if rest > 0 and at + 1 == MOST_OF_A_KIND else ""
        errors.add(place, f"closed month {seal.month} was changed: {text}{more}: restore the file")
    readable = not month.month.unreadable and all(there.values())
    if len(errors.found) == before and readable:
        message = f"the seal of {seal.month} is not that of its files: restore the index as it was"
        errors.add(seal.place, message)


def _without(pieces: list[Piece], others: Counter[str]) -> list[Piece]:
    left: list[Piece] = []
    for piece in pieces:
        if others[piece.item]:
            others[piece.item] -= 1
        else:
            left.append(piece)
    return left


def _differing(found: str, sealed: str) -> str:
    """The parts of two items that differ."""
    by = " | " if " | " in found and " | " in sealed else " "
    ours, theirs = found.split(by), sealed.split(by)
    left = [part for part in ours if part not in theirs]
    right = [part for part in theirs if part not in ours]
    return f"found {' and '.join(left) or 'nothing'}, sealed {' and '.join(right) or 'nothing'}"
