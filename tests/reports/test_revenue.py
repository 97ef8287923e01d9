"""Revenue of the story, by hand."""

from __future__ import annotations

from datetime import date

from beancount_compute.reports.books import Selection
from beancount_compute.reports.registry import REPORTS
from tests.reports.story import HEAD, STORY, books_of, figures, rows


def test_months_of_the_story() -> None:
    """May: (200 + 1000) at 0.20. June: 1400 at 0.20, and 5 % of 125.00."""
    may, june = rows(books_of(STORY), "revenue", "by-month")
    assert (may["month"], may["currency"]) == ("2026-05", "USD")
    assert figures(may) == {"compute": "240.00", "total": "240.00"}
    assert figures(june) == {"compute": "280.00", "fees": "6.25", "total": "286.25"}


def test_breakage_comes_when_tokens_lapse() -> None:
    """June 2027: 300 of alice and 100 of bob; July 2027: her 1000 of June 2026."""
    books = books_of(STORY + '2026-01-01 custom "compute-option" "as-of" 2027-07-01\n')
    june, july = rows(books, "revenue", "by-month", Selection(date(2027, 1, 1), None))
    assert figures(june) == {"breakage": "80.00", "total": "80.00"}
    assert figures(july) == {"breakage": "200.00", "total": "200.00"}


def test_a_subscriber_is_credited_with_what_it_used_and_paid() -> None:
    """Alice 200 CU and the seller's fee, bob 2400 CU."""
    alice, bob = rows(books_of(STORY), "revenue", "by-subscriber")
    assert figures(alice) == {"compute": "40.00", "fees": "6.25", "total": "46.25"}
    assert figures(bob) == {"compute": "480.00", "total": "480.00"}


def test_a_plan_and_a_subscriber_can_be_selected() -> None:
    """One unit of a top-up at 0.10, settled for 0.05; the rest is of pro."""
    books = books_of(
        STORY + '2026-06-21 custom "compute-allocation" "bob" 10 CU 1.00 USD\n'
        "  expires: 2026-07-20\n"
        '2026-06-21 custom "compute-spend" "bob" "shop" 1 CU 0.05 USD\n'
    )
    (top_up,) = rows(books, "revenue", "by-plan", Selection(plan="top-up"))
    assert figures(top_up) == {"partner_income": "0.05", "total": "0.05"}
    (alice,) = rows(books, "revenue", "by-plan", Selection(subscriber="alice"))
    assert figures(alice) == {"compute": "40.00", "fees": "6.25", "total": "46.25"}


def test_overage_is_revenue_of_its_plan() -> None:
    """100 CU for 10.00, 10 more at 0.50."""
    books = books_of(
        HEAD + '2026-01-01 custom "compute-plan" "pro" 10.00 USD 100 CU\n  overage: 0.50 USD\n'
        '2026-01-01 custom "compute-subscription" "alice" "pro"\n'
        '2026-01-05 custom "compute-consumption" "alice" 110 CU\n'
    )
    (pro,) = rows(books, "revenue", "by-plan")
    assert figures(pro) == {"compute": "10.00", "overage": "5.00", "total": "15.00"}


# alice uses 200 of 1000 CU and sells 500 to bob, and the bank takes her 200.00 back; bob never pays
# for the half of June that he used. The half of what she owes comes in August.
LOST = HEAD + (
    '2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU\n'
    '2026-05-02 custom "compute-allocation" "alice" 1000 CU 200.00 USD\n  id: "top-1"\n'
    '2026-06-01 custom "compute-allocation" "bob" "pro"\n  id: "june"\n'
    '2026-05-10 custom "compute-consumption" "alice" 200 CU\n'
    '2026-06-10 custom "compute-trade" "alice" "bob" 500 CU 0.25 USD\n'
    '2026-06-20 custom "compute-consumption" "bob" 500 CU\n'
    '2026-06-25 custom "compute-write-off" "june"\n'
    '2026-07-15 custom "compute-chargeback" "top-1"\n  id: "cb-1"\n'
    '2026-08-20 custom "compute-recovery" "cb-1" 100.00 USD\n'
)


def test_what_is_lost_is_no_negative_revenue() -> None:
    """bob's 100.00 were earned; 100.00 of alice's are bob's tokens now, 40.00 she used."""
    books = books_of(LOST)
    assert [figures(row) for row in rows(books, "revenue", "lost")] == [
        {"bad_debt": "100.00", "total": "100.00"},
        {"losses": "100.00", "total": "100.00"},
        {"recoveries": "-100.00", "total": "-100.00"},
    ]
    _, june, july = rows(books, "revenue", "by-month")
    assert figures(june) == {"compute": "100.00", "total": "100.00"}
    assert figures(july) == {"disputes": "-40.00", "total": "-40.00"}
    of_july = Selection(date(2026, 7, 1), date(2026, 7, 31))
    assert len(rows(books, "revenue", "lost", of_july)) == 1
    of_bob, of_pro = Selection(subscriber="bob"), Selection(plan="pro")
    assert rows(books, "revenue", "lost", of_bob) == rows(books, "revenue", "lost", of_pro)
    assert len(rows(books, "revenue", "lost", of_pro)) == 1
    without = REPORTS["revenue"].tables(books_of(STORY), Selection())
    assert "lost" not in [each.name for each in without]
