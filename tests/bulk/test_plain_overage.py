"""Use beyond the holdings, charged by the kernel: figures worked out by hand, at 0.30 USD a CU."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from tests.bulk.small_months import LEDGER, begin, month, subscription, table, top_up, use

D = Decimal


def test_use_beyond_the_holdings_is_charged_by_the_plan(tmp_path: Path) -> None:
    """1010 of 1000 CU: 10 at 0.30 are 3.00; and 0.05 CU on the day after 0.015, which is 0.02."""
    found = month(
        tmp_path,
        "2026-05",
        subscription("01", "alice"),
        use("20", "alice", 1010),
        use("21", "alice", "0.05"),
    )
    assert found.counts["by the kernel"] == 3
    moved = {(r["kind"], r["role"]): r["amount"] for r in table(found, "movements")}
    assert moved["consumption", "overage"] == D("-3.02")  # 3.015 to the even cent
    assert moved["consumption", "receivable"] == D("3.02")
    (row,) = table(found, "subscriptions")
    assert (row["overage"], row["overage_charged"]) == (D("3.015"), D("3.02"))
    text = (found.folder / "journal.beancount").read_text()
    assert "  Income:Overage  -3.00 USD" in text and "  Income:Overage  -0.02 USD" in text


def test_a_top_up_is_used_before_there_is_overage(tmp_path: Path) -> None:
    """It comes in on the day after the first overage: 5 CU beyond, then 7 of 20 that are held."""
    found = month(
        tmp_path,
        "2026-05",
        subscription("01", "alice"),
        use("20", "alice", 1005),
        top_up("21", "alice", 20, "5.00"),
        use("21", "alice", 7),
    )
    assert found.counts["by the kernel"] == 4
    moved = {(r["kind"], r["role"]): r["amount"] for r in table(found, "movements")}
    assert moved["consumption", "overage"] == D("-1.50")
    (lot,) = table(found, "lots")
    assert (lot["pocket"], lot["units"]) == ("tokens", D(13))


def test_where_it_is_not_plain_whose_overage_it_is_the_engine_says_it(tmp_path: Path) -> None:
    """Of two subscriptions the newest, and none on a plan without a price: refused, and named."""
    begin(
        tmp_path,
        LEDGER + '2026-01-01 custom "compute-plan" "flat" 20.00 USD 100 CU\n',
    )
    found = month(
        tmp_path,
        "2026-05",
        subscription("01", "alice"),
        subscription("02", "alice", "flat"),
        subscription("01", "bob", "flat"),
        use("20", "alice", 1200),
        use("20", "bob", 101),
        subscription("01", "carol"),
        use("20", "carol", 1001),
    )
    assert found.counts["by the kernel"] == 2
    refused = sorted(row["message"] for row in table(found, "refused"))
    assert len(refused) == 2 and '"flat" has no `overage` price' in refused[0]
