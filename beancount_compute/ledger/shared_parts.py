"""What many transactions share: accounts, costs and links of lots, amounts and prices.

    200 CU {0.20 USD, 2026-05-01, "pro/2026-06-01"}    one cost for all postings on the lot

Each is made once, when it is first asked for, and then looked up: that is most of what makes
`writing.py` quick, and of what keeps its transactions small.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal

from beancount.core.amount import Amount
from beancount.core.position import Cost

from beancount_compute.economy import (
    ROLE_OF_POCKET,
    Key,
    Lot,
    Role,
    decimals_of,
    key_of,
    text_of,
    trim,
)
from beancount_compute.ledger.accounts import Accounts
from beancount_compute.ledger.names import component_of, in_link

MOST_SHARED = 1 << 14  # amounts of a currency that are kept to be shared
_new = tuple.__new__


class SharedParts:
    """The parts on one ledger's accounts: a base class, as asking another object takes longer."""

    def __init__(self, accounts: Accounts) -> None:
        self.accounts = accounts
        self.first_used: dict[str, date] = {}  # accounts, with the day of their first posting
        self._lots: dict[Lot, tuple[str, Cost, frozenset[str]]] = {}  # account, cost, link
        self._costs: dict[Key, Cost] = {}
        self._links: dict[tuple[str, date, str], frozenset[str]] = {}
        self._accounts_of: dict[tuple[Role, str, str], str] = {}
        self._amounts: defaultdict[str, dict[str, Amount]] = defaultdict(dict)
        self._prices: defaultdict[str, dict[str, Amount]] = defaultdict(dict)

    def _lot(self, lot: Lot, day: date) -> tuple[str, Cost, frozenset[str]]:
        holder, pocket, _, number, currency, lot_date, origin, _ = lot
        key = (ROLE_OF_POCKET[pocket], holder, origin)
        account = self._accounts_of.get(key) or self._account(key, day)
        cost_key = key_of(lot)
        cost = self._costs.get(cost_key)
        if cost is None:
            cost = self._costs[cost_key] = _new(Cost, (number, currency, lot_date, lot.label))
        link_key = (holder, lot_date, origin)
        link = self._links.get(link_key)
        if link is None:
            link = self._links[link_key] = frozenset([lot_link(self.accounts, *link_key)])
        written = self._lots[lot] = (account, cost, link)
        return written

    def _amount(self, number: Decimal, commodity: str, text: str) -> Amount:
        """Units that are shared from now on, by the number's text."""
        known = self._amounts[commodity]
        amount: Amount = _new(Amount, (number, commodity))
        if len(known) < MOST_SHARED:
            known[text] = amount
        return amount

    def _price(self, number: Decimal, currency: str) -> Amount:
        """A trade's price, written with the decimals of its currency at least."""
        known = self._prices[currency]
        amount = known.get(str(number))
        if amount is None:
            amount = _new(Amount, (trim(number, decimals_of(currency)), currency))
            if len(known) < MOST_SHARED:
                known[str(number)] = amount
        return amount

    def _account(self, key: tuple[Role, str, str], day: date) -> str:
        account = self._accounts_of[key] = self.accounts.account(*key)
        self._use(account, day)
        return account

    def _use(self, account: str, day: date) -> None:
        if account not in self.first_used or day < self.first_used[account]:
            self.first_used[account] = day


def lot_link(accounts: Accounts, holder: str, lot_date: date, origin: str) -> str:
    """The link that all transactions of a holder's lot of a day and origin carry."""
    component = in_link(accounts.component(holder), holder)
    return f"lot-{component}-{text_of(lot_date)}-{in_link(component_of(origin), origin)}"
