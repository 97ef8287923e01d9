"""Billing in arrears, once more: invoices, minimums, and cancellations at once.

From the contract alone. Readings, where it can be read in two ways:

B1  The bill and the minimum are of the terms of a period's first day, the price of a use of its own
    day; a use belongs to the period in which its newest running subscription is.
B2  An invoice of zero is none, but what it looked at counts as invoiced, and it ends the merging of
    uses as the end of a period does. Uses that two subscriptions have unbilled, or count to
    their minimum, are never merged.
B3  The minimum is of what was booked for the uses of a period, each rounded in its month.
    That of a period that began before its subscription's line is due in full, as its rest runs.
B4  A cancellation at once on a day on which no period is left to run is a plain one.
B5  It ends what the period gave; lots of earlier periods that rolled over, grants and tokens stay.
    What comes back to such a lot later meets its end at once, where it had no other allocation of
    that plan and day beside it.
B6  Access by even months is earned by months alone: in mid-month all that is left is breakage.
B7  Its evening is part of its day, so that one at once counts for the as-of day.
"""

from __future__ import annotations

import datetime
from abc import ABC, abstractmethod
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.laws.auditor.providers import ProviderBooks
from tests.laws.auditor.records import (
    ZERO,
    Day,
    Event,
    Leg,
    Lot,
    Period,
    Place,
    Plan,
    Subscription,
    add_months,
    money,
    out_of,
    refuse,
)

Held = tuple[str, str, Lot]  # holder, pocket, lot
Giver = tuple[Place, Day]  # the line of an allocation or subscription, and the first day


