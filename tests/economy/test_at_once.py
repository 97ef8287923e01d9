"""Cancellations at once: the running period ends tomorrow."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from beancount_compute.economy import LotLeg
from beancount_compute.economy.term_values import AccessBy, BilledBy, Money
from beancount_compute.economy.terms import Plan
from tests.economy.building import (
    Books,
    book,
    bundle,
    by_hand,
    cancellation,
    change,
    consumption,
    day,
    deferred,
    income,
    lots_shown,
    messages,
    one_period,
    pair,
    plan,
    refused_lines,
    reversal,
    seat,
    shown,
    subscription,
    terms,
    text,
)

PRO = bundle("200 USD", "1000 CU", "150 USD", "100 USD", unused="mint", token_expires="12 months")
ALICE = subscription("2026-05-16", "alice", id="s")
NOW = cancellation("2026-05-20", "alice", now="true", id="c")


def ends(books: Books) -> list[str]:
    """What was booked besides allocations and uses, by day."""
    kinds = ("cancellation", "access", "expiry", "mint", "shortfall", "invoice")
    return [f"{each.date} {each.kind}" for each in books.journal if each.kind in kinds]


def test_access_is_earned_through_today_and_its_rest_is_breakage() -> None:
    """120.00 for 31 days: 5 of them are 19.35; of 1000 CU 100 are used and the rest is minted."""
    events = [ALICE, NOW, consumption("2026-05-20", "alice", "100 CU")]
    books = book(events, terms(PRO, as_of="2026-05-21"))
    assert shown(books, "cancellation", "access", "expiry", "mint") == text("""
        2026-05-20 cancellation alice
          allocations alice 900 CU {0.08 USD, 2026-05-16, pro/2026-06-16}
          allocations alice -900 CU {0.08 USD, 2026-05-16, pro/2026-05-21}
        2026-05-20 access alice
          access alice 19.35 ACCESS-USD {1 USD, 2026-05-16, pro/2026-06-16}
          access-revenue alice pro -19.35 USD
        2026-05-20 expiry alice
          access alice 100.65 ACCESS-USD {1 USD, 2026-05-16, pro/2026-06-16}
          breakage alice pro -100.65 USD
        2026-05-21 mint alice
          allocations alice 900 CU {0.08 USD, 2026-05-16, pro/2026-05-21}
          tokens alice -900 CU {0.08 USD, 2026-05-16, pro/2027-05-21}
    """)
    (note,) = [each for each in books.journal if each.kind == "cancellation"]
    assert (note.id, note.period, note.subscription) == ("c", "2026-05-16/2026-05-20", "s")


def test_the_evening_stands_whatever_comes_later() -> None:
    """The cancellation is the last event: its own evening is booked, tomorrow is not."""
    books = book([ALICE, NOW], terms(PRO))
    assert books.as_of == day("2026-05-20")
    assert ends(books) == ["2026-05-20 cancellation", "2026-05-20 access", "2026-05-20 expiry"]
    assert deferred(books) == "80"


@pytest.mark.parametrize("unused", ["expire", "rollover"])
def test_units_lapse_where_they_are_not_minted(unused: str) -> None:
    """Also those that would have rolled over; those of an earlier period stay."""
    offer = plan(unused=unused, expires="6 months")
    events = [
        subscription("2026-04-16", "alice"),
        cancellation("2026-05-20", "alice", now="true"),
    ]
    books = book(events, terms(offer, as_of="2026-05-21"))
    assert income(books, "breakage") == ("400" if unused == "expire" else "200")
    earlier = ["allocations alice 1000 CU {0.2 USD, 2026-04-16, pro/2026-10-16}"]
    assert lots_shown(books) == (earlier if unused == "rollover" else [])


def test_use_of_today_stands_and_none_comes_after_it() -> None:
    """Overage too: of tomorrow there is no subscription any more."""
    offer = plan(overage="0.30 USD")
    events = [
        ALICE,
        NOW,
        consumption("2026-05-20", "alice", "1100 CU"),
        consumption("2026-05-21", "alice", "1 CU", line=4),
    ]
    books = book(events, terms(offer))
    assert income(books, "overage") == "30"
    assert refused_lines(books) == [4]


def test_even_months_are_earned_whole() -> None:
    """90.00 for 3 months from 16 May: of 30.00 for the first nothing is earned on 20 May, all of
    it on 31 May, and of the second on 15 June still the first alone."""
    offer = seat(every="3 months", access_by=AccessBy.EVEN_MONTH)
    found = []
    for on in ("2026-05-20", "2026-05-31", "2026-06-15"):
        events = [
            subscription("2026-05-16", "alice", "seat"),
            cancellation(on, "alice", "seat", now="true"),
        ]
        books = book(events, terms(offer))
        found.append((income(books, "access-revenue"), income(books, "breakage")))
    assert found == [("0", "90"), ("30", "60"), ("30", "60")]


def test_where_a_period_would_begin_today_it_is_an_ordinary_cancellation() -> None:
    """That period is not booked, and what the one before it gave rolls over."""
    offer = plan(unused="rollover")
    books = book([ALICE, cancellation("2026-06-16", "alice", now="true")], terms(offer))
    assert (ends(books), deferred(books)) == ([], "200")


def test_on_the_last_day_of_a_period_units_end_as_on_any_other() -> None:
    """They don't roll over; access is earned, and a shortfall and an invoice are booked, once."""
    offer = bundle("200 USD", "1000 CU", "150 USD", "100 USD", unused="rollover")._replace(
        overage=Money(Decimal("0.02"), "USD"),
        minimum=Money(Decimal(31), "USD"),
        bill=BilledBy.MONTH,
    )
    events = [ALICE, cancellation("2026-06-15", "alice", now="true")]
    books = book(events, terms(offer, as_of="2026-06-30"))
    assert ends(books) == [
        "2026-05-31 access",
        "2026-06-15 cancellation",
        "2026-06-15 access",
        "2026-06-15 shortfall",
        "2026-06-16 expiry",
        "2026-06-16 invoice",
    ]
    assert income(books, "breakage") == "111"  # 80.00 for the units, 31.00 of the minimum


