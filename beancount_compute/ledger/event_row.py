"""One row of an event file: which cells each way of writing an event fills, and the event they say.

use-17,2026-05-20,,consumption,alice,,,200,CU,,,,,,,
"""

from __future__ import annotations

from typing import NamedTuple

from beancount_compute.economy.events import Event, Place, flaw_of, is_sound
from beancount_compute.economy.kinds import PHASE, Kind
from beancount_compute.economy.words import quoted
from beancount_compute.ledger.errors import FieldError
from beancount_compute.ledger.fields import (
    Fields,
    check_text,
    parse_name,
)

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
)


_ALWAYS = ("id", "date", "time", "event", "memo")

_new = tuple.__new__


class RowForm(NamedTuple):
    """Which columns a row must fill, and which it may, for one way of writing an event."""

    kind: Kind
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


_UNITS = ("subscriber", "units", "commodity")


FORMS = (
    RowForm(Kind.SUBSCRIPTION, ("subscriber", "plan"), ("started",)),
    RowForm(Kind.CANCELLATION, ("subscriber", "plan")),
    RowForm(Kind.ALLOCATION, (*_UNITS, "paid", "currency"), ("expires",)),
    RowForm(Kind.ALLOCATION, ("subscriber", "plan")),
    RowForm(Kind.GRANT, _UNITS, ("expires",)),
    RowForm(Kind.CONSUMPTION, _UNITS),
    RowForm(Kind.TRADE, (*_UNITS, "counterparty", "price", "currency")),
    RowForm(Kind.TRANSFER, (*_UNITS, "counterparty")),
    RowForm(Kind.SPEND, (*_UNITS, "counterparty", "paid", "currency")),
    RowForm(Kind.REFUND, _UNITS),
    RowForm(Kind.REVERSAL, ("reverses",)),
)


# The columns that tell the ways of writing an event apart; a row's pattern is which are empty.
TELLING = tuple(name for name in COLUMNS if name not in _ALWAYS)


def _pattern(kind: str, filled: tuple[str, ...]) -> tuple[str | bool, ...]:
    return (kind, *(name not in filled for name in TELLING))


KINDS: dict[tuple[str | bool, ...], Kind] = {
    _pattern(form.kind.value, (*form.required, *more)): form.kind
    for form in FORMS
    for more in ((), form.optional)
}


def event_of_row(
    cells: tuple[str, ...],
    extra: tuple[tuple[str, str], ...],
    place: Place,
    fields: Fields,
) -> Event:
    """The event of a row's cells, in the order of `COLUMNS`; raises `FieldError`."""
    (
        event_id,
        day,
        time,
        kind,
        subscriber,
        counterparty,
        plan,
        units,
        commodity,
        price,
        paid,
        currency,
        expires,
        started,
        reverses,
        memo,
    ) = cells
    known = KINDS.get(
        (
            kind,
            not subscriber,
            not counterparty,
            not plan,
            not units,
            not commodity,
            not price,
            not paid,
            not currency,
            not expires,
            not started,
            not reverses,
        )
    )
    if known is None or not day:
        raise _wrong_cells(cells)
    numbers = fields.numbers
    event: Event = _new(
        Event,
        (
            fields.dates[day],
            PHASE[known],
            fields.times[time],
            known,
            fields.names[subscriber],
            fields.names[counterparty],
            fields.plans[plan],
            numbers[units],
            numbers[price],
            numbers[paid],
            fields.currencies[currency],
            fields.expiries[expires],
            event_id and parse_name(event_id),
            memo and check_text(memo),
            fields.currencies[commodity],
            fields.days[started],
            fields.ids[reverses],
            extra,
            *place,
            "",
        ),
    )
    return event if is_sound(event) else event._replace(flaw=flaw_of(event))


def _wrong_cells(cells: tuple[str, ...]) -> FieldError:
    """What is wrong with the cells that a row fills."""
    by_name = dict(zip(COLUMNS, cells, strict=True))
    kind = by_name["event"]
    if not by_name["date"]:
        return FieldError('no date: fill the column "date"')
    if not kind:
        return FieldError("no event: write what happened, such as consumption")
    forms = [form for form in FORMS if form.kind.value == kind]
    if not forms:
        known = ", ".join(each.value for each in PHASE)
        return FieldError(f"unknown event {quoted(kind)}; known: {known}")
    form = forms[-1] if by_name["plan"] else forms[0]
    for name in form.required:
        if not by_name[name]:
            return FieldError(f"{kind} without {name}: fill the column {quoted(name)}")
    taken = {*_ALWAYS, *form.required, *form.optional}
    surplus = [name for name, cell in by_name.items() if cell and name not in taken]
    hint = ", or remove the plan" if form.kind is Kind.ALLOCATION and by_name["plan"] else ""
    return FieldError(f"{kind} takes no {' and no '.join(surplus)}: leave the cell empty{hint}")
