"""Capacity in closed months: frozen, verified, late, and carried into the next year."""

from __future__ import annotations

from pathlib import Path

import pytest

from beancount_compute.close.loading import load
from beancount_compute.close.verifying import verify
from tests.close.sealing import add, as_text, booked, close, load_errors, run, write

# 1000.00 over 7 months from September; a rack of 300.00, which costs 400.00 in all from December;
# one that ends in November; one that is worth more than is left of it, and one that began before
# the books; two that come in January.
TERMS = """\
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
2026-01-01 custom "compute-option" "as-of" 2027-03-31
2026-09-15 custom "compute-capacity" "gpu" 1000.00 USD
  provider: "own"
  life: "7 months"
  can-serve: 500 CU
2026-10-01 custom "compute-capacity" "rack" 300.00 USD
  provider: "own"
  life: "3 months"
2026-12-05 custom "compute-capacity" "rack" 400.00 USD
  provider: "own"
  life: "7 months"
2026-10-01 custom "compute-capacity" "short" 0.03 USD
  provider: "own"
  life: "2 months"
2027-01-01 custom "compute-capacity" "short" 1.03 USD
  provider: "own"
  life: "2 months"
2026-10-01 custom "compute-capacity" "old" 900.00 USD
  provider: "own"
  life: "9 months"
  started: 2026-07-31
  depreciated: 90.00 USD
2026-11-01 custom "compute-capacity" "old" 900.00 USD
  provider: "own"
  life: "9 months"
  residual: 850.00 USD
2026-10-01 custom "compute-capacity" "kept" 900.00 USD
  provider: "own"
  life: "8 months"
  started: 2026-07-31
2027-01-20 custom "compute-capacity" "next" 100.00 USD
  provider: "own"
  life: "1 month"
2027-01-01 custom "compute-capacity" "now" 100.00 USD
  provider: "own"
  life: "3 months"
  started: 2026-12-31
2026-01-01 open Equity:Opening
2026-09-01 * "All that stands there"
  Assets:Capacity:Gpu   1000.00 USD
  Assets:Capacity:Rack   400.00 USD
  Assets:Capacity:Short    1.03 USD
  Assets:Capacity:Old    540.00 USD
  Assets:Capacity:Next   100.00 USD
  Assets:Capacity:Kept   562.50 USD
  Assets:Capacity:Now     66.67 USD
  Equity:Opening
"""
ROWS = ("s-a,2026-10-10,,subscription,alice,,pro,,,,,,,,,",)
MONTHS = ("2026-09", "2026-10", "2026-11", "2026-12")


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return write(tmp_path / "old", TERMS, *ROWS)


def depreciated(path: Path) -> list[str]:
    """What is depreciated, as text."""
    entries = [each for each in booked(load(path).entries) if "compute-depreciation" in each.tags]
    return [as_text(each) for each in entries]


def test_closed_months_give_the_same_depreciation(ledger: Path) -> None:
    """The state says how far each is."""
    before = depreciated(ledger)
    assert len(before) == 7 + 6 + 4 + 1 + 1 + 2 + 5  # gpu, rack, short, old, next, now, kept
    for month in MONTHS:
        close(ledger, month)
        assert depreciated(ledger) == before
        assert load_errors(ledger) == []
        assert verify(load(ledger)) == []
    state = (ledger.parent / "closed" / "2026-12.state.csv").read_text()
    assert [line for line in state.splitlines() if line.startswith("capacity")] == [
        "capacity,gpu,2026-09-15,2026-09-15,0,571.43,USD,0",
        "capacity,kept,2026-10-01,2026-10-01,0,675.00,USD,0",
        "capacity,old,2026-10-01,2026-11-01,450.00,450.00,USD,0",
        "capacity,rack,2026-10-01,2026-12-05,200.00,228.57,USD,0",
        "capacity,short,2026-10-01,2026-10-01,0,0.03,USD,0",
    ]
    months = [ledger.parent / "closed" / f"{month}.beancount" for month in MONTHS]
    uses = [month.read_text().count('custom "compute-capacity"') for month in months]
    assert uses == [1, 5, 5, 5]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1000.00 USD\n", "1200.00 USD\n", 'capacity "gpu" says 1200'),
        ('life: "7 months"\n  can', 'life: "8 months"\n  can', "8 months"),
        ("residual: 850.00", "residual: 840.00", 'capacity "old" says 900'),
        ("2026-12-05 custom", "2026-11-05 custom", 'capacity "rack" says 400'),
        ('"gpu" 1000', '"gpx" 1000', 'capacity "gpu" says nothing'),
    ],
)
def test_a_line_that_closed_months_used_stays(
    ledger: Path, old: str, new: str, message: str
) -> None:
    """What is different from now on is a new line."""
    close(ledger, *MONTHS)
    ledger.write_text(ledger.read_text().replace(old, new, 1))
    errors = load_errors(ledger)
    assert any(message in error for error in errors), errors
    assert any("date the new terms 2027-01-01 or later" in error for error in errors)


