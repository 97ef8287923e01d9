"""Closed months that say something else than was sealed: what, and where.

    closed/2026-05.beancount:12: closed month 2026-05 was changed: event "use-17": found 201 CU ...,
    sealed 200 CU ...

What they said is not known any more. What the ledger's own events give now stands beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import NamedTuple

from beancount.core.data import Custom, Directive, Transaction

from beancount_compute.closed.bulk_files import bulk_files
from beancount_compute.closed.content import FROZEN, ON_LOAD, item_of, item_of_event
from beancount_compute.closed.frozen_months import PARTS, Closed, Files, by_earlier_release
from beancount_compute.closed.frozen_rows import FrozenEvent
from beancount_compute.closed.frozen_state import NOT_BOOKED, as_stated, items_of_rows
from beancount_compute.closed.own_events import MOST_OF_A_KIND, NEVER_LATE
from beancount_compute.economy import Event, Month, Place, quoted
from beancount_compute.ledger import Errors, Fields, place_of

_ON_LOAD = f'{FROZEN}="{ON_LOAD}"'  # a copy of what only a whole load adds: nothing to compare with


class Expected(NamedTuple):
    """What a month would hold if it were closed now."""

    entries: list[Directive]  # terms, bookings, copies
    events: list[FrozenEvent]
    state: list[list[str]]  # its rows


class _Piece(NamedTuple):
    """Something that a month says: by value, under a name that pairs it, and where it stands."""

    name: str
    item: str
    place: Place


def tell_touched(
    closed: Closed, expected: Callable[[str], Expected], fields: Fields, errors: Errors
) -> None:
    """Name the months that do not hold; `expected` is asked for what one would hold."""
    old = by_earlier_release(closed.anew)
    if old is not None:
        message = (
            f"{old.seal.month} was closed by an earlier release, without its state: reopen it "
            f'(bean-compute reopen {old.seal.month} LEDGER --reason "...") and close it and the '
            "months behind it anew; until then they are booked anew from the ledger's own events"
        )
        errors.add(old.seal.place, message)
    for files in closed.anew:
        if files.holds or (old is not None and files.seal.month >= old.seal.month):
            continue
        if files.untouched:
            message = (
                f"the seal of {files.seal.month} is not that of its files: restore the index as "
                "it was"
            )
            errors.add(files.seal.place, message)
        elif all(files.there):
            _tell(files, expected(files.seal.month), fields, errors)


def _tell(files: Files, expected: Expected, fields: Fields, errors: Errors) -> None:
    """Name what a month says otherwise than it would."""
    month, own = files.seal.month, Errors()
    text = files.read_text(lambda: "")
    events = files.events(fields, own)
    for place, message in text.unreadable:
        own.add(place, message)
    for error in own.found:
        errors.found.append(error._replace(message=f"closed month {month}: {error.message}"))
    in_bulk = bool(bulk_files(files.state_rows()))  # then its days told which terms it used
    terms = [] if in_bulk else text.terms
    entries: list[Directive] = [*terms, *text.booked, *(copy.read for copy in text.copies)]
    found = [_piece(entry, place_of(entry.meta)) for entry in entries]
    found += [_event_piece(each, each.event.place) for each in events]
    again = [each for each in expected.entries if not (in_bulk and isinstance(each, Custom))]
    wanted = [_piece(entry, Place(files.text, 1)) for entry in again]
    wanted += [_event_piece(each, Place(files.rows, 1)) for each in expected.events]
    found += _row_pieces(files.state, files.state_rows())
    wanted += _row_pieces(files.state, as_stated(expected.state, files.state_rows()))
    told = list(_differences([each for each in found if _ON_LOAD not in each.item], wanted))
    first_of = {place.file: at for at, (place, _) in reversed([*enumerate(told)])}
    firsts = sorted(first_of.values())  # so that each file that differs is named
    told = [*map(told.__getitem__, firsts), *(e for at, e in enumerate(told) if at not in firsts)]
    for at, (place, said) in enumerate(told[:MOST_OF_A_KIND]):
        rest = len(told) - MOST_OF_A_KIND
        more = f" (and {rest} more)" if rest > 0 and at + 1 == MOST_OF_A_KIND else ""
        errors.add(place, f"closed month {month} was changed: {said}{more}: restore the file")
    if not told and not own.found:
        names = ", ".join(quoted(f"{month}.{part}") for part in PARTS)
        message = (
            f"closed month {month} does not say what was sealed: restore {names}, or the index, "
            "as they were"
        )
        errors.add(Place(files.state, 1), message)


def late_in_touched(events: Iterable[Event], closed: Closed, fields: Fields) -> dict[str, date]:
    """The events that come late though their month is booked anew, with the day of each.

    As far as rows and text tell: what a month had booked late comes late again; and what has an id
    and a day of such a month, but stands in neither, came when that month was closed.
    """
    again: dict[str, date] = {}
    frozen: set[str] = set()
    complete: set[str] = set()
    for files in closed.anew:
        own, name = Errors(), files.seal.month
        rows = files.events(fields, own)
        frozen |= {event.id for event, _ in rows}
        if (not own.found and len(rows) == files.seal.events) or _books_all(files, frozen):
            complete.add(name)
        days = {event.id: booked for event, booked in rows if booked is not None}
        again |= {name_: day for name_, day in days.items() if Month.of(day).name == name}
    behind = closed.chain.last_day + timedelta(1)
    for event in events if complete else ():
        came = event.id and event.id not in frozen and event.kind not in NEVER_LATE
        if came and Month.of(event.date).name in complete:
            again[event.id] = behind
    return again


def _books_all(files: Files, ids: set[str]) -> bool:
    """Whether a month's text tells each event that it books; those are added to the ids."""
    text = files.read_text(lambda: "")
    booked = [entry for entry in text.booked if isinstance(entry, Transaction)]
    if not files.there[0] or text.unreadable or any("events" in entry.meta for entry in booked):
        return False  # uses that were merged are not told
    ids |= {str(entry.meta.get("event")) for entry in booked}
    return True


