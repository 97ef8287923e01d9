"""What `report` and `check` say of months in bulk, beside their tables."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from beancount_compute.cli import main
from tests.close.bulk_months import MAY, booked


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """May in bulk: 400.00 paid, 40.10 earned."""
    return booked(tmp_path, ("2026-05", MAY))


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_a_report_shows_the_month_and_says_what_is_left_out(ledger: Path) -> None:
    shown = run("report", "revenue", ledger)
    assert shown.exit_code == 0 and "40.10" in shown.output
    assert "Nothing by subscriber: 2026-05 was booked in bulk" in shown.output
    asked = run("report", "revenue", ledger, "--table", "by-subscriber")
    assert asked.exit_code == 2 and "Nothing by subscriber" in asked.output
    plain = run("report", "revenue", ledger, "--table", "by-month", "--format", "csv")
    assert plain.output.splitlines()[1].startswith("2026-05,USD,40.10")


def test_a_report_on_single_transactions_says_why_it_shows_none(ledger: Path) -> None:
    aging = run("report", "aging", ledger)
    assert aging.exit_code == 2
    assert "aging reads single transactions, of which 2026-05 has none" in aging.output
    of_one = run("report", "rollforward", ledger, "--subscriber", "alice")
    assert of_one.exit_code == 2 and "`report statement` is of one" in of_one.output
    before = run("report", "aging", ledger, "--to", "2026-04-30")
    assert before.exit_code == 0


def test_a_figure_is_explained_by_the_journal(ledger: Path) -> None:
    shown = run("report", "revenue", ledger, "--explain", "2026-05", "compute")
    assert shown.exit_code == 0
    assert "bulk/2026-05/journal.beancount:" in shown.output and "40.10" in shown.output


def test_check_ties_the_months_and_tells_an_edited_journal(ledger: Path) -> None:
    whole = run("check", ledger)
    assert whole.exit_code == 0 and "All agrees" in whole.output
    journal = ledger.parent / "bulk" / "2026-05" / "journal.beancount"
    text = journal.read_text().replace("Allocations  40.10", "Allocations  40.20")
    journal.write_text(text.replace("Compute  -40.10", "Compute  -40.20"))
    edited = run("check", ledger)
    assert edited.exit_code == 1 and "is -40.20 USD here and -40.10 USD" in edited.output
    found = json.loads(run("check", ledger, "--format", "json").output)
    assert "in days.parquet" in json.dumps(found)
    assert run("report", "revenue", ledger).exit_code == 1


def test_without_the_extra_a_report_says_what_to_install(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "beancount_compute.bulk_books.summed_months", raising=False)
    monkeypatch.delitem(sys.modules, "beancount_compute.bulk_books.month_rows", raising=False)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    shown = run("report", "revenue", ledger)
    assert shown.exit_code == 1
    assert 'pip install "beancount_compute[bulk]"' in shown.output
