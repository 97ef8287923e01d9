"""Release curves and the largest trades, on the story by hand."""

from __future__ import annotations

from decimal import Decimal

from beancount_compute.fava_extension.market_view import largest_trades
from beancount_compute.fava_extension.vintages_view import release_curves
from beancount_compute.reports.books import Selection
from beancount_compute.reports.vintages import VINTAGES
from tests.fava_extension.prepared.story_books import story
from tests.reports.story import books_of


def test_the_share_of_a_vintage_by_its_age() -> None:
    """May: 240.00 of 400.00 at once, 80.00 a month later; June: 200.00 of 400.00."""
    _, summed = story()
    (vintages,) = VINTAGES.tables(summed, Selection(), "recognised")
    assert release_curves(vintages).rows == [
        ("2026-05", "USD", Decimal("0.6"), Decimal("0.8")),
        ("2026-06", "USD", Decimal("0.5"), None),
    ]


def test_an_opening_vintage_is_drawn_from_where_the_books_begin() -> None:
    """40.00 of February 2026 are open on 1 May: nothing is known of the three months before."""
    books = books_of(
        """
        plugin "beancount_compute"
        option "operating_currency" "USD"
        2026-01-01 open Equity:Opening
        2026-05-01 * "Opening" #compute-opening
          Liabilities:DeferredRevenue:Tokens:Alice  -40 CU {1.00 USD, 2026-02-01, "top-up"}
          Equity:Opening
        2026-05-20 custom "compute-consumption" "alice" 10 CU
        2026-06-02 custom "compute-allocation" "alice" 4 CU 8.00 USD
        2026-06-20 custom "compute-consumption" "alice" 10 CU
        """
    )
    (vintages,) = VINTAGES.tables(books, Selection(), "recognised")
    assert str(books.first_day) == "2026-05-01"
    assert release_curves(vintages, "2026-05").rows == [
        ("2026-02", "USD", None, None, None, Decimal("0.25"), Decimal("0.5")),
        ("2026-06", "USD", Decimal(0), None, None, None, None),
    ]


def test_the_largest_trades_with_their_places() -> None:
    """The one trade: 500 CU at 0.25, fee 6.25."""
    books, summed = story()
    table, places, of_pages = largest_trades(summed, Selection(), 20)
    money = [Decimal(each) for each in ("0.25", "125.00", "6.25")]
    assert table.rows == [("2026-06-10", "trade", "alice", "bob", "CU", "USD", 500, *money)]
    assert books.transactions[places[0]].meta["event"] == "trade"
    assert of_pages == {}
    assert largest_trades(summed, Selection(), 20, page=9).places == places
