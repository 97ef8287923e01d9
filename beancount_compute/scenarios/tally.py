"""Bookings added up: by month, account, role, plan and provider.

    2026-05-20 consumption of alice, 200 CU of "pro" at 0.20 USD

    2026-05  Liabilities:DeferredRevenue:Allocations   allocations  pro   40.00 USD
    2026-05  Income:Compute                            revenue      pro  -40.00 USD

A debit is above zero, units count at what they carry, and accounts of one role that differ by
subscriber only are one. What lies before the first day asked for is of the month "".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from beancount.core.data import Transaction
from beancount.core.position import Cost

from beancount_compute.economy import (
    ROLE_OF_POCKET,
    ROLES,
    STOCK,
    WIDE,
    ZERO,
    HandPosting,
    JournalEntry,
    Lot,
    LotLeg,
    Month,
    Record,
    Role,
    Terms,
    Timeline,
    in_full,
)
from beancount_compute.economy.journal import is_use
from beancount_compute.ledger import Accounts


class SumKey(NamedTuple):
    """What is added up together."""

    month: str  # "" for what lies before the first day asked for
    account: str
    role: Role | None  # None for what people wrote on accounts of money
    origin: str  # the plan, "top-up" or "grant"; "" where there is none
    provider: str
    currency: str


Tallied = dict[SumKey, Decimal]
# whose legs have a plan as their origin, if any; that of others is a meter or a partner
_OF_PLANS = frozenset(
    role for role, row in ROLES.items() if row.holder == "subscriber" and row.names in ("", "plan")
)


class DaysAsked(NamedTuple):
    """The days that are asked for, both included."""

    start: date | None = None
    end: date | None = None

    def month_of(self, day: date) -> str | None:
        """The month of a day; "" where it lies before those asked for, None where behind them."""
        if self.end is not None and day > self.end:
            return None
        return "" if self.start is not None and day < self.start else Month.of(day).name


class Tally:
    """Adds up records of one journal; its sums need `WIDE`."""

    def __init__(self, accounts: Accounts, days: DaysAsked, terms: Terms) -> None:
        self._accounts = accounts
        self._days = days
        self._terms = terms
        self._months: dict[date, str | None] = {}
        self._branches: dict[tuple[Role, str, str], str] = {}
        self._sums: defaultdict[SumKey, Decimal] = defaultdict(lambda: ZERO)
        self._providers: dict[tuple[str, date], str] = {}  # by meter and day
        # of uses in their short form, by month, lot and provider: most of all
        self._used: defaultdict[tuple[str, Lot, str], Decimal] = defaultdict(lambda: ZERO)

    def add(self, records: Iterable[Record]) -> None:
        """Add records of a journal."""
        used, months = self._used, self._months
        for record in records:
            if not is_use(record):
                self._add_entry(in_full(record))
                continue
            event, _, lot, cost, meter = record
            day = event.date
            month = months[day] if day in months else self._month(day)
            if month is not None:
                used[month, lot, self._served_by(meter, day) if meter else ""] += cost

    def add_taken(self, taken: Iterable[tuple[HandPosting, Lot, Decimal]]) -> None:
        """Add what hand-written postings took out of lots, at the cost of these."""
        for removal, lot, units in taken:
            month = self._month(removal.date)
            if month is not None:
                units = -units if lot.pocket is STOCK else units
                self._add_lot(month, lot, WIDE.multiply(units, lot.cost))

    def sums(self) -> Tallied:
        """All sums that are not zero."""
        for (month, lot, provider), cost in self._used.items():
            self._add_lot(month, lot, cost)
            earned = cost.copy_negate()
            self._add(month, Role.REVENUE, lot.holder, lot.origin, provider, lot.currency, earned)
        self._used.clear()
        return {key: number for key, number in self._sums.items() if number}

    def _add_entry(self, entry: JournalEntry) -> None:
        month = self._month(entry.date)
        if month is None:
            return
        day = entry.occurred or entry.date
        provider = self._served_by(entry.meter, day) if entry.meter else ""
        for leg in entry.legs:
            if isinstance(leg, LotLeg):
                self._add_lot(month, leg.lot, WIDE.multiply(leg.units, leg.lot.cost))
            else:
                role, holder, origin, number, currency = leg
                match ROLES[role].holder:
                    case "provider":
                        served = holder
                    case "capacity":
                        served = _provider_in(self._terms.capacities.get(holder), day)
                    case _:
                        served = provider
                self._add(month, role, holder, origin, served, currency, number)

    def _served_by(self, meter: str, day: date) -> str:
        provider = self._providers.get((meter, day))
        if provider is None:
            provider = _provider_in(self._terms.meters.get(meter), day)
            self._providers[meter, day] = provider
        return provider

    def _add_lot(self, month: str, lot: Lot, number: Decimal) -> None:
        provider = lot.holder if lot.pocket is STOCK else ""
        role = ROLE_OF_POCKET[lot.pocket]
        self._add(month, role, lot.holder, lot.origin, provider, lot.currency, number)

    def _add(
        self,
        month: str,
        role: Role,
        holder: str,
        origin: str,
        provider: str,
        currency: str,
        number: Decimal,
    ) -> None:
        account = self._branches.get((role, holder, origin))
        if account is None:
            account = self._accounts.branch(self._accounts.account(role, holder, origin))
            self._branches[role, holder, origin] = account
        plan = origin if role in _OF_PLANS else ""
        key = SumKey(month, account, role, plan, provider, currency)
        self._sums[key] = WIDE.add(self._sums[key], number)

    def _month(self, day: date) -> str | None:
        month = self._months[day] = self._days.month_of(day)
        return month


def _provider_in(timeline: Timeline[Any] | None, day: date) -> str:
    """Who serves a meter, or whose meters a capacity serves, on a day; "" for nobody."""
    found = timeline.on(day) if timeline else None
    return found.provider if found else ""


def sums_of_postings(
    transactions: Iterable[Transaction], accounts: Accounts, days: DaysAsked
) -> Tallied:
    """The same of postings as they stand in a ledger; only those on lots say their role."""
    sums: defaultdict[SumKey, Decimal] = defaultdict(lambda: ZERO)
    known: dict[str, tuple[str, Role | None]] = {}
    for entry in transactions:
        month = days.month_of(entry.date)
        if month is None:
            continue
        for posting in entry.postings:
            units, cost = posting.units, posting.cost
            if units is None or not isinstance(units.number, Decimal):
                continue  # an error of Beancount's booking, which it has reported
            account, role = known.get(posting.account) or _known(posting.account, accounts)
            known[posting.account] = account, role
            if isinstance(cost, Cost):
                origin = (cost.label or "").partition("/")[0]
                provider = origin if role is ROLE_OF_POCKET[STOCK] else ""
                key = SumKey(month, account, role, origin, provider, cost.currency)
                sums[key] = WIDE.add(sums[key], WIDE.multiply(units.number, cost.number))
            else:
                key = SumKey(month, account, None, "", "", units.currency)
                sums[key] = WIDE.add(sums[key], units.number)
    return {key: number for key, number in sums.items() if number}


def _known(account: str, accounts: Accounts) -> tuple[str, Role | None]:
    """The branch of an account, and its role where units lie on it."""
    pocket = accounts.pocket_account(account)
    role = ROLE_OF_POCKET[pocket.pocket] if pocket else None
    if role is None and accounts.is_stock(account):
        role = ROLE_OF_POCKET[STOCK]
    return accounts.branch(account), role


def by_account(sums: Tallied) -> dict[tuple[str, str, str], Decimal]:
    """Sums by month, account and currency, without those that are zero."""
    found: defaultdict[tuple[str, str, str], Decimal] = defaultdict(lambda: ZERO)
    for key, number in sums.items():
        at = (key.month, key.account, key.currency)
        found[at] = WIDE.add(found[at], number)
    return {at: number for at, number in found.items() if number}
