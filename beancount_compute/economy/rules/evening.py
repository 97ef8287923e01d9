"""The evening of a day: what its uses cost, and what of capacities goes to the month that ends.

    2026-05-20 * "openai" "Cost of compute, 1 use" #compute-cost
    2026-06-30 * "gpu" "Depreciation" #compute-depreciation

All of it is the operator's. Where subscribers are booked apart, their evening hands out what they
used, and the operator's own takes it in.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from beancount_compute.economy.rules.cost import book_costs
from beancount_compute.economy.rules.depreciation import (
    await_depreciation,
    count_served,
    depreciate,
)
from beancount_compute.economy.state import Economy


class Evening(NamedTuple):
    """What is done before the first day, of which the last closed day may be known, and when all
    events of a day are booked."""

    begin: Callable[[Economy, date | None], None]
    book: Callable[[Economy, date], None]


def book_evening(economy: Economy, day: date) -> None:
    """Book the costs of a day, and the shares of capacities."""
    if economy.by_units:
        count_served(economy, day)
    if economy.served or economy.stated or economy.taken_back:
        book_costs(economy, day)
    if economy.depreciations:
        depreciate(economy, day)


EVENING = Evening(await_depreciation, book_evening)
