"""An economy, month by month: who comes, uses, trades and leaves, under one regime.

    units of a month  ->  uses and auctions by day  ->  what is left is minted or lapses  ->  churn

Everybody's period is the calendar month. The holdings kept here follow the rules that the plugin
books by, so that nobody sells what the books don't have: allocations go first, then the tokens that
end first.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from beancount_compute.economy import Month, minor_unit
from beancount_compute.simulation.assumptions import MILLION, Assumptions
from beancount_compute.simulation.call_auction import Deals, Orders, call_auction
from beancount_compute.simulation.people import People, WholeNumbers, streams_of

MOST_PEOPLE = 2_000_000


class TooManyPeople(Exception):
    """More than can be held; when."""


class Regime(StrEnum):
    """What becomes of units left unused."""

    MARKET = "market"  # tokens, which may be sold
    BREAKAGE = "breakage"  # they lapse


class SimulatedMonth(NamedTuple):
    """What happens in a month; people and plans by number, days from 0."""

    month: Month
    came: WholeNumbers
    plans: WholeNumbers  # of those who came
    left: WholeNumbers
    plans_left: WholeNumbers
    used_on: WholeNumbers
    used_by: WholeNumbers
    used: WholeNumbers
    deals: list[tuple[int, Deals]]  # by day

    @property
    def rows(self) -> int:
        """How many events they are."""
        deals = sum(len(each.units) for _, each in self.deals)
        return len(self.came) + len(self.left) + len(self.used) + deals


def simulated(
    assumed: Assumptions, regime: Regime, subscribers: int, months: int, seed: int
) -> Iterator[SimulatedMonth]:
    """The months of an economy; the same for the same seed. Raises `TooManyPeople`."""
    people = People(assumed, streams_of(seed))
    market = regime is Regime.MARKET
    month = assumed.first_month
    for number in range(months):
        count = people.arriving() if number else subscribers
        if len(people.plan) + count > MOST_PEOPLE:
            raise TooManyPeople(
                f"more than {MOST_PEOPLE:,} subscribers by {month}: ask for fewer months or "
                "subscribers, or lower `monthly` of [arrivals]"
            )
        came = people.come(count)
        wanted = people.wanted(month.number - 1)
        by_day = people.days_of(wanted, month.last.day)
        left, deals = _month(people, assumed, wanted, by_day, market=market)
        unused = np.where(people.there, left, 0)
        # units that cost nothing lapse
        costs = np.array([plan.price > 0 for plan in assumed.plans])[people.plan]
        people.month_ends(np.where(costs, unused, 0), minted=market)
        gone = people.leaving(unused)
        day, who = np.nonzero(by_day.T)
        plans = people.plan[came], people.plan[gone]
        used = by_day[who, day]
        yield SimulatedMonth(month, came, plans[0], gone, plans[1], day, who, used, deals)
        month = month.next


def _month(
    people: People,
    assumed: Assumptions,
    wanted: WholeNumbers,
    by_day: WholeNumbers,
    *,
    market: bool,
) -> tuple[WholeNumbers, list[tuple[int, Deals]]]:
    """Use and trade of a month: what is left of its units, and the deals of each day."""
    left = np.where(people.there, people.units, 0)
    still = wanted.copy()
    sells = wanted <= left
    asks, bids = (_prices(people, assumed, what) for what in ("ask", "bid"))
    charged = np.array([plan.overage > 0 for plan in assumed.plans])[people.plan]
    cent = int(minor_unit(assumed.currency) * MILLION)  # what is less rounds to nothing
    found = []
    for day in range(by_day.shape[1]):
        uses = by_day[:, day]
        if market:
            held = left + people.tokens.sum(axis=1)
            short = np.flatnonzero((uses > held) & ~sells)
            if len(short):
                buying = Orders(short, (still - held)[short], bids[short])
                deals = _trade(people, sells, asks, buying, cent)
                if len(deals.units):
                    found.append((day, deals))
        of_month = np.minimum(uses, left)
        left = left - of_month
        beyond = np.flatnonzero(uses > of_month)
        tokens = people.tokens[beyond].sum(axis=1)
        people.draw_tokens(beyond, (uses - of_month)[beyond])
        still = still - uses
        # who has neither units nor a price beyond them uses no more
        lacking = np.where(charged[beyond], 0, (uses - of_month)[beyond] - tokens)
        by_day[beyond, day] -= np.maximum(lacking, 0)
    return left, found


def _prices(people: People, assumed: Assumptions, what: str) -> WholeNumbers:
    """What each asks or bids a unit, in millionths of the currency, at least one.

    A bid is a share of the price of overage, as an ask is one of the plan's; where nothing is
    charged beyond the plan's units, of the plan's too.
    """
    plans = assumed.plans
    of_units = [
        each.price / each.units if what == "ask" or not each.overage else each.overage
        for each in plans
    ]
    whole = np.array([int(each * MILLION * MILLION) for each in of_units], np.int64)
    asked: WholeNumbers = whole[people.plan] // MILLION * getattr(people, what) // MILLION
    return np.maximum(asked, 1)


def _trade(
    people: People, sells: npt.NDArray[np.bool_], asks: WholeNumbers, bids: Orders, least: int
) -> Deals:
    """A day's auction among those who need no tokens this month and those who lack units."""
    offered = people.tokens.sum(axis=1)
    who = np.flatnonzero(sells & (offered > 0))
    deals = call_auction(Orders(who, offered[who], asks[who]), bids, least)
    sold = np.bincount(deals.seller, deals.units, len(offered)).astype(np.int64)
    sellers = np.flatnonzero(sold)
    people.draw_tokens(sellers, sold[sellers])
    # buyers lack what they buy, and use all of it within the month
    np.add.at(people.tokens[:, 1], deals.buyer, deals.units)
    return deals
