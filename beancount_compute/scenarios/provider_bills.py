"""What providers billed and stated, under a scenario that changes what their uses cost.

    2026-06-01 custom "compute-scale" "cost" "openai" 2     ; the scenario
    2026-06-20 custom "compute-cost" "openai" 12.34 USD     ; is 24.68
    2026-07-02 custom "compute-bill" "openai" 1234.56 USD   ; for June: is left out

A bill for earlier days stands, as do purchases. What is left out is counted as refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import TypeVar

from beancount_compute.economy import (
    OPTIONS,
    WIDE,
    Event,
    Facts,
    Kind,
    Meter,
    ScaleTarget,
    Terms,
    Timeline,
    days_for,
    quoted,
)
from beancount_compute.economy.rounding import to_few_digits

Held = TypeVar("Held")


def with_fitting_bills(facts: Facts, of_ledger: Terms, terms: Terms) -> Facts:
    """The facts with a flaw on each bill that does not fit, and with stated costs multiplied."""
    since = costs_otherwise(of_ledger, terms)
    if not since:
        return facts

    def fitting(event: Event) -> Event:
        if event.flaw:
            return event
        if event.kind is Kind.BILL:
            return _bill(event, since)
        return _stated(event, of_ledger, terms) if event.kind is Kind.COST else event

    late = {day: list(map(fitting, events)) for day, events in facts.late.items()}
    return facts._replace(events=list(map(fitting, facts.events)), late=late)


def _bill(event: Event, since: dict[str, date]) -> Event:
    """A bill, with a flaw where it is for days on which its provider's uses cost otherwise."""
    first, last = days_for(event.date, event.first_day, event.last_day)
    provider = event.counterparty
    if provider not in since or last < since[provider]:
        return event
    flaw = (
        f"the bill of {quoted(provider)} for {first} to {last} is left out: what its uses cost is "
        f"another from {since[provider]} on"
    )
    return event._replace(flaw=flaw)


def _stated(event: Event, of_ledger: Terms, terms: Terms) -> Event:
    """A stated cost, times what the scenario's list asks over what the ledger's does on that day.

    Where the two can't be compared (another provider, credits in place of money), it has a flaw.
    """
    name, day = event.meter, event.date
    before, now = (_in_force(each.meters.get(name), day) for each in (of_ledger, terms))
    if before is None or now is None or (before.cost == now.cost and before.per == now.per):
        return event
    asked, asks = before.cost, now.cost
    if (
        asked is None
        or asks is None
        or not asked.number
        or asked.currency != asks.currency
        or before.provider != now.provider
    ):
        flaw = (
            f"the cost of {quoted(name)} on {day} that {quoted(event.counterparty)} states is left "
            "out: there is no list cost by which to multiply it"
        )
        return event._replace(flaw=flaw)
    assert event.paid is not None
    paid = WIDE.multiply(event.paid, WIDE.multiply(asks.number, before.per))
    paid = WIDE.divide(paid, WIDE.multiply(asked.number, now.per))
    return event._replace(paid=to_few_digits(paid))


def _in_force(timeline: Timeline[Held] | None, day: date) -> Held | None:
    return timeline.on(day) if timeline else None


def costs_otherwise(of_ledger: Terms, terms: Terms) -> dict[str, date]:
    """Since when what each provider's uses cost is another under terms than in the ledger.

    Its meters cost another amount (of uses in units that follows from `units`, too), are served by
    somebody else or fall to other uses; its credits cost another amount where they are used up; or
    uses are multiplied.
    """
    since: dict[str, date] = {}
    for day, provider in (*_by_terms(of_ledger, terms), *_by_scaled_uses(terms)):
        if provider:
            since[provider] = min(day, since.get(provider, day))
    return since


def _by_terms(one: Terms, other: Terms) -> Iterator[tuple[date, str]]:
    for name in one.meters.keys() | other.meters.keys():
        for day, pair in _pairs(one.meters.get(name), other.meters.get(name)):
            if len({_price(each) for each in pair}) > 1:
                yield from ((day, each.provider) for each in pair if each)
    for name in one.providers.keys() | other.providers.keys():
        for day, both in _pairs(one.providers.get(name), other.providers.get(name)):
            if len({each and each.beyond for each in both}) > 1:
                yield day, name
    for day, defaults in _pairs(one.timeline(OPTIONS["meter"]), other.timeline(OPTIONS["meter"])):
        if defaults[0] != defaults[1]:
            yield from _served(day, defaults, one, other)
    for name in one.plans.keys() | other.plans.keys():
        for day, plans in _pairs(one.plans.get(name), other.plans.get(name)):
            meters = [each.meter if each else "" for each in plans]
            if meters[0] != meters[1]:
                yield from _served(day, meters, one, other)


def _by_scaled_uses(terms: Terms) -> Iterator[tuple[date, str]]:
    for (target, name), factors in terms.scales.items():
        if target is ScaleTarget.USE:
            for day, _ in factors.items():
                yield from _served(day, [name] if name else list(terms.meters), terms)


def _pairs(
    one: Timeline[Held] | None, other: Timeline[Held] | None
) -> Iterator[tuple[date, list[Held | None]]]:
    """What two timelines say on each day on which either begins to say something."""
    timelines = [each or Timeline[Held]() for each in (one, other)]
    for day in sorted({day for each in timelines for day, _ in each.items()}):
        yield day, [each.on(day) for each in timelines]


def _price(meter: Meter | None) -> object:
    return meter and (meter.cost, meter.per, meter.units, meter.provider)


def _served(day: date, meters: Iterable[str | None], *terms: Terms) -> Iterator[tuple[date, str]]:
    """Who serves meters, on a day and later."""
    for name in filter(None, meters):
        for agreed in terms:
            timeline = agreed.meters.get(name) or Timeline[Meter]()
            now = timeline.on(day)
            if now is not None:
                yield day, now.provider
            yield from ((each.since, each.provider) for each in timeline if each.since > day)
