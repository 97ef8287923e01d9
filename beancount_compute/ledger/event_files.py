"""Event files: CSV and Parquet in, `Event` out.

    id,date,time,event,subscriber,counterparty,plan,units,commodity,price,paid,currency,expires,started,reverses,memo
    use-17,2026-05-20,,consumption,alice,,,200,CU,,,,,,,

Columns in any order; empty means absent. This is a fast path (100,000 rows in well under a second):
one loop over the rows, cells mapped to the canonical columns once, and every value looked up in the
caches of `fields.py` before it is parsed.
"""

from __future__ import annotations

import csv
import glob
import os
import re
from collections.abc import Iterator, Sequence
from io import StringIO
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple

from beancount_compute.economy.events import PHASE, Event, Kind, Place
from beancount_compute.economy.words import quoted
from beancount_compute.ledger.errors import Errors, FieldError
from beancount_compute.ledger.fields import (
    check_text,
    parse_currency,
    parse_date,
    parse_expires,
    parse_name,
    parse_number,
    parse_plan_name,
    parse_time,
)

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
CLOSED = "closed"  # the folder of closed months: what lies in it never matches
_EXTRA = re.compile(r"x_[A-Za-z0-9_-]*", re.ASCII)
_ALWAYS = ("id", "date", "time", "event", "memo")


class RowForm(NamedTuple):
    """Which columns a row must fill, and which it may, for one way of writing an event."""

    kind: Kind
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


_UNITS = ("subscriber", "units", "commodity")
_TOP_UP = RowForm(Kind.ALLOCATION, (*_UNITS, "paid", "currency"), ("expires",))
_OF_PLAN = RowForm(Kind.ALLOCATION, ("subscriber", "plan"))
_FORMS = {
    form.kind: form
    for form in (
        RowForm(Kind.SUBSCRIPTION, ("subscriber", "plan"), ("started",)),
        RowForm(Kind.CANCELLATION, ("subscriber", "plan")),
        RowForm(Kind.GRANT, _UNITS, ("expires",)),
        RowForm(Kind.CONSUMPTION, _UNITS),
        RowForm(Kind.TRADE, (*_UNITS, "counterparty", "price", "currency")),
        RowForm(Kind.TRANSFER, (*_UNITS, "counterparty")),
        RowForm(Kind.SPEND, (*_UNITS, "counterparty", "paid", "currency")),
        RowForm(Kind.REFUND, _UNITS),
        RowForm(Kind.REVERSAL, ("reverses",)),
    )
}


class _Check(NamedTuple):
    """A form as column numbers, to be checked in one step each."""

    form: RowForm
    required: itemgetter[Any]
    surplus: itemgetter[Any]


def _check(form: RowForm) -> _Check:
    taken = {*_ALWAYS, *form.required, *form.optional}
    surplus = [at for at, name in enumerate(COLUMNS) if name not in taken]
    # two columns at least, so that itemgetter gives a tuple
    required = [COLUMNS.index(name) for name in ("date", "event", *form.required)]
    return _Check(form, itemgetter(*required), itemgetter(*surplus))


_CHECKS: dict[str, _Check] = {kind.value: _check(form) for kind, form in _FORMS.items()}
_TOP_UP_CHECK, _OF_PLAN_CHECK = _check(_TOP_UP), _check(_OF_PLAN)


class FileRequest(NamedTuple):
    """A `compute-events` line: which files, seen from which folder."""

    path: str
    folder: str
    place: Place


def find_files(
    requests: Sequence[FileRequest], ledger_folder: str, errors: Errors
) -> Iterator[tuple[str, Place]]:
    """Each event file once, with the line that named it first; what is missing is an error."""
    seen: set[str] = set()
    closed = os.path.realpath(os.path.join(ledger_folder, CLOSED)) + os.sep
    for request in requests:
        pattern = os.path.join(request.folder, request.path)
        try:
            named = os.path.lexists(pattern)
            paths = [pattern] if named else sorted(glob.glob(pattern, recursive=True))
        except (OSError, ValueError):  # a NUL byte in the path, say
            paths = []
        files = [
            os.path.abspath(path)
            for path in paths
            if os.path.isfile(path) and not os.path.realpath(path).startswith(closed)
        ]
        if not files:
            message = (
                f"no event file {quoted(request.path)}: write a path or a glob, seen from here"
            )
            errors.add(request.place, message)
        for path in files:
            real = os.path.realpath(path)
            if real not in seen:
                seen.add(real)
                yield path, request.place


def read_file(path: str, named_at: Place, errors: Errors) -> list[Event]:
    """The events of a file; every row that is wrong is an error, and the others stand."""
    kind = os.path.splitext(path)[1].lower()
    try:
        if kind == ".csv":
            return _read_csv(path, errors)
        if kind == ".parquet":
            from beancount_compute.ledger.parquet import read_parquet

            return read_parquet(path, named_at, errors)
    except OSError as error:
        errors.add(named_at, f"can't read {quoted(path)}: {error.strerror}")
        return []
    errors.add(named_at, f"{quoted(path)} is neither .csv nor .parquet")
    return []


