"""Who holds and owes what on any day, on the story by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from beancount_compute.fava_extension.prepared.holdings import Holdings, Standing
from beancount_compute.fava_extension.prepared.standing_rows import (
    as_table,
    matching,
    ordered,
    totals,
)
from tests.fava_extension.prepared.story_books import story


@pytest.fixture(params=[False, True], ids=["together", "by account"])
def holdings(request: pytest.FixtureRequest) -> Holdings:
    books, _ = story()
    return Holdings(books, books.movements, books.owed, fine=request.param)


def row(name: str, units: str, carrying: str, value: str | None, end: date, *owed: str) -> Standing:
    price = None if value is None else Decimal(value)
    receivable, payable = (Decimal(each) for each in owed)
    held = Decimal(units), Decimal(carrying), price, end
    return Standing(name, "CU", "USD", *held, receivable, Decimal(), payable)


def test_the_last_day(holdings: Holdings) -> None:
    """alice: 1000 CU of June to 1 July, 300 tokens, which alone have a market value of 0.25 each;
    she is owed 118.75. bob: 100 tokens.
    """
    assert holdings.on(date(2026, 6, 20)) == [
        row("alice", "1300", "260.00", "75.00", date(2026, 7, 1), "400.00", "118.75"),
        row("bob", "100", "20.00", "25.00", date(2027, 6, 1), "525.00", "0"),
    ]


def test_an_earlier_day(holdings: Holdings) -> None:
    """On 31 May bob has used all; he still owes 200.00. There is no price yet."""
    alice, bob = holdings.on(date(2026, 5, 31))
    assert alice == row("alice", "800", "160.00", None, date(2026, 6, 1), "200.00", "0")
    assert (bob.units, bob.end, bob.receivable) == (Decimal(), None, Decimal("200.00"))
    assert holdings.on(date(2026, 4, 30)) == []


def test_on_some_accounts() -> None:
    """Of tokens only; and of receivables only, where no units are."""
    books, _ = story()
    holdings = Holdings(books, books.movements, books.owed, fine=True)
    tokens = frozenset(["Liabilities:DeferredRevenue:Tokens:Alice"])
    (alice,) = holdings.on(date(2026, 6, 20), tokens)
    assert (alice.units, alice.end, alice.receivable) == (300, date(2027, 6, 1), 0)
    (bob,) = holdings.on(date(2026, 6, 20), frozenset(["Assets:Receivable:Bob"]))
    assert (bob.subscriber, bob.units, bob.receivable) == ("bob", 0, Decimal("525.00"))


def test_search_order_and_totals(holdings: Holdings) -> None:
    """Equals stay in the order of names; what is missing comes last, either way."""
    rows = holdings.on(date(2026, 6, 20))
    assert [each.subscriber for each in matching(rows, "LI")] == ["alice"]
    assert [each.subscriber for each in ordered(rows, "payable", falling=False)] == ["bob", "alice"]
    missing = [rows[0]._replace(end=None), rows[1]]
    for falling in (False, True):
        assert ordered(missing, "next_expiry", falling=falling)[-1].subscriber == "alice"
    (total,) = as_table(totals(rows), "").rows
    money = [Decimal(each) for each in ("280.00", "100.00")]
    owed = [Decimal(each) for each in ("925.00", "118.75")]
    assert total == ("total", "", "", "CU", "USD", 1400, None, *money, None, *owed)
    assert as_table(rows, "").rows[0][:6] == ("alice", "", "", "CU", "USD", 1300)
