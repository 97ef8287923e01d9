"""The days of all shards as one: what is alike is added up, in the order of the days.

shard 0   2026-05-20  consumption  pro 2026-05-01   200 CU
shard 1   2026-05-20  consumption  pro 2026-05-01   300 CU   ->   500 CU
"""

from __future__ import annotations

import pyarrow as pa

from beancount_compute.bulk.folder.month_tables import ADDED_UP, ORDER_OF_ROWS, SCHEMAS, Tables
from beancount_compute.bulk.rows.event_table import EventTable, quote


def add_up_days(table: EventTable, tables: Tables) -> Tables:
    """The tables, those of days added up."""
    return tables | {name: _added_up(table, name, tables[name]) for name in ADDED_UP}


def _added_up(table: EventTable, name: str, rows: pa.Table) -> pa.Table:
    table.register(f"each_{name}", rows)
    sums = ADDED_UP[name]
    columns = [
        f"CAST(sum({quote(each)}) AS {_TYPES.get(each) or _decimal(rows, each)}) AS {quote(each)}"
        if each in sums
        else quote(each)
        for each in SCHEMAS[name].names
    ]
    columns += [f"{_APART.get(name, 'true')} AS apart"]
    order = ", ".join(f"{quote(each)} NULLS FIRST" for each in ORDER_OF_ROWS[name])
    found = table.arrow(
        f"SELECT {', '.join(columns)} FROM each_{name} GROUP BY ALL ORDER BY {order}"
    )
    return found.drop_columns("apart").cast(rows.schema)


_APART = {"days": "units_out > 0"}  # what comes into a lot and what leaves it are two rows
_TYPES = {"trades": "BIGINT", "uses": "BIGINT"}


def _decimal(rows: pa.Table, name: str) -> str:
    kind = rows.schema.field(name).type
    return f"DECIMAL({kind.precision}, {kind.scale})"
