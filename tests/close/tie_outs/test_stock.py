"""Tie-outs of prepaid credits, and each one made to fail by an edit after the load."""

from __future__ import annotations

import pytest

from tests.close.tie_outs.ledgers import Ledger, load, posting

PREPAID = "Assets:Prepaid:Openai"
# By hand: 10 opening less 3 removed; 200 bought for 180.00 and 5 for 4.99 USD; 50 bought for 45.00
# and reversed; the 200 lapse on 20 May, so that 7 + 5 are held.
STORY = """\
2026-01-01 custom "compute-provider" "openai"
2026-04-01 * "Opening" #compute-opening
  Assets:Prepaid:Openai  10 OAI {2.00 USD, 2026-03-01, "openai/2026-08-01"}
  Equity:Opening
2026-05-02 custom "compute-purchase" "openai" 200 OAI 180.00 USD
  id: "much"
  expires: 2026-05-20
2026-05-03 custom "compute-purchase" "openai" 5 OAI 4.99 USD
  id: "odd"
2026-05-04 custom "compute-purchase" "openai" 50 OAI 45.00 USD
  id: "wrong"
2026-05-05 custom "compute-reversal" "wrong"
  id: "undo"
2026-05-06 * "Given away"
  Assets:Prepaid:Openai  -3 OAI {2.00 USD, 2026-03-01, "openai/2026-08-01"}
  Equity:Opening
"""
FIGURES = {
    "credits purchased OAI": "255",
    "credits, as paid USD": "229.99",
    "credits in = out + held OAI": "215",  # 10 + 255 - 50 = 200 + 3 + 12
    "credits, none negative lots": "4",
}


ALSO = {"reversals reversals", "trial balance, booked USD"}


@pytest.fixture
def may() -> Ledger:
    return load(STORY)


def test_credits_tie_to_figures_worked_out_by_hand(may: Ledger) -> None:
    """They are no units of subscribers, and no deferred revenue."""
    found = may.tied()
    assert {name: str(found[name].left) for name in FIGURES} == FIGURES
    assert all(tie.holds for tie in found.values())
    assert not {name for name in found if "deferred" in name or "units" in name}


def test_the_month_before_has_no_purchases(may: Ledger) -> None:
    """The opening lot is there."""
    found = may.tied("2026-04")
    assert str(found["credits in = out + held OAI"].left) == "10"
    assert "credits purchased OAI" not in found


@pytest.mark.parametrize(
    ("event", "number", "failing"),
    [
        (
            "odd",
            "6",
            {"credits purchased OAI", "credits, as paid USD", "trial balance, booked USD"},
        ),
        ("undo", "-52", {"credits, none negative lots", "trial balance, booked USD"}),
    ],
)
def test_an_edit_is_found(may: Ledger, event: str, number: str, failing: set[str]) -> None:
    """Where what is booked is not what was stated, and where more is taken than lies there."""
    may.edit(event, posting(PREPAID, number))
    assert {*may.failing()} - ALSO == failing - ALSO


def test_a_purchase_that_is_gone_is_found(may: Ledger) -> None:
    may.edit("odd", lambda _: None)
    assert {"credits purchased OAI", "events booked events"} <= {*may.failing()}


@pytest.mark.parametrize(("taken", "failing"), [("23.99", 0), ("24.00", 1)])
def test_months_in_bulk_take_no_more_than_is_left(taken: str, failing: int) -> None:
    """Of 5 OAI for 4.99 and 7 of 2.00 each, with 5.00 of that day: by account, in the evening."""
    cost = f"  Assets:Prepaid:Openai  -{taken} USD\n  Equity:Opening\n"
    bought = "  Assets:Prepaid:Openai  5.00 USD\n  Equity:Opening\n"
    text = f'{STORY}2026-05-25 * "Cost" #compute-bulk\n{cost}'
    ledger = load(f'{text}2026-05-25 * "Purchase" #compute-bulk\n{bought}')
    assert len(ledger.failing()) == failing
    assert {*ledger.failing()} <= {"credits, none negative lots"}
