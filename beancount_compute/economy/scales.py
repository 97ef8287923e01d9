"""Scales: what a scenario multiplies, from a day on.

    2026-06-01 custom "compute-scale" "plan-price" 0.50
    2026-07-01 custom "compute-scale" "plan-price" "pro" 0.80    ->  pro 0.80 then, all others 0.50

The narrowest wins, a later one replaces, and two never compound. A scaled number keeps as many
digits as a ledger may write; money is rounded where it would have been anyhow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple, TypeVar

from beancount_compute.economy.events import NOWHERE, Event, Place
from beancount_compute.economy.meters import Meter
from beancount_compute.economy.rounding import WIDE, to_few_digits
from beancount_compute.economy.term_values import Money, ScaleTarget
from beancount_compute.economy.terms import Plan, Terms, Timeline

_ONE = Decimal(1)
Term = TypeVar("Term", Plan, Meter)


class Scale(NamedTuple):
    """One line: from its day on, something is multiplied."""

    since: date
    target: ScaleTarget
    name: str  # of the plan, provider or meter; "" for all
    factor: Decimal
    place: Place = NOWHERE


class ScaleTargetRow(NamedTuple):
    """What is known of a target."""

    of: tuple[str, ...]  # what may be named before the factor, the widest first
    meaning: str


TARGETS: dict[ScaleTarget, ScaleTargetRow] = {
    ScaleTarget.PLAN_PRICE: ScaleTargetRow(
        ("plan",), "what a plan asks: its price, overage price and minimum"
    ),
    ScaleTarget.TRADE_PRICE: ScaleTargetRow((), "the prices of trades"),
    ScaleTarget.COST: ScaleTargetRow(("provider", "meter"), "what meters cost to serve"),
    ScaleTarget.USE: ScaleTargetRow(("meter",), "units and quantities of uses"),
}


def with_scales(terms: Terms, scales: Iterable[Scale]) -> Terms:
    """The terms with plans and meters multiplied, and with what uses and trades will ask for."""
    dated: dict[tuple[ScaleTarget, str], list[tuple[date, Decimal]]] = {}
    for each in scales:
        dated.setdefault((each.target, each.name), []).append((each.since, each.factor))
    terms = terms._replace(scales={key: Timeline(values) for key, values in dated.items()})
    plans = {
        name: _scaled(
            each, _days(terms, ScaleTarget.PLAN_PRICE), lambda on, day: _plan(terms, on, day)
        )
        for name, each in terms.plans.items()
    }
    meters = {
        name: _scaled(each, _days(terms, ScaleTarget.COST), lambda on, day: _meter(terms, on, day))
        for name, each in terms.meters.items()
    }
    return terms._replace(plans=plans, meters=meters)


def price_of_trade(event: Event, terms: Terms) -> Decimal:
    """The price of a trade, multiplied where a scenario says so."""
    assert event.price is not None
    if not terms.scales:
        return event.price
    return _times(event.price, _factor(terms, ScaleTarget.TRADE_PRICE, event.date))


def with_scaled_use(event: Event, terms: Terms, meter: str) -> Event:
    """A use of a meter, or of "" for none, with its units and quantity multiplied."""
    factor = _factor(terms, ScaleTarget.USE, event.date, meter)
    if factor == _ONE or event.units is None:
        return event
    units, quantity = _times(event.units, factor), _times(event.quantity, factor)
    return event._replace(units=units, quantity=quantity)


def scales_uses(terms: Terms) -> bool:
    """Whether any use is multiplied."""
    return any(target is ScaleTarget.USE for target, _ in terms.scales)


def _factor(terms: Terms, target: ScaleTarget, day: date, *names: str) -> Decimal:
    """The factor of a day; `names` are whose it may be, the narrowest first."""
    for name in (*filter(None, names), ""):
        timeline = terms.scales.get((target, name))
        found = timeline.on(day) if timeline else None
        if found is not None:
            return found
    return _ONE


def _times(number: Decimal, factor: Decimal) -> Decimal:
    return number if factor == _ONE else to_few_digits(WIDE.multiply(number, factor))


def _money(money: Money, factor: Decimal) -> Money:
    return money._replace(number=_times(money.number, factor))


def _days(terms: Terms, target: ScaleTarget) -> set[date]:
    """The days on which a factor may change."""
    timelines = [each for (of, _), each in terms.scales.items() if of is target]
    return {day for timeline in timelines for day, _ in timeline.items()}


def _scaled(
    values: Timeline[Term], days: set[date], scaled: Callable[[Term, date], Term]
) -> Timeline[Term]:
    """Values multiplied by the factor of each day from which one of them, or a factor, holds."""
    if not days:
        return values
    own = {day for day, _ in values.items()}
    changes = {day: values.on(day) for day in own | {day for day in days if day > min(own)}}
    return Timeline([(day, scaled(each, day)) for day, each in changes.items() if each is not None])


def _plan(terms: Terms, plan: Plan, day: date) -> Plan:
    factor = _factor(terms, ScaleTarget.PLAN_PRICE, day, plan.name)
    overage = plan.overage and _money(plan.overage, factor)
    minimum = plan.minimum and _money(plan.minimum, factor)
    if factor != _ONE:
        plan = plan.at(_times(plan.price, factor))._replace(factor=factor)
    anew = plan.overage_since if plan.since == day else None  # by its own line alone
    return plan._replace(since=day, overage=overage, minimum=minimum, overage_since=anew)


def _meter(terms: Terms, meter: Meter, day: date) -> Meter:
    factor = _factor(terms, ScaleTarget.COST, day, meter.name, meter.provider)
    return meter._replace(since=day, cost=meter.cost and _money(meter.cost, factor))
