"""Terms from `custom` directives: plans, options, accounts, subscribers.

2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  unused: "mint"
2026-01-01 custom "compute-option" "seller-fee" 0.05
2026-01-01 custom "compute-account" "breakage" Income:Breakage
2026-01-01 custom "compute-subscriber" "u_8f3a@example.com" "Acme"
  related: "acme-group"
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple, assert_never
from unicodedata import normalize

from beancount.core.data import Custom, Directive

from beancount_compute.economy import (
    OPTIONS,
    PLAN_KEYS,
    ZERO,
    AccessBy,
    BilledBy,
    Capacity,
    Money,
    NotRead,
    Place,
    Plan,
    PlanLine,
    Refused,
    Role,
    Terms,
    Unused,
    amount,
    chosen,
    decimals_written,
    is_access,
    like,
    no_unit,
    quoted,
)
from beancount_compute.ledger.accounts import Roots, check_template
from beancount_compute.ledger.capacity_directives import CAPACITY, read_capacity
from beancount_compute.ledger.directives import (
    fields_of,
    kind_of,
    metadata_of,
    place_of,
    plain_value,
    text_in,
    values_of,
)
from beancount_compute.ledger.errors import Errors, FieldError
from beancount_compute.ledger.fields import check_number, parse_name, parse_plan_name
from beancount_compute.ledger.meter_directives import METER, METER_TYPES, read_meter_line
from beancount_compute.ledger.names import is_component

TERM_TYPES = (
    "compute-plan",
    "compute-option",
    "compute-account",
    "compute-subscriber",
    *METER_TYPES,
    CAPACITY,
)
RELATED = "related"
GROUP = "group"
SHORTEST_MONTH = 28  # days
SUBSCRIBER_KEYS = (RELATED, GROUP)  # each holds from the line's date until another line says it


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
    subscribers: list[Line]  # the component; "" where none is named
    related: list[Line]  # the group of related parties; "" where it ends
    segments: list[Line]  # likewise the group in reports
    refused: dict[str, Place]  # plans whose lines can't be read
    meters: list[Line]  # and providers, and quotes
    refused_meters: dict[str, Place]  # likewise
    capacities: list[Capacity]


def read_lines(entries: Iterable[Custom], roots: Roots, errors: Errors) -> TermLines:
    """All term lines, in order; one that can't be read is an error."""
    lines = TermLines([], [], [], [], [], [], {}, [], {}, [])
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
                case "compute-subscriber":
                    _add_subscriber(entry, place, lines)
                case "compute-capacity":
                    lines.capacities.append(read_capacity(entry, place))
                case _:
                    line = read_meter_line(entry, place)
                    lines.meters.append(Line(entry.date, line[0], line, place))
        except (FieldError, Refused) as error:
            errors.add(place, str(error))
            name = normalize("NFC", str(entry.values[0].value)).strip() if entry.values else ""
            if entry.type == "compute-plan":
                lines.refused.setdefault(name, place)
            elif entry.type == METER:
                lines.refused_meters.setdefault(name, place)
            elif entry.type == "compute-subscriber":
                errors.unread.append(NotRead(place, (name,), day=entry.date.isoformat()))
    return lines


def _place_key(entry: Custom) -> tuple[date, str, int]:
    return (entry.date, *place_of(entry.meta)[:2])


