"""Control totals of sources, from `custom "compute-control"` directives.

2026-05-31 custom "compute-control" "consumption" 1204 350123 CU
"""

from __future__ import annotations

from decimal import Decimal

from beancount.core.data import Custom

from beancount_compute.economy import (
    EVENTS,
    WITH_MONEY,
    WITH_UNITS,
    ControlTotal,
    Kind,
    like,
    quoted,
)
from beancount_compute.ledger.directives import metadata_of, place_of, values_of
from beancount_compute.ledger.errors import FieldError
from beancount_compute.ledger.fields import check_number

CONTROL = "compute-control"
_SHAPES = {
    ("text", "number"): (),
    ("text", "number", "amount"): (),
    ("text", "number", "amount", "amount"): (),
}
_EXAMPLE = 'a kind of event, rows, units and perhaps money: "trade" 12 4000 CU 512.00 USD'


def control_of(entry: Custom) -> ControlTotal:
    """The control total that a directive states; raises `FieldError`."""
    name, rows, *sums = values_of(entry, _SHAPES, _EXAMPLE)
    metadata_of(entry, ())
    if name not in EVENTS:
        known = ", ".join(EVENTS)
        raise FieldError(f"unknown kind {quoted(name)}; known: {known}{like(name, EVENTS)}")
    kind = Kind(name)
    if check_number(rows) < 0 or rows % 1:
        raise FieldError(f"{rows:f} rows: write how many the source gave, such as 1204")
    if len(sums) > (kind in WITH_UNITS) + (kind in WITH_MONEY):
        what = "neither units nor money" if kind not in WITH_UNITS else "units and no money"
        raise FieldError(f'a {kind} has {what}: write custom "{CONTROL}" "{kind}" and those')
    numbers: list[Decimal | None] = [check_number(each.number) for each in sums]
    for number, each in zip(numbers, sums, strict=True):
        if number is not None and number < 0:
            raise FieldError(f"{each} is below zero: write what the source gave in all")
    units, money = [*numbers, None, None][:2]
    commodity, currency = [*(each.currency for each in sums), "", ""][:2]
    place = place_of(entry.meta)
    return ControlTotal(entry.date, kind, int(rows), units, commodity, money, currency, place)
