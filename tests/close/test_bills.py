"""Bills of providers in closed months: frozen with their days, late, and never reversed."""

from __future__ import annotations

from pathlib import Path

import pytest

from beancount_compute.close.loading import load
from beancount_compute.close.verifying import verify
from tests.close.sealing import add, as_text, booked, close, load_errors, write

TERMS = """\
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
2026-01-01 custom "compute-provider" "openai"
2026-01-01 custom "compute-option" "as-of" 2026-08-31
2026-05-10 custom "compute-subscription" "alice" "pro"
2026-06-02 custom "compute-bill" "openai" 70.25 USD
  id: "b-1"
2026-06-20 custom "compute-bill" "openai" -5.25 USD
  id: "b-2"
  from: 2026-05-20
  to: 2026-06-15
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return write(tmp_path / "old", TERMS)


def bills(path: Path) -> list[str]:
    return [as_text(each) for each in booked(load(path).entries) if each.payee == "openai"]


def test_closed_months_give_the_same_bills(ledger: Path) -> None:
    """Frozen with their days; a month without bills has no column for them."""
    before = bills(ledger)
    assert len(before) == 2
    close(ledger, "2026-05", "2026-06")
    assert bills(ledger) == before
    assert load_errors(ledger) == []
    assert verify(load(ledger)) == []
    folder = ledger.parent / "closed"
    assert "from" not in (folder / "2026-05.events.csv").read_text().splitlines()[0]
    rows = (folder / "2026-06.events.csv").read_text()
    assert rows.splitlines()[0].endswith("memo,from,to")
    assert "\nb-2,2026-06-20,,bill,,openai,,,,,-5.25,USD,,,,,2026-05-20,2026-06-15\n" in rows


def test_other_days_are_another_bill(ledger: Path) -> None:
    """So that a closed one can't be moved to other days."""
    close(ledger, "2026-05", "2026-06")
    ledger.write_text(ledger.read_text().replace("to: 2026-06-15", "to: 2026-06-14"))
    (error,) = load_errors(ledger)
    assert 'event id "b-2" is booked in the closed month 2026-06 with another content' in error


def test_a_late_bill_is_for_the_month_before_its_own_day(ledger: Path) -> None:
    """It came on 5 June, and is booked on the first open day; a closed one is never reversed."""
    close(ledger, "2026-05", "2026-06")
    add(
        ledger,
        '2026-06-05 custom "compute-bill" "openai" 3.00 USD\n  id: "b-3"\n'
        '2026-07-05 custom "compute-reversal" "b-1"\n',
    )
    (error,) = load_errors(ledger)
    assert "a bill can't be reversed: write a credit note" in error
    late = next(each for each in booked(load(ledger).entries) if each.meta["event"] == "b-3")
    assert late.date.isoformat() == "2026-07-01"
    assert late.meta["occurred"].isoformat() == "2026-06-05"
    assert late.meta["period"] == "2026-05-01/2026-05-31"
