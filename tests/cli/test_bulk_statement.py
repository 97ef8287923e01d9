"""`report statement` on a ledger whose months were booked in bulk, out of their Parquet files."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from beancount_compute.cli.report import report
from tests.bulk import small_months as small


@pytest.fixture(scope="module")
def two_months(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of two months of alice: 1000 CU each, 620 and 100 used."""
    folder = tmp_path_factory.mktemp("two")
    small.month(folder, "2026-05", small.subscription("01", "alice"), small.use("20", "alice", 620))
    small.month(folder, "2026-06", small.use("02", "alice", 100))
    (folder / "main.beancount").write_text(small.LEDGER)
    return folder


@pytest.fixture
def ledger(two_months: Path, tmp_path: Path) -> Path:
    """The two months, to change at will."""
    shutil.copytree(two_months, tmp_path, dirs_exist_ok=True)
    return tmp_path / "main.beancount"


def statement(ledger: Path, *options: str, name: str = "alice") -> Result:
    return CliRunner().invoke(report, ["statement", str(ledger), "--subscriber", name, *options])


def test_a_statement_is_looked_up(ledger: Path) -> None:
    """Month by month, with what is held after each line; and no word of payments but one."""
    shown = statement(ledger)
    assert shown.exit_code == 0, shown.output
    assert "used       allocations   -620    380  -124.00     76.00" in shown.stdout
    assert shown.stdout.endswith("not by subscriber: this is what was charged.\n")


def test_days_and_a_table_can_be_chosen(ledger: Path) -> None:
    """June opens with the 380 CU that May left: 76.00."""
    shown = statement(ledger, "--month", "2026-06", "--table", "units", "--format", "json")
    (table,) = json.loads(shown.stdout)["tables"]
    figures = {"opening": "380", "came": "1000", "went": "-100", "closing": "1280"}
    assert table["rows"] == [{"commodity": "CU", **figures}]
    assert statement(ledger, "--table", "lots", "--format", "csv").stdout.count("\n") == 3


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("nobody", (), 'the months in bulk have no subscriber "nobody"\n'),
        ("ALI", (), 'have no subscriber "ALI": did you mean "alice"?'),
        ("alice", ("--from", "2026-07"), "the months in bulk go up to 2026-06; nothing after it"),
        ("alice", ("--table", "none"), "its tables are lines, bills, units, money, revenue, lots"),
        ("alice", ("--explain", "1", "units"), "no transactions that --explain could list"),
        ("alice", ("--format", "beancount"), "have no transactions: choose another --format"),
        ("alice", ("--to", "2026-04"), 'the ledger has no subscriber "alice"'),
    ],
)
def test_what_it_can_t_show_it_says(
    ledger: Path, name: str, options: tuple[str, ...], message: str
) -> None:
    """A name that nobody has, days without a month, what would need transactions."""
    shown = statement(ledger, *options, name=name)
    assert shown.exit_code == 2 and message in shown.stderr


def test_a_file_that_is_cut_off_is_one_error(ledger: Path) -> None:
    """It says which month to book anew."""
    path = ledger.parent / "bulk" / "2026-06" / "lots.parquet"
    path.write_bytes(path.read_bytes()[:40])
    shown = statement(ledger)
    assert shown.exit_code == 1 and "book that month anew" in shown.stderr


def test_without_the_extra_it_says_how_to_get_it(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, on any report of a subscriber."""
    for name in [each for each in sys.modules if each.startswith("beancount_compute.bulk.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    shown = statement(ledger)
    assert shown.exit_code == 1
    assert 'duckdb is not installed: pip install "beancount_compute[bulk]"' in shown.stderr