class BillingBooks(ProviderBooks, ABC):
    """What is charged and not yet invoiced, by subscription and period."""

    subscriptions: list[Subscription]
    book: Any
    touch: Any
    earned: Any
    book_access: Any
    access_since: Any
    by_months: Any
    share: Any
    is_over: Any
    is_beside: Any

    def __init__(self) -> None:
        super().__init__()
        self.gave: dict[Held, dict[Giver, Decimal]] = defaultdict(dict)
        self.gave_by: dict[str, tuple[Giver, list[Leg]]] = {}  # by the id of what can be reversed
        self.cut_ends: dict[Held, Day] = {}  # lots of nobody but periods that were cut
        # by the id of a use: its period, how much was charged, and what was invoiced by then
        self.charges: dict[str, tuple[Subscription, Period, Decimal, int]] = {}

    # Uses

    def charge(self, event: Event, subscription: Subscription, booked: Decimal) -> list[Leg]:
        """What a use beyond the holdings costs: owed at once, or unbilled until the invoice."""
        period = subscription.period
        assert period is not None and period.start <= event.date < period.end
        plan = self.overage_price(subscription, event.date)
        assert plan.overage is not None
        if event.id is not None:
            self.charges[event.id] = (subscription, period, booked, subscription.invoices)
        return self.charge_to(event.date, subscription, period, plan.overage[1], booked)

    def charge_to(
        self,
        day: Day,
        subscription: Subscription,
        period: Period,
        currency: str,
        booked: Decimal,
    ) -> list[Leg]:
        """A charge for the uses of a period, with what it changes of the shortfall there."""
        holder, name = subscription.event.subscriber or "", period.plan.name
        more = count_in(period, currency, booked)
        role = self.owe(day, subscription, currency, booked + more)
        return [
            Leg(role, booked + more, currency, holder, name),
            Leg("overage", -booked, currency, holder, name),
            Leg("breakage", -more, currency, holder, name),
        ]

    @abstractmethod
    def overage_price(self, subscription: Subscription, day: Day) -> Plan:
        """The plan whose overage prices the use of a day."""

    def owe(
        self,
        day: Day,
        subscription: Subscription,
        currency: str,
        number: Decimal,
        waits: bool = False,
    ) -> str:
        """The role that a charge of a day is owed under; some wait for an invoice in any case."""
        running = subscription.period
        at_once = running is None or day >= running.end or running.plan.bill == "use"
        if at_once and not waits:
            return "receivable"
        subscription.unbilled[currency] = subscription.unbilled.get(currency, ZERO) + number
        return "unbilled"

    def owing(self, subscription: Subscription | None) -> str:
        """The plan of a subscription whose charges are counted, not only owed."""
        period = subscription.period if subscription else None
        if period is None or (period.plan.bill == "use" and not period.plan.minimum):
            return ""
        return period.plan.name

    def without_charge(self, legs: list[Leg], use: str) -> list[Leg]:
        """The legs of a reversal: what is invoiced already goes back on the receivable, and what
        the use was charged comes back to the shortfall of its period."""
        if use not in self.charges:
            return legs
        subscription, period, booked, invoices = self.charges[use]
        (owed,) = [leg for leg in legs if leg.role in ("unbilled", "receivable")]
        more, role = count_in(period, owed.currency, -booked), owed.role
        if subscription.invoices > invoices:
            role = "receivable"
        if role == "unbilled":
            subscription.unbilled[owed.currency] += owed.number + more
        holder, name = owed.subscriber, period.plan.name
        return [
            *(leg for leg in legs if leg is not owed),
            Leg(role, owed.number + more, owed.currency, holder, owed.origin),
            Leg("breakage", -more, owed.currency, holder, name),
        ]

    # Invoices and shortfalls

    def invoice(self, day: Day) -> None:
        """Behind a period, and on the days of month of those that are billed by month."""
        for subscription in self.subscriptions:
            period = subscription.period
            at_once = period is not None and period.cut and period.end == day
            if period and (at_once or day in {*invoice_days(period), *subscription.due}):
                self.send(day, subscription, period)

    def send(self, day: Day, subscription: Subscription, period: Period) -> None:
        holder = subscription.event.subscriber or ""
        subscription.invoices += 1
        self.touch(holder)
        for currency, number in subscription.unbilled.items():
            if number:
                legs = [
                    Leg("receivable", number, currency, holder, period.plan.name),
                    Leg("unbilled", -number, currency, holder, period.plan.name),
                ]
                self.book(day, "invoice", legs)
        subscription.unbilled.clear()
        subscription.due.clear()

    def fall_short(self, day: Day) -> None:
        """In the evening of a period's last day, what its uses lack of the minimum."""
        tomorrow = day + datetime.timedelta(days=1)
        for subscription in self.subscriptions:
            period = subscription.period
            if period is None or period.end != tomorrow:
                continue
            self.book(day, "shortfall", self.lacking(day, subscription, period))

    def lacking(
        self, day: Day, subscription: Subscription, period: Period, waits: bool = False
    ) -> list[Leg]:
        """What the uses of a period that is over lack of its minimum."""
        period.shortfall = lacking = shortfall_of(period)
        currency = minimum_currency(period.plan)
        if not lacking or currency is None:
            return []
        holder, name = subscription.event.subscriber or "", period.plan.name
        role = self.owe(day, subscription, currency, lacking, waits)
        return [
            Leg(role, lacking, currency, holder, name),
            Leg("breakage", -lacking, currency, holder, name),
        ]

    # Cancelled at once

    def give(self, giver: Giver, known_as: str | None, legs: list[Leg]) -> None:
        """Remember who gave units and access, as several may give of one lot."""
        if known_as is not None:
            self.gave_by[known_as] = giver, legs
        for leg in legs:
            if leg.lot is not None and leg.role in ("allocations", "access"):
                givers = self.gave[leg.subscriber, leg.role, leg.lot]
                givers[giver] = givers.get(giver, ZERO) - leg.number

    def ungive(self, known_as: str) -> None:
        giver, legs = self.gave_by.get(known_as, (None, []))
        for leg in legs:
            if leg.lot is not None and giver is not None:
                self.gave[leg.subscriber, leg.role, leg.lot].pop(giver, None)

    def cut(self, event: Event, subscription: Subscription) -> None:
        """The end of the period that runs becomes tomorrow."""
        period = subscription.period
        if period is None or not period.start <= event.date < period.end:
            return
        period.cut, period.due = True, period.end
        period.end = subscription.last_end = event.date + datetime.timedelta(days=1)

    def uncut(self, event: Event, subscription: Subscription) -> None:
        """A cancellation at once is undone on its own day."""
        period = subscription.period
        if period is None or not period.cut:
            return
        if period.end != event.date + datetime.timedelta(days=1):
            refuse("a cancellation at once is reversed on its own day")
        period.cut = False
        assert period.due is not None
        period.end = subscription.last_end = period.due

    def cut_access(self, day: Day) -> None:
        """In the evening: what was delivered is earned, and the rest is breakage."""
        tomorrow = day + datetime.timedelta(days=1)
        for subscription, period in self.cut_today(tomorrow):
            for leg in period.gave:
                if leg.role != "access" or leg.lot is None:
                    continue
                holder, lot = leg.subscriber, leg.lot
                giver = (subscription.event.place, period.start)
                left = self.share(giver, holder, "access", lot)
                self.is_over(giver, lot)
                since = self.access_since[holder, lot]
                earned = ZERO
                if left and since <= day and (tomorrow.day == 1 or not self.by_months(holder, lot)):
                    earned = self.earned(holder, lot, left, since, day)
                self.book_access(day, holder, lot, earned)
                rest = out_of(holder, "access", lot, left - earned, "breakage")
                if rest:
                    self.book(day, "expiry", rest)
                    self.touch(holder)

    def cut_units(self, day: Day) -> None:
        """In the evening: what such a period gave goes into a lot that ends tomorrow."""
        tomorrow = day + datetime.timedelta(days=1)
        for subscription, period in self.cut_today(tomorrow):
            for leg in period.gave:
                if leg.role != "allocations" or leg.lot is None:
                    continue
                giver = (subscription.event.place, period.start)
                key = (leg.subscriber, leg.role, leg.lot)
                left = self.share(giver, *key)
                if not self.is_beside(giver, leg):
                    self.cut_ends[key] = tomorrow
                if period.plan.unused != "mint":
                    self.is_over(giver, leg.lot)
                if left and leg.lot.end != tomorrow:
                    ending = leg.lot._replace(end=tomorrow)
                    moved = [(leg.lot, left), (ending, -left)]
                    self.book(
                        day, "cancellation", [replace(leg, lot=a, number=n) for a, n in moved]
                    )
                    self.touch(leg.subscriber)

    def cut_today(self, end: Day) -> list[tuple[Subscription, Period]]:
        """The periods that were cut and end on a day."""
        return [
            (each, each.period)
            for each in self.subscriptions
            if each.period is not None and each.period.cut and each.period.end == end
        ]


def minimum_currency(plan: Plan) -> str | None:
    return plan.overage[1] if plan.overage else None


def count_in(period: Period, currency: str, booked: Decimal) -> Decimal:
    """Count a charge to the minimum of a period; gives what it changes of a booked shortfall."""
    if currency != minimum_currency(period.plan):
        return ZERO
    period.charged += booked
    if period.shortfall is None:
        return ZERO
    before, period.shortfall = period.shortfall, shortfall_of(period)
    return period.shortfall - before


def shortfall_of(period: Period) -> Decimal:
    """What the uses of a period lack of its minimum, of which a part counts by days."""
    currency = minimum_currency(period.plan)
    if currency is None or not period.plan.minimum:
        return ZERO
    days = (period.end - period.start).days
    least = money(Fraction(period.plan.minimum) * days / period.whole, currency)
    return max(ZERO, least - period.charged)


def invoice_days(period: Period) -> list[Day]:
    """Its end; and by months, each day of month on which the whole period's months begin."""
    if period.plan.bill == "use":
        return []
    days, months = [period.end], 0
    while period.plan.bill == "month":
        day = add_months(period.start, months, period.anchor)
        if day >= period.end:
            break
        if day > period.start:
            days.append(day)
        months += 1
    return days
