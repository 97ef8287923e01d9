"""Closed months, worked out again from their frozen events, and compared with their frozen text.

    closed/2026-05.events.csv, the ledger's terms and opening lots  ->  closed/2026-05.beancount ?

A release of the plugin that would book history differently shows here, and changes nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import NamedTuple

from beancount.core.data import Directive, Price, Transaction

from beancount_compute.booking import Booking
from beancount_compute.close.loading import CLOSED, Loaded, check_included
from beancount_compute.close.proving import prove
from beancount_compute.close.standing import index_folder
from beancount_compute.close.storage import BOOKS, CloseError
from beancount_compute.closed.chain import Reopening, can_close, with_digest
from beancount_compute.closed.content import content_digest, item_of, item_of_event
from beancount_compute.closed.copies import frozen_assertions
from beancount_compute.closed.files import files_digest, month_paths
from beancount_compute.closed.months import FrozenMonth, copied_entry
from beancount_compute.closed.rebooking import rebook
from beancount_compute.economy.events import Event
from beancount_compute.economy.inputs import Facts
from beancount_compute.economy.months import Month
from beancount_compute.reports.tables import counted

MOST_SHOWN = 20  # differences of a month, before the rest is only counted


class Difference(NamedTuple):
    """What a month says otherwise than it was worked out again."""

    month: str
    place: str  # file and line, where there is one
    text: str


def verify(loaded: Loaded, ledger: Path | None = None, seal: str = "") -> list[Difference]:
    """All differences; raises `CloseError` where the ledger can hold no closed months.

    `ledger` is the file as it was named, to say which line it lacks.
    """
    booking = loaded.booking
    if booking is None:
        raise CloseError('the ledger has no line plugin "beancount_compute": nothing is booked')
    found: list[Difference] = []
    if seal and seal not in [link.digest for link in booking.chain.links]:
        found.append(Difference("", "", f"the seal {seal} is not in the chain"))
    if not booking.chain.links:
        ledger = ledger or Path(loaded.options["filename"])
        included = index_folder(loaded.options)
        folder = Path(included) if included else ledger.parent / CLOSED
        check_included(loaded, ledger, folder)
        return [*found, *_unsealed(folder, set())]
    found += _contents(booking)
    found += _again(booking)
    found += _evidence(booking)
    found += _books(loaded, booking)
    return found


def _contents(booking: Booking) -> list[Difference]:
    """Months whose text does not have the content that their seal says."""
    found: list[Difference] = []
    for month in booking.closed.months:
        items = [item_of(entry) for entry in (*month.month.terms, *month.month.booked)]
        items += [item_of(copied_entry(text, entry)) for text, _, entry in month.month.copies]
        items += [item_of_event(event, booked) for event, booked in month.events]
        if content_digest(items) != month.files.seal.content:
            found.append(Difference(month.name, "", "the text is not the content of the seal"))
    return found


def _again(booking: Booking) -> list[Difference]:
    """What the frozen events give now, against what was frozen."""
    last_day = booking.chain.last_day
    own_prices = frozenset(
        (entry.date, entry.currency, entry.amount.currency)
        for entry in booking.entries
        if isinstance(entry, Price)
    )
    rebooked = rebook(_facts(booking), booking.terms, booking.accounts, last_day, own_prices)
    found = [
        Difference(
            f"{_day_of(booking, str(refusal.place.file))}",
            f"{refusal.place.file}:{refusal.place.line}",
            f"refused now: {refusal.message}",
        )
        for refusal in rebooked.refusals
    ]
    again: defaultdict[str, list[Directive]] = defaultdict(list)
    for entry in rebooked.entries:
        again[Month.of(entry.date).name].append(entry)
    for month in booking.closed.months:
        found += differences(month, again.pop(month.name, []))
    for name, entries in again.items():
        found += [Difference(name, "", f"in no closed month: {item_of(each)}") for each in entries]
    return found


def _day_of(booking: Booking, file: str) -> str:
    for month in booking.closed.months:
        if file in (month.files.month_path, month.files.events_path):
            return month.name
    return ""


def _facts(booking: Booking) -> Facts:
    """The facts of all closed months: frozen events, and what stands in the ledger by hand."""
    late: defaultdict[date, list[Event]] = defaultdict(list)
    events: list[Event] = []
    for month in booking.closed.months:
        for event, booked in month.events:
            if booked is None:
                events.append(event)
            else:
                late[booked].append(event)
    return booking.written_by_hand._replace(
        events=events, assertions=frozen_assertions(booking.closed.months), late=dict(late)
    )


def differences(month: FrozenMonth, again: Iterable[Directive]) -> list[Difference]:
    """What a month's text says otherwise than its bookings worked out again."""
    expected = Counter(map(item_of, again))
    strange: list[Directive] = []
    for entry in month.month.booked:
        item = item_of(entry)
        if expected[item]:
            expected[item] -= 1
        else:
            strange.append(entry)
    missing = sorted(expected.elements())
    found = [
        Difference(
            month.name,
            f"{entry.meta['filename']}:{entry.meta['lineno']}",
            f"frozen, and not worked out again: {item_of(entry)}",
        )
        for entry in strange
    ]
    found += [
        Difference(month.name, "", f"worked out again, and not frozen: {item}") for item in missing
    ]
    if len(found) > MOST_SHOWN:
        rest = counted(len(found) - MOST_SHOWN, "more difference")
        found = [*found[:MOST_SHOWN], Difference(month.name, "", f"and {rest}")]
    return found


