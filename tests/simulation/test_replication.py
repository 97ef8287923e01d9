"""A replication on the engine alone is the loaded ledger of the same economy, to the digit."""

from __future__ import annotations

from pathlib import Path

import pytest

from beancount_compute.close.loading import load
from beancount_compute.reports import read_books
from beancount_compute.simulation.assumptions import read_assumptions, usual_text
from beancount_compute.simulation.economy_figures import outcome_of_books
from beancount_compute.simulation.replication import replicate
from beancount_compute.simulation.simulated_months import Regime
from beancount_compute.simulation.written_ledger import SimulationAsked, write_simulation

USUAL = read_assumptions(usual_text())


@pytest.mark.parametrize("regime", [*Regime])
def test_a_replication_is_the_ledger_to_the_digit(regime: Regime, tmp_path: Path) -> None:
    asked = SimulationAsked(USUAL, regime, 120, 8, 3)
    write_simulation(tmp_path, asked)
    ledger = tmp_path / "main.beancount"
    text = ledger.read_text().replace('"posting-grain" "month"', '"posting-grain" "event"')
    ledger.write_text(text)
    loaded = load(ledger)
    assert loaded.errors == []
    found = outcome_of_books(read_books(loaded.entries, loaded.options), "USD")
    assert replicate(asked) == found
    assert found.revenue > found.use > 0 and found.left > 0
    assert bool(found.fees) == (regime is Regime.MARKET)
