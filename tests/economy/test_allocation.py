"""Allocations, top-ups and grants: units come in, and what was paid for them is deferred."""

from __future__ import annotations

from decimal import Decimal

import pytest

from beancount_compute.economy.events import NOWHERE
from beancount_compute.economy.refusals import Refusal
from beancount_compute.economy.terms import PlanLine
from tests.economy.building import (
    at,
    book,
    by_hand,
    cause,
    consumption,
    deferred,
    grant,
    introduction,
    lots_shown,
    messages,
    one_period,
    plan,
    shown,
    subscription,
    terms,
    text,
    top_up,
)


def test_a_period_is_billed_and_deferred() -> None:
    """200.00 / 1000 = 0.20 each, in the pocket allocations, to the end of the period."""
    books = book([one_period("2026-05-01", "alice", id="may", line=7)], terms(plan()))
    assert shown(books) == text("""
        2026-05-01 allocation alice
          receivable alice pro 200 USD
          allocations alice -1000 CU {0.2 USD, 2026-05-01, pro/2026-06-01}
    """)
    (entry,) = books.journal
    assert entry.narration == "Allocation pro 2026-05-01/2026-05-31"
    assert cause(entry) == ("may", at(7), "")


def test_a_plan_may_sell_several_things_for_parts_of_its_price() -> None:
    """120.00 for 100 CU at 1.20 and 30.00 for 10 GPU at 3.00: one bill of 150.00, two lots."""
    lines = (PlanLine(Decimal(120), Decimal(100), "CU"), PlanLine(Decimal(30), Decimal(10), "GPU"))
    agreed = terms(plan()._replace(lines=lines))
    books = book([one_period("2026-05-01", "alice")], agreed)
    assert shown(books) == text("""
        2026-05-01 allocation alice
          receivable alice pro 150 USD
          allocations alice -100 CU {1.2 USD, 2026-05-01, pro/2026-06-01}
          allocations alice -10 GPU {3 USD, 2026-05-01, pro/2026-06-01}
    """)
    used = [consumption("2026-05-02", "alice", "5 GPU"), consumption("2026-05-02", "alice", "5 CU")]
    books = book([one_period("2026-05-01", "alice"), *used], agreed)
    assert deferred(books) == "129"  # 150 - 15 - 6


def test_a_price_is_rounded_to_what_can_be_paid() -> None:
    """A plan of 0.005 USD is billed 0.00 (half-even), 0.015 is 0.02; 0.02 / 4 = 0.005."""
    nothing = book([one_period("2026-05-01", "a")], terms(plan(price="0.005 USD", units="4 CU")))
    assert shown(nothing) == text("""
        2026-05-01 allocation a
          allocations a -4 CU {0 USD, 2026-05-01, pro/2026-06-01}
    """)
    cents = book([one_period("2026-05-01", "a")], terms(plan(price="0.015 USD", units="4 CU")))
    assert shown(cents) == text("""
        2026-05-01 allocation a
          receivable a pro 0.02 USD
          allocations a -4 CU {0.005 USD, 2026-05-01, pro/2026-06-01}
    """)


def test_a_price_that_does_not_divide_is_two_lots_of_one_period() -> None:
    """19.99 / 7777 = 0.00257039989...; the units are below 10,000, so the step is 0.000001.

    7777 x 0.002570 = 19.98689; left 0.00311 = 3110 steps: 4667 x 0.002570 + 3110 x 0.002571
    = 11.99419 + 7.99581 = 19.99.
    """
    agreed = terms(plan(price="19.99 USD", units="7777 CU"))
    books = book([one_period("2026-05-01", "alice")], agreed)
    assert lots_shown(books) == [
        "allocations alice 3110 CU {0.002571 USD, 2026-05-01, pro/2026-06-01}",
        "allocations alice 4667 CU {0.00257 USD, 2026-05-01, pro/2026-06-01}",
    ]
    assert deferred(books) == "19.99"


