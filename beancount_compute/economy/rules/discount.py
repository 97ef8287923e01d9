"""Discounts: what each period of a plan costs somebody less, before its price is split.

    2026-05-01 custom "compute-subscription" "alice" "pro"    ; 200.00 USD for 1000 CU
      discount: 30.00 USD

    2026-05-01 * "alice" "Allocation pro 2026-05-01/2026-05-31" #compute-allocation
      Assets:Receivable:Alice                        170.00 USD
      Liabilities:DeferredRevenue:Allocations:Alice  -1000 CU {0.17 USD, 2026-05-01, "pro/..."}

So it falls on access and units in proportion (ASC 606-10-32-36).
"""

from __future__ import annotations

from decimal import Decimal

from beancount_compute.economy import (
    ZERO,
    Event,
    Plan,
    Refusal,
    Refused,
    amount,
    quoted,
    round_money,
)
from beancount_compute.economy.state import Economy, Subscription


def check_discount(economy: Economy, plan: Plan, event: Event) -> None:
    """Refuse a discount that can't be taken off the price of a plan.

    Of a subscription that started earlier the price may have fallen below it.
    """
    if not event.discount:
        return
    said = f"a discount of {amount(event.discount, event.currency)}"
    if event.currency != plan.currency:
        raise Refused(
            f"wrong currency: {said} on plan {quoted(plan.name)}, whose price is in "
            f"{plan.currency}: write it in {plan.currency}"
        )
    if event.discount != round_money(event.discount, event.currency):
        raise Refused(f"{said} is finer than {event.currency} is paid in: round it")
    price = round_money(plan.price, plan.currency)
    may_have_fallen = economy.again is not None or event.started not in ("", str(event.date))
    if event.discount > price and not may_have_fallen:
        raise Refused(
            f"{said} is above the price of plan {quoted(plan.name)}, "
            f"{amount(price, plan.currency)}: write at most that"
        )


def discount_of(economy: Economy, subscription: Subscription, plan: Plan) -> Decimal:
    """What a period costs a subscription less: its discount, while the plan's currency is that."""
    if not subscription.discount or subscription.currency == plan.currency:
        return subscription.discount
    said = amount(subscription.discount, subscription.currency)
    economy.refusals.append(
        Refusal(
            subscription.place,
            f"wrong currency: the discount of {said} ends where the price of plan "
            f"{quoted(plan.name)} is in {plan.currency}, from {plan.since} on: cancel, and "
            f"subscribe with a discount in {plan.currency}",
        )
    )
    subscription.discount = ZERO
    return ZERO
