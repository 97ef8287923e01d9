"""Rows of Arrow become events, by the readers that the plugin has.

    date        2026-05-20   2026-05-21
    subscriber  alice        bob
    units       200          350

A fast path for blocks without anything odd; any other block is read row by row, which says what is
wrong. The place of an event is its file and row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa

from beancount_compute.economy import Event, NotRead, Place, Refusal
from beancount_compute.ledger import Fields
from beancount_compute.ledger.errors import FieldError
from beancount_compute.ledger.event_columns import columns_of, events_of
from beancount_compute.ledger.event_files import patterns_of
from beancount_compute.ledger.parquet import cell_texts
from beancount_compute.ledger.rows import COLUMNS, PATTERNS, event_of_row, says_nothing, unread_row

BLOCK_OF_ROWS = 4096
_ONCE = ("id", "memo")  # texts that hardly ever repeat

Texts = Mapping[str, Sequence[Any]]


class ReadRows(NamedTuple):
    """What rows say: events, and what can't be read of them."""

    events: list[Event]
    refusals: list[Refusal]
    unread: list[NotRead]
    blank: int  # rows that say nothing


def read_rows(table: pa.Table, zone: str) -> ReadRows:
    """The events of rows, whose `file` and `row_at` say where they stand."""
    found = ReadRows([], [], [], 0)
    fields, blank = Fields(ZoneInfo(zone)), 0
    names = [name for name in table.column_names if name in COLUMNS]
    for at in range(0, table.num_rows, BLOCK_OF_ROWS * 16):
        part = table.slice(at, BLOCK_OF_ROWS * 16)
        unread: list[FieldError] = []  # cells that are no text
        texts = {name: _texts_of(part.column(name), name, unread) for name in names}
        files = _texts_of(part.column("file"), "file", unread)
        rows = part.column("row_at").to_pylist()
        for begin in range(0, part.num_rows, BLOCK_OF_ROWS):
            block = slice(begin, begin + BLOCK_OF_ROWS)
            cells = {name: texts[name][block] for name in names}
            places = files[block], rows[block]
            try:
                if unread:
                    raise unread[0]
                found.events.extend(_at_once(cells, *places, fields))
            except FieldError:
                blank += _one_by_one(cells, *places, fields, found)
    return found._replace(blank=blank)


def _at_once(
    cells: Texts, files: Sequence[str], rows: Sequence[int], fields: Fields
) -> list[Event]:
    """The events of a block; raises where anything about it is odd."""
    texts = {name: column for name, column in cells.items() if any(column)}
    if not texts.keys() >= {"date", "event"} or not all(texts["date"]):
        raise FieldError("")
    if not patterns_of(texts) <= PATTERNS.keys():
        raise FieldError("")
    try:
        columns: dict[str, Sequence[Any]] = columns_of(texts, fields)
    except KeyError:  # an event that is none
        raise FieldError("") from None
    columns["file"], columns["line"] = files, rows
    return events_of(columns, fields)


def _one_by_one(
    cells: Texts, files: Sequence[str], rows: Sequence[int], fields: Fields, found: ReadRows
) -> int:
    """Read a block row by row; how many of its rows say nothing."""
    blank = 0
    absent = [""] * len(rows)
    columns = [cells.get(name, absent) for name in COLUMNS]
    for file, row, *texts in zip(files, rows, *columns, strict=True):
        place = Place(file, row)
        try:
            for text in texts:
                if isinstance(text, FieldError):
                    raise text
            if not any(texts):
                blank += 1
                continue
            event = event_of_row(tuple(texts), (), place, fields)
            if says_nothing(event):
                blank += 1
            else:
                found.events.append(event)
        except FieldError as error:
            found.refusals.append(Refusal(place, str(error)))
            written = dict(zip(COLUMNS, map(str, texts), strict=True))
            found.unread.append(unread_row(written, place))
    return blank


def _texts_of(column: pa.ChunkedArray, name: str, unread: list[FieldError]) -> Sequence[Any]:
    kind = column.type
    if pa.types.is_string_view(kind):
        column = column.cast(pa.string())
        kind = column.type
    if name in _ONCE and pa.types.is_string(kind):
        return [text.strip() if text else "" for text in column.to_pylist()]
    if pa.types.is_null(kind) or column.null_count == len(column):
        return [""] * len(column)
    if not pa.types.is_dictionary(kind):
        column = column.dictionary_encode()
    found: list[Any] = []
    for chunk in column.chunks:
        texts = cell_texts(pa.chunked_array([chunk.dictionary]))  # each once
        unread += [text for text in texts if isinstance(text, FieldError)]
        if chunk.null_count:
            codes = chunk.indices.to_pylist()
            found += ["" if code is None else texts[code] for code in codes]
        else:
            found += map(texts.__getitem__, chunk.indices.to_pylist())
    return found