def _read_csv(path: str, errors: Errors) -> list[Event]:
    with open(path, "rb") as file:
        data = file.read()
    if not data.strip():
        errors.add(Place(path, 1), "the file is empty: its first row must name the columns")
        return []
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        errors.add(Place(path, line), "the file is not UTF-8: export it as UTF-8 text")
        return []
    rows = _rows(text, path, errors)
    first = next(rows, None)
    if first is None:
        return []
    line, header = first
    try:
        columns = Columns([cell.strip() for cell in header])
    except FieldError as error:
        errors.add(Place(path, line), str(error))
        return []
    return _events(rows, columns, path, errors)


def _rows(text: str, path: str, errors: Errors) -> Iterator[tuple[int, list[str]]]:
    """The rows with the line on which each begins; reading goes on behind a row that is broken."""
    limit = csv.field_size_limit(len(text) + 1)  # the module's own default would end the reading
    try:
        lines = StringIO(text, newline="").readlines()
        done = 0
        while done < len(lines):
            reader = csv.reader(islice(lines, done, None), strict=True)
            start = done
            try:
                for row in reader:
                    if row:
                        yield start + 1, row
                    start = done + reader.line_num
                return
            except csv.Error as error:
                errors.add(Place(path, start + 1), f"the row is not CSV: {error}")
                done = start + 1
    finally:
        csv.field_size_limit(limit)


class Columns:
    """Where a file's header puts the canonical columns, and which `x_` columns it adds."""

    def __init__(self, header: list[str]) -> None:
        for name in header:
            if name not in COLUMNS and not _EXTRA.fullmatch(name):
                raise FieldError(
                    f"unknown column {quoted(name)}: columns of your own begin with x_ and hold "
                    "letters, digits, - and _"
                )
            if header.count(name) > 1:
                raise FieldError(f"column {quoted(name)} stands twice")
        for name in ("date", "event"):
            if name not in header:
                raise FieldError(
                    f"no column {quoted(name)}: the first row must name the columns, "
                    f"such as {','.join(COLUMNS[:8])}"
                )
        self.width = len(header)
        # a column that the file lacks is read from an empty cell behind the row
        self.places = tuple(
            [header.index(name) if name in header else self.width for name in COLUMNS]
        )
        self.extra = [(at, name) for at, name in enumerate(header) if name.startswith("x_")]


def _events(
    rows: Iterator[tuple[int, list[str]]], columns: Columns, path: str, errors: Errors
) -> list[Event]:
    events: list[Event] = []
    append, in_order, width, extra = (
        events.append,
        itemgetter(*columns.places),
        columns.width,
        columns.extra,
    )
    for line, row in rows:
        if len(row) != width:
            message = f"the row has {len(row)} cells and the header {width}"
            errors.add(Place(path, line), message)
            continue
        row.append("")
        place = Place(path, line)
        cells = in_order(list(map(str.strip, row)))
        try:
            append(event_of_row(cells, _extra_cells(row, extra) if extra else (), place))
        except FieldError as error:
            errors.add(place, str(error))
    return events


def _extra_cells(row: list[str], extra: list[tuple[int, str]]) -> tuple[tuple[str, str], ...]:
    return tuple([(name, check_text(cell)) for at, name in extra if (cell := row[at].strip())])


def event_of_row(cells: tuple[str, ...], extra: tuple[tuple[str, str], ...], place: Place) -> Event:
    """The event of a row's cells, in the order of `COLUMNS`; raises `FieldError`."""
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
    if kind == "allocation":
        check = _OF_PLAN_CHECK if plan else _TOP_UP_CHECK
    else:
        known = _CHECKS.get(kind)
        if known is None:
            raise _unknown_kind(kind)
        check = known
    if not all(check.required(cells)) or any(check.surplus(cells)):
        raise _wrong_cells(cells, check.form)
    event = check.form.kind
    return Event(
        parse_date(day),
        PHASE[event],
        parse_time(time) if time else "",
        event,
        parse_name(subscriber) if subscriber else "",
        parse_name(counterparty) if counterparty else "",
        parse_plan_name(plan) if plan else "",
        parse_number(units) if units else None,
        parse_number(price) if price else None,
        parse_number(paid) if paid else None,
        parse_currency(currency) if currency else "",
        parse_expires(expires) if expires else "",
        parse_id(event_id) if event_id else "",
        check_text(memo) if memo else "",
        parse_currency(commodity) if commodity else "",
        parse_date(started).isoformat() if started else "",
        parse_name(reverses) if reverses else "",
        extra,
        place,
    )


parse_id = parse_name


def _unknown_kind(kind: str) -> FieldError:
    if not kind:
        return FieldError("no event: write what happened, such as consumption")
    known = ", ".join(each.value for each in Kind)
    return FieldError(f"unknown event {quoted(kind)}; known: {known}")


def _wrong_cells(cells: tuple[str, ...], form: RowForm) -> FieldError:
    by_name = dict(zip(COLUMNS, cells, strict=True))
    for name in ("date", *form.required):
        if not by_name[name]:
            return FieldError(f"{form.kind} without {name}: fill the column {quoted(name)}")
    taken = {*_ALWAYS, *form.required, *form.optional}
    surplus = [name for name, cell in by_name.items() if cell and name not in taken]
    return FieldError(
        f"{form.kind} takes no {' and no '.join(surplus)}: leave the cell empty"
        + (", or remove the plan" if form is _OF_PLAN else "")
    )
