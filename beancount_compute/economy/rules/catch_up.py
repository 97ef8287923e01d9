"""Catch-ups: a price that changes for what was used already (ASC 606-10-32-42 to 32-45).

    2026-04-01 custom "compute-plan" "bulk" 0.00 USD 0 CU
      overage: 432.00 USD
      overage-since: 2026-01-01
    ->
    2026-04-01 * "alice" "Catch-up bulk 2026-01-01/2026-03-31" #compute-catch-up
      Assets:Receivable:Alice    -3600.00 USD        ; 75 CU, for each of which 480.00 was charged
      Income:Overage              3600.00 USD

Each running period is charged anew, on the day of the line. What is charged is rounded on the
running total of subscriber, plan and calendar month, as any overage is. A reversal of a use that
was charged anew is the mirror image of the use, and a catch-up stands behind it.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from beancount_compute.economy import (
    WIDE,
    ZERO,
    Due,
    Event,
    JournalEntry,
    Kind,
    Money,
    Plan,
    UsedInPeriod,
    period_with,
    price_of_use,
    round_money,
    text_of,
)
from beancount_compute.economy.rules.shortfall import charged, told_by
from beancount_compute.economy.state import Economy, Subscription, Undo

_DAY = timedelta(1)
OverageMonth = tuple[str, str, str, int, int]  # subscriber, plan, currency, year, month


def on_running_total(
    economy: Economy, name: str, plan: str, currency: str, exact: Decimal
) -> tuple[OverageMonth, Decimal]:
    """What is charged of an exact amount, on the running total of the month that is booked.

    A late use counts in the month in which it is booked.
    """
    month = (name, plan, currency, economy.today.year, economy.today.month)
    before, booked = economy.overage.get(month, (ZERO, ZERO))
    total = WIDE.add(before, exact)
    charge = WIDE.subtract(round_money(total, currency), booked)
    economy.overage[month] = (total, WIDE.add(booked, charge))
    return month, charge


def begin_counting(economy: Economy, subscription: Subscription, day: date) -> None:
    """Count what a period uses beyond the holdings, where a line will ask for it."""
    if subscription.plan in economy.charged_anew:
        period_id = f"{subscription.id}/{text_of(day)}"
        of = subscription.subscriber.name, subscription.plan
        economy.beyond[of] = UsedInPeriod(period_id, day, subscription.period_end)


def count_use(economy: Economy, name: str, plan: str, day: date, units: Decimal) -> None:
    """Count units that were used beyond the holdings, or below zero what comes back of them."""
    used = economy.beyond.get((name, plan))
    if used is not None:
        used.add(day, units)


def await_catch_ups(economy: Economy, closed: date | None) -> None:
    """Put on the agenda the lines that charge anew, of open days."""
    for name in economy.charged_anew:
        for plan in economy.terms.plans[name]:
            if plan.overage_since and (closed is None or plan.since > closed):
                economy.agenda.put(Due.CATCH_UPS, plan.since, plan)


def charge_anew(economy: Economy, day: date) -> None:
    """Book the catch-ups of a day."""
    due: list[Plan] = economy.agenda.take(Due.CATCH_UPS, day)
    for plan in sorted(due, key=lambda each: each.name):
        for (name, of), used in sorted(economy.beyond.items(), key=lambda each: each[0]):
            for subscription in economy.subscribers[name].subscriptions if of == plan.name else ():
                if subscription.plan == of and used.first <= day < subscription.period_end:
                    _catch_up(economy, plan, subscription, used)


def _catch_up(economy: Economy, plan: Plan, subscription: Subscription, used: UsedInPeriod) -> None:
    price, day = plan.overage, economy.today
    assert price is not None and plan.overage_since is not None  # which its line makes sure of
    since, lines = max(plan.overage_since, used.first), economy.terms.plans[plan.name]
    more = ZERO
    for used_on, units in used.units.items():
        if used_on >= since:
            before = price_of_use(lines, used_on, used.end, day) or price
            more = WIDE.add(more, WIDE.multiply(units, price.number - before.number))
    days = f"{text_of(since)}/{text_of(day - _DAY)}"
    _book(
        economy,
        subscription,
        day,
        Money(more, price.currency),
        f"Catch-up {plan.name} {days}",
        f"{used.id}/{text_of(day)}",
        f"plan {plan.name} of {text_of(plan.since)}",
    )


def price_when_late(economy: Economy, event: Event, subscription: Subscription) -> Money | None:
    """What a unit of a late use costs, behind the catch-ups before today; None as on its day."""
    if subscription.plan_on(event.date) not in economy.charged_anew:
        return None
    return _price(economy, subscription, event.date, economy.today)


def _price(economy: Economy, subscription: Subscription, day: date, before: date) -> Money | None:
    """What a unit that was used on a day costs by the lines of the plan before another day."""
    plan = subscription.plan_on(day)
    by_now, start, changes = subscription.plan, subscription.start, subscription.earlier
    _, end = period_with(economy.terms, by_now, start, day, changes)
    end = min(end, subscription.period_end)  # which a cancellation at once may bring forward
    return price_of_use(economy.terms.plans[plan], day, end, before)


def take_back_catch_ups(economy: Economy, undo: Undo, event_id: str) -> None:
    """Book what catch-ups added since to the charge of a use that a reversal takes back."""
    over = undo.overage
    if over is None or over.month[1] not in economy.charged_anew:
        return
    name, plan, currency, _, _ = over.month
    day = undo.day
    count_use(economy, name, plan, day, -over.units)
    for subscription in economy.subscribers[name].subscriptions:
        on = subscription.plan_on(day)
        if on == plan and subscription.start <= day and subscription.runs_on(day):
            was = _price(economy, subscription, day, undo.entry.date)
            behind = economy.today if economy.late else economy.today + _DAY
            now = _price(economy, subscription, day, behind)
            if was is not None and now is not None and was != now:
                more = Money(WIDE.multiply(over.units, was.number - now.number), currency)
                source = f"{Kind.REVERSAL} {event_id}"
                _book(economy, subscription, day, more, f"Catch-up {plan}", event_id, source)
            return


def _book(
    economy: Economy,
    subscription: Subscription,
    day: date,
    exact: Money,
    narration: str,
    of: str,
    source: str,
) -> None:
    """Charge more, or less, for what was used in the period of a day."""
    name, plan = subscription.subscriber.name, subscription.plan_on(day)
    _, charge = on_running_total(economy, name, plan, exact.currency, exact.number)
    if not charge:
        return
    economy.settle(name)
    legs, shortfall = charged(subscription, day, charge, exact.currency, plan)
    economy.post(
        JournalEntry(
            economy.today,
            Kind.CATCH_UP,
            name,
            narration,
            legs,
            f"{Kind.CATCH_UP}/{of}",
            None,
            source,
            subscription=told_by(subscription, day),
            shortfall=shortfall,
        )
    )
