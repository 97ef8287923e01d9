"""Terms from `custom` directives: plans, options, accounts, subscribers' components.

2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  unused: "mint"
2026-01-01 custom "compute-option" "seller-fee" 0.05
2026-01-01 custom "compute-account" "breakage" Income:Breakage
2026-01-01 custom "compute-subscriber" "u_8f3a@example.com" "Acme"
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal, Inexact, localcontext
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

from beancount.core.amount import Amount
from beancount.core.data import Custom

from beancount_compute.economy.events import Place
from beancount_compute.economy.journal import Role
from beancount_compute.economy.months import MONTH
from beancount_compute.economy.rounding import (
    EXACT,
    CostStepTooCoarse,
    is_power_of_ten,
    minor_unit,
    round_money,
    split,
)
from beancount_compute.economy.terms import (
    RESERVED_ORIGINS,
    DrawDown,
    Grain,
    Money,
    Plan,
    Terms,
    Timeline,
    Unused,
)
from beancount_compute.economy.words import amount, quoted
from beancount_compute.ledger.accounts import (
    Roots,
    check_template,
    default_templates,
    shared_account,
)
from beancount_compute.ledger.directives import (
    amount_in,
    kind_of,
    metadata_of,
    number_in,
    place_of,
    text_in,
    values_of,
)
from beancount_compute.ledger.errors import Errors, FieldError
from beancount_compute.ledger.fields import check_number, parse_life, parse_name, parse_plan_name
from beancount_compute.ledger.names import component_of, is_component

TERM_TYPES = ("compute-plan", "compute-option", "compute-account", "compute-subscriber")
WHOLE_LEDGER = ("cost-step", "posting-grain", "as-of")
DATED = ("seller-fee", "buyer-fee", "minimum-fee", "draw-down", "unit-cost")
_PLAN_KEYS = ("every", "unused", "mint-rate", "expires", "token-expires", "overage")

Chosen = TypeVar("Chosen", bound=StrEnum)


class Line(NamedTuple):
    """One term as it was written."""

    date: date
    name: str
    value: Any
    place: Place


class TermLines(NamedTuple):
    """All term lines of a ledger, read one by one."""

    plans: list[Line]
    options: list[Line]
    accounts: list[Line]
    subscribers: list[Line]


class LedgerTerms(NamedTuple):
    """The terms, the accounts' templates and the named components of a ledger."""

    terms: Terms
    templates: dict[Role, str]
    components: dict[str, str]  # of the subscribers that `compute-subscriber` names
    introductions: list[Line]  # those lines


def read_terms(
    entries: Iterable[Custom], roots: Roots, currencies: list[str], errors: Errors
) -> LedgerTerms:
    """The terms of a ledger; every line that is wrong is an error, and the others stand."""
    lines = _read_lines(entries, roots, errors)
    options = _in_force(lines.options, errors)
    whole = {line.name: line.value for line in options if line.name in WHOLE_LEDGER}
    step: Decimal | None = whole.get("cost-step")
    plans = _plans(lines.plans, currencies, step, errors)
    offers = [offer for timeline in plans.values() for offer in timeline]
    units = frozenset([offer.commodity for offer in offers])
    terms = Terms(
        plans=plans,
        seller_fee=_timeline(options, "seller-fee"),
        buyer_fee=_timeline(options, "buyer-fee"),
        minimum_fee=_minimum_fees(options),
        draw_down=_timeline(options, "draw-down"),
        unit_cost=_timeline(options, "unit-cost"),
        cost_step=step,
        grain=whole.get("posting-grain", Grain.EVENT),
        as_of=whole.get("as-of"),
        grant_currency=currencies[0] if currencies else None,
        money=frozenset([*currencies, *(offer.currency for offer in offers)]) - units,
        units=units,
    )
    introductions = _one_value_each(lines.subscribers, "subscriber", errors)
    introductions = _distinct_components(introductions, errors)
    components = {line.name: line.value for line in introductions}
    return LedgerTerms(terms, _templates(lines, roots, errors), components, introductions)


