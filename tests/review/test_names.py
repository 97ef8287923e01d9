"""Names that look alike: two customers in silence, or one."""

from __future__ import annotations

from pathlib import Path

import pytest

from beancount_compute.review.confusable import keys
from tests.review.looking import findings, lines


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann@x.io", "Ann@x.io"),
        ("ann@x.io", "ann@X.IO"),
        ("ann lee", "ann  lee"),
        ("ann lee", "annlee"),
        ("ann", "a\u200bnn"),
        ("ann lee", "ann\u00a0lee"),
        ("ann", "ａｎｎ"),  # full width
        ("ann", "аnn"),  # a Cyrillic a
        ("ANN", "АNN"),  # and a capital one
        ("bob", "Воb"),
        ("alice", "a1ice"),
        ("alice", "aIice"),
        ("x0", "xO"),
        ("o'brien", "o’brien"),
        ("a-b", "a–b"),
        ("barnes", "bames"),
        ("straße", "STRASSE"),
        ("ﬁna", "fina"),
    ],
)
def test_names_that_look_alike_have_a_key_in_common(one: str, other: str) -> None:
    """Case, blanks anywhere, letters of other scripts, forms of letters."""
    assert keys(one) & keys(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann", "anne"),
        ("ann-lee", "ann_lee"),
        ("josé", "jose"),
        ("u_2", "u_3"),
        ("u_8f3a@example.com", "u_8f3b@example.com"),
        ("zoë", "zoe"),
    ],
)
def test_names_that_differ_by_a_letter_have_none(one: str, other: str) -> None:
    """Accents and other signs tell people apart."""
    assert not keys(one) & keys(other)


def test_a_newcomer_that_looks_like_somebody_known_is_told_where_it_first_stands(
    tmp_path: Path,
) -> None:
    """In the month in which the second of the two comes."""
    text = '2026-04-01 custom "compute-allocation" "ann@x.io" 10 CU 1.00 USD\n'
    text += '2026-05-02 custom "compute-allocation" "Ann@x.io" 10 CU 1.00 USD\n'
    text += '2026-05-01 custom "compute-allocation" "Ann@x.io" 10 CU 1.00 USD\n'
    assert findings(tmp_path, text, "2026-04") == []
    (found,) = findings(tmp_path, text, "2026-05")
    assert (found.kind, found.place.line) == ("name", 5)
    assert found.text == (
        'subscriber "Ann@x.io" looks like "ann@x.io": if they are one, write one name'
    )
    again = text.replace("05-01", "05-02").replace("2026-04", "2026-03")
    assert [each.id for each in findings(tmp_path, again, "2026-05")] == [found.id]


def test_whoever_is_named_by_an_opening_lot_or_a_line_of_terms_counts(tmp_path: Path) -> None:
    """And a buyer, who is named behind the seller."""
    text = """\
2025-12-31 * "Opening" #compute-opening
  Liabilities:DeferredRevenue:Tokens:Acme  -800 CU {0.20 USD, 2025-11-01, "top-up"}
  Equity:Opening-Balances
2025-01-01 open Equity:Opening-Balances
2026-01-01 custom "compute-allocation" "Bob" 10 CU 1.00 USD
2026-01-01 custom "compute-subscriber" "bоb"
2026-01-01 custom "compute-allocation" "ann" 10 CU 1.00 USD
2026-01-02 custom "compute-allocation" "ACME" 10 CU 1.00 USD
2026-01-03 custom "compute-subscriber" "cy"
2026-01-04 custom "compute-transfer" "ann" "cy" 1 CU
"""
    assert lines(findings(tmp_path, text, "2026-01")) == [("name", 8), ("name", 10)]


def test_partners_are_compared_with_partners(tmp_path: Path) -> None:
    """A partner may be called as a subscriber is."""
    text = '2026-01-01 custom "compute-allocation" "ann" 10 CU 1.00 USD\n'
    text += '2026-01-02 custom "compute-spend" "ann" "Ann" 1 CU 0.10 USD\n'
    assert findings(tmp_path, text, "2026-01") == []
    text += '2026-01-03 custom "compute-spend" "ann" "ann " 1 CU 0.10 USD\n'
    assert lines(findings(tmp_path, text, "2026-01")) == [("name", 5)]
