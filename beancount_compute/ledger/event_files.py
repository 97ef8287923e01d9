"""Event files: CSV and Parquet in, `Event` out.

    id,date,time,event,subscriber,counterparty,plan,units,commodity,price,paid,currency,expires,started,reverses,memo
    use-17,2026-05-20,,consumption,alice,,,200,CU,,,,,,,

Columns in any order; empty means absent. This is a fast path (100,000 rows in a fraction of a
second): blocks of lines go through `event_columns.py`, column by column, and every value is looked
up in the caches of `fields.py` before it is parsed. A block with anything odd in it is read row by
row, which gives the same events, and finds what is wrong.
"""

from __future__ import annotations

import csv
import os
import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BytesIO, TextIOWrapper
from itertools import chain, islice
from operator import not_
from typing import NamedTuple

from beancount_compute.economy import EVENTS, Event, NotRead, Place, quoted
from beancount_compute.ledger.errors import Errors, FieldError
from beancount_compute.ledger.event_columns import BLOCK, NotPlain, columns_of, events_of
from beancount_compute.ledger.fields import Fields
from beancount_compute.ledger.header import AS_NAMED, ColumnMap, Columns
from beancount_compute.ledger.rows import PATTERNS, TELLING, event_of_row, says_nothing, unread_row

MOST_BROKEN_ROWS = 1000  # each is read again to the end of what it swallows
_SPACES = " \t\v\f\x1c\x1d\x1e\x1f"
_new = tuple.__new__


def read_file(
    path: str, named_at: Place, fields: Fields, errors: Errors, column_map: ColumnMap = AS_NAMED
) -> list[Event]:
    """The events of a file; every row that is wrong is an error, and the others stand."""
    name = quoted(os.path.basename(path))
    kind = os.path.splitext(path)[1].lower()
    try:
        if kind == ".csv":
            with open(path, "rb") as file:
                data = file.read()
            return read_csv(path, data, fields, errors, column_map)
        if kind == ".parquet":
            from beancount_compute.ledger.parquet import read_parquet

            return read_parquet(path, named_at, fields, errors, column_map)
        message = f"{name} is neither .csv nor .parquet: export it as one of them"
    except OSError as error:
        message = f"can't read {name}: {error.strerror or error}: export it anew"
    errors.add_unread_file(named_at, message)
    return []


def read_csv(
    path: str, data: bytes, fields: Fields, errors: Errors, column_map: ColumnMap = AS_NAMED
) -> list[Event]:
    """The events in the bytes of a CSV file."""
    limit = csv.field_size_limit(len(data) + 1)  # the module's own default would end the reading
    try:
        text = _decoded(data)
        look = _Look(_may_need_stripping(text), '"' in text)
        del text
        columns, done = _header(data, column_map)
        rows = _Rows(path, columns, look, fields, errors)
        if rows.read(islice(_lines(data), done, None), done):
            return rows.events
        every = list(_lines(data))  # a row is broken: go on from a list, to begin anew behind it
        for _ in range(MOST_BROKEN_ROWS):
            if rows.read((every[at] for at in range(rows.done, len(every))), rows.done):
                return rows.events
        message = (
            f"more than {MOST_BROKEN_ROWS:,} rows are not CSV: those from here on are not "
            "read; export the file anew"
        )
        errors.add_unread_file(Place(path, rows.done + 1), message)
        return rows.events
    except _NotCSV as error:
        errors.add_unread_file(Place(path, error.line), str(error))
    finally:
        csv.field_size_limit(limit)
    return []