@pytest.mark.parametrize(
    ("unused", "more", "label"),
    [
        ("expire", {"expires": "3 months"}, "pro/2026-06-01"),
        ("mint", {"token_expires": "12 months"}, "pro/2026-06-01"),
        ("rollover", {"expires": "3 months"}, "pro/2026-08-01"),
        ("rollover", {}, "pro"),
    ],
)
def test_a_lot_ends_with_its_period_or_with_its_life(
    unused: str, more: dict[str, str], label: str
) -> None:
    """A plan that expires or mints: the period's end; one that rolls over: the life's, if any."""
    agreed = terms(plan(unused=unused, **more))
    books = book([one_period("2026-05-01", "alice")], agreed)
    (found, _), *none = books.lots
    assert (found.label, none) == (label, [])


def test_a_free_plan_bills_nothing() -> None:
    """A plan may cost nothing (free tier): a lot at zero, no receivable."""
    books = book([one_period("2026-05-01", "alice")], terms(plan(price="0 USD")))
    assert shown(books) == text("""
        2026-05-01 allocation alice
          allocations alice -1000 CU {0 USD, 2026-05-01, pro/2026-06-01}
    """)


def test_a_top_up_goes_to_tokens_and_ends_only_if_it_says_so() -> None:
    """500 CU for 100.00 USD at 0.20 each; 12 months from 31 January 2026."""
    books = book(
        [
            top_up("2026-01-31", "alice", "500 CU", "100 USD", id="t", line=3),
            top_up("2026-01-31", "bob", "1 CU", "1 USD", expires="1 month"),
            top_up("2026-01-31", "carol", "1 CU", "1 USD", expires="2026-02-01"),
        ]
    )
    assert shown(books) == text("""
        2026-01-31 allocation alice
          receivable alice top-up 100 USD
          tokens alice -500 CU {0.2 USD, 2026-01-31, top-up}
        2026-01-31 allocation bob
          receivable bob top-up 1 USD
          tokens bob -1 CU {1 USD, 2026-01-31, top-up/2026-02-28}
        2026-01-31 allocation carol
          receivable carol top-up 1 USD
          tokens carol -1 CU {1 USD, 2026-01-31, top-up/2026-02-01}
    """)
    assert cause(books.journal[0]) == ("t", at(3), "")


def test_a_payment_that_rounds_to_zero_is_refused() -> None:
    """0.005 USD is 0.00 half-even: money that nobody can pay."""
    books = book([top_up("2026-05-01", "alice", "1 CU", "0.005 USD", line=4)])
    assert books.journal == []
    (refusal,) = books.refusals
    assert refusal.place == at(4)
    assert "the payment of 0.005 USD rounds to zero" in refusal.message


@pytest.mark.parametrize("expires", ["2026-05-01", "2026-04-30", "0001-01-01"])
def test_units_that_end_on_their_first_day_are_refused(expires: str) -> None:
    """`expires` is the first day on which they are no longer usable: none would ever be."""
    books = book([top_up("2026-05-01", "alice", "1 CU", "1 USD", expires=expires)])
    assert books.journal == []
    (message,) = messages(books)
    assert f"expires {expires} is not after 2026-05-01" in message


def test_a_cost_step_under_which_part_would_cost_nothing_is_refused() -> None:
    """1.00 over 20000 units is 0.00005 each, below a step of 0.0001; 2.00 is just 0.0001 each."""
    agreed = terms(cost_step="0.0001")
    books = book(
        [
            top_up("2026-05-01", "alice", "20000 CU", "1 USD", line=1),
            top_up("2026-05-02", "alice", "20000 CU", "2 USD", line=2),
        ],
        agreed,
    )
    (message,) = messages(books)
    assert message.startswith("1: 1 USD for 20000")
    assert "the cost-step 0.0001 per unit" in message
    assert lots_shown(books) == ["tokens alice 20000 CU {0.0001 USD, 2026-05-02, top-up}"]


