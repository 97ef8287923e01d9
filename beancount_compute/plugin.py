"""The plugin: Beancount's entries in, the same entries with the booked ones out.

plugin "beancount_compute"
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from decimal import localcontext
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from beancount.core.data import Custom, Directive

from beancount_compute.booking import Booking, Written, book
from beancount_compute.closed import SEAL_TYPES, without_frozen
from beancount_compute.collector import much_made
from beancount_compute.economy import TIME_ZONE, USUAL, Place, Refused, like, quoted
from beancount_compute.ledger import (
    ACCEPT,
    BLOCK,
    COLUMNS,
    CONTROL,
    EVENT_TYPES,
    ORDER,
    PREFIX,
    SCALE,
    SCENARIO,
    TERM_TYPES,
    ColumnMap,
    ComputeError,
    Errors,
    FieldError,
    Fields,
    FileRequest,
    Source,
    answer_of,
    assertion_of,
    check_ids,
    control_of,
    drop_twins,
    event_of,
    events_at_once,
    find_files,
    metadata_of,
    named_once,
    not_in_a_ledger,
    place_of,
    read_file,
    refuse_ids_of_periods,
    scenario_of,
    text_in,
    unread_directive,
    values_of,
)

PLUGIN = "beancount_compute"
_BOOK_NOTHING = ("compute-assert", CONTROL, ACCEPT, SCENARIO)
_OTHERS = (*_BOOK_NOTHING, "compute-events")


class Worked(NamedTuple):
    """What the plugin makes of a ledger, and what it worked with."""

    entries: list[Directive]
    errors: list[ComputeError]
    booking: Booking | None  # None where another line of the plugin has booked the ledger already


def compute(
    entries: list[Directive], options_map: dict[str, Any], config: str | None = None
) -> tuple[list[Directive], list[ComputeError]]:
    """Book the economy that a ledger's `compute-` directives describe."""
    worked = _worked(entries, options_map, config, keep_events=False)
    return worked.entries, worked.errors


def work_out(
    entries: list[Directive],
    options_map: dict[str, Any],
    config: str | None = None,
    bulk_from: date | None = None,
) -> Worked:
    """The same as `compute`, with all that it worked with: what the month end goes on from.

    Files of events that it reads are added to the `include` of the options, as Beancount wants it.
    `bulk_from` is the first day of a month in bulk of which no journal is there yet.
    """
    return _worked(entries, options_map, config, keep_events=True, bulk_from=bulk_from)


def _worked(
    entries: list[Directive],
    options_map: dict[str, Any],
    config: str | None,
    *,
    keep_events: bool,
    bulk_from: date | None = None,
) -> Worked:
    errors = Errors()
    ledger = Place(str(options_map.get("filename", "<unknown>")), 1)
    if config:
        errors.add(
            ledger, f"the plugin takes no configuration, such as {quoted(config)}: remove it"
        )
    if [name for name, _ in options_map["plugin"]].count(PLUGIN) > 1:
        if any(ORDER in entry.meta for entry in entries):
            return Worked(entries, [], None)  # the second time
        errors.add(ledger, f'plugin "{PLUGIN}" stands twice: remove one of the two')
    with localcontext(USUAL), much_made():  # whatever another plugin computes in
        entries = without_frozen(entries, options_map, errors)
        fields = Fields(_zone_of(entries))
        written = _read(entries, fields, errors)
        _add_events_of_files(written, options_map, fields, errors)
        refuse_ids_of_periods(written.events)
        check_ids(written.assertions, errors)
        written.scenarios[:] = named_once(written.scenarios, errors)
        _register([each.path for each in written.scenarios], options_map)
        booking = book(
            entries,
            written,
            options_map,
            fields,
            errors,
            keep_events=keep_events,
            bulk_from=bulk_from,
        )
        added = [*booking.opened, *booking.generated]
        return Worked(_with_values(entries) + added, errors.in_order(), booking)


def _read(entries: list[Directive], fields: Fields, errors: Errors) -> Written:
    written = Written([], [], [], [], [], [], [], [])
    for at in range(0, len(entries), BLOCK):
        block = [
            entry
            for entry in entries[at : at + BLOCK]
            if entry.__class__ is Custom and entry.type.startswith(PREFIX)
        ]
        events = events_at_once([entry for entry in block if entry.type in EVENT_TYPES], fields)
        if events is not None:
            written.events.extend(events)
            block = [entry for entry in block if entry.type not in EVENT_TYPES]
        for entry in block:
            try:
                _read_one(entry, written, fields)
            except FieldError as error:
                errors.add(place_of(entry.meta), str(error))
                if entry.type not in (*_BOOK_NOTHING, SCALE):
                    errors.unread.append(unread_directive(entry))
    return written


