"""How far the closed months reach, and how the next one ties out, from a ledger that is loaded.

    Standing("2026-08", ..., ties=[TieOut("deferred revenue = cost of open lots", ...), ...])

Nothing is written and nothing frozen: the tie-outs are those that `bean-compute close` would show
now. The events that they compare with are read again, because a loaded ledger holds only bookings.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from beancount.core.data import Custom, Directive, Transaction

from beancount_compute.close.storage import OURS
from beancount_compute.close.tie_outs import TieOut, tie_outs
from beancount_compute.closed import INDEX, SEAL_TYPES, Chain, frozen_events, read_chain
from beancount_compute.economy import NOWHERE, Event, Month
from beancount_compute.ledger import ORDER, Errors
from beancount_compute.plugin import work_out
from beancount_compute.reports import Books

PADDED = "P"


class Months(NamedTuple):
    """The months of a ledger: which are sealed, and which is to be closed next."""

    chain: Chain
    next_to_close: str | None  # None where nothing was booked


def months_of(entries: Sequence[Directive], books: Books) -> Months:
    """The months of a loaded ledger."""
    seals = [entry for entry in entries if isinstance(entry, Custom) and entry.type in SEAL_TYPES]
    chain = read_chain(seals, Errors())
    if chain.closed:
        return Months(chain, Month.parse(chain.closed[-1].month).next.name)
    first = next((entry for entry in books.transactions if ORDER in entry.meta), None)
    return Months(chain, None if first is None else Month.of(first.date).name)


def index_folder(options: dict[str, Any]) -> str:
    """The folder whose index of closed months the ledger includes; "" if it includes none."""
    for name in options["include"]:
        path = Path(name)
        if path.name == INDEX and path.is_file() and OURS in path.read_text("utf-8", "replace"):
            return str(path.parent)
    return ""


def ties_of(
    entries: Sequence[Directive], options: dict[str, Any], books: Books, month: str
) -> list[TieOut]:
    """The tie-outs of an open month; those of the closed ones held when they were closed."""
    return tie_outs(books, month, _events_of(entries, options, month))


def _events_of(entries: Sequence[Directive], options: dict[str, Any], month: str) -> list[Event]:
    """The events that were booked in a month, late ones among them."""
    written = [entry for entry in entries if not _is_generated(entry)]
    worked = work_out(written, {**options, "include": [*options["include"]], "plugin": []})
    booking = worked.booking
    assert booking is not None  # it has not been booked before
    facts = booking.facts._replace(events=booking.events)
    first, last = Month.parse(month).first, Month.parse(month).last
    return [
        event for event, booked in frozen_events(facts, last) if (booked or event.date) >= first
    ]


def _is_generated(entry: Directive) -> bool:
    """Whether a load added a directive: booked it, opened an account, filled up a balance."""
    if ORDER in entry.meta or entry.meta.get("filename") == NOWHERE.file:
        return True
    return isinstance(entry, Transaction) and entry.flag == PADDED
