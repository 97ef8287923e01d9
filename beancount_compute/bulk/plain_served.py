"""What plain subscribers used of the operator's providers: uses without a meter have the ledger's.

    option "meter" "chat", which takes CU;  2026-05-20  350 CU   ->   chat  350 CU on 2026-05-20

Where plans have meters of their own, or a meter lacks its cost, nobody's uses are plain.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import NamedTuple

import pyarrow as pa

from beancount_compute.bulk.arrow_events import read_rows
from beancount_compute.bulk.bulk_terms import BulkTerms
from beancount_compute.bulk.event_table import EventTable, quote
from beancount_compute.bulk.month_tables import table_of
from beancount_compute.bulk.plain_rows import day_column, plain_use, units_column
from beancount_compute.economy import ZERO, Event, Month, Terms
from beancount_compute.economy.rules.metered_use import default_meter, lacks_cost


class MeterOfDay(NamedTuple):
    """The meter of a day's uses that name none, which a provider serves."""

    day: date
    meter: str
    commodity: str


def meters_of_days(terms: Terms, month: Month) -> list[MeterOfDay] | None:
    """The meters of a month's plain uses; None where it takes the engine to say."""
    if not terms.known_providers:
        return []
    if terms.plans_have_meters:
        return None
    found: list[MeterOfDay] = []
    for at in range(month.last.day):
        day = month.first + timedelta(at)
        meter = default_meter(terms, day)
        if meter is None or meter.units is None or not meter.provider:
            continue
        if lacks_cost(terms, meter, day):
            return None
        found.append(MeterOfDay(day, meter.name, meter.units.currency))
    return found


def plain_served(table: EventTable, bulk: BulkTerms, nodes: str) -> pa.Table:
    """What the plain subscribers of a table `nodes` used, added up."""
    meters = meters_of_days(bulk.terms, bulk.month)
    units, day = units_column(table.files), day_column(table.files)
    if not meters or units is None or day is None:
        return table_of("served", [])
    rows = table.numbers(
        f"SELECT {day} AS day, commodity, sum({units.sql}) {_uses_of(table, bulk, nodes)} "
        "GROUP BY ALL"
    )
    used = {(on, commodity): number for on, commodity, number in rows}
    return table_of(
        "served",
        [
            (on, meter, commodity, False, ZERO, used[on, commodity])
            for on, meter, commodity in meters
            if (on, commodity) in used
        ],
    )


def plain_uses(
    table: EventTable, bulk: BulkTerms, nodes: str, days: Collection[date]
) -> list[tuple[MeterOfDay, Event]]:
    """The uses of plain subscribers on some days, one by one."""
    meters = {each.day: each for each in meters_of_days(bulk.terms, bulk.month) or ()}
    day = day_column(table.files)
    listed = ", ".join(f"DATE '{each}'" for each in sorted(days))
    columns = ", ".join(["file", "row_at", *map(quote, table.files.present)])
    uses = _uses_of(table, bulk, nodes)
    rows = table.arrow(f"SELECT {columns} {uses} AND {day} IN ({listed})")
    found = []
    for event in read_rows(rows, bulk.zone).events:
        meter = meters.get(event.date)
        if meter is not None and meter.commodity == event.commodity:
            found.append((meter, event))
    return found


def _uses_of(table: EventTable, bulk: BulkTerms, nodes: str) -> str:
    condition = plain_use(table.files, bulk.month, sorted(bulk.terms.units))
    return (
        f"FROM event_rows e SEMI JOIN {nodes} n ON n.node = e.node "
        f"ANTI JOIN repeats r ON r.file = e.file AND r.row_at = e.row_at WHERE {condition}"
    )
