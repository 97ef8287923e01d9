"""Closed months as they stand on disk: which of them say what was sealed, and what they say.

    closed/2026-05.beancount       its story: terms, transactions, prices
    closed/2026-05.events.csv      the events that were booked in it
    closed/2026-05.state.csv       the state at its end

The books go on from the last month up to which all hold. Those behind it are booked anew from the
ledger's own events, as if they were open; the error about the one that was touched stands.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from operator import attrgetter
from typing import NamedTuple

from beancount.core.data import Custom, Directive

from beancount_compute.closed.bulk_files import bulk_files, changed_since, folder_of_files
from beancount_compute.closed.chain import CLOSE, SEAL_TYPES, Chain, Seal, with_digest
from beancount_compute.closed.content import content_digest, digest, item_of_event
from beancount_compute.closed.frozen_reader import FrozenReader
from beancount_compute.closed.frozen_rows import FrozenEvent, read_rows
from beancount_compute.closed.frozen_state import (
    State,
    deferred_in,
    first_rows,
    items_of_rows,
    read_rows_of_state,
)
from beancount_compute.closed.frozen_text import FrozenText, as_found
from beancount_compute.closed.reading_state import UnreadableState, read_state
from beancount_compute.economy import Month, Place, quoted
from beancount_compute.ledger import CLOSED, Errors, Fields, place_of

INDEX = "index.beancount"
_currency_of = attrgetter("currency")
PARTS = ("beancount", "events.csv", "state.csv")


class Files(NamedTuple):
    """The files of a month: their seal, where they lie, and whether they are what it names.

    Their bytes are read when they are needed, and let go: those of two years are many.
    """

    seal: Seal
    text: str
    rows: str
    state: str
    there: tuple[bool, ...]
    untouched: bool  # but for line ends, byte by byte those that the seal names
    holds: bool  # say what was sealed, and the seal says what it said
    earlier: bool = False  # closed by an earlier release, which kept no state

    def read_text(self, next_order: Callable[[], str]) -> FrozenText:
        """The text as it stands."""
        data = file_of_month(self.text) or b""
        return as_found(self.text, data.decode("utf-8", "replace"), next_order)

    def events(self, fields: Fields, errors: Errors) -> list[FrozenEvent]:
        """The events as they stand; a row that can't be read is an error."""
        data = file_of_month(self.rows)
        return read_rows(self.rows, data, fields, errors) if data else []

    def state_rows(self) -> list[list[str]]:
        """The rows of the state as they stand."""
        data = file_of_month(self.state) or b""
        return read_rows_of_state(data.decode("utf-8", "replace"))

    def pack_digests(self) -> dict[str, str]:
        """The digests of the files of its close pack, by name; none where none was made."""
        return {row[1]: row[2] for row in self.state_rows() if len(row) > 2 and row[0] == "pack"}

    def head_rows(self) -> list[list[str]]:
        """The rows of the state before those of subscribers, as far as they hold figures."""
        if not self.untouched:
            return self.state_rows()
        data = file_of_month(self.state) or b""
        return [*first_rows(data.decode("utf-8", "replace"))]


class FrozenMonth(NamedTuple):
    """A closed month that holds."""

    files: Files
    text: FrozenText
    fields: Fields

    @property
    def name(self) -> str:
        """The month, such as "2026-05"."""
        return self.files.seal.month

    @property
    def events(self) -> list[FrozenEvent]:
        """The events that were booked in it, read anew each time."""
        return self.files.events(self.fields, Errors())


class Closed(NamedTuple):
    """The closed months: those that the books go on from, and those that are booked anew."""

    chain: Chain
    months: list[FrozenMonth]
    anew: list[Files]
    state: State | None  # at the end of the last month that holds

    @property
    def last_day(self) -> date:
        """The last day that is not booked anew; the first of all days where none is."""
        return Month.parse(self.months[-1].name).last if self.months else date.min

    @property
    def first_open_day(self) -> date:
        """The first day on which something can be booked."""
        return self.last_day + timedelta(1) if self.months else date.min

    @property
    def booked(self) -> list[Directive]:
        """What the months that hold add to the books."""
        return [entry for month in self.months for entry in month.text.booked]

    @property
    def terms(self) -> list[Custom]:
        """The terms that they used, and their assertions."""
        return [entry for month in self.months for entry in month.text.terms]


def files_digest(*files: bytes) -> str:
    """The digest of a month's files."""
    return digest("".join(map(digest, files)))


def month_paths(folder: str, month: str) -> tuple[str, str, str]:
    """Where the files of a month lie."""
    stem = os.path.join(folder, month)
    text, rows, state = (f"{stem}.{part}" for part in PARTS)
    return text, rows, state


def check_included(seals: list[Custom], ledger: str, errors: Errors) -> None:
    """An index of closed months beside a ledger without seals: its include line was lost."""
    path = os.path.join(os.path.dirname(ledger), CLOSED, INDEX)
    if seals or not ledger or f'custom "{CLOSE}"'.encode() not in (file_of_month(path) or b""):
        return
    message = (
        f"{CLOSED}/{INDEX} holds the seals of closed months, but this ledger does not include it, "
        f'so that all of them are worked out anew: add  include "{CLOSED}/{INDEX}"  (and keep '
        "another ledger's closed months in another folder)"
    )
    errors.add(Place(ledger, 1), message)


