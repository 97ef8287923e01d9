"""What a provider states that a meter cost on a day: it wins over its price list.

2026-05-20 custom "compute-cost" "openai" 12.34 USD
  meter: "chat/output"

The evening books it, in place of what the uses of the day cost by the list (`cost.py`).
"""

from __future__ import annotations

from beancount_compute.economy import (
    Event,
    JournalEntry,
    Kind,
    Refused,
    StatedCost,
    quoted,
    round_money,
)
from beancount_compute.economy.measuring import meter_of
from beancount_compute.economy.state import Economy, Undo


def state_cost(economy: Economy, event: Event, event_id: str) -> None:
    """Let the evening book what a provider says that a meter cost on a day."""
    assert event.paid is not None
    provider, meter = event.counterparty, meter_of(event, economy.terms, economy.hints)
    if meter.provider != provider:
        served = f"is served by {quoted(meter.provider)}" if meter.provider else "has no provider"
        raise Refused(
            f"meter {quoted(meter.name)} {served} on {event.date}: write the provider and meter of "
            "that day"
        )
    if event.currency in economy.provider_of or event.currency in economy.terms.units:
        raise Refused(
            f"wrong currency: {event.currency} is no money: write what the provider asks for"
        )
    key = (provider, meter.name, event.date)
    today = economy.stated.get((event.date, provider), ())
    known = {*economy.costs.booked.get(key, ()), *economy.costs.stated.get(key, ())}
    known |= {each.currency for each in today if each.meter == meter.name}
    if known - {event.currency}:
        raise Refused(
            f"wrong currency: the cost of {quoted(meter.name)} on {event.date} is booked in "
            f"{', '.join(sorted(known))}: write it in that"
        )
    stated = StatedCost(meter.name, round_money(event.paid, event.currency), event.currency)
    economy.stated.setdefault((event.date, provider), []).append(stated)
    if event_id in economy.reversed_ids:  # which is told what to write instead
        entry = JournalEntry(economy.today, Kind.COST, provider, "", [], event_id, event)
        economy.undo[event_id] = Undo(entry)
