"""Parts of the transactions that `writing.py` writes: their order, and what only some carry.

2026-05-20 * "alice" "Consumption" #compute-consumption #compute-overage
  event: "use-17"
  overage: "pro 30.00 USD"
  memo: "by night"
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, count, islice

from beancount.core.amount import Amount
from beancount.core.data import Posting

from beancount_compute.economy.rounding import WIDE


def orders() -> Iterator[str]:
    """The numbers of transactions: ten digits, so that the texts sort as the numbers do.

    Put together from two halves, which takes half as long as writing each number out.
    """
    last = [f"{number:03}" for number in range(1000)]
    texts = chain.from_iterable(map(str(first).__add__, last) for first in count(10**6))
    return islice(texts, 1, None)


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
