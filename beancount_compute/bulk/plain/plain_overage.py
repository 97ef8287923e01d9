"""Use beyond the holdings in a plain month, charged by the plan of the only subscription.

    alice on pro, overage 0.004 USD    100 CU beyond on the 20th, 200 on the 21st
                                  ->   0.40 and 0.80 USD; 1.200 exact in the month

A month's charges are the rounding of its exact total, so those of a day are the difference that the
day makes to it. Who has no such plan, or several, is left; so is who uses a meter, of which reports
tell each use beyond the holdings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import NamedTuple

import numpy as np

from beancount_compute.bulk.bulk_terms import BulkTerms
from beancount_compute.bulk.plain.lot_keys import Flags, Ints
from beancount_compute.bulk.plain.plain_served import meters_of_days
from beancount_compute.bulk.rows.steps import (
    MOST_STEPS,
    fewest_decimals,
    half_even,
    rescaled,
    steps_of,
)
from beancount_compute.economy import decimals_of

_PRICE_DECIMALS = 9  # a finer price is left


class OnlySubscriptions(NamedTuple):
    """Of each subscriber the subscription that is the only one in all the month."""

    plans: Sequence[str]
    plan: Ints  # by code, its place there; below zero where there is none, or more than one
    since: Ints  # by code, the first day of the month on which it runs


class Charges(NamedTuple):
    """What was charged on days, in minor units of the plan's currency."""

    day: Ints
    code: Ints
    amount: Ints


class PlainOverage:
    """What subscribers use beyond their holdings."""

    def __init__(
        self,
        bulk: BulkTerms,
        only: OnlySubscriptions,
        commodities: Sequence[str],
        unit_decimals: int,
        leave: Callable[[Ints], None],
    ) -> None:
        self.only, self._leave = only, leave
        self._commodities = len(commodities)
        plans, days = len(only.plans), bulk.month.last.day
        of_month = meters_of_days(bulk.terms, bulk.month) or ()
        self._metered = {(each.day, each.commodity) for each in of_month}
        self.currencies = [""] * plans
        self._price = np.zeros((plans, len(commodities), days), np.int64)  # 0 for none
        self._step = np.ones(plans, np.int64)  # of exact amounts
        for at, name in enumerate(only.plans):
            self._read_plan(bulk, at, name, commodities)
        minor = [decimals_of(currency) if currency else 0 for currency in self.currencies]
        decimals = fewest_decimals([self._price], _PRICE_DECIMALS)
        decimals = max([decimals, *(each - unit_decimals for each in minor)])
        self._price = rescaled(self._price, _PRICE_DECIMALS, decimals)
        self.decimals = unit_decimals + decimals
        self._step[:] = [10 ** (self.decimals - each) for each in minor]  # of a minor unit
        self.exact = np.zeros(len(only.plan), np.int64)
        self.booked = np.zeros(len(only.plan), np.int64)
        self._charges: list[Charges] = []

    def _read_plan(self, bulk: BulkTerms, at: int, name: str, commodities: Sequence[str]) -> None:
        currencies = set()
        for day in range(bulk.month.last.day):
            on = bulk.month.first + timedelta(day)
            plan = bulk.terms.plan(name, on)
            if plan is None or plan.overage is None:
                continue
            currencies.add(plan.overage.currency)
            steps = steps_of(plan.overage.number, _PRICE_DECIMALS)
            if steps is not None:
                for unit, commodity in enumerate(commodities):
                    if plan.sells(commodity) and (on, commodity) not in self._metered:
                        self._price[at, unit, day] = steps
        if len(currencies) == 1:
            self.currencies[at] = currencies.pop()
        else:  # none, or one that changes
            self._price[at] = 0

    def charge(self, day: int, rows: Ints, lacking: Ints) -> None:
        """Charge rows (a subscriber and a commodity) for the units that they lack on a day."""
        code, unit = np.divmod(rows, self._commodities)
        plan = self.only.plan[code]
        price = np.where((plan >= 0) & (self.only.since[code] <= day), 1, 0)
        price *= self._price[plan, unit, day] if len(self._price) else 0
        most = lacking.astype(float) * price + self.exact[code]
        can = (price > 0) & (most < MOST_STEPS / self._commodities)
        self._leave(code[~can])
        np.add.at(self.exact, code[can], (lacking * price)[can])
        code = np.unique(code[can])
        step = self._step[self.only.plan[code]]
        booked = half_even(self.exact[code], step)
        amount = booked - self.booked[code]
        self.booked[code] = booked
        some = amount > 0
        self._charges.append(Charges(np.full(some.sum(), day), code[some], amount[some]))

    def charges(self, good: Flags) -> Charges:
        """The charges of those who are good."""
        none = np.empty(0, np.int64)
        found = Charges(
            *[
                np.concatenate([none, *columns])
                for columns in zip(Charges(none, none, none), *self._charges, strict=True)
            ]
        )
        kept = good[found.code]
        return Charges(*[column[kept] for column in found])
