"""Spending tokens with a partner: the settlement is owed to the partner, the rest is income.

    2026-06-12 * "alice" "Spend with gpu-shop" #compute-spend
      Liabilities:DeferredRevenue:Tokens:Alice    100 CU {0.20 USD, 2026-05-01, "pro/2027-06-01"}
      Liabilities:Partners:Gpu-shop            -17.00 USD
      Income:Partners                           -3.00 USD

The operator is the partner's agent; a settlement above the carrying amount reduces income.
"""

from __future__ import annotations

from beancount_compute.economy import (
    ZERO,
    Event,
    JournalEntry,
    Kind,
    MoneyLeg,
    Refused,
    Role,
    amount,
    cost_of_lots,
    out_of,
    out_of_lapsed,
    round_money,
)
from beancount_compute.economy.rules.late_draws import no_breakage
from beancount_compute.economy.rules.trade import tokens_for
from beancount_compute.economy.state import Economy


def spend(economy: Economy, event: Event, event_id: str) -> None:
    """Book tokens spent with a partner: carrying amount against settlement and partner income."""
    assert event.paid is not None
    economy.check_commodities(event)
    subscriber = economy.known(event.subscriber)
    settlement = round_money(event.paid, event.currency)
    if not settlement:
        raise Refused(f"the settlement of {amount(event.paid, event.currency)} rounds to zero")
    draws, lapsed = tokens_for(economy, event, subscriber, "spends", lapsed=economy.late)
    rest = {event.currency: settlement}
    taken = [*((open_lot.lot, units) for open_lot, units in draws), *lapsed]
    for (_, currency), cost in cost_of_lots(taken).items():
        rest[currency] = rest.get(currency, ZERO) - cost
    legs = out_of(draws) + out_of_lapsed(lapsed)
    legs.append(
        MoneyLeg(Role.PARTNER, subscriber.name, event.counterparty, -settlement, event.currency)
    )
    legs += [
        MoneyLeg(Role.PARTNER_INCOME, subscriber.name, "", number, currency)
        for currency, number in rest.items()
        if number
    ]
    legs += no_breakage(subscriber.name, lapsed)
    economy.take(draws)
    economy.settle(subscriber.name)
    entry = JournalEntry(
        economy.today,
        Kind.SPEND,
        subscriber.name,
        f"Spend with {event.counterparty}",
        legs,
        event_id,
        event,
        counterparty=event.counterparty,
    )
    economy.post(entry)
