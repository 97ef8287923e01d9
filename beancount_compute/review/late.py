"""Events that came after their month was closed, by the kind and month of which they are.

use-17,2026-05-20,consumption,alice,20,CU      ; May is closed: booked on 2026-06-01
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal, localcontext

from beancount_compute.economy import WIDE, ZERO, Event, Month, amount, content_id
from beancount_compute.economy.measuring import with_units
from beancount_compute.review.finding import Amounts, Finding
from beancount_compute.review.looked_at import LookedAt


def late(look: LookedAt, month: str) -> Iterator[Finding]:
    """The late events that are booked in a month."""
    found: defaultdict[tuple[str, str], list[Event]] = defaultdict(list)
    for event, booked in look.late:
        if booked == month:
            found[Month.of(event.date).name, event.kind.value].append(event)
    for (occurred, kind), events in sorted(found.items()):
        units: defaultdict[str, Decimal] = defaultdict(Decimal)
        with localcontext(WIDE):
            for event in [with_units(each, look.terms) for each in events]:
                units[event.commodity] += event.units or ZERO
        sums = [(number, commodity) for commodity, number in sorted(units.items()) if number]
        many = f"{len(events):,} {'event' if len(events) == 1 else 'events'}"
        said = ", ".join([many, *(amount(*each) for each in sums)])
        text = f"{kind} of {occurred}, which is closed: {said}"
        figures = [Amounts("events", Decimal(len(events)), "")]
        figures += [Amounts("units", *each) for each in sums]
        about = (month, occurred, kind, *sorted(map(_said, events)))
        yield Finding("late", month, events[0].place, text, about, tuple(figures))


def _said(event: Event) -> str:
    return f"{event.id}\x1e{content_id(event)}"
