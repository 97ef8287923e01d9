"""Books as far as filters let them through: what lots earned counts once, and only what is kept."""

from __future__ import annotations

import pytest

from beancount_compute.fava_extension.prepared.narrowing import (
    Filter,
    coarse,
    narrow,
    with_trades_of,
)
from beancount_compute.reports.books import Selection
from beancount_compute.reports.registry import REPORTS
from tests.reports.story import STORY, books_of, by_key

ALICE = "Liabilities:DeferredRevenue:Allocations:Alice"
FIRST_USE = frozenset([2])  # behind the two allocations: 200 CU at 0.20 USD


@pytest.mark.parametrize(
    ("kept", "revenue"),
    [
        (Filter(), {"2026-05": "240.00", "2026-06": "280.00"}),
        (Filter(subscriber="alice"), {"2026-05": "40.00"}),
        (Filter(transactions=FIRST_USE), {"2026-05": "40.00"}),
        (
            Filter(accounts=frozenset(["Income:Compute"])),
            {"2026-05": "240.00", "2026-06": "280.00"},
        ),
        (
            Filter(accounts=frozenset(["Income:Compute", ALICE])),
            {"2026-05": "240.00", "2026-06": "280.00"},
        ),
        (Filter(accounts=frozenset([ALICE])), {}),
    ],
)
def test_what_lots_earned_is_counted_once(kept: Filter, revenue: dict[str, str]) -> None:
    """An income is kept by its own account, whichever postings on pockets are kept beside it."""
    books = books_of(STORY)
    narrowed = narrow(books, coarse(books), kept)
    (table,) = REPORTS["revenue"].tables(narrowed, Selection(), "by-month")
    found = {str(row["month"]): f"{row['compute']:f}" for row in by_key(table) if row["compute"]}
    assert found == revenue


def test_the_market_keeps_all_tokens_beside_some_trades() -> None:
    """Without the trade its row is gone; what is outstanding never depends on a filter."""
    books = books_of(STORY)
    summed = coarse(books)
    for places, trades in ((None, ["800"]), (frozenset([6]), []), (frozenset([7]), ["800"])):
        kept = with_trades_of(books, summed, Filter(transactions=places))
        (table,) = REPORTS["market"].tables(kept, Selection(), "by-day")
        assert [f"{row['outstanding']:f}" for row in by_key(table)] == trades
