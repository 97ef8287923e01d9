"""`bean-compute whatif`: the books beside scenarios, in all formats; nothing is written."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from beancount_compute.cli import main
from tests.scenarios.test_what_if import BOOKS

HALF = '2026-06-01 custom "compute-scale" "plan-price" 0.50\n'
NAMED = '2026-01-01 custom "compute-scenario" "Prices crash" "scenarios/half.beancount"\n'


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["whatif", *(str(word) for word in words)])


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A ledger that names a scenario, and two files of scenarios."""
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "half.beancount").write_text(HALF)
    (tmp_path / "scenarios" / "expire.beancount").write_text(
        '2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU\n'
    )
    (tmp_path / "main.beancount").write_text(BOOKS + NAMED)
    return tmp_path / "main.beancount"


def test_the_scenarios_of_the_ledger_stand_beside_the_books(ledger: Path) -> None:
    """As text: figures, accounts and what was refused; the folder stays as it is."""
    before = {path: path.read_bytes() for path in ledger.parent.rglob("*") if path.is_file()}
    result = run(ledger)
    assert (result.exit_code, result.stderr) == (0, "")
    assert (
        result.stdout
        == """\
Prices crash: figures

  figure                        currency    books   scenario   difference
 ─────────────────────────────────────────────────────────────────────────
  revenue of use                USD        120.00     120.00         0.00
  fees                          USD          6.25       6.25         0.00
  deferred revenue at the end   USD        280.00     180.00      -100.00

Prices crash: accounts, in USD

  account                                     books   scenario   difference
 ───────────────────────────────────────────────────────────────────────────
  Assets:Receivable                          525.00     425.00      -100.00
  Income:Compute                            -120.00    -120.00         0.00
  Income:Fees                                 -6.25      -6.25         0.00
  Liabilities:DeferredRevenue:Allocations   -200.00    -100.00       100.00
  Liabilities:DeferredRevenue:Tokens         -80.00     -80.00         0.00
  Liabilities:Payable                       -118.75    -118.75         0.00

Prices crash: nothing is refused.

"""
    )
    assert before == {
        path: path.read_bytes() for path in ledger.parent.rglob("*") if path.is_file()
    }


def test_files_stand_in_place_of_those_that_the_ledger_names(ledger: Path) -> None:
    """Each once, under the ledger's name where it has one."""
    folder = ledger.parent / "scenarios"
    files = [folder / "expire.beancount", folder / "half.beancount", folder / "half.beancount"]
    result = run(ledger, *files, "--format", "json", "--by", "month", "--to", "2026-05")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert list(found) == [
        *("command", "agrees", "sentence", "selection", "errors", "scenarios", "tables"),
    ]
    assert (found["command"], found["agrees"], found["errors"]) == ("whatif", True, [])
    assert found["sentence"] == "2 scenarios beside the books; nothing was written."
    assert found["selection"] == {"to": "2026-05-31", "by": "month"}
    assert found["scenarios"] == [
        {"name": "expire", "file": str(files[0])},
        {"name": "Prices crash", "file": str(files[1])},
    ]
    assert [each["name"] for each in found["tables"]] == ["figures", "accounts", "refused"]
    assert [[column["key"] for column in each["columns"]] for each in found["tables"]] == [
        ["scenario", "month", "figure", "currency", "books", "with_scenario", "difference"],
        ["scenario", "account", "currency", "books", "with_scenario", "difference"],
        ["scenario", "reason", "books", "with_scenario", "difference", "first", "message"],
    ]
    assert found["tables"][0]["rows"][0] == {
        "scenario": "expire",
        "month": "2026-05",
        "figure": "revenue of use",
        "currency": "USD",
        "books": "40.00",
        "with_scenario": "40.00",
        "difference": "0.00",
    }


def test_csv_holds_every_figure(ledger: Path) -> None:
    """Three tables, parted by an empty line; of what was refused the count and the first place."""
    result = run(ledger, ledger.parent / "scenarios" / "expire.beancount", "--format", "csv")
    figures, accounts, refused = result.stdout.split("\n\n")
    assert figures.splitlines()[1] == "expire,revenue of use,USD,120.00,40.00,-80.00"
    assert accounts.splitlines()[0] == "scenario,account,currency,books,with_scenario,difference"
    rows = list(csv.DictReader(StringIO(refused)))
    assert [(row["with_scenario"], row["first"]) for row in rows] == [
        ("1", f"{ledger}:11"),
        ("1", f"{ledger}:12"),
    ]


