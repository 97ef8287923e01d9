"""The second bill: capacity goes to the months of its life, in the evening of each one's last day.

    2026-06-30 * "gpu" "Depreciation" #compute-depreciation
      Expenses:Capacity:Gpu    100.00 USD
      Assets:Capacity:Gpu     -100.00 USD

By quantity a month's share is for what meters of the provider served in it. A line that is written
later spreads what is left by then: what went to the months before it stays (a change of estimate:
ASC 250-10-45-17, IAS 8.36).
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal

from beancount_compute.economy import (
    WIDE,
    ZERO,
    Capacity,
    Depreciation,
    Due,
    JournalEntry,
    Kind,
    Leg,
    Money,
    MoneyLeg,
    Month,
    Refusal,
    Role,
    Timeline,
    amount,
    commodity_used,
    opening_depreciation,
    quoted,
    text_of,
    units_used,
)
from beancount_compute.economy.measuring import units_served
from beancount_compute.economy.state import Economy


def await_depreciation(economy: Economy, closed: date | None) -> None:
    """Put the next share of each capacity on the agenda, behind the last closed day if any is."""
    for name, timeline in sorted(economy.terms.capacities.items()):
        first = timeline.first()
        assert first is not None
        known = economy.depreciations.get(name)
        if closed is not None and first.since <= closed:
            if known is None or first.since < known.first:
                _refuse_closed(economy, first)
            else:
                _await_next(economy, name, timeline, closed)
        else:
            economy.depreciations[name] = opening_depreciation(first)
            economy.agenda.put(Due.DEPRECIATION, Month.of(first.since).last, name)
        quantity = next((line.quantity for line in timeline if line.quantity), None)
        if quantity is not None and name in economy.depreciations:
            economy.by_units[name] = quantity.currency


def _refuse_closed(economy: Economy, first: Capacity) -> None:
    message = (
        f"capacity {quoted(first.name)} of {first.since} begins in a month that was closed without "
        "it: date it on the first open day or later"
    )
    economy.refusals.append(Refusal(first.place, message))


def _await_next(economy: Economy, name: str, timeline: Timeline[Capacity], day: date) -> None:
    """Put the first share behind a month's last day on the agenda: of this line, or of the next."""
    line, month = timeline.on(day), Month.of(day)
    assert line is not None
    if not line.ends_with(month):
        if day < economy.as_of:
            economy.agenda.put(Due.DEPRECIATION, month.next.last, name)
        return
    since = next((since for since, _ in timeline.items() if since > day), None)
    if since is not None:
        economy.agenda.put(Due.DEPRECIATION, Month.of(since).last, name)


def count_served(economy: Economy, day: date) -> None:
    """Count what meters served today of the quantities of capacities, and what is taken back."""
    served: defaultdict[tuple[date, str, str], Decimal] = defaultdict(Decimal)
    for (on, name), uses in economy.served.items():
        meter = economy.terms.meters[name].on(on)
        assert meter is not None
        quantity = ZERO
        for use in uses:
            if use.quantity and meter.units is not None:
                quantity += use.quantity
            else:
                served[on, meter.provider, use.commodity] += use.units or ZERO
        if quantity:
            units = units_served(meter, quantity, ZERO, "")
            served[on, meter.provider, units.currency] += units.number
    for undo in economy.taken_back:
        entry, on = undo.entry, undo.day
        timeline = economy.terms.meters.get(entry.meter)
        meter = timeline.on(on) if timeline else None
        if meter is not None:
            units = units_served(meter, entry.quantity, units_used(entry), commodity_used(entry))
            served[on, meter.provider, units.currency] -= units.number
    for (on, provider, commodity), number in served.items():
        _count(economy, on, provider, Money(number, commodity), Month.of(day).last)


def _count(economy: Economy, on: date, provider: str, units: Money, month_end: date) -> None:
    """Count units for the capacities that a provider has on the day of their use."""
    for name, commodity in economy.by_units.items():
        line = economy.terms.capacities[name].on(on)
        if line is not None and line.provider == provider and commodity == units.currency:
            known = economy.depreciations[name]
            pending = known.pending + units.number
            economy.depreciations[name] = known._replace(pending=pending)
            economy.agenda.put(Due.DEPRECIATION, month_end, name)


def depreciate(economy: Economy, day: date) -> None:
    """Book the shares of a month in the evening of its last day."""
    for name in sorted({*economy.agenda.take(Due.DEPRECIATION, day)}):
        timeline = economy.terms.capacities[name]
        line = timeline.on(day)
        assert line is not None
        _depreciate(economy, line, day)
        _await_next(economy, name, timeline, day)


def _depreciate(economy: Economy, line: Capacity, day: date) -> None:
    known = economy.depreciations[line.name]
    if line.since != known.since:
        known = known._replace(since=line.since, before=known.so_far, served=ZERO)
        if line.cost.number < known.so_far:
            _refuse_less(economy, line, known)
    month = Month.of(day)
    served = WIDE.add(known.served, known.pending) if line.quantity else ZERO
    so_far = line.depreciation_until(month, known.before, served)
    economy.depreciations[line.name] = known._replace(so_far=so_far, served=served, pending=ZERO)
    share = WIDE.subtract(so_far, known.so_far)
    if not share:
        return
    legs: list[Leg] = [
        MoneyLeg(Role.DEPRECIATION, line.name, "", share, known.currency),
        MoneyLeg(Role.CAPACITY, line.name, "", -share, known.currency),
    ]
    share_id = f"{Kind.DEPRECIATION}/{line.name}/{text_of(day)}"
    gone, of = line.gone_of(month, served)
    part = f"share {gone} of {of}"
    if line.quantity:
        part = f"{amount(gone, line.quantity.currency)} of {amount(*line.quantity)}"
    source = f"capacity {line.name} of {text_of(line.since)}, {part}"
    narration = "Depreciation"
    economy.post(
        JournalEntry(day, Kind.DEPRECIATION, line.name, narration, legs, share_id, None, source)
    )


def _refuse_less(economy: Economy, line: Capacity, known: Depreciation) -> None:
    message = (
        f"capacity {quoted(line.name)} costs {amount(*line.cost)} in all, and "
        f"{amount(known.so_far, known.currency)} are depreciated already: write its cost from the "
        "beginning; nothing is depreciated under this line"
    )
    economy.refusals.append(Refusal(line.place, message))
