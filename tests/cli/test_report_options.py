"""The options that only one report has."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from beancount_compute.cli import main
from tests.reports.test_served import YEAR

STORY = Path(__file__).parents[1] / "golden" / "story" / "ledger.beancount"


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["report", *[str(word) for word in words]])


def test_economics_takes_a_share_of_displaced_sales() -> None:
    """It stands among the assumptions."""
    result = run("economics", STORY, "--displaced", "0.25", "--table", "assumptions")
    assert result.exit_code == 0
    assert "0.25 of the units bought" in " ".join(result.stdout.split())


def test_disclosure_takes_the_months_of_its_pattern() -> None:
    """Without them there is no forecast."""
    assert "release pattern" not in run("disclosure", STORY).stdout
    result = run("disclosure", STORY, "--pattern", "12")
    assert result.exit_code == 0
    assert "Release pattern of the last 12 months" in " ".join(result.stdout.split())


def test_bills_take_a_wished_margin(tmp_path: Path) -> None:
    """A price of which nothing goes to the bills there can't be."""
    ledger = tmp_path / "main.beancount"
    ledger.write_text(YEAR)
    result = run("bills", ledger, "--margin", "0.4", "--format", "csv", "--table", "break-even")
    assert result.exit_code == 0
    head, may, june = result.stdout.splitlines()
    assert head.endswith("wished_price,idle_share")
    assert (may.split(",")[-2:], june.split(",")[-2:]) == (["1.666667", ""], ["4.00", ""])
    for wrong, said in (("1", "write a number below 1"), ("30", "write a number from 0 to 1")):
        result = run("bills", ledger, "--margin", wrong)
        assert result.exit_code == 2
        assert said in " ".join(result.stderr.split())


@pytest.mark.parametrize("share", ["2", "-0.5", "1.5", "0,5", "x", "1e-1", "٠"])
def test_a_share_is_a_number_from_0_to_1(share: str) -> None:
    """Exit code 2, and what to write."""
    result = run("economics", STORY, f"--displaced={share}")
    assert result.exit_code == 2
    assert "write a number from 0 to 1, such as 0.25" in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("name", "option"),
    [("lots", "--displaced=0.5"), ("economics", "--pattern=12"), ("margin", "--margin=0.3")],
)
def test_an_option_of_another_report_is_a_wrong_argument(name: str, option: str) -> None:
    """Rather than left unheard."""
    result = run(name, STORY, option)
    assert result.exit_code == 2
    assert "is an option of" in result.stderr
