"""Events from `custom` directives: types in, `Event` out.

2026-06-10 custom "compute-trade" "alice" "bob" 500 CU 0.25 USD
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

from beancount.core.amount import Amount
from beancount.core.data import Custom

from beancount_compute.economy.events import PHASE, Event, Kind
from beancount_compute.ledger.directives import (
    PREFIX,
    day_or_text_in,
    metadata_of,
    place_of,
    text_in,
    values_of,
)
from beancount_compute.ledger.errors import FieldError
from beancount_compute.ledger.fields import (
    check_number,
    parse_date,
    parse_expires,
    parse_name,
    parse_plan_name,
    parse_time,
)


class Form(NamedTuple):
    """How an event is written: its fields in order, what else it takes, and an example."""

    kind: Kind
    shapes: dict[tuple[str, ...], tuple[str, ...]]  # types of the values -> the fields they fill
    also: tuple[str, ...]
    example: str


_PAIR = {("text", "text"): ("subscriber", "plan")}
_USE = {("text", "amount"): ("subscriber", "units")}
_TOP_UP = ("text", "amount", "amount")

FORMS: dict[str, Form] = {
    PREFIX + form.kind: form
    for form in (
        Form(Kind.SUBSCRIPTION, _PAIR, ("started",), '"alice" "pro"'),
        Form(Kind.CANCELLATION, _PAIR, (), '"alice" "pro"'),
        Form(
            Kind.ALLOCATION,
            {_TOP_UP: ("subscriber", "units", "paid"), **_PAIR},
            ("expires",),
            '"alice" 500 CU 100.00 USD for a top-up, or "alice" "pro" for a period of a plan',
        ),
        Form(Kind.GRANT, _USE, ("expires",), '"alice" 100 CU'),
        Form(Kind.CONSUMPTION, _USE, (), '"alice" 200 CU'),
        Form(
            Kind.TRADE,
            {
                ("text", "text", "amount", "amount"): (
                    "subscriber",
                    "counterparty",
                    "units",
                    "price",
                )
            },
            (),
            '"seller" "buyer" 500 CU 0.25 USD',
        ),
        Form(
            Kind.TRANSFER,
            {("text", "text", "amount"): ("subscriber", "counterparty", "units")},
            (),
            '"giver" "receiver" 500 CU',
        ),
        Form(
            Kind.SPEND,
            {("text", "text", "amount", "amount"): ("subscriber", "counterparty", "units", "paid")},
            (),
            '"alice" "partner" 100 CU 17.00 USD',
        ),
        Form(Kind.REFUND, _USE, (), '"alice" 100 CU'),
        Form(Kind.REVERSAL, {("text",): ("reverses",)}, (), '"event-id"'),
    )
}

_COMMON = ("id", "time")


def event_of(entry: Custom, form: Form) -> Event:
    """The event that a directive states; raises `FieldError`."""
    values = values_of(entry, form.shapes, form.example)
    fields = dict(zip(form.shapes[_types(values, form)], values, strict=True))
    meta = metadata_of(entry, (*_COMMON, *form.also))
    if "plan" in fields and "expires" in meta:
        raise FieldError("a plan's own terms say when its units end: remove `expires`")
    return _event(entry, form.kind, fields, meta)


def _types(values: list[Any], form: Form) -> tuple[str, ...]:
    return next(
        shape
        for shape in form.shapes
        if len(shape) == len(values)
        and all(
            isinstance(value, Amount) == (name == "amount")
            for value, name in zip(values, shape, strict=True)
        )
    )


def _event(entry: Custom, kind: Kind, fields: dict[str, Any], meta: dict[str, Any]) -> Event:
    subscriber = fields.get("subscriber")
    counterparty = fields.get("counterparty")
    plan = fields.get("plan")
    units, commodity = _amount(fields.get("units"))
    price, price_currency = _amount(fields.get("price"))
    paid, paid_currency = _amount(fields.get("paid"))
    currency = price_currency or paid_currency
    place = place_of(entry.meta)
    time = event_id = expires = started = ""
    if meta:
        time = text_in(meta, "time")
        time = parse_time(time) if time else ""
        event_id = text_in(meta, "id")
        event_id = parse_name(event_id.strip()) if event_id.strip() else ""
        expires = day_or_text_in(meta, "expires")
        expires = parse_expires(expires) if expires else ""
        started = day_or_text_in(meta, "started")
        started = parse_date(started).isoformat() if started else ""
    return Event(
        entry.date,
        PHASE[kind],
        time,
        kind,
        parse_name(subscriber) if subscriber is not None else "",
        parse_name(counterparty) if counterparty is not None else "",
        parse_plan_name(plan) if plan is not None else "",
        units,
        price,
        paid,
        currency,
        expires,
        event_id,
        "",
        commodity,
        started,
        parse_name(fields["reverses"]) if kind is Kind.REVERSAL else "",
        (),
        place,
    )


def _amount(amount: Amount | None) -> tuple[Decimal | None, str]:
    if amount is None:
        return None, ""
    if not isinstance(amount.number, Decimal):
        raise FieldError("an amount without a number: write both, such as 200 CU")
    return check_number(amount.number), amount.currency
