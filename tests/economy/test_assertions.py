"""Assertions: figures that must hold at the beginning of a day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from beancount_compute.economy import NOWHERE, Assertion, Totals
from tests.economy.building import (
    assertion,
    book,
    by_hand,
    consumption,
    grant,
    messages,
    plan,
    reversal,
    spend,
    subscription,
    terms,
    top_up,
    trade,
)

# alice: 1000 CU of May at 0.20 (200.00), 200 used (40.00), 800 minted on 1 June, when June's 1000
# begin; 100 tokens are sold to bob for 25.00 with a fee of 1.25, 50 spent with a partner (10.00,
# of which 8.00 are settled): 650 tokens are left, 130.00.
# bob: 5 free units, 100 tokens bought (20.00), a subscription of 12 June (10 CU at 0.20). His 110
# take 10 (2.00) and 5 (0.00) of allocations, then 95 tokens (19.00); the next 10 take the 5 tokens
# left (1.00), and 5 beyond at 0.30 (1.50).
# carol: 10 CU until 1 July for 3.00 EUR, unused.
STORY = [
    subscription("2026-05-01", "alice", "big"),
    consumption("2026-05-20", "alice", "200 CU"),
    grant("2026-06-02", "bob", "5 CU"),
    trade("2026-06-10", "alice", "bob", "100 CU", "0.25 USD"),
    spend("2026-06-11", "alice", "shop", "50 CU", "8 USD"),
    subscription("2026-06-12", "bob", "small"),
    consumption("2026-06-20", "bob", "110 CU"),
    top_up("2026-06-21", "carol", "10 CU", "3 EUR", expires="2026-07-01"),
    consumption("2026-06-22", "bob", "10 CU"),
]
AGREED = terms(
    plan("big", unused="mint"),
    plan("small", "2 USD", "10 CU", overage="0.30 USD"),
    seller_fee="0.05",
)


@pytest.mark.parametrize(
    ("on", "figure", "subscriber", "expected"),
    [
        # at the beginning of its day: nothing of that day
        ("2026-05-01", "deferred-revenue", "", "0 USD"),
        ("2026-05-02", "deferred-revenue", "", "200 USD"),
        ("2026-05-20", "revenue", "", "0 USD"),
        ("2026-05-21", "revenue", "", "40 USD"),
        ("2026-05-21", "revenue", "alice", "40 USD"),
        ("2026-06-01", "allocations", "alice", "800 CU"),
        ("2026-06-01", "tokens", "alice", "0 CU"),
        # the mint of 1 June, with June's 1000 CU
        ("2026-06-02", "allocations", "alice", "1000 CU"),
        ("2026-06-02", "tokens", "alice", "800 CU"),
        ("2026-06-02", "tokens", "alice", "160 USD"),
        ("2026-06-02", "deferred-revenue", "alice", "360 USD"),
        ("2026-06-02", "deferred-revenue", "alice", "1800 CU"),
        # trade and spend
        ("2026-06-12", "tokens", "alice", "650 CU"),
        ("2026-06-12", "tokens", "bob", "20 USD"),
        ("2026-06-12", "tokens", "", "750 CU"),
        ("2026-06-12", "allocations", "bob", "5 CU"),
        ("2026-06-12", "fees", "", "1.25 USD"),
        ("2026-06-12", "fees", "alice", "1.25 USD"),
        ("2026-06-12", "fees", "bob", "0 USD"),
        ("2026-06-12", "partner-income", "", "2 USD"),
        # use
        ("2026-06-21", "revenue", "bob", "21 USD"),
        ("2026-06-23", "revenue", "bob", "22 USD"),
        ("2026-06-23", "overage", "", "1.50 USD"),
        ("2026-06-23", "overage", "bob", "1.50 USD"),
        ("2026-06-23", "overage", "alice", "0 USD"),
        # currencies and commodities stand apart
        ("2026-06-23", "tokens", "carol", "3 EUR"),
        ("2026-06-23", "tokens", "carol", "0 USD"),
        ("2026-06-23", "tokens", "carol", "0 GPU"),
        # the expiry of 1 July is in the books of 2 July, not of 1 July
        ("2026-07-01", "breakage", "", "0 EUR"),
        ("2026-07-02", "breakage", "", "3 EUR"),
        ("2026-07-02", "breakage", "carol", "3 EUR"),
    ],
)
def test_figures_at_the_beginning_of_a_day(
    on: str, figure: str, subscriber: str, expected: str
) -> None:
    """Worked out by hand above; any other figure fails."""
    right = assertion(on, figure, expected, subscriber, 1)
    wrong = right._replace(number=right.number + 1, place=right.place._replace(line=2))
    known = [grant("2026-04-01", name, "1 XX") for name in ("alice", "bob", "carol")]
    books = book([*known, *STORY], AGREED, assertions=[right, wrong])
    assert [message[:2] for message in messages(books)] == ["2:"]


def test_a_failure_names_expected_found_and_difference() -> None:
    """200.00 found, 280 expected: 80 short."""
    failing = assertion("2026-05-02", "deferred-revenue", "280.00 USD", "alice", 4)
    assert messages(book([STORY[0]], AGREED, assertions=[failing])) == [
        (
            '4: assertion fails: deferred-revenue of "alice" at the beginning of 2026-05-02: '
            "expected 280.00 USD, found 200.00 USD, difference -80.00"
        )
    ]


@pytest.mark.parametrize(
    ("expected", "holds"),
    [
        ("0.006666 USD", True),
        ("0.00667 USD", True),
        ("0.01 USD", True),
        ("0 USD", True),
        ("0.0066660 USD", True),
        ("0.0067 USD", True),
        ("0.0066 USD", False),
        ("0.1 USD", False),
    ],
)
def test_figures_are_rounded_half_even_to_the_digits_written(expected: str, holds: bool) -> None:
    """One CU of 3000 for 20.00 costs 0.006666 when the cheaper lot goes first."""
    events = [
        top_up("2026-05-01", "a", "3000 CU", "20 USD"),
        consumption("2026-05-02", "a", "1 CU"),
    ]
    said = messages(book(events, assertions=[assertion("2026-05-03", "revenue", expected)]))
    assert bool(said) is not holds


def test_a_half_goes_to_the_even_neighbour() -> None:
    """0.5 CU is 0, 1.5 CU is 2."""
    for units, expected in (("0.5 CU", "0 CU"), ("1.5 CU", "2 CU")):
        asserted = assertion("2026-05-02", "allocations", expected)
        assert messages(book([grant("2026-05-01", "a", units)], assertions=[asserted])) == []


def test_a_failure_shows_the_exact_figure_where_it_was_rounded() -> None:
    """Found 0.01 (exactly 0.006666)."""
    events = [
        top_up("2026-05-01", "a", "3000 CU", "20 USD"),
        consumption("2026-05-02", "a", "1 CU"),
    ]
    (said,) = messages(book(events, assertions=[assertion("2026-05-03", "revenue", "0.02 USD")]))
    assert "found 0.01 USD (exactly 0.006666), difference -0.01" in said


def test_an_exact_figure_has_no_zeros_behind_it() -> None:
    """0.50 CU and 0.250 CU are 0.75, however many digits were written."""
    events = [grant("2026-05-01", "a", "0.50 CU"), grant("2026-05-01", "a", "0.250 CU")]
    asserted = assertion("2026-05-02", "allocations", "2 CU")
    (said,) = messages(book(events, assertions=[asserted]))
    assert "found 1 CU (exactly 0.75), difference -1" in said


def test_a_figure_written_with_an_exponent_is_met_to_the_unit() -> None:
    """2E+2 is 200, not 'rounded to hundreds'."""
    asserted = assertion("2026-05-02", "allocations", "2E+2 CU")
    assert messages(book([grant("2026-05-01", "a", "200 CU")], assertions=[asserted])) == []
    asserted = asserted._replace(date=asserted.date)
    assert len(messages(book([grant("2026-05-01", "a", "230 CU")], assertions=[asserted]))) == 1


def test_openings_and_removals_by_hand_count() -> None:
    """An opening lot of 5 CU at 0.20 on 2 May, 2 of them taken out on the 3rd: 0.60 left."""
    opened = by_hand("2026-05-02", "tokens a 5 CU {0.2 USD, 2026-05-01, pro}")
    removed = by_hand("2026-05-03", "tokens a 2 CU {0.2 USD, 2026-05-01, pro}")
    asserted = [
        assertion("2026-05-02", "deferred-revenue", "0 USD"),
        assertion("2026-05-03", "deferred-revenue", "1 USD"),
        assertion("2026-05-04", "deferred-revenue", "0.6 USD"),
        assertion("2026-05-04", "tokens", "3 CU", "a"),
    ]
    books = book([], assertions=asserted, openings=[opened], removals=[removed])
    assert messages(books) == []


def test_reversals_count() -> None:
    """What is undone is not revenue."""
    events = [
        top_up("2026-05-01", "a", "10 CU", "10 USD"),
        consumption("2026-05-02", "a", "4 CU", id="c"),
        reversal("2026-05-03", "c"),
    ]
    asserted = [
        assertion("2026-05-03", "revenue", "4 USD"),
        assertion("2026-05-04", "revenue", "0 USD"),
    ]
    assert messages(book(events, assertions=asserted)) == []


def test_an_unknown_subscriber_is_an_error() -> None:
    """Not known at all, or not before a later day."""
    asserted = [
        assertion("2026-04-30", "tokens", "0 CU", "alice", 1),
        assertion("2026-05-02", "tokens", "0 CU", "bob", 2),
    ]
    first, second = messages(book([STORY[0]], AGREED, assertions=asserted))
    assert first.startswith('1: unknown subscriber "alice"')
    assert second.startswith('2: unknown subscriber "bob"')


@pytest.mark.parametrize(
    ("whose", "runs"),
    [
        ("", ["a 2", "a 1", "b 2", "b 1"]),
        ("a", ["a 2", "a 1", "b 3"]),
        ("b", ["a 3", "b 2", "b 1"]),
    ],
)
def test_an_assertion_ends_the_merging_of_uses(whose: str, runs: list[str]) -> None:
    """An assertion is an event: of its subscriber, or of all
    (manual/language.md, sections 2 and 5)."""
    events = [top_up("2026-05-01", name, "10 CU", "1 USD") for name in "ab"]
    events += [
        consumption(on, name, "1 CU")
        for name in "ab"
        for on in ("2026-05-02", "2026-05-03", "2026-05-05")
    ]
    asserted = assertion("2026-05-04", "tokens", "8 CU" if whose else "16 CU", whose)
    books = book(events, terms(grain="month"), assertions=[asserted])
    assert messages(books) == []
    found = [f"{e.subscriber} {e.uses}" for e in books.journal if e.kind == "consumption"]
    assert sorted(found, key=lambda run: run[0]) == runs


def test_on_the_day_somebody_becomes_known_nothing_was_held_at_its_beginning() -> None:
    """A subscriber is known from the day of the first accepted event; a day earlier it is not."""
    events = [STORY[0], top_up("2026-05-21", "carol", "10 CU", "3 USD")]
    holds = assertion("2026-05-21", "tokens", "0 CU", "carol", 1)
    fails = assertion("2026-05-21", "tokens", "10 CU", "carol", 2)
    early = assertion("2026-05-20", "tokens", "0 CU", "carol", 3)
    said = messages(book(events, AGREED, assertions=[holds, fails, early]))
    assert [message.split(":")[0] for message in sorted(said)] == ["2", "3"]
    assert 'unknown subscriber "carol"' in sorted(said)[1]


def test_a_figure_that_was_added_up_elsewhere_counts_of_all() -> None:
    """300 CU and 20 CU more are 320 CU; nobody's own figure changes."""
    totals = Totals()
    totals.add_figure("tokens", "CU", Decimal(300))
    totals.add_figure("tokens", "CU", Decimal(20))
    stated = Assertion(date(2026, 6, 21), "tokens", "", Decimal(320), "CU", NOWHERE)
    assert totals.check(stated) == ""
    assert "found 0 CU" in totals.check(stated._replace(subscriber="alice"))
