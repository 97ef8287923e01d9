"""The journal's legs, one by one: which event, of which row of which file, moved what.

    2026-05-20  u-17  alice  consumption  allocations 0.20 USD 2026-05-01   200 CU   40.00 USD
    2026-05-20  u-17  alice  consumption  revenue                                   -40.00 USD

Their sums by all that `movements.parquet` tells apart are its rows. They are many: each so many
become a table of Arrow, in which a text stands once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal, localcontext
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from beancount_compute.bulk.by_engine.entry_facts import earned_until
from beancount_compute.bulk.folder.month_tables import DETAIL, table_of, together
from beancount_compute.economy import STOCK, WIDE, ZERO, JournalEntry, Leg, LotLeg, Record, in_full

LEGS_AT_ONCE = 50_000


class LegDetails:
    """The legs of a journal, as it is written day by day."""

    def __init__(self) -> None:
        self._rows: list[tuple[Any, ...]] = []
        self._tables: list[pa.Table] = []

    def add(self, records: Iterable[Record]) -> None:
        """Add the legs of records of the journal."""
        with localcontext(WIDE):
            for record in records:
                entry = in_full(record)
                self._rows += [row for leg in entry.legs for row in _rows(entry, leg)]
                if len(self._rows) >= LEGS_AT_ONCE:
                    self._pack()

    def table(self) -> pa.Table:
        """All legs by subscriber, each one's in the order of the journal."""
        self._pack()
        table = together(DETAIL, self._tables).unify_dictionaries()
        return table.take(pc.sort_indices(table.column("subscriber").cast(pa.string())))

    def _pack(self) -> None:
        self._tables.append(table_of(DETAIL, self._rows))
        self._rows = []


def _rows(entry: JournalEntry, leg: Leg) -> Iterator[tuple[Any, ...]]:
    """One; of access that a change of plan found earned one a lot, which is named."""
    place = entry.event.place if entry.event is not None else None
    day, name, way = entry.date, entry.id, (entry.kind.value, entry.undoes)
    end = (place.file, place.line) if place is not None else (None, None)
    if isinstance(leg, LotLeg):
        lot, units, _ = leg
        out = -units if lot.pocket is STOCK else units
        moved: tuple[Decimal, Decimal] = (ZERO, out) if out > 0 else (-out, ZERO)
        begin = day, name, lot.holder, *way, str(lot.pocket)
        yield (*begin, *lot[2:], *moved, units * lot.cost, *end)
        return
    begin = day, name, leg.holder, *way, leg.role.value
    parts: list[tuple[tuple[Any, ...], Decimal]]
    parts = [((lot.date, lot.origin, lot.end), -part) for lot, part in earned_until(entry, leg)]
    for of_lot, number in parts or [((None, leg.origin, None), leg.number)]:
        yield (*begin, None, None, leg.currency, *of_lot, None, None, number, *end)
