"""A month as it is frozen: its story, its events and its state, each read back by value.

    closed/2026-05.beancount   closed/2026-05.events.csv   closed/2026-05.state.csv

What a load would read otherwise than it was is refused before anything is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import zip_longest
from typing import NamedTuple

from beancount.core.data import Directive

from beancount_compute.close.storage import CloseError
from beancount_compute.closed import (
    FROZEN,
    PARTS,
    FrozenEvent,
    FrozenReader,
    State,
    content_digest,
    differing,
    item_of,
    item_of_event,
    items_of_rows,
    month_text,
    read_rows,
    read_rows_of_state,
    read_state,
    rows_of,
    rows_text,
    same_entries,
    same_event,
    state_text,
    terms_in,
)
from beancount_compute.ledger import Errors, Fields, place_of


class Frozen(NamedTuple):
    """What is written of a month."""

    files: dict[str, bytes]  # by name: text, rows, state
    content: str  # the digest of what they say


def freeze(
    month: str,
    options: Iterable[str],
    terms: Sequence[str],
    entries: Sequence[Directive],
    events: Sequence[FrozenEvent],
    state: State,
) -> Frozen:
    """The files of a month; raises `CloseError` where one would not be read back as it was."""
    text, rows = month_text(month, options, terms, entries), rows_text(events)
    state_rows = rows_of(state)
    stated = state_text(state_rows)
    names = [f"{month}.{part}" for part in PARTS]
    items = _read_back_text(names[0], text, terms, entries)
    items += _read_back_rows(names[1], rows, events)
    items += _read_back_state(names[2], stated, state_rows, state.carried.last_day)
    data = (text.encode(), rows.encode(), stated.encode())
    return Frozen(dict(zip(names, data, strict=True)), content_digest(items))


def _read_back_text(
    name: str, text: str, terms: Iterable[str], entries: Iterable[Directive]
) -> list[str]:
    found = FrozenReader(lambda: "").month(name, text)
    if found.unreadable:
        place, message = found.unreadable[0]
        raise CloseError(f"the month can't be frozen: {place}: {message}")
    items = [item_of(entry) for term in terms for entry in terms_in(term)]
    same = same_entries(found.booked, [each for each in entries if FROZEN not in each.meta])
    strange = found._replace(booked=[]).items() if same else found.items()
    strange.subtract(items)
    for entry in entries:
        item = item_of(entry)
        items.append(item)
        if same and FROZEN not in entry.meta:
            continue
        strange[item] -= 1
        if strange[item] < 0:
            read = next((each for each in +strange if each[:20] == item[:20]), "")
            raise CloseError(
                f"{place_of(entry.meta)}: this can't be frozen: it would be read back as something "
                f"else ({differing(read, item)}): write it otherwise"
            )
    if +strange:
        raise CloseError(f"this would be read back and was never written: {next(iter(+strange))}")
    return items


def _read_back_rows(name: str, text: str, events: Sequence[FrozenEvent]) -> list[str]:
    errors = Errors()
    found = read_rows(name, text.encode(), Fields(), errors) if events else []
    items = [item_of_event(*each) for each in events]
    for item, frozen, read in zip_longest(items, events, found):
        if read and frozen and same_event(*read, *frozen):
            continue
        again = item_of_event(*read) if read else ""
        if again != item:
            place = frozen.event.place if frozen else name
            why = errors.found[0].message if errors.found else differing(again, item or "")
            raise CloseError(f"{place}: this event can't be frozen: {why}: write it otherwise")
    if errors.found:
        raise CloseError(f"{name}: the events can't be frozen: {errors.found[0].message}")
    return items


def _read_back_state(name: str, text: str, rows: list[list[str]], last_day: date) -> list[str]:
    found = rows_of(read_state(name, read_rows_of_state(text), last_day))
    if found != rows:
        row = next((row for row, read in zip_longest(rows, found) if row != read), None)
        raise CloseError(f"the state can't be frozen: {','.join(row or ['more than was written'])}")
    return items_of_rows(rows)
