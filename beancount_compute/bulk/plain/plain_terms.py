"""What the terms say to plain subscribers: the rules are asked once for each plan and day.

pro, from 2026-05-01   ->   until 2026-06-01: 200.00 USD for 1000 CU at 0.20
1000 CU for 19.99 USD  ->   10 CU at 0.019, 990 CU at 0.02            ; many at once
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from beancount_compute.bulk.plain.lot_keys import Ints
from beancount_compute.economy import (
    COST_STEP,
    ZERO,
    BilledBy,
    Key,
    Pocket,
    Terms,
    Unused,
    decimals_of,
    later,
)
from beancount_compute.economy.rules.allocation import period_of
from beancount_compute.economy.rules.subscription import MOST_PERIODS

_LARGEST_STEP = 6  # decimals of the largest cost step


class PlainPeriod(NamedTuple):
    """A period of a plan that begins on a day: until when, and what comes in for what."""

    end: date
    day_of_month: int
    in_days: bool
    paid: Decimal
    currency: str
    lots: list[tuple[Pocket, str, Key, Decimal]]


class PlainPeriods:
    """The periods of plans, by their first day."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._known: dict[tuple[str, date, int, bool], PlainPeriod | None] = {}

    def begin(self, plan: str, day: date, day_of_month: int, in_days: bool) -> PlainPeriod | None:
        """The period that begins on a day; None where its booking is not plain."""
        key = plan, day, day_of_month, in_days
        if key not in self._known:
            self._known[key] = self._begin(*key)
        return self._known[key]

    def _begin(self, name: str, day: date, day_of_month: int, in_days: bool) -> PlainPeriod | None:
        plan = self._terms.plan_of_lot(name, day)
        if plan is None or not plan.bookable or plan.minimum or plan.bill is not BilledBy.USE:
            return None
        if plan.every.days:
            in_days = True
        elif in_days:
            in_days, day_of_month = False, day.day
        end = later(day, plan.every, day_of_month)
        if end == date.max:
            return None
        period = period_of(plan, day, end, day, self._terms.of_ledger(COST_STEP))
        if any(lot_end is not None and lot_end <= day for *_, (*_, lot_end), _ in period.lots):
            return None
        if not period.lots or any(pocket is Pocket.ACCESS for pocket, *_ in period.lots):
            return None
        return PlainPeriod(end, day_of_month, in_days, period.paid, plan.currency, period.lots)


def token_end(
    terms: Terms, origin: str, day: date, end: date, *, costs: bool, allocation: bool
) -> tuple[bool, date | None] | None:
    """What becomes of a lot at its end: (True, the end of its tokens), or (False, None) to expire.

    None where it takes the engine to say.
    """
    plan = terms.plan_of_lot(origin, day)
    if plan is None or not allocation or plan.unused is not Unused.MINT or not costs:
        return False, None
    if plan.mint_rate == ZERO:
        return False, None
    if plan.mint_rate != 1:
        return None
    return True, later(end, plan.token_expires) if plan.token_expires else None


class Split(NamedTuple):
    """Many payments split into two costs a unit, the lower first; the dearer may have no units."""

    plain: npt.NDArray[np.bool_]  # where it can be said here
    low: Ints  # cost in steps of so many decimals
    cheap: Ints  # units
    dearer: Ints  # units at one step of their own more
    step: Ints  # which is so many steps


def split_many(
    paid: Ints, units: Ints, currency: str, cost_step: Decimal | None, decimals: int
) -> Split:
    """`rounding.split` for whole units: `paid` counts minor units, costs have so many decimals."""
    minor = decimals_of(currency)
    if cost_step is not None:
        places = np.full(len(units), -cost_step.adjusted(), np.int64)
    else:
        digits = np.searchsorted(10 ** np.arange(19, dtype=np.int64), units)
        places = np.maximum(_LARGEST_STEP, minor + digits)
    plain = (places <= decimals) & (places - minor < 10) & (paid < 2**31) & (units > 0)
    places = np.where(plain, places, minor)
    units = np.where(plain, units, 1)
    whole = paid * 10 ** np.maximum(places - minor, 0)
    low, dearer = np.divmod(whole, units)
    plain &= low > 0
    step = 10 ** (decimals - places)
    return Split(plain, low * step, units - dearer, dearer, step)


def too_many_periods(periods: Ints) -> npt.NDArray[np.bool_]:
    """Which subscriptions have had nearly as many periods as one may have."""
    return periods + 32 > MOST_PERIODS
