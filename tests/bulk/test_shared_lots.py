"""Periods that a later month in bulk ends before their time, beside others in their lots."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from beancount_compute.bulk.month_run import BulkOutcome
from tests.bulk.small_months import (
    LEDGER,
    Row,
    begin,
    change,
    held,
    money_back,
    month,
    one_period,
    reversal,
    subscription,
    table,
    use,
)
from tests.close.sealing import INCLUDE, close
from tests.close.sealing import begin as begin_to_close

D = Decimal
PLANS = """\
2026-01-01 custom "compute-plan" "max" 500.00 USD 3000 CU
2026-01-01 custom "compute-plan" "seat" 90.00 USD
2026-01-01 custom "compute-plan" "long" 600.00 USD 3000 CU
  every: "quarter"
"""


def sums(outcome: BulkOutcome, *kinds: str) -> dict[str, Decimal]:
    """What a month booked by some kinds, by role."""
    assert not table(outcome, "refused")
    found: dict[str, Decimal] = {}
    for row in table(outcome, "movements"):
        if row["kind"] in kinds:
            found[row["role"]] = found.get(row["role"], D(0)) + row["amount"]
    return {role: amount for role, amount in found.items() if amount}


def now(day: str, name: str, plan: str = "pro", **more: str) -> Row:
    row = {"event": "cancellation", "date": day, "subscriber": name, "plan": plan, "now": "true"}
    return row | more


@pytest.fixture
def may(tmp_path: Path) -> Path:
    """From 16 May alice and bob have each two of pro, of 2,000 CU they used 600."""
    begin(tmp_path, LEDGER + PLANS)
    rows = []
    for name in ("alice", "bob"):
        rows += [subscription("16", name, id=f"s-{name}"), one_period("16", name, id=f"b-{name}")]
        rows.append(use("20", name, 600))
    month(tmp_path, "2026-05", *rows, subscription("16", "carol"))
    return tmp_path


def test_a_change_takes_its_own_part_of_an_earlier_months_lot(may: Path) -> None:
    """700 of 1,400 CU: 140.00; 500.00 x 10/31 = 161.29. Carol's lot is hers alone."""
    june = month(may, "2026-06", change("06", "alice", "pro", "max"))
    assert sums(june, "change") == {"allocations": D("-21.29"), "unbilled": D("21.29")}
    tokens = {row[0]: row[2] for row in held(june) if row[1] == "tokens"}
    assert tokens == {"alice": 700, "bob": 1400, "carol": 1000}


def test_units_that_are_cut_off_end_in_the_next_month(may: Path) -> None:
    """On 30 June; minted on 1 July. A chargeback of the single one then voids half of what dave
    has of both, tokens first; of erin's access all that is left, as hers is over."""
    rows = [subscription("20", "dave", id="s-d"), one_period("20", "dave", id="b-d")]
    rows += [
        subscription("20", "erin", "seat", id="s-e"),
        one_period("20", "erin", "seat", id="b-e"),
    ]
    rows += [now("30", "dave"), now("30", "erin", "seat")]
    june = month(may, "2026-06", *rows)
    # 33.00 of 90.00 for 11 of 30 days twice; 57.00 of one are breakage
    assert sums(june, "access", "expiry") == {
        "access": D(123),
        "access-revenue": D(-66),
        "breakage": D(-57),
    }
    lots = [row[2:] for row in held(june) if row[0] == "dave"]
    assert [(int(units), end) for units, _, end in lots] == [
        (1000, "2026-07-01"),
        (1000, "2026-07-20"),
    ]
    rows = [money_back("chargeback", "10", "b-e"), money_back("chargeback", "10", "b-d")]
    july = month(may, "2026-07", *rows)
    # of 57.00 access 9 of 19 days are earned by 9 July
    assert sums(july, "chargeback") == {
        "access": D(30),
        "tokens": D(200),
        "disputes": D(60),
        "receivable": D(-290),
    }


@pytest.mark.parametrize("undone", [False, True])
def test_what_went_back_in_a_month_between_counts(tmp_path: Path, undone: bool) -> None:
    """Of 6,000 CU half of the single ones went back in June, 1,500, and of 4,500 left 900 were
    used: two thirds of 3,600 are the period's, 480.00 less 500.00. Once the refund is undone half
    of 5,100 are, 510.00."""
    begin(tmp_path, LEDGER + PLANS)
    month(tmp_path, "2026-05", subscription("16", "bob", "long"), one_period("16", "bob", "long"))
    of = {"subscriber": "bob", "id": "r"}
    month(tmp_path, "2026-06", money_back("refund", "02", "e-1", "300.00", **of))
    rows = [use("01", "bob", 900), change("05", "bob", "long", "max")]
    july = month(tmp_path, "2026-07", *rows, *([reversal("02", "r")] if undone else []))
    assert sums(july, "change")["allocations"] == D(10 if undone else -20)


def test_months_in_bulk_know_what_closed_ones_share(tmp_path: Path) -> None:
    """As alice's in June: her period began in May, which is closed."""
    written = """\
2026-05-16 custom "compute-subscription" "alice" "pro"
2026-05-16 custom "compute-allocation" "alice" "pro"
2026-05-20 custom "compute-consumption" "alice" 600 CU
"""
    ledger = begin(tmp_path, LEDGER + PLANS + INCLUDE + written)
    begin_to_close(ledger)
    close(ledger, "2026-05")
    june = month(tmp_path, "2026-06", change("06", "alice", "pro", "max"))
    assert sums(june, "change") == {"allocations": D("-21.29"), "unbilled": D("21.29")}
