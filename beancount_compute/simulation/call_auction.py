"""The call auction of a day: all who would trade at one price do.

    asks   300 at 0.0004, 500 at 0.0007          ; price per unit
    bids   400 at 0.0012, 300 at 0.0006          ->   400 units, at (0.0007 + 0.0012) / 2

The cheapest offers meet the highest bids as long as no bid is below its offer; the price lies in
the middle of the last two that met.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from beancount_compute.simulation.people import WholeNumbers


class Orders(NamedTuple):
    """Who would sell or buy how many units, at which price: in millionths of a currency."""

    who: WholeNumbers
    units: WholeNumbers
    price: WholeNumbers


class Deals(NamedTuple):
    """What was sold by whom to whom."""

    seller: WholeNumbers
    buyer: WholeNumbers
    units: WholeNumbers
    price: int


def call_auction(asks: Orders, bids: Orders, least: int = 1) -> Deals:
    """The deals of a day, but for those of less money than the least, in millionths.

    Nobody may both sell and buy.
    """
    asks = _sorted(asks, asks.price)
    bids = _sorted(bids, -bids.price)
    asked = np.cumsum(bids.units)
    offered = np.cumsum(asks.units)
    needed = int(np.searchsorted(offered, _last(asked))) + 1  # the others find nobody
    asks, offered = Orders(*[column[:needed] for column in asks]), offered[:needed]
    ends = np.union1d(offered, asked)
    ends = ends[ends <= min(_last(offered), _last(asked))]
    seller = np.searchsorted(offered, ends)
    buyer = np.searchsorted(asked, ends)
    meet = asks.price[seller] <= bids.price[buyer]
    count = int(np.argmin(meet)) if not meet.all() else len(meet)
    if not count:
        nothing = np.empty(0, np.int64)
        return Deals(nothing, nothing, nothing, 0)
    seller, buyer = seller[:count], buyer[:count]
    price = (int(asks.price[seller[-1]]) + int(bids.price[buyer[-1]])) // 2
    units = np.diff(ends[:count], prepend=0)
    kept = units * price >= least
    return Deals(asks.who[seller][kept], bids.who[buyer][kept], units[kept], price)


def _sorted(orders: Orders, by: WholeNumbers) -> Orders:
    """The orders, the best first; of two alike the one whose number is lower."""
    order = np.lexsort((orders.who, by))
    return Orders(*[column[order] for column in orders])


def _last(sums: WholeNumbers) -> int:
    return int(sums[-1]) if len(sums) else 0
