"""What a plain month comes to, as the tables that the engine's own way gives.

used[alice, 0] = 200 of {0.20 USD, 2026-05-01, pro}   ->   consumption 200 CU, revenue -40.00 USD
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from beancount_compute.bulk.lot_keys import NEVER, POCKETS_IN_ORDER, Ints, KeyColumns
from beancount_compute.bulk.month_tables import SCHEMAS, Tables, table_of, together
from beancount_compute.bulk.plain_days import INCOME, Words, plain_days
from beancount_compute.bulk.plain_month import PlainBooks
from beancount_compute.bulk.steps import decimal_array
from beancount_compute.economy import Kind, Role, decimals_of

_EPOCH = date(1970, 1, 1).toordinal()
_WIDEST = 38


class _Moved(NamedTuple):
    """Units of lots that one kind moves."""

    kind: Kind
    code: Ints
    commodity: Ints
    key: Ints
    units: Ints
    out: bool


class _Paid(NamedTuple):
    """Money of one kind and role, in steps of so many decimals."""

    kind: Kind
    role: Role
    code: Ints
    origin: Ints
    currency: Ints
    amount: Ints
    decimals: int


def plain_tables(books: PlainBooks, words: Words) -> Tables:
    """The movements, lots and days of a plain month."""
    moved = list(_moved(books, len(words.commodities)))
    return {
        "movements": _movements(books, words, moved),
        "lots": _lots(books, words),
        "days": table_of("days", list(plain_days(books, words))),
    }


def _moved(books: PlainBooks, commodities: int) -> Iterator[_Moved]:
    lots = books.lots
    good = np.repeat(books.good, commodities)
    at = np.flatnonzero((lots.used > 0) & good[lots.row])
    code, unit = np.divmod(lots.row[at], commodities)
    yield _Moved(Kind.CONSUMPTION, code, unit, lots.key[at], lots.used[at], True)
    ended = books.ended
    of_good = np.flatnonzero(good[ended.row])
    of_good = of_good[np.argsort(ended.row[of_good], kind="stable")]  # lots end day by day
    _, row, key, units, token = ended.some(of_good)
    minted = token >= 0
    for kind, which, of, out in (
        (Kind.EXPIRY, ~minted, key, True),
        (Kind.MINT, minted, key, True),
        (Kind.MINT, minted, token, False),
    ):
        at = row[which]
        yield _Moved(kind, at // commodities, at % commodities, of[which], units[which], out)
    arrived = books.arrived
    kept = good[arrived.row]
    at = arrived.row[kept]
    yield _added_up(
        _Moved(
            Kind.ALLOCATION,
            at // commodities,
            at % commodities,
            arrived.key[kept],
            arrived.units[kept],
            False,
        ),
        commodities,
        len(books.keys.pocket),
    )


def _added_up(moved: _Moved, commodities: int, keys: int) -> _Moved:
    """The units of each lot once, as several may come into it."""
    packed = (moved.code * commodities + moved.commodity) * keys + moved.key
    found, place = np.unique(packed, return_inverse=True)
    units = np.zeros(len(found), np.int64)
    np.add.at(units, place, moved.units)
    row, key = np.divmod(found, max(1, keys))
    return moved._replace(
        code=row // commodities, commodity=row % commodities, key=key, units=units
    )


def _paid(books: PlainBooks, words: Words, moved: Sequence[_Moved]) -> Iterator[_Paid]:
    """What becomes income, and what is owed."""
    scale = words.scale.units + words.scale.cost
    for each in moved:
        if role := INCOME.get(each.kind.value):
            cost = each.units * books.keys.cost[each.key]
            origin, currency = books.keys.origin[each.key], books.keys.currency[each.key]
            yield _Paid(each.kind, role, each.code, origin, currency, -cost, scale)
    receipts = books.receipts
    kept = books.good[receipts.code]
    for at, name in enumerate(words.currencies):
        which = kept & (receipts.currency == at)
        yield _Paid(
            Kind.ALLOCATION,
            Role.RECEIVABLE,
            receipts.code[which],
            receipts.origin[which],
            receipts.currency[which],
            receipts.paid[which],
            decimals_of(name),
        )
    overage = books.overage
    for at, name in enumerate(overage.only.plans):
        of_plan = books.good & (overage.only.plan == at) & (overage.booked > 0)
        code = np.flatnonzero(of_plan)
        if len(code):
            places = words.origins.index(name), words.currencies.index(overage.currencies[at])
            origin, unit = (np.full(len(code), each) for each in places)
            of = code, origin, unit
            booked, decimals = overage.booked[code], decimals_of(overage.currencies[at])
            yield _Paid(Kind.CONSUMPTION, Role.RECEIVABLE, *of, booked, decimals)
            yield _Paid(Kind.CONSUMPTION, Role.OVERAGE, *of, -booked, decimals)


def _movements(books: PlainBooks, words: Words, moved: Sequence[_Moved]) -> pa.Table:
    parts = [_lot_rows(each, books.keys, words) for each in moved]
    parts += [_money_rows(each, words) for each in _paid(books, words, moved)]
    return together("movements", parts)


def _lot_rows(moved: _Moved, keys: KeyColumns, words: Words) -> pa.Table:
    units = decimal_array(moved.units, words.scale.units)
    none = decimal_array(np.zeros(len(moved.units), np.int64), words.scale.units)
    amount = moved.units * keys.cost[moved.key]
    return _movement_rows(
        words,
        moved.kind,
        moved.code,
        len(moved.units),
        role=_chosen(POCKETS_IN_ORDER, keys.pocket[moved.key]),
        **_lot_columns(keys, moved.key, moved.commodity, words),
        units_in=none if moved.out else units,
        units_out=units if moved.out else none,
        amount=decimal_array(
            amount if moved.out else -amount, words.scale.units + words.scale.cost
        ),
    )


def _money_rows(paid: _Paid, words: Words) -> pa.Table:
    """The money of a subscriber once for each origin and currency."""
    packed = (paid.code * len(words.origins) + paid.origin) * len(words.currencies) + paid.currency
    found, place = np.unique(packed, return_inverse=True)
    amount = np.zeros(len(found), np.int64)
    np.add.at(amount, place, paid.amount)
    kept = amount != 0
    found, amount = found[kept], amount[kept]
    rest, currency = np.divmod(found, len(words.currencies))
    code, origin = np.divmod(rest, len(words.origins))
    return _movement_rows(
        words,
        paid.kind,
        code,
        len(code),
        role=_always(paid.role.value, len(code)),
        currency=_chosen(words.currencies, currency),
        origin=_chosen(words.origins, origin),
        amount=decimal_array(amount, paid.decimals),
    )


def _movement_rows(
    words: Words, kind: Kind, code: Ints, count: int, **columns: pa.Array
) -> pa.Table:
    columns |= {
        "subscriber": words.names.take(pa.array(code)),
        "kind": _always(kind.value, count),
        "undoes": _always("", count),
    }
    return pa.table(
        {
            field.name: columns.get(field.name, pa.nulls(count, field.type))
            for field in SCHEMAS["movements"]
        }
    )


def _lots(books: PlainBooks, words: Words) -> pa.Table:
    good = np.repeat(books.good, len(words.commodities))
    lots = books.lots
    at = np.flatnonzero((lots.units > 0) & good[lots.row])
    row, key = lots.row[at], lots.key[at]
    count = len(row)
    columns: dict[str, Any] = {
        "subscriber": words.names.take(pa.array(row // len(words.commodities))),
        "pocket": _chosen(POCKETS_IN_ORDER, books.keys.pocket[key]),
        **_lot_columns(books.keys, key, row % len(words.commodities), words),
        "units": decimal_array(lots.units[at], words.scale.units),
        "terms_day": pa.nulls(count, pa.date32()),
    }
    return pa.table({field.name: columns[field.name] for field in SCHEMAS["lots"]})


def _lot_columns(keys: KeyColumns, key: Ints, commodity: Ints, words: Words) -> dict[str, pa.Array]:
    end = keys.end[key]
    return {
        "commodity": _chosen(words.commodities, commodity),
        "cost": decimal_array(keys.cost[key], words.scale.cost),
        "currency": _chosen(words.currencies, keys.currency[key]),
        "date": _dates(keys.day[key]),
        "origin": _chosen(words.origins, keys.origin[key]),
        "end": _dates(np.where(end == NEVER, _EPOCH, end), absent=end == NEVER),
    }


def _chosen(texts: Sequence[str], at: Ints) -> pa.Array:
    return pa.array(list(texts), pa.string()).take(pa.array(at))


def _always(text: str, count: int) -> pa.Array:
    return pa.repeat(text, count)


def _dates(ordinals: Ints, absent: Any = None) -> pa.Array:
    return pa.array((ordinals - _EPOCH).astype(np.int32), mask=absent).cast(pa.date32())
