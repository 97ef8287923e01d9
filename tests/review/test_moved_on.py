"""Losses on units that somebody else has by now."""

from __future__ import annotations

from pathlib import Path

from tests.review.looking import findings

SOLD = """\
2026-05-01 custom "compute-allocation" "ann" 1000 CU 200.00 USD
  id: "top-1"
2026-05-01 custom "compute-allocation" "bob" 10 CU 2.00 USD
2026-05-20 custom "compute-consumption" "ann" 200 CU
2026-05-21 custom "compute-trade" "ann" "bob" 500 CU 0.25 USD
2026-05-22 custom "compute-chargeback" "top-1" 100.00 USD
  id: "cb"
"""  # lines 3 to 9
LATER = '2026-06-01 custom "compute-reversal" "cb"\n'


def test_what_was_sold_before_is_told_with_what_is_payable(tmp_path: Path) -> None:
    """Half of 500 CU at 0.20: 50.00; 125.00 of the sale is still hers."""
    (found,) = findings(tmp_path, SOLD + LATER, "2026-05")
    assert (found.kind, found.month, found.place.line) == ("moved-on", "2026-05", 8)
    assert found.text == (
        '50 USD of what "cb" takes back had moved on from "ann", and is a loss: others have these '
        "units; 125 USD is still payable: may it be set off?"
    )
    assert [each.number for each in found.figures] == [50, 125]


def test_what_is_undone_settled_or_beyond_the_price_is_no_such_loss(tmp_path: Path) -> None:
    """Nor is a refund, which is all contra revenue; nor the month before or after."""
    assert findings(tmp_path, SOLD + LATER.replace("06-01", "05-31"), "2026-05") == []
    beyond = SOLD.replace(
        '"compute-trade" "ann" "bob" 500 CU 0.25 USD', '"compute-grant" "bob" 1 CU'
    )
    assert findings(tmp_path, beyond.replace("100.00", "250.00"), "2026-05") == []
    refund = SOLD.replace('"compute-chargeback" "top-1" 1', '"compute-refund" "ann" 1')
    assert findings(tmp_path, refund + '  of: "top-1"\n', "2026-05") == []
    (found,) = findings(tmp_path, SOLD.replace("0.25 USD", "0.25 EUR"), "2026-05")
    assert found.text.endswith("is a loss: others have these units")
