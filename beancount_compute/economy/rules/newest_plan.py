"""Under which plan a use falls: of the newest subscription that sells such units.

It says at what price use beyond the holdings is billed, and which meter a use has that names none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from beancount_compute.economy import Event, Plan
from beancount_compute.economy.state import Economy, Subscriber, Subscription


def newest_plan(economy: Economy, event: Event, subscriber: Subscriber) -> Plan | None:
    """The plan of a use on its day; None where no subscription sells such units."""
    found = newest_subscription(economy, event, subscriber)
    return found[1] if found else None


def newest_subscription(
    economy: Economy, event: Event, subscriber: Subscriber
) -> tuple[Subscription, Plan] | None:
    """The subscription that a use falls under, and its plan; None where none sells such units."""
    running = [
        (subscription, plan)
        for subscription in subscriber.subscriptions
        if subscription.start <= event.date
        and subscription.runs_on(event.date)
        and (plan := economy.terms.plan(subscription.plan_on(event.date), event.date)) is not None
        and plan.sells(event.commodity)
    ]
    if not running:
        return None
    newest = plan_of_overage([(subscription.start, plan) for subscription, plan in running])
    return next(each for each in reversed(running) if each[1] is newest)


def plan_of_overage(running: Sequence[tuple[date, Plan]]) -> Plan:
    """The plan whose overage price holds: of the newest subscription, then the first by name.

    `running` are the plans for such units on which the subscriber is, with the subscriptions'
    first days.
    """
    newest = max(start for start, _ in running)
    return min((plan for start, plan in running if start == newest), key=lambda each: each.name)
