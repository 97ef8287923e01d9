"""What was booked of providers, read back: purchases, costs, bills, lapses, and their reversals.

2026-06-02 * "openai" "Bill for 2026-05-01 to 2026-05-31" #compute-bill   ->  legs by role and meter
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from beancount.core.data import Transaction

from beancount_compute.economy import JournalEntry, OpeningAccrual
from beancount_compute.ledger import (
    OPENING_TAG,
    ORDER,
    Accounts,
    Errors,
    Meaning,
    is_of_provider,
    read_opening_accruals,
)


class ProviderEntry(NamedTuple):
    """A booked transaction of a provider, with its place among all."""

    at: int
    entry: JournalEntry


class AccrualOpened(NamedTuple):
    """An accrual that the ledger opens with, and the place of its transaction."""

    at: int
    accrual: OpeningAccrual


def provider_entries(
    transactions: Iterable[Transaction], accounts: Accounts
) -> tuple[ProviderEntry, ...]:
    """The transactions of providers in the order of the books; edited ones are left out."""
    meaning = Meaning(accounts, {})
    return tuple(
        [
            ProviderEntry(at, read)
            for at, entry in enumerate(transactions)
            if ORDER in entry.meta and is_of_provider(entry)
            if (read := meaning.entry_of(entry)) is not None
        ]
    )


def accruals_opened(
    transactions: Iterable[Transaction], accounts: Accounts
) -> tuple[AccrualOpened, ...]:
    """The accruals that hand-written openings state."""
    return tuple(
        [
            AccrualOpened(at, accrual)
            for at, entry in enumerate(transactions)
            if ORDER not in entry.meta and OPENING_TAG in (entry.tags or ())
            for accrual in read_opening_accruals([entry], accounts, Errors())
        ]
    )
