"""Simulated economies load as they are, in both regimes, and say what was assumed."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from beancount_compute.cli import main as command
from beancount_compute.close.loading import load
from beancount_compute.economy import Flow
from beancount_compute.reports import Selection, read_books
from beancount_compute.reports.registry import REPORTS
from beancount_compute.simulation import simulated_months
from beancount_compute.simulation.assumptions import read_assumptions, usual_text
from beancount_compute.simulation.people import People, streams_of
from beancount_compute.simulation.simulated_months import Regime, simulated

USUAL = read_assumptions(usual_text())


def simulate(folder: Path, *words: object) -> Result:
    return CliRunner().invoke(command, ["simulate", str(folder), *[str(word) for word in words]])


@pytest.mark.parametrize("regime", [*Regime])
def test_a_simulated_ledger_has_no_error(regime: Regime, tmp_path: Path) -> None:
    """150 subscribers over 15 months: tokens end, people leave; nothing is refused."""
    folder = tmp_path / "sim"
    done = simulate(folder, "--subscribers", 150, "--months", 15, "--regime", regime.value)
    assert done.exit_code == 0, done.output
    loaded = load(folder / "main.beancount")
    assert loaded.errors == []
    books = read_books(loaded.entries, loaded.options)
    months = [*simulated(USUAL, regime, 150, 15, 1)]
    table = REPORTS["subscribers"].tables(books, Selection(), "people")[0].by_key()
    assert [row["new"] for row in table] == [len(each.came) for each in months]
    # who leaves on a month's last day is missing from the next month on
    assert [row["cancelled"] for row in table][1:] == [len(each.left) for each in months[:-1]]
    assert bool(books.trades) == (regime is Regime.MARKET)
    deals = sum(len(each.units) for month in months for _, each in month.deals)
    assert len(books.trades) == deals
    minted = any(each.flow is Flow.MINTED for each in books.movements)
    assert minted == (regime is Regime.MARKET)


@pytest.mark.parametrize("regime", [*Regime])
def test_without_overage_use_ends_with_what_is_held(regime: Regime, tmp_path: Path) -> None:
    """Nothing beyond the holdings is used, as it would be refused; bids are of the plan's price.

    Units of a plan that costs nothing are never minted, so that nobody sells them.
    """
    assumed = tmp_path / "free.toml"
    text = re.sub(r"overage = [0-9.]+", "overage = 0", usual_text())
    assumed.write_text(text.replace("price = 20.00 ", "price = 0 "))
    words = ("--subscribers", 40, "--months", 3, "--assumptions", assumed)
    simulate(tmp_path / "sim", *words, "--regime", regime.value)
    loaded = load(tmp_path / "sim" / "main.beancount")
    assert loaded.errors == []
    books = read_books(loaded.entries, loaded.options)
    assert not any(each.earning.value == "overage" for each in books.incomes)
    assert bool(books.trades) == (regime is Regime.MARKET)
    tokens = {each.origin for each in books.movements if each.flow is Flow.MINTED}
    assert tokens == ({"pro"} if regime is Regime.MARKET else set())


def test_what_is_wanted_is_used_or_charged(tmp_path: Path) -> None:
    """All uses of the files are booked: as use of lots, or as overage at the plan's price."""
    simulate(tmp_path / "sim", "--subscribers", 80, "--months", 6)
    loaded = load(tmp_path / "sim" / "main.beancount")
    books = read_books(loaded.entries, loaded.options)
    used = -sum(each.units for each in books.movements if each.flow is Flow.USED)
    wanted = sum(int(month.used.sum()) for month in simulated(USUAL, Regime.MARKET, 80, 6, 1))
    assert 0 < used <= wanted
    beyond = [each.amount for each in books.incomes if each.earning.value == "overage"]
    assert beyond and used < wanted


DIGEST = "400a7824a95c12c2747ff165f8b603630bdb6e5189d2dd672472cb7130ecfdc7"


def test_the_same_seed_gives_the_same_bytes_on_any_machine(tmp_path: Path) -> None:
    """The digest was taken once: another one says that a seed gives another economy now."""
    for name in ("one", "two"):
        simulate(tmp_path / name, "--subscribers", 50, "--months", 4, "--seed", 7)
    texts = [
        [path.read_bytes() for path in sorted((tmp_path / name).rglob("*.*"))]
        for name in ("one", "two")
    ]
    assert texts[0] == texts[1]
    assert sha256(b"".join(texts[0])).hexdigest() == DIGEST
    simulate(tmp_path / "other", "--subscribers", 50, "--months", 4, "--seed", 8)
    other = (tmp_path / "other/events/2026-01.csv").read_bytes()
    assert other != (tmp_path / "one/events/2026-01.csv").read_bytes()


def test_a_month_s_wish_is_read_off_the_curve() -> None:
    """At the 45th percentile of basic: half way from 0.34 to 0.44 of 20,000, in June 0.95 of it."""
    people = People(USUAL._replace(varies=0), streams_of(1))
    people.come(2)
    people.plan[:], people.level[:] = 0, [450_000, 1_000_000]
    assert people.wanted(5).tolist() == [7410, 36100]
    people.there[1] = False
    assert people.wanted(0).tolist() == [7800, 0]


def test_days_add_up_to_the_month() -> None:
    people = People(USUAL, streams_of(3))
    people.come(200)
    wanted = people.wanted(0)
    by_day = people.days_of(wanted, 31)
    assert (by_day.sum(axis=1) == wanted).all() and (by_day >= 0).all()


def test_who_left_much_leaves_and_who_holds_tokens_stays() -> None:
    """Of 20,000 each: with all unused 6 % leave, with nothing 2 %, with tokens half as many."""
    people = People(USUAL, streams_of(5))
    people.come(30_000)
    units = people.units
    people.tokens[20_000:, 3] = 1
    unused = np.where(np.arange(30_000) < 10_000, 0, units)
    gone = people.leaving(unused)
    few, many, holding = (((gone // 10_000) == part).sum() / 10_000 for part in range(3))
    assert abs(few - 0.02) < 0.005 and abs(many - 0.06) < 0.008 and abs(holding - 0.03) < 0.006


def test_a_folder_with_something_in_it_and_a_wrong_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "there.txt").write_text("kept")
    done = simulate(tmp_path)
    assert done.exit_code == 1 and "is there already" in done.output
    wrong = tmp_path / "assumptions.toml"
    wrong.write_text(usual_text().replace("base", "bass"))
    done = simulate(tmp_path / "new", "--assumptions", wrong)
    assert done.exit_code == 1 and "assumptions.toml: line" in done.output
    assert not (tmp_path / "new").exists()


def test_more_people_than_can_be_held_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten come for each who is there: 20 are 220, less who left, in the second month."""
    monkeypatch.setattr(simulated_months, "MOST_PEOPLE", 200)
    crowd = tmp_path / "crowd.toml"
    crowd.write_text(usual_text().replace("monthly = 0.05", "monthly = 10.0"))
    words = ("--subscribers", 20, "--months", 3, "--assumptions", crowd)
    done = simulate(tmp_path / "new", *words)
    assert done.exit_code == 1
    assert "more than 200 subscribers by 2026-02: ask for fewer months" in done.output
    blank = tmp_path / "blank.toml"
    blank.write_bytes(b"\xff\xfe")
    done = simulate(tmp_path / "other", "--assumptions", blank)
    assert done.exit_code == 1 and "blank.toml is no text in UTF-8" in done.output
