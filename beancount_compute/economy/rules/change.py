"""Changes of plan: what is left of the old period comes back, and a short one of the new begins.

    2026-04-21 * "alice" "Change from basic to plus" #compute-change
      Liabilities:DeferredRevenue:Access:Alice   90.00 ACCESS-USD {1 USD, 2026-04-01, "basic/..."}
      Income:Access                             -60.00 USD
      Liabilities:DeferredRevenue:Access:Alice  -40.00 ACCESS-USD {1 USD, 2026-04-21, "plus/..."}
      Assets:Unbilled:Alice                      10.00 USD

What remains is distinct from what was delivered: it is as if the old contract ended and another
began, for what is left of the consideration and what is added to it (ASC 606-10-25-13(a)).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

from beancount_compute.economy import (
    ZERO,
    AccessBy,
    Due,
    Event,
    Exchange,
    JournalEntry,
    Kind,
    Lacking,
    Leg,
    MoneyLeg,
    Plan,
    Refused,
    Role,
    into,
    key_of,
    last_day,
    out_of,
    quoted,
    round_money,
    text_of,
)
from beancount_compute.economy.rules.allocation import unknown_plan
from beancount_compute.economy.rules.catch_up import begin_counting
from beancount_compute.economy.rules.discount import discount_of
from beancount_compute.economy.rules.invoicing import bill_changed, invoice_later
from beancount_compute.economy.rules.short_period import (
    Figures,
    Returned,
    ShortPeriod,
    figures_of,
    left_of_period,
    lots_of_short_period,
    short_period,
)
from beancount_compute.economy.rules.shortfall import commit, cut_short
from beancount_compute.economy.rules.subscription import refuse_second, whole_since
from beancount_compute.economy.state import EarlierPlan, Economy, Lots, Subscriber, Subscription


def change(economy: Economy, event: Event, event_id: str) -> None:
    """Let a subscription go on under its id, on another plan."""
    subscriber = economy.known(event.subscriber, "before")
    plan = economy.terms.plan(event.plan, event.date)
    if plan is None:
        raise unknown_plan(economy, event)
    subscription = _running(event, subscriber)
    since = whole_since(economy, subscription)
    begun = max([since, *(each.until for each in subscription.earlier)])
    old = economy.terms.plan_of_lot(event.from_plan, begun)
    assert old is not None  # somebody is on it
    _check_plans(economy, event, old, plan)
    if subscription.period_end == economy.today or not plan.bookable:
        _change_unbooked(economy, event, subscription, old, plan)
        return
    if event.currency:
        began = max([since, *(each.until for each in subscription.earlier)])
        before = economy.terms.plan_of_lot(event.from_plan, began)
        assert before is not None
        charge, credit = plan.scaled(event.charge), before.scaled(event.credit)
        event = event._replace(charge=charge, credit=credit)
    period = short_period(subscription, since, old, plan, economy.today)
    returned = left_of_period(economy, subscription, since)
    if discount := discount_of(economy, subscription, plan):
        plan = plan.less(discount)
    figures = figures_of(event, plan, period, returned)
    lots = lots_of_short_period(economy, subscriber.name, plan, period, figures.deferred)
    lots = economy.arriving(subscriber.name, lots)
    old_end, of_days = subscription.period_end, (subscription.period_end - since).days
    short = cut_short(economy, subscription, of_days)
    legs = _legs(event, returned, figures, lots, short, plan.currency)
    economy.take(returned.draws)
    economy.settle(subscriber.name)
    if legs:
        _post(economy, event, event_id, legs, period, subscription)
    for lot, units in lots:
        if plan.access_by is not AccessBy.DAY and not period.is_whole:
            economy.by_days.add((lot.holder, key_of(lot)))
        economy.put(subscriber, lot, units)
    _leave_plan(subscription, plan, event)
    if period.is_new:
        _begin_anew(economy, subscription, plan, period)
    latest = min(old_end, period.end)
    bill_changed(economy, subscription, plan, latest)
    begin_counting(economy, subscription, period.start)
    commit(economy, subscription, plan, period.start, Fraction(period.days, period.of_days))
    if owed := figures.owed + short:
        invoice_later(economy, subscription, owed, plan.currency, latest)


def _running(event: Event, subscriber: Subscriber) -> Subscription:
    """The running subscription that is changed."""
    for subscription in subscriber.subscriptions:
        if subscription.plan == event.from_plan and not subscription.ended:
            return subscription
    raise Lacking(
        f"change without subscription: {quoted(event.subscriber)} has no uncancelled subscription "
        f"to {quoted(event.from_plan)} when {event.date} begins, nor by a change of an earlier "
        "`time`: write the plan that it is on, or a subscription",
        event.subscriber,
    )


def _check_plans(economy: Economy, event: Event, old: Plan, plan: Plan) -> None:
    """Refuse a plan that can't go on where the old one ends."""
    if plan.name == old.name:
        raise Refused(
            f"a change from {quoted(plan.name)} to itself: write the plan that "
            f"{quoted(event.subscriber)} changes to"
        )
    refuse_second(economy, event)
    both = f"a change from {quoted(old.name)} to {quoted(plan.name)}"
    instead = "cancel, and subscribe to the other"
    if old.currency != plan.currency:
        raise Refused(
            f"wrong currency: {both} would be one from {old.currency} to {plan.currency}: {instead}"
        )
    units, others = [{line.commodity for line in each.lines} for each in (old, plan)]
    if units and others and units != others:
        words = [" and ".join(sorted(each)) for each in (units, others)]
        raise Refused(
            f"wrong commodity: {both} would be one from {words[0]} to {words[1]}: {instead}"
        )
    if event.currency not in ("", plan.currency):
        raise Refused(
            f"wrong currency: `charge` and `credit` in {event.currency} of {both}, whose price is "
            f"in {plan.currency}: write them in {plan.currency}"
        )


