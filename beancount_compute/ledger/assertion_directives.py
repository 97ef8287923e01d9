"""Assertions from `custom "compute-assert"` directives.

2026-06-21 custom "compute-assert" "deferred-revenue" 280.00 USD
"""

from __future__ import annotations

from collections.abc import Iterable

from beancount.core.data import Custom

from beancount_compute.economy import FIGURES, Assertion, id_taken, like, quoted
from beancount_compute.ledger.directives import metadata_of, place_of, text_in, values_of
from beancount_compute.ledger.errors import Errors, FieldError
from beancount_compute.ledger.fields import check_number, parse_name, parse_time

_SHAPES = {("text", "amount"): (), ("text", "text", "amount"): ()}
_EXAMPLE = 'a figure, perhaps a subscriber, and an amount: "tokens" "alice" 300 CU'


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
