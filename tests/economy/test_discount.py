"""Discounts: what each period of a plan costs less, before its price is split (606-10-32-36)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from beancount_compute.economy.inputs import Again, Facts
from beancount_compute.economy.journal import MoneyLeg
from beancount_compute.economy.scales import Scale, with_scales
from beancount_compute.economy.term_values import ScaleTarget
from tests.economy.building import (
    Books,
    book,
    book_facts,
    bundle,
    cancellation,
    consumption,
    day,
    deferred,
    first_letter_up,
    lots_shown,
    messages,
    number,
    one_period,
    plan,
    reversal,
    seat,
    shown,
    subscription,
    terms,
    text,
)


def paid(books: Books) -> list[str]:
    """What each period was billed, by day."""
    return [
        f"{each.date} {number(leg.number)} {leg.currency}"
        for each in books.journal
        if each.kind == "allocation"
        for leg in each.legs
        if isinstance(leg, MoneyLeg)
    ]


def test_each_period_costs_less() -> None:
    """200.00 less 30.00 for 1000 CU is 0.17 each, in every period; bob pays the whole price."""
    events = [
        subscription("2026-05-01", "alice", discount="30 USD"),
        subscription("2026-05-01", "bob"),
        consumption("2026-06-02", "alice", "100 CU"),
    ]
    books = book(events, terms(plan(unused="mint")))
    assert paid(books) == [
        "2026-05-01 170 USD",
        "2026-05-01 200 USD",
        "2026-06-01 170 USD",
        "2026-06-01 200 USD",
    ]
    assert lots_shown(books)[0] == "allocations alice 900 CU {0.17 USD, 2026-06-01, pro/2026-07-01}"
    assert shown(books, "consumption") == text("""
        2026-06-02 consumption alice
          allocations alice 100 CU {0.17 USD, 2026-06-01, pro/2026-07-01}
          revenue alice pro -17 USD
    """)


def test_it_falls_on_both_parts_of_a_bundle() -> None:
    """200.00 less 50.00: of 150.00 access gets 150/250, the units the rest, 0.06 each."""
    offer = bundle("200 USD", "1000 CU", "150 USD", "100 USD")
    books = book([one_period("2026-05-01", "alice", discount="50 USD")], terms(offer))
    assert shown(books, "allocation") == text("""
        2026-05-01 allocation alice
          receivable alice pro 150 USD
          access alice -90 ACCESS-USD {1 USD, 2026-05-01, pro/2026-06-01}
          allocations alice -1000 CU {0.06 USD, 2026-05-01, pro/2026-06-01}
    """)


def test_access_alone() -> None:
    """90.00 less 30.00 for a month of 31 days, all of it earned."""
    event = one_period("2026-05-01", "alice", "seat", discount="30 USD")
    books = book([event], terms(seat(), as_of="2026-05-31"))
    assert paid(books) == ["2026-05-01 60 USD"]
    assert deferred(books) == "0"


def test_all_of_the_price() -> None:
    """Units that cost nothing lapse for nothing; of access alone nothing is booked at all."""
    events = [
        subscription("2026-05-01", "alice", discount="200 USD"),
        subscription("2026-05-01", "bob", "seat", discount="90 USD"),
        one_period("2026-05-01", "carol", "seat", discount="90 USD", line=3),
    ]
    books = book(events, terms(plan(), seat()))
    assert shown(books, "allocation") == text("""
        2026-05-01 allocation alice
          allocations alice -1000 CU {0 USD, 2026-05-01, pro/2026-06-01}
    """)
    assert messages(books) == [
        (
            '3: a discount of all that plan "seat" costs: a period of access alone that costs '
            "nothing books nothing"
        )
    ]


def test_a_price_that_falls_below_it_is_zero() -> None:
    """200.00, 25.00 and 40.00 a period, less 30.00."""
    later = [
        plan(),
        plan(price="25 USD", since="2026-06-01"),
        plan(price="40 USD", since="2026-07-01"),
    ]
    events = [subscription("2026-05-01", "alice", discount="30 USD")]
    books = book(events, terms(*later, as_of="2026-07-01"))
    assert paid(books) == ["2026-05-01 170 USD", "2026-07-01 10 USD"]
    assert shown(books, "allocation").count("allocation alice") == 3
    assert messages(books) == []
    assert lots_shown(books) == ["allocations alice 1000 CU {0.01 USD, 2026-07-01, pro/2026-08-01}"]


def test_one_that_started_earlier_may_be_above_the_price() -> None:
    """It was not when that subscription began; a new one is refused."""
    events = [
        subscription("2026-05-01", "alice", started="2026-04-01", discount="300 USD"),
        subscription("2026-05-01", "bob", started="2026-05-01", discount="300 USD", line=2),
    ]
    books = book(events, terms(plan()))
    assert shown(books, "allocation").count("0 USD, 2026-05-01") == 1
    assert messages(books) == [
        '2: a discount of 300 USD is above the price of plan "pro", 200 USD: write at most that'
    ]


def test_it_ends_where_the_price_is_in_another_currency() -> None:
    """That is said once; what comes later costs the whole price, in dollars again too."""
    later = [
        plan(),
        plan(price="100 EUR", since="2026-06-01"),
        plan(price="50 USD", since="2026-08-01"),
    ]
    events = [subscription("2026-05-01", "alice", discount="30 USD", line=4)]
    books = book(events, terms(*later, as_of="2026-08-01"))
    assert paid(books) == [
        "2026-05-01 170 USD",
        "2026-06-01 100 EUR",
        "2026-07-01 100 EUR",
        "2026-08-01 50 USD",
    ]
    assert messages(books) == [
        (
            '4: wrong currency: the discount of 30 USD ends where the price of plan "pro" is in '
            "EUR, from 2026-06-01 on: cancel, and subscribe with a discount in EUR"
        )
    ]


@pytest.mark.parametrize(
    ("discount", "message"),
    [
        ("30 EUR", 'on plan "pro", whose price is in USD: write it in USD'),
        ("0.001 USD", "is finer than USD is paid in: round it"),
        ("200.01 USD", 'is above the price of plan "pro", 200 USD: write at most that'),
    ],
)
def test_what_is_refused(discount: str, message: str) -> None:
    events = [
        subscription("2026-05-01", "alice", discount=discount),
        one_period("2026-05-01", "bob", discount=discount),
    ]
    books = book(events, terms(plan()))
    assert [each.message.endswith(message) for each in books.refusals] == [True, True]
    assert books.journal == []


def test_a_scenario_may_ask_less_than_the_discount() -> None:
    """Under its terms the period costs nothing, where a ledger's own line would be an error."""
    facts = Facts([one_period("2026-05-01", "alice", discount="30 USD")], again=Again())
    books = book_facts(facts, terms(plan(price="20 USD")), first_letter_up)
    assert lots_shown(books) == ["allocations alice 1000 CU {0 USD, 2026-05-01, pro/2026-06-01}"]
    assert messages(books) == []


