"""A subscription that began before the books: what its running period was charged by then.

    2027-01-01 custom "compute-subscription" "bob" "commit"
      started: 2026-11-01
      charged: 70.00 USD       ; for use in the quarter that runs; its minimum is 100.00 USD
      unbilled: 35.00 USD      ; of that and of all else is not invoiced yet

The balance on `unbilled` is entered by hand, as every opening balance is.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from beancount_compute.economy import (
    Event,
    Money,
    MoneyLeg,
    Plan,
    Refusal,
    Refused,
    Role,
    amount,
    quoted,
    round_money,
)
from beancount_compute.economy.rules.invoicing import bill_period, invoice, invoice_later
from beancount_compute.economy.rules.shortfall import commit
from beancount_compute.economy.state import Economy, Subscription


def check_taken_over(economy: Economy, event: Event) -> None:
    """Refuse charges from before the books that are no money, or of what begins with the books."""
    for name, said in (("charged", event.charged), ("unbilled", event.unbilled)):
        if said:
            economy.check_commodities(event._replace(currency=_money(said).currency))
        if said and event.started in ("", str(event.date)):
            raise Refused(
                f"`{name}` of a subscription that begins on {event.date}: nothing was charged for "
                f"it before; leave it out, or say since when it runs with `started`"
            )


def take_over_charges(
    economy: Economy, subscription: Subscription, plan: Plan, first: date, event: Event
) -> None:
    """Let a period that runs, or ends today, be charged on, from the charges before the books."""
    bill_period(economy, subscription, plan, first)
    if subscription.period_end > economy.today:
        commit(economy, subscription, plan, first)
    if event.charged:
        _count_charged(economy, subscription, _money(event.charged), event)
    if event.unbilled:
        number, currency = _money(event.unbilled)
        invoice_later(economy, subscription, number, currency, subscription.period_end)
        if economy.totals is not None:
            name = subscription.subscriber.name
            economy.totals.add([MoneyLeg(Role.UNBILLED, name, "", number, currency)])
    arrears = subscription.arrears
    if arrears is not None and arrears.next_invoice == economy.today:
        invoice(economy, subscription, arrears, economy.today)


def _count_charged(
    economy: Economy, subscription: Subscription, charged: Money, event: Event
) -> None:
    commitment = subscription.commitment_on(economy.today)
    if commitment is None or commitment.minimum.currency != charged.currency:
        instead = "leave it out"
        if commitment is not None:
            instead = f"write it in {commitment.minimum.currency}, as the minimum is"
        text = (
            f"`charged` {amount(*charged)}: no period of plan {quoted(subscription.plan)} on "
            f"{economy.today} has a minimum in {charged.currency}: {instead}"
        )
        economy.refusals.append(Refusal(event.place, text))
    else:
        commitment.charge(*charged)


def _money(text: str) -> Money:
    number, _, currency = text.partition(" ")
    return Money(round_money(Decimal(number), currency), currency)
