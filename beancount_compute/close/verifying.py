"""Closed months, worked out again from their frozen events, and compared with their frozen text.

    closed/2026-05.events.csv, the ledger's terms and opening lots  ->  closed/2026-05.beancount ?

A release of the plugin that would book history differently shows here, and changes nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from beancount.core.data import Directive, Price, Transaction

from beancount_compute.booking import Booking
from beancount_compute.close.difference import Difference
from beancount_compute.close.loading import CLOSED, Loaded, check_included
from beancount_compute.close.open_month import own_prices
from beancount_compute.close.pack import pack_digests
from beancount_compute.close.proving import prove
from beancount_compute.close.standing import index_folder
from beancount_compute.close.storage import BOOKS, unfinished_change
from beancount_compute.close.verifying_bulk import verify_bulk
from beancount_compute.closed import (
    PARTS,
    SEPARATOR,
    Chain,
    FrozenMonth,
    Reopening,
    State,
    as_stated,
    bulk_files,
    can_close,
    content_digest,
    file_of_month,
    files_digest,
    frozen_assertions,
    item_of,
    item_of_event,
    items_of_rows,
    month_paths,
    named_by_account,
    rebook,
    rows_of,
    same_entries,
    with_digest,
)
from beancount_compute.economy import Event, Facts, Month, quoted
from beancount_compute.reports import counted, grouped

MOST_SHOWN = 20  # differences of a month, before the rest is only counted


def verify(
    loaded: Loaded, ledger: Path | None = None, seal: str = "", *, books: bool = True
) -> list[Difference]:
    """All differences; raises `CloseError` where the ledger can hold no closed months.

    `ledger` is the file as it was named, to say which line it lacks. Without `books` the file that
    loads all closed months with Beancount alone is left out: a close has proved it just before.
    """
    booking = loaded.booked
    found: list[Difference] = []
    if seal:
        found += _asked_for(seal, booking.chain)
    if not booking.chain.links:
        ledger = ledger or Path(loaded.options["filename"])
        included = index_folder(loaded.options)
        folder = Path(included) if included else ledger.parent / CLOSED
        check_included(loaded, ledger, folder)
        return [*found, *_unsealed(folder, set())]
    found += _contents(booking)
    found += _again(booking)
    found += _packs(booking)
    found += verify_bulk(loaded, booking)
    found += _evidence(booking)
    if books:
        found += _books(loaded, booking)
    return found


def _asked_for(seal: str, chain: Chain) -> list[Difference]:
    """What is to be said of a seal that was kept elsewhere; nothing where it is a current one."""
    if seal not in [link.digest for link in chain.links]:
        return [Difference("", "", f"the seal {seal} is not in the chain")]
    current = {each.month: each.digest for each in chain.closed}
    found: list[Difference] = []
    for link in [each for each in chain.links if isinstance(each, Reopening)]:
        for month in [month for month, digest in link.seals if digest == seal]:
            now = f"sealed {current[month]} now" if month in current else "open now"
            text = (
                f"the seal {seal} was replaced: the reopening of {link.month}, "
                f"{quoted(link.reason)}, opened this month again; it is {now}"
            )
            found.append(Difference(month, str(link.place), text))
    return found


def _contents(booking: Booking) -> list[Difference]:
    """Months whose files or seal say something else than each other."""
    found: list[Difference] = []
    for files in booking.closed.anew:
        if not files.holds:
            found.append(
                Difference(files.seal.month, "", "the text is not the content of the seal")
            )
            found += differences(
                files.seal.month,
                files.read_text(lambda: "").booked,
                (each for each in booking.generated if _month_of(each) == files.seal.month),
            )
    for month in booking.closed.months:
        seal, events = month.files.seal, month.events
        items = [*month.text.items().elements(), *items_of_rows(month.files.state_rows())]
        items += [item_of_event(*each) for each in events]
        if content_digest(items) != seal.content:
            found.append(Difference(month.name, "", "the text is not the content of the seal"))
        if len(events) != seal.events:
            text = f"the seal says {seal.events} events, there are {len(events)}"
            found.append(Difference(month.name, "", text))
    return found


def _again(booking: Booking) -> list[Difference]:
    """What the frozen events give now, against what was frozen."""
    months = [month.name for month in booking.closed.months]
    if not months:
        return []
    prices = own_prices(booking)
    rebooked = rebook(_facts(booking), booking.terms, booking.accounts, months, prices)
    found = [
        Difference(
            f"{_day_of(booking, str(refusal.place.file))}",
            f"{refusal.place.file}:{refusal.place.line}",
            f"refused now: {refusal.message}",
        )
        for refusal in rebooked.refusals
    ]
    again = grouped(rebooked.entries, _month_of)
    for month in booking.closed.months:
        found += differences(month.name, month.text.booked, again.pop(month.name, []))
        found += _state_again(month, rebooked.states[month.name], booking)
    for name, entries in again.items():
        found += [Difference(name, "", f"in no closed month: {item_of(each)}") for each in entries]
    return found


def _state_again(month: FrozenMonth, again: State, booking: Booking) -> list[Difference]:
    """What a month's state, and the figures of its seal, say otherwise than worked out again."""
    seal, component = month.files.seal, booking.accounts.component
    if bulk := bulk_files(month.files.head_rows()):
        again = again._replace(bulk=bulk, held_in_bulk=seal.deferred)
    stated, now = (
        named_by_account(rows, component)
        for rows in (month.files.state_rows(), as_stated(rows_of(again), month.files.state_rows()))
    )
    frozen, expected = (
        Counter(items_of_rows(rows) if stated != now else ()) for rows in (stated, now)
    )
    found = [
        Difference(month.name, month.files.state, f"{what}: {' '.join(item.split(SEPARATOR))}")
        for what, items in (
            ("frozen, and not worked out again", frozen - expected),
            ("worked out again, and not frozen", expected - frozen),
        )
        for item in sorted(items.elements())
    ]
    if again.deferred != seal.deferred:
        said, is_now = (
            " ".join(f"{each.number:f} {each.currency}" for each in figures) or "nothing"
            for figures in (seal.deferred, again.deferred)
        )
        text = f"the seal says deferred-revenue {said}, worked out again it is {is_now}"
        found.append(Difference(month.name, "", text))
    return _most(month.name, found)


