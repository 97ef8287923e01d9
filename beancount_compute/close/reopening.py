"""Opening closed months again, with a reason; evidence is moved, never deleted.

2026-05-31 custom "compute-reopen" "2026-05" "an invoice of May came in June"
  previous: "sha256:..."
  seals: "2026-05 sha256:9f2c..., 2026-06 sha256:77aa..."
  seal: "sha256:..."
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from beancount.core.data import Directive

from beancount_compute.close.closing import index_text
from beancount_compute.close.loading import Loaded
from beancount_compute.close.proving import books_text
from beancount_compute.close.storage import BOOKS, Change, CloseError
from beancount_compute.close.verifying import reopened_name
from beancount_compute.closed import INDEX, PARTS, Reopening, with_digest
from beancount_compute.economy import Month


class ReopenedMonths(NamedTuple):
    """What a reopening changes."""

    link: Reopening
    change: Change


def reopen(month: str, reason: str, loaded: Loaded) -> ReopenedMonths:
    """Open a month and those after it again; raises `CloseError` where it is not closed."""
    booking = loaded.booking
    closed = loaded.closed
    if booking is None or month not in [seal.month for seal in closed]:
        known = f"closed are {closed[0].month} to {closed[-1].month}" if closed else "none is"
        raise CloseError(f"{month} is not closed: {known}")
    if not reason.strip():
        raise CloseError("a reopened month needs a reason: --reason 'an invoice of May came late'")
    old = [seal for seal in closed if seal.month >= month]
    seals = tuple((seal.month, seal.digest) for seal in old)
    text = " ".join(reason.split())
    link: Reopening = with_digest(Reopening(month, text, booking.chain.head, seals))
    move: dict[str, str] = {}
    for name, digest in seals:
        folder = reopened_name(name, digest)
        for part in (*(f"{name}.{part}" for part in PARTS), f"{name}-pack"):
            move[part] = f"{folder}/{part}"
    kept = [seal.month for seal in closed if seal.month < month]
    write = {
        INDEX: index_text([*booking.chain.links, link]).encode(),
        BOOKS: books_text(loaded, kept, _until(loaded.entries, kept)).encode(),
    }
    return ReopenedMonths(link, Change(write, move))


def _until(entries: Iterable[Directive], months: list[str]) -> list[Directive]:
    if not months:
        return []
    last_day = Month.parse(months[-1]).last
    return [entry for entry in entries if entry.date <= last_day]