def _read_lines(entries: Iterable[Custom], roots: Roots, errors: Errors) -> TermLines:
    lines = TermLines([], [], [], [])
    for entry in sorted(entries, key=_place_key):
        place = place_of(entry.meta)
        try:
            match entry.type:
                case "compute-plan":
                    plan = _plan(entry, place)
                    lines.plans.append(Line(entry.date, plan.name, plan, place))
                case "compute-option":
                    lines.options.append(_option(entry, place))
                case "compute-account":
                    lines.accounts.append(_account(entry, place, roots))
                case _:
                    lines.subscribers.append(_subscriber(entry, place))
        except FieldError as error:
            errors.add(place, str(error))
    return lines


def _place_key(entry: Custom) -> tuple[date, str, int]:
    return (entry.date, *place_of(entry.meta)[:2])


def _plan(entry: Custom, place: Place) -> Plan:
    example = 'a name, a price and units: "pro" 200.00 USD 1000 CU'
    name, price, units = values_of(entry, {("text", "amount", "amount"): ()}, example)
    meta = metadata_of(entry, _PLAN_KEYS)
    if price.currency == units.currency:
        raise FieldError(
            f"wrong currency: {price.currency} can't pay for units of {units.currency}: "
            "write a price in money, such as 200.00 USD"
        )
    if check_number(price.number) < 0:
        raise FieldError(
            f"the price {amount(price.number, price.currency)} is below zero: write 0 or more"
        )
    if check_number(units.number) <= 0:
        raise FieldError(
            f"{amount(units.number, units.currency)} a period is not above zero: "
            "write how many units a period holds"
        )
    lives = {
        key: parse_life(text)
        for key in ("every", "expires", "token-expires")
        if (text := text_in(meta, key))
    }
    rate = check_number(number_in(meta, "mint-rate", Decimal(1)))
    if not 0 <= rate <= 1:
        raise FieldError(f"`mint-rate` {rate:f} is outside 0 to 1: write a fraction, such as 0.5")
    return Plan(
        name=parse_plan_name(name),
        since=entry.date,
        price=check_number(price.number),
        currency=price.currency,
        units=check_number(units.number),
        commodity=units.currency,
        every=lives.get("every", MONTH),
        unused=_choice(Unused, text_in(meta, "unused") or Unused.EXPIRE, "`unused`"),
        mint_rate=rate,
        expires=lives.get("expires"),
        token_expires=lives.get("token-expires"),
        overage=_overage(amount_in(meta, "overage"), units.currency),
        place=place,
    )


def _overage(price: Amount | None, commodity: str) -> Money | None:
    if price is None:
        return None
    number = check_number(price.number)
    if number <= 0:
        raise FieldError(
            f"`overage` {amount(number, price.currency)} is not above zero: leave it out, and use "
            "beyond the holdings is an error"
        )
    if price.currency == commodity:
        raise FieldError(
            f"wrong currency: {commodity} can't pay for units of {commodity}: "
            "write a price in money, such as 0.30 USD"
        )
    return Money(number, price.currency)


def _choice(kind: type[Chosen], text: str, what: str) -> Chosen:
    try:
        return kind(text)
    except ValueError:
        choices = ", ".join(f'"{each}"' for each in kind)
        raise FieldError(f"{what} {quoted(text)} is unknown: write one of {choices}") from None


_OPTION_KINDS = {
    "seller-fee": "number",
    "buyer-fee": "number",
    "minimum-fee": "amount",
    "draw-down": "text",
    "unit-cost": "amount",
    "cost-step": "number",
    "posting-grain": "text",
    "as-of": "date",
}


_OPTION_EXAMPLES = {
    "seller-fee": "a fraction, such as 0.05",
    "buyer-fee": "a fraction, such as 0.01",
    "minimum-fee": "an amount, such as 0.10 USD",
    "draw-down": 'an order in quotes, such as "fifo"',
    "unit-cost": "an amount, such as 0.04 USD",
    "cost-step": "a number, such as 0.000001",
    "posting-grain": 'a grain in quotes, such as "day"',
    "as-of": "a date, such as 2026-06-30",
}


