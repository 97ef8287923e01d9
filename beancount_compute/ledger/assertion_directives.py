"""Assertions from `custom "compute-assert"` directives.

2026-06-21 custom "compute-assert" "deferred-revenue" 280.00 USD
"""

from __future__ import annotations

from beancount.core.data import Custom

from beancount_compute.economy.facts import Assertion, Figure
from beancount_compute.economy.words import quoted
from beancount_compute.ledger.directives import metadata_of, place_of, values_of
from beancount_compute.ledger.errors import FieldError
from beancount_compute.ledger.fields import check_number, parse_name

_SHAPES = {("text", "amount"): (), ("text", "text", "amount"): ()}
_EXAMPLE = 'a figure, perhaps a subscriber, and an amount: "tokens" "alice" 300 CU'


def assertion_of(entry: Custom) -> Assertion:
    """The assertion that a directive states; raises `FieldError`."""
    what, *whose, amount = values_of(entry, _SHAPES, _EXAMPLE)
    metadata_of(entry, ("id", "time"))
    try:
        figure = Figure(what)
    except ValueError:
        known = ", ".join(Figure)
        raise FieldError(f"unknown figure {quoted(what)}; known: {known}") from None
    check_number(amount.number)
    subscriber = parse_name(whose[0]) if whose else ""
    place = place_of(entry.meta)
    return Assertion(entry.date, figure, subscriber, amount.number, amount.currency, place)
