"""Which meter a use has: the one that it names, that of its plan, or that of the ledger.

2026-01-01 custom "compute-option" "meter" "chat"
2026-05-20 custom "compute-consumption" "alice" 80 CU     ->  chat, which takes CU, too

Where a provider serves the meter, the use must have a price: unpriced use is refused, never free.
"""

from __future__ import annotations

from datetime import date

from beancount_compute.economy import METER, ZERO, Event, Meter, Refused, Terms, amount, quoted
from beancount_compute.economy.measuring import meter_of
from beancount_compute.economy.rules.newest_plan import newest_plan
from beancount_compute.economy.state import Economy, Subscriber


def meter_for(economy: Economy, event: Event, subscriber: Subscriber) -> Meter | None:
    """The meter of a use whose units are known, priced where a provider serves it.

    It is the one that the use names, that of its plan, or that of the ledger for units such as its.
    """
    if event.meter:
        meter = meter_of(event, economy.terms, economy.hints)
    else:
        plan = newest_plan(economy, event, subscriber)
        default = default_meter(economy.terms, event.date, plan.meter if plan else "")
        if default is None or default.units is None or default.units[1] != event.commodity:
            return None
        meter = default
    if meter.provider:
        check_priced(economy, meter, event)
    return meter


def default_meter(terms: Terms, day: date, of_plan: str = "") -> Meter | None:
    """The meter of uses of a day that name none."""
    timeline = terms.meters.get(of_plan or terms.on(METER, day))
    return timeline.on(day) if timeline else None


def lacks_cost(terms: Terms, meter: Meter, day: date) -> bool:
    """Whether a meter lacks the cost that it needs: no capacity of its provider stands for it."""
    return bool(
        meter.provider and meter.cost is None and not terms.has_capacity(meter.provider, day)
    )


def check_priced(economy: Economy, meter: Meter, event: Event) -> None:
    """Refuse a use of which nobody could tell what it costs."""
    if lacks_cost(economy.terms, meter, event.date):
        raise Refused(
            f"meter {quoted(meter.name)} of {meter.since} has a provider and no `cost`: write what "
            "it costs to serve"
        )
    if meter.cost is None:
        return
    if not event.quantity and (meter.units is None or meter.units.currency != event.commodity):
        raise Refused(
            f"what {amount(event.units or ZERO, event.commodity)} of meter {quoted(meter.name)} "
            f"cost can't be told: write a `quantity`, or `units` in {event.commodity} for the meter"
        )
