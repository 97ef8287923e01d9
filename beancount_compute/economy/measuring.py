"""From a quantity of a meter to units: what a use takes from the subscriber.

2026-05-20 custom "compute-consumption" "alice"    ; 12 CU for 1,000,000
  meter: "chat/output"
  quantity: 250000                                 ->  3 CU
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from beancount_compute.economy.events import Event
from beancount_compute.economy.meters import Meter
from beancount_compute.economy.refusals import Lacking, Refused
from beancount_compute.economy.rounding import PRICE_STEP, WIDE, ZERO, shares_of_total, trim
from beancount_compute.economy.term_values import Money
from beancount_compute.economy.terms import Terms
from beancount_compute.economy.words import Hints, quoted


def meter_of(event: Event, terms: Terms, hints: Hints) -> Meter:
    """The meter that a use names, as it is on the day of the use; refuses an unknown one."""
    timeline = terms.meters.get(event.meter)
    meter = timeline.on(event.date) if timeline else None
    if meter is not None:
        return meter
    since = timeline.first() if timeline else None
    begins = f"; it begins on {since.since}" if since else ""
    raise Lacking(
        f"unknown meter {quoted(event.meter)}: needs a compute-meter line on or before this day"
        f"{begins}{hints.of('meter', event.meter, terms.meters)}"
    )


def in_units(event: Event, meter: Meter) -> Event:
    """A use with its units: those that it says, else those that its quantity takes."""
    if event.units:
        return event
    units = meter.units_of(event.quantity)
    return event._replace(units=units.number, commodity=units.currency)


def units_served(meter: Meter, quantity: Decimal, units: Decimal, commodity: str) -> Money:
    """What a meter serves in a use, exact: by its quantity, else what the use is charged."""
    if not quantity or meter.units is None:
        return Money(units, commodity)
    number = WIDE.multiply(quantity, meter.units.number).scaleb(-meter.per.adjusted(), WIDE)
    return Money(trim(number, 0), meter.units.currency)


def with_units(event: Event, terms: Terms) -> Event:
    """A use with its units, where they can be told; any other event as it is."""
    if not event.meter or event.units is None:
        return event
    try:
        return in_units(event, meter_of(event, terms, Hints()))
    except Refused:
        return event


def quantities_by_lot(quantity: Decimal, units: Sequence[Decimal]) -> list[Decimal]:
    """The quantity of a use, by the units that it took of each lot, or beyond them."""
    if not quantity:
        return [ZERO] * len(units)
    return shares_of_total(quantity, units, _step_of(quantity))


def units_by_charge(beyond: Decimal, charges: Sequence[Decimal]) -> list[Decimal]:
    """The units of a use beyond the holdings, by what plans charge for them."""
    return shares_of_total(beyond, charges, _step_of(beyond))


def _step_of(number: Decimal) -> Decimal:
    """The finest step that a number is written to, at most 0.000001."""
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return min(PRICE_STEP, Decimal(1).scaleb(exponent))


def weight_served(
    meter: Meter | None, quantity: Decimal, units: Decimal, *, measured: bool
) -> Decimal:
    """What a use weighs beside others of its meter and day: in proportion to its list cost, exact.

    `measured` says whether the use names a quantity.
    """
    if meter is None:
        return units
    if meter.units is None:
        return quantity if measured else units
    return quantity * meter.units.number if measured else units * meter.per
