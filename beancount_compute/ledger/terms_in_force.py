"""The terms that stand: of all term lines one a day and name, and nothing that shuts out another.

2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
2026-06-01 custom "compute-plan" "pro" 210.00 USD 1000 CU    ->  200.00 until May, then 210.00
2026-06-01 custom "compute-plan" "pro" 220.00 USD 1000 CU    ->  an error: which of the two?
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal, Inexact, localcontext
from itertools import pairwise
from typing import Any, NamedTuple

from beancount.core.data import Custom, Directive

from beancount_compute.economy import (
    COST_STEP,
    EXACT,
    OPTIONS,
    RESERVED_ORIGINS,
    ROLES,
    CostStepTooCoarse,
    Money,
    Place,
    Plan,
    Provider,
    Role,
    Terms,
    Timeline,
    amount,
    quoted,
    round_money,
    split,
)
from beancount_compute.ledger.accounts import Accounts, Roots, default_templates, shared_account
from beancount_compute.ledger.capacities_in_force import capacities_in_force
from beancount_compute.ledger.errors import Errors
from beancount_compute.ledger.meters_in_force import check_defaults, meters_in_force
from beancount_compute.ledger.names import component_of
from beancount_compute.ledger.term_directives import TERM_TYPES, Line, TermLines, read_lines


class LedgerTerms(NamedTuple):
    """The terms, the accounts' templates and the named components of a ledger."""

    terms: Terms
    templates: dict[Role, str]
    components: dict[str, str]  # of the subscribers that `compute-subscriber` names
    introductions: list[Line]  # those lines
    known: list[Line]  # `compute-subscriber` lines of those to whom none names a component
    bulk_from: date | None = None  # the first day that is not booked here, but in bulk

    def booked_until(self, day: date) -> date:
        """Until when the plugin books what is derived, of days up to one."""
        return day if self.bulk_from is None else min(day, self.bulk_from - timedelta(1))

    def in_bulk(self, day: date) -> bool:
        """Whether what is of a day is booked in bulk, and not by the plugin."""
        return self.bulk_from is not None and day >= self.bulk_from


def read_terms(
    entries: Iterable[Custom], roots: Roots, currencies: list[str], errors: Errors
) -> LedgerTerms:
    """The terms of a ledger; every line that is wrong is an error, and the others stand."""
    lines = read_lines(entries, roots, errors)
    lines_of_options = _in_force(lines.options, errors)
    step = next((line.value for line in lines_of_options if line.name == COST_STEP.name), None)
    plans = _plans(lines, currencies, step, errors)
    offers = [offer for timeline in plans.values() for offer in timeline]
    units = frozenset([sold.commodity for offer in offers for sold in offer.lines])
    beyond = [each.value.beyond for each in lines.meters if isinstance(each.value, Provider)]
    prices = [offer.currency for offer in offers] + [each.currency for each in beyond if each]
    money = frozenset([*currencies, *prices]) - units
    metered = meters_in_force(lines.meters, lines.refused_meters, money, errors)
    metered_names = metered.meters.keys() | metered.refused.keys()
    lines_of_options, unmetered = check_defaults(lines_of_options, offers, metered_names, errors)
    if unmetered:
        plans = {name: _without_meter(each, unmetered) for name, each in plans.items()}
    units |= metered.units
    terms = Terms(
        plans=plans,
        options=_timelines(_in_money(lines_of_options, units, errors)),
        grant_currency=currencies[0] if currencies else None,
        money=money,
        units=units,
        refused={name: at for name, at in lines.refused.items() if name not in plans},
        meters=metered.meters,
        providers=metered.providers,
        quotes=metered.quotes,
        refused_meters=metered.refused,
        related=_groups("related", lines.related, errors),
        segments=_groups("group", lines.segments, errors),
        capacities=capacities_in_force(lines.capacities, money, units, metered, errors),
    )
    named = [line for line in lines.subscribers if line.value]
    introductions = _distinct_components(_one_value_each(named, "subscriber", errors), errors)
    introductions, known = _since_first_line(introductions, lines.subscribers)
    components = {line.name: line.value for line in introductions}
    origins = frozenset(map(component_of, [*plans, *RESERVED_ORIGINS]))
    templates = _templates(lines, roots, origins, errors)
    return LedgerTerms(terms, templates, components, introductions, known)


def roots_of(options_map: dict[str, Any]) -> Roots:
    """The ledger's own names of the roots."""
    return Roots(
        options_map["name_assets"],
        options_map["name_liabilities"],
        options_map["name_income"],
        options_map["name_expenses"],
    )


def terms_of(
    directives: Iterable[Custom], options_map: dict[str, Any], errors: Errors
) -> LedgerTerms:
    """The terms that the term directives of a ledger state."""
    currencies = options_map["operating_currency"]
    return read_terms(directives, roots_of(options_map), currencies, errors)


