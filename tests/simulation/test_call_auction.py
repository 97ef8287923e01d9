"""The call auction by hand: who trades, with whom, at which price."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from beancount_compute.simulation.call_auction import Deals, Orders, call_auction


def orders(*several: tuple[int, int, int]) -> Orders:
    """Who, units and price of each."""
    columns = zip(*several, strict=True) if several else [()] * 3
    return Orders(*[np.array(each, np.int64) for each in columns])


def listed(deals: Deals) -> list[tuple[int, int, int]]:
    return list(zip(*[each.tolist() for each in deals[:3]], strict=True))


def test_the_cheapest_meets_the_highest_until_a_bid_is_below_its_offer() -> None:
    """1 sells 300 at 400 and 2 sells 500 at 700; 8 bids 1200 for 400, 9 bids 600 for 300.

    8 gets 300 of 1 and 100 of 2; 9's bid is below 700. The last two that met: (700 + 1200) / 2.
    """
    deals = call_auction(
        orders((2, 500, 700), (1, 300, 400)), orders((9, 300, 600), (8, 400, 1200))
    )
    assert listed(deals) == [(1, 8, 300), (2, 8, 100)]
    assert deals.price == 950


def test_what_is_short_is_sold_first_to_who_bids_most() -> None:
    """Only 100 are offered: 8 gets them all, 9 nothing."""
    deals = call_auction(orders((1, 100, 10)), orders((9, 50, 20), (8, 150, 30)))
    assert listed(deals) == [(1, 8, 100)] and deals.price == 20


def test_alike_orders_stand_by_number() -> None:
    deals = call_auction(orders((2, 10, 5), (1, 10, 5)), orders((8, 10, 5)))
    assert listed(deals) == [(1, 8, 10)]


def test_nobody_trades_where_no_bid_reaches_an_offer() -> None:
    assert listed(call_auction(orders((1, 10, 5)), orders((8, 10, 4)))) == []
    assert listed(call_auction(orders(), orders((8, 10, 4)))) == []
    assert listed(call_auction(orders((1, 10, 5)), orders())) == []


def test_deals_of_less_than_a_cent_are_left_out() -> None:
    """19 units at 500 millionths are 0.0095, below 0.01; 20 are a cent."""
    deals = call_auction(orders((1, 19, 500), (2, 20, 500)), orders((8, 39, 500)), 10_000)
    assert listed(deals) == [(2, 8, 20)]


SOME = st.lists(st.tuples(st.integers(1, 50), st.integers(1, 30)), max_size=8)


@given(SOME, SOME)
def test_laws_of_an_auction(offers: list[tuple[int, int]], wishes: list[tuple[int, int]]) -> None:
    """Nobody trades more than asked for, nor at a worse price; nobody who could trade is left."""
    asks = orders(*[(at, *each) for at, each in enumerate(offers)])
    bids = orders(*[(100 + at, *each) for at, each in enumerate(wishes)])
    deals = call_auction(asks, bids)
    for who, sold, own, sign in ((0, deals.seller, offers, 1), (100, deals.buyer, wishes, -1)):
        for at, (units, price) in enumerate(own):
            traded = traded_by(deals, sold, at + who)
            assert traded <= units
            assert not traded or (deals.price - price) * sign >= 0
    rest = [
        [price for at, (units, price) in enumerate(own) if traded_by(deals, of, at + who) < units]
        for who, of, own in ((0, deals.seller, offers), (100, deals.buyer, wishes))
    ]
    assert not (rest[0] and rest[1]) or min(rest[0]) > max(rest[1])


def traded_by(deals: Deals, of: np.ndarray, who: int) -> int:
    return int(deals.units[of == who].sum())
