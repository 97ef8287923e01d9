"""Assumptions like a ledger: what was simulated is seen again, and what can't be fitted is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from beancount_compute.cli import main as command
from beancount_compute.close.loading import load
from beancount_compute.reports import Books, read_books
from beancount_compute.simulation.assumptions import read_assumptions, usual_text
from beancount_compute.simulation.likeness import like
from beancount_compute.simulation.seen_economy import NothingSeen, see
from beancount_compute.simulation.simulated_months import Regime
from beancount_compute.simulation.written_ledger import SimulationAsked, write_simulation
from tests.reports.story import HEAD, STORY, books_of
from tests.reports.test_subscribers import LIFE
from tests.simulation.watched_people import watched

USUAL = read_assumptions(usual_text())
PEOPLE, MONTHS, SEED = 90, 8, 5


def run(*words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words])


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("market")
    write_simulation(folder, SimulationAsked(USUAL, Regime.MARKET, PEOPLE, MONTHS, SEED))
    return folder / "main.beancount"


@pytest.fixture(scope="module")
def books(market: Path) -> Books:
    loaded = load(market)
    assert loaded.errors == []
    return read_books(loaded.entries, loaded.options)


def test_what_was_simulated_is_seen_in_its_ledger(books: Books) -> None:
    """Every month of everybody: what they wanted, left over, held, and whether they left."""
    seen = see(books)
    truth, months = watched(USUAL, Regime.MARKET, PEOPLE, MONTHS, SEED)
    assert seen.people == truth.person.max() + 1
    assert seen.by_month.there.tolist() == months.there.tolist()
    assert seen.by_month.came.tolist() == months.came.tolist()
    # by person and month of the year; both number people as they came
    one, other = (np.lexsort((each.month, each.person)) for each in (seen.periods, truth))
    for name in ("person", "plan", "month", "left", "over"):
        found, wanted = getattr(seen.periods, name)[one], getattr(truth, name)[other]
        assert found.tolist() == wanted.tolist(), name
    over = truth.over[other]  # tokens of the last month are minted on the day after
    assert seen.periods.holds[one][over].tolist() == truth.holds[other][over].tolist()
    # overage is charged to the cent, so that its units are known to some 10 of 20,000
    for name in ("wanted", "unused"):
        found, wanted = getattr(seen.periods, name)[one], getattr(truth, name)[other]
        assert found == pytest.approx(wanted, abs=0.001), name


def test_a_fitted_file_can_be_read_and_says_where_numbers_come_from(books: Books) -> None:
    found = like(books, "main.beancount")
    assumed = read_assumptions(found.text)
    assert [(p.name, p.price, p.units) for p in assumed.plans] == [
        (p.name, p.price, p.units) for p in USUAL.plans
    ]
    assert [p.overage for p in assumed.plans] == [p.overage for p in USUAL.plans]
    assert sum(p.among for p in assumed.plans) == 1_000_000
    assert abs(assumed.arrivals - USUAL.arrivals) < 10_000
    assert (assumed.seller_fee, assumed.buyer_fee) == (50_000, 10_000)
    assert assumed.token_months == 12 and assumed.tokens == USUAL.tokens
    assert f"fitted from the ledger, {see(books).people} subscribers, 8 months" in found.text
    said = "\n".join(found.not_fitted)
    for words in (
        "`days` from the default: the ledger merges the uses of a month",
        "`season` from the default: whole periods of all 12 calendar months are needed",
        "`tokens` from the default: of those who left as much over",
        "`ask` and `bid`: books have no offers",
    ):
        assert words in said, words
        assert f"# - {words}" in found.text


def many(people: int, months: int, more: str = "", plan: str = "pro") -> str:
    """People who subscribe in January and use a tenth and more of 1000 CU; every tenth leaves."""
    lines = [HEAD, f'2026-01-01 custom "compute-plan" "{plan}" 100.00 USD 1000 CU']
    for n in range(people):
        lines.append(f'2026-01-01 custom "compute-subscription" "u{n:02}" "{plan}"')
        uses = range(1, months + 1) if n % 10 else range(1, 3)
        lines += [
            f'2026-{month:02}-10 custom "compute-consumption" "u{n:02}" {100 + n} CU'
            for month in uses
        ]
        if not n % 10:
            lines.append(f'2026-02-15 custom "compute-cancellation" "u{n:02}" "{plan}"')
    lines += [more, f'2026-01-01 custom "compute-option" "as-of" 2026-{months:02}-28']
    return "\n".join(lines)


def test_without_overage_or_market_the_words_say_so() -> None:
    """4 of 40 leave at the 2nd of 8 months: 4 of 6 * 36 + 2 * 4 decisions, all in one band."""
    found = like(books_of(many(40, 8)), "many")
    assumed = read_assumptions(found.text)
    assert assumed.plans[0].overage == 0
    assert assumed.days == 1 and assumed.varies < 20_000
    assert assumed.base + assumed.unused[-1][1] == round(4 / (7 * 36 + 2 * 4), 4) * 1_000_000
    said = "\n".join(found.not_fitted)
    for words in (
        "pro: no overage, so what is wanted beyond can't be seen",
        "`tokens` from the default: nobody holds tokens",
        "`seller_fee`, `buyer_fee` from the default: nobody trades",
        "`token_months` from the default: no plan mints",
        "`ask`, `bid` from the default: 0 trades, 30 are needed",
        "`unused` up to 20%, 50%, 80%: the mean of all, of too few subscribers",
    ):
        assert words in said, words


@pytest.mark.parametrize(
    ("ledger", "said"),
    [
        (many(29, 8), "29 subscribers and 8 months are too few, 30 and 6 are needed"),
        (many(40, 5), "40 subscribers and 5 months are too few"),
        (STORY, "2 subscribers and 2 months are too few"),
        (LIFE, "2 changes of plan: in a simulated economy everybody stays on one"),
        (LIFE, "top-ups: no part of a simulated economy"),
        (
            many(40, 8).replace(" 1000 CU\n", ' 1000 CU\n  unused: "rollover"\n'),
            "pro: rollover is no",
        ),
        (
            many(40, 8).replace(" 1000 CU\n", ' 1000 CU\n  unused: "mint"\n  mint-rate: 0.8\n'),
            "pro: all that is left is minted here, not 0.8 of it",
        ),
        (
            STORY + '2026-01-01 custom "compute-option" "minimum-fee" 0.25 USD\n',
            "minimum and fixed fees: no part of a simulated economy",
        ),
        (many(40, 8, plan="Pro Plus"), "nobody holds tokens"),
        (many(40, 8).replace(" 1000 CU", " 10000000 CU"), "a unit here is 1,000 CU of the ledger"),
        (many(40, 8).replace(" CU", " /CU"), "/CU is called CU here"),
        (
            many(
                40,
                8,
                '2026-01-01 custom "compute-plan" "eu" 9.00 EUR 10 CU\n'
                '2026-01-01 custom "compute-subscription" "u00" "eu"',
            ),
            "another currency or commodity: eu",
        ),
    ],
)
def test_what_is_too_few_or_no_part_of_it_is_said(ledger: str, said: str) -> None:
    found = like(books_of(ledger), "some")
    assert said in "\n".join(found.not_fitted) + found.text
    read_assumptions(found.text)


def test_nobody_subscribed_or_nobody_left() -> None:
    with pytest.raises(NothingSeen, match="no period of a subscription"):
        see(books_of(HEAD))
    stays = "\n".join(line for line in many(40, 8).splitlines() if "cancel" not in line)
    assert "nobody has left yet" in "\n".join(like(books_of(stays), "stays").not_fitted)


def test_the_commands_fit_and_say_what_they_could_not(market: Path, tmp_path: Path) -> None:
    folder = tmp_path / "like"
    done = run("simulate", folder, "--like", market, "--months", 2)
    assert done.exit_code == 0, done.output
    assert "Not fitted to" in done.output and "`days` from the default" in done.output
    text = (folder / "assumptions.toml").read_text()
    assert "like main.beancount assumes: fitted from the ledger" in text
    first = (folder / "main.beancount").read_text().splitlines()[0]
    assert f"{see_there(market)} subscribers at first" in first
    kept = tmp_path / "kept.csv"
    words = ("--replications", 1, "--months", 2, "--subscribers", 30, "--keep", kept)
    words = (*words, "--regime", "breakage")
    done = run("compare", *words, "--like", market)
    assert done.exit_code == 0 and "lifetime value" in done.output


def see_there(ledger: Path) -> int:
    loaded = load(ledger)
    return see(read_books(loaded.entries, loaded.options)).there


def test_ledgers_that_cannot_be_fitted_are_refused(market: Path, tmp_path: Path) -> None:
    empty, wrong = tmp_path / "empty.beancount", tmp_path / "wrong.beancount"
    empty.write_text("")
    wrong.write_text("what\n")
    toml = market.parent / "assumptions.toml"
    for words, said in (
        (("--like", empty), "empty.beancount: no period of a subscription is booked"),
        (("--like", wrong), "wrong.beancount has errors: mend them first"),
        (("--like", market, "--assumptions", toml), "leave --assumptions out, or --like"),
    ):
        done = run("simulate", tmp_path / "new", *words)
        assert done.exit_code and said in done.output
        assert not (tmp_path / "new").exists()
    done = run("compare", market, market, "--like", market)
    assert done.exit_code == 2 and "are for --replications" in done.output
