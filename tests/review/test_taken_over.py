"""What was taken over: labels of opening lots, and periods that run without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.review.looking import findings, lines

PLANS = """\
2025-01-01 custom "compute-plan" "pro" 100.00 USD 1000 CU
  overage: 0.30 USD
2025-01-01 custom "compute-plan" "ten" 100.00 USD 1000 CU
  every: "10 days"
2025-01-01 open Equity:Opening-Balances
"""  # lines 3 to 7
RUNNING = '2026-01-01 custom "compute-subscription" "ann" "pro"\n  started: 2025-12-15\n'


def opening(label: str, day: str = "2025-12-15", pocket: str = "Allocations") -> str:
    return f"""\
2026-01-01 * "Opening" #compute-opening
  Liabilities:DeferredRevenue:{pocket}:Ann  -800 CU {{0.10 USD, {day}, "{label}"}}
  Equity:Opening-Balances
"""


def test_a_label_that_names_no_plan_is_told_once(tmp_path: Path) -> None:
    """With the units of all lots of it, 1600, and the plan that may be meant."""
    text = PLANS + opening("proo/2026-12-01") + opening("proo", pocket="Tokens") + opening("top-up")
    (found,) = findings(tmp_path, text, "2026-01")
    assert (found.kind, found.place.line) == ("label", 9)
    assert found.text == (
        'the label "proo" of 2 opening lots, 1600 CU, names no plan: what is left of them at their '
        'end is breakage; did you mean "pro"?'
    )


def test_a_running_period_without_its_opening_lot_is_told(tmp_path: Path) -> None:
    """The period from 15 December runs until 15 January."""
    (found,) = findings(tmp_path, PLANS + RUNNING, "2026-01")
    assert (found.kind, found.place.line) == ("no-opening-lot", 8)
    assert found.text == (
        '"ann" is on "pro" since 2025-12-15, and no opening lot holds what was left of the period '
        "from 2025-12-15: use up to 2026-01-15 is billed as overage"
    )


@pytest.mark.parametrize(
    ("lot", "told"),
    [
        (opening("pro/2026-01-15"), False),
        (opening("pro/2026-01-15", "2025-12-01"), False),  # its end says which period
        (opening("pro", "2025-12-20"), False),
        (opening("pro/2026-03-15", "2025-11-15"), True),  # an older one, that rolled over
        (opening("pro/2026-12-15", pocket="Tokens"), True),
        (opening("ten/2026-01-15"), True),
    ],
)
def test_a_lot_of_the_period_is_one_of_its_plan_among_the_allocations(
    tmp_path: Path, lot: str, told: bool
) -> None:
    """It begins in the period, or ends with it."""
    found = findings(tmp_path, PLANS + RUNNING + lot, "2026-01")
    assert lines(found) == [("no-opening-lot", 8)] * told


@pytest.mark.parametrize(
    ("plan", "started", "start"),
    [
        ("pro", "2025-12-01", ""),  # a period begins on the day
        ("pro", "2025-08-31", "2025-12-31"),
        ("ten", "2025-12-12", ""),  # twice ten days
        ("ten", "2025-12-13", "2025-12-23"),
        ("pro", "2026-01-01", ""),
    ],
)
def test_the_running_period_is_that_of_the_day(
    tmp_path: Path, plan: str, started: str, start: str
) -> None:
    """Months keep their day; no period runs where one begins."""
    text = f'2026-01-01 custom "compute-subscription" "ann" "{plan}"\n  started: {started}\n'
    found = findings(tmp_path, PLANS + text, "2026-01")
    assert [each.about[2] for each in found] == [start] * bool(start)


def test_a_subscription_behind_another_one_has_its_period(tmp_path: Path) -> None:
    """The old one holds it until its end, and `started` only keeps the day of month."""
    text = PLANS + '2025-12-10 custom "compute-subscription" "ann" "pro"\n'
    text += '2025-12-20 custom "compute-cancellation" "ann" "pro"\n'
    text += '2026-01-20 custom "compute-subscription" "ann" "pro"\n  started: 2025-12-31\n'
    assert findings(tmp_path, text, "2026-01") == []


def test_access_that_was_entered_and_pay_as_you_go_are_no_findings(tmp_path: Path) -> None:
    """The lot of access is that of the period; a period that books nothing has none."""
    plans = (
        '2025-01-01 custom "compute-plan" "seat" 90.00 USD\n'
        '2025-01-01 custom "compute-plan" "payg" 0.00 USD 0 CU\n  overage: 0.02 USD\n'
        "2025-01-01 open Equity:Opening-Balances\n"
    )
    access = (
        '2026-01-01 * "Opening" #compute-opening\n'
        "  Liabilities:DeferredRevenue:Access:Ann  -40.00 ACCESS-USD"
        ' {1 USD, 2025-12-15, "seat/2026-01-15"}\n  Equity:Opening-Balances\n'
    )
    seat, payg = (RUNNING.replace('"pro"', f'"{each}"') for each in ("seat", "payg"))
    (found,) = findings(tmp_path, plans + seat + payg, "2026-01")
    assert '"seat"' in found.text
    assert findings(tmp_path, plans + seat + payg + access, "2026-01") == []
