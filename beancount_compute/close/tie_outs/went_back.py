"""Tie-out of money back: of nothing more goes back than it cost, or comes in again than was lost.

top-1 cost 200.00: 20.00 refunded, 180.00 charged back, of which 180.00 were recovered
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from beancount.core.data import Transaction

from beancount_compute.close.tie_outs.postings import place_of_entry
from beancount_compute.close.tie_outs.tie_out import TieOut, count
from beancount_compute.economy import ZERO, Flow, Kind, Role
from beancount_compute.ledger import named_amounts
from beancount_compute.reports import Books

_LOST = (Kind.CHARGEBACK, Kind.WRITE_OFF)


def went_back(books: Books) -> Iterator[TieOut]:
    """Every refund of money, chargeback, write-off and recovery within what its event gave."""
    entries = {at: each for at, each in enumerate(books.transactions) if "back" in each.meta}
    if not entries:
        return
    cost, gave = _gave(books, {str(entry.meta.get("of", "")) for entry in entries.values()})
    voided: defaultdict[int, Decimal] = defaultdict(Decimal)
    for moved in books.movements:
        if moved.flow is Flow.VOIDED:
            voided[moved.at] -= moved.amount
    back: defaultdict[str, Decimal] = defaultdict(Decimal)
    taken: defaultdict[str, Decimal] = defaultdict(Decimal)
    bad: dict[str, str] = {}
    for at, entry in entries.items():
        of = str(entry.meta.get("of", ""))
        back[of] += next((number for _, number, _ in named_amounts(entry.meta["back"])), ZERO)
        taken[of] += voided[at]
        if back[of] > cost.get(of, ZERO) or taken[of] > gave.get(of, ZERO):
            bad.setdefault(of, place_of_entry(entry))
    yield count("money back", "events", "within what they gave", len(back), [*bad.values()])


def _gave(books: Books, named: set[str]) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """What is owed for an allocation, or was lost by a chargeback or write-off, by its id; and what
    was deferred for it, which is another amount where the invoice of a change says its own."""
    deferred: defaultdict[str, Decimal] = defaultdict(Decimal)
    charges: dict[str, Decimal] = {}
    for moved in books.movements:
        meta = books.transactions[moved.at].meta
        event = str(meta.get("event", ""))
        if event in named and "from-plan" in meta and moved.flow is Flow.ALLOCATED:
            deferred[event] += moved.amount
            if "charge" in meta:
                charges[event] = meta["charge"].number
    found = {**deferred, **charges}
    for owed in books.owed:
        entry: Transaction = books.transactions[owed.at]
        event = str(entry.meta.get("event", ""))
        if event in named and owed.role is Role.RECEIVABLE and "undoes" not in entry.meta:
            found[event] = -owed.amount if owed.kind in _LOST else owed.amount
    return found, {**found, **deferred}
