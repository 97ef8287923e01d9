"""Sums and state as tables of Arrow, and back.

Numbers are decimals of 38 digits: six decimals of units, twelve of money, or as many more as one of
them needs. So every digit of the books is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal, localcontext
from typing import Any

import pyarrow as pa

from beancount_compute.bulk.bulk_terms import BulkError
from beancount_compute.bulk.by_engine.leg_sums import LegSums
from beancount_compute.economy import (
    STOCK,
    WIDE,
    ZERO,
    HandPosting,
    Refusal,
    Role,
    trim,
)

UNIT_DECIMALS, MONEY_DECIMALS = 6, 12
_DIGITS = 38
_UNITS = pa.decimal128(_DIGITS, UNIT_DECIMALS)
_MONEY = pa.decimal128(_DIGITS, MONEY_DECIMALS)
_TEXT, _DAY = pa.string(), pa.date32()

_LOT = [
    ("commodity", _TEXT),
    ("cost", _MONEY),
    ("currency", _TEXT),
    ("date", _DAY),
    ("origin", _TEXT),
    ("end", _DAY),
]
_MOVEMENT = [
    ("subscriber", _TEXT),
    ("kind", _TEXT),
    ("undoes", _TEXT),
    ("role", _TEXT),
    *_LOT,
    ("units_in", _UNITS),
    ("units_out", _UNITS),
    ("amount", _MONEY),
]
_WORD = pa.dictionary(pa.int32(), _TEXT)  # that many rows say
USE, DRAWN, BEYOND = "use", "drawn", "beyond"  # what a row of uses is about, or the role of income
DETAIL = "detail"  # of too many rows to be held: shard by shard
SCHEMAS: dict[str, pa.Schema] = {
    "movements": pa.schema(_MOVEMENT),
    "lots": pa.schema(
        [("subscriber", _TEXT), ("pocket", _TEXT), *_LOT, ("units", _UNITS), ("terms_day", _DAY)]
    ),
    "subscriptions": pa.schema(
        [
            ("id", _TEXT),
            ("subscriber", _TEXT),
            ("plan", _TEXT),
            ("start", _DAY),
            ("day_of_month", pa.int16()),
            ("counted_in_days", pa.bool_()),
            ("period_end", _DAY),
            ("periods", pa.int32()),
            ("ended", pa.bool_()),
            ("file", _TEXT),
            ("line", pa.int64()),
            ("cancelled_by", _TEXT),
            ("cancelled_on", _DAY),
            ("overage", _MONEY),
            ("overage_charged", _MONEY),
            ("discount", _MONEY),
            ("discount_currency", _TEXT),
            ("beside", _TEXT),  # rows of a closed month's state
        ]
    ),
    "subscribers": pa.schema([("subscriber", _TEXT)]),
    "refused": pa.schema(
        [
            ("file", _TEXT),
            ("row", pa.int64()),
            ("message", _TEXT),
            ("follows_file", _TEXT),
            ("follows_row", pa.int64()),
        ]
    ),
    "by_hand": pa.schema([("subscriber", _TEXT), ("pocket", _TEXT), *_LOT, ("units", _UNITS)]),
    "operator": pa.schema(
        [
            ("what", _TEXT),  # stock, credits, accrued, billed or capacity
            ("name", _TEXT),  # of the provider or capacity
            ("meter", _TEXT),
            *_LOT,
            ("units", _UNITS),
            ("amount", _MONEY),
            ("since", _DAY),
            ("before", _MONEY),
            ("pending", _UNITS),
        ]
    ),
    "costs": pa.schema(
        [
            ("entry", pa.int32()),
            ("booked", _DAY),
            ("served", _DAY),
            ("provider", _TEXT),
            ("what", _TEXT),  # a role, beyond or stated
            ("meter", _TEXT),
            *_LOT,
            ("units", _UNITS),
            ("amount", _MONEY),
        ]
    ),
    # the operator's entries, of all kinds: a row for each leg, and for what is beyond or stated
    "operator_journal": pa.schema(
        [
            ("entry", pa.int32()),
            ("booked", _DAY),
            ("kind", _TEXT),
            ("undoes", _TEXT),
            ("id", _TEXT),
            ("source", _TEXT),
            ("name", _TEXT),  # of the provider or capacity
            ("period", _TEXT),  # the days of a bill
            ("served", _DAY),
            ("what", _TEXT),  # as in costs
            ("meter", _TEXT),
            *_LOT,
            ("units", _UNITS),
            ("amount", _MONEY),
        ]
    ),
    # the uses of meters, by day: how many, what they took of lots, and what they earned
    "uses": pa.schema(
        [
            ("date", _DAY),
            ("undoes", pa.bool_()),
            ("used_on", _DAY),
            ("undone", _TEXT),  # the use of an earlier day
            ("meter", _TEXT),
            ("measured", pa.bool_()),  # whether they name a quantity
            ("what", _TEXT),
            ("commodity", _TEXT),
            ("currency", _TEXT),
            ("origin", _TEXT),
            ("lot_date", _DAY),
            ("lot_end", _DAY),
            ("uses", pa.int64()),
            ("quantity", _MONEY),
            ("units", _UNITS),
            ("amount", _MONEY),
        ]
    ),
    "served": pa.schema(
        [
            ("date", _DAY),
            ("meter", _TEXT),
            ("commodity", _TEXT),
            ("measured", pa.bool_()),
            ("quantity", _MONEY),
            ("units", _UNITS),
        ]
    ),
    "taken_back": pa.schema(
        [
            ("date", _DAY),
            ("time", _TEXT),
            ("used_on", _DAY),
            ("used_at", _TEXT),
            ("subscriber", _TEXT),
            ("id", _TEXT),
            ("meter", _TEXT),
            ("quantity", _MONEY),
            ("units", _UNITS),
            ("commodity", _TEXT),
        ]
    ),
    "sold": pa.schema(  # what control totals count
        [
            ("kind", _TEXT),
            ("commodity", _TEXT),
            ("currency", _TEXT),
            ("rows", pa.int64()),
            ("units", _UNITS),
            ("money", _MONEY),
        ]
    ),
    "accruals": pa.schema([("currency", _TEXT), ("amount", _MONEY)]),  # that came by hand
    "prices": pa.schema(
        [
            ("date", _DAY),
            ("commodity", _TEXT),
            ("currency", _TEXT),
            ("gross", _MONEY),
            ("units", _UNITS),
        ]
    ),
    DETAIL: pa.schema(
        [
            ("day", _DAY),
            ("id", _TEXT),
            *((name, _WORD if kind is _TEXT else kind) for name, kind in _MOVEMENT),
            ("file", _WORD),
            ("row", pa.int64()),
        ]
    ),
    # what reports read: a row for each direction in which units move of lots alike but for their
    # cost, and one for the money of a role; income besides that of lots stands with its lot
    "days": pa.schema(
        [
            ("date", _DAY),
            ("kind", _TEXT),
            ("undoes", _TEXT),
            ("role", _TEXT),
            ("currency", _TEXT),
            ("commodity", _TEXT),
            ("origin", _TEXT),
            ("lot_date", _DAY),
            ("lot_end", _DAY),
            ("lot_currency", _TEXT),
            ("units_in", _UNITS),
            ("units_out", _UNITS),
            ("amount", _MONEY),
            ("holder", _TEXT),  # where the account is a provider's or a capacity's
        ]
    ),
    "trades": pa.schema(
        [
            ("date", _DAY),
            ("undoes", pa.bool_()),
            ("traded", _DAY),
            ("commodity", _TEXT),
            ("currency", _TEXT),
            ("price", _MONEY),
            ("origins", pa.list_(_TEXT)),
            ("trades", pa.int64()),
            ("units", _UNITS),
            ("gross", _MONEY),
            ("seller_fee", _MONEY),
            ("buyer_fee", _MONEY),
        ]
    ),
}
# Columns that came later: written only where any row fills them, so that others stay as they were.
LATER_COLUMNS: dict[str, tuple[str, ...]] = {
    "subscriptions": ("discount", "discount_currency", "beside")
}
# in which order the rows of a table stand
ORDER_OF_ROWS: dict[str, tuple[str, ...]] = {
    "movements": (
        "subscriber",
        "kind",
        "undoes",
        "role",
        "commodity",
        "date",
        "origin",
        "currency",
        "cost",
        "end",
    ),
    "lots": ("subscriber", "pocket", "commodity", "currency", "cost", "date", "origin", "end"),
    "subscriptions": ("subscriber", "start", "plan", "id"),
    "subscribers": ("subscriber",),
    "refused": ("file", "row", "message"),
    "days": (
        "date",
        "kind",
        "undoes",
        "role",
        "commodity",
        "origin",
        "currency",
        "lot_date",
        "lot_end",
        "lot_currency",
        "holder",
        "units_out",
    ),
    "trades": ("date", "undoes", "traded", "commodity", "currency", "price", "origins"),
    "uses": (
        "date",
        "undoes",
        "used_on",
        "undone",
        "meter",
        "measured",
        "what",
        "commodity",
        "currency",
        "origin",
        "lot_date",
        "lot_end",
    ),
    "prices": ("date", "commodity", "currency"),
}
# the columns that are added up where the others are alike, in whatever shard
ADDED_UP: dict[str, tuple[str, ...]] = {
    "days": ("units_in", "units_out", "amount"),
    "trades": ("trades", "units", "gross", "seller_fee", "buyer_fee"),
    "prices": ("gross", "units"),
    "uses": ("uses", "quantity", "units", "amount"),
}
Tables = dict[str, pa.Table]


def movements_table(sums: LegSums) -> pa.Table:
    """What was booked of each subscriber, by lot and kind, and the money besides."""
    rows: list[tuple[Any, ...]] = []
    for (way, lot), moved in sums.lots.items():
        holder, pocket, *key = lot
        commodity, cost, *rest = key
        amount = (moved.units_out - moved.units_in) * cost
        if pocket is STOCK:  # an asset: what comes in is a debit
            amount = -amount
        rows.append(
            (
                holder,
                *way,
                str(pocket),
                commodity,
                cost,
                *rest,
                moved.units_in,
                moved.units_out,
                amount,
            )
        )
    for (way, holder, role, origin, currency), number in sums.money.items():
        if number:
            rows.append(
                (
                    holder,
                    *way,
                    role.value,
                    None,
                    None,
                    currency,
                    None,
                    origin,
                    None,
                    None,
                    None,
                    number,
                )
            )
    for (way, (holder, *of_lot)), earned in sums.earned.items():
        of_access = (Role.ACCESS_REVENUE.value, None, None, *of_lot, None, None)
        rows.append((holder, *way, *of_access, -earned))
    return table_of("movements", rows)


def days_table(sums: LegSums) -> pa.Table:
    """What was booked on each day."""
    return table_of(
        "days",
        [
            day_row(*key[:-1], each.units, each.amount, holder=key.holder)
            for key, each in sums.days.items()
        ],
    )


def day_row(*fields: Any, holder: str = "") -> tuple[Any, ...]:
    """The fields of a day's key, its units and amount, as a row of days."""
    *key, out, units, amount = fields
    return (*key, *((ZERO, units) if out else (units, ZERO)), amount, holder)


