"""Money that goes back of what an earlier month in bulk allocated, and comes in again."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from beancount_compute.bulk.month_run import BulkOutcome
from tests.bulk.small_months import (
    held,
    money_back,
    month,
    reversal,
    table,
    top_up,
    trade,
    use,
)

D = Decimal


def sums(outcome: BulkOutcome, kind: str) -> dict[str, Decimal]:
    """What a month booked by one kind, by role, of all subscribers."""
    assert not table(outcome, "refused")
    found: dict[str, Decimal] = {}
    for row in table(outcome, "movements"):
        if row["kind"] == kind:
            found[row["role"]] = found.get(row["role"], D(0)) + row["amount"]
    return found


@pytest.fixture
def july(tmp_path: Path) -> Path:
    """In May alice pays 200.00 for 1000 CU and uses 200, in June she sells 500 to bob."""
    of_may = top_up("02", "alice", 1000, "200.00", id="top-1"), use("10", "alice", 200)
    month(tmp_path, "2026-05", *of_may, top_up("02", "bob", 1, "1.00"))
    sold = month(tmp_path, "2026-06", trade("10", "alice", "bob", 500, "0.25"))
    assert not table(sold, "refused")
    return tmp_path


def test_a_chargeback_names_an_earlier_month_and_is_recovered_in_a_later_one(july: Path) -> None:
    """300 CU of 60.00 are voided; 200 used are 40.00, the 500 that are bob's 100.00."""
    charged_back = month(july, "2026-07", money_back("chargeback", "15", "top-1", id="cb-1"))
    assert sums(charged_back, "chargeback") == {
        "tokens": D(60),
        "disputes": D(40),
        "losses": D(100),
        "receivable": D(-200),
    }
    assert {row[0] for row in held(charged_back)} == {"bob"}
    month(july, "2026-08", money_back("recovery", "01", "cb-1", "150.00", id="r-1"))
    again = month(july, "2026-09", money_back("recovery", "01", "cb-1", id="r-2"))
    assert sums(again, "recovery") == {"receivable": D(50), "recoveries": D(-50)}
    (refused,) = table(month(july, "2026-10", reversal("01", "top-1")), "refused")
    assert "cb-1" in refused["message"]


def test_what_went_back_before_counts(july: Path) -> None:
    """20.00 are a tenth: 30 CU, 6.00, and 14.00 for what was used or sold. Of 180.00 left a
    chargeback takes 270 CU of 54.00, 90.00 that had moved on and were not counted, 36.00 used."""
    row = money_back("refund", "20", "top-1", "20.00", subscriber="alice", id="f-1")
    refunded = month(july, "2026-07", row)
    assert sums(refunded, "money-refund") == {
        "tokens": D(6),
        "refunds": D(14),
        "payable": D(-20),
    }
    charged_back = month(july, "2026-08", money_back("chargeback", "15", "top-1"))
    assert sums(charged_back, "chargeback") == {
        "tokens": D(54),
        "disputes": D(36),
        "losses": D(90),
        "receivable": D(-180),
    }


def test_a_refund_that_is_reversed_in_a_later_month_never_was(july: Path) -> None:
    """All 200.00 can be charged back again."""
    row = money_back("refund", "20", "top-1", "20.00", subscriber="alice", id="f-1")
    month(july, "2026-07", row)
    month(july, "2026-08", reversal("02", "f-1"))
    charged_back = month(july, "2026-09", money_back("chargeback", "15", "top-1"))
    assert sums(charged_back, "chargeback")["receivable"] == D(-200)


def test_what_moves_on_the_day_of_two_top_ups_counts(tmp_path: Path) -> None:
    """Bob pays 100.00 for 500 CU and sells alice 100 of them, who pays too: 20.00 have moved on."""
    rows = [
        top_up("02", "alice", 10, "2.00", id="top-a"),
        top_up("02", "bob", 500, "100.00", id="top-b"),
        trade("02", "bob", "alice", 100, "0.20"),
    ]
    month(tmp_path, "2026-05", *rows)
    back = [money_back("chargeback", "15", of) for of in ("top-a", "top-b")]
    assert sums(month(tmp_path, "2026-06", *back), "chargeback") == {
        "tokens": D(82),
        "losses": D(20),
        "receivable": D(-102),
    }


def test_what_names_an_event_of_its_own_month_is_booked_with_it(tmp_path: Path) -> None:
    """Nothing but the id ties a chargeback to alice; half of what she paid is written off."""
    paid = top_up("02", "alice", 1000, "200.00", id="top-1")
    found = month(tmp_path, "2026-05", paid, money_back("write-off", "20", "top-1", "100.00"))
    assert sums(found, "write-off") == {"tokens": D(100), "receivable": D(-100)}