def check_index(entries: Iterable[Directive], folder: str, errors: Errors) -> None:
    """Tell of a line in the index that is no seal: it was one, say, and its type was touched."""
    index = os.path.join(folder, INDEX)
    for entry in entries:
        if (
            entry.meta.get("filename") == index
            and entry.__class__ is Custom
            and entry.type not in SEAL_TYPES
        ):
            message = f"no line of the index that bean-compute wrote: restore {quoted(INDEX)}"
            errors.add(place_of(entry.meta), message)


def read_closed(
    chain: Chain, include: list[str], fields: Fields, next_order: Callable[[], str], errors: Errors
) -> Closed:
    """The closed months as they stand; each file is registered, so that an edit is seen at once."""
    files = [_files(seal, chain, include, fields, errors) for seal in chain.closed]
    many = chain.sound
    while many and not all(each.holds for each in files[:many]):
        many -= 1
    state: State | None = None
    while many and state is None:
        try:
            state = _state(files[many - 1])
        except UnreadableState as error:
            errors.add(files[many - 1].seal.place, f"closed month {error}: restore it")
            many -= 1
    reader = FrozenReader(next_order)
    months = [FrozenMonth(each, _text(each, reader, next_order), fields) for each in files[:many]]
    for month in months:
        rows = month.files.head_rows()
        _check_figures(month.files, rows, errors)
        _check_bulk(month.files, rows, chain.folder, include, errors)
    return Closed(chain, months, files[many:], state)


def _text(files: Files, reader: FrozenReader, next_order: Callable[[], str]) -> FrozenText:
    if not files.untouched:
        return files.read_text(next_order)
    data = file_of_month(files.text) or b""
    return reader.month(files.text, data.decode("utf-8", "replace"))


def _state(files: Files) -> State:
    return read_state(files.state, files.state_rows(), Month.parse(files.seal.month).last)


def _check_figures(files: Files, rows: Iterable[list[str]], errors: Errors) -> None:
    """Compare the figures of a seal with those of the month's own files."""
    seal = files.seal
    stated = deferred_in(rows)
    if sorted(stated, key=_currency_of) != sorted(seal.deferred, key=_currency_of):
        said, found = (
            " ".join(f"{each.number:f} {each.currency}" for each in figures) or "nothing"
            for figures in (seal.deferred, stated)
        )
        message = (
            f"the seal of {seal.month} says deferred-revenue {said}, its state says {found}: "
            "restore the index as it was"
        )
        errors.add(seal.place, message)


def _check_bulk(
    files: Files, rows: Iterable[list[str]], closed: str, include: list[str], errors: Errors
) -> None:
    """Compare the files of a month in bulk with those that were sealed, as far as that is quick."""
    sealed, month = bulk_files(rows), files.seal.month
    folder = folder_of_files(sealed, month, closed, include) if sealed else ""
    if sealed and not os.path.isdir(folder):
        message = f"closed month {month}: this folder of its books is gone: restore it, or reopen"
        errors.add(Place(folder, 1), f"{message} {month}")
        return
    for each in sealed:
        if why := changed_since(each, folder, whole=False):
            place = Place(os.path.join(folder, os.path.basename(each.path)), 1)
            errors.add(place, f"closed month {month}: this file {why}: restore it, or reopen it")


def _files(seal: Seal, chain: Chain, include: list[str], fields: Fields, errors: Errors) -> Files:
    paths = month_paths(chain.folder, seal.month)
    found = [_registered(path, include) for path in paths]
    if found[2] is None and files_digest(*(each or b"" for each in found[:2])) == seal.files:
        return Files(seal, *paths, (True, True, False), False, False, True)
    for path, data in zip(paths, found, strict=True):
        if data is None:
            message = f"closed month {seal.month}: can't read {quoted(os.path.basename(path))}"
            errors.add(seal.place, f"{message}: {_why(path)}: restore it")
    there = tuple(data is not None for data in found)
    untouched = all(there) and files_digest(*(each or b"" for each in found)) == seal.files
    files = Files(seal, *paths, there, untouched, untouched)
    sound = with_digest(seal).digest == seal.digest
    if all(there) and sound and not untouched:
        files = files._replace(holds=_holds_by_value(files, fields))
    return files._replace(holds=files.holds and sound)


def _holds_by_value(files: Files, fields: Fields) -> bool:
    """Whether files that were touched still say what was sealed."""
    own = Errors()
    text = files.read_text(lambda: "")
    items = [*text.items().elements(), *items_of_rows(files.state_rows())]
    items += [item_of_event(*each) for each in files.events(fields, own)]
    return not own.found and not text.unreadable and content_digest(items) == files.seal.content


def _registered(path: str, include: list[str]) -> bytes | None:
    data = file_of_month(path)
    if data is not None and path not in include:
        include.append(path)
    return data


def file_of_month(path: str) -> bytes | None:
    """The bytes of a plain file, with lines that end in LF; None where it can't be read.

    The ends of lines are no content: version control may turn them.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        with open(path, "rb") as file:
            found = file.read()
    except OSError:
        return None
    return found.replace(b"\r\n", b"\n") if b"\r" in found else found


def _why(path: str) -> str:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return "it is no plain file"
        with open(path, "rb"):
            return "it can be read now"
    except OSError as error:
        return error.strerror or str(error)


def by_earlier_release(files: Iterable[Files]) -> Files | None:
    """The first month that was closed before months had their state."""
    return next((each for each in files if each.earlier), None)
