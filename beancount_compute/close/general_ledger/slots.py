"""What each account moved in a month, in the currency's minor unit, so that months add up.

    Income:Compute        April 0.004, May 0.004, June 0.004 USD        (exact)
    exported              April 0.00,  May 0.01,  June 0.00  USD        (0.012 rounds to 0.01)

A month's figure is the account's total to the month's end, rounded half-even, less its total to the
end of the month before, rounded the same way. So the figures of any number of months, added up, are
the account's rounded total: never more than half a minor unit from the ledger, for ever. Rounding
each month by itself would drift away by as much every month.

Postings count at their weight, what they balance with: a lot its carrying amount, a priced posting
without a cost the amount that it was priced at.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from datetime import date
from decimal import Decimal, localcontext
from enum import StrEnum
from typing import NamedTuple

from beancount.core.data import Posting, Transaction
from beancount.core.position import Cost

from beancount_compute.economy import WIDE, ZERO, round_money
from beancount_compute.ledger import BULK_TAG, ORDER


class Only(StrEnum):
    """Which transactions count."""

    BOOKED = "booked"  # those of the plugin, or in bulk: a general ledger has its own of the bank
    ALL = "all"


class Slot(NamedTuple):
    """What one figure is of. `key` is a plan or a subscriber where the export names them."""

    currency: str
    account: str
    key: str


# A posting, or the part of it that belongs to one plan or subscriber: its account, the key, and the
# amount with its currency, a debit above zero. A bare tuple, as there are hundreds of thousands.
PostingPart = tuple[str, str, Decimal, str]


class SlotTotals(NamedTuple):
    """An account's exact totals."""

    before: Decimal  # to the last day before the month
    end: Decimal  # to the month's last day


PostingParts = Callable[
    [int, Transaction], Iterable[PostingPart]
]  # a transaction, and its place in the books


def by_account(_: int, entry: Transaction) -> Iterator[PostingPart]:
    """The postings of a transaction, as they stand."""
    for posting in entry.postings:
        number, currency = weight_of(posting)
        yield posting.account, "", number, currency


def weight_of(posting: Posting) -> tuple[Decimal, str]:
    """What a posting balances with: at cost, else at its price, else its own amount."""
    _, units, cost, price, _, _ = posting
    assert units is not None
    number, currency = units
    assert number is not None  # Beancount has booked it
    if cost is not None:
        assert isinstance(cost, Cost)
        return number * cost.number, cost.currency
    if price is not None:
        assert price.number is not None
        return number * price.number, price.currency
    return number, currency


def totals(
    transactions: Iterable[Transaction],
    first: date,
    last: date,
    pieces: PostingParts,
    units: Container[str] = (),
    only: Only = Only.ALL,
) -> dict[Slot, SlotTotals]:
    """The exact totals of every slot to the day before `first` and to `last`.

    `units` names what is no money: units of compute, which a general ledger can't hold.
    """
    before: dict[tuple[str, str, str], Decimal] = {}
    within: dict[tuple[str, str, str], Decimal] = {}
    with localcontext(WIDE):
        for at, entry in enumerate(transactions):
            if entry.date > last or (only is Only.BOOKED and not _is_booked(entry)):
                continue
            sums = within if entry.date >= first else before
            for account, key, number, currency in pieces(at, entry):
                place = (currency, account, key)
                sums[place] = sums.get(place, ZERO) + number
        return {
            Slot(*place): SlotTotals(
                start := before.get(place, ZERO), start + within.get(place, ZERO)
            )
            for place in sorted({*before, *within})
            if place[0] not in units
        }


def _is_booked(entry: Transaction) -> bool:
    return ORDER in entry.meta or BULK_TAG in entry.tags


def movement(of: SlotTotals, currency: str) -> Decimal:
    """The month's figure: a multiple of the currency's minor unit, debits positive."""
    with localcontext(WIDE):
        return round_money(of.end, currency) - round_money(of.before, currency)
