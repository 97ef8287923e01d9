"""Invoices of what a subscription has in unbilled: behind its periods, or by the month.

    2026-02-15 * "alice" "Invoice payg 2026-01-15/2026-02-14" #compute-invoice
      Assets:Receivable:Alice    32.00 USD
      Assets:Unbilled:Alice     -32.00 USD

They stand before the day's periods. One of nothing is not booked, one below zero is a credit on the
receivable. Behind a subscription's last invoice, charges go to the receivable at once.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from beancount_compute.economy import (
    Arrears,
    BilledBy,
    Due,
    JournalEntry,
    Kind,
    Leg,
    MoneyLeg,
    Plan,
    Role,
    next_invoice,
    text_of,
)
from beancount_compute.economy.state import Economy, Subscription

_DAY = timedelta(1)


def bill_period(economy: Economy, subscription: Subscription, plan: Plan, start: date) -> None:
    """Let what a period is charged be invoiced as its plan says; it may have begun before today."""
    if plan.bill is BilledBy.USE:
        return
    invoiced, day = start, _next(subscription, plan.bill, start, start)
    while day < economy.today:
        invoiced, day = day, _next(subscription, plan.bill, start, day)
    subscription.arrears = Arrears(plan.bill, start, invoiced, day)
    economy.agenda.put(Due.INVOICES, day, subscription)


def bill_changed(economy: Economy, subscription: Subscription, plan: Plan, latest: date) -> None:
    """Let the rest of a period be charged as another plan says, from today on.

    What waits goes with the next invoice, on a day at the latest; so does one that is due today.
    """
    before, today = subscription.arrears, economy.today
    subscription.arrears = None
    bill_period(economy, subscription, plan, today)
    if before is None:
        return
    arrears = subscription.arrears
    if arrears is None:
        arrears = subscription.arrears = Arrears(BilledBy.USE, today, today, latest)
    arrears.unbilled, arrears.invoiced = before.unbilled, before.invoiced
    due = min(arrears.next_invoice, latest, before.next_invoice)
    arrears.next_invoice = due
    economy.agenda.put(Due.INVOICES, due, subscription)


def invoice_later(
    economy: Economy, subscription: Subscription, number: Decimal, currency: str, day: date
) -> None:
    """Put what is no charge for use into unbilled, for the next invoice, on a day at the latest.

    The posting on `unbilled` is the caller's.
    """
    arrears = subscription.arrears
    if arrears is None:
        today = economy.today
        arrears = subscription.arrears = Arrears(BilledBy.USE, today, today, day)
        economy.agenda.put(Due.INVOICES, day, subscription)
    elif day < arrears.next_invoice:
        arrears.next_invoice = day
        economy.agenda.put(Due.INVOICES, day, subscription)
    arrears.put(number, currency)


def send_invoices(economy: Economy, day: date) -> None:
    """Book the invoices of a day."""
    due: list[Subscription] = economy.agenda.take(Due.INVOICES, day)
    for subscription in sorted(due, key=lambda each: (each.subscriber.name, each.plan, each.id)):
        arrears = subscription.arrears
        if arrears is not None and arrears.next_invoice == day:
            invoice(economy, subscription, arrears, day)


def invoice(economy: Economy, subscription: Subscription, arrears: Arrears, day: date) -> None:
    """Book an invoice of all that is in unbilled, and say when the next one is due."""
    name = subscription.subscriber.name
    economy.settle(name)
    legs: list[Leg] = []
    plan = subscription.plan_on(day - _DAY)
    for currency, number in sorted(arrears.unbilled.items()):
        if number:
            legs.append(MoneyLeg(Role.RECEIVABLE, name, plan, number, currency))
            legs.append(MoneyLeg(Role.UNBILLED, name, plan, -number, currency))
    if legs:
        days = f"{text_of(arrears.invoiced)}/{text_of(day - _DAY)}"
        of = f"{plan} {days}"
        if not arrears.of_use:
            changed = any(each.until == arrears.period for each in subscription.earlier)
            of = "of the change of" if changed else "of what was unbilled on"
            of += f" {text_of(arrears.period)}"
        economy.post(
            JournalEntry(
                economy.today,
                Kind.INVOICE,
                name,
                f"Invoice {of}",
                legs,
                f"{Kind.INVOICE}/{subscription.id}/{text_of(day)}",
                None,
                f"subscription {subscription.id}",
                period=days,
                subscription=subscription.id,
            )
        )
    if day >= subscription.period_end or not arrears.of_use:
        subscription.arrears = None
        return
    arrears.unbilled.clear()
    arrears.invoiced = day
    arrears.next_invoice = _next(subscription, arrears.bill, arrears.period, day)
    economy.agenda.put(Due.INVOICES, arrears.next_invoice, subscription)


def _next(subscription: Subscription, bill: BilledBy, period: date, after: date) -> date:
    day_of_month = None if subscription.counted_in_days else subscription.day_of_month
    return next_invoice(bill, period, subscription.period_end, after, day_of_month)


def role_of_charges(subscription: Subscription) -> Role:
    """Where what is charged to a subscription stands: on the receivable, or unbilled first."""
    arrears = subscription.arrears
    return Role.UNBILLED if arrears is not None and arrears.of_use else Role.RECEIVABLE