def test_two_of_one_plan_and_day_stay_apart() -> None:
    """One reversal takes back what was paid for it, of its own lot."""
    events = [
        one_period("2026-05-01", "alice", discount="30 USD", id="less"),
        one_period("2026-05-01", "alice", id="whole"),
        reversal("2026-05-02", "less"),
    ]
    books = book(events, terms(plan()))
    assert shown(books, "reversal") == text("""
        2026-05-02 reversal alice
          receivable alice pro -170 USD
          allocations alice 1000 CU {0.17 USD, 2026-05-01, pro/2026-06-01}
    """)
    assert lots_shown(books) == ["allocations alice 1000 CU {0.2 USD, 2026-05-01, pro/2026-06-01}"]


def test_who_comes_back_needs_a_discount_of_its_own() -> None:
    """It belongs to the subscription, not to the subscriber."""
    events = [
        subscription("2026-05-01", "alice", discount="30 USD"),
        cancellation("2026-05-20", "alice"),
        subscription("2026-06-01", "alice"),
    ]
    assert paid(book(events, terms(plan()))) == ["2026-05-01 170 USD", "2026-06-01 200 USD"]


def test_a_scaled_price_has_a_scaled_discount() -> None:
    """Half of 200.00, less half of 30.00; so it is never above the price."""
    half = Scale(day("2026-06-01"), ScaleTarget.PLAN_PRICE, "", Decimal("0.5"))
    events = [subscription("2026-05-01", "alice", discount="30 USD")]
    books = book(events, with_scales(terms(plan(), as_of="2026-06-01"), [half]))
    assert paid(books) == ["2026-05-01 170 USD", "2026-06-01 85 USD"]