def _plan(entry: Custom, place: Place) -> Plan:
    example = 'a name, a price and units: "pro" 200.00 USD 1000 CU'
    shapes = {("text", "amount", "amount"): (), ("text", "amount"): ()}
    name, price, *held = values_of(entry, shapes, example)
    currency, number = price.currency, check_number(price.number)
    units = [
        PlanLine(
            ZERO,
            check_number(each.number),
            each.currency,
            decimals=decimals_written(each.number or ZERO),
        )
        for each in held
    ]
    for each in (currency, *[line.commodity for line in units]):
        if is_access(each):
            raise FieldError(no_unit(each))
    if any(each.commodity == currency for each in units):
        raise FieldError(
            f"wrong currency: {currency} can't pay for units of {currency}: "
            "write a price in money, such as 200.00 USD"
        )
    if number < 0:
        raise FieldError(f"the price {amount(number, currency)} is below zero: write 0 or more")
    for each in units:
        if each.units < 0:
            raise FieldError(
                f"{amount(each.units, each.commodity)} a period is below zero: "
                "write how many units a period holds, 0 for access alone"
            )
    fields = _plan_fields(metadata_of(entry, PLAN_KEYS), units[0].commodity if units else "")
    plan = Plan(parse_plan_name(name), entry.date, currency, tuple(units), **fields, place=place)
    whole = bool(units) and units[0].units > 0
    _check_access(plan, number, whole)
    _check_bill(plan)
    if not units and plan.overage:
        raise FieldError(
            f"`overage` {amount(*plan.overage)} of a plan that names no unit never applies: "
            "write the unit of which it is the price, such as 0 CU behind the price"
        )
    _check_overage_since(plan)
    if not whole or plan.access_ssp:
        plan = plan._replace(access=number)
    return plan.at(number) if plan.access or units else plan


def _check_access(plan: Plan, price: Decimal, whole: bool) -> None:
    """Refuse stand-alone prices that split nothing, and what a plan without access can't have."""
    for name, ssp, other in (
        ("access-ssp", plan.access_ssp, plan.units_ssp),
        ("units-ssp", plan.units_ssp, plan.access_ssp),
    ):
        if ssp is None:
            continue
        if other is None:
            raise FieldError(
                f"`{name}` alone splits nothing: write `access-ssp` and `units-ssp`, what each "
                "sells for by itself"
            )
        if ssp.currency != plan.currency:
            raise FieldError(
                f"wrong currency: `{name}` {amount(*ssp)} of a price in {plan.currency}: "
                f"write it in {plan.currency}"
            )
        if not whole:
            raise FieldError(f"`{name}` of a plan without units: its price is all for access")
    has_access = not whole or plan.access_ssp is not None
    if not has_access and plan.access_by is not AccessBy.DAY:
        raise FieldError(
            "`access-by` of a plan without access: write `access-ssp` and `units-ssp`, or no units"
        )
    if plan.access_by is AccessBy.EVEN_MONTH and plan.every.days:
        raise FieldError(
            f'`access-by: "even-month"` of periods of {plan.every}: write `every` in months'
        )
    if not whole and not price and plan.overage is None:
        raise FieldError(
            "a plan without price, units and `overage` sells nothing: write one of them"
        )


def _check_bill(plan: Plan) -> None:
    """Refuse what says how use is charged of a plan that charges none, or can't be meant."""
    for name, said in (("bill", plan.bill is not BilledBy.USE), ("minimum", plan.minimum)):
        if said and plan.overage is None:
            raise FieldError(
                f"`{name}` of a plan without `overage`: write the price of a unit beyond the "
                f"holdings too, or leave out `{name}`"
            )
    if plan.minimum and plan.overage and plan.minimum.currency != plan.overage.currency:
        raise FieldError(
            f"wrong currency: `minimum` {amount(*plan.minimum)} of use charged in "
            f"{plan.overage.currency}: write it in {plan.overage.currency}"
        )
    if plan.bill is BilledBy.MONTH and 0 < plan.every.days < SHORTEST_MONTH:
        raise FieldError(
            f'`bill: "month"` of periods of {plan.every}, which are shorter than a month: write '
            '`bill: "period"`'
        )


def _check_overage_since(plan: Plan) -> None:
    """Refuse a catch-up of no price, and one of days to come."""
    since = plan.overage_since
    if since is not None and plan.overage is None:
        raise FieldError(
            "`overage-since` without `overage`: write the price that holds since then, too"
        )
    if since is not None and since > plan.since:
        raise FieldError(
            f"`overage-since` {since} is after {plan.since}, the day of its line: the price holds "
            "from that day on in any case; write an earlier one, or leave it out"
        )


