"""Under which plan a use falls: of the newest subscription that sells such units.

It says at what price use beyond the holdings is billed, and which meter a use has that names none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from beancount_compute.economy import Event, Plan
from beancount_compute.economy.state import Economy, Subscriber


def newest_plan(economy: Economy, event: Event, subscriber: Subscriber) -> Plan | None:
    """The plan of a use on its day; None where no subscription sells such units."""
    running = [
        (subscription.start, plan)
        for subscription in subscriber.subscriptions
        if subscription.start <= event.date
        and subscription.runs_on(event.date)
        and (plan := economy.terms.plan(subscription.plan, event.date)) is not None
        and plan.sells(event.commodity)
    ]
    return plan_of_overage(running) if running else None


def plan_of_overage(running: Sequence[tuple[date, Plan]]) -> Plan:
    """The plan whose overage price holds: of the newest subscription, then the first by name.

    `running` are the plans for such units on which the subscriber is, with the subscriptions'
    first days.
    """
    newest = max(start for start, _ in running)
    return min((plan for start, plan in running if start == newest), key=lambda each: each.name)
