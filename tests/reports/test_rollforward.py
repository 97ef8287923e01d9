"""The roll-forward of the story, by hand."""

from __future__ import annotations

from datetime import date

from beancount_compute.reports.books import Selection
from tests.reports.story import HEAD, STORY, books_of, figures, rows

JUNE = Selection(date(2026, 6, 1), date(2026, 6, 30))


def test_pockets_show_mints_out_of_one_into_the_other() -> None:
    """June: 800 of alice's May are minted; bob uses 1000 of June and 400 of the 500 he bought."""
    allocations, tokens, total = rows(books_of(STORY), "rollforward", "units-by-pocket", JUNE)
    assert (allocations["pocket"], allocations["commodity"]) == ("allocations", "CU")
    assert figures(allocations) == {
        "opening": "800",
        "allocated": "2000",
        "minted": "-800",
        "used": "-1000",
        "closing": "1000",
    }
    assert figures(tokens) == {
        "minted": "800",
        "traded_in": "500",
        "traded_out": "-500",
        "used": "-400",
        "closing": "400",
    }
    assert figures(total) == {
        "opening": "800",
        "allocated": "2000",
        "traded_in": "500",
        "traded_out": "-500",
        "used": "-1400",
        "closing": "1400",
    }


def test_money_is_the_carrying_amount_of_the_same_units() -> None:
    """All at 0.20; 160.00 open in June's opening, 280.00 at its end."""
    *_, total = rows(books_of(STORY), "rollforward", "money-by-pocket", JUNE)
    assert figures(total) == {
        "opening": "160.00",
        "allocated": "400.00",
        "traded_in": "100.00",
        "traded_out": "-100.00",
        "used": "-280.00",
        "closing": "280.00",
    }


def test_each_subscriber_has_a_row_of_its_own() -> None:
    """Alice closes with 1000 of June and 300 tokens, bob with 100 tokens."""
    alice, bob = rows(books_of(STORY), "rollforward", "units-by-subscriber")
    assert figures(alice) == {
        "allocated": "2000",
        "traded_out": "-500",
        "used": "-200",
        "closing": "1300",
    }
    assert figures(bob) == {
        "allocated": "2000",
        "traded_in": "500",
        "used": "-2400",
        "closing": "100",
    }


def test_opening_lots_are_opening_where_the_books_begin_with_them() -> None:
    """10 CU of an opening within the period itself; 1 of them is removed by hand."""
    books = books_of(
        HEAD + "2026-01-01 open Equity:Opening\n"
        '2026-06-02 * "Opening" #compute-opening\n'
        '  Liabilities:DeferredRevenue:Tokens:Zoe  -10 CU {0.20 USD, 2025-12-01, "pro"}\n'
        "  Equity:Opening\n"
        '2026-06-09 * "Write-off"\n'
        '  Liabilities:DeferredRevenue:Tokens:Zoe  1 CU {0.20 USD, 2025-12-01, "pro"}\n'
        "  Equity:Opening\n"
    )
    (zoe,) = rows(books, "rollforward", "units-by-subscriber", JUNE)
    assert figures(zoe) == {"opening": "10", "removed_by_hand": "-1", "closing": "9"}


def test_every_other_flow_has_a_column() -> None:
    """Top-up 10 at 0.10, grant 5, transfer 2, spend 1, refund 1; the grant lapses."""
    books = books_of(
        HEAD + '2026-06-01 custom "compute-allocation" "alice" 10 CU 1.00 USD\n'
        '2026-06-01 custom "compute-grant" "alice" 5 CU\n  expires: "2 days"\n'
        '2026-06-01 custom "compute-grant" "bob" 1 CU\n'
        '2026-06-02 custom "compute-transfer" "alice" "bob" 2 CU\n'
        '2026-06-02 custom "compute-spend" "alice" "shop" 1 CU 0.05 USD\n'
        '2026-06-03 custom "compute-refund" "alice" 1 CU\n'
    )
    alice, bob = rows(books, "rollforward", "units-by-subscriber", JUNE)
    assert figures(alice) == {
        "topped_up": "10",
        "granted": "5",
        "transferred_out": "-2",
        "spent": "-1",
        "expired": "-5",
        "refunded": "-1",
        "closing": "6",
    }
    assert figures(bob) == {"granted": "1", "transferred_in": "2", "closing": "3"}


def test_who_has_nothing_left_and_did_nothing_has_no_row() -> None:
    """After the tokens have lapsed in June 2027 bob is gone from July on."""
    books = books_of(STORY + '2026-01-01 custom "compute-option" "as-of" 2027-07-01\n')
    names = [
        row["subscriber"]
        for row in rows(
            books, "rollforward", "units-by-subscriber", Selection(date(2027, 7, 1), None)
        )
    ]
    assert names == ["alice"]