def trades_table(sums: LegSums) -> pa.Table:
    """What was traded on each day, by price."""
    return table_of("trades", [(*key, *each) for key, each in sums.trades.items()])


def prices_table(
    traded: Mapping[tuple[date, str, str], Sequence[tuple[Decimal, Decimal]]],
) -> pa.Table:
    """What was paid for how many units, by day: of prices and units of trades."""
    with localcontext(WIDE):
        rows = [
            (
                *key,
                sum((price * units for price, units in trades), ZERO),
                sum((units for _, units in trades), ZERO),
            )
            for key, trades in traded.items()
        ]
    return table_of("prices", rows)


def by_hand_table(openings: Iterable[HandPosting], removals: Iterable[HandPosting]) -> pa.Table:
    """What people put into lots, or took out of them, by hand."""
    signed = [(each.lot, each.units) for each in openings]
    signed += [(each.lot, -each.units) for each in removals]
    rows = [(lot.holder, str(lot.pocket), *lot[2:], units) for lot, units in signed]
    return table_of("by_hand", rows)


def refused_table(refusals: Iterable[Refusal]) -> pa.Table:
    """The events that were refused, with where they stand and why."""
    return table_of(
        "refused",
        [
            (
                place.file,
                place.line,
                message,
                cause.file if cause else None,
                cause.line if cause else None,
            )
            for place, message, cause in refusals
        ],
    )


