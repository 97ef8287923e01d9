"""The state of subscribers as tables of Arrow, and back: what one month hands on to the next.

lots.parquet            alice  allocations  800 CU  0.20 USD  2026-05-01  pro  2026-06-01
subscriptions.parquet   alice  pro  until 2026-06-01
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import pyarrow as pa

from beancount_compute.bulk.folder.beside_subscriptions import texts_beside, with_beside
from beancount_compute.bulk.folder.month_tables import SCHEMAS, Tables, table_of
from beancount_compute.bulk.folder.operator_state import operator_table, with_operator
from beancount_compute.economy import (
    STOCK,
    ZERO,
    Lot,
    Place,
    Pocket,
    cost_of,
    lot_of,
    trim,
)
from beancount_compute.economy.carried import Carried, Running


def state_tables(
    carried: Carried, overage: Mapping[tuple[str, str], tuple[Decimal, Decimal]]
) -> Tables:
    """The state that a shard leaves; overage, exact and charged, by subscriber and plan."""
    lots = [
        (
            lot.holder,
            str(lot.pocket),
            *lot[2:],
            units,
            carried.terms_days.get((lot.holder, lot[3:])),
        )
        for lot, units in carried.lots
        if lot.pocket is not STOCK
    ]
    newest = {(each.subscriber, each.plan): each for each in carried.subscriptions}
    subscriptions = [
        (
            each.id,
            each.subscriber,
            each.plan,
            each.start,
            each.day_of_month,
            each.counted_in_days,
            each.period_end,
            each.periods,
            each.ended,
            each.place.file,
            each.place.line,
            *(each.cancelled or (None, None)),
            *(
                overage.get((each.subscriber, each.plan), (None, None))
                if newest[each.subscriber, each.plan] is each
                else (None, None)
            ),
            each.discount or None,
            each.currency if each.discount else None,
            beside,
        )
        for each, beside in zip(carried.subscriptions, texts_beside(carried), strict=True)
    ]
    return {
        "lots": table_of("lots", lots),
        "subscriptions": table_of("subscriptions", subscriptions),
        "subscribers": table_of("subscribers", [(name,) for name in carried.known]),
        "operator": operator_table(carried),
    }


class StateTables(NamedTuple):
    """The state of some subscribers as it stands in the month before."""

    lots: pa.Table
    subscriptions: pa.Table
    subscribers: pa.Table
    operator: pa.Table  # empty but for the operator's own part


def carried_from(tables: StateTables, last_day: date) -> Carried:
    """The state that tables say."""
    lots: list[tuple[Lot, Decimal]] = []
    terms_days: dict[tuple[str, Any], date] = {}
    for holder, pocket, commodity, cost, currency, day, origin, end, units, terms_day in _rows(
        tables.lots, "lots"
    ):
        lot = lot_of(
            (holder, Pocket(pocket), commodity, cost_of(cost, currency), currency, day, origin, end)
        )
        lots.append((lot, trim(units, 0)))
        if terms_day is not None:
            terms_days[holder, lot[3:]] = terms_day
    running = [
        Running(
            name,
            subscriber,
            plan,
            start,
            day_of_month,
            in_days,
            period_end,
            periods,
            ended,
            Place(file, line),
            (by, on) if by is not None else None,
            ZERO if discount is None else trim(discount, 0),
            currency or "",
        )
        for (
            name,
            subscriber,
            plan,
            start,
            day_of_month,
            in_days,
            period_end,
            periods,
            ended,
            file,
            line,
            by,
            on,
            _,
            _,
            discount,
            currency,
            _,
        ) in _rows(tables.subscriptions, "subscriptions")
    ]
    known = tables.subscribers.column("subscriber").to_pylist()
    carried = Carried(last_day, lots, known, running, terms_days)
    carried = with_beside(carried, tables.subscriptions.column("beside").to_pylist())
    return with_operator(carried, tables.operator)


def _rows(table: pa.Table, name: str) -> Iterable[tuple[Any, ...]]:
    columns = [table.column(field.name).to_pylist() for field in SCHEMAS[name]]
    return zip(*columns, strict=True)
