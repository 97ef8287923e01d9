"""Prepaid credits: bought, lapsed, reversed, opened and taken out by hand, handed on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from beancount_compute.economy.engine import Bookkeeper
from beancount_compute.economy.events import Event
from beancount_compute.economy.inputs import Facts
from beancount_compute.economy.journal import JournalEntry, LotLeg
from beancount_compute.economy.meters import Meter, Provider, Quote
from beancount_compute.economy.roles import Pocket
from beancount_compute.economy.term_values import Money
from beancount_compute.economy.terms import Terms, Timeline
from tests.economy.building import (
    Books,
    assertion,
    at,
    book,
    book_facts,
    by_hand,
    consumption,
    day,
    first_letter_up,
    grant,
    lot_text,
    messages,
    plan,
    purchase,
    reversal,
    shown,
    subscription,
    terms,
    text,
    top_up,
)

START = day("2026-01-01")


def agreed(**options: str) -> Terms:
    """Terms that name three providers: in a line of its own, by a meter and by a quote."""
    meter = Meter("chat", START, provider="openai")
    quote = Quote("chat", "llama", START, Money(Decimal(1), "USD"))
    return terms(plan(), **options)._replace(
        meters={"chat": Timeline([(START, meter)])},
        providers={"anthropic": Timeline([(START, Provider("anthropic", START))])},
        quotes={("chat", "llama"): Timeline([(START, quote)])},
        units=frozenset(["CU"]),
        money=frozenset(["USD"]),
    )


def booked(*events: Event, as_of: str = "2026-12-31", **others: Any) -> Books:
    return book(events, agreed(as_of=as_of), **others)


def stock_moved(journal: list[JournalEntry], *kinds: str) -> Decimal:
    """The credits that entries of some kinds bring."""
    legs = [leg for entry in journal if not kinds or entry.kind in kinds for leg in entry.legs]
    return sum((leg.units for leg in legs if isinstance(leg, LotLeg)), Decimal())


def test_credits_are_an_asset_and_what_lapses_is_lost() -> None:
    """200 OAI for 200.00; the 120 that are left on 1 May 2027 cost 120.00."""
    books = booked(
        purchase("2026-05-01", "openai", "200 OAI", "200 USD", expires="12 months", id="p"),
        as_of="2027-06-01",
        removals=[
            by_hand("2026-05-20", "prepaid openai 80 OAI {1 USD, 2026-05-01, openai/2027-05-01}")
        ],
    )
    assert shown(books) == text("""
        2026-05-01 purchase openai
          prepaid openai 200 OAI {1 USD, 2026-05-01, openai/2027-05-01}
          provider openai -200 USD
        2027-05-01 lapse openai
          prepaid openai -120 OAI {1 USD, 2026-05-01, openai/2027-05-01}
          lapsed openai 120 USD
    """)
    assert messages(books) == []
    assert books.journal[1].source == "credits of 2026-05-01, end 2027-05-01"
    assert books.lots == []  # no subscriber has them


def test_a_price_that_does_not_terminate_is_two_lots() -> None:
    """20.00 for 3000: 1000 at 0.006666 and 2000 at 0.006667, as of an allocation."""
    books = booked(purchase("2026-05-01", "anthropic", "3000 ANT", "20 USD"))
    assert shown(books) == text("""
        2026-05-01 purchase anthropic
          prepaid anthropic 1000 ANT {0.006666 USD, 2026-05-01, anthropic}
          prepaid anthropic 2000 ANT {0.006667 USD, 2026-05-01, anthropic}
          provider anthropic -20 USD
    """)


def test_alike_credits_are_one_lot() -> None:
    """Two purchases of a day, at one cost and with one end, lapse as one."""
    bought = [
        purchase("2026-05-01", "llama", "5 LLA", "5 USD", expires="1 months", id=each)
        for each in ("a", "b")
    ]
    books = booked(*bought)
    assert shown(books, "lapse") == text("""
        2026-06-01 lapse llama
          prepaid llama -10 LLA {1 USD, 2026-05-01, llama/2026-06-01}
          lapsed llama 10 USD
    """)


def test_credits_add_up() -> None:
    """Purchased 30 + opening 10 = reversed 10 + removed 3 + lapsed 7 + held 20."""
    lot = "{2 USD, 2026-03-01, openai/2026-08-01}"
    books = booked(
        purchase("2026-05-01", "openai", "20 OAI", "20 USD"),
        purchase("2026-05-02", "openai", "10 OAI", "10 USD", id="p"),
        reversal("2026-05-03", "p"),
        openings=[by_hand("2026-04-01", f"prepaid openai 10 OAI {lot}")],
        removals=[by_hand("2026-05-04", f"prepaid openai 3 OAI {lot}")],
    )
    assert messages(books) == []
    assert stock_moved(books.journal, "purchase") == 30
    assert stock_moved(books.journal, "reversal") == -10
    assert stock_moved(books.journal, "lapse") == -7
    assert shown(books, "lapse") == text("""
        2026-08-01 lapse openai
          prepaid openai -7 OAI {2 USD, 2026-03-01, openai/2026-08-01}
          lapsed openai 14 USD
    """)


def test_credits_that_cost_nothing_lapse_without_a_loss() -> None:
    """An opening lot may have been given."""
    given = by_hand("2026-05-01", "prepaid openai 5 OAI {0 USD, 2026-05-01, openai/2026-06-01}")
    assert shown(booked(openings=[given])) == text("""
        2026-06-01 lapse openai
          prepaid openai -5 OAI {0 USD, 2026-05-01, openai/2026-06-01}
    """)


def test_a_purchase_is_reversed_whole_or_not_at_all() -> None:
    """On its own day too; not where some of it is gone, and once."""
    books = booked(
        purchase("2026-05-01", "openai", "10 OAI", "10 USD", id="p"),
        purchase("2026-05-02", "openai", "4 OAI", "4 USD", id="q"),
        reversal("2026-05-02", "q", line=3),
        reversal("2026-05-03", "q", line=4),
        reversal("2026-05-04", "p", line=5),
        removals=[by_hand("2026-05-03", "prepaid openai 1 OAI {1 USD, 2026-05-01, openai}")],
    )
    assert messages(books) == [
        '4: event "q" is reversed already: remove this line',
        (
            '5: 10 OAI of the lot "openai" of 2026-05-01 would have to come back from "openai", '
            "who holds 9 OAI of it: reverse what used them first"
        ),
    ]
    assert shown(books, "reversal") == text("""
        2026-05-02 reversal openai
          prepaid openai -4 OAI {1 USD, 2026-05-02, openai}
          provider openai 4 USD
    """)


def test_what_can_not_be_bought() -> None:
    """Of whom nobody heard, in units that are something else, for nothing."""
    books = booked(
        purchase("2026-05-01", "openai", "10 OAI", "10 USD"),
        purchase("2026-05-02", "opena", "10 OAI", "10 USD", line=2),
        purchase("2026-05-02", "openai", "10 CU", "10 USD", line=3),
        purchase("2026-05-02", "llama", "10 OAI", "10 USD", line=4),
        purchase("2026-05-02", "openai", "10 OAI", "0.001 USD", line=5),
        purchase("2026-05-02", "openai", "10 USD", "10 EUR", line=6),
        purchase("2026-05-02", "openai", "10 OAI", "10 USD", expires="2026-05-02", line=7),
        openings=[by_hand("2026-05-03", "prepaid llama 1 OAI {1 USD, 2026-05-01, llama}", line=8)],
    )
    found = sorted(messages(books))
    assert found == [
        (
            '2: unknown provider "opena": no compute-provider, compute-meter, compute-quote or '
            'compute-capacity names it: write one; did you mean "openai"?'
        ),
        (
            '3: wrong commodity: CU is what subscribers hold: give the credits of "openai" one of '
            "their own"
        ),
        '4: OAI are credits of "openai": give those of "llama" a commodity of their own',
        "5: the payment of 0.001 USD rounds to zero: write what the credits cost",
        found[4],
        found[5],
        '8: OAI are credits of "openai": give those of "llama" a commodity of their own',
    ]
    assert "USD is a currency of this ledger" in found[4]
    assert found[5].startswith("7: ") and "2026-05-02" in found[5]


def test_too_many_digits_are_refused() -> None:
    """As of any lot: nothing is rounded."""
    fine = "{0.12345678901234 USD, 2026-05-01, openai}"
    openings = [by_hand("2026-05-01", f"prepaid openai 1234567890123456 OAI {fine}", line=1)]
    (message,) = messages(booked(openings=openings))
    assert message.startswith("1: the lots that this touches would need more than the 28 digits")


def test_a_posting_that_names_no_lot_is_told_those_there_are() -> None:
    """As it must write them: what goes out of an asset is a credit."""
    books = booked(
        purchase("2026-05-01", "openai", "10 OAI", "10 USD"),
        purchase("2026-05-01", "llama", "5 LLA", "5 USD"),
        removals=[
            by_hand("2026-05-03", "prepaid openai 11 OAI {1 USD, 2026-05-01, openai}", line=1)
        ],
    )
    assert messages(books) == [
        (
            '1: -11 OAI {1.00 USD, 2026-05-01, "openai"} is more than the lot holds; open lots '
            "in prepaid at the end of 2026-05-03, as a posting must write them: -5 LLA "
            '{1.00 USD, 2026-05-01, "llama"}, -10 OAI {1.00 USD, 2026-05-01, "openai"}'
        )
    ]


def test_credits_are_no_deferred_revenue() -> None:
    """An asset of the operator, whatever is asserted of what it owes."""
    books = booked(
        purchase("2026-05-01", "openai", "10 OAI", "10 USD"),
        top_up("2026-05-01", "alice", "10 CU", "3 USD"),
        assertions=[assertion("2026-05-02", "deferred-revenue", "3.00 USD")],
    )
    assert messages(books) == []


def test_a_provider_may_be_called_as_a_subscriber_is() -> None:
    """They hold nothing together; trying out a reversal leaves the credits alone."""
    books = booked(
        purchase("2026-05-01", "openai", "10 OAI", "10 USD", id="p"),
        subscription("2026-05-01", "openai"),
        grant("2026-05-02", "openai", "3 CU", id="g"),
        consumption("2026-05-02", "openai", "1003 CU"),
        purchase("2026-05-02", "openai", "10 OAI", "10 USD", id="q"),
        reversal("2026-05-02", "g", line=5),
    )
    assert [message[:2] for message in messages(books)] == ["5:"]
    assert {lot.pocket for lot, _ in books.lots} <= {Pocket.ALLOCATIONS}


def test_the_state_hands_credits_on() -> None:
    """Month by month is all at once; a commodity stays its provider's, though none is left."""
    events = [
        purchase("2026-05-01", "openai", "200 OAI", "200 USD", expires="2 months"),
        purchase("2026-05-02", "llama", "5 LLA", "5 USD", id="p"),
        reversal("2026-05-03", "p"),
    ]
    keeper = Bookkeeper(
        Facts(events), agreed(as_of="2026-05-31"), first_letter_up, None, [day("2026-05-31")]
    )
    list(keeper.entries())
    state = keeper.states[day("2026-05-31")]
    assert [lot_text(*each) for each in state.lots] == [
        "prepaid openai 200 OAI {1 USD, 2026-05-01, openai/2026-07-01}"
    ]
    assert state.known == [] and state.provider_of == {"LLA": "llama", "OAI": "openai"}
    later = [purchase("2026-06-02", "openai", "5 LLA", "5 USD", line=9)]
    again = Bookkeeper(Facts(later), agreed(as_of="2026-07-31"), first_letter_up, state)
    journal = list(again.entries())
    assert [str(each.date) for each in journal] == ["2026-07-01"]
    assert stock_moved(journal) == -200
    assert [refusal.message[:22] for refusal in again.refusals] == ['LLA are credits of "ll']