def _plan_fields(meta: dict[str, Any], commodity: str) -> dict[str, Any]:
    """The fields of a plan that its metadata says."""
    fields = fields_of(meta, PLAN_KEYS)
    for value in fields.values():
        if commodity and isinstance(value, Money) and value.currency == commodity:
            raise FieldError(
                f"wrong currency: {commodity} can't pay for units of {commodity}: "
                "write a price in money, such as 0.30 USD"
            )
    return fields


def _option(entry: Custom, place: Place) -> Line:
    values = entry.values or []
    example = 'a name and a value: "seller-fee" 0.05'
    if len(values) != 2 or kind_of(*values[0]) != "text":
        raise FieldError(f'custom "compute-option": write {example}')
    name = values[0].value
    option = OPTIONS.get(name)
    if option is None:
        known = ", ".join(OPTIONS)
        raise FieldError(f"unknown option {quoted(name)}; known: {known}{like(name, OPTIONS)}")
    metadata_of(entry, ())
    kind = kind_of(*values[1])
    if kind != option.holds:
        raise FieldError(f"option {name} holds {kind}: write {option.example}")
    return Line(entry.date, name, option.parse(plain_value(values[1].value)), place)


def _account(entry: Custom, place: Place, roots: Roots) -> Line:
    shapes = {("text", "text"): (), ("text", "account"): ()}
    example = 'a role and an account: "breakage" Income:Breakage'
    name, template = values_of(entry, shapes, example)
    metadata_of(entry, ())
    role = chosen(Role, name, "account role")
    check_template(role, template, roots)
    return Line(entry.date, role, template, place)


def _add_subscriber(entry: Custom, place: Place, lines: TermLines) -> None:
    example = 'a name and perhaps an account component: "u_8f3a@example.com" "Acme"'
    shapes = {("text", "text"): (), ("text",): ()}
    name, *named = values_of(entry, shapes, example)
    metadata_of(entry, SUBSCRIBER_KEYS)
    component = named[0] if named else ""
    if named and not is_component(component):
        raise FieldError(
            f"{quoted(component)} is not an account component: it begins with a capital or a digit "
            "and holds letters, digits and -"
        )
    name = parse_name(name)
    for key, among in ((RELATED, lines.related), (GROUP, lines.segments)):
        if key in entry.meta:
            group = text_in({key: entry.meta[key] or ""}, key)
            among.append(Line(entry.date, name, parse_name(group) if group else "", place))
    lines.subscribers.append(Line(entry.date, name, component, place))


def notes_of_idle_keys(entries: Iterable[Directive], terms: Terms) -> list[str]:
    """What `check` notes: one note for each key without effect, in the order of the plans' lines.

    So is `token-expires` beside unused units that lapse, for want of `unused: "mint"`.
    """
    plans = {plan.place: plan for offers in terms.plans.values() for plan in offers}
    found: list[str] = []
    for entry in entries:
        plan = plans.get(place_of(entry.meta)) if isinstance(entry, Custom) else None
        if plan is not None:
            found += [
                f"{plan.place}: `{key.name}` of plan {quoted(plan.name)} has no effect: it needs "
                f'`unused: "{key.needs}"`, and what a period leaves unused here '
                + _becomes(plan.unused)
                for key in PLAN_KEYS.values()
                if key.name in entry.meta and key.needs not in (None, plan.unused)
            ]
    return found


def _becomes(unused: Unused) -> str:
    match unused:
        case Unused.EXPIRE:
            return "lapses at once"
        case Unused.ROLLOVER:
            return "stays an allocation"
        case Unused.MINT:
            return "turns into tokens"
        case _:
            assert_never(unused)