def _day_of(booking: Booking, file: str) -> str:
    for month in booking.closed.months:
        if file in (month.files.text, month.files.rows):
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
        events=events, assertions=frozen_assertions(booking.closed), late=dict(late)
    )


def differences(
    month: str, frozen: Iterable[Directive], again: Iterable[Directive]
) -> list[Difference]:
    """What a month's text says otherwise than its bookings worked out again."""
    frozen, again = list(frozen), list(again)
    if all(same_entries(_of(kind, frozen), _of(kind, again)) for kind in (Transaction, Price)):
        return []
    expected = Counter(map(item_of, again))
    strange: list[Directive] = []
    for entry in frozen:
        item = item_of(entry)
        if expected[item]:
            expected[item] -= 1
        else:
            strange.append(entry)
    found = [
        Difference(
            month,
            f"{entry.meta['filename']}:{entry.meta['lineno']}",
            f"frozen, and not worked out again: {item_of(entry)}",
        )
        for entry in strange
    ]
    found += [
        Difference(month, "", f"worked out again, and not frozen: {item}")
        for item in sorted(expected.elements())
    ]
    return _most(month, found)


def _of(kind: type[Directive], entries: list[Directive]) -> list[Directive]:
    return [entry for entry in entries if isinstance(entry, kind)]


def _month_of(entry: Directive) -> str:
    return Month.of(entry.date).name


def _most(month: str, found: list[Difference]) -> list[Difference]:
    if len(found) > MOST_SHOWN:
        rest = counted(len(found) - MOST_SHOWN, "more difference")
        found = [*found[:MOST_SHOWN], Difference(month, "", f"and {rest}")]
    return found


def _packs(booking: Booking) -> list[Difference]:
    """Files of packs beside the closed months that are gone, or not those that were sealed."""
    found: list[Difference] = []
    for month in booking.closed.months:
        pack = Path(booking.chain.folder) / f"{month.name}-pack"
        digests = month.files.pack_digests() if pack.exists() else {}
        for name, digest in digests.items():
            path = pack / name
            if not path.is_file():
                text = "the file is gone; to close the month again writes it anew"
                found.append(Difference(month.name, str(path), text))
            elif pack_digests({name: path.read_bytes()}) != {name: digest}:
                text = "the file is not the one that was sealed"
                found.append(Difference(month.name, str(path), text))
    return found


def _evidence(booking: Booking) -> list[Difference]:
    """Reopened months whose old files are gone or changed, and files that no seal names."""
    folder = Path(booking.chain.folder)
    found: list[Difference] = []
    seals = {link.digest: link for link in booking.chain.links}
    moving = unfinished_change(folder).move
    for link in booking.chain.links:
        if not isinstance(link, Reopening):
            continue
        for month, digest in link.seals:
            place = folder / reopened_name(month, digest)
            paths = month_paths(str(place), month)
            old = seals.get(digest)
            data = [file_of_month(path) for path in paths]
            if data[2] is None and None not in data[:2]:
                del data[2]  # an earlier release wrote no state
            if any(f"{month}.{part}" in moving for part in PARTS):
                continue  # its change is not finished
            if None in data:
                found.append(Difference(month, str(place), "the reopened month's files are gone"))
                continue
            sound = (
                old is not None
                and not isinstance(old, Reopening)
                and files_digest(*(each or b"" for each in data)) == old.files
                and with_digest(old).digest == digest
            )
            if not sound:
                text = "the reopened month's files are not those that were sealed"
                found.append(Difference(month, str(place), text))
    return [*found, *_unsealed(folder, {seal.month for seal in booking.chain.closed})]


def _unsealed(folder: Path, closed: set[str]) -> list[Difference]:
    """Frozen months that lie in the folder, and that no seal closes.

    Those of a change that is not finished are not closed yet, or not moved away yet.
    """
    found: list[Difference] = []
    change = unfinished_change(folder)
    for path in sorted(folder.glob("*.beancount")):
        if path.name in change.write or path.name in change.move:
            continue
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
    if BOOKS in unfinished_change(books.parent).write:
        return []  # it may be the old one or the new; whoever closes next finishes it
    if not books.exists():
        return [Difference("", str(books), "the file is gone; the next close writes it anew")]
    proof = prove(books, entries)
    found = [Difference("", str(books), f"Beancount says: {text}") for text in proof.errors]
    found += [
        Difference("", str(books), f"another balance of {account}") for account in proof.differences
    ]
    return found
