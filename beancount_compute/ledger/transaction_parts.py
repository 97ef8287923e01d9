"""Parts of the transactions that `writing.py` writes: their order, and what only some carry.

2026-05-20 * "alice" "Consumption" #compute-consumption #compute-overage
  event: "use-17"
  overage: "pro 30.00 USD"
  memo: "by night"
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import chain, count, islice
from typing import Any

from beancount.core.amount import Amount
from beancount.core.data import Posting

from beancount_compute.economy.events import NOWHERE, Event
from beancount_compute.economy.journal import JournalEntry, Leg, LotLeg, MoneyLeg
from beancount_compute.economy.options import Money
from beancount_compute.economy.roles import Role
from beancount_compute.economy.rounding import WIDE


def orders() -> Iterator[str]:
    """The numbers of transactions: ten digits, so that the texts sort as the numbers do.

    Put together from two halves, which takes half as long as writing each number out.
    """
    last = [f"{number:03}" for number in range(1000)]
    texts = chain.from_iterable(map(str(first).__add__, last) for first in count(10**6))
    return islice(texts, 1, None)


def add_meaning(meta: dict[str, Any], entry: JournalEntry) -> None:
    """What a reader needs and no account or posting says; the same in a reversal."""
    if entry.counterparty:
        meta["counterparty"] = entry.counterparty
    if entry.overage or entry.undoes:
        overage = ", ".join(_overage(entry.legs))
        if overage:
            meta["overage"] = overage
    if entry.period:
        meta["period"] = entry.period
    if entry.subscription:
        meta["subscription"] = entry.subscription


def _overage(legs: Iterable[Leg]) -> Iterator[str]:
    """What was billed beyond the holdings, by the plan whose price it was: "pro 30.00 USD"."""
    for leg in legs:
        if isinstance(leg, MoneyLeg) and leg.role is Role.OVERAGE:
            yield f"{leg.origin} {leg.number.copy_negate():f} {leg.currency}"


def price_of_no_posting(legs: Iterable[Leg]) -> Money | None:
    """The price of a trade whose lots all cost another currency, so that no posting carries it."""
    price = None
    for leg in legs:
        if isinstance(leg, LotLeg) and leg.price is not None:
            if leg.price.currency == leg.lot.currency:
                return None
            price = leg.price
    return price


def add_metadata(meta: dict[str, Any], entry: JournalEntry, event: Event) -> None:
    """What only some transactions carry."""
    if event.row:  # Fava can't open a Parquet file at a row, and must not delete the line there
        meta["filename"], meta["lineno"] = NOWHERE.file, NOWHERE.line
        meta["source"] = event.row
    if entry.uses > 1:
        meta["events"] = Decimal(entry.uses)
    if entry.occurred is not None:
        meta["occurred"] = entry.occurred
    if entry.undoes:
        meta["reverses"] = event.reverses
        meta["undoes"] = entry.undoes
    if event.memo:
        meta["memo"] = event.memo
    meta.update(event.extra)


def one_money_posting_each(postings: list[Posting]) -> list[Posting]:
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
        known = merged[at].units
        assert known is not None
        assert known.number is not None
        assert posting.units.number is not None
        total = WIDE.add(known.number, posting.units.number)
        merged[at] = merged[at]._replace(units=Amount(total, known.currency))
    return [each for each in merged if each.cost is not None or (each.units and each.units.number)]
