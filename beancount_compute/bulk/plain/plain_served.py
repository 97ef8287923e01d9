"""What plain subscribers used of the operator's providers: uses without a meter have the ledger's.

    option "meter" "chat", which takes CU;  2026-05-20  350 CU   ->   chat  350 CU on 2026-05-20

Where plans have meters of their own, or a meter lacks its cost, nobody's uses are plain.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import NamedTuple

import pyarrow as pa

from beancount_compute.bulk.bulk_terms import BulkTerms
from beancount_compute.bulk.folder.month_tables import table_of
from beancount_compute.bulk.plain.plain_rows import MonthReader, UsesOfDays
from beancount_compute.bulk.rows.arrow_events import read_rows
from beancount_compute.bulk.rows.event_table import EventTable
from beancount_compute.economy import ZERO, Event, Month, Terms
from beancount_compute.economy.rules.metered_use import default_meter, lacks_cost

_SERVED = "uses_served"


class MeterOfDay(NamedTuple):
    """The meter of a day's uses that name none."""

    day: date
    meter: str
    commodity: str
    is_served: bool  # by a provider


def meters_of_days(terms: Terms, month: Month) -> list[MeterOfDay] | None:
    """The meters of a month's plain uses; None where it takes the engine to say."""
    if terms.plans_have_meters:
        return None
    found: list[MeterOfDay] = []
    for at in range(month.last.day):
        day = month.first + timedelta(at)
        meter = default_meter(terms, day)
        if meter is None or meter.units is None:
            continue
        if lacks_cost(terms, meter, day):
            return None
        found.append(MeterOfDay(day, meter.name, meter.units.currency, bool(meter.provider)))
    return found


def _served_on(bulk: BulkTerms) -> list[MeterOfDay]:
    return [each for each in meters_of_days(bulk.terms, bulk.month) or () if each.is_served]


def plain_served(uses: UsesOfDays, bulk: BulkTerms, names: pa.Array) -> pa.Table:
    """What some plain subscribers used, added up."""
    meters = _served_on(bulk)
    used = uses.of(names) if meters else {}
    return table_of(
        "served",
        [
            (on, meter, commodity, False, ZERO, used[on, commodity])
            for on, meter, commodity, _ in meters
            if (on, commodity) in used
        ],
    )


def plain_uses(
    table: EventTable, reader: MonthReader, bulk: BulkTerms, names: pa.Array, days: Collection[date]
) -> list[tuple[MeterOfDay, Event]]:
    """The uses of some plain subscribers on some days, one by one."""
    meters = {each.day: each for each in _served_on(bulk)}
    reader.keep_uses(names, _SERVED, days)
    rows = table.arrow(
        f"SELECT s.* FROM {_SERVED} s ANTI JOIN repeats r "
        "ON r.file = s.file AND r.row_at = s.row_at"
    )
    found = []
    for event in read_rows(rows, bulk.zone).events:
        meter = meters.get(event.date)
        if meter is not None and meter.commodity == event.commodity:
            found.append((meter, event))
    return found
