"""The export of a closed month: what goes out now, and what is remembered of it.

    export          the whole month, as often as asked, as long as it says the same
    --correction    the difference to what went out before, once the month was closed again

Files come first and the record after them: a run that was killed between the two gives the same
files again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from beancount_compute.close.general_ledger.export_records import (
    ExportRecord,
    RecordPlace,
    all_lines,
    correction,
    journals_with,
    read_records,
    record_of,
    record_text,
    recorded,
    sums,
)
from beancount_compute.close.general_ledger.month_export import (
    ExportRequest,
    File,
    files_with,
    month_journals,
)
from beancount_compute.close.standing import Months
from beancount_compute.close.storage import NEXT, Change, CloseError, apply, locked
from beancount_compute.closed import Seal
from beancount_compute.economy import Month
from beancount_compute.reports import Books


class Outgoing(NamedTuple):
    """What an export hands out, and what is to be remembered of it."""

    files: list[File]
    warning: str = ""
    folder: Path | None = None  # of closed months
    record: str = ""  # the name of what is to be remembered; "" where it is, or the month is open
    text: str = ""


def seal_of(months: Months, month: str) -> Seal | None:
    """The seal that holds a month; the first one holds what stands before it."""
    closed = months.chain.closed
    if closed and month < closed[0].month:
        return closed[0]
    return next((seal for seal in closed if seal.month == month), None)


def may_change(months: Months, month: str) -> bool:
    """Whether a month is one to close that is not closed, or was opened again.

    What stands before the first month to close is frozen with that one, never by itself.
    """
    closed = [seal.month for seal in months.chain.closed]
    first = closed[0] if closed else months.next_to_close
    return first is not None and month >= first and month not in closed


def outgoing(books: Books, months: Months, month: Month, request: ExportRequest) -> Outgoing:
    """A whole month; raises `CloseError` where it went out before with other figures."""
    journals = month_journals(books, month, request)
    files = files_with(journals, month, request)
    place, before = _records(months, month, request)
    seal = seal_of(months, month.name)
    if not seal:
        return Outgoing(files, warning=_of_open(months, month.name, before))
    if before and (len(before) > 1 or sums(all_lines(before)) != sums(recorded(journals))):
        raise CloseError(
            f"{month.name} was exported before, with other figures: export --correction writes "
            "the difference; if no general ledger took it, remove "
            f"{place.folder / place.name(1)}{' and those behind it' if len(before) > 1 else ''}"
        )
    if before or not files:
        return Outgoing(files, folder=place.folder)
    return _to_remember(files, place, record_of(place, seal.digest, [], journals), 1)


def _of_open(months: Months, month: str, before: Sequence[ExportRecord]) -> str:
    if before:
        return (
            f"Warning: {month} was exported before it was opened again: close it, then export "
            "--correction writes the difference."
        )
    if may_change(months, month):
        return f"Warning: {month} is not closed: its figures may change."
    return ""


def outgoing_correction(
    books: Books, months: Months, month: Month, request: ExportRequest
) -> Outgoing:
    """What a month says now less what went out; raises `CloseError` where that can't be told."""
    place, before = _records(months, month, request)
    seal = seal_of(months, month.name)
    if not seal:
        raise CloseError(f"{month.name} is not closed: close it, then export what changed")
    if not before:
        others = ", ".join(place.other_ways())
        known = f"; remembered are: {others}" if others else ""
        raise CloseError(
            f"no export of {month.name} as {place.way} is remembered in {place.folder}{known}: "
            "export the month without --correction"
        )
    now = recorded(month_journals(books, month, request))
    number, last = len(before), month.last
    journals = correction(all_lines(before), now, month.name, last, number)
    if journals:
        files = files_with(journals, month, request, number)
        record = record_of(place, seal.digest, before, journals)
        return _to_remember(files, place, record, number + 1)
    if number > 1 and before[-1].seal == seal.digest:  # asked for once more
        journals = journals_with(before[-1].lines, month.name, last, number - 1)
        return Outgoing(files_with(journals, month, request, number - 1), folder=place.folder)
    return Outgoing([])


def _to_remember(
    files: list[File], place: RecordPlace, record: ExportRecord, number: int
) -> Outgoing:
    return Outgoing(files, "", place.folder, place.name(number), record_text(record))


def _records(
    months: Months, month: Month, request: ExportRequest
) -> tuple[RecordPlace, list[ExportRecord]]:
    """What is remembered of a month; nothing where the ledger has no folder of closed months."""
    way = f"{request.form.name}-{request.only}-{request.by}"
    place = RecordPlace(Path(months.chain.folder), month.name, way)
    if not months.chain.folder:
        return place, []
    return place, read_records(place, {link.digest for link in months.chain.links})


def remember(out: Outgoing) -> None:
    """Write the record of an export that has gone out; finish what a killed run began."""
    if out.folder and (out.record or (out.folder / NEXT).exists()):
        with locked(out.folder):
            if out.record:
                apply(out.folder, Change({out.record: out.text.encode()}))
