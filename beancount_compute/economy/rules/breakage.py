"""The end of a lot: unused units turn into tokens, or lapse and become breakage.

    2026-06-01 * "alice" "Mint" #compute-mint
      Liabilities:DeferredRevenue:Allocations:Alice    800 CU {0.20 USD, 2026-05-01, "pro/..."}
      Liabilities:DeferredRevenue:Tokens:Alice        -800 CU {0.20 USD, 2026-05-01, "pro/..."}

    2027-06-01 * "alice" "Expiry" #compute-expiry
      Liabilities:DeferredRevenue:Tokens:Alice    300 CU {0.20 USD, 2026-05-01, "pro/2027-06-01"}
      Income:Breakage                          -60.00 USD

A mint is no income: the right is unchanged, only its form. Breakage is recognised when the right
lapses (the remote method). Rollover books nothing: the lot's end is its life's.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from beancount_compute.economy import (
    STOCK,
    ZERO,
    Due,
    JournalEntry,
    Kind,
    Leg,
    Lot,
    LotLeg,
    MoneyLeg,
    OpenLot,
    Plan,
    Pocket,
    Role,
    Unused,
    later,
    lot_of,
    part,
    text_of,
)
from beancount_compute.economy.rules.access import earn
from beancount_compute.economy.rules.credits import lapse
from beancount_compute.economy.state import Economy

_DAY = timedelta(1)


def end_lots(economy: Economy, day: date) -> None:
    """Let all lots meet their end that end on a day."""
    economy.settle(*economy.agenda.take(Due.PERIOD_ENDS, day))
    due: list[OpenLot] = [*economy.agenda.take(Due.LOT_ENDS, day), *economy.returned]
    economy.returned = []
    _meet_ends(economy, due)


def end_returned(economy: Economy, day: date) -> None:
    """Let lots that came back late meet their end, before an event that came late and of later."""
    ends = [(each, economy.end_of(each.lot)) for each in economy.returned]
    due = [each for each, end in ends if end is not None and end <= day]
    economy.returned = [each for each in economy.returned if each not in due]
    _meet_ends(economy, due)


def _meet_ends(economy: Economy, due: list[OpenLot]) -> None:
    for open_lot in sorted(due, key=_place):
        if open_lot.units:
            meet_end(economy, open_lot, economy.today)


def meet_end(economy: Economy, open_lot: OpenLot, day: date) -> None:
    """Mint, then expire the rest of a lot, as its plan's terms of the lot's date say."""
    lot, units = open_lot.lot, open_lot.units
    if lot.pocket is STOCK:
        lapse(economy, open_lot, day)
        return
    if lot.pocket is Pocket.ACCESS:  # booked late: its last evening is behind
        earn(economy, open_lot, economy.terms_day_of(lot), day)
        return
    economy.settle(lot.holder)
    open_lot.holding.take(open_lot, units)
    plan = economy.terms.plan_of_lot(lot.origin, economy.terms_day_of(lot))
    minted = ZERO
    if plan is not None and lot.pocket is Pocket.ALLOCATIONS and plan.unused is Unused.MINT:
        minted = part(units, plan.mint_rate, lot.cost) if lot.cost else ZERO
    if minted:
        _mint(economy, lot, minted, plan, day)
    if units != minted:
        _expire(economy, lot, units - minted, plan, day)


def _mint(economy: Economy, lot: Lot, units: Decimal, plan: Plan | None, day: date) -> None:
    ended = economy.end_of(lot)
    assert plan is not None and ended is not None
    end = later(ended, plan.token_expires) if plan.token_expires else None
    token = lot_of((lot.holder, Pocket.TOKENS, *lot[2:-1], end))
    legs: list[Leg] = [LotLeg(lot, units), LotLeg(token, -units)]
    mint_id, source = _cause(Kind.MINT, lot, plan, ended)
    economy.post(JournalEntry(day, Kind.MINT, lot.holder, "Mint", legs, mint_id, None, source))
    subscriber = economy.subscribers[lot.holder]
    economy.put(subscriber, token, units)
    if end is not None and end <= economy.terms_day:
        open_token = subscriber.find(token)
        assert open_token is not None
        meet_end(economy, open_token, day)


def expire_rest(economy: Economy, open_lot: OpenLot, units: Decimal, day: date) -> None:
    """Let what is left of a lot lapse on a day, whatever its own end."""
    lot = open_lot.lot
    open_lot.holding.take(open_lot, units)
    plan = economy.terms.plan_of_lot(lot.origin, economy.terms_day_of(lot))
    _expire(economy, lot, units, plan, day)


def _expire(economy: Economy, lot: Lot, units: Decimal, plan: Plan | None, day: date) -> None:
    legs: list[Leg] = [LotLeg(lot, units)]
    if lot.cost:
        cost = units * lot.cost if lot.pocket is not Pocket.ACCESS else units  # with its digits
        legs.append(MoneyLeg(Role.BREAKAGE, lot.holder, lot.origin, -cost, lot.currency))
    ended = economy.end_of(lot) if lot.pocket is not Pocket.ACCESS else day + _DAY
    assert ended is not None
    expiry_id, source = _cause(Kind.EXPIRY, lot, plan, ended)
    economy.post(
        JournalEntry(day, Kind.EXPIRY, lot.holder, "Expiry", legs, expiry_id, None, source)
    )


def _cause(kind: Kind, lot: Lot, plan: Plan | None, end: date) -> tuple[str, str]:
    """The id of a lot's end, and the terms that it stems from."""
    terms = f"plan {plan.name} of {text_of(plan.since)}" if plan else lot.origin
    event_id = f"{kind}/{lot.holder}/{lot.label}/{text_of(lot.date)}"
    return event_id, f"{terms}, end {text_of(end)}"


def _place(open_lot: OpenLot) -> tuple[str, str, str, date, str, Decimal, str]:
    lot = open_lot.lot
    return (lot.holder, lot.pocket, lot.commodity, lot.date, lot.currency, lot.cost, lot.origin)
