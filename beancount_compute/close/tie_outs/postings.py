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

from beancount_compute.economy import ZERO, Pocket
from beancount_compute.ledger import ORDER, Accounts

Sums = defaultdict[tuple[str, str], Decimal]
WHO = ("booked", "by hand")


def units_of(posting: Posting) -> tuple[Decimal, str]:
    """Number and commodity of a posting; none where Beancount's booking failed, and said so."""
    units: Any = posting.units
    if units.__class__ is not Amount or units[0].__class__ is not Decimal:
        return ZERO, ""
    return units[0], units[1]


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
    units: Sums = defaultdict(Decimal)
    costs: Sums = defaultdict(Decimal)
    sides: list[tuple[Sums, Sums]] = [(defaultdict(Decimal), defaultdict(Decimal)) for _ in WHO]
    pockets: dict[str, bool] = {}
    residuals: list[tuple[Transaction, bool]] = []
    for entry in transactions:
        by_hand = ORDER not in entry.meta
        debits, credits = sides[by_hand]
        who = WHO[by_hand]
        first, total = "", ZERO  # most transactions hold one currency
        others: dict[str, Decimal] = {}
        number: Any  # a Decimal, as is looked at below
        cost: Any
        for account, amount, cost, price, _, _ in entry.postings:
            if amount.__class__ is not Amount or amount[0].__class__ is not Decimal:
                continue  # an error of Beancount's booking, which it has reported
            number, commodity = amount
            weight, currency = number, commodity
            if cost is not None:
                weight, currency = number * cost.number, cost.currency
            elif price is not None:
                weight, currency = number * price.number, price.currency
            if weight > 0:
                debits[currency, who] += weight
            else:
                credits[currency, who] -= weight
            if currency == first or not first:
                first = currency
                total += weight
            else:
                others[currency] = others.get(currency, ZERO) + weight
            is_pocket = pockets.get(account)
            if is_pocket is None:
                is_pocket = pockets[account] = accounts.pocket_account(account) is not None
            if is_pocket:
                units[account, commodity] -= number
                costs[account, currency] -= weight
        if total or (others and any(others.values())):
            others[first] = total
            residuals.append((entry, by_hand and _tolerated(entry, others)))
    held, deferred = _by_pocket(units, accounts), _by_component(costs, accounts)
    return Weighed(held, deferred, *_merged(sides), residuals)


def _tolerated(entry: Transaction, residual: dict[str, Decimal]) -> bool:
    """Whether Beancount forgives it: within the tolerances that it found for the transaction."""
    tolerances = entry.meta.get(AUTOMATIC_TOLERANCES, {})  # an empty one may have a default
    return all(
        abs(number) <= tolerances.get(currency, ZERO) for currency, number in residual.items()
    )


def _by_pocket(units: Sums, accounts: Accounts) -> dict[tuple[Pocket, str], Decimal]:
    found: dict[tuple[Pocket, str], Decimal] = {}
    for (account, commodity), number in units.items():
        pocket = accounts.pocket_account(account)
        assert pocket is not None  # only pockets are counted
        key = (pocket.pocket, commodity)
        found[key] = found.get(key, ZERO) + number
    return found


def _by_component(costs: Sums, accounts: Accounts) -> Sums:
    found: Sums = defaultdict(Decimal)
    for (account, currency), number in costs.items():
        pocket = accounts.pocket_account(account)
        assert pocket is not None
        found[pocket.subscriber, currency] += number
    return found


def _merged(sides: list[tuple[Sums, Sums]]) -> tuple[Sums, Sums]:
    (debits, credits), (by_hand, credits_by_hand) = sides
    return (
        defaultdict(Decimal, {**debits, **by_hand}),
        defaultdict(Decimal, {**credits, **credits_by_hand}),
    )