class _NotCSV(Exception):
    """A file that can't be read at all."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = line


def _decoded(data: bytes) -> str:
    if not data.removeprefix(BOM_UTF8).strip():
        raise _NotCSV("the file is empty: its first row must name the columns")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _NotCSV("the file is not UTF-8: export it as UTF-8 text", line) from None


def _lines(data: bytes) -> Iterable[str]:
    return TextIOWrapper(BytesIO(data), "utf-8-sig", newline="")


def _header(data: bytes, column_map: ColumnMap) -> tuple[Columns, int]:
    """The columns, and how many lines naming them takes."""
    reader = csv.reader(_lines(data), strict=True)
    try:
        header = next((row for row in reader if row), [])
        return Columns([cell.strip() for cell in header], column_map), reader.line_num
    except csv.Error as error:
        raise _NotCSV(f"the first row is not CSV: {_why(error)}") from None
    except FieldError as error:
        raise _NotCSV(str(error), max(1, reader.line_num)) from None


class _Rows:
    """Reads the rows of a file into events."""

    def __init__(
        self, path: str, columns: Columns, look: _Look, fields: Fields, errors: Errors
    ) -> None:
        self.path = path
        self.columns = columns
        self.look = look
        self.fields = fields
        self.errors = errors
        self.events: list[Event] = []
        self.done = 0  # lines

    def read(self, lines: Iterator[str], done: int) -> bool:
        """Read the lines behind those that are done; False where a row is broken.

        A broken row (a quote that is never closed, say) would swallow those behind it: reading goes
        on with the line after its first.
        """
        self.done = done
        while block := list(islice(lines, BLOCK)):
            try:
                self.events += self._by_column(block)
                self.done += len(block)
            except (FieldError, csv.Error):
                if not self._by_row(chain(block, lines), len(block)):
                    return False
        return True

    def _by_column(self, lines: list[str]) -> list[Event]:
        """The events of lines that are a row each; raises where anything about them is odd."""
        cells = self._columns(lines)
        texts = self.columns.filled(cells)
        if not texts.keys() >= {"date", "event"} or not all(texts["date"]):
            raise NotPlain
        if not patterns_of(texts) <= PATTERNS.keys():
            raise NotPlain
        columns = columns_of(texts, self.fields)
        columns["file"] = [self.path] * len(lines)
        columns["line"] = range(self.done + 1, self.done + 1 + len(lines))
        if self.columns.extra:
            columns["extra"] = list(map(self.columns.extra_of, zip(*cells, strict=True)))
        return events_of(columns, self.fields)

    def _columns(self, lines: list[str]) -> list[Sequence[str]]:
        """The columns of lines that are a row each."""
        width = self.columns.width
        if self.look.quotes:
            rows = list(csv.reader(lines, strict=True))
            if len(rows) != len(lines) or {*map(len, rows)} != {width}:
                raise NotPlain
            columns: list[Sequence[str]] = [*zip(*rows, strict=True)]
        else:
            columns = _columns_without_quotes(lines, width)
        if self.look.strip:
            columns = [[cell.strip() for cell in column] for column in columns]
        return columns

    def _by_row(self, lines: Iterable[str], at_least: int) -> bool:
        """Read rows until so many lines are done; False where one is broken."""
        begun: list[str] = []  # the lines of the row
        reader = csv.reader(_noted(lines, begun), strict=True)
        done, place = self.done, Place(self.path, self.done + 1)
        try:
            for row in reader:
                try:
                    self._add(row, place)
                except FieldError as error:
                    self.errors.add(place, str(error))
                    self.errors.unread.append(unread_row(self.columns.written(row), place))
                self.done = done + reader.line_num
                place = Place(self.path, self.done + 1)
                begun.clear()
                if reader.line_num >= at_least:
                    break
        except csv.Error as error:
            self.errors.add(place, f"the row is not CSV: {_why(error)}")
            pieces = {piece.strip() for piece in re.split('[,"]', begun[0])}
            self.errors.unread.append(NotRead(place, tuple(pieces), kinds=EVENTS))
            self.done += 1
            return False
        return True

    def _add(self, row: list[str], place: Place) -> None:
        """Add the event of a row; one that says nothing is passed over, and counted."""
        width = self.columns.width
        if not any(map(str.strip, row)):
            self.errors.skipped[self.path, "blank rows"] += 1
            return
        if len(row) > width and not any(map(str.strip, row[width:])):
            del row[width:]
        if len(row) != width:
            raise FieldError(
                f"the row has {_cells(len(row))} and the header {width}: write one for each "
                "column, and quotes around a cell that holds a comma"
            )
        event = self._event_of(row, place)
        if says_nothing(event):
            self.errors.skipped[self.path, "rows of 0 units"] += 1
        else:
            self.events.append(event)

    def _event_of(self, row: list[str], place: Place) -> Event:
        self.columns.check_unnamed(row)
        if self.look.strip:
            row = [cell.strip() for cell in row]
        row.append("")  # what a column that the file lacks holds
        columns = self.columns
        return event_of_row(columns.in_order(row), columns.extra_of(row), place, self.fields)


def _noted(lines: Iterable[str], begun: list[str]) -> Iterator[str]:
    """The lines, the first of each row kept where the reader of rows empties the list."""
    for line in lines:
        if not begun:
            begun.append(line)
        yield line


def _columns_without_quotes(lines: list[str], width: int) -> list[Sequence[str]]:
    """What the reader would make of the lines, cut into cells all at once.

    The end of a line is a cell of its own: all rows are as wide as they must be where each of these
    cells stands behind so many others.
    """
    text = "".join(lines).replace("\r\n", "\n").replace("\r", "\n")
    if text[-1] != "\n":
        text += "\n"
    cells = text.replace("\n", ",\n,").split(",")
    cells.pop()  # behind the last end
    if cells[width :: width + 1] != ["\n"] * len(lines) or len(cells) % (width + 1):
        raise NotPlain
    return [cells[at :: width + 1] for at in range(width)]


def patterns_of(texts: Mapping[str, Sequence[str]]) -> set[tuple[str | bool, ...]]:
    """The ways of filling a row that columns show: the event, and which others are empty.

    A column that is filled in every row, or in none, needn't be asked row by row.
    """
    mixed = [name for name in TELLING if name in texts and not all(texts[name])]
    found = {*zip(texts["event"], *[map(not_, texts[name]) for name in mixed], strict=True)}
    empty = {name: name not in texts for name in TELLING}
    return {
        (event, *(empty | dict(zip(mixed, cells, strict=True))).values()) for event, *cells in found
    }


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"


def _why(error: csv.Error) -> str:
    why = str(error)
    if why == "unexpected end of data":
        return 'a quote is never closed: close it, or write "" for a quote in a cell'
    return f'{why}: put the whole cell in quotes, and write "" for a quote in it'


def _may_need_stripping(text: str) -> bool:
    """Whether any cell could begin or end with white space: asked once, as stripping is slow."""
    if not text.isascii():
        return True
    edges = (",", "\n", "\r")
    return (
        '"' in text
        or text[-1] in _SPACES
        or any(
            space + edge in text or edge + space in text
            for space in _SPACES
            if space in text
            for edge in edges
        )
    )


class _Look(NamedTuple):
    """What the text of a whole file tells of all its cells."""

    strip: bool  # some may begin or end with white space
    quotes: bool  # some may be in quotes