def _evidence(booking: Booking) -> list[Difference]:
    """Reopened months whose old files are gone or changed, and files that no seal names."""
    folder = Path(booking.chain.folder)
    found: list[Difference] = []
    seals = {link.digest: link for link in booking.chain.links}
    for link in booking.chain.links:
        if not isinstance(link, Reopening):
            continue
        for month, digest in link.seals:
            place = folder / reopened_name(month, digest)
            paths = month_paths(str(place), month)
            old = seals.get(digest)
            try:
                data = [Path(path).read_bytes() for path in paths]
            except OSError:
                found.append(Difference(month, str(place), "the reopened month's files are gone"))
                continue
            sound = (
                old is not None
                and not isinstance(old, Reopening)
                and files_digest(*data) == old.files
                and with_digest(old).digest == digest
            )
            if not sound:
                text = "the reopened month's files are not those that were sealed"
                found.append(Difference(month, str(place), text))
    return [*found, *_unsealed(folder, {seal.month for seal in booking.chain.closed})]


def _unsealed(folder: Path, closed: set[str]) -> list[Difference]:
    """Frozen months that lie in the folder, and that no seal closes."""
    found: list[Difference] = []
    for path in sorted(folder.glob("*.beancount")):
        if can_close(path.stem) and path.stem not in closed:
            text = "a frozen month that no seal names: was the newest seal removed?"
            found.append(Difference(path.stem, str(path), text))
    return found


def reopened_name(month: str, digest: str) -> str:
    """The folder that keeps a reopened month, within that of the closed ones."""
    return f"reopened/{month}.{digest.removeprefix('sha256:')[:8]}"


def _books(loaded: Loaded, booking: Booking) -> list[Difference]:
    """What Beancount alone makes of the closed months, against the ledger."""
    last_day = booking.chain.last_day
    entries = [
        entry
        for entry in loaded.entries
        if isinstance(entry, Transaction) and entry.date <= last_day
    ]
    books = Path(booking.chain.folder) / BOOKS
    if not books.exists():
        return [Difference("", str(books), "the file is gone; the next close writes it anew")]
    proof = prove(books, entries)
    found = [Difference("", str(books), f"Beancount says: {text}") for text in proof.errors]
    found += [
        Difference("", str(books), f"another balance of {account}") for account in proof.differences
    ]
    return found
