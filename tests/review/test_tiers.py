"""Use of one period that was charged at several prices."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.review.looking import findings

TIERS = """\
2026-01-01 custom "compute-plan" "bulk" 0.00 USD 0 CU
  every: "year"
  overage: 0.48 USD
2026-04-01 custom "compute-plan" "bulk" 0.00 USD 0 CU
  every: "year"
  overage: 0.43 USD
2026-01-01 custom "compute-subscription" "alice" "bulk"
2026-01-01 custom "compute-subscription" "bob" "bulk"
  started: 2025-12-01
2026-02-10 custom "compute-consumption" "alice" 75 CU
  id: "u-1"
2026-02-10 custom "compute-consumption" "bob" 75 CU
2026-04-10 custom "compute-consumption" "carol" 1 CU
2026-05-10 custom "compute-consumption" "alice" 225 CU
2026-05-11 custom "compute-consumption" "bob" 225 CU
2026-06-10 custom "compute-consumption" "alice" 1 CU
2026-01-01 custom "compute-plan" "other" 0.00 USD 0 CU
  overage: 1.00 USD
2026-01-01 custom "compute-subscription" "carol" "other"
"""  # lines 3 to 21


def tiers(folder: Path, text: str, month: str) -> list[str]:
    return [each.text for each in findings(folder, text, month) if each.kind == "tiers"]


def test_the_month_that_is_the_first_to_charge_another_price_tells(tmp_path: Path) -> None:
    """May, of alice and bob; at the line of the second price; June adds no price."""
    (found,) = [each for each in findings(tmp_path, TIERS, "2026-05") if each.kind == "tiers"]
    assert (found.month, found.place.line) == ("2026-05", 6)
    assert found.text == (
        'plan "bulk" charged one period of alice and 1 more at 0.43 USD and 0.48 USD: where tiers '
        "or an expected concession change what earlier units cost, the right to invoice "
        "(ASC 606-10-55-18) may not apply; `overage-since` charges them anew"
    )
    assert tiers(tmp_path, TIERS, "2026-04") == tiers(tmp_path, TIERS, "2026-06") == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('  every: "year"\n', ""),  # a month has one price each
        ("0.43 USD", "0.48 USD"),
        ("0.43 USD", "0.43 USD\n  overage-since: 2026-01-01"),  # charged anew: one price
        ("2026-04-01 custom", "2026-12-01 custom"),
    ],
    ids=["by the month", "one price", "charged anew", "not yet"],
)
def test_one_price_a_period_is_no_finding(old: str, new: str, tmp_path: Path) -> None:
    """Whatever lines the plan has."""
    assert tiers(tmp_path, TIERS.replace(old, new), "2026-05") == []


def test_what_was_taken_back_is_no_price(tmp_path: Path) -> None:
    """Of alice alone, whose use of May is reversed in May; bob's stands."""
    undone = TIERS.replace("225 CU", '225 CU\n  id: "u-2"', 1)
    undone += '2026-05-12 custom "compute-reversal" "u-2"\n'
    (text,) = tiers(tmp_path, undone, "2026-05")
    assert text.startswith('plan "bulk" charged one period of bob at ')