def test_who_comes_back_may_do_so_tomorrow() -> None:
    """Today the old period still runs."""
    events = [
        ALICE,
        NOW,
        subscription("2026-05-20", "alice", line=3),
        subscription("2026-05-21", "alice"),
    ]
    books = book(events, terms(PRO))
    assert messages(books) == [
        (
            '3: "alice" already has a subscription to "pro", from 2026-05-16 until 2026-05-21: '
            "date the new one 2026-05-21 or later"
        )
    ]
    assert shown(books, "allocation").count("allocation alice") == 2


def test_it_is_reversed_on_its_own_day_only() -> None:
    """Then nothing of it was ever booked, and it may be cancelled again."""
    same = book([ALICE, NOW, reversal("2026-05-20", "c")], terms(PRO, as_of="2026-06-16"))
    assert ends(same) == ["2026-05-31 access", "2026-06-15 access", "2026-06-16 mint"]
    again = cancellation("2026-05-20", "alice", now="true", id="d")
    twice = book([ALICE, NOW, reversal("2026-05-20", "c"), again], terms(PRO))
    assert ends(twice) == ["2026-05-20 cancellation", "2026-05-20 access", "2026-05-20 expiry"]
    later = book([ALICE, NOW, reversal("2026-05-21", "c", line=9)], terms(PRO))
    assert messages(later) == [
        '9: the subscription that "c" cancelled ended on 2026-05-21: write a new one'
    ]


def test_units_that_come_back_later_meet_the_same_end() -> None:
    """All were used: what a reversal gives back on 25 May is minted at once, for as long."""
    events = [
        ALICE,
        consumption("2026-05-18", "alice", "1000 CU", id="u"),
        NOW,
        reversal("2026-05-25", "u"),
    ]
    books = book(events, terms(PRO))
    assert lots_shown(books) == ["tokens alice 1000 CU {0.08 USD, 2026-05-16, pro/2027-05-21}"]


def test_what_comes_back_on_that_day_stays_another_allocation_s() -> None:
    """Two of 1000 CU, all used, and the use is reversed before the evening: one of both ends."""
    other = one_period("2026-05-16", "alice", id="a")
    use = consumption("2026-05-17", "alice", "2000 CU", id="u")
    events = [ALICE, other, use, NOW, reversal("2026-05-20", "u")]
    books = book(events, terms(plan(unused="expire"), as_of="2026-06-16"))
    assert [
        (str(each.date), leg.lot.label, int(leg.units))
        for each in books.journal
        if each.kind in ("cancellation", "expiry")
        for leg in each.legs
        if isinstance(leg, LotLeg)
    ] == [
        ("2026-05-20", "pro/2026-06-16", 1000),
        ("2026-05-20", "pro/2026-05-21", -1000),
        ("2026-05-21", "pro/2026-05-21", 1000),
        ("2026-06-16", "pro/2026-06-16", 1000),
    ]