def table_of(name: str, rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    """A table of a schema, with as many decimals as its numbers need."""
    columns = list(zip(*rows, strict=True)) or [()] * len(SCHEMAS[name])
    arrays = [
        decimals(column, field.type.scale)
        if pa.types.is_decimal(field.type)
        else pa.array(column, field.type)
        for field, column in zip(SCHEMAS[name], columns, strict=True)
    ]
    return pa.table(arrays, names=SCHEMAS[name].names)


def decimals(numbers: Sequence[Decimal | None], least: int) -> pa.Array:
    """Numbers as decimals of at least so many decimal places."""
    with suppress(pa.ArrowInvalid):  # where a number is finer, or too long
        return pa.array(numbers, pa.decimal128(_DIGITS, least))
    scale = max([least, *(_places(number) for number in numbers if number is not None)])
    try:
        return pa.array(numbers, pa.decimal128(_DIGITS, scale))
    except pa.ArrowInvalid:
        largest = max(filter(None, numbers), key=abs, default=ZERO)
        raise BulkError(
            f"{largest:f} and {scale} decimals don't fit into the {_DIGITS} digits of a Parquet "
            "decimal: write coarser units, or larger ones"
        ) from None


def as_written(name: str, table: pa.Table) -> pa.Table:
    """A table without the columns that came later and that no row fills."""
    idle = [each for each in LATER_COLUMNS.get(name, ()) if table[each].null_count == len(table)]
    return table.drop_columns(idle)


def not_written(name: str, present: Sequence[str]) -> list[pa.Field]:
    """The columns that came later and that a file of a table has not."""
    return [
        SCHEMAS[name].field(each) for each in LATER_COLUMNS.get(name, ()) if each not in present
    ]


def _places(number: Decimal) -> int:
    exponent = trim(number, 0).as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)