def test_figures_of_too_many_digits_are_refused_and_the_rest_stands() -> None:
    """98765432109876 USD over 12345.678901234 CU cost 8 thousand million each.

    The step is 1E-7 (0.01 over 12345 units), so a unit cost has 10 + 7 digits; times units of 14
    digits it would have 31.
    """
    books = book(
        [
            top_up("2026-05-01", "alice", "12345.678901234 CU", "98765432109876 USD", line=1),
            top_up("2026-05-01", "bob", "1 CU", "1 USD", line=2),
        ]
    )
    (message,) = messages(books)
    assert message.startswith("1: ")
    assert "28 digits" in message
    assert lots_shown(books) == ["tokens bob 1 CU {1 USD, 2026-05-01, top-up}"]


def test_a_grant_costs_nothing_and_goes_to_allocations() -> None:
    """A lot at {0 USD, date}, in the first operating currency; no receivable."""
    books = book(
        [
            grant("2026-05-01", "alice", "100 CU", id="g", line=5),
            grant("2026-05-02", "alice", "50 CU", expires="10 days"),
        ]
    )
    assert shown(books) == text("""
        2026-05-01 grant alice
          allocations alice -100 CU {0 USD, 2026-05-01, grant}
        2026-05-02 grant alice
          allocations alice -50 CU {0 USD, 2026-05-02, grant/2026-05-12}
    """)
    assert cause(books.journal[0]) == ("g", at(5), "")


def test_a_grant_needs_an_operating_currency_that_is_no_unit() -> None:
    """Without one there is no zero to write; one that is the unit itself would be a wrong one."""
    (message,) = messages(book([grant("2026-05-01", "alice", "1 CU")], terms(grant_currency=None)))
    assert 'add option "operating_currency" "USD"' in message
    (message,) = messages(book([grant("2026-05-01", "alice", "1 CU")], terms(grant_currency="CU")))
    assert "wrong commodity: CU is a currency of this ledger" in message


def test_money_and_units_that_are_swapped_are_refused() -> None:
    """20 USD "units" for 3000 CU of "money" are no top-up, nor is a price in units a price."""
    agreed = terms(plan())._replace(money=frozenset({"USD", "EUR"}), units=frozenset({"CU"}))
    swapped = top_up("2026-05-01", "alice", "20 EUR", "3000 CU")
    (message,) = messages(book([swapped], agreed))
    assert "wrong commodity: EUR is a currency of this ledger" in message
    in_units = top_up("2026-05-01", "alice", "20 GPU", "3000 CU")
    (message,) = messages(book([in_units], agreed))
    assert "wrong currency: CU is a unit of compute in this ledger" in message


def test_an_allocation_of_an_unknown_plan_is_refused_and_makes_nobody_known() -> None:
    """A plan is unknown before its first line; a refused allocation introduces no subscriber."""
    books = book(
        [
            one_period("2026-01-31", "alice", line=1),
            consumption("2026-02-01", "alice", "1 CU", line=2),
        ],
        terms(plan(since="2026-02-01")),
    )
    first, second = messages(books)
    assert first == (
        '1: unknown plan "pro": no compute-plan of that name on or before 2026-01-31: '
        "write one, or check the name"
    )
    assert second.startswith('2: unknown subscriber "alice"')


def test_nothing_is_booked_of_a_plan_whose_line_is_an_error() -> None:
    """The plan's own line says so, once; the subscriber is known all the same."""
    broken = plan()._replace(bookable=False)
    books = book(
        [
            subscription("2026-05-01", "alice"),
            one_period("2026-05-01", "bob"),
            consumption("2026-07-01", "bob", "1 CU", line=9),
        ],
        terms(broken),
    )
    assert books.journal == []
    (message,) = messages(books)
    assert message.startswith('9: "bob" uses 1 CU and holds 0 CU')


def same_component(name: str) -> str:
    return name[0].upper() + name[1:].lower()


