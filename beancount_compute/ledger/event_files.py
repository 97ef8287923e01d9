"""Event files: CSV and Parquet in, `Event` out.

    id,date,time,event,subscriber,counterparty,plan,units,commodity,price,paid,currency,expires,started,reverses,memo
    use-17,2026-05-20,,consumption,alice,,,200,CU,,,,,,,

Columns in any order; empty means absent. This is a fast path (100,000 rows in well under a second):
one loop over the rows, cells mapped to the canonical columns once, and every value looked up in the
caches of `fields.py` before it is parsed.
"""

from __future__ import annotations

import csv
import os
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO, TextIOWrapper
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

from beancount_compute.economy.events import PHASE, Event, Kind, Place, flaw_of, is_sound
from beancount_compute.economy.words import quoted
from beancount_compute.ledger.errors import Errors, FieldError
from beancount_compute.ledger.fields import LONGEST_TEXT, Fields, check_text, parse_name

COLUMNS = (
    "id",
    "date",
    "time",
    "event",
    "subscriber",
    "counterparty",
    "plan",
    "units",
    "commodity",
    "price",
    "paid",
    "currency",
    "expires",
    "started",
    "reverses",
    "memo",
)
MOST_BROKEN_ROWS = 1000  # each is read again to the end of what it swallows
_EXTRA = re.compile(r"x_[A-Za-z0-9_-]*", re.ASCII)
_SPACES = " \t\v\f\x1c\x1d\x1e\x1f"
_new = tuple.__new__
_PLAIN = bytes({*range(0x20, 0x7F), *b"\r\n"} - {*b'"'})
_ALWAYS = ("id", "date", "time", "event", "memo")


_USE = ("id", "date", "time", "event", "subscriber", "units", "commodity", "memo")
_CONSUMPTION = Kind.CONSUMPTION
_USE_PHASE = PHASE[Kind.CONSUMPTION]


class RowForm(NamedTuple):
    """Which columns a row must fill, and which it may, for one way of writing an event."""

    kind: Kind
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


_UNITS = ("subscriber", "units", "commodity")
FORMS = (
    RowForm(Kind.SUBSCRIPTION, ("subscriber", "plan"), ("started",)),
    RowForm(Kind.CANCELLATION, ("subscriber", "plan")),
    RowForm(Kind.ALLOCATION, (*_UNITS, "paid", "currency"), ("expires",)),
    RowForm(Kind.ALLOCATION, ("subscriber", "plan")),
    RowForm(Kind.GRANT, _UNITS, ("expires",)),
    RowForm(Kind.CONSUMPTION, _UNITS),
    RowForm(Kind.TRADE, (*_UNITS, "counterparty", "price", "currency")),
    RowForm(Kind.TRANSFER, (*_UNITS, "counterparty")),
    RowForm(Kind.SPEND, (*_UNITS, "counterparty", "paid", "currency")),
    RowForm(Kind.REFUND, _UNITS),
    RowForm(Kind.REVERSAL, ("reverses",)),
)
# The columns that tell the ways of writing an event apart; a row's pattern is which are empty.
_TELLING = tuple(name for name in COLUMNS if name not in _ALWAYS)


def _pattern(kind: str, filled: tuple[str, ...]) -> tuple[str | bool, ...]:
    return (kind, *(name not in filled for name in _TELLING))


_KINDS: dict[tuple[str | bool, ...], Kind] = {
    _pattern(form.kind.value, (*form.required, *more)): form.kind
    for form in FORMS
    for more in ((), form.optional)
}


def read_file(path: str, named_at: Place, fields: Fields, errors: Errors) -> list[Event]:
    """The events of a file; every row that is wrong is an error, and the others stand."""
    name = quoted(os.path.basename(path))
    kind = os.path.splitext(path)[1].lower()
    try:
        if kind == ".csv":
            with open(path, "rb") as file:
                data = file.read()
            return read_csv(path, data, fields, errors)
        if kind == ".parquet":
            from beancount_compute.ledger.parquet import read_parquet

            return read_parquet(path, named_at, fields, errors)
        errors.add(named_at, f"{name} is neither .csv nor .parquet: export it as one of them")
    except OSError as error:
        errors.add(named_at, f"can't read {name}: {error.strerror or error}: export it anew")
    return []