def _option(entry: Custom, place: Place) -> Line:
    values = entry.values or []
    example = 'a name and a value: "seller-fee" 0.05'
    if len(values) != 2 or kind_of(*values[0]) != "text":
        raise FieldError(f'custom "compute-option": write {example}')
    name = values[0].value
    if name not in _OPTION_KINDS:
        choices = ", ".join(_OPTION_KINDS)
        raise FieldError(f"unknown option {quoted(name)}; known: {choices}")
    metadata_of(entry, ())
    kind, expected = kind_of(*values[1]), _OPTION_KINDS[name]
    if kind != expected:
        raise FieldError(f"option {name} holds {kind}: write {_OPTION_EXAMPLES[name]}")
    return Line(entry.date, name, _option_value(name, values[1].value), place)


def _option_value(name: str, value: Any) -> Any:
    match name:
        case "seller-fee" | "buyer-fee":
            rate = check_number(value)
            if not 0 <= rate <= 1:
                raise FieldError(
                    f"{name} {rate:f} is outside 0 to 1: it is a fraction of the gross, "
                    "5 % is written 0.05"
                )
            return rate
        case "minimum-fee":
            return _minimum_fee(value)
        case "unit-cost":
            number = check_number(value.number)
            if number < 0:
                raise FieldError(
                    f"unit-cost {amount(number, value.currency)} is below zero: write 0 or more"
                )
            return Money(number, value.currency)
        case "draw-down":
            return _choice(DrawDown, value, "draw-down")
        case "posting-grain":
            return _choice(Grain, value, "posting-grain")
        case "cost-step":
            step = check_number(value)
            if not is_power_of_ten(step):
                raise FieldError(f"cost-step {step:f} is not a power of ten, such as 0.000001")
            return step
        case _:
            return value


def _minimum_fee(fee: Amount) -> Money:
    number = check_number(fee.number)
    if number < 0:
        raise FieldError(
            f"minimum-fee {amount(number, fee.currency)} is below zero: write 0 or more"
        )
    if number != round_money(number, fee.currency):
        raise FieldError(
            f"minimum-fee {amount(number, fee.currency)} is finer than the minor unit "
            f"{amount(minor_unit(fee.currency), fee.currency)}: write at least that"
        )
    return Money(number, fee.currency)


def _account(entry: Custom, place: Place, roots: Roots) -> Line:
    shapes = {("text", "text"): (), ("text", "account"): ()}
    example = 'a role and an account: "breakage" Income:Breakage'
    name, template = values_of(entry, shapes, example)
    metadata_of(entry, ())
    role = _choice(Role, name, "account role")
    check_template(role, template, roots)
    return Line(entry.date, role, template, place)


def _subscriber(entry: Custom, place: Place) -> Line:
    example = 'a name and an account component: "u_8f3a@example.com" "Acme"'
    name, component = values_of(entry, {("text", "text"): ()}, example)
    metadata_of(entry, ())
    if not is_component(component):
        raise FieldError(
            f"{quoted(component)} is not an account component: it begins with a capital or a digit "
            "and holds letters, digits and -"
        )
    return Line(entry.date, parse_name(name), component, place)


def _conflict(name: str, line: Line, first: Line) -> str:
    return (
        f"{name} stands for something else at {first.place.file}:{first.place.line}: "
        "remove one of the two"
    )


def _in_force(lines: list[Line], errors: Errors) -> list[Line]:
    """The options that stand: dated ones one a day, ledger-wide ones with one value."""
    whole = [line for line in lines if line.name in WHOLE_LEDGER]
    kept = _one_value_each(whole, "option", errors)
    first: dict[tuple[date, str], Line] = {}
    for line in lines:
        if line.name in WHOLE_LEDGER:
            continue
        name = line.name
        if name == "minimum-fee":
            name = f"{name} in {line.value.currency}"
        known = first.setdefault((line.date, name), line)
        if known is line:
            kept.append(line)
        elif known.value != line.value:
            errors.add(line.place, _conflict(f"option {name} of {line.date}", line, known))
    return kept


