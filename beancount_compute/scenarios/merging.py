"""The terms under a scenario: the ledger's, with the scenario's lines of a name in their place.

2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU    ; the ledger
2026-08-01 custom "compute-plan" "pro" 220.00 USD 1000 CU    ; gone: by then it is the scenario's
2026-06-01 custom "compute-plan" "pro" 100.00 USD 1000 CU    ; the scenario
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from unicodedata import normalize

from beancount.core.data import Custom

from beancount_compute.economy import (
    COST_STEP,
    OPTIONS,
    Plan,
    Scale,
    ScaleTarget,
    Terms,
    Timeline,
    like,
    with_scales,
)
from beancount_compute.economy import quoted as in_quotes
from beancount_compute.ledger import Errors, bookable, terms_of
from beancount_compute.scenarios.scenario_file import Scenario


def terms_under(
    scenario: Scenario, of_ledger: Sequence[Custom], options_map: dict[str, Any], errors: Errors
) -> Terms:
    """The terms as a scenario has them; what the ledger says wrong of its own is told elsewhere."""
    own, told = Errors(), Errors()
    terms_of(of_ledger, options_map, told)
    terms = terms_of(merged(of_ledger, scenario.lines), options_map, own).terms
    known = {(error.source["filename"], error.source["lineno"]) for error in told.found}
    for error in own.found:
        place = (error.source["filename"], error.source["lineno"])
        if place not in known:
            errors.found.append(error)
    for scale in scenario.scales:
        _check_name(scale, terms, errors)
    scaled = with_scales(terms, scenario.scales)
    of_prices = [each for each in scenario.scales if each.target is ScaleTarget.PLAN_PRICE]
    if of_prices:
        scaled = scaled._replace(
            plans={
                name: Timeline(
                    (day, _bookable(plan, of_prices, scaled, errors)) for day, plan in of
                )
                for name, of in ((name, each.items()) for name, each in scaled.plans.items())
            }
        )
    return scaled


def _bookable(plan: Plan, scales: list[Scale], terms: Terms, errors: Errors) -> Plan:
    """A plan at its scaled price; where that can't be booked, the scale says so."""
    own = [each for each in scales if each.name in ("", plan.name) and each.since <= plan.since]
    if not own or not plan.bookable:
        return plan
    scale = max(own, key=lambda each: (bool(each.name), each.since))
    return bookable(plan._replace(place=scale.place), terms.of_ledger(COST_STEP), errors)


def merged(of_ledger: Iterable[Custom], of_scenario: Sequence[Custom]) -> list[Custom]:
    """The ledger's lines without those of names that the scenario has taken over by then."""
    since: dict[tuple[str, ...], date] = {}
    for line in of_scenario:
        key = _key(line)
        day = date.min if _of_whole_ledger(line) else line.date
        since[key] = min(day, since.get(key, day))
    kept = [line for line in of_ledger if line.date < since.get(_key(line), date.max)]
    return [*kept, *of_scenario]


def _key(line: Custom) -> tuple[str, ...]:
    """What a line names: a plan, a meter, an option and its currency, a meter and a provider."""
    values = [value for value, *_ in line.values or ()]
    names = [normalize("NFC", each).strip() for each in values if isinstance(each, str)]
    if line.type == "compute-option":
        option = OPTIONS.get(names[0]) if names else None
        currency = getattr(values[-1], "currency", "") if option and option.by_currency else ""
        return (line.type, *names[:1], str(currency))
    return (line.type, *names[: 2 if line.type == "compute-quote" else 1])


def _of_whole_ledger(line: Custom) -> bool:
    option = OPTIONS.get(_key(line)[1]) if line.type == "compute-option" else None
    return option is not None and option.whole_ledger


def _check_name(scale: Scale, terms: Terms, errors: Errors) -> None:
    """Refuse the name of what the terms don't know: nothing would be multiplied."""
    known: set[str] = set()
    if scale.target is ScaleTarget.PLAN_PRICE:
        known = set(terms.plans)
    elif scale.target is not ScaleTarget.TRADE_PRICE:
        known = set(terms.meters)
    if scale.target is ScaleTarget.COST:
        known |= terms.known_providers
    if scale.name and scale.name not in known:
        what = "plan" if scale.target is ScaleTarget.PLAN_PRICE else "meter"
        what = "meter or provider" if scale.target is ScaleTarget.COST else what
        name = in_quotes(scale.name)
        errors.add(scale.place, f"unknown {what} {name}: check the name{like(scale.name, known)}")
