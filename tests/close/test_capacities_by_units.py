"""Capacity by units in closed months: frozen, verified, late, taken back, and carried."""

from __future__ import annotations

from pathlib import Path

import pytest

from beancount_compute.close.loading import load
from beancount_compute.close.verifying import verify
from tests.close.sealing import add, as_text, booked, close, load_errors, run, write

# 6000.00 for 60000 CU: 0.10 a unit; 500.00 over 5 months, then by 50 CU; 3.00 are left for 30 CU
TERMS = """\
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
2026-01-01 custom "compute-option" "as-of" 2027-03-31
2026-01-01 custom "compute-meter" "chat"
  units: 1 CU
  provider: "own"
2026-01-01 custom "compute-meter" "text"
  units: 12 CU
  per: 1000000
  provider: "own"
2026-01-01 custom "compute-option" "meter" "chat"
2026-10-01 custom "compute-capacity" "gpu" 6000.00 USD
  provider: "own"
  quantity: 60000 CU
2026-10-01 custom "compute-capacity" "rack" 500.00 USD
  provider: "own"
  life: "5 months"
2026-12-10 custom "compute-capacity" "rack" 500.00 USD
  provider: "own"
  quantity: 1000 CU
  residual: 100.00 USD
2026-10-01 custom "compute-capacity" "old" 10.00 USD
  provider: "own"
  quantity: 100 CU
  served: 70 CU
"""
COLUMNS = (
    "id,date,time,event,subscriber,counterparty,plan,units,commodity,price,paid,currency,"
    "expires,started,reverses,memo,meter,quantity"
)
ROWS = (
    "s-a,2026-10-10,,subscription,alice,,pro,,,,,,,,,,,",
    "u-1,2026-10-20,,consumption,alice,,,100,CU,,,,,,,,,",
    "u-2,2026-11-20,,consumption,alice,,,9,CU,,,,,,,,text,250000",
    "u-3,2026-12-20,,consumption,alice,,,40,CU,,,,,,,,chat,",
    "r-1,2026-12-24,,reversal,,,,,,,,,,,u-2,,,",
    "u-4,2027-01-20,,consumption,alice,,,10,CU,,,,,,,,,",
)
MONTHS = ("2026-10", "2026-11", "2026-12")


def write_ledger(folder: Path, terms: str = TERMS) -> Path:
    events = '2026-01-01 custom "compute-events" "events.csv"\n'
    path = write(folder, terms + events)
    (path.parent / "events.csv").write_text("\n".join([COLUMNS, *ROWS]) + "\n")
    return path


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return write_ledger(tmp_path / "old")


def depreciated(path: Path) -> list[str]:
    """Day, capacity and amount of each share."""
    entries = [each for each in booked(load(path).entries) if "compute-depreciation" in each.tags]
    return [" ".join(as_text(each).split(";")[0].split()[i] for i in (0, 3, 4)) for each in entries]


def test_closed_months_give_the_same_depreciation(ledger: Path) -> None:
    """100, 3 and 40 - 3 CU at 0.10; the rack 0.20 a unit in December; old what it has left."""
    before = depreciated(ledger)
    assert before == [
        "2026-10-31 Gpu 10.00",
        "2026-10-31 Old 3.00",
        "2026-10-31 Rack 100.00",
        "2026-11-30 Gpu 0.30",
        "2026-11-30 Rack 100.00",
        "2026-12-31 Gpu 3.70",
        "2026-12-31 Rack 7.40",
        "2027-01-31 Gpu 1.00",
        "2027-01-31 Rack 2.00",
    ]
    for month in MONTHS:
        close(ledger, month)
        assert depreciated(ledger) == before
        assert load_errors(ledger) == []
        assert verify(load(ledger)) == []
    state = (ledger.parent / "closed" / "2026-12.state.csv").read_text()
    assert [line for line in state.splitlines() if line.startswith("capacity")] == [
        "capacity,gpu,2026-10-01,2026-10-01,0,14.00,USD,140",
        "capacity,old,2026-10-01,2026-10-01,0,10,USD,210",
        "capacity,rack,2026-10-01,2026-12-10,200.00,207.40,USD,37",
    ]


def test_what_comes_late_or_is_taken_back_counts_in_the_first_open_month(ledger: Path) -> None:
    """70 CU of October that came late, 100 that were none; and then all of it is closed."""
    close(ledger, *MONTHS)
    with open(ledger.parent / "events.csv", "a", encoding="utf-8") as file:
        file.write("l-1,2026-10-25,,consumption,alice,,,70,CU,,,,,,,,,\n")
        file.write("l-2,2026-09-30,,consumption,alice,,,5,CU,,,,,,,,,\n")
        file.write("r-2,2027-01-05,,reversal,,,,,,,,,,,u-1,,,\n")
    (error,) = load_errors(ledger)
    assert "2026-01-01 has a provider and no `cost`" in error  # own had no capacity in September
    events = ledger.parent / "events.csv"
    events.write_text(
        "\n".join(r for r in events.read_text().splitlines() if "l-2" not in r) + "\n"
    )
    assert load_errors(ledger) == []
    assert depreciated(ledger)[-2:] == ["2027-01-31 Gpu -2.00", "2027-01-31 Rack -4.00"]
    close(ledger, "2027-01")
    assert load_errors(ledger) == []
    assert verify(load(ledger)) == []


def test_depreciation_is_carried(ledger: Path, tmp_path: Path) -> None:
    """The new ledger says what was served."""
    close(ledger, *MONTHS)
    result = run("carry", ledger, "--to", "2027", tmp_path / "new")
    assert result.exit_code == 0, result.stderr
    new = tmp_path / "new" / "main.beancount"
    text = new.read_text()
    assert "  quantity: 60000 CU\n  served: 140 CU\n" in text
    assert "  depreciated: 200.00 USD\n  served: 37 CU\n" in text
    assert "  quantity: 100 CU\n  served: 100 CU\n" in text
    add(
        new,
        '2027-01-01 custom "compute-option" "as-of" 2027-03-31\n'
        '2027-01-20 custom "compute-consumption" "alice" 10 CU\n',
    )
    assert load_errors(new) == []
    assert depreciated(new) == depreciated(ledger)[-2:]
    close(new, "2027-01")
    assert verify(load(new)) == []


def test_merged_uses_close_too(tmp_path: Path) -> None:
    """What one transaction a month says of them is only shown beside what is booked."""
    grain = '2026-01-01 custom "compute-option" "posting-grain" "month"\n'
    ledger = write_ledger(tmp_path, TERMS + grain)
    before = depreciated(ledger)
    assert before[:3] == ["2026-10-31 Gpu 10.00", "2026-10-31 Old 3.00", "2026-10-31 Rack 100.00"]
    close(ledger, *MONTHS)
    assert depreciated(ledger) == before
    assert load_errors(ledger) == [] and verify(load(ledger)) == []
