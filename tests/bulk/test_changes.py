"""Changes of plan in months in bulk: an earlier month's subscription goes on, on another plan."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from beancount_compute.bulk.month_run import BulkOutcome
from tests.bulk.small_months import LEDGER, begin, change, month, subscription, table, use

D = Decimal
PLANS = """\
2026-01-01 custom "compute-plan" "max" 500.00 USD 3000 CU
2026-01-01 custom "compute-plan" "basic" 90.00 USD
  every: "quarter"
  access-by: "even-month"
2026-01-01 custom "compute-plan" "plus" 120.00 USD
  every: "quarter"
  access-by: "even-month"
"""


def sums(outcome: BulkOutcome, *kinds: str) -> dict[str, Decimal]:
    """What a month booked by some kinds, by role."""
    assert not table(outcome, "refused")
    found: dict[str, Decimal] = {}
    for row in table(outcome, "movements"):
        if row["kind"] in kinds:
            found[row["role"]] = found.get(row["role"], D(0)) + row["amount"]
    return {role: amount for role, amount in found.items() if amount}


def test_a_change_is_booked_and_invoiced_a_month_later(tmp_path: Path) -> None:
    """Bob used 900 of 1000 CU until 21 May, of 31 days 10 are left: from 15 May to 14 June 25 are.

    100 x 0.20 = 20.00 come back, 500.00 x 25/31 = 403.23 are charged.
    """
    begin(tmp_path, LEDGER + PLANS)
    of_may = subscription("15", "bob"), use("16", "bob", 900), change("21", "bob", "pro", "max")
    may = month(tmp_path, "2026-05", *of_may)
    assert sums(may, "change") == {"allocations": D("-383.23"), "unbilled": D("383.23")}
    june = month(tmp_path, "2026-06", change("20", "bob", "max", "pro"))
    assert sums(june, "invoice") == {"receivable": D("383.23"), "unbilled": D("-383.23")}
    # 500.00 come back of the 15th; 200.00 x 25/30 = 166.67
    assert sums(june, "change") == {"allocations": D("333.33"), "unbilled": D("-333.33")}
    july = month(tmp_path, "2026-07")
    assert sums(july, "invoice") == {"receivable": D("-333.33"), "unbilled": D("333.33")}


def test_a_short_period_of_even_months_is_earned_by_days(tmp_path: Path) -> None:
    """As in a ledger: 52.75 for 40 days from 10 June, 27.69 in June and the rest in July."""
    begin(tmp_path, LEDGER + PLANS)
    month(tmp_path, "2026-04", subscription("20", "alice", "basic"))
    month(tmp_path, "2026-05")
    june = month(tmp_path, "2026-06", change("10", "alice", "basic", "plus"))
    assert sums(june, "change") == {"access": D("-22.75"), "unbilled": D("22.75")}
    assert sums(june, "access") == {"access": D("27.69"), "access-revenue": D("-27.69")}
    july = month(tmp_path, "2026-07")
    assert sums(july, "access")["access-revenue"] == D("-65.06")  # 25.06, and 40.00 of the next