def test_late_credits_lie_there_from_their_booking_on() -> None:
    """They keep the end that they had: what ended meanwhile lapses at once."""
    late = {
        day("2026-07-01"): [
            purchase("2026-05-03", "openai", "10 OAI", "5 USD", expires="2026-06-15")
        ]
    }
    books = book_facts(Facts([], late=late), agreed(as_of="2026-07-31"), first_letter_up)
    assert shown(books) == text("""
        2026-07-01 purchase openai
          prepaid openai 10 OAI {0.5 USD, 2026-07-01, openai/2026-06-15}
          provider openai -5 USD
        2026-07-01 lapse openai
          prepaid openai -10 OAI {0.5 USD, 2026-07-01, openai/2026-06-15}
          lapsed openai 5 USD
    """)


@pytest.mark.parametrize("name", ["openai", "anthropic", "llama"])
def test_any_term_makes_a_provider_known(name: str) -> None:
    """Its own line, a meter that it serves, a quote."""
    assert name in agreed().known_providers
    assert len(agreed().known_providers) == 3


def test_what_credits_cost_beyond_those_held_is_money() -> None:
    """`beyond: 1 OAI` says nothing of a price; the error names that line."""
    odd = Provider("openai", START, Money(Decimal(1), "OAI"), at(7))
    terms_ = agreed()._replace(providers={"openai": Timeline([(START, odd)])})
    (message,) = messages(book([purchase("2026-05-01", "openai", "5 OAI", "4 USD")], terms_))
    assert (
        "asks for credits beyond those held, so money (books:7): write `beyond` in money" in message
    )
