"""Names as account components and as links."""

from __future__ import annotations

from hashlib import sha256

import pytest
from beancount.core.account import is_valid
from beancount.parser import parser
from hypothesis import given
from hypothesis import strategies as st

from beancount_compute.ledger.names import component_of, in_link, is_component, short_hash


def six(name: str) -> str:
    return sha256(name.encode()).hexdigest()[:6]


@pytest.mark.parametrize(
    ("name", "component"),
    [
        ("alice", "Alice"),
        ("Alice", "Alice"),
        ("émile", "Émile"),
        ("日本", None),  # letters that are no capitals: S- in front
        ("42nd-street", "42nd-street"),
        ("a-b", "A-b"),
    ],
)
def test_a_name_that_fits_is_its_own_component(name: str, component: str | None) -> None:
    """With its first letter in upper case, when that is valid (manual/language.md, section 2)."""
    expected = component or f"S-{name}-{six(name)}"
    assert component_of(name) == expected


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("u_8f3a@example.com", "U-8f3a-example-com"),
        ("Acme, Inc.", "Acme--Inc-"),
        ("A:B", "A-B"),
        ("-dash", "S--dash"),
        ("🚀", "S--"),
        ("a b", "A-b"),
        (" a", "S--a"),
        ("{subscriber}", "S--subscriber-"),
        ("../..", "S------"),
    ],
)
def test_any_other_name_is_made_valid_and_ends_in_its_hash(name: str, made: str) -> None:
    """Other characters to `-`, `S-` in front where need be, six hex digits of the SHA-256."""
    assert component_of(name) == f"{made}-{six(name)}"


@given(st.text("aZ09-É:_ \n@", max_size=6))
def test_a_component_is_what_beancount_takes_for_one(text: str) -> None:
    """Plain ones are told without asking Beancount; it must not say otherwise."""
    assert is_component(text) == (":" not in text and is_valid(f"Assets:{text}"))


@given(st.text(min_size=1, max_size=40).filter(lambda name: name.strip()))
def test_every_name_has_a_valid_component(name: str) -> None:
    """It can stand between two colons, and Beancount's own parser reads it back."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return  # a lone surrogate is refused where it is read
    component = component_of(name)
    assert is_component(component)
    assert is_valid(f"Assets:{component}")
    text = f'2026-01-01 open Assets:{component}\n2026-01-01 custom "x" Assets:{component}:Y\n'
    entries, errors, _ = parser.parse_string(text)
    assert errors == []
    assert entries[0].account == f"Assets:{component}"


@given(st.sets(st.text("aB-é@ 1🚀:", min_size=1, max_size=4), min_size=2, max_size=20))
def test_names_that_don_t_fit_never_meet(names: set[str]) -> None:
    """Two that are made valid have two hashes; only a raised first letter lets names meet."""
    made = [component_of(name) for name in names if component_of(name)[1:] != name[1:]]
    assert len(set(made)) == len(made)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("Acme", True),
        ("4cme", True),
        ("Acme-2", True),
        ("Émile", True),
        ("acme", False),
        ("", False),
        ("-Acme", False),
        ("Acme Inc", False),
        ("Acme:Inc", False),
        ("Acme_Inc", False),
    ],
)
def test_components(text: str, fits: bool) -> None:
    """A capital or a digit first, then letters, digits and dashes."""
    assert is_component(text) is fits


def test_links_are_ascii() -> None:
    """Where a component loses something as a link, six hex digits of the name's SHA-256 follow."""
    assert in_link("Alice", "alice") == "Alice"
    assert in_link("Émile", "émile") == f"-mile-{six('émile')}"
    assert in_link("Top-up", "top-up") == "Top-up"


def test_a_short_hash_is_of_the_utf_8_name() -> None:
    """Worked out with hashlib: SHA-256 of 61 6c 69 63 65 begins with 2bd806."""
    assert short_hash("alice") == "2bd806"
