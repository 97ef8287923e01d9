"""Subscriptions: periods that start on their day until a cancellation, each an allocation.

2026-01-31 custom "compute-subscription" "alice" "pro"   ; 31 Jan, 28 Feb, 31 Mar ...
2026-03-10 custom "compute-cancellation" "alice" "pro"   ; the period from 28 Feb runs on
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from beancount_compute.economy.agenda import Due, Stretch
from beancount_compute.economy.events import Event
from beancount_compute.economy.kinds import Kind
from beancount_compute.economy.months import Span, later, text_of
from beancount_compute.economy.refusals import Refusal, Refused
from beancount_compute.economy.rules.allocation import allocate_period, unknown_plan
from beancount_compute.economy.state import Economy, Subscription
from beancount_compute.economy.terms import Plan, Terms
from beancount_compute.economy.words import quoted

MOST_PERIODS = 1200
TEN_YEARS = Span(120, 0)
_SCHEDULE = (Kind.SUBSCRIPTION, Kind.CANCELLATION)


def subscribe(economy: Economy, event: Event, event_id: str) -> None:
    """Start a subscription; periods begun before the event's date are not booked."""
    economy.admit(event.subscriber)
    if economy.terms.plan(event.plan, event.date) is None:
        raise unknown_plan(event, economy.terms)
    start = date.fromisoformat(event.started) if event.started else event.date
    if start > event.date:
        raise Refused(
            f"started {start} is after {event.date}: date the subscription {start} instead"
        )
    _refuse_second(economy, event)
    subscriber = economy.welcome(event.subscriber)
    subscription = Subscription(
        event_id, subscriber, event.plan, start, event.place, start.day, False, start
    )
    subscriber.subscriptions.append(subscription)
    economy.settle(subscriber.name)
    while subscription.period_end < event.date and not subscription.ended:
        _next_period(economy, subscription, subscription.period_end)
    if subscription.ended:
        return
    if subscription.period_end == event.date:
        _book_period(economy, subscription, event.date, event if start == event.date else None)
    else:
        economy.agenda.put(Due.PERIODS, subscription.period_end, subscription)


def cancel(economy: Economy, event: Event, event_id: str) -> None:
    """Let no period start on or after this day; the running one is not shortened."""
    subscriber = economy.known(event.subscriber)
    for subscription in subscriber.subscriptions:
        if subscription.plan == event.plan and not subscription.ended:
            subscription.ended = True
            if event_id in economy.reversed_ids:
                economy.cancellations[event_id] = subscription, event.date
            economy.settle(subscriber.name)
            return
    raise Refused(
        f"cancellation without subscription: {quoted(event.subscriber)} has no running "
        f"subscription to {quoted(event.plan)} on {event.date}"
    )


def start_periods(economy: Economy, day: date) -> None:
    """Book the periods that start on a day; a cancelled subscription ends instead."""
    due: list[Subscription] = economy.agenda.take(Due.PERIODS, day)
    for subscription in sorted(due, key=lambda each: (each.subscriber.name, each.plan)):
        economy.settle(subscription.subscriber.name)
        if not subscription.ended:
            _book_period(economy, subscription, day, None)


def resume(economy: Economy, events: Iterable[tuple[Event, str]], last_closed: date) -> None:
    """Let subscriptions run on behind the closed months, whose periods are in the books.

    `events` are the accepted subscriptions and cancellations of those months with their ids, in the
    order of the books.
    """
    running: dict[tuple[str, str], Subscription] = {}
    for event, event_id in events:
        key = (event.subscriber, event.plan)
        if event.kind is Kind.CANCELLATION:
            if key not in running:  # it was of such a plan
                continue
            subscription = running.pop(key)
            _run_to(economy, subscription, event.date)
            subscription.ended = True
            if last_closed < subscription.period_end < date.max:  # it ends there
                economy.agenda.put(
                    Due.PERIODS, subscription.period_end, subscription
                )  # it ends there
            continue
        if event.plan not in economy.terms.plans:  # it went when the month was closed already
            economy.refusals.append(Refusal(event.place, str(unknown_plan(event, economy.terms))))
            continue
        start = date.fromisoformat(event.started) if event.started else event.date
        subscriber = economy.welcome(event.subscriber)
        subscription = running[key] = Subscription(
            event_id, subscriber, event.plan, start, event.place, start.day, False, start
        )
        subscriber.subscriptions.append(subscription)
    for subscription in running.values():
        _run_to(economy, subscription, last_closed + timedelta(1))
        if not subscription.ended:
            economy.agenda.put(Due.PERIODS, subscription.period_end, subscription)


def _run_to(economy: Economy, subscription: Subscription, day: date) -> None:
    """Let periods run, unbooked, as long as they start before a day."""
    while subscription.period_end < day and not subscription.ended:
        _next_period(economy, subscription, subscription.period_end)


def _book_period(
    economy: Economy, subscription: Subscription, day: date, event: Event | None
) -> None:
    plan = _next_period(economy, subscription, day)
    if plan is None:
        return
    allocate_period(
        economy,
        plan,
        subscription.subscriber.name,
        day,
        subscription.period_end,
        f"{subscription.id}/{text_of(day)}",
        event,
        subscription.id,
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
    subscription.periods += 1
    plan = economy.terms.plan_of_lot(subscription.plan, day)
    assert plan is not None  # a plan that is known stays known
    if plan.every.days:
        subscription.counted_in_days = True
    elif subscription.counted_in_days:
        subscription.counted_in_days, subscription.day_of_month = False, day.day
    subscription.period_end = later(day, plan.every, subscription.day_of_month)
    if subscription.period_end == date.max:
        subscription.ended = True
    return plan


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
        carried: Iterable[tuple[Event, str]],
    ) -> None:
        self._events_on, self._terms, self._carried = events_on, terms, carried

    def over(self, before: Stretch, behind: Stretch) -> bool:
        """Whether a subscription runs from one stretch into the other."""
        running = self._running(before.last)
        if behind.events > 1 and behind.first < later(before.last, TEN_YEARS):
            return bool(running)
        return any(self._covers(event, before.last, behind.first) for event in running)

    def _running(self, last: date) -> list[Event]:
        """The subscriptions that nobody cancelled up to a day."""
        found: dict[tuple[str, str], Event] = {}
        written = [event for event, _ in self._carried]
        for day, events in self._events_on.items():
            if day <= last:
                written += [each for each in events if each.kind in _SCHEDULE]
        for event in sorted(written):
            if event.kind is Kind.CANCELLATION:
                found.pop((event.subscriber, event.plan), None)
            elif self._terms.plan(event.plan, event.date) is not None:
                found[event.subscriber, event.plan] = event
        return list(found.values())

    def _covers(self, event: Event, last: date, day: date) -> bool:
        """Whether the period that runs on the last day is still running on another."""
        end = date.fromisoformat(event.started) if event.started else event.date
        plan = self._terms.plan_of_lot(event.plan, end)
        while plan is not None and end <= last:
            plan = self._terms.plan_of_lot(event.plan, end)
            end = later(end, plan.every) if plan is not None else date.max
        return plan is not None and end > day


def _refuse_second(economy: Economy, event: Event) -> None:
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
