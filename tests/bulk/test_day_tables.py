"""What a month writes of its days: by lots alike but for their cost, and of trades by price."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from beancount_compute.bulk.month_run import BulkOutcome
from tests.bulk.small_months import (
    LEDGER,
    begin,
    month,
    reversal,
    subscription,
    table,
    top_up,
    trade,
    use,
)

FEES = '2026-01-01 custom "compute-option" "seller-fee" 0.05\n'
MAY_1, JUNE_1 = date(2026, 5, 1), date(2026, 6, 1)


def rows_of(outcome: BulkOutcome, name: str, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in columns) for row in table(outcome, name)]


@pytest.mark.parametrize("plain", [True, False], ids=["kernel", "engine"])
def test_a_day_is_told_by_lots_and_roles(plain: bool, tmp_path: Path) -> None:
    """Two use 300 CU of one lot's days at 0.20: one row, its revenue, and what was billed."""
    rows = [subscription("01", "alice"), subscription("01", "bob")]
    rows += [use("20", "alice", 100), use("20", "bob", 200)]
    outcome = month(tmp_path, "2026-05", *rows, plain=plain)
    shown = rows_of(
        outcome, "days", "date", "kind", "role", "origin", "lot_date", "lot_end", "units_out"
    )
    money = rows_of(outcome, "days", "role", "lot_currency", "units_in", "amount")
    day, none = date(2026, 5, 20), Decimal(0)
    assert shown == [
        (MAY_1, "allocation", "allocations", "pro", MAY_1, JUNE_1, none),
        (MAY_1, "allocation", "receivable", "pro", None, None, none),
        (day, "consumption", "allocations", "pro", MAY_1, JUNE_1, Decimal(300)),
        (day, "consumption", "revenue", "pro", None, None, none),
    ]
    assert money == [
        ("allocations", "USD", Decimal(2000), Decimal(-400)),
        ("receivable", None, none, Decimal(400)),
        ("allocations", "USD", none, Decimal(60)),
        ("revenue", None, none, Decimal(-60)),
    ]


def test_lots_of_a_day_at_several_costs_are_one_row(tmp_path: Path) -> None:
    """500 CU for 100.00 and 500 for 90.00, bought on one day: 950.00 in one row a direction."""
    rows = [top_up("03", "alice", 500, "100.00"), top_up("03", "bob", 500, "90.00")]
    outcome = month(tmp_path, "2026-05", *rows, use("04", "alice", 10), use("04", "bob", 10))
    found = rows_of(outcome, "days", "role", "units_in", "units_out", "amount")
    of_lots = [row for row in found if row[0] == "tokens"]
    assert of_lots == [
        ("tokens", Decimal(1000), Decimal(0), Decimal(-190)),
        ("tokens", Decimal(0), Decimal(20), Decimal("3.80")),
    ]


def test_a_fee_stands_with_the_lots_that_were_sold(tmp_path: Path) -> None:
    """400 CU of two lots for 100.00, fee 5.00: 3.75 on the 300 of May 3, 1.25 on the 100 of 5."""
    begin(tmp_path, LEDGER + FEES)
    rows = [top_up("03", "alice", 300, "60.00"), top_up("05", "alice", 200, "40.00")]
    rows += [top_up("05", "bob", 1, "1.00"), trade("10", "alice", "bob", 400, "0.25")]
    outcome = month(tmp_path, "2026-05", *rows)
    fees = rows_of(outcome, "days", "role", "origin", "lot_date", "lot_currency", "amount")
    assert [row for row in fees if row[0] == "fees"] == [
        ("fees", "top-up", date(2026, 5, 3), "USD", Decimal("-3.75")),
        ("fees", "top-up", date(2026, 5, 5), "USD", Decimal("-1.25")),
    ]
    assert "Income:Fees  -5.00 USD" in (outcome.folder / "journal.beancount").read_text()


def test_trades_are_told_by_price_and_reversals_by_what_they_undo(tmp_path: Path) -> None:
    """Two sales at 0.25 are one row; the third, at 0.30, is undone on a day of its own."""
    begin(tmp_path, LEDGER + FEES)
    rows = [top_up("03", "alice", 900, "180.00"), top_up("03", "bob", 1, "1.00")]
    rows += [trade("10", "alice", "bob", units, "0.25") for units in (100, 300)]
    rows += [{**trade("11", "alice", "bob", 200, "0.30"), "id": "dear"}]
    rows += [reversal("12", "dear")]
    outcome = month(tmp_path, "2026-05", *rows)
    assert not table(outcome, "refused")
    names = ("date", "undoes", "traded", "price", "trades", "units", "gross", "seller_fee")
    tenth, eleventh, twelfth = (date(2026, 5, day) for day in (10, 11, 12))
    dear = tuple(map(Decimal, ("0.30", "1", "200", "60", "3")))
    assert rows_of(outcome, "trades", *names) == [
        (tenth, False, tenth, *map(Decimal, ("0.25", "2", "400", "100", "5"))),
        (eleventh, False, eleventh, *dear),
        (twelfth, True, eleventh, dear[0], *(-each for each in dear[1:])),
    ]
    assert {row["origins"][0] for row in table(outcome, "trades")} == {"top-up"}
