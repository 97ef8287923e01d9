"""Ids that the periods of a subscription have: no other event may be called so.

2026-01-01 custom "compute-subscription" "alice" "pro"
  id: "s-alice"
2026-01-02 custom "compute-consumption" "alice" 5 CU
  id: "s-alice/2026-01-01"                             ; which of the two would one reverse?
"""

from __future__ import annotations

import re
from operator import attrgetter

from beancount_compute.economy import Event, Kind, content_id, quoted

_id_of = attrgetter("id")
_DAY = re.compile(r"/\d{4}-\d\d-\d\d", re.ASCII)


def refuse_ids_of_periods(events: list[Event]) -> None:
    """Give a flaw to each event that has such an id, whether or not that period is ever booked."""
    dated = [
        at
        for at, name in enumerate(map(_id_of, events))
        if name[-11:-10] == "/" and _DAY.fullmatch(name[-11:])  # few ids have a slash there
    ]
    if not dated:
        return
    subscriptions = {
        event.id or content_id(event) for event in events if event.kind is Kind.SUBSCRIPTION
    }
    for at in dated:
        event = events[at]
        of = event.id[:-11]
        if of in subscriptions:
            events[at] = event._replace(
                flaw=f"the id {quoted(event.id)} is that of a period of the subscription "
                f"{quoted(of)}: give this event another"
            )
