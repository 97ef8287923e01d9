"""What the operator hands on from month to month, and what it was charged: two files, and back.

operator.parquet   stock 120 OAI 1.00 USD; accrued llama chat 20.00 USD; capacity gpu 100.00 USD
costs.parquet      2026-05-20 openai chat: 80 OAI of {1.00 USD, 2026-05-01}, 80.00 USD
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any

import pyarrow as pa

from beancount_compute.bulk.folder.month_tables import SCHEMAS, table_of
from beancount_compute.economy import (
    ROLE_OF_POCKET,
    STOCK,
    Accrual,
    Beyond,
    Billed,
    Depreciation,
    JournalEntry,
    Kind,
    Leg,
    Lot,
    LotLeg,
    Money,
    MoneyLeg,
    Role,
    StatedCost,
    cost_of,
    lot_of,
    trim,
)
from beancount_compute.economy.carried import Carried

STOCK_ROWS = "stock"
_BEYOND, _STATED = "beyond", "stated"
_PREPAID = ROLE_OF_POCKET[STOCK].value


def operator_table(carried: Carried) -> pa.Table:
    """What the operator hands on."""
    names = SCHEMAS["operator"].names
    rows = [[row.get(name) for name in names] for row in _operator_rows(carried)]
    return table_of("operator", [tuple(row) for row in rows])


def _operator_rows(carried: Carried) -> Iterator[dict[str, Any]]:
    for lot, units in carried.lots:
        if lot.pocket is STOCK:
            yield {"what": STOCK_ROWS, "name": lot.holder, **_lot_cells(lot), "units": units}
    for commodity, provider in carried.provider_of.items():
        yield {"what": "credits", "name": provider, "commodity": commodity}
    for (provider, meter, day, currency), number in carried.accrued.items():
        yield {
            "what": "accrued",
            "name": provider,
            "meter": meter,
            "currency": currency,
            "date": day,
            "amount": number,
        }
    for provider, currency, days in carried.billed:
        yield {
            "what": "billed",
            "name": provider,
            "currency": currency,
            "date": days.first,
            "end": days.last,
        }
    for name, known in carried.depreciations.items():
        yield {
            "what": "capacity",
            "name": name,
            "currency": known.currency,
            "date": known.first,
            "since": known.since,
            "amount": known.so_far,
            "before": known.before,
            "units": known.served,
            "pending": known.pending,
        }


def with_operator(carried: Carried, table: pa.Table) -> Carried:
    """The state with what the operator was handed on."""
    lots: list[tuple[Lot, Decimal]] = []
    credits: dict[str, str] = {}
    accrued: dict[Accrual, Decimal] = {}
    billed: list[tuple[str, str, Billed]] = []
    depreciations: dict[str, Depreciation] = {}
    for row in _numbers_trimmed(table):
        match row["what"]:
            case "stock":
                lots.append((_lot(row, row["name"]), row["units"]))
            case "credits":
                credits[row["commodity"]] = row["name"]
            case "accrued":
                key = row["name"], row["meter"], row["date"], row["currency"]
                accrued[key] = row["amount"]
            case "billed":
                billed.append((row["name"], row["currency"], Billed(row["date"], row["end"])))
            case _:
                depreciations[row["name"]] = Depreciation(
                    row["date"],
                    row["since"],
                    row["before"],
                    row["amount"],
                    row["currency"],
                    row["units"],
                    row["pending"],
                )
    return carried._replace(
        lots=[*carried.lots, *lots],
        provider_of=credits,
        accrued=accrued,
        billed=billed,
        depreciations=depreciations,
    )


def costs_table(entries: Iterable[JournalEntry]) -> pa.Table:
    """The entries of cost, a row for each leg, and for what is beyond credits or stated."""
    names = SCHEMAS["costs"].names
    rows = [
        tuple([{**_about(at, entry), **cells}.get(name) for name in names])
        for at, entry in enumerate(entries)
        for cells in legs_as_rows(entry)
    ]
    return table_of("costs", rows)


def _about(at: int, entry: JournalEntry) -> dict[str, Any]:
    served = entry.served or entry.date
    return {"entry": at, "booked": entry.date, "served": served, "provider": entry.subscriber}


def legs_as_rows(entry: JournalEntry) -> Iterator[dict[str, Any]]:
    """A row for each leg of an entry of the operator, and for what is beyond credits or stated."""
    for leg in entry.legs:
        if isinstance(leg, LotLeg):
            yield {"what": _PREPAID, **_lot_cells(leg.lot), "units": leg.units}
        else:
            yield {
                "what": leg.role.value,
                "meter": leg.origin,
                "currency": leg.currency,
                "amount": leg.number,
            }
    for units, commodity, price in entry.beyond:
        yield {
            "what": _BEYOND,
            "commodity": commodity,
            "cost": price.number,
            "currency": price.currency,
            "units": units,
        }
    for meter, number, currency in entry.stated:
        yield {"what": _STATED, "meter": meter, "currency": currency, "amount": number}


def costs_from(table: pa.Table, days: Collection[date]) -> list[JournalEntry]:
    """The entries of cost that are for some days, as far as the costs of these days need them."""
    rows = [row for row in _numbers_trimmed(table) if row["served"] in days]
    return [_entry([*of_entry]) for _, of_entry in groupby(rows, key=itemgetter("entry"))]


def _entry(rows: list[dict[str, Any]]) -> JournalEntry:
    legs: list[Leg] = []
    beyond: list[Beyond] = []
    stated: list[StatedCost] = []
    about = rows[0]
    provider = about["provider"]
    for row in rows:
        if row["what"] == _PREPAID:
            legs.append(LotLeg(_lot(row, provider), row["units"]))
        elif row["what"] == _BEYOND:
            price = Money(row["cost"], row["currency"])
            beyond.append(Beyond(row["units"], row["commodity"], price))
        elif row["what"] == _STATED:
            stated.append(StatedCost(row["meter"], row["amount"], row["currency"]))
        else:
            role = Role(row["what"])
            legs.append(MoneyLeg(role, provider, row["meter"], row["amount"], row["currency"]))
    return JournalEntry(
        about["booked"],
        Kind.COST,
        provider,
        "",
        legs,
        "",
        None,
        served=about["served"],
        beyond=(*beyond,),
        stated=(*stated,),
    )


def _lot_cells(lot: Lot) -> dict[str, Any]:
    names = ("commodity", "cost", "currency", "date", "origin", "end")
    return dict(zip(names, lot[2:], strict=True))


def _lot(row: dict[str, Any], holder: str) -> Lot:
    cost = cost_of(row["cost"], row["currency"])
    key = (row["currency"], row["date"], row["origin"], row["end"])
    return lot_of((holder, STOCK, row["commodity"], cost, *key))


def _numbers_trimmed(table: pa.Table) -> Iterator[dict[str, Any]]:
    for row in table.to_pylist():
        yield {
            name: trim(value, 0) if isinstance(value, Decimal) else value
            for name, value in row.items()
        }