def _row_pieces(path: str, rows: Iterable[list[str]]) -> list[_Piece]:
    """The rows of a state, but for what files say, which nobody makes again here."""
    rows = [*rows]
    elsewhere = {*NOT_BOOKED, "deferred"} if bulk_files(rows) else NOT_BOOKED
    return [
        _Piece(" ".join(row[:2]), item, Place(path, line))
        for line, row in enumerate(rows, 1)
        if row and row[0] not in elsewhere
        for item in items_of_rows([row])
    ]


def _differences(found: list[_Piece], wanted: list[_Piece]) -> Iterable[tuple[Place, str]]:
    strange = _without(found, Counter(piece.item for piece in wanted))
    missing = _without(wanted, Counter(piece.item for piece in found))
    by_name: dict[str, list[_Piece]] = {}
    for piece in missing:
        by_name.setdefault(piece.name, []).append(piece)
    for piece in strange:
        same = by_name.get(piece.name)
        if same:
            yield piece.place, f"{piece.name}: {differing(piece.item, same.pop(0).item)}"
        else:
            yield piece.place, f"{piece.name} was not sealed"
    for left in by_name.values():
        for piece in left:
            yield piece.place, f"{piece.name} is gone"


def _without(pieces: list[_Piece], others: Counter[str]) -> list[_Piece]:
    left: list[_Piece] = []
    for piece in pieces:
        if others[piece.item]:
            others[piece.item] -= 1
        else:
            left.append(piece)
    return left


def _piece(entry: Directive, place: Place) -> _Piece:
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
    return _Piece(name, item_of(entry), place)


def _event_piece(frozen: FrozenEvent, place: Place) -> _Piece:
    event, booked = frozen
    name = f'row "{event.id}"' if event.id else f"the row of {event.date}"
    return _Piece(name, item_of_event(event, booked), place)


def differing(found: str, sealed: str) -> str:
    """The parts of two items that differ."""
    by = " | " if " | " in found and " | " in sealed else " "
    ours, theirs = found.split(by), sealed.split(by)
    left = [part for part in ours if part not in theirs]
    right = [part for part in theirs if part not in ours]
    return f"found {' and '.join(left) or 'nothing'}, sealed {' and '.join(right) or 'nothing'}"
