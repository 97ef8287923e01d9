"""Subscriptions: periods that start on their day until a cancellation, each an allocation.

2026-01-31 custom "compute-subscription" "alice" "pro"   ; 31 Jan, 28 Feb, 31 Mar ...
2026-03-10 custom "compute-cancellation" "alice" "pro"   ; the period from 28 Feb runs on
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta

from beancount_compute.economy import (
    Due,
    Event,
    Kind,
    Lacking,
    Plan,
    Refusal,
    Refused,
    Span,
    Stretch,
    Terms,
    later,
    period_from,
    quoted,
    text_of,
)
from beancount_compute.economy.rules.allocation import allocate_period, unknown_plan
from beancount_compute.economy.rules.catch_up import begin_counting
from beancount_compute.economy.rules.discount import check_discount, discount_of
from beancount_compute.economy.rules.invoicing import bill_period
from beancount_compute.economy.rules.shortfall import commit
from beancount_compute.economy.rules.taken_over import check_taken_over, take_over_charges
from beancount_compute.economy.state import AtOnce, Economy, Subscription

MOST_PERIODS = 1200
TEN_YEARS = Span(120, 0)
_DAY = timedelta(1)
_SCHEDULE = (Kind.SUBSCRIPTION, Kind.CHANGE, Kind.CANCELLATION)


def subscribe(economy: Economy, event: Event, event_id: str) -> None:
    """Start a subscription; periods begun before the event's date are not booked."""
    economy.admit(event.subscriber)
    plan = economy.terms.plan(event.plan, event.date)
    if plan is None:
        raise unknown_plan(economy, event)
    check_discount(economy, plan, event)
    check_taken_over(economy, event)
    start = date.fromisoformat(event.started) if event.started else event.date
    if start > event.date:
        raise Refused(
            f"started {start} is after {event.date}: date the subscription {start} instead"
        )
    refuse_second(economy, event)
    subscriber = economy.welcome(event.subscriber)
    subscription = Subscription(
        event_id,
        subscriber,
        event.plan,
        start,
        event.place,
        start.day,
        False,
        start,
        discount=event.discount,
        currency=event.currency,
    )
    subscriber.subscriptions.append(subscription)
    economy.settle(subscriber.name)
    first, running = start, None
    while subscription.period_end < event.date and not subscription.ended:
        first = subscription.period_end
        running = _next_period(economy, subscription, first)
    if subscription.ended:
        return
    if running is not None:  # a period of which the books before these tell
        take_over_charges(economy, subscription, running, first, event)
    if subscription.period_end == event.date:
        _book_period(economy, subscription, event.date, event if start == event.date else None)
    else:
        economy.agenda.put(Due.PERIODS, subscription.period_end, subscription)


def cancel(economy: Economy, event: Event, event_id: str) -> None:
    """Let no period start on or after this day; the running one is shortened only `now`."""
    subscriber = economy.known(event.subscriber, "before")
    for subscription in subscriber.subscriptions:
        if subscription.plan == event.plan and not subscription.ended:
            subscription.ended = True
            subscription.cancelled = event_id, event.date
            if event_id in economy.reversed_ids:
                economy.cancellations[event_id] = subscription, event.date
            if event.now and subscription.period_end > event.date:
                _end_at_once(economy, subscription, event, event_id)
            economy.settle(subscriber.name)
            return
    raise Lacking(
        f"cancellation without subscription: {quoted(event.subscriber)} has no "
        f"uncancelled subscription to {quoted(event.plan)} when {event.date} begins",
        event.subscriber,
    )


def _end_at_once(economy: Economy, subscription: Subscription, event: Event, event_id: str) -> None:
    """Let the running period end tomorrow; this evening says what becomes of the rest."""
    since = max([whole_since(economy, subscription), *(e.until for e in subscription.earlier)])
    subscription.at_once = AtOnce(since, subscription.period_end)
    subscription.period_end = event.date + _DAY
    economy.agenda.put(Due.CANCELLED, event.date, (subscription, event, event_id))


def start_periods(economy: Economy, day: date) -> None:
    """Book the periods that start on a day; a cancelled subscription ends instead."""
    due: list[Subscription] = economy.agenda.take(Due.PERIODS, day)
    for subscription in sorted(due, key=lambda each: (each.subscriber.name, each.plan)):
        if subscription.period_end != day:  # a change of plan let it end on another
            continue
        economy.settle(subscription.subscriber.name)
        if not subscription.ended:
            _book_period(economy, subscription, day, None)


def _book_period(
    economy: Economy, subscription: Subscription, day: date, event: Event | None
) -> None:
    plan = _next_period(economy, subscription, day)
    if plan is None:
        return
    bill_period(economy, subscription, plan, day)
    commit(economy, subscription, plan, day)
    allocate_period(
        economy,
        plan,
        subscription.subscriber.name,
        day,
        subscription.period_end,
        f"{subscription.id}/{text_of(day)}",
        event,
        subscription.id,
        discount_of(economy, subscription, plan),
    )
    if not subscription.ended:
        economy.agenda.put(Due.PERIODS, subscription.period_end, subscription)