@pytest.mark.parametrize(
    "second",
    [
        top_up("2026-05-02", "Alice", "1 CU", "1 USD", line=2),
        grant("2026-05-02", "Alice", "1 CU", line=2),
        one_period("2026-05-02", "Alice", line=2),
        subscription("2026-05-02", "Alice", line=2),
    ],
)
def test_a_name_that_meets_another_in_one_component_is_refused(second: object) -> None:
    """The error is that of the one that becomes known later, and says what to write."""
    first = top_up("2026-05-01", "alice", "1 CU", "1 USD", line=1)
    books = book([second, first], terms(plan()), component=same_component)
    (message,) = messages(books)
    assert message == (
        '2: subscriber "Alice" would have the account component Alice of "alice": give one of '
        'them another with custom "compute-subscriber" "Alice" "..."'
    )
    assert len(books.journal) == 1


def test_openings_and_introductions_meet_in_components_too() -> None:
    """A `compute-subscriber` or an opening lot of a name whose component is taken is refused."""
    books = book(
        [grant("2026-05-01", "alice", "1 CU")],
        component=same_component,
        introductions=[introduction("2026-05-02", "ALICE", 1)],
        openings=[by_hand("2026-05-03", "tokens aLICE 5 CU {1 USD, 2026-05-01, top-up}", 2)],
    )
    assert [message[:24] for message in messages(books)] == [
        '1: subscriber "ALICE" wo',
        '2: subscriber "aLICE" wo',
    ]
    assert len(books.lots) == 1


def test_a_second_allocation_of_the_same_day_melts_into_the_first() -> None:
    """One lot is one origin, cost, date and end: two top-ups of a day at one cost are one lot."""
    books = book(
        [
            top_up("2026-05-01", "alice", "5 CU", "1 USD", id="a"),
            top_up("2026-05-01", "alice", "10 CU", "2 USD", id="b"),
        ]
    )
    assert lots_shown(books) == ["tokens alice 15 CU {0.2 USD, 2026-05-01, top-up}"]


def test_an_allocation_that_would_melt_into_too_many_digits_is_refused() -> None:
    """99999999999999 CU for 37 trillion cents a unit ... and 0.00000000000001 CU more: 28 digits.

    The first costs 0.37 each (99999999999999 x 0.37 = 36999999999999.63); the second, 1E-14 units
    for 0.01 USD, costs 1E12 each, another lot; at a cost of 0.37 it would be 3.7E-15 USD, which
    can't be paid. So a grant shows it: 99999999999999 + 1E-14 units at zero cost have 28 digits
    (kept), one more digit would not.
    """
    most, least = "99999999999999 CU", "0.00000000000001 CU"
    kept = book([grant("2026-05-01", "a", most, id="1"), grant("2026-05-01", "a", least, id="2")])
    ((_, units),) = kept.lots
    assert units == Decimal("99999999999999.00000000000001")
    least = "0.000000000000001 CU"
    books = book(
        [
            grant("2026-05-01", "a", most, id="1", line=1),
            grant("2026-05-01", "a", least, id="2", line=2),
        ]
    )
    (message,) = messages(books)
    assert message.startswith("1: ")  # 1E-15 units sort before 99999999999999
    assert "28 digits" in message


def test_derived_periods_carry_their_cause_and_no_line() -> None:
    """Later periods come from the subscription: `source` says so, their place is nowhere."""
    books = book(
        [
            subscription("2026-05-01", "alice", id="s", line=3),
            consumption("2026-06-01", "alice", "1 CU"),
        ],
        terms(plan()),
    )
    first, second = [each for each in books.journal if each.kind == "allocation"]
    assert cause(first) == ("s/2026-05-01", at(3), "")
    assert cause(second) == ("s/2026-06-01", NOWHERE, "subscription s")


def test_refusals_are_plain_facts() -> None:
    """A refusal is a place and a message, comparable and frozen; a flaw says its own."""
    books = book([grant("2026-05-01", "alice", "1 CU", line=8, flaw="no such thing")])
    assert books.refusals == [Refusal(at(8), "no such thing")]
    assert books.journal == []
