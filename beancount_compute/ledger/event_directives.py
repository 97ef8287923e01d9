"""Events from `custom` directives: types in, `Event` out.

2026-06-10 custom "compute-trade" "alice" "bob" 500 CU 0.25 USD
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import date
from decimal import Decimal
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from beancount.core.amount import Amount
from beancount.core.data import Custom

from beancount_compute.economy.events import Event, flaw_of, is_sound
from beancount_compute.economy.kinds import PHASE, Kind
from beancount_compute.ledger.directives import (
    PREFIX,
    day_or_text_in,
    metadata_of,
    place_of,
    text_in,
    values_of,
)
from beancount_compute.ledger.errors import FieldError
from beancount_compute.ledger.event_columns import NotPlain, events_of
from beancount_compute.ledger.fields import (
    Fields,
    check_number,
    parse_ids,
    parse_name,
    parse_plan_name,
)

Shapes = dict[tuple[str, ...], tuple[str, ...]]
_new = tuple.__new__
_date_of, _values_of, _meta_of = attrgetter("date"), attrgetter("values"), attrgetter("meta")


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
    filled: tuple[str, ...]


_MONEY = {"units": "commodity", "price": "currency", "paid": "currency"}
_DTYPES = {"text": str, "amount": Amount}
# By type and by the types of its values, as Beancount's parser names them.
_SHAPES: dict[tuple[Any, ...], Shape] = {
    (name, *(_DTYPES[each] for each in types)): Shape(
        form, tuple(filled.index(field) if field in filled else -1 for field in _FIELDS), filled
    )
    for name, form in FORMS.items()
    for types, filled in form.shapes.items()
}


def events_at_once(entries: Sequence[Custom], fields: Fields) -> list[Event] | None:
    """The events that directives state, column by column; None where anything is odd."""
    forms = [(entry.type, len(entry.values or ()), tuple(entry.meta)) for entry in entries]
    alike: dict[Hashable, list[Custom]] = {form: [] for form in forms}
    for form, entry in zip(forms, entries, strict=True):
        alike[form].append(entry)
    try:
        found = {form: iter(_events_alike(of_form, fields)) for form, of_form in alike.items()}
    except FieldError:
        return None
    return list(map(next, map(found.__getitem__, forms)))


def _events_alike(entries: list[Custom], fields: Fields) -> list[Event]:
    """The events of directives of one type, with as many values and the same keys of metadata."""
    if not entries[0].values:
        raise NotPlain
    columns_of_values = zip(*map(_values_of, entries), strict=True)
    values = [tuple(zip(*column, strict=True)) for column in columns_of_values]
    shape = _SHAPES.get((entries[0].type, *[dtypes[0] for _, dtypes in values]))
    if shape is None or any(dtypes.count(dtypes[0]) < len(dtypes) for _, dtypes in values):
        raise NotPlain
    kind = shape.form.kind
    columns = _columns_of_metadata(list(map(_meta_of, entries)), shape.form, fields)
    for name, (column, _) in zip(shape.filled, values, strict=True):
        columns |= _columns_of_value(name, column, fields)
    if "plan" in columns and "expires" in columns:
        raise NotPlain
    columns["date"] = list(map(_date_of, entries))
    columns["kind"] = [kind] * len(entries)
    columns["phase"] = [PHASE[kind]] * len(entries)
    return events_of(columns, fields)


def _columns_of_value(name: str, column: Sequence[Any], fields: Fields) -> dict[str, Sequence[Any]]:
    if name not in _MONEY:
        if not all(column):
            raise NotPlain
        return {name: list(map(fields.of[name].__getitem__, column))}
    numbers, currencies = zip(*column, strict=True)
    if {*map(type, numbers)} != {Decimal}:
        raise NotPlain
    read = fields.decimals.__getitem__
    return {name: list(map(read, map(str, numbers))), _MONEY[name]: currencies}


def _columns_of_metadata(
    metas: list[dict[str, Any]], form: Form, fields: Fields
) -> dict[str, Sequence[Any]]:
    """The place, time, id, end and start of events, from metadata of the same keys."""
    written = {key: tuple(map(itemgetter(key), metas)) for key in metas[0]}
    if not written.keys() >= {"filename", "lineno"}:
        raise NotPlain
    files, lines = written.pop("filename"), written.pop("lineno")
    if {*map(type, files)} != {str} or {*map(type, lines)} != {int}:
        raise NotPlain  # somebody wrote a key of that name
    columns: dict[str, Sequence[Any]] = {"file": files, "line": lines}
    for key, column in written.items():
        if key.startswith(("__", "x-")):
            continue
        if key not in ("id", "time", *form.also):
            raise NotPlain
        texts = _texts(key, column)
        read = fields.of.get(key)
        columns[key] = list(map(read.__getitem__, texts)) if read else parse_ids(texts)
    return columns


def _texts(key: str, values: Sequence[Any]) -> list[str]:
    """The values of one key of metadata as text, of which none is absent."""
    if key in ("expires", "started"):
        values = [each.isoformat() if type(each) is date else each for each in values]
    if {*map(type, values)} != {str}:
        raise NotPlain
    texts = list(map(str.strip, values)) if key == "id" else list(values)
    if not all(texts):
        raise NotPlain
    return texts


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
            "" if reverses is None else fields.ids[reverses] or _empty_name(),
            (),
            *place_of(meta),
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