def read_csv(path: str, data: bytes, fields: Fields, errors: Errors) -> list[Event]:
    """The events in the bytes of a CSV file."""
    events: list[Event] = []
    limit = csv.field_size_limit(len(data) + 1)  # the module's own default would end the reading
    try:
        text = _decoded(data)
        look = _Look(_may_need_stripping(text), not data.translate(None, _PLAIN))
        del text
        columns, header_lines = _header(data)
        lines: Iterable[str] = islice(_lines(data), header_lines, None)
        done = _read_rows(path, lines, header_lines, columns, look, fields, events, errors)
        if done is not None:  # a row is broken: go on from a list, to begin anew behind it
            every = list(_lines(data))
            for _ in range(MOST_BROKEN_ROWS):
                lines = (every[at] for at in range(done, len(every)))
                done = _read_rows(path, lines, done, columns, look, fields, events, errors)
                if done is None:
                    break
            else:
                message = (
                    f"more than {MOST_BROKEN_ROWS:,} rows are not CSV: those from here on are not "
                    "read; export the file anew"
                )
                errors.add(Place(path, done + 1), message)
    except _NotCSV as error:
        errors.add(Place(path, error.line), str(error))
    finally:
        csv.field_size_limit(limit)
    return events


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


def _header(data: bytes) -> tuple[Columns, int]:
    """The columns, and how many lines naming them takes."""
    reader = csv.reader(_lines(data), strict=True)
    try:
        header = next((row for row in reader if row), [])
        return Columns([cell.strip() for cell in header]), reader.line_num
    except csv.Error as error:
        raise _NotCSV(f"the first row is not CSV: {_why(error)}") from None
    except FieldError as error:
        raise _NotCSV(str(error), max(1, reader.line_num)) from None


def _read_rows(
    path: str,
    lines: Iterable[str],
    done: int,
    columns: Columns,
    look: _Look,
    fields: Fields,
    events: list[Event],
    errors: Errors,
) -> int | None:
    """Read the rows behind the lines that are done; where one is broken, how many are done then.

    A broken row (a quote that is never closed, say) would swallow those behind it: reading goes on
    with the line after its first.
    """
    reader = csv.reader(lines, strict=True)
    in_order, width, extra = columns.in_order, columns.width, columns.extra
    append, plain = events.append, look.plain and not extra
    cells_of_use, others = columns.cells_of_use, width + 2 - len(_USE)
    dates, times, names, numbers = fields.dates, fields.times, fields.names, fields.numbers
    currencies = fields.currencies
    line = done + 1
    try:
        for row in reader:
            if len(row) == width:
                if look.strip:
                    row = [cell.strip() for cell in row]
                row.append("")  # what a column that the file lacks holds
                place: Place = _new(Place, (path, line, ""))
                try:
                    event_id, day, time, kind, subscriber, units, commodity, memo = cells_of_use(
                        row
                    )
                    # A fast path for plain rows of use that fill no other cell: most rows are such.
                    # `event_of_row` reads them just the same.
                    if (
                        plain
                        and kind == "consumption"
                        and day
                        and subscriber
                        and units
                        and commodity
                        and not memo
                        and row.count("") == others + (not time) + (not event_id)
                        and (number := numbers[units]) is not None
                        and number > 0
                        and len(event_id) <= LONGEST_TEXT
                    ):
                        use = (
                            dates[day],
                            _USE_PHASE,
                            times[time],
                            _CONSUMPTION,
                            names[subscriber],
                            "",
                            "",
                            number,
                            None,
                            None,
                            "",
                            "",
                            event_id,
                            "",
                            currencies[commodity],
                            "",
                            "",
                            (),
                            place,
                            "",
                        )
                        append(_new(Event, use))
                    else:
                        more = columns.extra_of(row) if extra else ()
                        append(event_of_row(in_order(row), more, place, fields, look.plain))
                except FieldError as error:
                    errors.add(place, str(error))
            elif row:
                message = (
                    f"the row has {_cells(len(row))} and the header {width}: write one for each "
                    "column, and quotes around a cell that holds a comma"
                )
                errors.add(Place(path, line), message)
            line = done + reader.line_num + 1
    except csv.Error as error:
        errors.add(Place(path, line), f"the row is not CSV: {_why(error)}")
        return line
    return None


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
    plain: bool  # none holds anything but printable ASCII on one line


