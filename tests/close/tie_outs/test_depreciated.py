"""Tie-outs of depreciation, and each one made to fail by an edit after the load."""

from __future__ import annotations

import pytest

from tests.close.tie_outs.ledgers import Ledger, load, posting

# By hand, until May: gpu 2 x 100.00, then (4850.00 - 200.00 - 200.00) / 10 = 445.00 from March on;
# old 50.00 before, of 450.00 in 9 months 2 were before; tiny 0.01 in 3 months: 0, 0.01; eur is one.
STORY = """\
2026-01-10 custom "compute-capacity" "gpu" 4800.00 USD
  provider: "own"
  life: "48 months"
2026-03-02 custom "compute-capacity" "gpu" 9999.00 USD
  provider: "own"
  life: "1 month"
2026-03-10 custom "compute-capacity" "gpu" 4850.00 USD
  provider: "own"
  life: "10 months"
  residual: 200.00 USD
2026-03-31 custom "compute-capacity" "old" 500.00 USD
  provider: "own"
  life: "9 months"
  started: 2026-01-15
  depreciated: 50.00 USD
2026-04-01 custom "compute-capacity" "tiny" 0.01 USD
  provider: "own"
  life: "3 months"
2026-04-01 custom "compute-capacity" "eur" 1.00 EUR
  provider: "own"
  life: "1 month"
2026-07-01 custom "compute-capacity" "new" 1.00 USD
  provider: "own"
  life: "1 month"
2026-05-02 custom "compute-capacity" "gpu" 4850.00 USD
  provider: "own"
  life: "10 months"
  residual: 4300.00 USD
"""
GPU = "Expenses:Capacity:Gpu"


@pytest.fixture
def may() -> Ledger:
    return load(STORY)


def test_depreciation_ties_to_figures_worked_out_by_hand(may: Ledger) -> None:
    """By April 200.00 + 2 x 445.00 and 2 x 50.00; in May gpu has nothing left, old 50.00 more."""
    found = may.tied("2026-04")
    assert str(found["depreciation so far USD"].left) == "1190.00"
    assert str(found["depreciation so far EUR"].right) == "1.00"
    found = may.tied()
    assert str(found["depreciation so far USD"].left) == "1240.01"
    assert all(tie.holds for tie in found.values())
    assert len([name for name in found if name.startswith("depreciation")]) == 2


def test_a_ledger_without_capacity_has_no_such_line() -> None:
    found = load("").tied()
    assert not [name for name in found if name.startswith("depreciation")]


def test_an_edit_is_found(may: Ledger) -> None:
    """In total, and by its name."""
    may.edit("depreciation/gpu/2026-01-31", posting(GPU, "99.00"))
    failing = {"depreciation so far USD", 'depreciation so far, "gpu" USD'}
    assert {*may.failing()} == failing | {"trial balance, booked USD"}


def test_a_share_that_is_gone_is_found(may: Ledger) -> None:
    may.edit("depreciation/old/2026-05-31", lambda _: None)
    assert {*may.failing()} == {"depreciation so far USD", 'depreciation so far, "old" USD'}
