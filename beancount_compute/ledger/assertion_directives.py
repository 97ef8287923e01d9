"""What a person says of the books: assertions, control totals of sources, answers to findings.

2026-05-31 custom "compute-control" "consumption" 1204 350123 CU
2026-05-31 custom "compute-accept" "f-3a91c2" "checked with billing, real spike"
2026-06-21 custom "compute-assert" "deferred-revenue" 280.00 USD
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from beancount.core.data import Custom

from beancount_compute.economy import (
    EVENTS,
    FIGURES,
    SIGNED,
    WITH_MONEY,
    WITH_UNITS,
    Assertion,
    ControlTotal,
    Kind,
    Place,
    id_taken,
    like,
    quoted,
)
from beancount_compute.ledger.directives import metadata_of, place_of, text_in, values_of
from beancount_compute.ledger.errors import Errors, FieldError
from beancount_compute.ledger.fields import check_number, parse_name, parse_time

ACCEPT, CONTROL = "compute-accept", "compute-control"
_SHAPES = {("text", "amount"): (), ("text", "text", "amount"): ()}
_EXAMPLE = 'a figure, perhaps a subscriber, and an amount: "tokens" "alice" 300 CU'
_CONTROL_SHAPES = {
    ("text", "number"): (),
    ("text", "number", "amount"): (),
    ("text", "number", "amount", "amount"): (),
}
_CONTROL_EXAMPLE = 'a kind of event, rows, units and perhaps money: "trade" 12 4000 CU 512.00 USD'
_ID = re.compile(r"f-[0-9a-f]{6}", re.ASCII)
_ANSWER_EXAMPLE = 'a finding and why it is right: "f-3a91c2" "checked with billing, real spike"'


def assertion_of(entry: Custom) -> Assertion:
    """The assertion that a directive states; raises `FieldError`.

    A `time` must be one, but has no meaning: an assertion holds at the beginning of its day.
    """
    what, *whose, amount = values_of(entry, _SHAPES, _EXAMPLE)
    meta = metadata_of(entry, ("id", "time"))
    if time := text_in(meta, "time"):
        parse_time(time)
    assertion_id = parse_name(text_in(meta, "id")) if "id" in meta else ""
    if what not in FIGURES:
        known = ", ".join(FIGURES)
        raise FieldError(f"unknown figure {quoted(what)}; known: {known}{like(what, FIGURES)}")
    check_number(amount.number)
    subscriber = parse_name(whose[0]) if whose else ""
    place = place_of(entry.meta)
    return Assertion(
        entry.date, what, subscriber, amount.number, amount.currency, place, assertion_id
    )


def check_ids(assertions: Iterable[Assertion], errors: Errors) -> None:
    """An `id` stands for one assertion: another that says something else is an error.

    The first by day and place has it. Each is checked all the same.
    """
    first: dict[str, Assertion] = {}
    for each in sorted(assertions, key=lambda each: (each.date, each.place)):
        known = first.setdefault(each.id, each) if each.id else each
        if known._replace(place=each.place) != each:
            errors.add(each.place, id_taken(each.id, known.place))


def control_of(entry: Custom) -> ControlTotal:
    """The control total that a directive states; raises `FieldError`."""
    name, rows, *sums = values_of(entry, _CONTROL_SHAPES, _CONTROL_EXAMPLE)
    metadata_of(entry, ())
    if name not in EVENTS:
        known = ", ".join(EVENTS)
        raise FieldError(f"unknown kind {quoted(name)}; known: {known}{like(name, EVENTS)}")
    kind = Kind(name)
    if check_number(rows) < 0 or rows % 1:
        raise FieldError(f"{rows:f} rows: write how many the source gave, such as 1204")
    if len(sums) > (kind in WITH_UNITS) + (kind in WITH_MONEY):
        has = {(True, False): "units and no money", (False, True): "money and no units"}
        what = has.get((kind in WITH_UNITS, kind in WITH_MONEY), "neither units nor money")
        raise FieldError(f'a {kind} has {what}: write custom "{CONTROL}" "{kind}" and those')
    numbers: list[Decimal | None] = [check_number(each.number) for each in sums]
    for number, each in zip(numbers, sums, strict=True):
        if number is not None and number < 0 and kind not in SIGNED:
            raise FieldError(f"{each} is below zero: write what the source gave in all")
    units, money = [*numbers, None, None][:2]
    commodity, currency = [*(each.currency for each in sums), "", ""][:2]
    if kind not in WITH_UNITS:
        units, commodity, money, currency = None, "", units, commodity
    place = place_of(entry.meta)
    return ControlTotal(entry.date, kind, int(rows), units, commodity, money, currency, place)


class Answer(NamedTuple):
    """Why a finding of the month that its date lies in is right."""

    date: date
    finding: str  # its id
    reason: str
    place: Place


def answer_of(entry: Custom) -> Answer:
    """The answer that a directive states; raises `FieldError`."""
    finding, reason = values_of(entry, {("text", "text"): ()}, _ANSWER_EXAMPLE)
    metadata_of(entry, ())
    finding, reason = finding.strip(), " ".join(reason.split())
    if not _ID.fullmatch(finding):
        raise FieldError(
            f"{quoted(finding)} is no id of a finding: copy the line from bean-compute review"
        )
    if not any(letter.isalnum() for letter in reason):
        raise FieldError(
            f'{quoted(reason)} is no reason: write what was checked, such as "real spike, billing"'
        )
    return Answer(entry.date, finding, reason, place_of(entry.meta))
