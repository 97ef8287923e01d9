"""Capacities from `custom` directives: read one by one, and those that stand.

2026-06-01 custom "compute-capacity" "gpu" 4800.00 USD
  provider: "llama"
  life: "48 months"
2027-06-01 custom "compute-capacity" "gpu" 4800.00 EUR    ->  an error: it cost USD before
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date

from beancount.core.data import Custom

from beancount_compute.economy import (
    CAPACITY_KEYS,
    Capacity,
    Money,
    Place,
    Timeline,
    amount,
    of_minor_units,
    parse_term_name,
    quoted,
)
from beancount_compute.ledger.directives import fields_of, metadata_of, plain_value, values_of
from beancount_compute.ledger.errors import Errors, FieldError
from beancount_compute.ledger.names import component_of

CAPACITY = "compute-capacity"
_NEEDED = {"provider": "whose meters it serves", "life": "to which months its cost goes"}


def read_capacity(entry: Custom, place: Place) -> Capacity:
    """What a `compute-capacity` line states; raises `FieldError` or `Refused`."""
    example = 'a name and what it cost: "gpu" 4800.00 USD'
    name, written = values_of(entry, {("text", "amount"): ()}, example)
    cost: Money = of_minor_units("the cost")(plain_value(written))
    given = fields_of(metadata_of(entry, CAPACITY_KEYS), CAPACITY_KEYS)
    name = parse_term_name(name)
    for key, what in _NEEDED.items():
        if key not in given:
            raise FieldError(
                f"capacity {quoted(name)} has no `{key}`: write {what}, such as "
                f"{key}: {CAPACITY_KEYS[key].example}"
            )
    capacity = Capacity(name, entry.date, cost, place=place, **given)
    _check_money(capacity)
    if capacity.started and capacity.started > capacity.since:
        raise FieldError(
            f"`started` {capacity.started} is after {capacity.since}: write the earlier day from "
            "which its life counts"
        )
    return capacity


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


def capacities_in_force(
    lines: Iterable[Capacity], money: Collection[str], units: Collection[str], errors: Errors
) -> dict[str, Timeline[Capacity]]:
    """The capacities that stand, in the order of their lines: one a day and name."""
    components: dict[str, str] = {}
    dated: dict[str, dict[date, Capacity]] = {}
    for line in lines:
        other = components.get(component_of(line.name), line.name)
        known = dated.get(line.name, {})
        flaw = _wrong_commodity(line, money, units)
        if not flaw and other != line.name:
            flaw = (
                f"capacity {quoted(line.name)} would have the account component "
                f"{component_of(line.name)} of {quoted(other)}: give it another name"
            )
        if not flaw and known:
            flaw = _flaw_behind(line, known)
        if flaw:
            errors.add(line.place, flaw)
        elif line.since not in known:
            components[component_of(line.name)] = line.name
            dated.setdefault(line.name, {})[line.since] = line
    return {name: Timeline(of_name.items()) for name, of_name in dated.items()}


def _wrong_commodity(line: Capacity, money: Collection[str], units: Collection[str]) -> str:
    currency = line.cost.currency
    if currency in units:
        return (
            f"wrong currency: {currency} is a unit of compute in this ledger: write what capacity "
            f"{quoted(line.name)} cost in money, such as USD"
        )
    served = line.can_serve
    if served and (served.currency in money or served.currency == currency):
        return (
            f"wrong commodity: {served.currency} is a currency of this ledger, not a unit of "
            f"compute: write what capacity {quoted(line.name)} can serve in units, such as 500 CU"
        )
    return ""


def _flaw_behind(line: Capacity, known: dict[date, Capacity]) -> str:
    """What is wrong with a line behind others of its name."""
    same = known.get(line.since)
    first = next(iter(known.values()))
    if same is not None:
        if same._replace(place=line.place) == line:
            return ""
        return (
            f"capacity {quoted(line.name)} of {line.since} stands for something else at "
            f"{same.place}: remove one of the two"
        )
    if line.cost.currency != first.cost.currency:
        return (
            f"wrong currency: capacity {quoted(line.name)} cost {amount(*first.cost)} at "
            f"{first.place}: write its whole cost in {first.cost.currency}"
        )
    for key in ("started", "depreciated"):
        if getattr(line, key) is not None:
            return (
                f"`{key}` says what was before the first line of capacity {quoted(line.name)}, "
                f"{first.place}: remove it here"
            )
    return ""
