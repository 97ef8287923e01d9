"""The reports of what is invoiced later and of minimums, by hand.

Alice is on `payg` from 15 January: 750 CU x 0.02 = 15.00 in January, 850 CU = 17.00 in February,
32.00 invoiced on 15 February. Eve is on `pro` from 10 January, 20.00 for 100 CU and at least 50.00
of overage: she uses 150 CU, 50 x 0.30 = 15.00, so 35.00 are short on 9 February; then 350 CU,
250 x 0.30 = 75.00, which are not invoiced on the last of February.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from beancount_compute.close.tie_outs import tie_outs
from beancount_compute.reports.books import Selection
from beancount_compute.reports.summary import flows_of, summary_of
from tests.reports.story import HEAD, books_of, figures, rows

LEDGER = (
    HEAD
    + """\
2026-01-01 custom "compute-plan" "payg" 0.00 USD 0 CU
  overage: 0.02 USD
  bill: "period"
2026-01-01 custom "compute-plan" "pro" 20.00 USD 100 CU
  overage: 0.30 USD
  bill: "period"
  minimum: 50.00 USD
2026-01-01 custom "compute-option" "as-of" 2026-02-28
2026-01-15 custom "compute-subscription" "alice" "payg"
2026-01-25 custom "compute-consumption" "alice" 750 CU
2026-02-04 custom "compute-consumption" "alice" 850 CU
2026-01-10 custom "compute-subscription" "eve" "pro"
2026-01-20 custom "compute-consumption" "eve" 150 CU
2026-02-20 custom "compute-consumption" "eve" 350 CU
"""
)
FEBRUARY = Selection(date(2026, 2, 1), date(2026, 2, 28))


def test_a_shortfall_is_breakage_of_its_plan_and_of_no_lot() -> None:
    """35.00 in February; no vintage and no contract liability has them."""
    books = books_of(LEDGER)
    january, february = rows(books, "revenue", "by-month")
    assert figures(january) == {"compute": "20.00", "overage": "30.00", "total": "50.00"}
    assert figures(february) == {
        "compute": "20.00",
        "breakage": "35.00",
        "overage": "92.00",
        "total": "147.00",
    }
    by_plan = {
        row["plan"]: figures(row).get("breakage") for row in rows(books, "revenue", "by-plan")
    }
    assert by_plan == {"payg": None, "pro": "35.00"}
    assert rows(books, "vintages", "breakage") == []
    _, total = rows(books, "disclosure", "revenue", FEBRUARY)
    assert figures(total)["revenue"] == "20.00"


def test_what_is_paid_for_ahead_ties_without_it() -> None:
    """A minimum never was deferred: 40.00 were paid for units and used."""
    books = books_of(LEDGER)
    assert summary_of(books, []).ties
    _, money = flows_of(books)
    assert (money["breakage", "USD"], money["shortfalls", "USD"]) == (Decimal(0), Decimal(35))
    ties = {tie.name: tie for tie in tie_outs(books, "2026-02", []) if tie.about == "USD"}
    assert (ties["breakage of minimums"].left, ties["revenue from overage"].left) == (35, 92)
    assert ties["unbilled = not yet invoiced"].left == 75


def test_the_bridge_from_recurring_revenue_has_it() -> None:
    """20.00 of periods, 92.00 of overage and 35.00: all that the books earned in February."""
    (bridge,) = rows(books_of(LEDGER), "subscribers", "bridge", FEBRUARY)
    found = figures(bridge)
    assert (found["overage"], found["shortfalls"]) == ("92.00", "35.00")
    assert found["revenue"] == "147.00"


def test_an_invoice_tells_its_plan() -> None:
    """As the charges do: so a journal by plan leaves nothing on the account."""
    books = books_of(LEDGER)
    told = [entry.meta["invoiced"] for entry in books.transactions if "invoiced" in entry.meta]
    assert told == ["pro 50.00 USD", "payg 32.00 USD"]
