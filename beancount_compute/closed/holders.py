"""From accounts and costs back to lots and their holders.

Liabilities:DeferredRevenue:Tokens:Alice   -800 CU {0.20 USD, 2026-05-01, "pro/2027-06-01"}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from beancount.core.data import Posting, Transaction
from beancount.core.position import Cost

from beancount_compute.closed.held import Held
from beancount_compute.economy.lots import Lot, cost_of
from beancount_compute.economy.rounding import ZERO
from beancount_compute.ledger.accounts import Accounts


class Holders:
    """From accounts and costs back to lots."""

    def __init__(self, accounts: Accounts, names: Iterable[str]) -> None:
        self._accounts = accounts
        self._names = {accounts.component(name): name for name in sorted(names)}

    def lot(self, account: str, commodity: str, cost: Cost) -> Lot | None:
        """The lot that a posting at cost names; None on an account that is no pocket."""
        pocket = self._accounts.pocket_account(account)
        if pocket is None:
            return None
        origin, _, end = (cost.label or "").partition("/")
        return Lot(
            self._names.get(pocket.subscriber, pocket.subscriber),
            pocket.pocket,
            commodity,
            cost_of(cost.number, cost.currency),
            cost.currency,
            cost.date,
            origin,
            _end(end),
        )

    def strangers(self, held: Held) -> set[str]:
        """The components that hold a pocket and that no name has."""
        pockets = (self._accounts.pocket_account(account) for account, _ in held.lots)
        return {each.subscriber for each in pockets if each is not None} - self._names.keys()

    def lots(self, held: Held) -> list[tuple[Lot, Decimal]]:
        """The open lots; what is empty is gone."""
        found: list[tuple[Lot, Decimal]] = []
        for (account, text), units in held.lots.items():
            if units:
                lot = self.lot(account, *held.costs[text])
                assert lot is not None  # only pockets are counted
                found.append((lot, units))
        return found


def _end(text: str) -> date | None:
    """The end that a label names; none in a label that somebody forged, which is told elsewhere."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def lot_postings(entry: Transaction, holders: Holders) -> Iterator[tuple[Lot, Decimal]]:
    """The lots that a transaction moves, with their units; out of them when positive."""
    for posting in entry.postings:
        held = lot_posting(posting, holders)
        if held is not None:
            yield held


def lot_posting(posting: Posting, holders: Holders) -> tuple[Lot, Decimal] | None:
    """The lot and units of a posting; None where it is on no pocket."""
    """The lot that a posting is on, with its units; None where it is on no pocket."""
    if not isinstance(posting.cost, Cost) or posting.units is None:
        return None
    lot = holders.lot(posting.account, posting.units.currency, posting.cost)
    return None if lot is None else (lot, posting.units.number or ZERO)
