"""How a loaded ledger stands: how far its closed months reach, and which subscriptions end.

    months_of(entries, books)             ->  Months(chain, next_to_close="2026-08")
    cancelled_of(entries, options).ends() ->  whether a period is the last one

Both are of the ledger as it is now, and nothing is written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from beancount.core.data import Custom, Directive, Price, Transaction

from beancount_compute.booking import Booking
from beancount_compute.close.storage import OURS
from beancount_compute.closed import INDEX, SEAL_TYPES, Chain, read_chain
from beancount_compute.economy import (
    AS_OF,
    NOWHERE,
    Event,
    Kind,
    Month,
    Plan,
    Span,
    Terms,
    last_day,
    later,
)
from beancount_compute.economy.carried import Running
from beancount_compute.ledger import BULK_TAG, EVENT_TYPES, ORDER, Errors
from beancount_compute.plugin import work_out
from beancount_compute.reports import Books

PADDED = "P"


class Status(StrEnum):
    """How a subscriber stands on a day; the first that holds of any subscription."""

    RUNNING = "running"
    CANCELLED = "cancelled"  # until its period ends
    ENDED = "ended"
    NONE = "none"  # never had one


class Months(NamedTuple):
    """The months of a ledger: which are sealed, and which is to be closed next."""

    chain: Chain
    next_to_close: str | None  # None where nothing was booked
    begun: bool = True  # whether that one has begun


def months_of(entries: Sequence[Directive], books: Books) -> Months:
    """The months of a loaded ledger."""
    seals = [entry for entry in entries if isinstance(entry, Custom) and entry.type in SEAL_TYPES]
    chain = read_chain(seals, Errors())
    if chain.closed:
        month = Month.parse(chain.closed[-1].month).next.name
        return Months(chain, month, has_begun(month, entries, books.terms))
    booked = (each for each in books.transactions if ORDER in each.meta or BULK_TAG in each.tags)
    first = next(booked, None)
    return Months(chain, None if first is None else Month.of(first.date).name)


def has_begun(month: str, entries: Iterable[Directive], terms: Terms) -> bool:
    """Whether a ledger has reached a month: no clock tells, but what happened, and `as-of`.

    A `balance` of its first day is of the day before; terms may lie ahead.
    """
    first = Month.parse(month).first
    as_of = terms.of_ledger(AS_OF)
    return (as_of is not None and as_of >= first) or any(
        entry.date >= first
        for entry in entries
        if isinstance(entry, Transaction | Price)
        or (isinstance(entry, Custom) and entry.type in EVENT_TYPES)
    )


def not_begun(month: str) -> str:
    """What to say of a month that has not begun."""
    named = Month.parse(month)
    return (
        f"{month} has not begun in this ledger: nothing happened on {named.first} or later. Close "
        f"it when it is over; if nothing happens in it, set the option as-of to {named.last}"
    )


def index_folder(options: dict[str, Any]) -> str:
    """The folder whose index of closed months the ledger includes; "" if it includes none."""
    for name in options["include"]:
        path = Path(name)
        if path.name == INDEX and path.is_file() and OURS in path.read_text("utf-8", "replace"):
            return str(path.parent)
    return ""


class ByUse(NamedTuple):
    """A subscription to a plan that has no price and no units: its periods book nothing."""

    plan: str
    first: date
    cancelled: date | None  # since when, if known
    last: date  # of the period in which it was cancelled; `date.max` where it goes on


class Cancelled(NamedTuple):
    """The cancellations that stand, and who pays by use alone: no transaction tells of either."""

    in_closed_months: frozenset[str]  # subscriptions
    days: Mapping[tuple[str, str], Sequence[date]]  # of open months, by subscriber and plan
    by_use: Mapping[str, Sequence[ByUse]] = MappingProxyType({})  # by subscriber
    at_once: Mapping[tuple[str, str], Sequence[date]] = MappingProxyType({})  # last days

    def ends(self, subscription: str, subscriber: str, plan: str, first: date, last: date) -> bool:
        """Whether a subscription is cancelled within its period from one day to another."""
        if subscription in self.in_closed_months:
            return True
        return any(first <= day <= last for day in self.days.get((subscriber, plan), ()))


def cancelled_of(entries: Iterable[Directive], options: Mapping[str, Any]) -> Cancelled:
    """The cancellations of a loaded ledger; events are read again, for it holds only bookings."""
    written = [entry for entry in entries if not _is_generated(entry)]
    worked = work_out(written, {**options, "include": [*options["include"]], "plugin": []})
    booking = worked.booking
    assert booking is not None  # it has not been booked before
    undone = {event.reverses for event in booking.events if event.reverses}
    days: defaultdict[tuple[str, str], list[date]] = defaultdict(list)
    at_once: defaultdict[tuple[str, str], list[date]] = defaultdict(list)
    for event in booking.events:
        if event.kind is Kind.CANCELLATION and event.id not in undone:
            days[event.subscriber, event.plan].append(event.date)
            if event.now:
                at_once[event.subscriber, event.plan].append(event.date)
    carried = [*booking.state.carried.subscriptions] if booking.state else []
    ended = frozenset([each.id for each in carried if each.ended])
    for each in carried:
        if each.ended:
            at_once[each.subscriber, each.plan].append(last_day(each.start, each.period_end))
    return Cancelled(ended, days, _by_use(booking, carried, undone, days, at_once), at_once)


def _by_use(
    booking: Booking,
    carried: Iterable[Running],
    undone: Container[str],
    cancelled: Mapping[tuple[str, str], Sequence[date]],
    at_once: Mapping[tuple[str, str], Sequence[date]],
) -> Mapping[str, Sequence[ByUse]]:
    """Who is on a plan that books no period, as of the closed months and by the open events."""
    terms, found = booking.terms.terms, defaultdict[str, list[ByUse]](list)
    begun: list[tuple[str, str, date, Running | None]] = [
        (each.subscriber, each.plan, each.start, each) for each in carried
    ]
    begun += [
        (each.subscriber, each.plan, _first_day(each), None)
        for each in booking.events
        if each.kind in (Kind.SUBSCRIPTION, Kind.CHANGE) and each.id not in undone
    ]
    left: defaultdict[tuple[str, str], list[date]] = defaultdict(list)
    for event in booking.events:
        if event.kind is Kind.CHANGE:
            left[event.subscriber, event.from_plan].append(event.date - timedelta(1))
    for subscriber, name, start, closed in begun:
        plan = terms.plan(name, start)
        if plan is None or not plan.sells_nothing:
            continue
        if closed is not None and closed.ended:
            since = closed.cancelled[1] if closed.cancelled else None
            one = ByUse(name, start, since, last_day(start, closed.period_end))
        else:
            days = [day for day in cancelled.get((subscriber, name), ()) if day >= start]
            since = min(days, default=None)
            one = ByUse(name, start, since, _period_end(plan, start, since) if since else date.max)
        last_days = [
            day
            for known in (left, at_once)
            for day in known.get((subscriber, name), ())
            if day >= start
        ]
        found[subscriber].append(one._replace(last=min([one.last, *last_days])))
    return found


def _first_day(event: Event) -> date:
    return date.fromisoformat(event.started) if event.started else event.date


def _period_end(plan: Plan, start: date, day: date) -> date:
    """The last day of the period that holds a day."""
    end, periods = start, 0
    while end <= day:
        periods += 1
        end = later(start, Span(plan.every.months * periods, plan.every.days * periods))
    return last_day(start, end)


def _is_generated(entry: Directive) -> bool:
    """Whether a load added a directive: booked it, opened an account, filled up a balance."""
    if ORDER in entry.meta or entry.meta.get("filename") == NOWHERE.file:
        return True
    return isinstance(entry, Transaction) and entry.flag == PADDED
