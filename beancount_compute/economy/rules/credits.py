"""Prepaid credits: what the operator bought of a provider ahead, its stock, an asset at cost.

    2026-05-01 * "openai" "Prepaid credits" #compute-purchase
      Assets:Prepaid:Openai              200 OAI {1.00 USD, 2026-05-01, "openai/2027-05-01"}
      Liabilities:Providers:Openai   -200.00 USD

    2027-05-01 * "openai" "Lapse" #compute-lapse
      Assets:Prepaid:Openai             -120 OAI {1.00 USD, 2026-05-01, "openai/2027-05-01"}
      Expenses:Compute:Lapsed         120.00 USD

The operator is its provider's subscriber: these are the lots of an allocation with the signs
turned, and what lapses is its own loss, the mirror of breakage.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from beancount_compute.economy import (
    COST_STEP,
    STOCK,
    Event,
    JournalEntry,
    Kind,
    Lacking,
    Leg,
    Lot,
    LotLeg,
    MoneyLeg,
    OpenLot,
    Refused,
    Role,
    amount,
    lot_of,
    quoted,
    round_money,
    text_of,
)
from beancount_compute.economy.rules.allocation import end_of, shares_of
from beancount_compute.economy.state import Economy


def purchase(economy: Economy, event: Event, event_id: str) -> None:
    """Book credits that are bought, and what is owed for them."""
    assert event.units is not None and event.paid is not None
    provider, day = event.counterparty, economy.today
    check_credits(economy, provider, event.commodity)
    economy.check_commodities(event)
    paid = round_money(event.paid, event.currency)
    if not paid:
        raise Refused(
            f"the payment of {amount(event.paid, event.currency)} rounds to zero: write what the "
            "credits cost"
        )
    step = economy.terms.of_ledger(COST_STEP)
    shares = shares_of(paid, event.currency, event.units, event.commodity, step)
    end = end_of(event)
    lots: list[tuple[Lot, Decimal]] = []
    for units, cost in shares:
        lot = lot_of((provider, STOCK, event.commodity, cost, event.currency, day, provider, end))
        lots.append((in_stock(economy, lot, units), units))
    legs: list[Leg] = [LotLeg(lot, units) for lot, units in lots]
    legs.append(MoneyLeg(Role.PROVIDER, provider, "", -paid, event.currency))
    narration = "Prepaid credits"
    economy.post(JournalEntry(day, Kind.PURCHASE, provider, narration, legs, event_id, event))
    for lot, units in lots:
        economy.put_in_stock(lot, units)


def check_provider(economy: Economy, provider: str) -> None:
    """Refuse one that no term names."""
    known = economy.terms.known_providers
    if provider not in known:
        raise Lacking(
            f"unknown provider {quoted(provider)}: no compute-provider, compute-meter, "
            "compute-quote or compute-capacity names it: write one"
            f"{economy.hints.of('provider', provider, known)}"
        )


def check_credits(economy: Economy, provider: str, commodity: str) -> None:
    """Refuse credits of an unknown provider, or in units that are something else already."""
    check_provider(economy, provider)
    priced_in = [
        each
        for line in economy.terms.providers.values()
        for each in line
        if each.beyond and each.beyond.currency == commodity
    ]
    if priced_in:
        raise Refused(
            f"wrong commodity: {commodity} is what {quoted(priced_in[0].name)} asks for credits "
            f"beyond those held, so money ({priced_in[0].place}): write `beyond` in money"
        )
    if commodity in economy.terms.units:
        raise Refused(
            f"wrong commodity: {commodity} is what subscribers hold: give the credits of "
            f"{quoted(provider)} one of their own"
        )
    other = economy.provider_of.get(commodity, provider)
    if other != provider:
        raise Refused(
            f"{commodity} are credits of {quoted(other)}: give those of {quoted(provider)} a "
            "commodity of their own"
        )


def in_stock(economy: Economy, lot: Lot, units: Decimal) -> Lot:
    """The lot under which credits would lie: an open one of the same key, or the given one."""
    holding = economy.stock.get(lot.commodity)
    return holding.lot_for(lot, units) if holding else lot


def lapse(economy: Economy, open_lot: OpenLot, day: date) -> None:
    """Let credits lapse that nobody used: their cost is lost."""
    lot, units = open_lot.lot, open_lot.units
    open_lot.holding.take(open_lot, units)
    legs: list[Leg] = [LotLeg(lot, -units)]
    if lot.cost:
        legs.append(MoneyLeg(Role.LAPSED, lot.holder, "", units * lot.cost, lot.currency))
    assert lot.end is not None
    lapse_id = f"{Kind.LAPSE}/{lot.label}/{text_of(lot.date)}"
    source = f"credits of {text_of(lot.date)}, end {text_of(lot.end)}"
    economy.post(JournalEntry(day, Kind.LAPSE, lot.holder, "Lapse", legs, lapse_id, None, source))
