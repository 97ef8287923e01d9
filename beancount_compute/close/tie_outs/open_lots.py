"""Every lot with its units, folded from the movements in the order of the books.

-800 CU {0.20 USD, 2026-05-01, "pro/2027-06-01"}   in, then 200 CU out   ->   600 CU, 120.00 USD
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import NamedTuple

from beancount_compute.reports.books import Books
from beancount_compute.reports.facts import Movement


class OpenLots(NamedTuple):
    """What is open, and which lots were ever drawn below nothing."""

    lots: int  # all of them, emptied ones too
    cost: dict[tuple[str, str], Decimal]  # of open lots, by component and currency
    negative: list[Movement]  # the first of each lot that drew it below zero


def open_lots(books: Books) -> OpenLots:
    """Fold the movements; the sums need the context `WIDE`."""
    held: defaultdict[tuple[str, str, int], Decimal] = defaultdict(Decimal)
    one_of: dict[tuple[str, str, int], Movement] = {}
    negative: dict[tuple[str, str, int], Movement] = {}
    for movement in books.movements:
        _, _, _, _, _, _, commodity, units, _, _, lot, account, _, _ = movement
        key = (account, commodity, id(lot))
        total = held[key] = held[key] + units
        if units > 0:
            one_of[key] = movement
        if total < 0 and key not in negative:
            negative[key] = movement
    cost: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for key, units in held.items():
        if units > 0:
            movement = one_of[key]
            component = books.accounts.component(movement.subscriber)
            cost[component, movement.currency] += units * movement.lot.cost
    return OpenLots(len(held), dict(cost), list(negative.values()))
