"""Lots of periods that were cancelled at once, as of that evening: they end on the next day.

    2026-05-20 * "alice" "Cancellation pro 2026-05-16/2026-05-20" #compute-cancellation
      period: "2026-05-16/2026-05-20"

    pro/2026-06-16 of alice   ->   ends 2026-05-21

On any other day there is nothing to say: before it nobody knew, and behind it they have ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from beancount_compute.economy import Pocket
from beancount_compute.ledger import EndedAtOnce
from beancount_compute.reports.facts import LotKey, Movement

_DAY = timedelta(1)


def ending_tomorrow(
    movements: Iterable[Movement], ended: Sequence[EndedAtOnce]
) -> tuple[Movement, ...]:
    """Movements with the ends that lots of such periods have now."""
    ends = {each[1:]: each.day + _DAY for each in ended}
    known: dict[LotKey, LotKey] = {}
    found = []
    for each in movements:
        lot = each.lot
        if each.pocket is Pocket.ALLOCATIONS:
            end = ends.get((each.subscriber, each.origin, lot.date))
            if end is not None:
                if lot not in known:
                    known[lot] = LotKey(*lot)._replace(end=end)
                each = each._replace(lot=known[lot])
        found.append(each)
    return tuple(found)
