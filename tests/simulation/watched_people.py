"""What happens in a simulated economy, as the fits see it in a ledger; and the truth of it."""

from __future__ import annotations

import numpy as np
import pytest

from beancount_compute.simulation import simulated_months
from beancount_compute.simulation.assumptions import Assumptions
from beancount_compute.simulation.people import People, WholeNumbers
from beancount_compute.simulation.seen_economy import SeenMonths, SeenPeriods
from beancount_compute.simulation.simulated_months import Regime, simulated


def watched(
    assumed: Assumptions, regime: Regime, people: int, months: int, seed: int
) -> tuple[SeenPeriods, SeenMonths]:
    """The periods and months of an economy, of which the last month's end is not known yet."""
    seen: list[list[WholeNumbers]] = []

    class Watched(People):
        def wanted(self, month: int) -> WholeNumbers:
            found = super().wanted(month)
            self.of_month = month, found
            return found

        def leaving(self, unused: WholeNumbers) -> WholeNumbers:
            there, holds = np.flatnonzero(self.there), self.tokens.sum(axis=1) > 0
            gone = np.zeros(len(holds), bool)
            gone[super().leaving(unused)] = True
            month, wanted = self.of_month
            units, count = self.units[there], np.full(len(there), month)
            seen.append(
                [
                    there,
                    self.plan[there],
                    count,
                    wanted[there] / units,
                    unused[there] / units,
                    holds[there],
                    gone[there],
                    np.ones(len(there), bool),
                ]
            )
            return np.flatnonzero(gone)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulated_months, "People", Watched)
        every = list(simulated(assumed, regime, people, months, seed))
    seen[-1][6] = np.zeros(len(seen[-1][6]), bool)
    seen[-1][7] = np.zeros(len(seen[-1][7]), bool)
    came = np.array([len(each.came) for each in every])
    left = np.array([len(each.left) for each in every])
    there = np.cumsum(came - left)[:-1]
    return SeenPeriods(*[np.concatenate(each) for each in zip(*seen, strict=True)]), SeenMonths(
        there, came[1:]
    )
