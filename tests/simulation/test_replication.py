"""A replication on the engine alone is the loaded ledger of the same economy, to the digit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from beancount_compute.close.loading import load
from beancount_compute.economy import Month
from beancount_compute.reports import read_books
from beancount_compute.simulation.assumptions import read_assumptions, usual_text
from beancount_compute.simulation.call_auction import Deals
from beancount_compute.simulation.economy_figures import outcome_of_books
from beancount_compute.simulation.replication import merged_uses, replicate
from beancount_compute.simulation.simulated_months import Regime, SimulatedMonth
from beancount_compute.simulation.written_ledger import SimulationAsked, write_simulation

USUAL = read_assumptions(usual_text())


@pytest.mark.parametrize("regime", [*Regime])
def test_a_replication_is_the_ledger_to_the_digit(regime: Regime, tmp_path: Path) -> None:
    asked = SimulationAsked(USUAL, regime, 120, 8, 3)
    write_simulation(tmp_path, asked)
    loaded = load(tmp_path / "main.beancount")
    assert loaded.errors == []
    found = outcome_of_books(read_books(loaded.entries, loaded.options), "USD")
    assert replicate(asked) == found
    assert found.revenue > found.use > 0 and found.left > 0
    assert bool(found.fees) == (regime is Regime.MARKET)


def test_uses_between_two_trades_of_one_are_one() -> None:
    """0 uses on days 0, 4, 9 and 12, and sells on day 9, before its use; 1 buys then; 2 trades not.

    A trade stands before the uses of its day: 0 has 3 up to day 4, and 9 from day 9 on.
    """

    def numbers(*several: int) -> np.ndarray:
        return np.array(several, np.int64)

    none = numbers()
    deals = [(9, Deals(numbers(0), numbers(1), numbers(5), 400))]
    month = SimulatedMonth(
        Month(2026, 1),
        *(none, none, none, none),
        used_on=numbers(0, 0, 4, 9, 9, 12, 12),
        used_by=numbers(0, 2, 0, 0, 1, 0, 2),
        used=numbers(1, 10, 2, 4, 7, 5, 20),
        deals=deals,
    )
    found = zip(*[column.tolist() for column in merged_uses(month)], strict=True)
    assert [*found] == [(4, 0, 3), (12, 0, 9), (9, 1, 7), (12, 2, 30)]
    quiet = month._replace(deals=[], used_on=none, used_by=none, used=none)
    assert [len(column) for column in merged_uses(quiet)] == [0, 0, 0]
