"""The columns of events, declared once, and the event that one row of them says.

    id,date,time,event,subscriber,counterparty,plan,units,commodity,price,paid,currency,...
    use-17,2026-05-20,,consumption,alice,,,200,CU,,,,,,,

Event files, directives and frozen rows all fill these columns. Which of them an event of a kind
fills follows from its forms in `economy/kinds.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import chain, combinations
from typing import Any, NamedTuple
from unicodedata import normalize

from beancount_compute.economy import (
    EVENTS,
    KINDS,
    LATER_FIELDS,
    PHASE,
    WRITTEN,
    ZERO,
    Event,
    Kind,
    NotRead,
    Place,
    flaw_of,
    is_sound,
    like,
    quoted,
    receiver,
)
from beancount_compute.ledger.errors import FieldError
from beancount_compute.ledger.fields import MARKS, Fields, check_text, parse_date, parse_name

FIELDS = {written: name for name, written in WRITTEN.items()}
LATER_COLUMNS = tuple(WRITTEN.get(name, name) for name in LATER_FIELDS)
# Each fills the field of its name, but for `event`, which is the kind.
COLUMNS = (
    "id",
    "date",
    "time",
    "event",
    "subscriber",
    "counterparty",
    "plan",
    "units",
    "commodity",
    "price",
    "paid",
    "currency",
    "expires",
    "started",
    "reverses",
    "memo",
    *LATER_COLUMNS,
)
# with their commodity's
NUMBERS = {
    "units": "commodity",
    "price": "currency",
    "paid": "currency",
    "discount": "currency",
    "charge": "currency",
    "credit": "currency",
}
ALWAYS = ("id", "date", "time", "event", "memo")  # what a row of any kind may fill
# The columns that tell the ways of writing an event apart; a row's pattern is which are empty.
TELLING = tuple(name for name in COLUMNS if name not in ALWAYS)
# what reads the columns whose texts hardly ever repeat; `Fields` reads the others
ONCE: dict[str, Callable[[str], str]] = {"id": parse_name, "memo": check_text}
_EMPTY: dict[str, Any] = dict.fromkeys(NUMBERS, None) | {"extra": ()}
ABSENT: dict[str, Any] = {
    WRITTEN.get(name, name): Event._field_defaults.get(name, _EMPTY.get(name, ""))
    for name in Event._fields
}


class RowForm(NamedTuple):
    """Which columns a row must fill, and which it may, for one way of writing an event."""

    kind: Kind
    required: tuple[str, ...]
    optional: tuple[tuple[str, ...], ...]  # each with what must stand beside it

    @property
    def columns(self) -> set[str]:
        """All that it may fill."""
        return {*ALWAYS, *self.required, *chain.from_iterable(self.optional)}


def _columns_of(names: Iterable[str]) -> Iterable[str]:
    return chain.from_iterable(map(_with_commodity, names))


def _with_commodity(name: str) -> tuple[str, ...]:
    return (name, NUMBERS[name]) if name in NUMBERS else (name,)


ROW_FORMS = tuple(
    RowForm(
        kind,
        tuple(dict.fromkeys([*_columns_of(form.values), *_columns_of(form.needed)])),
        tuple(map(_with_commodity, form.optional)),
    )
    for kind in EVENTS
    for form in KINDS[kind].forms
)


NEEDED: dict[Kind, tuple[str, ...]] = {
    kind: form.needed for kind in EVENTS for form in KINDS[kind].forms if form.needed
}


def lacking(kind: Kind, filled: Container[str]) -> str:
    """The field that is missing beside another, or in place of units; "" for none."""
    needed = NEEDED.get(kind, ())
    if kind is Kind.CHANGE and not any(name in filled for name in needed):
        return ""
    if not needed or ("units" in filled and needed[-1] not in filled):
        return ""
    return next((name for name in needed if name not in filled), "")


def _pattern(kind: str, filled: tuple[str, ...]) -> tuple[str | bool, ...]:
    return (kind, *(name not in filled for name in TELLING))


PATTERNS: dict[tuple[str | bool, ...], Kind] = {
    _pattern(form.kind.value, (*form.required, *chain.from_iterable(more))): form.kind
    for form in ROW_FORMS
    for count in range(len(form.optional) + 1)
    for more in combinations(form.optional, count)
}


def event_from(
    kind: Kind, values: Mapping[str, Any], place: Place, extra: tuple[tuple[str, str], ...] = ()
) -> Event:
    """The event of a kind whose fields have these values; any other field is absent."""
    given = {"kind": kind, "phase": PHASE[kind], "extra": extra, **values, **place._asdict()}
    if "quantity" in given and given.get("units") is None:
        given["units"] = ZERO
    event = Event(*[given.get(name, absent) for name, absent in ABSENT.items()])
    return event if is_sound(event) else event._replace(flaw=flaw_of(event))


def event_of_row(
    cells: tuple[str, ...], extra: tuple[tuple[str, str], ...], place: Place, fields: Fields
) -> Event:
    """The event of a row's cells, in the order of `COLUMNS`; raises `FieldError`."""
    written = dict(zip(COLUMNS, cells, strict=True))
    kind = _kind_of(written)
    if kind is None:
        written |= {name: "" for name in MARKS if written[name].lower() == "false"}
        kind = _kind_of(written)
    if kind is None or not written["date"]:
        raise _wrong_cells(written)
    values: dict[str, Any] = {
        name: fields.of[name][text] if name in fields.of else ONCE[name](text)
        for name, text in written.items()
        if text and name not in ("event", "date", "time")
    }
    values["date"], values["time"] = fields.moment(written["date"], written["time"])
    return event_from(kind, values, place, extra)