def _read_one(entry: Custom, written: Written, fields: Fields) -> None:
    if entry.type in EVENT_TYPES:
        written.events.append(event_of(entry, fields))
    elif entry.type in TERM_TYPES:
        written.terms.append(entry)
    elif entry.type in SEAL_TYPES:
        written.seals.append(entry)
    elif entry.type == "compute-assert":
        written.assertions.append(assertion_of(entry))
    elif entry.type == CONTROL:
        written.controls.append(control_of(entry))
    elif entry.type == ACCEPT:
        written.answers.append(answer_of(entry))
    elif entry.type == SCENARIO:
        written.scenarios.append(scenario_of(entry))
    elif entry.type == SCALE:
        raise not_in_a_ledger()
    elif entry.type == "compute-events":
        written.files.append(_file_request(entry))
    else:
        raise _unknown_type(entry.type)


def _zone_of(entries: list[Directive]) -> ZoneInfo:
    """Where the ledger's days begin; its line is looked at once more among the terms."""
    for entry in entries:
        if entry.__class__ is Custom and entry.type == "compute-option":
            name, value, *_ = [*(each.value for each in entry.values or ()), None, None]
            if isinstance(name, str) and name == TIME_ZONE.name and isinstance(value, str):
                with suppress(Refused):
                    return ZoneInfo(TIME_ZONE.parse(value))
    return ZoneInfo(TIME_ZONE.default)


def _unknown_type(name: str) -> FieldError:
    known = ", ".join([*TERM_TYPES, *EVENT_TYPES, *_OTHERS, *SEAL_TYPES])
    return FieldError(
        f"unknown directive {quoted(name)}; known: {known}{like(name, known.split(', '))}"
    )


def _file_request(entry: Custom) -> FileRequest:
    (path,) = values_of(entry, {("text",): ()}, 'a path or a glob: "events/2026-05.csv"')
    meta = metadata_of(entry, ("columns", "ignore"))
    renamed = dict(_pair(each) for each in _parts(meta, "columns"))
    column_map = ColumnMap(renamed, frozenset(_parts(meta, "ignore")))
    place = place_of(entry.meta)
    return FileRequest(path, os.path.dirname(place.file), place, column_map)


def _parts(meta: dict[str, Any], key: str) -> list[str]:
    """The parts of a text that commas separate."""
    return [part.strip() for part in text_in(meta, key).split(",") if part.strip()]


def _pair(text: str) -> tuple[str, str]:
    """A column as a file names it, and as we do."""
    theirs, equals, ours = (part.strip() for part in text.partition("="))
    if not (theirs and equals and (ours in COLUMNS or ours.startswith("x_"))):
        raise FieldError(
            f"`columns` holds {quoted(text)}: write the file's name of a column, = and one of "
            f"{', '.join(COLUMNS)} or an x_ column{like(ours, COLUMNS)}"
        )
    return theirs, ours


def _add_events_of_files(
    written: Written, options_map: dict[str, Any], fields: Fields, errors: Errors
) -> None:
    """Add the events of files to those of the ledger; nobody else keeps what booking lets go."""
    files = _events_of_files(written.files, options_map, fields, errors)
    sources = [Source("", written.events), *files]
    drop_twins(sources, errors)
    for source in sources[1:]:
        written.events.extend(source.events)


def _events_of_files(
    requests: list[FileRequest], options_map: dict[str, Any], fields: Fields, errors: Errors
) -> Iterator[Source]:
    """The events of each file, which is registered."""
    ledger_folder = os.path.dirname(options_map.get("filename") or "")
    for path, request in find_files(requests, ledger_folder, errors):
        _register([path], options_map)
        yield Source(path, read_file(path, request.place, fields, errors, request.column_map))


def _register(paths: list[str], options_map: dict[str, Any]) -> None:
    """Add files to those that the ledger is made of, so that an edit is seen at once."""
    include: list[str] = options_map["include"]
    include += [path for path in paths if path not in include]


def _with_values(entries: list[Directive]) -> list[Directive]:
    """The entries; a `compute-` directive without any value would crash Beancount's `pad`."""
    return [
        entry._replace(values=[]) if entry.__class__ is Custom and entry.values is None else entry
        for entry in entries
    ]
