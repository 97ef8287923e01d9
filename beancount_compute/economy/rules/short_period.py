"""What a change of plan takes back and gives: what is left of a period, and a short one.

    basic, 90.00 for April, changed on the 21st     30.00 of access are left, 60.00 were earned
    plus, 120.00 a month, from 21 to 30 April       120.00 x 10/30 = 40.00

Units are by the same fraction, with as many decimals as the plan's are written with. Where the new
plan's periods are of another length, a whole one begins.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from beancount_compute.economy import (
    COST_STEP,
    WIDE,
    ZERO,
    CostStepTooCoarse,
    Draw,
    Event,
    Plan,
    Pocket,
    Refused,
    amount,
    later,
    lot_of,
    must_be_exact,
    quoted,
    round_half_even,
    round_money,
)
from beancount_compute.economy.rules.access import earned_before
from beancount_compute.economy.rules.allocation import period_of
from beancount_compute.economy.state import Economy, Lots, Subscription


class Returned(NamedTuple):
    """What is left of a period's lots, and what of it is earned until the day before."""

    draws: list[Draw]
    earned: Decimal  # of access
    carrying: Decimal  # amount of the rest


class ShortPeriod(NamedTuple):
    """What is left of a period, as one of another plan, or a whole one of that."""

    start: date
    end: date
    days: int
    of_days: int
    is_new: bool = False  # periods of another length begin with it

    @property
    def is_whole(self) -> bool:
        """Whether nothing of it is cut off."""
        return self.days == self.of_days

    @property
    def fraction(self) -> str:
        """The days of those of a whole period: "10/30"; "" where it is one."""
        return "" if self.is_whole else f"{self.days}/{self.of_days}"

    def share(self, number: Decimal) -> Decimal:
        """The share of something of a whole period, not rounded."""
        return WIDE.divide(WIDE.multiply(number, Decimal(self.days)), Decimal(self.of_days))


class Figures(NamedTuple):
    """The money of a change."""

    credit: Decimal  # the carrying amount that comes back, rounded
    owed: Decimal  # to be invoiced; below zero it is a credit
    deferred: Decimal  # for the new period
    reduction: Decimal  # of what was delivered before


def left_of_period(economy: Economy, subscription: Subscription, since: date) -> Returned:
    """What a subscription has left of its running period; `since` is the whole one's first day."""
    draws = lots_of_period(economy, subscription, since, subscription.period_end)
    earned = carrying = ZERO
    for open_lot, units in draws:
        must_be_exact((open_lot.units - units) * open_lot.lot.cost)  # what stays
        part = ZERO
        if open_lot.lot.pocket is Pocket.ACCESS:
            part = earned_before(economy, open_lot, units)
        earned += part
        carrying += (units - part) * open_lot.lot.cost
    return Returned(draws, earned, carrying)


def lots_of_period(
    economy: Economy, subscription: Subscription, since: date, end: date
) -> list[Draw]:
    """The open lots of the running period, access first: of its plan, dated when it began.

    Of lots that others may share, what is the period's own. Of a period that other books handed on
    in its middle they may be dated later, with its end.
    """
    subscriber, back = subscription.subscriber, economy.money_back
    since = max([since, *(each.until for each in subscription.earlier)])  # cut short by a change
    of_plan = [
        open_lot
        for pocket in (Pocket.ACCESS, Pocket.ALLOCATIONS)
        for _, holding in sorted(subscriber.pocket(pocket).items())
        for open_lot in sorted(holding, key=lambda each: each.key[:2])
        if open_lot.lot.origin == subscription.plan and open_lot.lot.date >= since
    ]
    found = [each for each in of_plan if each.lot.date == since]
    of = subscription.id, subscriber.name, subscription.plan, since
    if back is not None and back.is_shared(*of):
        own = ((each, back.own(subscription.id, each.lot, each.units)) for each in found)
        return [(open_lot, units) for open_lot, units in own if units]
    found = found or [each for each in of_plan if each.lot.end == end]
    return [(each, each.units) for each in found]


def short_period(
    subscription: Subscription, since: date, old: Plan, plan: Plan, today: date
) -> ShortPeriod:
    """The period of another plan that begins today; the old one's, were it whole, did `since`."""
    end = subscription.period_end
    if plan.every == old.every:
        return ShortPeriod(today, end, (end - today).days, (end - since).days)
    end = later(today, plan.every)
    days = (end - today).days
    return ShortPeriod(today, end, days, days, is_new=True)


def figures_of(event: Event, plan: Plan, period: ShortPeriod, returned: Returned) -> Figures:
    """The money of a change; what the invoice says goes before the share of the days."""
    currency = plan.currency
    credit = round_money(returned.carrying, currency)
    if not event.currency:
        charge = round_money(period.share(round_money(plan.price, currency)), currency)
        return Figures(credit, charge - credit, charge, ZERO)
    owed = round_money(event.charge, currency) - round_money(event.credit, currency)
    deferred = credit + owed
    return Figures(credit, owed, max(ZERO, deferred), max(ZERO, -deferred))


def lots_of_short_period(
    economy: Economy, name: str, plan: Plan, period: ShortPeriod, deferred: Decimal
) -> Lots:
    """The lots of a short period, for what is deferred; none where a plan sells only use.

    Refuses units that would be none.
    """
    lines = [line._replace(units=_units(plan, period, line.units)) for line in plan.lines]
    short = plan._replace(lines=tuple(lines)).at(deferred)
    step = economy.terms.of_ledger(COST_STEP)
    try:
        found = period_of(short, period.start, period.end, economy.today, step)
    except CostStepTooCoarse:
        raise Refused(
            f"{amount(deferred, plan.currency)} for a period of {period.days} days of plan "
            f"{quoted(plan.name)} is less than the cost-step {step} per unit, so part of it would "
            "cost nothing: write a smaller cost-step"
        ) from None
    return [
        (lot_of((name, pocket, commodity, *key)), units)
        for pocket, commodity, key, units in found.lots
    ]


def _units(plan: Plan, period: ShortPeriod, units: Decimal) -> Decimal:
    """The units of a short period, with the decimals of those of a whole one."""
    if period.is_whole or not units:
        return units
    step = Decimal(1).scaleb(-plan.unit_decimals)
    found = round_half_even(period.share(units), step)
    if not found:
        commodity = plan.lines[0].commodity
        raise Refused(
            f"{period.fraction} of {amount(units, commodity)} are none: write the units of plan "
            f"{quoted(plan.name)} with decimals, such as {units:f}.00 {commodity}, or change on "
            f"{period.end}, when its next period begins"
        )
    return found