def _one_value_each(lines: list[Line], what: str, errors: Errors) -> list[Line]:
    """The lines whose value holds for the whole ledger, the first of each name."""
    first: dict[str, Line] = {}
    for line in lines:
        known = first.setdefault(line.name, line)
        if known.value != line.value:
            errors.add(line.place, _conflict(f"{what} {quoted(line.name)}", line, known))
    return list(first.values())


def _timeline(options: list[Line], name: str) -> Timeline[Any]:
    return Timeline((line.date, line.value) for line in options if line.name == name)


def _minimum_fees(options: list[Line]) -> dict[str, Timeline[Decimal]]:
    fees: dict[str, list[tuple[date, Decimal]]] = {}
    for line in options:
        if line.name == "minimum-fee":
            fees.setdefault(line.value.currency, []).append((line.date, line.value.number))
    return {currency: Timeline(dated) for currency, dated in fees.items()}


def _plans(
    lines: list[Line], currencies: list[str], step: Decimal | None, errors: Errors
) -> dict[str, Timeline[Plan]]:
    """The plans that stand: one a day and name, and no two names in one component."""
    taken = {component_of(origin): origin for origin in RESERVED_ORIGINS}
    first: dict[tuple[date, str], Line] = {}
    dated: dict[str, list[tuple[date, Plan]]] = {}
    for line in lines:
        if line.value.commodity in currencies:
            message = (
                f"wrong commodity: {line.value.commodity} is an operating currency, not a unit of "
                "compute: write the price first, then the units"
            )
            errors.add(line.place, message)
            continue
        component = component_of(line.name)
        other = taken.setdefault(component, line.name)
        if other != line.name:
            message = (
                f"plan {quoted(line.name)} would have the account component {component} of "
                f"{quoted(other)}: give it another name"
            )
            errors.add(line.place, message)
            continue
        known = first.setdefault((line.date, line.name), line)
        if known is line:
            plan = _bookable(line.value, step, errors)
            dated.setdefault(line.name, []).append((line.date, plan))
        elif known.value._replace(place=line.place) != line.value:
            name = f"plan {quoted(line.name)} of {line.date}"
            errors.add(line.place, _conflict(name, line, known))
    return {name: Timeline(plans) for name, plans in dated.items()}


def _bookable(plan: Plan, step: Decimal | None, errors: Errors) -> Plan:
    """The plan, marked as not bookable where its unit cost can't be kept exact."""
    paid = round_money(plan.price, plan.currency)
    try:
        with localcontext(EXACT):
            for share in split(paid, plan.units, plan.currency, step):
                share.units * share.cost
    except CostStepTooCoarse:
        reason = (
            f"{amount(paid, plan.currency)} for {amount(plan.units, plan.commodity)} is less than "
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
                f"{known.place.file}:{known.place.line}: give one of the two another"
            )
            errors.add(line.place, message)
    return kept


def _templates(lines: TermLines, roots: Roots, errors: Errors) -> dict[Role, str]:
    """The accounts' templates; a named one that would share a pocket's account is an error."""
    templates = default_templates(roots)
    named = {Role(line.name): line for line in _one_value_each(lines.accounts, "account", errors)}
    templates.update({role: line.value for role, line in named.items()})
    while (shared := shared_account(templates)) is not None:
        line = named[max((role for role in shared if role in named), key=lambda r: named[r].place)]
        pocket, role = shared
        errors.add(
            line.place,
            f"{pocket} and {role} would share the account {line.value}: a pocket shares its "
            "account with no other role",
        )
        role = Role(line.name)
        templates[role] = default_templates(roots)[role]
        del named[role]
    return templates
