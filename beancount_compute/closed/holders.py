"""From accounts and costs back to lots and their holders.

Liabilities:DeferredRevenue:Tokens:Alice   -800 CU {0.20 USD, 2026-05-01, "pro/2027-06-01"}
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from beancount_compute.closed.held import Held
from beancount_compute.economy.lots import Lot
from beancount_compute.ledger.accounts import Accounts
from beancount_compute.ledger.meaning import Meaning


class Holders:
    """From accounts and costs back to lots."""

    def __init__(self, accounts: Accounts, names: Iterable[str]) -> None:
        self._accounts = accounts
        self._names = {accounts.component(name): name for name in sorted(names)}
        self.meaning = Meaning(accounts, self._names)

    def strangers(self, held: Held) -> set[str]:
        """The components that hold a pocket and that no name has."""
        pockets = (self._accounts.pocket_account(account) for account, _ in held.lots)
        return {each.subscriber for each in pockets if each is not None} - self._names.keys()

    def lots(self, held: Held) -> list[tuple[Lot, Decimal]]:
        """The open lots; what is empty is gone."""
        found: list[tuple[Lot, Decimal]] = []
        for (account, text), units in held.lots.items():
            if units:
                lot = self.meaning.lot(account, *held.costs[text])
                assert lot is not None  # only pockets are counted
                found.append((lot, units))
        return found
