"""What a `custom "compute-..."` line holds: its place, values and metadata, with their types."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from beancount.core.amount import Amount

from beancount_compute.economy.events import Place
from beancount_compute.ledger.directives import (
    day_or_text_in,
    kind_of,
    metadata_of,
    place_of,
    text_in,
    values_of,
)
from beancount_compute.ledger.errors import FieldError
from tests.ledger.docstrings import directives


def test_a_place_is_file_and_line() -> None:
    """Metadata made by another plugin may lack either."""
    (entry,) = directives('\n\n2026-01-01 custom "x"')
    assert place_of(entry.meta) == Place("<string>", 3)
    assert place_of({}) == Place("<unknown>", 0)


def test_values_have_the_kinds_that_a_person_would_name() -> None:
    """Text, amount, number, date, account, TRUE or FALSE."""
    (entry,) = directives('2026-01-01 custom "x" "a" 5 CU 5 2026-01-02 Assets:Cash TRUE')
    kinds = ["text", "amount", "number", "date", "account", "TRUE or FALSE"]
    assert [kind_of(value, dtype) for value, dtype in entry.values] == kinds
    assert kind_of(None, None) == "nothing"


def test_values_must_have_one_of_the_shapes() -> None:
    """The message says what was found, and shows an example."""
    (entry,) = directives('2026-01-01 custom "compute-x" "a" 5 CU')
    assert values_of(entry, [("text",), ("text", "amount")], "") == ["a", Amount(Decimal(5), "CU")]
    with pytest.raises(FieldError) as refused:
        values_of(entry, [("text",)], '"alice"')
    assert str(refused.value) == 'custom "compute-x" holds text, amount: write "alice"'
    (entry,) = directives('2026-01-01 custom "compute-x"')
    with pytest.raises(FieldError, match='holds nothing: write "alice"'):
        values_of(entry, [("text",)], '"alice"')


def test_metadata_is_what_a_person_wrote() -> None:
    """File, line and keys that begin with `__` or `x-` are left alone; an empty key is absent."""
    (entry,) = directives("""
        2026-01-01 custom "compute-x" "a"
          id: "u-1"
          x-note: "mine"
          time:
          expires: ""
    """)
    entry.meta["__duplicate"] = 1
    assert metadata_of(entry, ("id", "time", "expires")) == {"id": "u-1"}
    with pytest.raises(FieldError) as refused:
        metadata_of(entry, ("time",))
    assert 'unknown metadata "id" of compute-x; known: time' in str(refused.value)
    with pytest.raises(FieldError, match="known: none"):
        metadata_of(entry, ())


def test_metadata_values_have_types() -> None:
    """A text, a day or a text, a number, an amount; anything else is an error that shows how."""
    meta = {
        "text": "a",
        "day": date(2026, 1, 2),
        "number": Decimal(5),
        "amount": Amount(Decimal("0.30"), "USD"),
        "id": date(2026, 1, 2),
        "expires": Decimal(5),
    }
    assert text_in(meta, "text") == "a"
    assert day_or_text_in(meta, "id") == "2026-01-02"
    assert day_or_text_in(meta, "text") == "a"
    assert (text_in(meta, "no"), day_or_text_in(meta, "no")) == ("", "")
    for read in (
        lambda: text_in(meta, "id"),
        lambda: day_or_text_in(meta, "expires"),
    ):
        with pytest.raises(FieldError, match="must be"):
            read()
