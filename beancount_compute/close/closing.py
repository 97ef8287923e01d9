"""Closing a month: everything agrees, is frozen, and can be proved later.

    2026-05-31 custom "compute-close" "2026-05" "sha256:9f2c..."
      previous: "none"
      deferred-revenue: 280.00 USD
      events: 124

`prepare` works it all out and writes nothing; `storage.apply` then writes it whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import localcontext
from types import MappingProxyType
from typing import Any, NamedTuple

from beancount.core.account import parent_matcher
from beancount.core.data import Balance, Directive, Pad, Price, Transaction

from beancount_compute.booking import Booking
from beancount_compute.close.bulk_month import BookedInBulk, bulk_month
from beancount_compute.close.freezing import freeze
from beancount_compute.close.loading import Loaded
from beancount_compute.close.month_in_parquet import MonthInParquet, handed_on_to
from beancount_compute.close.open_month import look_at
from beancount_compute.close.pack import UNSEALED, pack_digests, pack_files, sealed_pack
from beancount_compute.close.proving import books_text
from beancount_compute.close.storage import BOOKS, OURS, BooksDiffer, CloseError
from beancount_compute.close.tie_outs import TieOut, bulk_ties
from beancount_compute.close.used_in_bulk import used_in_bulk
from beancount_compute.closed import (
    INDEX,
    NO_SEAL,
    Rebooked,
    Seal,
    assertion_text,
    files_digest,
    item_of,
    link_text,
    same_entries,
    statements_of,
    with_digest,
)
from beancount_compute.collector import no_cyclic_garbage
from beancount_compute.economy import USUAL, Month
from beancount_compute.ledger import OPENING_TAG, ORDER, option_lines, place_in_books, place_of
from beancount_compute.reports import Books, counted
from beancount_compute.review import Review, review_month

INDEX_HEAD = (
    f"; The seals of the closed months: written by {OURS}, included by the ledger. Don't edit it.\n"
)
ATTRIBUTES_TEXT = f"# What is frozen stays byte by byte: written by {OURS}.\n* -text\n"
ROOT_OPTION = 'option "name_'


class Closing(NamedTuple):
    """A month, closed but not written yet."""

    month: str
    seal: Seal
    files: dict[str, bytes]  # by name within the folder of closed months
    ties: list[TieOut]
    entries: list[Directive]  # the books up to the month's last day
    books: Books  # those entries, read for reports
    late: int  # of the events
    events: int
    review: Review
    pack: Mapping[str, bytes] = MappingProxyType({})  # the files of the close pack
    bulk: BookedInBulk | None = None  # where the month was booked in bulk


def next_to_close(booking: Booking) -> str | None:
    """The month that comes next; None where nothing was booked and none is closed."""
    if booking.chain.closed:
        return Month.parse(booking.chain.closed[-1].month).next.name
    days = [entry.date for entry in booking.generated]
    days += [booking.terms.bulk_from] if booking.terms.bulk_from else []
    return Month.of(min(days)).name if days else None


def prepare(month: str, loaded: Loaded, *, with_pack: bool = False) -> Closing:
    """Work a month's close out; raises `CloseError` where it can't be closed.

    The pack is made where all ties out, and the digests of its files stand under the seal.
    """
    booking = loaded.booked
    if loaded.errors:
        errors = counted(len(loaded.errors), "error")
        raise CloseError(f"the ledger loads with {errors}: mend the ledger first")
    with localcontext(USUAL), no_cyclic_garbage():
        return _prepared(month, loaded, booking, with_pack=with_pack)


def _prepared(month: str, loaded: Loaded, booking: Booking, *, with_pack: bool) -> Closing:
    _check_order(month, booking)
    last_day = Month.parse(month).last
    _check_paddings(loaded, booking, last_day)
    bulk = bulk_month(Month.parse(month), loaded)
    found = look_at(month, loaded)
    rebooked, events, ties, whole = found.rebooked, found.events, found.ties, found.entries
    in_bulk = _in_bulk(bulk, loaded)
    ties = [*ties, *in_bulk.ties]
    _check_rebooked(rebooked, booking, last_day)
    terms = [
        *sorted({*rebooked.terms.get(month, ()), *in_bulk.terms}),
        *_assertions(booking, last_day),
        *_stated(booking, last_day),
    ]
    roots = [line for line in option_lines(loaded.options) if line.startswith(ROOT_OPTION)]
    entries = sorted([*rebooked.entries, *found.copies], key=place_in_books)
    books, review = found.books, review_month(booking, found.books, month)
    pack: Mapping[str, bytes] = {}
    if with_pack and all(tie.holds for tie in ties) and not review.unanswered:
        pack = pack_files(whole, loaded.options, month, UNSEALED, ties, books=books, review=review)
    state = rebooked.states[month]._replace(pack=pack_digests(pack))
    if bulk is not None:
        state = state._replace(bulk=bulk.files, held_in_bulk=bulk.held)
    frozen = freeze(month, roots, terms, entries, events, state)
    seal: Seal = with_digest(
        Seal(
            month,
            booking.chain.head if booking.chain.links else NO_SEAL,
            frozen.content,
            files_digest(*frozen.files.values()),
            state.deferred,
            len(events),
        )
    )
    months = [*(each.month for each in booking.chain.closed), month]
    written = [entry for entry in whole if ORDER not in entry.meta]
    files = {
        **frozen.files,
        INDEX: index_text([*booking.chain.links, seal]).encode(),
        BOOKS: books_text(loaded, months, written, state.first_used).encode(),
    }
    pack = sealed_pack(pack, seal.digest)
    late = found.late
    return Closing(month, seal, files, ties, whole, books, late, len(events), review, pack, bulk)


class _InBulk(NamedTuple):
    """What the Parquet files of a month come to; nothing for a month that has none."""

    ties: list[TieOut]
    terms: list[str]  # that were used


def _in_bulk(bulk: BookedInBulk | None, loaded: Loaded) -> _InBulk:
    if bulk is None:
        return _InBulk([], [])
    booking = loaded.booked
    parquet = MonthInParquet(bulk.folder, handed_on_to(bulk.month, bulk.folder, booking))
    ties = bulk_ties(bulk, parquet, loaded.entries, booking.accounts)
    return _InBulk(ties, used_in_bulk(parquet, bulk.month, booking.terms))


def _check_order(month: str, booking: Booking) -> None:
    expected = next_to_close(booking)
    closed = booking.chain.closed
    if closed and month != expected:
        raise CloseError(
            f"months close in order: {closed[-1].month} is closed, so close {expected} next"
        )
    if closed or expected is None:
        return
    if not _first_opening(booking, expected) <= month <= expected:
        raise CloseError(f"months close in order: {expected} is the first with bookings, close it")


def _check_paddings(loaded: Loaded, booking: Booking, last_day: date) -> None:
    for pad, balance in open_paddings(loaded.entries, booking.chain.last_day, last_day):
        at = place_of(pad.meta)
        raise CloseError(
            f"{at}: how much is padded here depends on the balance of {balance.date}, behind the "
            f"month: date that one {last_day + timedelta(1)} or before, or write a transaction in "
            "place of the pad"
        )


def open_paddings(
    entries: Iterable[Directive], after: date, last_day: date
) -> Iterator[tuple[Pad, Balance]]:
    """The pads behind a day, up to a month's last one, whose amount a later balance decides on.

    Beancount fills a `pad` up to the first `balance` of each currency behind it; what a closed
    month holds must not change with what is written later. A balance holds at the beginning of its
    day: one on the day after the month is still of it.
    """
    looked_at = [entry for entry in entries if isinstance(entry, Balance | Pad)]
    for at, pad in enumerate(looked_at):
        if not isinstance(pad, Pad) or not after < pad.date <= last_day:
            continue
        within = parent_matcher(pad.account)
        settled: set[str] = set()  # currencies
        for entry in looked_at[at + 1 :]:
            if isinstance(entry, Pad):
                if entry.account == pad.account:
                    break
            elif within(entry.account) and entry.amount.currency not in settled:
                settled.add(entry.amount.currency)
                if entry.date > last_day + timedelta(1):
                    yield pad, entry


def _first_opening(booking: Booking, month: str) -> str:
    """The month in which opening lots were entered, if that is before a month; else that month.

    It may be closed by itself, ahead of the first bookings.
    """
    days = [
        entry.date
        for entry in booking.entries
        if isinstance(entry, Transaction) and OPENING_TAG in (entry.tags or ())
    ]
    return min([month, *(Month.of(day).name for day in days)])


def _check_rebooked(rebooked: Rebooked, booking: Booking, last_day: date) -> None:
    """A later event must not have changed the month, nor the way in which it was booked."""
    if rebooked.refusals:
        first = rebooked.refusals[0]
        raise CloseError(f"{first.place}: {first.message}")
    after = booking.chain.last_day
    made = [
        entry
        for entry in booking.generated
        if after < entry.date <= last_day and isinstance(entry, Transaction | Price)
    ]
    if same_entries(made, rebooked.entries):
        return
    loaded = Counter(item_of(_without_source(entry)) for entry in made)
    again = Counter(item_of(_without_source(entry)) for entry in rebooked.entries)
    if loaded - again:
        ((item, _),) = (loaded - again).most_common(1)
        raise BooksDiffer(f"booked again up to {last_day}, this one differs: {item}")


def _without_source(entry: Directive) -> Directive:
    meta = {key: value for key, value in entry.meta.items() if key != "source"}
    return entry._replace(meta=meta)


def _assertions(booking: Booking, last_day: date) -> list[str]:
    after = booking.chain.last_day
    found = [assertion_text(each) for each in booking.assertions if after < each.date <= last_day]
    return sorted(set(found))


def _stated(booking: Booking, last_day: date) -> list[str]:
    after = booking.chain.last_day
    stated = statements_of(booking.answers, booking.controls)
    return sorted({each.text for each in stated if after < each.date <= last_day})


def index_text(links: Iterable[Any]) -> str:
    """The index of closed months."""
    return INDEX_HEAD + "".join("\n" + link_text(link) for link in links)