def with_words(schema: pa.Schema) -> pa.Schema:
    """A schema with its texts as dictionaries, but for names: there are few of each."""
    word = pa.dictionary(pa.int32(), pa.string())
    return pa.schema(
        [
            each.with_type(word)
            if pa.types.is_string(each.type) and each.name != "subscriber"
            else each
            for each in schema
        ]
    )


def together(name: str, tables: Sequence[pa.Table], *, words: bool = False) -> pa.Table:
    """Tables of one schema as one, with the decimals of the finest of each column.

    Their texts are dictionaries where `words` says so.
    """
    schema = SCHEMAS[name]
    fields = []
    for field in schema:
        if pa.types.is_decimal(field.type):
            scale = max(
                [field.type.scale, *(t.schema.field(field.name).type.scale for t in tables)]
            )
            field = field.with_type(pa.decimal128(_DIGITS, scale))
        fields.append(field)
    wanted = with_words(pa.schema(fields)) if words else pa.schema(fields)
    try:
        return pa.concat_tables([table.cast(wanted) for table in tables] or [wanted.empty_table()])
    except pa.ArrowInvalid:
        raise BulkError(
            f"the numbers of {name} don't fit into the {_DIGITS} digits of a Parquet decimal: "
            "write coarser units, or larger ones"
        ) from None