class Agreed(NamedTuple):
    """What reports need to know of a ledger's terms."""

    terms: Terms
    accounts: Accounts
    introduced: dict[str, str]  # the components of whom a `compute-subscriber` line names


def read_terms_and_accounts(entries: Iterable[Directive], options_map: dict[str, Any]) -> Agreed:
    """The terms of a loaded ledger. What is wrong with them was reported on loading."""
    lines = [entry for entry in entries if entry.__class__ is Custom and entry.type in TERM_TYPES]
    found = terms_of(lines, options_map, Errors())
    introduced = {line.name: component_of(line.name) for line in found.known}
    introduced |= found.components
    accounts = Accounts(found.templates, introduced, roots_of(options_map))
    return Agreed(found.terms, accounts, introduced)


def _conflict(name: str, first: Line) -> str:
    return f"{name} stands for something else at {first.place}: remove one of the two"


def _in_force(lines: list[Line], errors: Errors) -> list[Line]:
    """The options that stand: dated ones one a day, ledger-wide ones with one value."""
    whole = [line for line in lines if OPTIONS[line.name].whole_ledger]
    kept = _one_value_each(whole, "option", errors)
    first: dict[tuple[date, str], Line] = {}
    for line in lines:
        if OPTIONS[line.name].whole_ledger:
            continue
        name = line.name
        if OPTIONS[name].by_currency:
            name = f"{name} in {line.value.currency}"
        known = first.setdefault((line.date, name), line)
        if known is line:
            kept.append(line)
        elif known.value != line.value:
            errors.add(line.place, _conflict(f"option {name} of {line.date}", known))
    return kept


def _in_money(options: list[Line], units: Collection[str], errors: Errors) -> list[Line]:
    """The options without amounts of what plans sell: a fee or a cost is in money."""
    kept: list[Line] = []
    for line in options:
        if isinstance(line.value, Money) and line.value.currency in units:
            errors.add(line.place, f"{line.name}: {_no_money(line.value.currency)}")
        else:
            kept.append(line)
    return kept


def _no_money(currency: str) -> str:
    return (
        f"wrong currency: {currency} is a unit of compute in this ledger: "
        "write an amount of money, such as USD"
    )


def _one_value_each(lines: list[Line], what: str, errors: Errors) -> list[Line]:
    """The lines whose value holds for the whole ledger, the first of each name."""
    first: dict[str, Line] = {}
    for line in lines:
        known = first.setdefault(line.name, line)
        if known.value != line.value:
            errors.add(line.place, _conflict(f"{what} {quoted(line.name)}", known))
    return list(first.values())


def _timelines(lines: list[Line]) -> dict[tuple[str, str], Timeline[Any]]:
    """What each option says from which day, by its name and, where it has one, currency."""
    dated: dict[tuple[str, str], list[tuple[date, Any]]] = {}
    for line in lines:
        option = OPTIONS[line.name]
        key = (line.name, line.value.currency if option.by_currency else "")
        day = date.min if option.whole_ledger else line.date
        dated.setdefault(key, []).append((day, line.value))
    return {key: Timeline(values) for key, values in dated.items()}


def _plans(
    lines: TermLines, currencies: list[str], step: Decimal | None, errors: Errors
) -> dict[str, Timeline[Plan]]:
    """The plans that stand: one a day and name, and no two names in one component."""
    taken = {component_of(origin): origin for origin in RESERVED_ORIGINS}
    first: dict[tuple[date, str], Line] = {}
    dated: dict[str, list[tuple[date, Plan]]] = {}
    money = dict.fromkeys(currencies, "an operating currency")
    units: set[str] = set()

    def refuse(line: Line, message: str) -> None:
        errors.add(line.place, message)
        lines.refused.setdefault(line.name, line.place)

    for line in lines.plans:
        plan: Plan = line.value
        sold = [each.commodity for each in plan.lines]
        if wrong := next((each for each in sold if each in money), ""):
            message = (
                f"wrong commodity: {wrong} is {money[wrong]}, not a unit of "
                "compute: write the price first, then the units"
            )
            refuse(line, message)
            continue
        paid_in = [plan.currency, *([plan.overage.currency] if plan.overage else [])]
        if wrong := next((each for each in paid_in if each in units), ""):
            refuse(line, _no_money(wrong))
            continue
        component = component_of(line.name)
        other = taken.setdefault(component, line.name)
        if other != line.name:
            message = (
                f"plan {quoted(line.name)} would have the account component {component} of "
                f"{quoted(other)}: give it another name"
            )
            refuse(line, message)
            continue
        if wrong := _charged_otherwise(plan, [each for _, each in dated.get(line.name, ())]):
            refuse(line, wrong)
            continue
        known = first.setdefault((line.date, line.name), line)
        if known is line:
            plan = bookable(plan, step, errors)
            dated.setdefault(line.name, []).append((line.date, plan))
            units.update(sold)
            for currency in paid_in:
                money.setdefault(currency, f"the currency of plan {quoted(plan.name)}")
        elif known.value._replace(place=line.place) != line.value:
            name = f"plan {quoted(line.name)} of {line.date}"
            errors.add(line.place, _conflict(name, known))
    return {name: Timeline(plans) for name, plans in dated.items()}


