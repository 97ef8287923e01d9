"""Events from `custom` directives: types in, `Event` out.

2026-06-10 custom "compute-trade" "alice" "bob" 500 CU 0.25 USD
"""

from __future__ import annotations

from collections.abc import Container, Hashable, Sequence
from datetime import date
from decimal import Decimal
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple
from unicodedata import normalize

from beancount.core.amount import Amount
from beancount.core.data import Custom

from beancount_compute.economy import (
    EVENTS,
    KINDS,
    PHASE,
    ZERO,
    Event,
    Form,
    Kind,
    NotRead,
    receiver,
)
from beancount_compute.ledger.directives import (
    PREFIX,
    amount_in,
    day_or_text_in,
    mark_in,
    metadata_of,
    place_of,
    text_in,
    values_of,
)
from beancount_compute.ledger.errors import FieldError
from beancount_compute.ledger.event_columns import NotPlain, events_of
from beancount_compute.ledger.fields import MARKS, Fields, check_number, parse_ids, parse_name
from beancount_compute.ledger.rows import NUMBERS, event_from, lacking

_date_of, _values_of, _meta_of = attrgetter("date"), attrgetter("values"), attrgetter("meta")
_AMOUNTS = ("charged", "unbilled")  # each with a currency of its own
_DAYS = ("expires", "started", "from", "to")  # written as a date, or as text
EVENT_TYPES: dict[str, Kind] = {PREFIX + kind: kind for kind in EVENTS}


class Shape(NamedTuple):
    """A form with the types of its values, in words and as Beancount's parser names them."""

    kind: Kind
    values: tuple[str, ...]  # the fields that they fill
    also: tuple[str, ...]  # what the metadata may hold
    words: tuple[str, ...]


def _shape(kind: Kind, form: Form) -> Shape:
    also = {name: 0 for each in KINDS[kind].forms for name in (*each.optional, *each.needed)}
    words = ["amount" if name in NUMBERS else "text" for name in form.values]
    return Shape(kind, form.values, tuple(also), tuple(words))


# By type and by the types of its values, as Beancount's parser names them. Where two forms look
# alike, what the metadata must hold for the second tells them apart.
_SHAPES: dict[tuple[Any, ...], Shape] = {}
_TOLD_APART: dict[tuple[Any, ...], tuple[str, Shape]] = {}
for _kind in EVENTS:
    for _form in KINDS[_kind].forms:
        _types = [Amount if name in NUMBERS else str for name in _form.values]
        _key = (PREFIX + _kind, *_types)
        if _SHAPES.setdefault(_key, _shape(_kind, _form)).values != _form.values:
            _TOLD_APART[_key] = _form.needed[0], _shape(_kind, _form)


def _shape_of(key: tuple[Any, ...], meta: Container[str]) -> Shape | None:
    """The shape of a directive of a type and with values of some types."""
    told, shape = _TOLD_APART.get(key, ("", None))
    return shape if shape is not None and told in meta else _SHAPES.get(key)


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
    types = [dtypes[0] for _, dtypes in values]
    shape = _shape_of((entries[0].type, *types), entries[0].meta)
    if shape is None or any(dtypes.count(dtypes[0]) < len(dtypes) for _, dtypes in values):
        raise NotPlain
    columns = _columns_of_metadata(list(map(_meta_of, entries)), shape, fields)
    for name, (column, _) in zip(shape.values, values, strict=True):
        columns |= _columns_of_value(name, column, fields)
    if "plan" in columns and "expires" in columns:
        raise NotPlain
    if "discount" in columns and "plan" not in columns:
        raise NotPlain
    if lacking(shape.kind, columns):
        raise NotPlain
    if "quantity" in columns and "units" not in columns:
        columns["units"] = [ZERO] * len(entries)
    columns["date"] = list(map(_date_of, entries))
    columns["kind"] = [shape.kind] * len(entries)
    columns["phase"] = [PHASE[shape.kind]] * len(entries)
    return events_of(columns, fields)


def _columns_of_value(name: str, column: Sequence[Any], fields: Fields) -> dict[str, Sequence[Any]]:
    if name not in NUMBERS:
        if not all(column):
            raise NotPlain
        return {name: list(map(fields.of[name].__getitem__, column))}
    numbers, currencies = zip(*column, strict=True)
    if {*map(type, numbers)} != {Decimal}:
        raise NotPlain
    read = fields.decimals.__getitem__
    return {name: list(map(read, map(str, numbers))), NUMBERS[name]: currencies}


