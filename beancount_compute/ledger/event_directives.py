"""Events from `custom` directives: types in, `Event` out.

2026-06-10 custom "compute-trade" "alice" "bob" 500 CU 0.25 USD
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

from beancount.core.amount import Amount
from beancount.core.data import Custom

from beancount_compute.economy.events import PHASE, Event, Kind, Place, flaw_of, is_sound
from beancount_compute.ledger.directives import (
    PREFIX,
    day_or_text_in,
    metadata_of,
    text_in,
    values_of,
)
from beancount_compute.ledger.errors import FieldError
from beancount_compute.ledger.fields import Fields, check_number, parse_name, parse_plan_name

Shapes = dict[tuple[str, ...], tuple[str, ...]]
_new = tuple.__new__


class Form(NamedTuple):
    """How an event is written: its fields in order, what else it takes, and an example."""

    kind: Kind
    shapes: Shapes  # types of the values -> the fields they fill
    also: tuple[str, ...]
    example: str


_FIELDS = ("subscriber", "counterparty", "plan", "units", "price", "paid", "reverses")
_PAIR: Shapes = {("text", "text"): ("subscriber", "plan")}
_USE: Shapes = {("text", "amount"): ("subscriber", "units")}
_TOP_UP: Shapes = {("text", "amount", "amount"): ("subscriber", "units", "paid")}
_MOVE: Shapes = {("text", "text", "amount"): ("subscriber", "counterparty", "units")}


def _deal(money: str) -> Shapes:
    return {("text", "text", "amount", "amount"): ("subscriber", "counterparty", "units", money)}


FORMS: dict[str, Form] = {
    PREFIX + form.kind: form
    for form in (
        Form(Kind.SUBSCRIPTION, _PAIR, ("started",), '"alice" "pro"'),
        Form(Kind.CANCELLATION, _PAIR, (), '"alice" "pro"'),
        Form(
            Kind.ALLOCATION,
            _TOP_UP | _PAIR,
            ("expires",),
            '"alice" 500 CU 100.00 USD for a top-up, or "alice" "pro" for a period of a plan',
        ),
        Form(Kind.GRANT, _USE, ("expires",), '"alice" 100 CU'),
        Form(Kind.CONSUMPTION, _USE, (), '"alice" 200 CU'),
        Form(Kind.TRADE, _deal("price"), (), '"seller" "buyer" 500 CU 0.25 USD'),
        Form(Kind.TRANSFER, _MOVE, (), '"giver" "receiver" 500 CU'),
        Form(Kind.SPEND, _deal("paid"), (), '"alice" "partner" 100 CU 17.00 USD'),
        Form(Kind.REFUND, _USE, (), '"alice" 100 CU'),
        Form(Kind.REVERSAL, {("text",): ("reverses",)}, (), '"event-id"'),
    )
}


class Shape(NamedTuple):
    """A form as value numbers: where in a directive each of `_FIELDS` stands; -1 is nowhere."""

    form: Form
    places: tuple[int, ...]


_DTYPES = {"text": str, "amount": Amount}
# By type and by the types of its values, as Beancount's parser names them.
_SHAPES: dict[tuple[Any, ...], Shape] = {
    (name, *(_DTYPES[each] for each in types)): Shape(
        form, tuple(filled.index(field) if field in filled else -1 for field in _FIELDS)
    )
    for name, form in FORMS.items()
    for types, filled in form.shapes.items()
}


def event_of(entry: Custom, form: Form, fields: Fields) -> Event:
    """The event that a directive states; raises `FieldError`."""
    values = entry.values or []
    shape = _SHAPES.get((entry.type, *[dtype for _, dtype in values]))
    if shape is None:
        values_of(entry, form.shapes, form.example)
        raise FieldError(f"write {form.example}")
    written = [value for value, _ in values]
    written.append(None)
    subscriber, counterparty, plan, units, price, paid, reverses = [
        written[at] for at in shape.places
    ]
    money = paid if price is None else price
    names = fields.names
    time = event_id = expires = started = ""
    meta = entry.meta
    place: Place = _new(Place, (meta.get("filename", "<unknown>"), meta.get("lineno", 0), ""))
    if len(meta) > 2:
        time, event_id, expires, started = _metadata(entry, form, fields)
        if plan and expires:
            raise FieldError("a plan's own terms say when its units end: remove `expires`")
    event: Event = _new(
        Event,
        (
            entry.date,
            PHASE[form.kind],
            time,
            form.kind,
            "" if subscriber is None else names[subscriber] or _empty_name(),
            "" if counterparty is None else names[counterparty] or _empty_name(),
            "" if plan is None else fields.plans[plan] or parse_plan_name(plan),
            None if units is None else _number(units, fields),
            None if price is None else _number(price, fields),
            None if paid is None else _number(paid, fields),
            "" if money is None else money.currency,
            expires,
            event_id,
            "",
            "" if units is None else units.currency,
            started,
            "" if reverses is None else names[reverses] or _empty_name(),
            (),
            place,
            "",
        ),
    )
    return event if is_sound(event) else event._replace(flaw=flaw_of(event))


def _metadata(entry: Custom, form: Form, fields: Fields) -> tuple[str, str, str, str]:
    """The time, id, end and start of an event's metadata."""
    meta = metadata_of(entry, ("id", "time", *form.also))
    return (
        fields.times[text_in(meta, "time")],
        parse_name(text_in(meta, "id").strip()) if "id" in meta else "",
        fields.expiries[day_or_text_in(meta, "expires")],
        fields.days[day_or_text_in(meta, "started")],
    )


def _number(amount: Amount, fields: Fields) -> Decimal:
    number = amount.number
    return fields.decimals[str(number)] if isinstance(number, Decimal) else check_number(number)


def _empty_name() -> str:
    raise FieldError("a name is empty: write who or what is meant")
