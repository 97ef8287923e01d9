"""What a plain month comes to, as the tables that the engine's own way gives.

used[alice, 0] = 200 of {0.20 USD, 2026-05-01, pro}   ->   consumption 200 CU, revenue -40.00 USD
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from beancount_compute.bulk.folder.month_tables import SCHEMAS, Tables, together
from beancount_compute.bulk.month_asked import TableInBits
from beancount_compute.bulk.plain.lot_keys import NEVER, POCKETS_IN_ORDER, Ints, KeyColumns, wide
from beancount_compute.bulk.plain.plain_days import INCOME, Words
from beancount_compute.bulk.plain.plain_month import PlainBooks
from beancount_compute.bulk.rows.steps import decimal_array, narrow
from beancount_compute.bulk.rows.text_words import UNKNOWN, NameCodes
from beancount_compute.economy import Kind, Role, decimals_of

_EPOCH = date(1970, 1, 1).toordinal()
_WIDEST = 38


SUBSCRIBERS_AT_ONCE = 50_000


class _Moved(NamedTuple):
    """Units of lots that one kind moves, in the order of subscribers."""

    kind: Kind
    out: bool
    code: Ints
    commodity: Ints
    key: Ints
    units: Ints

    def some(self, which: slice | Ints) -> _Moved:
        """Some of them."""
        return _Moved(self.kind, self.out, *[column[which] for column in self[2:]])


class _Paid(NamedTuple):
    """Money of one kind and role in minor units, in the order of subscribers."""

    kind: Kind
    role: Role
    code: Ints
    origin: Ints
    currency: Ints
    amount: Ints

    def some(self, which: slice | Ints) -> _Paid:
        """Some of them."""
        return _Paid(self.kind, self.role, *[column[which] for column in self[2:]])


class _Open(NamedTuple):
    """Units of lots that are open in the end, in the order of subscribers."""

    code: Ints
    commodity: Ints
    key: Ints
    units: Ints

    def some(self, which: slice | Ints) -> _Open:
        """Some of them."""
        return _Open(*[column[which] for column in self])


class PlainTables:
    """The movements and the lots of a plain month, made for some subscribers at a time."""

    def __init__(self, books: PlainBooks, words: Words) -> None:
        self._keys, self._words = books.keys, words
        commodities = len(words.commodities)
        self._moved = list(_moved(books, commodities))
        self._paid = list(_paid(books, words))
        good = np.repeat(books.good, commodities)
        at = np.flatnonzero((books.lots.units > 0) & good[books.lots.row])
        whose = _whose(books.lots.row[at], commodities)
        self._open = _Open(*whose, books.lots.key[at], books.lots.units[at])

    def in_bits(self) -> dict[str, TableInBits]:
        """The tables of everybody."""
        nobody = slice(0, 0)
        return {
            "movements": TableInBits(
                self._movements([each.some(nobody) for each in self._moved], self._paid_of(nobody)),
                self._all_movements,
            ),
            "lots": TableInBits(self._lots(self._open.some(nobody)), self._all_lots),
        }

    def of(self, names: pa.Array) -> Tables:
        """The tables of some."""
        codes = NameCodes(names).codes_of(self._words.names)
        those = codes != UNKNOWN
        moved = [each.some(np.flatnonzero(those[each.code])) for each in self._moved]
        paid = [each.some(np.flatnonzero(those[each.code])) for each in self._paid]
        lots = self._open.some(np.flatnonzero(those[self._open.code]))
        return {"movements": self._movements(moved, paid), "lots": self._lots(lots)}

    def _ranges(self) -> Iterator[tuple[int, int]]:
        people = len(self._words.names)
        for begin in range(0, people, SUBSCRIBERS_AT_ONCE):
            yield begin, begin + SUBSCRIBERS_AT_ONCE

    def _all_movements(self) -> Iterator[pa.Table]:
        for bounds in self._ranges():
            moved = [each.some(_within(each.code, bounds)) for each in self._moved]
            paid = [each.some(_within(each.code, bounds)) for each in self._paid]
            yield self._movements(moved, paid)

    def _all_lots(self) -> Iterator[pa.Table]:
        for bounds in self._ranges():
            yield self._lots(self._open.some(_within(self._open.code, bounds)))

    def _paid_of(self, which: slice) -> list[_Paid]:
        return [each.some(which) for each in self._paid]

    def _movements(self, moved: Sequence[_Moved], paid: Sequence[_Paid]) -> pa.Table:
        parts = [_lot_rows(each, self._keys, self._words) for each in moved]
        for of_lots in moved:
            if role := INCOME.get(of_lots.kind.value):
                parts.append(_income_rows(of_lots, role, self._keys, self._words))
        parts += [_money_rows(each, self._words) for each in paid]
        return together("movements", parts, words=True)

    def _lots(self, lots: _Open) -> pa.Table:
        key = lots.key
        columns: dict[str, Any] = {
            "subscriber": self._words.names.take(pa.array(lots.code)),
            "pocket": _chosen(POCKETS_IN_ORDER, self._keys.pocket[key]),
            **_lot_columns(self._keys, key, lots.commodity, self._words),
            "units": decimal_array(lots.units, self._words.scale.units),
            "terms_day": pa.nulls(len(key), pa.date32()),
        }
        return pa.table({field.name: columns[field.name] for field in SCHEMAS["lots"]})


def _within(code: Ints, bounds: tuple[int, int]) -> slice:
    begin, end = np.searchsorted(code, np.array(bounds, code.dtype))
    return slice(int(begin), int(end))


def _whose(row: Ints, commodities: int) -> tuple[Ints, Ints]:
    """The subscribers and commodities of rows."""
    code, unit = np.divmod(row, commodities)
    return narrow(code), narrow(unit)


def _moved(books: PlainBooks, commodities: int) -> Iterator[_Moved]:
    lots = books.lots
    good = np.repeat(books.good, commodities)
    at = np.flatnonzero((lots.used > 0) & good[lots.row])
    whose = _whose(lots.row[at], commodities)
    yield _Moved(Kind.CONSUMPTION, True, *whose, lots.key[at], lots.used[at])
    ended = books.ended
    of_good = np.flatnonzero(good[ended.row])
    of_good = of_good[np.argsort(ended.row[of_good], kind="stable")]  # lots end day by day
    _, row, key, units, token = ended.some(of_good)
    minted = token >= 0
    for kind, out, which, of in (
        (Kind.EXPIRY, True, ~minted, key),
        (Kind.MINT, True, minted, key),
        (Kind.MINT, False, minted, token),
    ):
        yield _Moved(kind, out, *_whose(row[which], commodities), of[which], units[which])
    yield _arrived(books, commodities)


def _arrived(books: PlainBooks, commodities: int) -> _Moved:
    """The units of each lot once, as several may come into it."""
    arrived = books.arrived.some(np.repeat(books.good, commodities)[books.arrived.row])
    keys = max(1, len(books.keys.pocket))
    found, place = np.unique(arrived.row * keys + arrived.key, return_inverse=True)
    units = np.zeros(len(found), np.int64)
    np.add.at(units, place, arrived.units)
    row, key = np.divmod(found, keys)
    return _Moved(Kind.ALLOCATION, False, *_whose(row, commodities), narrow(key), units)


def _paid(books: PlainBooks, words: Words) -> Iterator[_Paid]:
    """What is owed for units that come in, and for use beyond the holdings."""
    receipts = books.receipts
    kept = np.flatnonzero(books.good[receipts.code])
    kept = kept[np.argsort(receipts.code[kept], kind="stable")]
    of = receipts.code[kept], receipts.origin[kept], receipts.currency[kept]
    yield _Paid(Kind.ALLOCATION, Role.RECEIVABLE, *of, receipts.paid[kept])
    overage = books.overage
    for at, name in enumerate(overage.only.plans):
        of_plan = books.good & (overage.only.plan == at) & (overage.booked > 0)
        code = np.flatnonzero(of_plan)
        if len(code):
            places = words.origins.index(name), words.currencies.index(overage.currencies[at])
            origin, unit = (np.full(len(code), each) for each in places)
            booked = overage.booked[code]
            yield _Paid(Kind.CONSUMPTION, Role.RECEIVABLE, code, origin, unit, booked)
            yield _Paid(Kind.CONSUMPTION, Role.OVERAGE, code, origin, unit, -booked)


def _lot_rows(moved: _Moved, keys: KeyColumns, words: Words) -> pa.Table:
    units = decimal_array(moved.units, words.scale.units)
    none = decimal_array(np.zeros(len(moved.units), np.int64), words.scale.units)
    amount = moved.units * keys.cost[moved.key]
    return _movement_rows(
        words,
        moved.kind,
        moved.code,
        role=_chosen(POCKETS_IN_ORDER, keys.pocket[moved.key]),
        **_lot_columns(keys, moved.key, moved.commodity, words),
        units_in=none if moved.out else units,
        units_out=units if moved.out else none,
        amount=decimal_array(
            amount if moved.out else -amount, words.scale.units + words.scale.cost
        ),
    )


def _income_rows(moved: _Moved, role: Role, keys: KeyColumns, words: Words) -> pa.Table:
    """What the lots become as income."""
    cost = moved.units * keys.cost[moved.key]
    paid = _Paid(
        moved.kind, role, moved.code, keys.origin[moved.key], keys.currency[moved.key], -cost
    )
    code, origin, currency, amount = _summed(paid, words)
    steps = decimal_array(amount, words.scale.units + words.scale.cost)
    return _role_rows(words, paid, code, origin, currency, steps)


def _money_rows(paid: _Paid, words: Words) -> pa.Table:
    """Money that changes hands, each currency in its own minor units."""
    code, origin, currency, amount = _summed(paid, words)
    decimals = [decimals_of(name) for name in words.currencies]
    finest = max(decimals)
    up = np.array([10 ** (finest - each) for each in decimals], np.int64)
    steps = decimal_array(amount * up[currency], finest)
    return _role_rows(words, paid, code, origin, currency, steps)


def _summed(paid: _Paid, words: Words) -> tuple[Ints, Ints, Ints, Ints]:
    """The money of a subscriber once for each origin and currency."""
    packed = wide(paid.code) * len(words.origins) + paid.origin
    packed = packed * len(words.currencies) + paid.currency
    found, place = np.unique(packed, return_inverse=True)
    amount = np.zeros(len(found), np.int64)
    np.add.at(amount, place, paid.amount)
    kept = amount != 0
    rest, currency = np.divmod(found[kept], len(words.currencies))
    code, origin = np.divmod(rest, len(words.origins))
    return code, origin, currency, amount[kept]


def _role_rows(
    words: Words, paid: _Paid, code: Ints, origin: Ints, currency: Ints, amount: pa.Array
) -> pa.Table:
    return _movement_rows(
        words,
        paid.kind,
        code,
        role=_always(paid.role.value, len(code)),
        currency=_chosen(words.currencies, currency),
        origin=_chosen(words.origins, origin),
        amount=amount,
    )


def _movement_rows(words: Words, kind: Kind, code: Ints, **columns: pa.Array) -> pa.Table:
    count = len(code)
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
    places = pa.array(at.astype(np.int32))
    return pa.DictionaryArray.from_arrays(places, pa.array(list(texts), pa.string()))


def _always(text: str, count: int) -> pa.Array:
    return _chosen([text], np.zeros(count, np.int64))


def _dates(ordinals: Ints, absent: Any = None) -> pa.Array:
    return pa.array((ordinals - _EPOCH).astype(np.int32), mask=absent).cast(pa.date32())