def _columns_of_metadata(
    metas: list[dict[str, Any]], shape: Shape, fields: Fields
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
        if key not in ("id", "time", *shape.also):
            raise NotPlain
        if key in NUMBERS:
            if NUMBERS[key] in columns:
                raise NotPlain  # two, that may be of different currencies
            if {*map(type, column)} != {Amount}:
                raise NotPlain
            columns |= _columns_of_value(key, column, fields)
            continue
        texts = _texts(key, column)
        read = fields.of.get(key)
        columns[key] = list(map(read.__getitem__, texts)) if read else parse_ids(texts)
    return columns


def _texts(key: str, values: Sequence[Any]) -> list[str]:
    """The values of one key of metadata as text, of which none is absent."""
    if key == "quantity":
        if {*map(type, values)} != {Decimal}:
            raise NotPlain
        return list(map(str, values))
    if key in _AMOUNTS:
        if any(type(getattr(each, "number", None)) is not Decimal for each in values):
            raise NotPlain
        return [f"{each.number:f} {each.currency}" for each in values]
    if key in _DAYS:
        values = [each.isoformat() if type(each) is date else each for each in values]
    if {*map(type, values)} != {str}:
        raise NotPlain
    texts = list(map(str.strip, values)) if key == "id" else list(values)
    if not all(texts):
        raise NotPlain
    return texts


def event_of(entry: Custom, fields: Fields) -> Event:
    """The event that a directive states; raises `FieldError`."""
    kind = EVENT_TYPES[entry.type]
    written = [(value, dtype) for value, dtype in entry.values or ()]
    shape = _shape_of((entry.type, *[dtype for _, dtype in written]), entry.meta)
    if shape is None:
        shapes = [each.words for each in _SHAPES.values() if each.kind is kind]
        values_of(entry, shapes, KINDS[kind].example)
        raise FieldError(f"write {KINDS[kind].example}")
    values: dict[str, Any] = {"date": entry.date}
    for name, (value, _) in zip(shape.values, written, strict=True):
        if name in NUMBERS:
            values[name], values[NUMBERS[name]] = _number(value, fields), value.currency
        else:
            values[name] = fields.of[name][value] or _empty_name()
    values |= _metadata(entry, shape, fields)
    if "time" in values:
        values["date"], values["time"] = fields.moment(entry.date.isoformat(), values["time"])
    if values.get("plan") and values.get("expires"):
        raise FieldError("a plan's own terms say when its units end: remove `expires`")
    if "discount" in values and not values.get("plan"):
        raise FieldError("a top-up costs what is paid for it: write that, without a `discount`")
    if values.get("unpaid") and not values.get("of"):
        raise FieldError("`unpaid` is of a refund of money: write `of` too, and an amount of money")
    if missing := lacking(kind, values):
        if len(KINDS[kind].forms) == 1:
            raise FieldError(f"a {kind} without {missing}: write the metadata `{missing}`")
        if shape.also and not values.keys() & {*shape.also}:
            raise FieldError(f'custom "{entry.type}" holds text: write {KINDS[kind].example}')
        if kind is Kind.CHANGE:
            raise FieldError(f"a change without `{missing}`: write `charge` and `credit`, or none")
        raise FieldError(
            f"a {kind} without {missing}: write units, or the metadata `meter` and `quantity`"
        )
    return event_from(kind, values, place_of(entry.meta))


def unread_directive(entry: Custom) -> NotRead:
    """What a directive that can't be read as events says all the same."""
    texts = [value for value, _ in entry.values or () if isinstance(value, str)]
    kind = EVENT_TYPES.get(entry.type)
    names = texts if kind is None else [receiver(kind, *[*texts, "", ""][:2])]
    return NotRead(
        place_of(entry.meta),
        tuple([normalize("NFC", name.strip()) for name in names]),
        normalize("NFC", str(entry.meta.get("id", "")).strip()),
        entry.date.isoformat(),
        whole_file=entry.type == "compute-events",
        kinds=() if kind is None else (kind,),
    )


def _metadata(entry: Custom, shape: Shape, fields: Fields) -> dict[str, Any]:
    """What the metadata says of an event."""
    meta = metadata_of(entry, ("id", "time", *shape.also))
    found: dict[str, Any] = {}
    for name in meta:
        if name in _DAYS:
            found[name] = fields.of[name][day_or_text_in(meta, name)]
        elif name == "id":
            found[name] = parse_name(text_in(meta, name))
        elif name == "time":
            found[name] = text_in(meta, name)
        elif name == "quantity":
            found[name] = _quantity(meta[name], fields)
        elif name in _AMOUNTS:
            written = amount_in(meta, name)
            found[name] = f"{_number(written, fields):f} {written.currency}"
        elif name in NUMBERS:
            written = amount_in(meta, name)
            if written.currency != found.setdefault(NUMBERS[name], written.currency):
                raise FieldError(
                    f"wrong currency: `{name}` in {written.currency}, and {found[NUMBERS[name]]} "
                    "beside it: write both in one"
                )
            found[name] = _number(written, fields)
        elif name in MARKS:
            found[name] = mark_in(meta, name)
        else:
            found[name] = fields.of[name][text_in(meta, name)]
    return found


def _quantity(value: Any, fields: Fields) -> Decimal:
    if not isinstance(value, Decimal):
        raise FieldError("`quantity` must be a number, such as quantity: 250000")
    return fields.decimals[str(value)]


def _number(amount: Amount, fields: Fields) -> Decimal:
    number = amount.number
    return fields.decimals[str(number)] if isinstance(number, Decimal) else check_number(number)


def _empty_name() -> str:
    raise FieldError("a name is empty: write who or what is meant")
