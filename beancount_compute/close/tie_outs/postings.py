"""The postings of transactions as they stand, read without asking what they mean.

    2026-05-20 * "alice" "Consumption" #compute-consumption
      Liabilities:DeferredRevenue:Allocations:Alice    200 CU {0.20 USD, 2026-05-01, "pro/..."}
      Income:Compute                                -40.00 USD

takes 200 CU and 40.00 USD out of alice's pockets, and puts 40.00 USD on an account of income. The
reports fold what postings mean; a tie-out needs a second way to the same figure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, NamedTuple

from beancount.core.amount import Amount
from beancount.core.data import Posting, Transaction
from beancount.core.interpolate import AUTOMATIC_TOLERANCES
from beancount.core.position import Cost

from beancount_compute.economy import ZERO, Pocket
from beancount_compute.ledger import ORDER, Accounts

Sums = defaultdict[tuple[str, str], Decimal]
OfCurrency = defaultdict[str, Decimal]
WHO = ("booked", "by hand")


def units_of(posting: Posting) -> tuple[Decimal, str]:
    """Number and commodity of a posting; none where Beancount's booking failed, and said so."""
    units: Any = posting.units
    if units.__class__ is not Amount or units[0].__class__ is not Decimal:
        return ZERO, ""
    return units[0], units[1]


def weight_at_cost(posting: Posting) -> tuple[Decimal, str]:
    """What a posting weighs where it is held at cost; nothing where it is not."""
    cost: Any = posting.cost
    number, _ = units_of(posting)
    return (number * cost.number, cost.currency) if isinstance(cost, Cost) else (ZERO, "")


def place_of_entry(entry: Transaction) -> str:
    """Where a transaction was written; what a derived one is, where no line was."""
    file, line = entry.meta.get("filename", ""), entry.meta.get("lineno", 0)
    if line:
        return f"{file}:{line}"
    event = entry.meta.get("event")
    return f'{entry.date} "{entry.payee or ""}" "{entry.narration}"' + (
        f" (event {event})" if event else ""
    )


class Weighed(NamedTuple):
    """All postings added up."""

    units: dict[tuple[Pocket, str], Decimal]  # held, by pocket and commodity
    deferred: Sums  # cost of what is held, by component and currency
    debits: Sums  # weights by currency, and by who wrote them: see `WHO`
    credits: Sums
    residuals: list[tuple[Transaction, bool]]  # what does not sum to zero; True within tolerance


def weigh(transactions: Iterable[Transaction], accounts: Accounts) -> Weighed:
    """Add up the postings of transactions; the sums need the context `WIDE`.

    A posting weighs its cost, else its price, else itself, as Beancount balances it. One on a
    pocket that has no cost counts in its own commodity.
    """
    held = _Held(accounts)
    sides = [(OfCurrency(Decimal), OfCurrency(Decimal)) for _ in WHO]
    residuals: list[tuple[Transaction, bool]] = []
    for entry in transactions:
        by_hand = ORDER not in entry.meta
        debits, credits = sides[by_hand]
        first, total = "", ZERO  # most transactions hold one currency
        others: dict[str, Decimal] = {}
        number: Any  # a Decimal, as is looked at below
        cost: Any
        price: Any
        for account, amount, cost, price, _, _ in entry.postings:
            if amount.__class__ is not Amount or amount[0].__class__ is not Decimal:
                continue  # an error of Beancount's booking, which it has reported
            number, commodity = amount
            weight, currency = number, commodity
            if cost is not None:
                unit_cost, currency, _, _ = cost
                weight = number * unit_cost
            elif price is not None:
                unit_price, currency = price
                weight = number * unit_price
            if weight > ZERO:
                debits[currency] += weight
            else:
                credits[currency] -= weight
            if currency == first or not first:
                first = currency
                total += weight
            else:
                others[currency] = others.get(currency, ZERO) + weight
            pocket = held[account]
            if pocket is not None:
                units, costs = pocket
                units[commodity] -= number
                costs[currency] -= weight
        if total or (others and any(others.values())):
            others[first] = total
            residuals.append((entry, by_hand and _tolerated(entry, others)))
    debits_of, credits_of = map(_by_who, zip(*sides, strict=True))
    return Weighed(*held.sums(), debits_of, credits_of, residuals)


class _Held(dict[str, tuple[OfCurrency, OfCurrency] | None]):
    """What is held on each account that is a pocket: units, and their cost; None on others."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def __missing__(self, account: str) -> tuple[OfCurrency, OfCurrency] | None:
        is_pocket = self._accounts.pocket_account(account) is not None
        found = self[account] = (OfCurrency(Decimal), OfCurrency(Decimal)) if is_pocket else None
        return found

    def sums(self) -> tuple[dict[tuple[Pocket, str], Decimal], Sums]:
        """Units by pocket and commodity, cost by component and currency."""
        units: defaultdict[tuple[Pocket, str], Decimal] = defaultdict(Decimal)
        deferred = Sums(Decimal)
        for account, held in self.items():
            pocket = self._accounts.pocket_account(account)
            if held is not None and pocket is not None:
                for commodity, number in held[0].items():
                    units[pocket.pocket, commodity] += number
                for currency, number in held[1].items():
                    deferred[pocket.subscriber, currency] += number
        return units, deferred


def _by_who(sides: Iterable[OfCurrency]) -> Sums:
    return Sums(
        Decimal,
        {
            (currency, who): number
            for who, sums in zip(WHO, sides, strict=True)
            for currency, number in sums.items()
        },
    )


def _tolerated(entry: Transaction, residual: dict[str, Decimal]) -> bool:
    """Whether Beancount forgives it: within the tolerances that it found for the transaction."""
    tolerances = entry.meta.get(AUTOMATIC_TOLERANCES, {})  # an empty one may have a default
    return all(
        abs(number) <= tolerances.get(currency, ZERO) for currency, number in residual.items()
    )
