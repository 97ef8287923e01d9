"""Figures and names as a refusal shows them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from beancount_compute.economy.words import MOST_ASKED, Hints, amount, like, quoted


def test_a_name_stands_in_quotes() -> None:
    """As a ledger writes it."""
    assert quoted("alice") == '"alice"'
    assert quoted("") == '""'


def test_a_long_name_is_cut() -> None:
    """A message shows 60 characters at most; 60 stand whole."""
    assert quoted("a" * 60) == f'"{"a" * 60}"'
    assert quoted("a" * 61) == f'"{"a" * 57}..."'


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("two\nlines", r'"two\nlines"'),
        ("nul\x00", r'"nul\x00"'),
        ("\u202eright to left", r'"\u202eright to left"'),
        ("🚀 stays", '"🚀 stays"'),
    ],
)
def test_a_message_is_one_line_whatever_the_name_holds(name: str, shown: str) -> None:
    """What can't be printed is escaped, so that a message stays one line and reads forward."""
    assert quoted(name) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [("200", "200 CU"), ("0.50", "0.5 CU"), ("1E+3", "1000 CU"), ("2E-7", "0.0000002 CU")],
)
def test_amounts_are_shown_in_full_digits(number: str, shown: str) -> None:
    """No exponent, no idle zeros."""
    assert amount(Decimal(number), "CU") == shown


@pytest.mark.parametrize(
    ("text", "known", "asked"),
    [
        ("unsued", ["every", "unused"], '; did you mean "unused"?'),
        ("Ann@x.io ", ["ann@x.io", "bob"], '; did you mean "ann@x.io"?'),
        ("mint_rate", ["mint-rate"], '; did you mean "mint-rate"?'),
        ("pro", ["pro"], ""),  # the very name, but not on this day
        ("gold", ["pro", "team"], ""),
        ("pro", [], ""),
        ("nam-500", [f"name-{number}" for number in range(2000)], '; did you mean "name-500"?'),
        ("xyz-500", [f"name-{number}" for number in range(2000)], ""),
    ],
)
def test_a_name_that_is_nearly_a_known_one_is_asked_about(
    text: str, known: list[str], asked: str
) -> None:
    """Capitals, blanks, underscores and a slip of a finger; never the name itself."""
    assert like(text, known) == asked


def test_only_the_first_names_of_a_ledger_are_looked_for() -> None:
    """Each once: who gets a thousand errors reads the first, and to look takes time."""
    hints, known = Hints(), ["alice", "pro"]
    asked = [hints.of("subscriber", f"alice{number}", known) for number in range(MOST_ASKED)]
    assert set(asked) == {'; did you mean "alice"?'}
    assert hints.of("subscriber", "alicia", known) == ""
    assert hints.of("subscriber", "alice7", []) == '; did you mean "alice"?'  # as it was found
