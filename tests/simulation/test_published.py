"""Signs that were published of markets among subscribers come out of this model, as far as it goes.

Two papers on markets for mobile data. What they say of decisions that the model has not is put into
what the model is asked, and said below.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from beancount_compute.economy import Earning, Flow
from beancount_compute.simulation.assumptions import MILLION, SoldPlan, read_assumptions, usual_text
from beancount_compute.simulation.call_auction import Orders, call_auction
from beancount_compute.simulation.people import WholeNumbers
from beancount_compute.simulation.replication import replicate
from beancount_compute.simulation.simulated_months import Regime
from beancount_compute.simulation.written_ledger import SimulationAsked
from tests.reports.story import HEAD, books_of

USUAL = read_assumptions(usual_text())
CARDS = (
    HEAD
    + """\
2018-10-01 custom "compute-plan" "card" 10983.00 USD 109830 CU
  every: "year"
2018-10-01 custom "compute-subscription" "cards" "card"
2019-09-20 custom "compute-consumption" "cards" 108422 CU
2019-09-21 custom "compute-cancellation" "cards" "card"
2018-10-01 custom "compute-option" "as-of" 2019-10-01
"""
)
SWITCHING = Decimal("0.1")  # of the subscribers of other operators come for a market


@pytest.mark.parametrize("seed", [1, 2])
def test_a_small_operator_gains_by_a_market_and_a_large_one_loses(seed: int) -> None:
    """Yu, Cheung and Huang, "Economics of Mobile Data Trading Market", arXiv 2012.02491.

    A market takes from overage and from what lapses, and brings subscribers of other operators:
    many beside a small operator's own, few beside a large one's. Other operators are no part of the
    model: of their subscribers a tenth comes at once, whatever the operator's share. Tokens hold
    nobody here, so that nothing but this differs. Fees are the usual ones, not the best ones.
    """
    assumed = USUAL._replace(tokens=0)

    def revenue(regime: Regime, share: Decimal) -> Decimal:
        own = 40
        won = round(own * SWITCHING * (1 - share) / share) if regime is Regime.MARKET else 0
        return replicate(SimulationAsked(assumed, regime, own + won, 24, seed)).revenue

    small, large = Decimal("0.1"), Decimal("0.8")
    alone = revenue(Regime.BREAKAGE, small)
    assert revenue(Regime.MARKET, small) > alone > revenue(Regime.MARKET, large)


def chance_to_lack(plan: SoldPlan, level: WholeNumbers) -> np.ndarray:
    """The chance that a subscriber of a level wants more next month than the plan holds."""
    swings = np.linspace(-USUAL.varies, USUAL.varies, 101)
    places = np.clip(level[:, None] + swings, 0, MILLION) / MILLION * 10
    wanted = np.interp(places, np.arange(11), np.array(plan.wanted) / MILLION)
    chances: np.ndarray = (wanted > 1).mean(axis=1)
    return chances


def supply_and_demand(asks: Orders, bids: Orders, price: int) -> tuple[int, int]:
    """What an operator buys, and what it sells, who takes and offers all at a price."""
    operator = Orders(*[np.array([each], np.int64) for each in (10**6, 10**12, price)])
    sold, bought = call_auction(asks, operator), call_auction(operator, bids)
    return int(sold.units.sum()), int(bought.units.sum())


def test_with_rollover_supply_falls_and_demand_rises_at_the_same_price() -> None:
    """Wang et al., "Economic Viability of Data Trading with Rollover", arXiv 1905.06704.

    What is left over is worth nothing at a month's end without rollover; with it, what it saves
    next month: the price of overage times the chance to lack units then. So nobody asks less, and
    who lacks units also bids for those that he may lack then. Subscribers who hold back for later
    are no part of simulated economies, where all that a month leaves is offered: this is the
    auction alone, with offers and bids by that rule. The operator sets the price, as in the paper.
    """
    plan = USUAL.plans[0]
    overage = int(plan.overage * MILLION)
    level = np.arange(0, MILLION, MILLION // 200, dtype=np.int64)
    wanted = np.interp(level / MILLION * 10, np.arange(11), plan.wanted) * plan.units / MILLION
    left = np.maximum(plan.units - wanted, 0).astype(np.int64)
    lacks = np.maximum(wanted - plan.units, 0).astype(np.int64)
    chance = chance_to_lack(plan, level)
    worth = np.maximum((overage * chance).astype(np.int64), 1)
    sells, buys = np.flatnonzero(left), np.flatnonzero(lacks)

    asks = Orders(sells, left[sells], np.ones(len(sells), np.int64))
    bids = Orders(buys, lacks[buys], np.full(len(buys), overage, np.int64))
    asks_later = asks._replace(price=worth[sells])
    bids_later = Orders(
        np.concatenate([buys, buys]),
        np.concatenate([lacks[buys], lacks[buys]]),
        np.concatenate([bids.price, worth[buys]]),
    )
    prices = range(1, overage + 1, 50)
    at_once = [supply_and_demand(asks, bids, price) for price in prices]
    later = [supply_and_demand(asks_later, bids_later, price) for price in prices]
    assert all(now[0] >= then[0] for now, then in zip(at_once, later, strict=True))
    assert all(now[1] <= then[1] for now, then in zip(at_once, later, strict=True))
    assert at_once != later
    fifth = len(prices) // 5
    assert at_once[fifth][0] > later[fifth][0] and at_once[fifth][1] < later[fifth][1]


def test_a_year_of_cards_lapses_as_starbucks_said() -> None:
    """Starbucks, fiscal year 2019: of 10,983 M loaded 140.8 M were breakage, 1.28 %."""
    books = books_of(CARDS)
    lapsed = sum(each.amount for each in books.incomes if each.earning is Earning.BREAKAGE)
    loaded = sum(each.amount for each in books.movements if each.flow is Flow.ALLOCATED)
    assert (lapsed, loaded) == (Decimal("140.80"), Decimal("10983.00"))
    assert round(lapsed / loaded, 4) == Decimal("0.0128")


def test_forty_of_two_hundred_are_a_margin_of_four_fifths_until_they_leave() -> None:
    """The proposal's own example: 200.00 a month, of which units for 40.00 are used.

    The rest lapses at the month's end and is earned then: of each month that is over 160.00 of
    200.00 cost nothing. Nobody uses more and nobody trades; the last month's rest is deferred.
    """
    fifth = tuple([200_000] * 11)
    pro = USUAL.plans[1]._replace(among=MILLION, units=1000, wanted=fifth, overage=Decimal(0))
    flat = USUAL._replace(plans=(pro,), season=tuple([MILLION] * 12), varies=0)
    found = replicate(SimulationAsked(flat, Regime.BREAKAGE, 50, 12, 1))
    months, open_months = found.use / 40, found.deferred / 160
    assert months == int(months) and found.left > 0 and open_months >= found.subscribers
    assert found.breakage == 160 * (months - open_months)
    assert found.revenue == found.use + found.breakage
    assert found.breakage / (found.revenue - 40 * open_months) == Decimal("0.8")
