"""What the events of a shard are about, added up: what control totals are held against.

consumption CU   1,204 rows   350,123 CU
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import pyarrow as pa

from beancount_compute.bulk.folder.month_tables import table_of
from beancount_compute.economy import WIDE, ZERO, MonthOfKind, Sold


def sold_table(sold: Mapping[MonthOfKind, Sequence[Sold]]) -> pa.Table:
    """What events are about, added up."""
    sums: dict[tuple[str, str, str], list[Decimal]] = {}
    for (_, kind), each_of in sold.items():
        for each in each_of:
            key = kind.value, each.commodity, each.currency
            known = sums.setdefault(key, [ZERO, ZERO, ZERO])
            for at, number in enumerate((Decimal(each.rows), each.units, each.money)):
                known[at] = WIDE.add(known[at], number)
    rows = [(*key, int(count), units, money) for key, (count, units, money) in sums.items()]
    return table_of("sold", rows)