def test_what_is_refused_is_said_with_its_place(ledger: Path) -> None:
    result = run(ledger, ledger.parent / "scenarios" / "expire.beancount")
    assert result.exit_code == 0
    assert "expire: 1 refused (0 in the books), such as" in result.stdout
    assert f"{ledger}:11:" in result.stdout.replace("\n", "")


def test_one_bad_scenario_leaves_the_others(ledger: Path) -> None:
    """Its errors go to standard error, and the exit code is 1."""
    bad = ledger.parent / "bad.beancount"
    bad.write_text('2026-06-01 custom "compute-consumption" "alice" 1 CU\n')
    good = ledger.parent / "scenarios" / "half.beancount"
    result = run(ledger, bad, good, ledger.parent / "gone.beancount")
    assert result.exit_code == 1
    assert "Prices crash: figures" in result.stdout
    first, second = result.stderr.splitlines()
    assert first.startswith(f"{bad}:1: a scenario holds terms only, and compute-consumption is an")
    assert second == (
        f"{ledger.parent / 'gone.beancount'}:1: can't read the scenario: No such file or directory"
    )
    result = run(ledger, bad)
    assert result.exit_code == 1
    assert result.stderr.endswith("Error: no scenario can be booked: nothing is compared\n")
    assert result.stdout == ""


def test_a_ledger_without_scenarios_asks_for_one(ledger: Path) -> None:
    ledger.write_text(BOOKS)
    result = run(ledger)
    assert result.exit_code == 2
    assert (
        "the ledger names no scenario: name a file of one, or add a line such as" in result.stderr
    )


def test_a_ledger_without_the_plugin_is_refused(ledger: Path) -> None:
    ledger.write_text(BOOKS.replace('plugin "beancount_compute"\n', ""))
    result = run(ledger, ledger.parent / "scenarios" / "half.beancount")
    assert result.exit_code == 1
    assert 'the ledger has no line plugin "beancount_compute"' in result.stderr


def test_a_scenario_under_which_nothing_can_be_booked_says_so(ledger: Path) -> None:
    """Units of the ledger are money there."""
    ledger.write_text(
        'plugin "beancount_compute"\noption "operating_currency" "USD"\n'
        '2026-05-01 custom "compute-allocation" "alice" 100 CU 20.00 USD\n'
    )
    scenario = ledger.parent / "none.beancount"
    scenario.write_text('2026-01-01 custom "compute-plan" "x" 1.00 CU 100 XU\n')
    result = run(ledger, scenario)
    assert result.exit_code == 1
    assert result.stderr.startswith('Error: under scenario "none" nothing can be booked: 1 refusal')


def test_errors_of_the_ledger_make_the_exit_code_1(ledger: Path) -> None:
    """What is refused in the books is counted beside what is refused under the scenario."""
    ledger.write_text(BOOKS + NAMED + '2026-06-21 custom "compute-consumption" "bob" 400 CU\n')
    result = run(ledger)
    assert result.exit_code == 1
    assert result.stderr.startswith(f'{ledger}:14: "bob" uses 400 CU and holds 100 CU')
    assert "1 refused (1 in the books)" in result.stdout


def test_books_that_can_t_be_booked_again_are_said_in_one_line(ledger: Path) -> None:
    """Text and exit code as of any command that is stopped."""
    result = CliRunner().invoke(
        main, ["whatif", str(ledger), "--from", "2026-07", "--to", "2026-06"]
    )
    assert result.exit_code == 2
    assert "--from 2026-07-01 is after --to 2026-06-30" in result.stderr


def test_the_command_books_side_by_side(ledger: Path) -> None:
    """In a process of its own, where no thread forbids it: the same figures."""
    folder = ledger.parent / "scenarios"
    words = ["whatif", str(ledger), *map(str, sorted(folder.iterdir())), "--format", "csv"]
    command = [sys.executable, "-W", "error", "-m", "beancount_compute.cli", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (CliRunner().invoke(main, words).stdout, "")