def test_a_period_that_is_reversed_on_that_day_leaves_nothing_to_end() -> None:
    """The reversal stands before the evening."""
    books = book([ALICE, NOW, reversal("2026-05-20", "s/2026-05-16")], terms(PRO))
    assert ends(books) == ["2026-05-20 cancellation"]
    assert deferred(books) == "0"


def test_what_was_minted_of_a_period_that_ended_at_once_can_t_be_reversed() -> None:
    """The message names the day on which it ended."""
    books = book([ALICE, NOW, reversal("2026-05-22", "s/2026-05-16")], terms(PRO))
    (message,) = messages(books)
    assert "what nobody used of it met its end on 2026-05-21" in message


def test_opening_lots_of_a_period_that_ran_before_the_books_end_too() -> None:
    """They are of its plan, and end with it."""
    lot = "allocations alice 300 CU {0.2 USD, 2026-04-20, pro/2026-05-16}"
    events = [
        subscription("2026-05-01", "alice", started="2026-04-16"),
        cancellation("2026-05-10", "alice", now="true"),
    ]
    agreed = terms(plan(), as_of="2026-05-11")
    books = book(events, agreed, openings=[by_hand("2026-04-30", lot)])
    assert income(books, "breakage") == "60"


def metered(**more: Any) -> Plan:
    offer = plan("payg", "0 USD", "0 CU", overage="0.02 USD")
    return offer._replace(**{"minimum": Money(*pair("31 USD")), **more})


def test_a_minimum_counts_by_days_and_the_invoice_is_tomorrow_s() -> None:
    """31.00 for 31 days: 5 of them are 5.00, of which 2.00 were used; 5.00 are invoiced."""
    events = [
        subscription("2026-05-16", "alice", "payg"),
        consumption("2026-05-20", "alice", "100 CU"),
        cancellation("2026-05-20", "alice", "payg", now="true"),
    ]
    books = book(events, terms(metered(bill=BilledBy.PERIOD), as_of="2026-06-20"))
    assert shown(books, "shortfall", "invoice") == text("""
        2026-05-20 shortfall alice
          unbilled alice payg 3 USD
          breakage alice payg -3 USD
        2026-05-21 invoice alice
          receivable alice payg 5 USD
          unbilled alice payg -5 USD
    """)


def test_a_minimum_that_a_change_began_counts_by_the_days_of_the_whole_period() -> None:
    """Of 77.77 for 30 days 14 are 36.29; of the 20 that the change left, 51.85, they were 36.30."""
    plans = metered(), metered(minimum=Money(*pair("77.77 USD")))._replace(name="commit")
    events = [
        subscription("2026-04-27", "alice", "payg"),
        change("2026-05-07", "alice", "payg", "commit"),
        cancellation("2026-05-20", "alice", "commit", now="true"),
    ]
    books = book(events, terms(*plans, as_of="2026-05-20"))
    assert shown(books, "shortfall") == text("""
        2026-05-20 shortfall alice
          receivable alice commit 36.29 USD
          breakage alice commit -36.29 USD
    """)


def test_a_minimum_that_is_not_billed_in_arrears() -> None:
    """The shortfall is owed at once; a subscription without one has none."""
    events = [
        subscription("2026-05-16", "alice", "payg"),
        cancellation("2026-05-20", "alice", "payg", now="true"),
    ]
    books = book(events, terms(metered(), as_of="2026-06-20"))
    assert income(books, "breakage") == "5"
    assert ends(books) == ["2026-05-20 cancellation", "2026-05-20 shortfall"]


def test_two_in_one_evening_stand_by_name() -> None:
    """Whatever the order in which they were written."""
    events = [
        subscription("2026-05-16", "zoe"),
        cancellation("2026-05-20", "zoe", now="true"),
        ALICE,
        NOW,
    ]
    books = book(events, terms(PRO))
    names = [each.subscriber for each in books.journal if each.kind == "cancellation"]
    assert names == ["alice", "zoe"]


def test_a_cent_that_was_earned_already_leaves_no_breakage() -> None:
    """0.01 x 20 / 31, rounded, is all of it."""
    events = [
        subscription("2026-05-01", "alice", "seat"),
        cancellation("2026-05-20", "alice", "seat", now="true"),
    ]
    books = book(events, terms(seat("0.01 USD")))
    assert ends(books) == ["2026-05-20 cancellation", "2026-05-20 access"]