def _charged_otherwise(plan: Plan, before: Sequence[Plan]) -> str:
    """What is wrong with a line that charges anew what earlier ones charged in something else."""
    if plan.overage_since is None or plan.overage is None:
        return ""
    for line, following in pairwise([*before, plan]):
        if following.since <= plan.overage_since or line.overage is None:
            continue
        said = (line.overage.currency, [each.commodity for each in line.lines])
        if said != (plan.overage.currency, [each.commodity for each in plan.lines]):
            return (
                f"`overage-since` {plan.overage_since} reaches back to the line of {line.since}, "
                f"which charges {line.overage.currency} for units of {line.lines[0].commodity}: "
                "a price can change, but not what it is in, nor what it is of"
            )
    return ""


def bookable(plan: Plan, step: Decimal | None, errors: Errors) -> Plan:
    """The plan, marked as not bookable where its unit cost can't be kept exact."""
    try:
        with localcontext(EXACT):
            for line in plan.lines:
                if not line.units:
                    continue
                paid = round_money(line.price, plan.currency)
                for share in split(paid, line.units, plan.currency, step):
                    share.units * share.cost
    except CostStepTooCoarse:
        reason = (
            f"{amount(paid, plan.currency)} for {amount(line.units, line.commodity)} is less than "
            f"the cost-step {step} per unit, so part of it would cost nothing: "
            "write a smaller cost-step; no period of this plan is booked"
        )
    except Inexact:
        reason = (
            "a lot of this plan would need more than the 28 digits with which Beancount computes: "
            "write numbers with fewer digits; no period of this plan is booked"
        )
    else:
        return plan
    errors.add(plan.place, reason)
    return plan._replace(bookable=False)


def _without_meter(plans: Timeline[Plan], places: Collection[Place]) -> Timeline[Plan]:
    """The plan without its meter where no line names that; the rest of it stands."""
    return Timeline(
        (day, plan._replace(meter="") if plan.place in places else plan)
        for day, plan in plans.items()
    )


def _distinct_components(lines: list[Line], errors: Errors) -> list[Line]:
    first: dict[str, Line] = {}
    kept: list[Line] = []
    for line in lines:
        known = first.setdefault(line.value, line)
        if known is line:
            kept.append(line)
        else:
            message = (
                f"component {line.value} is that of {quoted(known.name)} at "
                f"{known.place}: give one of the two another"
            )
            errors.add(line.place, message)
    return kept


def _since_first_line(
    introductions: list[Line], lines: Iterable[Line]
) -> tuple[list[Line], list[Line]]:
    """The named subscribers, each since its first line; and the first lines of all others."""
    first: dict[str, Line] = {}
    for line in lines:
        first.setdefault(line.name, line)
    since = [line._replace(date=first[line.name].date) for line in introductions]
    named = {line.name for line in lines if line.value}
    return since, [line for name, line in first.items() if name not in named]


def _groups(key: str, lines: Iterable[Line], errors: Errors) -> dict[str, Timeline[str]]:
    """The groups of related parties, or those of reports, by subscriber."""
    first: dict[tuple[str, date], Line] = {}
    for line in lines:
        known = first.setdefault((line.name, line.date), line)
        if known.value != line.value:
            what = f"`{key}` of {quoted(line.name)} on {line.date}"
            errors.add(line.place, _conflict(what, known))
    dated: dict[str, list[tuple[date, str]]] = {}
    for (name, day), line in first.items():
        dated.setdefault(name, []).append((day, line.value))
    return {name: Timeline(values) for name, values in dated.items()}


def _templates(
    lines: TermLines, roots: Roots, origins: Collection[str], errors: Errors
) -> dict[Role, str]:
    """The accounts' templates; a named one that would share a pocket's account is an error."""
    templates = default_templates(roots)
    named = {Role(line.name): line for line in _one_value_each(lines.accounts, "account", errors)}
    templates.update({role: line.value for role, line in named.items()})
    while (shared := shared_account(templates, origins)) is not None:
        line = named[max((role for role in shared if role in named), key=lambda r: named[r].place)]
        pocket, role = shared
        apart = "a pocket" if ROLES[pocket].pocket else pocket.value
        errors.add(
            line.place,
            f"{pocket} and {role} would share the account {line.value}: {apart} shares its "
            "account with no other role",
        )
        role = Role(line.name)
        templates[role] = default_templates(roots)[role]
        del named[role]
    return templates
