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
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

from beancount.core.amount import Amount
from beancount.core.data import Custom

from beancount_compute.economy.events import Place
from beancount_compute.economy.months import MONTH
from beancount_compute.economy.roles import Role
from beancount_compute.economy.rounding import (
    is_power_of_ten,
    minor_unit,
    round_money,
)
from beancount_compute.economy.terms import (
    DrawDown,
    Grain,
    Money,
    Plan,
    Unused,
)
from beancount_compute.economy.words import amount, quoted
from beancount_compute.ledger.accounts import (
    Roots,
    check_template,
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
from beancount_compute.ledger.names import is_component

TERM_TYPES = ("compute-plan", "compute-option", "compute-account", "compute-subscriber")
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


def read_lines(entries: Iterable[Custom], roots: Roots, errors: Errors) -> TermLines:
    """All term lines, in order; one that can't be read is an error."""
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
