"""What was served, and what that cost: facts beside those of `facts.py`.

    2026-06-10 * "alice" "Consumption" #compute-consumption
      meter: "chat"
      Liabilities:DeferredRevenue:Allocations:Alice    50 CU {1.20 USD, 2026-06-01, "wrap/..."}
      Income:Compute                               -60.00 USD
    2026-06-10 * "llama" "Cost of compute, 1 use" #compute-cost
      Expenses:Compute:Llama                        20.00 USD
      Liabilities:Accrued:Llama                    -20.00 USD

is `ServedUnits` (chat, llama, alice, wrap, 50 CU, USD) and a `BookedCost` (llama, chat, 20.00 USD,
for uses); shared out it is a `BillShare` (alice, wrap, 20.00 USD). Reversals are negative.
"""

from __future__ import annotations

import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from beancount_compute.economy import Money
from beancount_compute.reports.facts import Income, LotKey


class CostPool(NamedTuple):
    """What shares one average cost: the uses that one evening's cost is for."""

    provider: str
    meter: str
    day: datetime.date  # of the uses; of uses that were merged over days, that of the meter's line
    booked: datetime.date  # when their cost was; of merged ones the first of the month
    undone: str  # the use that was reversed on a later day, which has a pool of its own


class ServedUnits(NamedTuple):
    """Units that a use took of one lot, or beyond the holdings."""

    date: datetime.date
    month: str
    subscriber: str
    meter: str  # "" where none measured them
    provider: str  # who served them; "" where the meter names none
    origin: str  # the plan of the lot, or that of the overage price
    vintage: str  # the month of the lot; "" beyond the holdings
    lot: LotKey | None
    commodity: str
    units: Decimal  # that the subscriber was charged
    currency: str  # in which they earned
    quantity: Decimal  # of the meter, where the use says it: its share by units; else zero
    in_meter: Money  # the units that the meter takes for it
    weight: Decimal  # the share in its pool: in proportion to the list cost, exact
    pool: CostPool
    used_on: datetime.date
    at: int


class CostReason(StrEnum):
    """Why a cost was booked."""

    USES = "uses"
    STATED = "as stated"
    GIVEN_BACK = "given back"
    LAPSED = "lapsed credits"


class BookedCost(NamedTuple):
    """Cost of a provider as it was booked, by meter; that of lapsed credits has none."""

    date: datetime.date
    month: str
    provider: str
    meter: str
    currency: str
    amount: Decimal
    reason: CostReason
    pool: CostPool
    at: int


class BookedVariance(NamedTuple):
    """What a bill differs from what was accrued for its days: above zero, an expense."""

    date: datetime.date
    month: str
    provider: str
    currency: str
    amount: Decimal
    at: int


class BookedDepreciation(NamedTuple):
    """A month's share of what some capacity cost."""

    date: datetime.date
    month: str
    capacity: str
    provider: str  # whose meters it serves
    currency: str
    amount: Decimal
    unit: str  # of what it can serve, or will in its life; "" where its terms name none
    can_serve: Decimal  # in a month; zero where its terms don't say
    by_units: bool  # whether its cost goes by what was served: then none of it is idle
    at: int


class ShareOf(StrEnum):
    """What a share of a bill stands for, where it isn't the use of a subscriber."""

    USE = ""
    NO_USE = "no use"  # stated of a day on which the meter served nothing
    ROUNDING = "rounding"  # what is left of the shares of one cost
    IDLE = "idle"  # what capacity could have served and did not
    VARIANCE = "variance"
    LAPSED = "lapsed credits"


class BillShare(NamedTuple):
    """A part of what was booked, and who was served for it."""

    date: datetime.date
    month: str
    line: ShareOf
    subscriber: str
    meter: str
    provider: str
    origin: str
    vintage: str
    commodity: str
    currency: str
    amount: Decimal
    at: int  # of the transaction that books it
    # the place of the units among those served; of what rounding leaves, that of the first of them;
    # -1 where there is none
    use: int


class IdleUnits(NamedTuple):
    """What some capacity can serve in a month, and what of it served nobody."""

    date: datetime.date
    month: str
    provider: str
    commodity: str
    units: Decimal
    can_serve: Decimal
    currency: str  # of its depreciation
    at: int


class ServingFacts(NamedTuple):
    """All of it, in the order of the books."""

    served: tuple[ServedUnits, ...]
    costs: tuple[BookedCost, ...]
    variances: tuple[BookedVariance, ...]
    depreciations: tuple[BookedDepreciation, ...]


class BillShares(NamedTuple):
    """Both bills, shared out: each adds up to what was booked."""

    first: tuple[BillShare, ...]
    second: tuple[BillShare, ...]
    idle: tuple[IdleUnits, ...]


class IncomeOfMeter(NamedTuple):
    """What was earned, and by whose use where it was one of a meter."""

    income: Income
    meter: str
    provider: str
    commodity: str
