"""From the journal to Beancount's directives.

    2026-05-20 * "alice" "Consumption" #compute-consumption ^lot-Alice-2026-05-01-Pro
      event: "use-17"
      Liabilities:DeferredRevenue:Allocations:Alice    200 CU {0.20 USD, 2026-05-01, "pro/2026-06-01"}
      Income:Compute                                -40.00 USD

This is a fast path: named tuples are made by `tuple.__new__` (their own constructor is a Python
function), and accounts, costs, links and tags are made once and shared. Each transaction has a
metadata dictionary of its own: Fava takes equal ones for the same entry.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from beancount.core.amount import Amount
from beancount.core.data import Open, Posting, Price, Transaction
from beancount.core.position import Cost

from beancount_compute.economy.engine import PriceOfDay
from beancount_compute.economy.events import NOWHERE
from beancount_compute.economy.journal import Booked, JournalEntry, LotLeg, MoneyLeg, Role
from beancount_compute.economy.lots import Lot, Pocket
from beancount_compute.economy.rounding import minor_unit
from beancount_compute.economy.terms import Money
from beancount_compute.ledger.accounts import Accounts
from beancount_compute.ledger.names import component_of, in_link

ORDER = "__order"  # the engine's own order: Beancount sorts a day by line number
_ROLE_OF = {Pocket.ALLOCATIONS: Role.ALLOCATIONS, Pocket.TOKENS: Role.TOKENS}
_new = tuple.__new__


class Writer:
    """Writes journal entries as transactions, on the accounts of one ledger."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._lots: dict[Lot, tuple[str, Cost, str]] = {}  # account, cost, link
        self._costs: dict[tuple[Decimal, str, date, str], Cost] = {}
        self._money_accounts: dict[tuple[Role, str, str], str] = {}
        self._links: dict[str, frozenset[str]] = {}
        self._tags = {kind: frozenset([f"compute-{kind}"]) for kind in Booked}
        self._overage_tags = frozenset(["compute-consumption", "compute-overage"])
        self.first_used: dict[str, date] = {}  # accounts, with the day of their first posting

    def transaction(self, entry: JournalEntry, order: int) -> Transaction:
        """The transaction of a journal entry, with the place it has in the engine's order."""
        links: list[str] = []
        postings: list[Posting] = []
        for leg in entry.legs:
            if leg.__class__ is LotLeg:
                lot = leg.lot
                known = self._lots.get(lot)
                account, cost, link = known if known is not None else self._lot(lot, entry.date)
                if link not in links:
                    links.append(link)
                units = _new(Amount, (leg.units, lot.commodity))
                price = leg.price and _amount(leg.price)
                postings.append(_new(Posting, (account, units, cost, price, None, None)))
            else:
                assert isinstance(leg, MoneyLeg)
                key = (leg.role, leg.holder, leg.origin)
                account = self._money_accounts.get(key) or self._money(key, entry.date)
                units = _new(Amount, (leg.number, leg.currency))
                postings.append(_new(Posting, (account, units, None, None, None, None)))
        if len(postings) > 2:
            postings = _one_money_posting_each(postings)
        if len(links) == 1:
            linked = self._links.get(links[0]) or self._link(links[0])
        else:
            linked = frozenset(links)
        tags = self._overage_tags if entry.overage else self._tags[entry.kind]
        return _new(
            Transaction,
            (
                _metadata(entry, order),
                entry.date,
                "*",
                entry.subscriber,
                entry.narration,
                tags,
                linked,
                postings,
            ),
        )

    def _lot(self, lot: Lot, day: date) -> tuple[str, Cost, str]:
        account = self._accounts.account(_ROLE_OF[lot.pocket], lot.holder, lot.origin)
        self._use(account, day)
        key = (lot.cost, lot.currency, lot.date, lot.label)
        cost = self._costs.get(key)
        if cost is None:
            cost = self._costs[key] = Cost(*key)
        holder = in_link(self._accounts.component(lot.holder), lot.holder)
        origin = in_link(component_of(lot.origin), lot.origin)
        link = f"lot-{holder}-{lot.date}-{origin}"
        written = self._lots[lot] = (account, cost, link)
        return written

    def _money(self, key: tuple[Role, str, str], day: date) -> str:
        account = self._money_accounts[key] = self._accounts.account(*key)
        self._use(account, day)
        return account

    def _use(self, account: str, day: date) -> None:
        if account not in self.first_used or day < self.first_used[account]:
            self.first_used[account] = day

    def _link(self, link: str) -> frozenset[str]:
        linked = self._links[link] = frozenset([link])
        return linked


def _amount(money: Money) -> Amount:
    number = money.number
    step = minor_unit(money.currency)
    if number.as_tuple().exponent > step.as_tuple().exponent:  # type: ignore[operator]
        number = number.quantize(step)
    return Amount(number, money.currency)


def _metadata(entry: JournalEntry, order: int) -> dict[str, Any]:
    place = entry.place
    if place.row:  # Fava can't open a Parquet file at a row, and must not delete the line there
        place = NOWHERE
    meta: dict[str, Any] = {
        "filename": place.file,
        "lineno": place.line,
        "event": entry.event,
        ORDER: Decimal(order),
    }
    if entry.source:
        meta["source"] = entry.source
    elif entry.place.row:
        meta["source"] = entry.place.row
    if entry.count > 1:
        meta["events"] = Decimal(entry.count)
    if entry.reverses:
        meta["reverses"] = entry.reverses
        meta["undoes"] = entry.undoes
    if entry.memo:
        meta["memo"] = entry.memo
    for key, value in entry.extra:
        meta[key] = value
    return meta


def _one_money_posting_each(postings: list[Posting]) -> list[Posting]:
    """The postings with those of money on one account and currency added up."""
    seen: dict[tuple[str, str], int] = {}
    merged: list[Posting] = []
    for posting in postings:
        assert posting.units is not None
        key = (posting.account, posting.units.currency)
        at = seen.get(key)
        if posting.cost is not None or at is None:
            if posting.cost is None:
                seen[key] = len(merged)
            merged.append(posting)
            continue
        units = merged[at].units
        assert units is not None and units.number is not None and posting.units.number is not None
        total = Amount(units.number + posting.units.number, units.currency)
        merged[at] = merged[at]._replace(units=total)
    return [each for each in merged if each.cost is not None or each.units.number]  # type: ignore[union-attr]


def price_directive(price: PriceOfDay, order: int) -> Price:
    """The price that a day's trades leave behind."""
    meta = {"filename": NOWHERE.file, "lineno": NOWHERE.line, ORDER: Decimal(order)}
    return Price(meta, price.date, price.commodity, Amount(price.price, price.currency))


def open_directives(first_used: dict[str, date]) -> list[Open]:
    """The accounts that the plugin opens, each on the first day on which it is used."""
    return [
        Open({"filename": NOWHERE.file, "lineno": NOWHERE.line}, day, account, [], None)
        for account, day in sorted(first_used.items())
    ]
