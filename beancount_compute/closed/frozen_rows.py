"""The frozen events of a month: the event-file format, and when late ones were booked.

id,date,time,event,subscriber,...,memo,booked
use-17,2026-05-20,,consumption,alice,...,,2026-06-01

A line's end within a value stands as `\\n` or `\\r`, and a backslash as two: no row is longer than
its line, whatever version control does to the ends of lines.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from beancount_compute.closed.content import escaped, unescaped
from beancount_compute.economy import CONTENT, ZERO, Event
from beancount_compute.ledger import (
    COLUMNS,
    FIELDS,
    LATER_COLUMNS,
    Errors,
    Fields,
    csv_text,
    read_csv,
)

BOOKED = "booked"
_AS_EXTRA = "x_booked"  # how the reader of event files lets the column through


class FrozenEvent(NamedTuple):
    """An event of a closed month; `booked` where it came late."""

    event: Event
    booked: date | None = None


def rows_text(events: Iterable[FrozenEvent]) -> str:
    """The frozen events as CSV."""
    events = list(events)
    extra = sorted({name for event, _ in events for name, _ in event.extra})
    late = any(booked for _, booked in events)
    columns = [name for name in COLUMNS if name not in LATER_COLUMNS or _is_filled(name, events)]
    rows: list[list[object]] = [[*columns, *extra, *([BOOKED] if late else [])]]
    for event, booked in events:
        own = dict(event.extra)
        row: list[object] = [_cell(event, name) for name in columns]
        row += [escaped(own.get(name, "")) for name in extra]
        rows.append([*row, booked or ""] if late else row)
    return csv_text(rows)


def _is_filled(name: str, events: Iterable[FrozenEvent]) -> bool:
    """Whether any event says something in a column that came later."""
    return any(getattr(event, FIELDS.get(name, name)) for event, _ in events)


def _cell(event: Event, name: str) -> str:
    value = event.kind.value if name == "event" else getattr(event, FIELDS.get(name, name))
    if value is None or (value == ZERO and name != "paid"):  # a stated cost may be of nothing
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else escaped(str(value))


def read_rows(path: str, data: bytes, fields: Fields, errors: Errors) -> list[FrozenEvent]:
    """The frozen events of a file's bytes; a row that can't be read is an error."""
    above = data[: len(data) - len(data.lstrip())]  # blank lines are nothing
    header, newline, rows = data[len(above) :].partition(b"\n")
    names = [name.strip() for name in header.split(b",")]
    late = BOOKED.encode() in names
    extra = _AS_EXTRA
    while extra.encode() in names:  # somebody's own column
        extra += "_"
    if late:
        as_extra = {BOOKED.encode(): extra.encode()}
        header = b",".join(as_extra.get(name, name) for name in names)
        data = above + header + newline + rows
    events = read_csv(path, data, fields, errors)
    if b"\\" in data:
        events = [_unescaped(event) for event in events]
    return [_taken_apart(e, extra) for e in events] if late else [FrozenEvent(e) for e in events]


def _unescaped(event: Event) -> Event:
    values = [unescaped(each) if type(each) is str else each for each in event[:CONTENT]]
    extra = tuple((name, unescaped(value)) for name, value in event.extra)
    return Event._make((*values, extra, *event[CONTENT + 1 :]))


def _taken_apart(event: Event, extra: str) -> FrozenEvent:
    own = dict(event.extra)
    booked = own.pop(extra, "")
    try:
        day = date.fromisoformat(booked) if booked else None
    except ValueError:  # was edited: differs from what was sealed in any case
        day = date.max
    return FrozenEvent(event._replace(extra=tuple(own.items())), day)