def _change_unbooked(
    economy: Economy, event: Event, subscription: Subscription, old: Plan, plan: Plan
) -> None:
    """Let the period that begins today be of the new plan; nothing is left of the one before it.

    Nothing is booked either of a plan whose cost step is an error: its own line says so, once.
    """
    if event.charge or event.credit:
        raise Refused(
            f"a period begins on {event.date}, so that this change charges and credits nothing: "
            "remove `charge` and `credit`"
        )
    if not plan.bookable:
        economy.causes.begin(event.subscriber, plan.place)
    elif plan.every != old.every:
        subscription.day_of_month = event.date.day
    economy.settle(event.subscriber)
    _leave_plan(subscription, plan, event)


def _leave_plan(subscription: Subscription, plan: Plan, event: Event) -> None:
    subscription.earlier += (EarlierPlan(subscription.plan, event.date),)
    subscription.plan = plan.name


def _begin_anew(
    economy: Economy, subscription: Subscription, plan: Plan, period: ShortPeriod
) -> None:
    """Let periods of another length follow each other from today on."""
    subscription.periods += 1
    subscription.counted_in_days = bool(plan.every.days)
    subscription.day_of_month = period.start.day
    subscription.whole_since, subscription.period_end = period.start, period.end
    if period.end < date.max:
        economy.agenda.put(Due.PERIODS, period.end, subscription)
    else:
        subscription.ended = True


def _legs(
    event: Event,
    returned: Returned,
    figures: Figures,
    lots: Lots,
    short: Decimal,
    currency: str,
) -> list[Leg]:
    """The legs: what comes back, what of it was earned, the new lots, and what is invoiced."""
    old = event.from_plan
    deferred = sum((units * lot.cost for lot, units in lots), ZERO)

    def money(role: Role, origin: str, number: Decimal) -> list[Leg]:
        return [MoneyLeg(role, event.subscriber, origin, number, currency)] if number else []

    return [
        *out_of(returned.draws),
        *money(Role.ACCESS_REVENUE, old, -returned.earned),
        *into(lots),
        *money(Role.REVENUE, old, figures.credit - returned.carrying),  # what rounding leaves
        *money(Role.REFUNDS, old, figures.reduction),
        # of a minimum, and what nothing is promised for
        *money(Role.BREAKAGE, old, deferred - figures.deferred - short),
        *money(Role.UNBILLED, event.plan, figures.owed + short),
    ]


def _exchange(event: Event) -> Exchange | None:
    """What the invoice says, where it says anything."""
    currency = event.currency
    if not currency:
        return None
    charge, credit = (round_money(each, currency) for each in (event.charge, event.credit))
    return Exchange(charge, credit, currency)


def _post(
    economy: Economy,
    event: Event,
    event_id: str,
    legs: list[Leg],
    period: ShortPeriod,
    subscription: Subscription,
) -> None:
    economy.post(
        JournalEntry(
            economy.today,
            Kind.CHANGE,
            event.subscriber,
            f"Change from {event.from_plan} to {event.plan}",
            legs,
            event_id,
            event,
            period=f"{text_of(period.start)}/{text_of(last_day(period.start, period.end))}",
            subscription=subscription.id,
            prorated=period.fraction,
            exchange=_exchange(event),
        )
    )
