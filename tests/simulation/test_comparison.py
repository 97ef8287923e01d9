"""Replications side by side: what is kept, what goes on, and the figures by hand."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from beancount_compute.cli import main as command
from beancount_compute.simulation import comparison
from beancount_compute.simulation.assumptions import read_assumptions, usual_text
from beancount_compute.simulation.comparison import (
    ComparisonAsked,
    KeptElsewhere,
    compared,
    replications,
)
from beancount_compute.simulation.economy_figures import EconomyFigures
from beancount_compute.simulation.simulated_months import Regime
from beancount_compute.simulation.written_ledger import SimulationAsked
from tests.reports.test_subscribers import LIFE

USUAL = read_assumptions(usual_text())
TWO_REGIMES = Path(__file__).parents[2] / "example-ledgers" / "two-regimes"
ASKED = ComparisonAsked(USUAL, [*Regime], 30, 3, 2)


def run(*words: object) -> Result:
    return CliRunner().invoke(command, ["compare", *[str(word) for word in words]])


def outcome(number: int) -> EconomyFigures:
    return EconomyFigures(*[Decimal(number)] * len(EconomyFigures._fields))


def test_what_was_stopped_goes_on_and_gives_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three of four lines are there, and half of the fourth: only that one is worked out again."""
    whole, cut = tmp_path / "whole.csv", tmp_path / "cut.csv"
    heard: list[int] = []
    done = replications(ASKED, whole, heard.append, processes=1)
    assert heard == [0, 1, 1, 1, 1]
    assert {*done} == {(seed, regime) for seed in (1, 2) for regime in Regime}
    text = whole.read_text()
    cut.write_text(text[:-20])
    seeds: list[int] = []
    once = comparison.replicate

    def seen(one: SimulationAsked) -> EconomyFigures:
        seeds.append(one.seed)
        return once(one)

    monkeypatch.setattr(comparison, "replicate", seen)
    heard.clear()
    assert replications(ASKED, cut, heard.append, processes=1) == done
    assert heard == [3, 1]
    assert seeds == [2] and cut.read_text() == text


def test_two_processes_give_the_same(tmp_path: Path) -> None:
    one = replications(ASKED, tmp_path / "one.csv", lambda count: None, processes=1)
    assert replications(ASKED, tmp_path / "two.csv", lambda count: None, processes=2) == one


def test_a_file_of_another_economy_or_of_none_is_refused(tmp_path: Path) -> None:
    kept = tmp_path / "kept.csv"
    kept.write_text(ASKED._replace(months=4).head)
    with pytest.raises(KeptElsewhere, match="holds no replications of this economy"):
        replications(ASKED, kept, lambda count: None)
    kept.write_text(ASKED.head + "seed,regime\n1,market,x\n")
    with pytest.raises(KeptElsewhere, match="is no replication"):
        replications(ASKED, kept, lambda count: None)


def test_means_intervals_and_who_wins_by_hand() -> None:
    """Markets of 1 to 80, breakages of 40: the mean is 40.5, 95 % are 3 to 78, 40 of 80 higher."""
    asked = ASKED._replace(replications=80)
    done = {(n, Regime.MARKET): outcome(n) for n in range(1, 81)}
    done |= {(n, Regime.BREAKAGE): outcome(40) for n in range(1, 81)}
    table, _ = compared(asked, done)
    market, breakage = table.by_key()[-2:]
    assert (market["figure"], market["regime"]) == ("lifetime value", "market")
    assert (market["mean"], market["low"], market["high"]) == (Decimal("40.5"), 3, 78)
    assert (breakage["low"], breakage["high"]) == (40, 40)
    assert (market["wins"], breakage["wins"]) == (Decimal("0.5"), None)
    churn = next(row for row in table.by_key() if row["figure"] == "churn, %")
    assert churn["mean"] == 4050


