"""The meters of a day's uses, for the fast path: where nothing has to be asked for each use.

    unit CU, meter "chat"  ->  the meter of the uses that name none
    "chat", 250000         ->  the use in units, and where it is noted as served

What is odd about a meter or a use is left to the slow way, which says what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from beancount_compute.economy import Event, Meter, Refused
from beancount_compute.economy.rules.metered_use import default_meter, lacks_cost
from beancount_compute.economy.state import Economy

Serve = Callable[[Event], None] | None  # notes a use; None where no provider serves it
_UNITS, _COMMODITY = map(Event._fields.index, ("units", "commodity"))
MOST_KNOWN = 1 << 14  # quantities


class DefaultMeter(NamedTuple):
    """The meter of the uses in a unit that name none; the unit is None where it takes a look."""

    unit: str | None
    meter: str
    serve: Serve


class PlainMeters:
    """The meters of today's uses."""

    def __init__(self, economy: Economy) -> None:
        self._economy = economy
        self._known: dict[str, tuple[Meter, Serve] | None] = {}
        self.default = self._default()

    def measured(self, event: Event) -> tuple[Event, Serve] | None:
        """A use that names a meter, in units; None where that takes a look."""
        name = event.meter
        known = self._known[name] if name in self._known else self._read(name)
        if known is None:
            return None
        meter, serve = known
        if event.units:
            fits = meter.units is not None and meter.units.currency == event.commodity
            return (event, serve) if event.quantity or fits or serve is None else None
        found = self._in_units(event, meter)
        return None if found is None else (found, serve)

    def _in_units(self, event: Event, meter: Meter) -> Event | None:
        known, quantity = self._economy.known_quantities, event.quantity
        key = (id(meter), id(quantity))
        found = known.get(key)
        if found is None:
            try:
                taken = meter.units_of(quantity)
            except Refused:
                return None
            found = (meter, quantity, taken)  # kept, so that no other takes their identity
            if len(known) < MOST_KNOWN:
                known[key] = found
        _, _, (units, commodity) = found
        fields = [*event]
        fields[_UNITS], fields[_COMMODITY] = units, commodity
        made: Event = tuple.__new__(Event, fields)
        return made

    def _read(self, name: str) -> tuple[Meter, Serve] | None:
        timeline = self._economy.terms.meters.get(name)
        meter = timeline.on(self._economy.today) if timeline else None
        read = (
            None
            if meter is None or lacks_cost(self._economy.terms, meter, self._economy.today)
            else (meter, self._serve(meter))
        )
        self._known[name] = read
        return read

    def _serve(self, meter: Meter) -> Serve:
        if not meter.provider:
            return None
        return self._economy.served.setdefault((self._economy.today, meter.name), []).append

    def _default(self) -> DefaultMeter:
        none = DefaultMeter("", "", None)
        if self._economy.terms.plans_have_meters:
            return none._replace(unit=None)
        meter = default_meter(self._economy.terms, self._economy.today)
        if meter is None or meter.units is None:
            return none
        if lacks_cost(self._economy.terms, meter, self._economy.today):
            return none._replace(unit=None)
        return DefaultMeter(meter.units.currency, meter.name, self._serve(meter))
