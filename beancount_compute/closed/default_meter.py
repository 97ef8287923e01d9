"""A default meter that comes in afterwards: closed uses were booked without one.

2026-05-01 custom "compute-option" "meter" "chat"    ; written when May was closed already

A plan's own meter goes before it: of units that such a plan sells, uses may have had none anyway.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from beancount.core.data import Custom, Directive, Transaction

from beancount_compute.closed.chain import Seal
from beancount_compute.economy import METER, Kind, Terms, quoted
from beancount_compute.ledger import Errors, place_of

_USE = f"compute-{Kind.CONSUMPTION}"


def check_default_meter(
    booked: Iterable[tuple[Seal, Iterable[Directive]]],
    terms: Terms,
    lines: Iterable[Custom],
    first_open: date,
    errors: Errors,
) -> None:
    """Refuse a default meter that closed uses would have had; what they had is a used term."""
    if not any(terms.timeline(METER)):
        return
    dated = [line for line in lines if line.values and line.values[0].value == METER.name]
    for seal, entries in booked:
        entry = next((entry for entry in entries if _would_have_it(entry, terms)), None)
        if entry is not None:
            day = _day_of(entry)
            line = max((line for line in dated if line.date <= day), key=lambda each: each.date)
            errors.add(
                place_of(line.meta),
                f"option {quoted(METER.name)} says {quoted(terms.on(METER, day))} on {day}, and "
                f"uses of the closed month {seal.month} were booked without a meter: date it "
                f"{first_open} or later",
            )


def _day_of(entry: Directive) -> date:
    occurred = entry.meta.get("occurred")
    return occurred if isinstance(occurred, date) else entry.date


def _would_have_it(entry: Directive, terms: Terms) -> bool:
    if not isinstance(entry, Transaction) or _USE not in entry.tags or "meter" in entry.meta:
        return False
    day = _day_of(entry)
    timeline = terms.meters.get(terms.on(METER, day))
    meter = timeline.on(day) if timeline else None
    if meter is None or meter.units is None:
        return False
    held = {posting.units.currency for posting in entry.postings if posting.cost and posting.units}
    commodity = meter.units.currency
    return commodity in held and not any(
        plan.meter and plan.sells(commodity)
        for each in terms.plans.values()
        if (plan := each.on(day)) is not None
    )
