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


# By hand: 100 + 3 + 70 - 3 = 170 CU of 60000 for 6000.00, and 50 before; 1 XU of 10 for 5.00
BY_UNITS = """\
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  overage: 1.00 USD
2026-01-01 custom "compute-meter" "chat"
  units: 1 CU
  provider: "own"
2026-01-01 custom "compute-meter" "text"
  units: 12 CU
  per: 1000000
  provider: "own"
2026-01-01 custom "compute-meter" "any"
  provider: "own"
2026-01-01 custom "compute-meter" "far"
  units: 1 CU
  cost: 1.00 USD
  provider: "far"
2026-01-01 custom "compute-option" "meter" "chat"
2026-04-01 custom "compute-capacity" "gpu" 6000.00 USD
  provider: "own"
  quantity: 60000 CU
  served: 50 CU
2026-04-10 custom "compute-capacity" "other" 5.00 USD
  provider: "own"
  quantity: 10 XU
2026-04-01 custom "compute-subscription" "alice" "pro"
2026-04-02 custom "compute-allocation" "alice" 1 XU 1.00 USD
2026-04-02 custom "compute-allocation" "alice" 1 XU 2.00 USD
2026-04-05 custom "compute-consumption" "alice" 100 CU
  id: "u-1"
2026-04-06 custom "compute-consumption" "alice" 1 XU
  meter: "any"
2026-04-11 custom "compute-consumption" "alice" 1 XU
  meter: "any"
2026-05-05 custom "compute-consumption" "alice" 9 CU
  id: "u-2"
  meter: "text"
  quantity: 250000
2026-05-06 custom "compute-consumption" "alice" 9 CU
  meter: "far"
2026-05-07 custom "compute-reversal" "u-2"
2026-05-08 custom "compute-consumption" "alice" 70 CU
"""


def test_units_tie_to_figures_worked_out_by_hand() -> None:
    """10.00 and 0.50 by April, 17.00 and 0.50 by May."""
    ledger = load(BY_UNITS)
    assert str(ledger.tied("2026-04")["depreciation so far USD"].left) == "10.50"
    found = ledger.tied()
    assert str(found["depreciation so far USD"].left) == "17.50"
    assert all(tie.holds for tie in found.values())


def test_units_beyond_the_holdings_are_served() -> None:
    """1500 in May, of which 500 are overage, and 20 of overage alone: 10.00 + 152.00."""
    uses = (
        '2026-05-09 custom "compute-consumption" "alice" 1430 CU\n'
        '2026-05-10 custom "compute-consumption" "alice" 20 CU\n'
    )
    found = load(BY_UNITS + uses).tied()
    assert str(found["depreciation so far USD"].left) == "162.50"
    assert all(tie.holds for tie in found.values())


def test_an_edit_of_a_use_is_found() -> None:
    """Where its units are not those that were depreciated."""
    may = load(BY_UNITS)
    may.edit("u-1", lambda entry: entry._replace(meta={**entry.meta, "meter": "far"}))
    assert {"depreciation so far USD", 'depreciation so far, "gpu" USD'} <= {
        *may.failing("2026-04")
    }


def test_of_merged_uses_the_figure_is_only_shown() -> None:
    """Nobody can tell their days: one XU of two was used before the capacity came."""
    grain = '2026-01-01 custom "compute-option" "posting-grain" "month"\n'
    found = load(BY_UNITS + grain).tied()
    tie = found['depreciation so far, "other" USD']
    assert (str(tie.left), str(tie.right)) == ("1.00", "0.50")
    assert tie.informational and found["depreciation so far USD"].informational
