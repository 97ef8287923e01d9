"""The uses of plain subscribers by the ledger's meter: how many, and of which lots, by day.

    2026-05-20  consumption  pro 2026-05-01/2026-06-01   350 CU   70.00 USD
                ->   chat  use 12 uses 350 CU;  chat  drawn pro 2026-05-01/...  350 CU  70.00 USD

None lies beyond the holdings: who uses more is left to the engine, which tells which use it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from beancount_compute.bulk.bulk_terms import BulkTerms
from beancount_compute.bulk.folder.month_tables import DRAWN, USE, table_of
from beancount_compute.bulk.plain.plain_served import meters_of_days
from beancount_compute.bulk.rows.event_table import EventTable, literal, text_of
from beancount_compute.economy import POCKETS, WIDE, ZERO, Kind

_USE = Kind.CONSUMPTION.value
_POCKETS = frozenset(role.value for role in POCKETS)


def plain_metered(table: EventTable, days: pa.Table, bulk: BulkTerms) -> pa.Table:
    """The uses of plain subscribers, of whose books there are the sums of days."""
    of_month = meters_of_days(bulk.terms, bulk.month) or ()
    meters = {(each.day, each.commodity): each.meter for each in of_month}
    if not meters:
        return table_of("uses", [])
    rows: list[tuple[Any, ...]] = []
    units: defaultdict[tuple[date, str], Decimal] = defaultdict(Decimal)
    for each in days.filter(pc.field("kind") == _USE).to_pylist():
        of = each["date"], each["commodity"]
        if each["role"] in _POCKETS and of in meters:
            units[of] = WIDE.add(units[of], each["units_out"])
            lot = each["commodity"], *[each[name] for name in _LOT]
            sums = 0, ZERO, each["units_out"], each["amount"]
            rows.append((*_of_use(of, meters), DRAWN, *lot, *sums))
    counts = _numbers_of_uses(table)
    for of, used in units.items():
        nothing_of_lots = "", "", "", None, None
        rows.append((*_of_use(of, meters), USE, *nothing_of_lots, counts[of], ZERO, used, ZERO))
    return table_of("uses", rows)


_LOT = ("currency", "origin", "lot_date", "lot_end")


def _of_use(of: tuple[date, str], meters: Mapping[tuple[date, str], str]) -> tuple[Any, ...]:
    day, _ = of
    return day, False, day, "", meters[of], False


def _numbers_of_uses(table: EventTable) -> dict[tuple[date, str], int]:
    """How many uses of plain subscribers there are, by day and commodity."""
    found = table.numbers(
        f"SELECT CAST({text_of('date')} AS DATE), {text_of('commodity')}, count(*) "
        "FROM event_rows e SEMI JOIN plain_nodes n ON n.node = e.node "
        "ANTI JOIN repeats r ON r.file = e.file AND r.row_at = e.row_at "
        f"WHERE kind = {literal(_USE)} GROUP BY ALL"
    )
    return {(day, commodity): number for day, commodity, number in found}
