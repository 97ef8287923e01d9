"""The meters, providers and quotes that stand: one a day and name, in units and money as they are.

2026-01-01 custom "compute-meter" "chat/output"
  units: 12 USD                                      ->  an error: USD is money here
2026-01-01 custom "compute-option" "meter" "chat"    ->  an error: no line names that meter
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple, TypeVar

from beancount_compute.economy import Meter, Place, Plan, Provider, Quote, Timeline, like, quoted
from beancount_compute.ledger.errors import Errors
from beancount_compute.ledger.names import ComponentsTaken
from beancount_compute.ledger.term_directives import Line

Name = TypeVar("Name")


class Meters(NamedTuple):
    """What stands of the lines on meters."""

    meters: dict[str, Timeline[Meter]]
    providers: dict[str, Timeline[Provider]]
    quotes: dict[tuple[str, str], Timeline[Quote]]
    units: frozenset[str]  # that meters take from subscribers
    refused: dict[str, Place]  # meters of which no line stands
    taken: ComponentsTaken  # by meters and providers


def meters_in_force(
    lines: Iterable[Line], unread: Mapping[str, Place], money: Collection[str], errors: Errors
) -> Meters:
    """The lines that stand; `unread` are meters with lines that can't be read."""
    refused = dict(unread)
    taken = ComponentsTaken()
    stands: list[Line] = []
    for line in lines:
        value = line.value
        flaw = _in_money(value, money)
        for what, name in _names_in(value):
            flaw = flaw or taken.flaw_of(what, name)
        if not flaw:
            stands.append(line)
            for what, name in _names_in(value):
                taken.take(what, name)
            continue
        errors.add(line.place, flaw)
        if isinstance(value, Meter):
            refused.setdefault(line.name, line.place)
    meters = _dated([each for each in stands if isinstance(each.value, Meter)], "meter", errors)
    named = {name for (name,) in meters} | refused.keys()
    quotes = [each for each in stands if isinstance(each.value, Quote)]
    quotes = [each for each in quotes if _known(each.value.meter, named, each.place, errors)]
    providers = [each for each in stands if isinstance(each.value, Provider)]
    units = {each.units.currency for line in meters.values() for each in line if each.units}
    return Meters(
        {name: timeline for (name,), timeline in meters.items()},
        {name: timeline for (name,), timeline in _dated(providers, "provider", errors).items()},
        {(of, by): timeline for (of, by), timeline in _dated(quotes, "quote", errors).items()},
        frozenset(units),
        {name: place for name, place in refused.items() if (name,) not in meters},
        taken,
    )


def _in_money(value: Any, money: Collection[str]) -> str:
    """What is wrong with a meter whose units are money."""
    if not isinstance(value, Meter) or not value.units or value.units.currency not in money:
        return ""
    return (
        f"wrong commodity: {value.units.currency} is a currency of this ledger, not a unit of "
        "compute: write what `per` of it takes from the subscriber, such as 12 CU"
    )


def _names_in(value: Any) -> list[tuple[str, str]]:
    """The meter and provider that a line makes known; that of a quote is known already."""
    if isinstance(value, Provider):
        return [("provider", value.name)]
    meter = [("meter", value.name)] if isinstance(value, Meter) else []
    return [*meter, ("provider", value.provider)] if value.provider else meter


def check_defaults(
    options: Iterable[Line], plans: Iterable[Plan], named: Collection[str], errors: Errors
) -> tuple[list[Line], frozenset[Place]]:
    """The option lines that stand, and the places of plans whose meter no line names."""
    kept = [
        line
        for line in options
        if line.name != "meter" or _known(line.value, named, line.place, errors)
    ]
    wrong = [
        plan.place
        for plan in plans
        if plan.meter and not _known(plan.meter, named, plan.place, errors)
    ]
    return kept, frozenset(wrong)


def _known(name: str, named: Collection[str], place: Place, errors: Errors) -> bool:
    if name in named:
        return True
    message = f"unknown meter {quoted(name)}: write a compute-meter line for it"
    errors.add(place, f"{message}{like(name, named)}")
    return False


def _dated(
    lines: Iterable[Line], what: str, errors: Errors
) -> dict[tuple[str, ...], Timeline[Any]]:
    """What each name stands for from which day; two that differ on one are an error."""
    first: dict[tuple[date, tuple[str, ...]], Line] = {}
    dated: dict[tuple[str, ...], list[tuple[date, Any]]] = {}
    for line in lines:
        value = line.value
        name = (value.meter, value.provider) if isinstance(value, Quote) else (value.name,)
        known = first.setdefault((line.date, name), line)
        if known is line:
            dated.setdefault(name, []).append((line.date, value))
        elif known.value._replace(place=line.place) != value:
            errors.add(
                line.place,
                f"{what} {' of '.join(map(quoted, name))} of {line.date} stands for something else "
                f"at {known.place}: remove one of the two",
            )
    return {name: Timeline(values) for name, values in dated.items()}
