"""Prepaid credits in closed months: frozen, verified, late, and carried into the next year."""

from __future__ import annotations

from pathlib import Path

import pytest

from beancount_compute.close.loading import load
from beancount_compute.close.verifying import verify
from tests.close.sealing import add, as_text, booked, close, load_errors, run, write

TERMS = """\
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
2026-01-01 custom "compute-provider" "openai"
2026-01-01 open Expenses:Given
2026-10-01 * "Opening" #compute-opening
  Assets:Prepaid:Openai  10 OAI {2.00 USD, 2026-03-01, "openai/2027-01-10"}
  Equity:Opening
2026-11-06 * "Given away"
  Assets:Prepaid:Openai  -3 OAI {2.00 USD, 2026-03-01, "openai/2027-01-10"}
  Expenses:Given
2026-01-01 open Equity:Opening
2026-01-01 custom "compute-option" "as-of" 2027-01-31
"""
ROWS = (
    "p-1,2026-10-05,,purchase,,openai,,200,OAI,,180.00,USD,2026-11-20,,,",
    "p-2,2026-10-06,,purchase,,openai,,3,OAI,,2.00,USD,3 months,,,",
    "p-3,2026-10-06,,purchase,,openai,,7,OAI,,7.00,USD,,,,",
    "s-a,2026-10-10,,subscription,alice,,pro,,,,,,,,,",
    "r-3,2026-12-06,,reversal,,,,,,,,,,,p-3,",
)
MONTHS = ("2026-10", "2026-11", "2026-12")


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return write(tmp_path / "old", TERMS, *ROWS)


def credits(path: Path) -> list[str]:
    """What is booked of credits, as text, with what follows in January."""
    entries = [each for each in booked(load(path).entries) if each.payee == "openai"]
    return [as_text(each) for each in entries]


def test_closed_months_give_the_same_credits(ledger: Path) -> None:
    """Opened 10, bought 210: 200 lapse in November (180.00), 7 are reversed, 10 end in January."""
    before = credits(ledger)
    assert len(before) == 8
    for month in MONTHS:
        close(ledger, month)
        assert credits(ledger) == before
        assert load_errors(ledger) == []
        assert verify(load(ledger)) == []
    state = (ledger.parent / "closed" / "2026-12.state.csv").read_text()
    assert "lot,openai,prepaid,7,OAI,2.00,USD,2026-03-01,openai,2027-01-10\n" in state
    assert "lot,openai,prepaid,1,OAI,0.666666,USD,2026-10-06,openai,2027-01-06\n" in state
    assert "credits,OAI,openai\n" in state
    assert "known,openai" not in state
    assert "deferred,200.00,USD\n" in state


def test_a_late_purchase_lies_there_from_the_first_open_day_on(ledger: Path) -> None:
    """And one that is reversed late goes from what is left of it."""
    close(ledger, *MONTHS)
    add(
        ledger,
        '2026-11-30 custom "compute-purchase" "openai" 4 OAI 4.00 USD\n  id: "p-4"\n'
        '2026-12-30 custom "compute-reversal" "p-1"\n  id: "r-1"\n'
        '2026-12-30 custom "compute-purchase" "llama" 4 OAI 4.00 USD\n  id: "p-5"\n'
        '2026-12-30 custom "compute-quote" "chat" "llama" 1.00 USD\n'
        '2026-12-30 custom "compute-meter" "chat"\n',
    )
    errors = load_errors(ledger)
    assert len(errors) == 2
    assert '200 OAI of the lot "openai/2026-11-20"' in errors[0]
    assert 'OAI are credits of "openai"' in errors[1]
    late = [each for each in booked(load(ledger).entries) if "compute-late" in each.tags]
    assert [(str(each.date), each.meta["occurred"].isoformat()) for each in late] == [
        ("2027-01-01", "2026-11-30")
    ]


def test_accounts_that_were_used_stay(ledger: Path) -> None:
    """As all roles' that closed months booked on."""
    close(ledger, "2026-10")
    add(ledger, '2026-01-01 custom "compute-account" "prepaid" "Assets:Credits:{provider}"\n')
    (error, *_) = load_errors(ledger)
    assert 'account "prepaid" says Assets:Credits:{provider} on 2026-10-05' in error


def test_credits_are_carried_as_opening_lots(ledger: Path, tmp_path: Path) -> None:
    """January of the new ledger lapses what January of the old one does."""
    close(ledger, *MONTHS)
    assert run("carry", ledger, "--to", "2027", tmp_path / "new").exit_code == 0
    new = tmp_path / "new" / "main.beancount"
    text = new.read_text()
    assert "200 OAI" not in text
    assert '7 OAI {2.00 USD, 2026-03-01, "openai/2027-01-10"}' in text
    of_january = [each for each in credits(ledger) if each.startswith("2027")]
    assert len(of_january) == 3
    add(new, '2027-01-01 custom "compute-option" "as-of" 2027-01-31\n')
    assert load_errors(new) == []
    assert credits(new) == of_january


def test_a_month_with_credits_is_exported(ledger: Path) -> None:
    """By account, and by plan, of which credits have none."""
    for by in ("account", "plan", "subscriber"):
        result = run("export", "2026-11", ledger, "--format", "csv", "--by", by)
        assert result.exit_code == 0, result.stderr
        assert "Expenses:Compute:Lapsed,,,,,Expenses:Compute:Lapsed,180.00,\n" in result.stdout
