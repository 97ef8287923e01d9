"""What the postings of closed months leave in the pockets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from beancount.core.data import Directive, Posting, Transaction
from beancount.core.position import Cost

from beancount_compute.economy.lots import cost_of
from beancount_compute.economy.rounding import ZERO
from beancount_compute.ledger.accounts import Accounts


class Held(NamedTuple):
    """What the postings of the closed months leave in the pockets, and where they were booked."""

    lots: defaultdict[tuple[str, str], Decimal]  # units, by account and text of the lot
    costs: dict[str, tuple[str, Cost]]  # commodity and cost of a lot, by that text
    first_used: dict[str, date]  # accounts, with the day of their first posting

    def take_over(self, other: Held) -> None:
        """Count what a later month leaves."""
        for key, units in other.lots.items():
            self.lots[key] += units
        self.costs.update(other.costs)
        for account, day in other.first_used.items():
            self.use(account, day)

    def use(self, account: str, day: date) -> None:
        """Note a day on which an account was booked; touched months are read before the others."""
        known = self.first_used.get(account)
        if known is None or day < known:
            self.first_used[account] = day

    def add(self, entries: Iterable[Directive], accounts: Accounts) -> None:
        """Count the postings of transactions."""
        for entry in entries:
            if isinstance(entry, Transaction):
                for posting in entry.postings:
                    self.add_posting(entry.date, posting, accounts)

    def add_posting(self, day: date, posting: Posting, accounts: Accounts) -> None:
        """Count one posting."""
        account, units, cost = posting.account, posting.units, posting.cost
        self.use(account, day)
        if isinstance(cost, Cost) and units is not None and accounts.pocket_account(account):
            text = lot_text(units.currency, cost)
            self.costs[text] = (units.currency, cost)
            self.lots[account, text] -= units.number or ZERO


def lot_text(commodity: str, cost: Cost) -> str:
    """What tells a lot from others on its account, however its cost is written."""
    number = cost_of(cost.number, cost.currency)
    return f"{commodity} {number} {cost.currency} {cost.date} {cost.label}"


def nothing_held() -> Held:
    """The state before the first closed month."""
    return Held(defaultdict(Decimal), {}, {})
