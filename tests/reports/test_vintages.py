"""The vintages of the story, by hand."""

from __future__ import annotations

from datetime import date

from beancount_compute.reports.books import Selection
from beancount_compute.reports.registry import REPORTS
from tests.reports.story import HEAD, STORY, books_of, figures, rows


def test_a_token_keeps_the_month_of_its_allocation() -> None:
    """Of May's 400.00: 240.00 used in May, 80.00 of the sold tokens in June, 80.00 still open."""
    may, june = rows(books_of(STORY), "vintages", "recognised")
    assert figures(may) == {
        "added": "400.00",
        "2026-05": "240.00",
        "2026-06": "80.00",
        "deferred": "80.00",
    }
    assert figures(june) == {"added": "400.00", "2026-06": "200.00", "deferred": "200.00"}


def test_breakage_stands_apart_from_revenue() -> None:
    """To July 2027 all is recognised: 320.00 + 80.00 and 200.00 + 200.00."""
    books = books_of(STORY + '2026-01-01 custom "compute-option" "as-of" 2027-07-01\n')
    assert [row["total"] for row in rows(books, "vintages", "revenue")] == [320, 200]
    may, june = rows(books, "vintages", "breakage")
    assert figures(may) == {"2027-06": "80.00", "total": "80.00"}
    assert figures(june) == {"2027-07": "200.00", "total": "200.00"}
    assert [row["deferred"] for row in rows(books, "vintages", "recognised")] == [0, 0]


def test_what_was_recognised_before_the_selection_is_earlier() -> None:
    """Only June is asked for: May's 240.00 stand under earlier."""
    may, _ = rows(books_of(STORY), "vintages", "recognised", Selection(date(2026, 6, 1), None))
    assert figures(may) == {
        "added": "400.00",
        "earlier": "240.00",
        "2026-06": "80.00",
        "deferred": "80.00",
    }


def test_the_first_day_of_the_selection_is_in_it() -> None:
    """From 20 May on, May's use is not earlier."""
    may, _ = rows(books_of(STORY), "vintages", "recognised", Selection(date(2026, 5, 20), None))
    assert (may["earlier"], may["2026-05"]) == (0, 240)


def test_what_leaves_otherwise_closes_the_row() -> None:
    """20.00 for 3000 CU; 1 refunded at 0.01 with -0.003334 of revenue, 2 spent at 0.006666."""
    books = books_of(
        HEAD + '2026-01-01 custom "compute-allocation" "alice" 3000 CU 20.00 USD\n'
        '2026-02-01 custom "compute-refund" "alice" 1 CU\n'
        '2026-02-02 custom "compute-spend" "alice" "shop" 2 CU 0.01 USD\n'
    )
    (row,) = rows(books, "vintages", "recognised")
    assert figures(row) == {
        "added": "20.00",
        "2026-02": "-0.003334",
        "otherwise": "0.023332",  # 0.01 to payable, 0.013332 spent
        "deferred": "19.980002",
    }


def test_the_columns_are_the_months_in_order() -> None:
    """A month in which nothing was recognised has none."""
    (table,) = REPORTS["vintages"].tables(books_of(STORY), Selection(), "revenue")
    assert [column.key for column in table.columns] == [
        "vintage",
        "currency",
        "earlier",
        "2026-05",
        "2026-06",
        "total",
    ]
