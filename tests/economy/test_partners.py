"""Spending tokens with a partner."""

from __future__ import annotations

import pytest

from tests.economy.building import (
    at,
    book,
    by_hand,
    cause,
    lots_shown,
    messages,
    plan,
    shown,
    spend,
    subscription,
    terms,
    text,
    top_up,
)

ALICE = top_up("2026-05-01", "alice", "100 CU", "20 USD")


def test_the_settlement_is_owed_and_the_rest_is_income() -> None:
    """100 x 0.20 = 20.00: 17.00 to the partner, 3.00 to the operator."""
    bought = spend("2026-06-12", "alice", "gpu-shop", "100 CU", "17 USD", id="s", line=4)
    books = book([ALICE, bought])
    assert shown(books, "spend") == text("""
        2026-06-12 spend alice
          tokens alice 100 CU {0.2 USD, 2026-05-01, top-up}
          partner alice gpu-shop -17 USD
          partner-income alice -3 USD
    """)
    assert cause(books.journal[-1]) == ("s", at(4), "")
    assert books.journal[-1].narration == "Spend with gpu-shop"
    assert books.lots == []


@pytest.mark.parametrize(
    ("settlement", "rest"),
    [
        ("20 USD", ""),  # nothing is left: no leg
        ("25 USD", "\n  partner-income alice 5 USD"),  # a settlement above the carrying amount
        ("0.125 USD", "\n  partner-income alice -19.88 USD"),  # 0.12 half-even
    ],
)
def test_the_rest_may_be_nothing_or_negative(settlement: str, rest: str) -> None:
    """Partner income is what the carrying amount leaves, also when that is below zero."""
    books = book([ALICE, spend("2026-06-12", "alice", "p", "100 CU", settlement)])
    owed = {"20 USD": "20", "25 USD": "25", "0.125 USD": "0.12"}[settlement]
    assert shown(books, "spend") == (
        "2026-06-12 spend alice\n"
        "  tokens alice 100 CU {0.2 USD, 2026-05-01, top-up}\n"
        f"  partner alice p -{owed} USD{rest}"
    )


def test_a_settlement_in_another_currency_leaves_income_in_both() -> None:
    """Tokens of 20.00 USD against 17.00 EUR: -20 USD of income, and 17 EUR against it."""
    books = book([ALICE, spend("2026-06-12", "alice", "p", "100 CU", "17 EUR")])
    assert shown(books, "spend") == text("""
        2026-06-12 spend alice
          tokens alice 100 CU {0.2 USD, 2026-05-01, top-up}
          partner alice p -17 EUR
          partner-income alice 17 EUR
          partner-income alice -20 USD
    """)


def test_tokens_that_cost_nothing_can_be_spent() -> None:
    """An opening lot at zero: the whole settlement reduces income."""
    free = by_hand("2026-05-01", "tokens alice 5 CU {0 USD, 2026-04-01, gift}")
    books = book([spend("2026-06-12", "alice", "p", "5 CU", "2 USD")], openings=[free])
    assert shown(books) == text("""
        2026-06-12 spend alice
          tokens alice 5 CU {0 USD, 2026-04-01, gift}
          partner alice p -2 USD
          partner-income alice 2 USD
    """)


@pytest.mark.parametrize(
    ("bought", "message"),
    [
        (
            spend("2026-06-12", "alice", "p", "101 CU", "1 USD"),
            '"alice" spends 101 CU and holds 100 CU in tokens: write at most that',
        ),
        (
            spend("2026-06-12", "carol", "p", "1 CU", "1 USD"),
            (
                '"carol" spends 1 CU and holds 0 CU in tokens, and 1000 CU in allocations, which '
                "stay with their subscriber until a mint: write a later date, or a top-up before it"
            ),
        ),
        (
            spend("2026-06-12", "dave", "p", "1 CU", "1 USD"),
            (
                'unknown subscriber "dave": needs a subscription, allocation, grant, opening '
                "lot or compute-subscriber on or before this day"
            ),
        ),
        (
            spend("2026-06-12", "alice", "p", "1 CU", "0.005 USD"),
            "the settlement of 0.005 USD rounds to zero",
        ),
    ],
)
def test_what_can_t_be_spent_is_refused(bought: object, message: str) -> None:
    """Beyond the tokens (carol's allocation is none), unknown, or for nothing."""
    events = [ALICE, subscription("2026-06-01", "carol"), bought]
    books = book(events, terms(plan()))
    assert messages(books) == [f"0: {message}"]
    assert lots_shown(books)[-1] == "tokens alice 100 CU {0.2 USD, 2026-05-01, top-up}"


def test_a_partner_may_bear_a_subscriber_s_name() -> None:
    """Partners are no subscribers: alice may spend with a partner called alice."""
    books = book([ALICE, spend("2026-06-12", "alice", "alice", "100 CU", "20 USD")])
    assert messages(books) == []