def test_break_even_is_what_lacks_over_the_gross_by_hand() -> None:
    """Breakage earns 900, the market 600 of which 20 are fees of 400: fees of 320, 80 % of it.

    Half as many subscribers more would do. A seed without a trade has no such fee.
    """
    market = outcome(0)._replace(revenue=Decimal(600), fees=Decimal(20), traded=Decimal(400))
    asked = ASKED._replace(replications=40)
    done = {(n, Regime.MARKET): market for n in range(1, 41)}
    done |= {(n, Regime.BREAKAGE): outcome(900) for n in range(1, 41)}
    _, table = compared(asked, done)
    fee, more = table.by_key()
    assert [*fee.values()][1:] == [Decimal("0.8"), Decimal("0.8"), Decimal("0.8"), 1]
    assert [*more.values()][1:] == [Decimal("0.5"), Decimal("0.5"), Decimal("0.5"), None]
    done[7, Regime.MARKET] = market._replace(traded=Decimal(0), fees=Decimal(0))
    done[8, Regime.MARKET] = market._replace(traded=Decimal(200))
    fee, _ = compared(asked, done)[1].by_key()
    assert (fee["median"], fee["low"], fee["high"]) == (Decimal("0.8"), None, None)
    assert fee["feasible"] == Decimal("0.95")  # 320 of 200 is no fee


def test_few_replications_have_no_interval() -> None:
    done = {(n, Regime.MARKET): outcome(n) for n in (1, 2)}
    (table,) = compared(ASKED._replace(regimes=[Regime.MARKET]), done)
    assert [*table.by_key()[0].values()] == ["subscribers", "market", Decimal("1.5"), None, None]


def test_the_command_compares_replications_and_ledgers(tmp_path: Path) -> None:
    words = ("--replications", 1, "--subscribers", 20, "--months", 3)
    done = run(*words, "--keep", tmp_path / "kept.csv", "--format", "csv")
    assert done.exit_code == 0 and "lifetime value,market," in done.output
    ledger, other = tmp_path / "one.beancount", tmp_path / "two.beancount"
    ledger.write_text(LIFE)
    other.write_text(LIFE.replace("240.00 USD", "360.00 USD"))
    found = run(ledger, other, "--format", "csv")
    assert found.exit_code == 0, found.output
    lines = {name: rest for name, *rest in csv.reader(found.output.splitlines())}
    # ten ends of periods, at one of which bob left; five are there in April
    assert (lines["subscribers"], lines["left"]) == (["5", "5"], ["1", "1"])
    assert lines["churn"] == ["0.100000", "0.100000"]
    assert lines["break-even fee"] == ["", ""]  # nobody trades


def test_who_stops_it_is_told_how_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*asked: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(comparison, "replications", stopped)
    done = run("--replications", 1, "--keep", tmp_path / "kept.csv")
    assert done.exit_code == 1 and "kept.csv, and the same command goes on" in done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [((), "name two ledgers or more, or ask for --replications"), (("LEDGER",), "two ledgers")],
)
def test_one_ledger_or_nothing_is_no_comparison(
    words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    ledger = tmp_path / "one.beancount"
    ledger.write_text(LIFE)
    done = run(*[ledger for _ in words])
    assert done.exit_code == 2 and said in done.output


@pytest.mark.parametrize(
    ("kept", "assumptions", "months"),
    [
        ("one-year", "assumptions", 12),
        ("three-years", "assumptions", 36),
        ("no-effect", "no-effect", 36),
    ],
)
def test_what_the_example_keeps_comes_out_again(kept: str, assumptions: str, months: int) -> None:
    """The last of its hundred seeds, worked out anew, gives the same line."""
    text = (TWO_REGIMES / f"{kept}.csv").read_text()
    lines = text.splitlines(keepends=True)
    assumed = read_assumptions((TWO_REGIMES / f"{assumptions}.toml").read_text())
    asked = ComparisonAsked(assumed, [*Regime], 60, months, 1)
    assert len(lines) == 202 and text.startswith(asked.head)
    seed, regime, *figures = lines[-1].strip().split(",")
    outcome = comparison.replicate(SimulationAsked(assumed, Regime(regime), 60, months, int(seed)))
    assert figures == [f"{each:f}" for each in outcome]
