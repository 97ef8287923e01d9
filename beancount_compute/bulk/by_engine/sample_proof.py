"""A sample of those who went the plain way is booked by the engine too: no figure may differ.

alice, by the engine: consumption 200 CU of {0.20 USD, 2026-05-01, pro}   =   by the kernel
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from beancount_compute.bulk.bulk_terms import BulkError
from beancount_compute.bulk.folder.month_tables import SCHEMAS, Tables, together
from beancount_compute.bulk.rows.event_table import EventTable, quote
from beancount_compute.economy import quoted

PROVED = ("movements", "lots", "subscriptions", "subscribers", "served")


def compare(table: EventTable, plain: Tables, engine: Tables, names: pa.Array) -> None:
    """Raise `BulkError` where a subscriber of the sample has another figure."""
    if engine["refused"].num_rows:
        row = engine["refused"].to_pylist()[0]
        raise BulkError(
            f"{row['file']}:{row['row']}: the kernel booked what the engine refuses "
            f"({row['message']}), an error of this program: nothing was written; please report it"
        )
    for name in PROVED:
        kernel_rows = plain[name]
        if name in ("subscriptions", "subscribers"):  # others are of the sample alone
            kernel_rows = kernel_rows.filter(pc.is_in(kernel_rows.column("subscriber"), names))
        both = together(name, [kernel_rows, engine[name]])
        count = kernel_rows.num_rows
        table.register("by_kernel", both.slice(0, count))
        table.register("by_engine", both.slice(count))
        whose = "meter" if name == "served" else "subscriber"
        columns = ", ".join(quote(field.name) for field in SCHEMAS[name])
        kernel = f"SELECT {columns} FROM by_kernel"
        other = f"SELECT {columns} FROM by_engine"
        found = table.numbers(
            f"SELECT {whose} FROM (({kernel} EXCEPT ALL {other}) UNION ALL "
            f"({other} EXCEPT ALL {kernel})) LIMIT 1"
        )
        if found:
            raise BulkError(
                f"{quoted(found[0][0])} has other {name} by the kernel than by the engine, an "
                "error of this program: nothing was written; please report it"
            )