class Columns:
    """Where a file's header puts the canonical columns, and which `x_` columns it adds."""

    def __init__(self, header: list[str]) -> None:
        for name in header:
            if name not in COLUMNS and not _EXTRA.fullmatch(name):
                hint = "; separate columns with commas" if ";" in name or "\t" in name else ""
                raise FieldError(
                    f"unknown column {quoted(name)}: the first row names the columns; those of "
                    f"your own begin with x_ and hold letters, digits, - and _{hint}"
                )
            if header.count(name) > 1:
                raise FieldError(f"column {quoted(name)} stands twice: remove one of the two")
        for name in ("date", "event"):
            if name not in header:
                raise FieldError(
                    f"no column {quoted(name)}: the first row must name the columns, "
                    f"such as {','.join(COLUMNS[:8])}"
                )
        self.width = len(header)
        # a column that the file lacks is read from an empty cell behind the row
        places = [header.index(name) if name in header else self.width for name in COLUMNS]
        self.in_order: Callable[[Sequence[str]], tuple[str, ...]] = itemgetter(*places)
        self.cells_of_use = itemgetter(*(places[COLUMNS.index(name)] for name in _USE))
        self.extra = [(at, name) for at, name in enumerate(header) if name.startswith("x_")]

    def extra_of(self, row: Sequence[str]) -> tuple[tuple[str, str], ...]:
        """The `x_` cells of a row that are filled."""
        return tuple([(name, check_text(row[at])) for at, name in self.extra if row[at]])


def event_of_row(
    cells: tuple[str, ...],
    extra: tuple[tuple[str, str], ...],
    place: Place,
    fields: Fields,
    plain: bool = False,
) -> Event:
    """The event of a row's cells, in the order of `COLUMNS`; raises `FieldError`.

    Of plain cells, ids need no look: they come once each, so that nothing is gained by remembering.
    """
    (
        event_id,
        day,
        time,
        kind,
        subscriber,
        counterparty,
        plan,
        units,
        commodity,
        price,
        paid,
        currency,
        expires,
        started,
        reverses,
        memo,
    ) = cells
    known = _KINDS.get(
        (
            kind,
            not subscriber,
            not counterparty,
            not plan,
            not units,
            not commodity,
            not price,
            not paid,
            not currency,
            not expires,
            not started,
            not reverses,
        )
    )
    if known is None or not day:
        raise _wrong_cells(cells)
    if event_id and not (plain and len(event_id) <= LONGEST_TEXT):
        event_id = parse_name(event_id)
    numbers = fields.numbers
    event: Event = _new(
        Event,
        (
            fields.dates[day],
            PHASE[known],
            fields.times[time],
            known,
            fields.names[subscriber],
            fields.names[counterparty],
            fields.plans[plan],
            numbers[units],
            numbers[price],
            numbers[paid],
            fields.currencies[currency],
            fields.expiries[expires],
            event_id,
            memo and check_text(memo),
            fields.currencies[commodity],
            fields.days[started],
            fields.names[reverses],
            extra,
            place,
            "",
        ),
    )
    return event if is_sound(event) else event._replace(flaw=flaw_of(event))


def _wrong_cells(cells: tuple[str, ...]) -> FieldError:
    """What is wrong with the cells that a row fills."""
    by_name = dict(zip(COLUMNS, cells, strict=True))
    kind = by_name["event"]
    if not by_name["date"]:
        return FieldError('no date: fill the column "date"')
    if not kind:
        return FieldError("no event: write what happened, such as consumption")
    forms = [form for form in FORMS if form.kind.value == kind]
    if not forms:
        known = ", ".join(each.value for each in Kind)
        return FieldError(f"unknown event {quoted(kind)}; known: {known}")
    form = forms[-1] if by_name["plan"] else forms[0]
    for name in form.required:
        if not by_name[name]:
            return FieldError(f"{kind} without {name}: fill the column {quoted(name)}")
    taken = {*_ALWAYS, *form.required, *form.optional}
    surplus = [name for name, cell in by_name.items() if cell and name not in taken]
    hint = ", or remove the plan" if form.kind is Kind.ALLOCATION and by_name["plan"] else ""
    return FieldError(f"{kind} takes no {' and no '.join(surplus)}: leave the cell empty{hint}")