def test_a_capacity_can_t_come_late(ledger: Path) -> None:
    """A new name, or a line between others; and one of the first open day is no trouble."""
    close(ledger, *MONTHS)
    before = depreciated(ledger)
    keys = '\n  provider: "own"\n  life: "2 months"\n'
    add(ledger, f'2026-12-05 custom "compute-capacity" "late" 10.00 USD{keys}')
    (error,) = load_errors(ledger)
    assert 'capacity "late" of 2026-12-05 begins in a month that was closed without it' in error
    assert depreciated(ledger) == before
    text = ledger.read_text().replace('2026-12-05 custom "compute-capacity" "late"', "2027-01-01")
    ledger.write_text(
        text.replace("2027-01-01 10", '2027-01-01 custom "compute-capacity" "new" 10')
    )
    assert load_errors(ledger) == []
    assert verify(load(ledger)) == []
    assert len(depreciated(ledger)) == len(before) + 2


def test_a_share_that_is_edited_in_a_closed_month_is_told(ledger: Path) -> None:
    """As any booking of it is."""
    close(ledger, *MONTHS)
    month = ledger.parent / "closed" / "2026-11.beancount"
    month.write_text(month.read_text().replace("142.86 USD", "143.86 USD"))
    assert any("depreciation/gpu/2026-11-30" in error for error in load_errors(ledger))
    state = ledger.parent / "closed" / "2026-12.state.csv"
    state.write_text(state.read_text().replace("capacity,gpu,2026-09-15,", "capacity,gpu,2026,"))
    assert any("2026-12" in error for error in load_errors(ledger))


def test_accounts_that_were_used_stay(ledger: Path) -> None:
    """As all roles' that closed months booked on."""
    close(ledger, "2026-09")
    add(ledger, '2026-01-01 custom "compute-account" "depreciation" "Expenses:D:{capacity}"\n')
    (error, *_) = load_errors(ledger)
    assert 'account "depreciation" says Expenses:D:{capacity} on 2026-09-30' in error


def test_depreciation_is_carried(ledger: Path, tmp_path: Path) -> None:
    """The new ledger books from January on what the old one does, to the cent."""
    close(ledger, *MONTHS)
    result = run("carry", ledger, "--to", "2027", tmp_path / "new")
    assert result.exit_code == 0, result.stderr
    new = tmp_path / "new" / "main.beancount"
    text = new.read_text()
    assert text.count('custom "compute-capacity"') == 7
    assert (
        '2027-01-01 custom "compute-capacity" "gpu" 1000.00 USD\n  provider: "own"\n'
        '  life: "7 months"\n  can-serve: 500 CU\n  started: 2026-09-15\n'
    ) in text
    assert "  started: 2026-12-05\n  depreciated: 200.00 USD\n" in text
    assert (
        '2027-01-01 custom "compute-capacity" "short" 1.03 USD\n  provider: "own"\n'
        '  life: "2 months"\n  depreciated: 0.03 USD\n'
    ) in text
    of_year = [each for each in depreciated(ledger) if each.startswith("2027")]
    assert len(of_year) == 3 + 3 + 2 + 1 + 2 + 2
    add(new, '2027-01-01 custom "compute-option" "as-of" 2027-03-31\n')
    assert load_errors(new) == []
    plain = [without_source(each) for each in depreciated(new)]
    assert plain == [without_source(each) for each in of_year]
    close(new, "2027-01")
    assert verify(load(new)) == []


def without_source(text: str) -> str:
    """The source names the line, which is another one in another ledger."""
    return "\n".join(line for line in text.splitlines() if "source:" not in line)


def test_a_month_with_depreciation_is_exported(ledger: Path) -> None:
    """By account, and by plan or subscriber, of which it has none; and noted by nobody."""
    for by in ("account", "plan", "subscriber"):
        result = run("export", "2026-11", ledger, "--format", "csv", "--by", by)
        assert result.exit_code == 0, result.stderr
        assert "Expenses:Capacity:Gpu,,,,,Expenses:Capacity:Gpu,142.86,\n" in result.stdout
    result = run("check", ledger)
    assert result.exit_code == 0 and "Note" not in result.stdout
    add(ledger, '2027-01-01 custom "compute-subscription" "gpu" "pro"\n')
    assert load_errors(ledger) == []  # a subscriber may be called as a capacity is
