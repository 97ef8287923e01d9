"""The file of a scenario holds terms and scales; all else is refused at its line."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest

from beancount_compute.close.loading import load
from beancount_compute.ledger.errors import Errors
from beancount_compute.scenarios import read_scenarios
from beancount_compute.scenarios.scenario_file import read_scenario

LEDGER = """plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
2026-01-01 custom "compute-meter" "chat"
  units: 12 CU
  per: 1000
  cost: 10.00 USD
  provider: "openai"
2026-01-01 custom "compute-option" "seller-fee" 0.05
2026-01-01 custom "compute-option" "minimum-fee" 0.10 USD
2026-01-01 custom "compute-option" "cost-step" 0.01
2026-05-01 custom "compute-subscription" "alice" "pro"
"""


def told(tmp_path: Path, text: str, ledger: str = LEDGER) -> list[str]:
    """The errors of a scenario as `line: message`."""
    (tmp_path / "main.beancount").write_text(ledger)
    (tmp_path / "s.beancount").write_text(text)
    errors = Errors()
    booking = load(tmp_path / "main.beancount").booked
    found = read_scenarios(booking, [("s", str(tmp_path / "s.beancount"))], errors)
    assert bool(found) is not bool(errors.found)
    assert {Path(error.source["filename"]).name for error in errors.found} <= {
        "s.beancount",
        "main.beancount",
    }
    return [f"{error.source['lineno']}: {error.message}" for error in errors.in_order()]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "2026-06-01 open Assets:Bank",
            "a scenario holds terms only, such as compute-plan: remove this open",
        ),
        (
            '2026-06-01 * "x"\n  Assets:A  1 USD\n  Assets:B  -1 USD',
            "a scenario holds terms only, such as compute-plan: remove this transaction",
        ),
        (
            '2026-06-01 custom "compute-consumption" "alice" 200 CU',
            "a scenario holds terms only, and compute-consumption is an event: remove it",
        ),
        (
            '2026-06-01 custom "compute-account" "fees" Income:Fees',
            "compute-account names what the books have, under a scenario too: remove it",
        ),
        (
            '2026-06-01 custom "compute-scenario" "s" "s.beancount"',
            "a scenario holds terms only, and no compute-scenario: remove it; known: ",
        ),
        (
            '2026-06-01 custom "compute-events" "may.csv"',
            "a scenario holds terms only, and no compute-events: remove it; known: ",
        ),
        ('2026-06-01 custom "budget" "x"', 'unknown directive "budget"; known in a scenario: '),
        (
            '2026-06-01 custom "compute-option" "as-of" 2026-12-31',
            'option "as-of" says what the books hold, under a scenario too: remove it',
        ),
        (
            '2026-06-01 custom "compute-option" "time-zone" "Europe/Berlin"',
            'option "time-zone" says what the books hold',
        ),
        ('include "other.beancount"', "a scenario stands alone: write its lines here"),
        ('plugin "beancount.plugins.auto"', "a scenario holds terms only: remove `plugin`"),
        ('option "title" "x"', 'a scenario holds terms only: remove `option "title"`'),
        ("2026-06-01 custom", "syntax error"),
        (
            '2026-06-01 custom "compute-scale" "price" 0.5',
            'what is scaled, "price" is unknown: write one of "plan-price", "trade-price", "cost"',
        ),
        (
            '2026-06-01 custom "compute-scale" "cost" 0',
            "a factor of 0 is not above zero: write such as 0.50",
        ),
        ('2026-06-01 custom "compute-scale" "cost" -1', "a factor of -1 is not above zero"),
        (
            '2026-06-01 custom "compute-scale" "cost"',
            'custom "compute-scale" holds text: write what is multiplied, perhaps of whom, ',
        ),
        (
            '2026-06-01 custom "compute-scale" "cost" 2 USD',
            'custom "compute-scale" holds text, amount: write what is multiplied',
        ),
        (
            '2026-06-01 custom "compute-scale" "trade-price" "pro" 2',
            'trade-price is scaled as a whole: leave "pro" out',
        ),
        (
            '2026-06-01 custom "compute-scale" "use" " " 2',
            "a name is empty: write that of a meter, or leave it out",
        ),
        (
            '2026-06-01 custom "compute-scale" "use" 2\n  note: "x"',
            'unknown metadata "note" of compute-scale; known: none',
        ),
        (
            '2026-06-01 custom "compute-scale" "plan-price" "prro" 2',
            'unknown plan "prro": check the name; did you mean "pro"?',
        ),
        ('2026-06-01 custom "compute-scale" "use" "openai" 2', 'unknown meter "openai": check'),
        (
            '2026-06-01 custom "compute-scale" "cost" "llama" 2',
            'unknown meter or provider "llama": check the name',
        ),
        (
            '2026-06-01 custom "compute-plan" "pro" 100.00 CU 1000 CU',
            "wrong currency: CU can't pay for units of CU",
        ),
        ('2026-06-01 custom "compute-plan" "pro"', 'custom "compute-plan" holds text: write a '),
        (
            '2026-06-01 custom "compute-option" "selller-fee" 0.05',
            'unknown option "selller-fee"; known: ',
        ),
        ('2026-06-01 custom "compute-option"', 'custom "compute-option": write a name and a value'),
        ('2026-06-01 custom "compute-option" "meter" "mail"', 'unknown meter "mail": write a '),
        (
            '2026-06-01 custom "compute-scale" "plan-price" "pro" 0.01',
            "2 USD for 1000 CU is less than the cost-step 0.01 per unit",
        ),
    ],
)
def test_what_a_scenario_can_t_hold_is_one_error(tmp_path: Path, line: str, message: str) -> None:
    """At its line, with what to write instead; and the scenario is not booked."""
    (error,) = told(tmp_path, line + "\n")
    at, _, text = error.partition(": ")
    assert text.startswith(message)
    assert at in ("1", "2")  # where the parser sees it


def test_two_factors_from_one_day_on_are_an_error(tmp_path: Path) -> None:
    """The same one twice is none."""
    line = '2026-06-01 custom "compute-scale" "cost" "chat" 2\n'
    assert told(tmp_path, line * 2) == []
    (error,) = told(tmp_path, line + line.replace("2\n", "3\n"))
    assert error.startswith('2: cost of "chat" of 2026-06-01 is multiplied by 2 at ')
    every = line.replace('"chat" ', "")
    (error,) = told(tmp_path, every + every.replace("2\n", "3\n"))
    assert error.startswith("2: cost of 2026-06-01 is multiplied by 2 at ")


def test_what_the_ledger_says_wrong_is_not_told_again(tmp_path: Path) -> None:
    """Only what is wrong because of the scenario."""
    wrong = LEDGER + '2026-01-01 custom "compute-option" "seller-fee" 5\n'
    assert told(tmp_path, "", wrong) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone", "No such file or directory"),
        ("", "it is no plain file"),
        ("pipe", "it is no plain file"),
        ("x", "it is not UTF-8 text"),
    ],
)
def test_a_file_that_can_t_be_read_is_an_error(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "x").write_bytes(b"\xff")
    os.mkfifo(tmp_path / "pipe")
    errors = Errors()
    read_scenario("s", str(tmp_path / name), errors)
    (error,) = errors.found
    assert error.message == f"can't read the scenario: {message}"


def test_the_scenario_s_lines_of_a_name_hold_from_its_first_on(tmp_path: Path) -> None:
    """In place of the ledger's: by plan, by option and currency, by meter, quote and provider."""
    ledger = LEDGER + (
        '2026-08-01 custom "compute-plan" "pro" 220.00 USD 1000 CU\n'
        '2026-01-01 custom "compute-plan" "team" 300.00 USD 1000 CU\n'
        '2026-08-01 custom "compute-option" "seller-fee" 0.07\n'
        '2026-01-01 custom "compute-option" "minimum-fee" 0.20 EUR\n'
        '2026-01-01 custom "compute-quote" "chat" "llama" 3.00 USD\n'
        '2026-07-01 custom "compute-quote" "chat" "llama" 4.00 USD\n'
        '2026-07-01 custom "compute-quote" "chat" "other" 4.00 USD\n'
    )
    scenario = (
        '2026-06-01 custom "compute-plan" "pro" 100.00 USD 1000 CU\n'
        '2026-09-01 custom "compute-plan" "pro" 90.00 USD 1000 CU\n'
        '2026-06-01 custom "compute-option" "seller-fee" 0.10\n'
        '2026-01-01 custom "compute-option" "minimum-fee" 0.30 USD\n'
        '2026-12-01 custom "compute-option" "cost-step" 0.0001\n'
        '2026-06-01 custom "compute-quote" "chat" "llama" 1.00 USD\n'
        '2026-06-01 custom "compute-meter" "chat"\n  units: 1 CU\n'
    )
    (tmp_path / "main.beancount").write_text(ledger)
    (tmp_path / "s.beancount").write_text(scenario)
    errors = Errors()
    booking = load(tmp_path / "main.beancount").booked
    ((_, terms),) = read_scenarios(booking, [("s", str(tmp_path / "s.beancount"))], errors)
    assert errors.found == []
    prices = [(str(day), int(plan.price)) for day, plan in terms.plans["pro"].items()]
    assert prices == [("2026-01-01", 200), ("2026-06-01", 100), ("2026-09-01", 90)]
    assert [plan.price for plan in terms.plans["team"]] == [300]
    fees = {key: [str(day) for day, _ in line.items()] for key, line in terms.options.items()}
    assert fees["seller-fee", ""] == ["2026-01-01", "2026-06-01"]
    minimum = {
        of: [each.number for each in terms.options["minimum-fee", of]] for of in ("USD", "EUR")
    }
    assert minimum == {"USD": [Decimal("0.3")], "EUR": [Decimal("0.2")]}
    assert list(terms.options["cost-step", ""]) == [Decimal("0.0001")]
    quotes = [each.cost.number for each in terms.quotes["chat", "llama"]]
    assert quotes == [3, 1]
    assert [each.cost.number for each in terms.quotes["chat", "other"]] == [4]
    assert [each.units and each.units.number for each in terms.meters["chat"]] == [12, 1]
