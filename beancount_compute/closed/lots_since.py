"""What became of lots in the closed months, for events of these months that come late.

2026-05-20 * "alice" "Consumption" #compute-consumption   ->  200 CU of the lot of 2026-05-01 went

It is worked out only where there are late events, of those whom they name, from the day of the
first of them on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date

from beancount.core.data import Transaction

from beancount_compute.closed.frozen_months import Closed
from beancount_compute.economy import Event, Facts, LotHistory, Month, holders_of, names_of
from beancount_compute.economy.state import Undo
from beancount_compute.ledger import Accounts, Meaning


def lots_since(
    late: Iterable[Event],
    undo: Mapping[str, Undo],
    closed: Closed,
    by_hand: Facts,
    accounts: Accounts,
    names: Mapping[str, str],
) -> LotHistory:
    """The history of the lots that late events may be booked on.

    `undo` is what reversals name, and `names` gives the subscriber of an account component.
    """
    late = list(late)
    holders = {name for event in late for name in names_of(event)}
    for event in late:
        named = undo.get(event.reverses or event.of)
        if named is not None:
            holders |= holders_of(named.entry)
    first = min([event.date for event in late], default=closed.last_day)
    history = LotHistory(holders)
    meaning = Meaning(accounts, names)
    for month in closed.months:
        if Month.parse(month.name) < Month.of(first):
            continue
        for entry in month.text.booked:
            if isinstance(entry, Transaction) and _touches(entry, holders, meaning):
                read = meaning.entry_of(entry)
                if read is not None:
                    history.note(read, str(entry.meta.get("reverses", "")))
    _note_by_hand(history, by_hand, first, closed.last_day)
    return history


def _touches(entry: Transaction, holders: Collection[str], meaning: Meaning) -> bool:
    if entry.payee in holders:
        return True
    pockets = (meaning.pocket(posting.account) for posting in entry.postings)
    return any(pocket is not None and pocket[1] in holders for pocket in pockets)


def _note_by_hand(history: LotHistory, by_hand: Facts, first: date, last: date) -> None:
    for opening in by_hand.openings:
        if first <= opening.date <= last:
            history.note_by_hand(opening.date, opening.lot, opening.units)
    for removal in by_hand.removals:
        if first <= removal.date <= last:
            history.note_by_hand(removal.date, removal.lot, -removal.units)
