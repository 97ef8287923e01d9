"""Capacities from `custom` directives, one by one.

2026-06-01 custom "compute-capacity" "gpu" 4800.00 USD
  provider: "llama"
  life: "48 months"
"""

from __future__ import annotations

from beancount.core.data import Custom

from beancount_compute.economy import (
    CAPACITY_KEYS,
    Capacity,
    Money,
    Place,
    amount,
    of_minor_units,
    parse_term_name,
    quoted,
)
from beancount_compute.ledger.directives import fields_of, metadata_of, plain_value, values_of
from beancount_compute.ledger.errors import FieldError

CAPACITY = "compute-capacity"


def read_capacity(entry: Custom, place: Place) -> Capacity:
    """What a `compute-capacity` line states; raises `FieldError` or `Refused`."""
    example = 'a name and what it cost: "gpu" 4800.00 USD'
    name, written = values_of(entry, {("text", "amount"): ()}, example)
    cost: Money = of_minor_units("the cost")(plain_value(written))
    given = fields_of(metadata_of(entry, CAPACITY_KEYS), CAPACITY_KEYS)
    name = parse_term_name(name)
    if "provider" not in given:
        raise FieldError(
            f"capacity {quoted(name)} has no `provider`: write whose meters it serves, such as "
            'provider: "own"'
        )
    capacity = Capacity(name, entry.date, cost, life=given.pop("life", None), place=place, **given)
    _check_life(capacity)
    _check_money(capacity)
    _check_units(capacity)
    if capacity.started and capacity.started > capacity.since:
        raise FieldError(
            f"`started` {capacity.started} is after {capacity.since}: write the earlier day from "
            "which its life counts"
        )
    return capacity


def _check_life(capacity: Capacity) -> None:
    """Refuse what lasts neither by months nor by units, or by both."""
    by_months, by_units = capacity.life is not None, capacity.quantity is not None
    named = f"capacity {quoted(capacity.name)}"
    if by_months is by_units:
        which = "both `life` and" if by_months else "neither `life` nor"
        raise FieldError(
            f"{named} has {which} `quantity`: write how "
            'long it lasts, life: "48 months", or what it will serve, quantity: 60000 CU'
        )
    wrong = "served" if by_months else "started"
    if getattr(capacity, wrong) is not None:
        raise FieldError(
            f"`{wrong}` of {named} says nothing beside `{'life' if by_months else 'quantity'}`: "
            f"write `{'started' if by_months else 'served'}`"
        )


def _check_units(capacity: Capacity) -> None:
    """Refuse units of two commodities, and more served than there is to serve."""
    served, quantity = capacity.served, capacity.quantity
    for key in ("served", "can_serve"):
        units: Money | None = getattr(capacity, key)
        if units and quantity and units.currency != quantity.currency:
            raise FieldError(
                f"wrong commodity: `{key.replace('_', '-')}` {amount(*units)} of capacity "
                f"{quoted(capacity.name)}, which serves {quantity.currency}: write it in that"
            )
    if served and quantity and served.number > quantity.number:
        raise FieldError(
            f"`served` {amount(*served)} of capacity {quoted(capacity.name)} is more than its "
            f"`quantity` {amount(*quantity)}: write at most that"
        )


def _check_money(capacity: Capacity) -> None:
    """Refuse amounts in other money than the cost, and more than that."""
    cost = capacity.cost
    for key in ("residual", "depreciated"):
        of_key: Money | None = getattr(capacity, key)
        if of_key is None:
            continue
        if of_key.currency != cost.currency:
            raise FieldError(
                f"wrong currency: `{key}` {amount(*of_key)} of capacity {quoted(capacity.name)}, "
                f"which cost {amount(*cost)}: write it in {cost.currency}"
            )
        if of_key.number > cost.number:
            raise FieldError(
                f"`{key}` {amount(*of_key)} of capacity {quoted(capacity.name)} is more than its "
                f"cost {amount(*cost)}: write at most that"
            )
