"""The reports of access, by hand.

Alice is on `pro` from 16 May to 15 June: of 200.00 access gets 200.00 x 150/250 = 120.00, its
1000 CU 80.00, or 0.08 each. She uses 250 CU on 20 May: 20.00. In the evening of 31 May
120.00 x 16/31 = 61.94 of access is earned; 58.06 is left, and 750 CU x 0.08 = 60.00. Bob is on
`seat` from 20 May to 19 August: 90.00, of which 30.00 is earned on the last days of May, June and
July. Carol is on `payg`: 750 CU x 0.02 = 15.00 on 21 May.
"""

from __future__ import annotations

from datetime import date

from beancount_compute.reports.books import Selection
from beancount_compute.reports.charts.money import forward_release, income
from beancount_compute.reports.registry import REPORTS
from tests.reports.story import HEAD, books_of, figures, rows

LEDGER = (
    HEAD
    + """\
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  access-ssp: 150.00 USD
  units-ssp: 100.00 USD
2026-01-01 custom "compute-plan" "seat" 90.00 USD
  every: "quarter"
  access-by: "even-month"
2026-01-01 custom "compute-plan" "payg" 0.00 USD 0 CU
  overage: 0.02 USD
2026-01-01 custom "compute-option" "as-of" 2026-05-31
2026-05-16 custom "compute-subscription" "alice" "pro"
2026-05-20 custom "compute-subscription" "bob" "seat"
2026-05-21 custom "compute-subscription" "carol" "payg"
2026-05-20 custom "compute-consumption" "alice" 250 CU
2026-05-21 custom "compute-consumption" "carol" 750 CU
"""
)
MAY = Selection(date(2026, 5, 1), date(2026, 5, 31))


def test_the_roll_forward_has_access_in_money_alone() -> None:
    """120.00 + 90.00 come, 61.94 + 30.00 go: 118.06."""
    books = books_of(LEDGER)
    access, units, total = rows(books, "rollforward", "money-by-pocket", MAY)
    assert figures(access) == {
        "allocated": "210.00",
        "earned_by_time": "-91.94",
        "closing": "118.06",
    }
    assert figures(units) == {"allocated": "80.00", "used": "-20.00", "closing": "60.00"}
    assert figures(total)["closing"] == "178.06"
    of_units = rows(books, "rollforward", "units-by-pocket", MAY)
    assert {row["commodity"] for row in of_units} == {"CU"}


def test_release_is_by_the_evenings_to_come() -> None:
    """58.06 + 30.00 in June, 30.00 in July; unused units lapse on 16 June."""
    june, july = rows(books_of(LEDGER), "release", "by-month", MAY)
    assert figures(june) == {"allocations": "60.00", "access": "88.06", "total": "148.06"}
    assert figures(july) == {"access": "30.00", "total": "30.00"}


def test_within_a_month_release_is_as_that_months_evening_will_earn() -> None:
    """On 25 May nothing is earned: 61.94 + 30.00 in May, 58.06 + 30.00 in June, 30.00 in July."""
    on = Selection(None, date(2026, 5, 25))
    found = rows(books_of(LEDGER), "release", "by-month", on)
    assert [figures(each)["access"] for each in found] == ["91.94", "88.06", "30.00"]


def test_the_disclosure_has_it_in_the_first_band() -> None:
    """All of 178.06 is due within three months."""
    (first,) = rows(books_of(LEDGER), "disclosure", "remaining", MAY)
    assert figures(first)["amount"] == "178.06"


def test_revenue_and_vintages_name_it() -> None:
    """20.00 of use, 15.00 of overage, 91.94 of access: 126.94."""
    books = books_of(LEDGER)
    may, *_ = rows(books, "revenue", "by-month", MAY)
    assert figures(may) == {
        "compute": "20.00",
        "overage": "15.00",
        "access": "91.94",
        "total": "126.94",
    }
    vintage, *_ = rows(books, "vintages", "access")
    assert "91.94" in figures(vintage).values()


def test_the_bridge_ends_at_the_books_revenue() -> None:
    """200.00 + 30.00 recur, the quarter is billed for 60.00 more, 178.06 waits."""
    may, *_ = rows(books_of(LEDGER), "subscribers", "bridge", MAY)
    assert figures(may) == {
        "recurring": "230.00",
        "billing": "60.00",
        "deferred": "-178.06",
        "overage": "15.00",
        "revenue": "126.94",
    }


def test_charts_show_access() -> None:
    books = books_of(LEDGER)
    (by_month,) = REPORTS["revenue"].tables(books, MAY, "by-month")
    (release,) = REPORTS["release"].tables(books, MAY, "by-month")
    (earned,), (to_come,) = income(by_month), forward_release(release)
    assert "access" in [each["name"] for each in earned.figure["data"]]
    assert "access" in [each["name"] for each in to_come.figure["data"]]
    assert "Access is earned" in to_come.caption
