"""The open lots of the story, by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from beancount_compute.reports.books import Selection
from tests.reports.story import HEAD, STORY, books_of, figures, rows


def test_open_lots_by_the_month_of_their_end() -> None:
    """20 June: 1000 CU end on 1 July, in 11 days; 400 tokens in a year; the last price is 0.25.

    The price is one of tokens: the 1000 CU of allocations have none.
    """
    july, next_june = rows(books_of(STORY), "lots", "by-month")
    assert (july["ends"], july["days_left"]) == ("2026-07", 11)
    assert july["market_value"] is None
    assert figures(july) == {
        "units": "1000",
        "carrying_amount": "200.00",
    }
    assert (next_june["ends"], next_june["days_left"]) == ("2027-06", 346)
    assert figures(next_june) == {
        "units": "400",
        "carrying_amount": "80.00",
        "market_value": "100.00",
    }


def test_days_are_counted_from_the_last_day_selected() -> None:
    """On 31 May, the last day of May's allocations, one day is left, and there is no price yet."""
    (may,) = rows(books_of(STORY), "lots", "lots", Selection(end=date(2026, 5, 31)))
    assert (may["ends"], may["days_left"], may["market_value"]) == ("2026-06-01", 1, None)
    assert figures(may) == {
        "unit_cost": "0.20",
        "units": "800",
        "carrying_amount": "160.00",
    }


def test_a_lot_without_an_end_comes_last_and_has_no_days() -> None:
    """A top-up that never expires."""
    books = books_of(
        HEAD + '2026-01-01 custom "compute-allocation" "alice" 10 CU 1.00 USD\n'
        '2026-01-01 custom "compute-allocation" "alice" 5 CU 1.00 USD\n  expires: "2 days"\n'
    )
    found = rows(books, "lots", "by-month")
    assert [(row["ends"], row["days_left"], row["units"]) for row in found] == [
        ("2026-01", 2, 5),
        ("no end", None, 10),
    ]


def test_a_lot_is_one_row_whoever_holds_it() -> None:
    """300 of alice and 100 of bob are one lot; of one holder it is that holder's part."""
    (_, tokens) = rows(books_of(STORY), "lots", "lots")
    assert tokens["units"] == Decimal(400)
    (of_bob,) = rows(books_of(STORY), "lots", "lots", Selection(subscriber="bob"))
    assert of_bob["units"] == Decimal(100)


def test_the_market_value_is_in_the_currency_that_the_lot_cost() -> None:
    """A price in EUR says nothing about a lot in USD."""
    books = books_of(STORY.replace("0.25 USD", "0.25 EUR"))
    assert [row["market_value"] for row in rows(books, "lots", "lots")] == [None, None]