def _kind_of(written: Mapping[str, str]) -> Kind | None:
    return PATTERNS.get((written["event"], *[not written[name] for name in TELLING]))


def says_nothing(event: Event) -> bool:
    """Whether a row is of 0 units, or of a quantity of 0, and says no more than a blank one."""
    return event.units is not None and not event.units and not event.quantity


def unread_row(written: Mapping[str, str], place: Place) -> NotRead:
    """What a row that can't be read as an event says all the same."""
    subscriber, other = (
        normalize("NFC", written.get(name, "")) for name in ("subscriber", "counterparty")
    )
    kind = next((each for each in EVENTS if each == written.get("event")), None)
    names = (receiver(kind, subscriber, other),) if kind else (subscriber, other)
    day = ""
    with suppress(FieldError):
        day = parse_date(written.get("date", "")[: len("2026-05-20")]).isoformat()
    kinds = (kind,) if kind else EVENTS
    return NotRead(place, names, normalize("NFC", written.get("id", "")), day, kinds=kinds)


def _wrong_cells(written: Mapping[str, str]) -> FieldError:
    """What is wrong with the cells that a row fills."""
    kind = written["event"]
    if not written["date"]:
        return FieldError('no date: fill the column "date"')
    if not kind:
        return FieldError("no event: write what happened, such as consumption")
    forms = [form for form in ROW_FORMS if form.kind.value == kind]
    if not forms:
        known = ", ".join(sorted(EVENTS))
        return FieldError(f"unknown event {quoted(kind)}; known: {known}{like(kind, EVENTS)}")
    form = _meant(forms, written)
    for name in form.required:
        if not written[name]:
            return FieldError(f"{kind} without {name}: fill the column {quoted(name)}")
    for name, *beside in form.optional:
        for other in beside:
            if written[name] and not written[other]:
                return FieldError(f"{name} without {other}: fill the column {quoted(other)}")
    taken = [form.required, *(each for each in form.optional if written[each[0]])]
    surplus = [name for name, cell in written.items() if cell and name not in ALWAYS]
    surplus = [name for name in surplus if name not in chain.from_iterable(taken)]
    with_plan = ["plan" in each.required for each in forms]
    hint = ", or remove the plan" if "plan" in form.required and not all(with_plan) else ""
    return FieldError(f"{kind} takes no {' and no '.join(surplus)}: leave the cell empty{hint}")


def _meant(forms: Sequence[RowForm], written: Mapping[str, str]) -> RowForm:
    """The form of which a row fills columns that the first has no use for; else the first."""
    first = forms[0].columns
    others = [
        form
        for form in forms[1:]
        if any(written[name] for name in form.required if name not in first)
    ]
    return min(
        others or forms[:1], key=lambda form: sum(not written[name] for name in form.required)
    )
