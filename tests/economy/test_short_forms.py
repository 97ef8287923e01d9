"""Short forms: what is most often booked, in records that are balanced by how they are made.

Something asserted, if only nothing of euros, makes every event go the long way: the books of both
must be the same to the last digit.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import chain
from typing import Any

import pytest

from beancount_compute.economy.engine import Bookkeeper
from beancount_compute.economy.inputs import Facts
from beancount_compute.economy.journal import JournalEntry, Unbalanced
from beancount_compute.economy.short_forms import Mint, Record, Sale, Supply, check_paid
from beancount_compute.economy.terms import Terms
from tests.economy.building import (
    Books,
    assertion,
    book,
    consumption,
    day,
    first_letter_up,
    grant,
    lot,
    one_period,
    plan,
    refused_lines,
    reversal,
    subscription,
    terms,
    top_up,
    trade,
    transfer,
)

NOTHING = [assertion("2026-05-01", "revenue", "0 EUR")]


def records(events: list[Any], agreed: Terms, **others: Any) -> list[Record]:
    return list(
        chain.from_iterable(Bookkeeper(Facts(events, **others), agreed, first_letter_up).records())
    )


def both_ways(events: list[Any], agreed: Terms) -> Books:
    """The books, which must be the same the short way and the long way."""
    short, long = book(events, agreed), book(events, agreed, assertions=NOTHING)
    assert repr(short) == repr(long)  # to the last digit; a lot is equal to itself alone
    assert all(
        isinstance(each, JournalEntry) for each in records(events, agreed, assertions=NOTHING)
    )
    return short


def short_lines(events: list[Any], agreed: Terms, form: type) -> list[int]:
    """The lines of the events that are booked in a short form."""
    found = [each for each in records(events, agreed) if isinstance(each, form)]
    return [each.event.place.line for each in found if each.event]


# Sales

SALES = [
    top_up("2026-05-01", "a", "100 CU", "20 USD", id="older", expires="2026-08-01"),
    top_up("2026-05-01", "a", "100 CU", "3.33 USD", id="younger"),
    grant("2026-05-01", "b", "1 CU", id="grant"),
    grant("2026-05-01", "c", "1 CU", id="other"),
    # of part of the first lot: the buyer's first of it, and what melts into that
    trade("2026-05-02", "a", "b", "10.5 CU", "0.25 USD", id="t1", line=1),
    trade("2026-05-02", "a", "b", "0.5 CU", "100 USD", id="t2", line=2, memo="by phone"),
    trade("2026-05-03", "b", "c", "1 CU", "0.0333 EUR", id="t3", line=3),
    trade("2026-05-03", "b", "a", "1 CU", "30 JPY", id="t4", line=4, extra=(("x_desk", "2"),)),
    # all of the first lot; all of one and part of the next; into a holding without that lot
    trade("2026-05-04", "b", "c", "9 CU", "0.25 USD", id="t5", line=5),
    trade("2026-05-05", "a", "b", "100 CU", "0.25 USD", id="t6", line=6),
    trade("2026-05-06", "a", "c", "1 CU", "0.25 USD", id="t7", line=7),
    # refused: too much, nobody's, one's own, and a gross of nothing
    trade("2026-05-07", "a", "c", "999 CU", "0.25 USD", id="t8", line=8),
    trade("2026-05-07", "a", "nobody", "1 CU", "0.25 USD", id="t9", line=9),
    trade("2026-05-07", "a", "a", "1 CU", "0.25 USD", id="t10", line=10),
    trade("2026-05-07", "a", "c", "0.01 CU", "0.25 USD", id="t11", line=11),
    trade("2026-05-07", "a", "c", "1 EUR", "0.25 USD", id="t12", line=12),
    # and more digits than Beancount's of what would stay, or come together
    top_up("2026-05-08", "d", "80000000000000 CU", "808000000000 USD", id="much"),
    trade("2026-05-09", "d", "a", "0.00000000000001 CU", "1000000000000 USD", id="t13", line=13),
    trade("2026-05-10", "d", "a", "79999999999990 CU", "1 USD", id="t15", line=15),
    trade("2026-05-11", "d", "a", "0.00000000000001 CU", "1000000000000 USD", id="t16", line=16),
    transfer("2026-05-08", "a", "c", "1 CU", id="gift", line=14),
]


@pytest.mark.parametrize(
    "fees",
    [
        {},
        {"seller_fee": "0.05"},
        {"buyer_fee": "0.01", "minimum_fee": {"USD": "0.30"}},
        {"seller_fee": "0.05", "buyer_fee": "0.01", "minimum_fee": {"USD": "99"}},
    ],
)
def test_a_sale_in_its_short_form_is_what_the_long_way_books(fees: dict[str, Any]) -> None:
    """Part of the first lot has a short form, whoever buys it, in whatever currency."""
    agreed = terms(plan(), **fees)._replace(money=frozenset({"EUR"}))
    books = both_ways(SALES, agreed)
    assert refused_lines(books) == [8, 9, 10, 11, 12, 13, 16]
    assert sorted(short_lines(SALES, agreed, Sale)) == [1, 2, 3, 4, 7, 15]


def test_a_sale_in_its_short_form_follows_the_draw_down_order_of_its_day() -> None:
    """First the older lot, which came first; when the order turns, the younger one."""
    agreed = terms(plan(), draw_down={"2026-01-01": "fifo", "2026-05-03": "lifo"})
    events = [
        top_up("2026-05-01", "a", "100 CU", "20 USD", id="older"),
        top_up("2026-05-02", "a", "100 CU", "30 USD", id="younger"),
        grant("2026-05-01", "b", "1 CU", id="grant"),
        trade("2026-05-02", "a", "b", "1 CU", "0.25 USD", id="t1", line=1),
        trade("2026-05-03", "a", "b", "1 CU", "0.25 USD", id="t2", line=2),
    ]
    both_ways(events, agreed)
    sold = [each for each in records(events, agreed) if isinstance(each, Sale)]
    assert [str(each.lot.cost) for each in sold] == ["0.20", "0.30"]


def test_a_sale_that_is_reversed_has_no_short_form() -> None:
    """A reversal must find its entry; of others nothing is asked."""
    events = [*SALES[:4], *SALES[4:6], reversal("2026-05-04", "t1", line=9)]
    agreed = terms(plan())
    both_ways(events, agreed)
    assert short_lines(events, agreed, Sale) == [2]


# Supplies and mints

SUPPLIES = [
    subscription("2026-05-01", "a", id="s", line=1),
    subscription("2026-05-02", "b", "split", id="p", line=2, memo="two unit costs"),
    subscription("2026-05-02", "b", "free", id="f", line=3),
    one_period("2026-05-03", "c", "split", id="one", line=4),
    top_up("2026-05-04", "c", "100 CU", "20 USD", id="u1", line=5),
    top_up("2026-05-04", "c", "100 CU", "20 USD", id="u2", line=6),  # melts into that lot
    top_up("2026-05-04", "c", "3000 CU", "20 USD", id="u3", line=7, extra=(("x_a", "b"),)),
    consumption("2026-05-20", "a", "200 CU", id="use", line=8),
    # refused: units that cost nothing, and units of money
    top_up("2026-05-05", "c", "100 CU", "0.001 USD", id="u4", line=9),
    top_up("2026-05-05", "c", "100 EUR", "1 USD", id="u5", line=10),
]
SPLIT = plan("split", "19.99 USD", "3000 CU", unused="mint", mint_rate="0.5")
FREE = plan("free", "0 USD", "3000 CU", unused="expire")


@pytest.mark.parametrize("life", ["", "1 month", "12 months"])
def test_supplies_and_mints_in_their_short_form_are_what_the_long_way_books(life: str) -> None:
    """Top-ups and periods, paid or free, at one unit cost or two; and tokens of any life."""
    lives = {"token_expires": life} if life else {}
    pro = plan(unused="mint", **lives)
    agreed = terms(pro, SPLIT, FREE, as_of="2026-08-15")._replace(money=frozenset({"EUR"}))
    books = both_ways(SUPPLIES, agreed)
    assert refused_lines(books) == [9, 10]
    assert sorted(short_lines(SUPPLIES, agreed, Supply)) == [1, 2, 3, 4, 5, 6, 7]
    minted = [each for each in records(SUPPLIES, agreed) if isinstance(each, Mint)]
    assert len(minted) == len([each for each in books.journal if each.kind == "mint"]) > 6


def test_a_supply_that_is_reversed_has_no_short_form() -> None:
    """Neither a top-up nor a period."""
    events = [*SUPPLIES[:6], reversal("2026-05-05", "u2", line=7), reversal("2026-05-05", "one")]
    agreed = terms(plan(), SPLIT, FREE)
    both_ways(events, agreed)
    assert sorted(short_lines(events, agreed, Supply)) == [1, 2, 3, 5]


def test_a_supply_that_does_not_cost_what_was_paid_is_refused() -> None:
    """100 x 0.20 is 20.00; one cent more would be an error of this program."""
    lots = [lot("tokens a 100 CU {0.2 USD, 2026-05-01, top-up}")]
    supply = Supply(day("2026-05-01"), "a", "Top-up", Decimal("20.00"), lots, "u", None)
    check_paid(supply)
    with pytest.raises(Unbalanced, match=r"residual 0\.01"):
        check_paid(supply._replace(paid=Decimal("20.01")))


@pytest.mark.parametrize("grain", ["day", "month"])
def test_where_uses_merge_nothing_has_a_short_form(grain: str) -> None:
    """Merging looks back at the entries before."""
    events = [subscription("2026-05-01", "a", id="s"), *SALES]
    agreed = terms(plan(unused="mint"), grain=grain, as_of="2026-07-01")
    assert all(isinstance(each, JournalEntry) for each in records(events, agreed))