def _next_period(economy: Economy, subscription: Subscription, day: date) -> Plan | None:
    """Let a period run from a day, on that day's terms; None where the subscription is too long."""
    if subscription.periods == MOST_PERIODS:
        subscription.ended = True
        message = (
            f"more than {MOST_PERIODS:,} periods of one subscription: none is booked from {day} "
            "on; check `every`, `started` and `as-of`, or cancel and subscribe again"
        )
        economy.refusals.append(Refusal(subscription.place, message))
        return None
    plan = economy.terms.plan_of_lot(subscription.plan, day)
    assert plan is not None  # a plan that is known stays known
    _run(subscription, plan, day)
    begin_counting(economy, subscription, day)
    if subscription.period_end == date.max:
        subscription.ended = True
    return plan


def _run(subscription: Subscription, plan: Plan, day: date) -> None:
    """Let the next period run from a day, as long as the plan says."""
    subscription.periods += 1
    runs = period_from(
        day, plan, subscription.day_of_month, counted_in_days=subscription.counted_in_days
    )
    subscription.period_end, subscription.day_of_month, subscription.counted_in_days = runs
    subscription.whole_since = day


def whole_since(economy: Economy, subscription: Subscription) -> date:
    """The first day of the running period, were it not cut short by a change of plan.

    Of a subscription that closed months hand on it is found again, period by period.
    """
    if subscription.whole_since is None:
        again = replace(
            subscription,
            day_of_month=subscription.start.day,
            counted_in_days=False,
            period_end=subscription.start,
            periods=0,
        )
        while again.periods < subscription.periods:
            plan = economy.terms.plan_of_lot(again.plan, again.period_end)
            assert plan is not None  # it is in force
            _run(again, plan, again.period_end)
        subscription.whole_since = again.whole_since
    assert subscription.whole_since is not None  # one of no period began today
    return subscription.whole_since


class Bridges:
    """The subscriptions that run on over days on which nothing is written.

    They bridge a gap of less than ten years between two stretches of events, unless the later one
    is a single event: that may be a slip of the pen, and is no reason for years of periods. A
    period that is longer than the gap bridges it in any case.
    """

    def __init__(
        self,
        events_on: Mapping[date, Iterable[Event]],
        terms: Terms,
        carried: Iterable[tuple[str, str, date]],
    ) -> None:
        """`carried` are those that closed months hand on: subscriber, plan, last period's end."""
        self._events_on, self._terms = events_on, terms
        self._carried = {(name, plan): end for name, plan, end in carried}

    def over(self, before: Stretch, behind: Stretch) -> bool:
        """Whether a subscription runs from one stretch into the other."""
        running = self._running(before.last)
        if behind.events > 1 and behind.first < later(before.last, TEN_YEARS):
            return bool(running)
        return any(
            self._covers(plan, end, before.last, behind.first) for (_, plan), end in running.items()
        )

    def _running(self, last: date) -> dict[tuple[str, str], date]:
        """The subscriptions that nobody cancelled up to a day, with the first day of a period."""
        found = dict(self._carried)
        written = [
            event
            for day, events in self._events_on.items()
            if day <= last
            for event in events
            if event.kind in _SCHEDULE
        ]
        for event in sorted(written):
            if event.kind is Kind.CANCELLATION:
                found.pop((event.subscriber, event.plan), None)
            elif event.kind is Kind.CHANGE:
                since = found.pop((event.subscriber, event.from_plan), None)
                if since is not None:  # be it on the old days or on others: it runs on
                    found[event.subscriber, event.plan] = since
            elif self._terms.plan(event.plan, event.date) is not None:
                started = date.fromisoformat(event.started) if event.started else event.date
                found[event.subscriber, event.plan] = started
        return found

    def _covers(self, name: str, end: date, last: date, day: date) -> bool:
        """Whether the period that runs on the last day is still running on another."""
        plan = self._terms.plan_of_lot(name, end)
        while plan is not None and end <= last:
            plan = self._terms.plan_of_lot(name, end)
            end = later(end, plan.every) if plan is not None else date.max
        return plan is not None and end > day


def refuse_second(economy: Economy, event: Event) -> None:
    """Refuse a second subscription of one subscriber to one plan."""
    subscriber = economy.subscribers.get(event.subscriber)
    for subscription in subscriber.subscriptions if subscriber else ():
        if subscription.plan == event.plan and subscription.runs_on(event.date):
            until, advice = "uncancelled", "cancel that one first, or remove this line"
            if subscription.ended:
                until = f"until {subscription.period_end}"
                advice = f"date the new one {subscription.period_end} or later"
            raise Refused(
                f"{quoted(event.subscriber)} already has a subscription to {quoted(event.plan)}, "
                f"from {subscription.start} {until}: {advice}"
            )
