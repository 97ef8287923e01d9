"""Refunds: units given back at what they cost.

    2026-06-15 * "alice" "Refund" #compute-refund
      Liabilities:DeferredRevenue:Tokens:Alice    1 CU {0.006666 USD, 2026-05-01, "top-up"}
      Liabilities:Payable:Alice               -0.01 USD
      Income:Compute                       0.003334 USD

Only units that were paid for are refunded.
"""

from __future__ import annotations

from decimal import Decimal

from beancount_compute.economy import (
    WIDE,
    ZERO,
    Draw,
    Event,
    JournalEntry,
    Kind,
    Lacking,
    MoneyLeg,
    Pocket,
    Refused,
    Role,
    amount,
    cost_by_origin,
    out_of,
    quoted,
    round_money,
)
from beancount_compute.economy.rules.giving_back import refund_money
from beancount_compute.economy.state import Economy

NOTHING_PAID_FOR = "check the name, the units and the date; what was granted can't be given back"


def refund(economy: Economy, event: Event, event_id: str) -> None:
    """Book units given back: their cost, rounded once per currency, to payable."""
    if event.of:
        refund_money(economy, event, event_id)
        return
    assert event.units is not None
    subscriber = economy.known(event.subscriber)
    if event.commodity in economy.terms.money:
        raise Refused(
            f"a refund of {event.commodity}, which is money: write as `of` the id of the "
            "allocation that it is for, or write units"
        )
    economy.check_commodities(event)
    draws: list[Draw] = []
    missing = event.units
    for pocket in (Pocket.TOKENS, Pocket.ALLOCATIONS):
        holding = subscriber.pocket(pocket).get(event.commodity)
        if holding is not None and missing:
            more, missing = holding.plan(missing, economy.order, paid_only=True)
            draws += more
    if missing:
        held = WIDE.subtract(event.units, missing)
        raise Lacking(
            f"{quoted(subscriber.name)} gives back {amount(event.units, event.commodity)} and "
            f"holds {amount(held, event.commodity)} that were paid for: "
            + ("write at most that" if held else NOTHING_PAID_FOR),
            subscriber.name,
            (missing, event.commodity),
        )
    owed: dict[str, Decimal] = {}
    origins: dict[str, str] = {}
    for (origin, currency), cost in cost_by_origin(draws).items():
        owed[currency] = owed.get(currency, ZERO) + cost
        origins.setdefault(currency, origin)
    legs = out_of(draws)
    for currency, cost in owed.items():
        payable = round_money(cost, currency)
        money = ((Role.PAYABLE, -payable), (Role.REVENUE, payable - cost))
        legs += [
            MoneyLeg(role, subscriber.name, origins[currency], number, currency)
            for role, number in money
            if number
        ]
    economy.take(draws)
    economy.settle(subscriber.name)
    entry = JournalEntry(
        economy.today,
        Kind.REFUND,
        subscriber.name,
        "Refund",
        legs,
        event_id,
        event,
    )
    economy.post(entry)
