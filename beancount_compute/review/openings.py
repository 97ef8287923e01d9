"""Opening lots and subscriptions that run: what was taken over, and what was forgotten.

    2026-01-01 * "Opening" #compute-opening
      Liabilities:DeferredRevenue:Tokens:Alice  -800 CU {0.20 USD, 2025-11-01, "por/2026-11-01"}

"por" is no plan. And a subscription that began before it is written down has a running period, of
which an opening lot holds what is left: without one its use is billed as overage.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import localcontext

from beancount_compute.economy import (
    RESERVED_ORIGINS,
    WIDE,
    ZERO,
    Event,
    HandPosting,
    Kind,
    Month,
    Pocket,
    Terms,
    amount,
    later,
    like,
    quoted,
)
from beancount_compute.review.finding import Amounts, Finding
from beancount_compute.review.looked_at import LookedAt

NO_OPENING_LOT = "no-opening-lot"


def no_plan(look: LookedAt, month: str) -> Iterator[Finding]:
    """The labels of opening lots that name no plan, where each stands first."""
    named: defaultdict[str, list[HandPosting]] = defaultdict(list)
    for opening in look.openings:
        origin = opening.lot.origin
        if origin not in look.terms.plans and origin not in RESERVED_ORIGINS:
            named[origin].append(opening)
    for origin, openings in sorted(named.items()):
        first = openings[0]
        if Month.of(first.date).name != month:
            continue
        with localcontext(WIDE):
            units = sum((each.units for each in openings), ZERO)
        lots = f"{len(openings):,} opening {'lot' if len(openings) == 1 else 'lots'}"
        text = (
            f"the label {quoted(origin)} of {lots}, {amount(units, first.lot.commodity)}, names no "
            "plan: what is left of them at their end is breakage"
            f"{like(origin, look.terms.plans)}"
        )
        figures = (Amounts("units", units, first.lot.commodity),)
        yield Finding("label", month, first.place, text, (origin,), figures)


def no_opening_lot(look: LookedAt, month: str) -> Iterator[Finding]:
    """The subscriptions that ran before they were written down, and have no lot of their period."""
    for event in look.by_month.get(month, ()):
        if event.kind is not Kind.SUBSCRIPTION or not event.started:
            continue
        period = running_period(event, look.terms)
        if period is None or _has_lot(look, event, *period):
            continue
        start, end = period
        plan = look.terms.plan_of_lot(event.plan, start)
        if plan and plan.less(event.discount).sells_nothing:
            continue  # its periods book nothing
        text = (
            f"{quoted(event.subscriber)} is on {quoted(event.plan)} since {event.started}, and no "
            f"opening lot holds what was left of the period from {start}: use up to {end} is "
            "billed as overage"
        )
        about = (event.subscriber, event.plan, str(start))
        yield Finding(NO_OPENING_LOT, month, event.place, text, about)


def running_period(event: Event, terms: Terms) -> tuple[date, date] | None:
    """First day and end of the period that runs when a subscription is written down.

    None where one begins on that day, and where the subscription can't be booked.
    """
    try:
        start = end = date.fromisoformat(event.started)
    except ValueError:  # which is an error of its own
        return None
    day_of_month = start.day
    while end < event.date:
        plan = terms.plan_of_lot(event.plan, end)
        if plan is None:
            return None
        start = end
        if plan.every.days:
            day_of_month = start.day
        end = later(start, plan.every, day_of_month)
    return None if end == event.date or start == end else (start, end)


def _has_lot(look: LookedAt, event: Event, start: date, end: date) -> bool:
    """Whether a lot of the period was entered, or an earlier subscription holds it."""
    return any(
        opening.lot.holder == event.subscriber
        and opening.lot.pocket in (Pocket.ALLOCATIONS, Pocket.ACCESS)
        and opening.lot.origin == event.plan
        and (opening.lot.date >= start or opening.lot.end == end)
        for opening in look.openings
    ) or any(
        other.kind is Kind.SUBSCRIPTION
        and (other.subscriber, other.plan) == (event.subscriber, event.plan)
        for other in look.events
        if other.date < event.date
    )
