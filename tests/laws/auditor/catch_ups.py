"""Prices that change for what was used already, once more.

Readings, where it can be read in two ways:

C1  A catch-up is rounded on the running total of its own calendar month, like any charge.
C2  The reversal of a use that was charged anew is booked as the use was; what catch-ups changed of
    its charge comes back beside it, where that is anything.
    As a charge of that day it waits for the next invoice, if there is one.
C3  Only a catch-up that is booked ends the merging of uses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.laws.auditor.records import (
    ZERO,
    Day,
    Event,
    Period,
    Plan,
    Subscription,
    Terms,
    money,
)


@dataclass
class Beyond:
    """A use beyond the holdings, and what each unit of it costs by now."""

    event: Event
    subscription: Subscription
    period: Period
    units: Decimal
    booked_at: Decimal
    price: Decimal = field(init=False)

    def __post_init__(self) -> None:
        self.price = self.booked_at


class CatchUpBooks:
    """What was used beyond the holdings, as long as it stands."""

    terms: Terms
    subscriptions: list[Subscription]
    overage_due: dict[Any, Decimal]
    overage_booked: dict[Any, Decimal]
    book: Any
    touch: Any
    charge_to: Any

    def __init__(self) -> None:
        self.used_beyond: list[Beyond] = []

    def use_beyond(
        self, event: Event, subscription: Subscription, units: Decimal, price: Decimal
    ) -> None:
        """Remember a use, with the subscription and the period in which it falls."""
        assert subscription.period is not None
        self.used_beyond.append(Beyond(event, subscription, subscription.period, units, price))

    def catch_up(self, day: Day) -> None:
        """Charge the uses of running periods anew, where a line of today says since when."""
        for plan in sorted(self.terms.plans, key=lambda each: each.name):
            if plan.date == day and plan.since is not None:
                by_holder = sorted(self.subscriptions, key=lambda s: s.event.subscriber or "")
                for subscription in by_holder:
                    if subscription.event.plan == plan.name:
                        self.charge_anew(day, plan, subscription)

    def charge_anew(self, day: Day, plan: Plan, subscription: Subscription) -> None:
        end = subscription.last_end
        if end is None or end <= day:
            return
        assert plan.overage is not None and plan.since is not None
        assert subscription.period is not None
        since = max(plan.since, subscription.period.start)
        more = ZERO
        for use in self.used_beyond:
            if use.subscription is subscription and since <= use.event.date < day:
                more += use.units * (plan.overage[0] - use.price)
                use.price = plan.overage[0]
        self.charge_more(day, subscription, subscription.period, plan, more)

    def charge_more(
        self, day: Day, subscription: Subscription, period: Period, plan: Plan, exact: Decimal
    ) -> None:
        assert plan.overage is not None
        currency, holder = plan.overage[1], subscription.event.subscriber or ""
        key = (holder, plan.name, day.year, day.month, currency)
        self.overage_due[key] += exact
        booked = money(self.overage_due[key], currency) - self.overage_booked[key]
        self.overage_booked[key] += booked
        if booked:
            legs = self.charge_to(day, subscription, period, currency, booked)
            self.touch(holder)
            self.book(day, "catch-up", legs)

    def without_catch_ups(self, day: Day, use: str, plan_on: Any) -> None:
        """What catch-ups changed of the charge of a use that is reversed."""
        for each in self.used_beyond:
            if each.event.id == use:
                self.used_beyond.remove(each)
                more = each.units * (each.booked_at - each.price)
                if each.booked_at != each.price:
                    plan = plan_on(each.period.plan.name, each.event.date)
                    self.charge_more(day, each.subscription, each.period, plan, more)
                break
