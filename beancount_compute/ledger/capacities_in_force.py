"""The capacities that stand: one a day and name, in one currency, by units that a meter serves.

2026-06-01 custom "compute-capacity" "gpu" 4800.00 USD
  provider: "llama"
  life: "48 months"
2027-06-01 custom "compute-capacity" "gpu" 4800.00 EUR    ->  an error: it cost USD before
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date

from beancount_compute.economy import Capacity, Timeline, amount, like, quoted
from beancount_compute.ledger.errors import Errors
from beancount_compute.ledger.meters_in_force import Meters


def capacities_in_force(
    lines: Iterable[Capacity],
    money: Collection[str],
    units: Collection[str],
    metered: Meters,
    errors: Errors,
) -> dict[str, Timeline[Capacity]]:
    """The capacities that stand, in the order of their lines: one a day and name."""
    taken = metered.taken
    dated: dict[str, dict[date, Capacity]] = {}
    for line in lines:
        known = dated.get(line.name, {})
        flaw = _wrong_commodity(line, money, units) or _unserved(line, metered)
        flaw = flaw or taken.flaw_of("capacity", line.name)
        flaw = flaw or taken.flaw_of("provider", line.provider)
        if not flaw and known:
            flaw = _flaw_behind(line, known)
        if flaw:
            errors.add(line.place, flaw)
        elif line.since not in known:
            taken.take("capacity", line.name)
            taken.take("provider", line.provider)
            dated.setdefault(line.name, {})[line.since] = line
    return {name: Timeline(of_name.items()) for name, of_name in dated.items()}


def _wrong_commodity(line: Capacity, money: Collection[str], units: Collection[str]) -> str:
    currency = line.cost.currency
    if currency in units:
        return (
            f"wrong currency: {currency} is a unit of compute in this ledger: write what capacity "
            f"{quoted(line.name)} cost in money, such as USD"
        )
    for served in (line.quantity, line.can_serve):
        if served and (served.currency in money or served.currency == currency):
            return (
                f"wrong commodity: {served.currency} is a currency of this ledger, not a unit of "
                f"compute: write what capacity {quoted(line.name)} serves in units, such as 500 CU"
            )
    return ""


def _unserved(line: Capacity, metered: Meters) -> str:
    """What is wrong with a quantity that no meter ever serves."""
    if line.quantity is None or metered.refused:
        return ""
    meters = [meter for timeline in metered.meters.values() for meter in timeline]
    providers = {meter.provider for meter in meters if meter.provider}
    if line.provider not in providers:
        return (
            f"unknown provider {quoted(line.provider)}: no compute-meter names it, so that nothing "
            f"of capacity {quoted(line.name)} would be depreciated by its `quantity`: write the "
            f"provider of the meters that it serves{like(line.provider, providers)}"
        )
    unit = line.quantity.currency
    served = {meter.units and meter.units[1] for meter in meters if meter.provider == line.provider}
    if served.isdisjoint([unit, None]):
        return (
            f"wrong commodity: no meter of {quoted(line.provider)} takes {unit}: write the "
            f"`quantity` of capacity {quoted(line.name)} in units that one takes"
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
    before = next((each.quantity for each in known.values() if each.quantity), None)
    if line.quantity and before and line.quantity.currency != before.currency:
        return (
            f"wrong commodity: capacity {quoted(line.name)} serves {before.currency} by a line "
            f"before: write its `quantity` in that"
        )
    for key in ("started", "depreciated", "served"):
        if getattr(line, key) is not None:
            return (
                f"`{key}` says what was before the first line of capacity {quoted(line.name)}, "
                f"{first.place}: remove it here"
            )
    return ""
