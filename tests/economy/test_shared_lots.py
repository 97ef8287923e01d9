"""Periods that end before their time, and others that share their lots: each has its own part."""

from __future__ import annotations

import pytest

from beancount_compute.economy.carried import Carried
from beancount_compute.economy.engine import Bookkeeper
from beancount_compute.economy.events import Event
from beancount_compute.economy.inputs import Facts
from beancount_compute.economy.money_back import MoneyBack
from beancount_compute.economy.term_values import AccessBy
from beancount_compute.economy.terms import Plan
from tests.economy.building import (
    book,
    bundle,
    by_hand,
    cancellation,
    change,
    chargeback,
    consumption,
    day,
    entry_text,
    first_letter_up,
    income,
    lot,
    lots_shown,
    messages,
    money_refund,
    one_period,
    plan,
    refund,
    reversal,
    seat,
    shown,
    subscription,
    terms,
    text,
    top_up,
)

SEAT = seat("90 USD")
PLUS = seat("120 USD", "plus")
PRO = plan("pro", "200 USD", "1000 CU")
MAX = plan("max", "500 USD", "3000 CU")
KINDS = ("cancellation", "change", "access", "expiry", "mint")


def two(plan: str, *events: Event, on: str = "2026-06-01", **more: str) -> list[Event]:
    """A subscription and a single period of one plan, bought on one day, and what comes after."""
    single = one_period(on, "alice", plan, id="b", line=1, **more)
    return [subscription(on, "alice", plan, id="a"), single, *events]


def now(on: str, plan: str = "pro", **more: str) -> Event:
    return cancellation(on, "alice", plan, now="true", id="c", **more)


# Cancelled at once


def test_of_two_seats_one_is_cancelled_at_once() -> None:
    """Of 180.00 half is its own: 30.00 for 10 of 30 days, 60.00 breakage; the other goes on at
    3.00 a day, 90.00 by the end of June."""
    books = book(two("seat", now("2026-06-10", "seat")), terms(SEAT, as_of="2026-07-01"))
    assert messages(books) == []
    assert shown(books, *KINDS) == text("""
        2026-06-10 cancellation alice
        2026-06-10 access alice
          access alice 30 ACCESS-USD {1 USD, 2026-06-01, seat/2026-07-01}
          access-revenue alice seat -30 USD
        2026-06-10 expiry alice
          access alice 60 ACCESS-USD {1 USD, 2026-06-01, seat/2026-07-01}
          breakage alice seat -60 USD
        2026-06-30 access alice
          access alice 90 ACCESS-USD {1 USD, 2026-06-01, seat/2026-07-01}
          access-revenue alice seat -90 USD
    """)


def test_its_share_of_units_ends_tomorrow() -> None:
    """Of 2,000 CU 600 were used of both: 700 of 1,400 are its own. They can't be used any more
    tomorrow, the others until the end of June."""
    events = two(
        "pro",
        consumption("2026-06-05", "alice", "600 CU"),
        now("2026-06-10"),
        consumption("2026-06-11", "alice", "200 CU"),
    )
    books = book(events, terms(PRO, as_of="2026-07-01"))
    assert messages(books) == []
    assert shown(books, *KINDS) == text("""
        2026-06-10 cancellation alice
          allocations alice 700 CU {0.2 USD, 2026-06-01, pro/2026-07-01}
          allocations alice -700 CU {0.2 USD, 2026-06-01, pro/2026-06-11}
        2026-06-11 expiry alice
          allocations alice 700 CU {0.2 USD, 2026-06-01, pro/2026-06-11}
          breakage alice pro -140 USD
        2026-07-01 expiry alice
          allocations alice 500 CU {0.2 USD, 2026-06-01, pro/2026-07-01}
          breakage alice pro -100 USD
    """)


def test_its_share_of_units_is_minted_as_planned() -> None:
    """Its tokens last 12 months from tomorrow on, the other's from the end of June."""
    offer = plan(unused="mint", token_expires="12 months")
    events = two("pro", consumption("2026-06-05", "alice", "600 CU"), now("2026-06-10"))
    assert lots_shown(book(events, terms(offer, as_of="2026-07-01"))) == [
        "tokens alice 700 CU {0.2 USD, 2026-06-01, pro/2027-06-11}",
        "tokens alice 700 CU {0.2 USD, 2026-06-01, pro/2027-07-01}",
    ]


@pytest.mark.parametrize("unused", ["expire", "rollover"])
def test_on_the_last_day_of_a_period_too(unused: str) -> None:
    """All lapse that don't roll over; of those that do, 1,000 stay until December."""
    offer = plan(unused=unused, expires="6 months")
    books = book(two("pro", now("2026-06-30")), terms(offer, as_of="2026-07-01"))
    stays = ["allocations alice 1000 CU {0.2 USD, 2026-06-01, pro/2026-12-01}"]
    assert lots_shown(books) == (stays if unused == "rollover" else [])
    assert income(books, "breakage") == ("200" if unused == "rollover" else "400")


def test_what_is_odd_of_units_is_the_last_ones() -> None:
    """501 of 2,002 CU are left, 250.5 each: 250, the even ones, of the single one, which stands
    first in the books, and 251 of the other."""
    odd = plan(price="200.20 USD", units="1001 CU")
    events = two("pro", consumption("2026-06-05", "alice", "1501 CU"), now("2026-06-10"))
    books = book(events, terms(odd, as_of="2026-06-11"))
    assert lots_shown(books) == ["allocations alice 250 CU {0.2 USD, 2026-06-01, pro/2026-07-01}"]
    assert income(books, "breakage") == "50.2"


def test_on_a_months_last_day_the_other_part_is_earned_that_evening_too() -> None:
    """90.00 from 16 June to 15 July: 45.00 of each are for June, in entries of two ids."""
    events = two("seat", now("2026-06-30", "seat"), on="2026-06-16")
    books = book(events, terms(SEAT, as_of="2026-07-15"))
    assert shown(books, *KINDS) == text("""
        2026-06-30 cancellation alice
        2026-06-30 access alice
          access alice 45 ACCESS-USD {1 USD, 2026-06-16, seat/2026-07-16}
          access-revenue alice seat -45 USD
        2026-06-30 expiry alice
          access alice 45 ACCESS-USD {1 USD, 2026-06-16, seat/2026-07-16}
          breakage alice seat -45 USD
        2026-06-30 access alice
          access alice 45 ACCESS-USD {1 USD, 2026-06-16, seat/2026-07-16}
          access-revenue alice seat -45 USD
        2026-07-15 access alice
          access alice 45 ACCESS-USD {1 USD, 2026-06-16, seat/2026-07-16}
          access-revenue alice seat -45 USD
    """)
    ids = [each.id for each in books.journal if each.kind == "access"]
    assert ids[0] == f"{ids[1]}/c" and len(set(ids)) == 3


def test_even_months_of_its_own_part_are_earned_whole() -> None:
    """90.00 for 3 months from 16 May: 30.00 each on 31 May; on 10 June none of its 60.00 is."""
    offer = seat(every="3 months", access_by=AccessBy.EVEN_MONTH)
    events = two("seat", now("2026-06-10", "seat"), on="2026-05-16")
    books = book(events, terms(offer, as_of="2026-06-30"))
    assert income(books, "breakage") == "60"
    assert income(books, "access-revenue") == "90"  # 60.00 of May, 30.00 of June


def test_a_discount_of_one_is_no_share_of_it_for_the_other() -> None:
    """90.00 and 60.00 of access; units at 0.20 and, 50.00 less, at 0.15 share no lot."""
    books = book(
        two("seat", now("2026-06-10", "seat"), discount="30 USD"), terms(SEAT, as_of="2026-07-01")
    )
    assert (income(books, "breakage"), income(books, "access-revenue")) == ("60", "90")
    books = book(two("pro", now("2026-06-10"), discount="50 USD"), terms(PRO, as_of="2026-06-11"))
    assert income(books, "breakage") == "200"
    assert lots_shown(books) == ["allocations alice 1000 CU {0.15 USD, 2026-06-01, pro/2026-07-01}"]


def test_what_went_back_of_one_is_no_part_of_its_share() -> None:
    """60.00 of 180.00 are earned by 10 June; half of the other's 60.00 goes back. Of 90.00 that are
    left 60.00 are its own, 30.00 of that is for the 10 days through 20 June."""
    events = two(
        "seat", money_refund("2026-06-11", "alice", "45 USD", "b"), now("2026-06-20", "seat")
    )
    books = book(events, terms(SEAT, as_of="2026-06-30"))
    assert income(books, "refunds") == "-15"
    assert income(books, "breakage") == "30"
    assert income(books, "access-revenue") == "120"  # 60.00, 30.00, and 30.00 of the other


def test_what_was_all_given_back_has_no_share() -> None:
    """So that the period itself ends with nothing, and the other is left alone."""
    events = two("pro", money_refund("2026-06-05", "alice", "200 USD", "a/2026-06-01"))
    books = book([*events, now("2026-06-10")], terms(PRO, as_of="2026-06-30"))
    assert income(books, "breakage") == "0"
    assert lots_shown(books) == ["allocations alice 1000 CU {0.2 USD, 2026-06-01, pro/2026-07-01}"]


def test_units_given_back_are_of_both() -> None:
    """400 of 2,000 CU: 800 of the rest are its own."""
    events = two("pro", refund("2026-06-05", "alice", "400 CU"), now("2026-06-10"))
    books = book(events, terms(PRO, as_of="2026-06-11"))
    assert income(books, "breakage") == "160"


def test_nothing_is_left_of_it_for_a_later_chargeback() -> None:
    """All that is held then is the other's: 45.00 of access by 15 June; all 1,000 CU."""
    events = two("seat", now("2026-06-10", "seat"), chargeback("2026-06-16", "b"))
    books = book(events, terms(SEAT, as_of="2026-06-30"))
    assert (income(books, "disputes"), lots_shown(books)) == ("-45", [])
    events = two("pro", now("2026-06-10"), chargeback("2026-06-12", "b"))
    books = book(events, terms(PRO, as_of="2026-06-30"))
    assert (income(books, "disputes"), lots_shown(books)) == ("0", [])


def test_what_was_minted_of_it_goes_back_with_it() -> None:
    """A chargeback of the period voids its 700 tokens, and leaves the other's units."""
    offer = plan(unused="mint", token_expires="12 months")
    events = two(
        "pro",
        consumption("2026-06-05", "alice", "600 CU"),
        now("2026-06-10"),
        chargeback("2026-06-12", "a/2026-06-01"),
    )
    books = book(events, terms(offer, as_of="2026-06-12"))
    assert income(books, "disputes") == "-60"  # 300 of the 600
    assert lots_shown(books) == ["allocations alice 700 CU {0.2 USD, 2026-06-01, pro/2026-07-01}"]


def test_a_use_that_is_undone_later_comes_back_to_who_is_left() -> None:
    """Nothing of the lot is the period's any more: 900 and 200 CU are the other's."""
    use = consumption("2026-06-05", "alice", "200 CU", id="u")
    events = two("pro", use, now("2026-06-10"), reversal("2026-06-12", "u"))
    books = book(events, terms(PRO, as_of="2026-06-12"))
    assert lots_shown(books) == ["allocations alice 1100 CU {0.2 USD, 2026-06-01, pro/2026-07-01}"]


def test_so_it_does_where_the_other_costs_less() -> None:
    """1,100 of 2,000 CU were used: the other's 1,000 at 0.15 and 100 at 0.20, of which 900 end on
    11 June. What comes back keeps its end, as it would in a common lot."""
    use = consumption("2026-06-05", "alice", "1100 CU", id="u")
    events = two("pro", use, now("2026-06-10"), reversal("2026-06-12", "u"), discount="50 USD")
    books = book(events, terms(PRO, as_of="2026-06-12"))
    assert income(books, "breakage") == "180"
    assert lots_shown(books) == [
        "allocations alice 100 CU {0.2 USD, 2026-06-01, pro/2026-07-01}",
        "allocations alice 1000 CU {0.15 USD, 2026-06-01, pro/2026-07-01}",
    ]


def test_neither_period_nor_cancellation_is_reversed_later() -> None:
    """Else the other's units would come back."""
    events = two("pro", now("2026-06-10"), reversal("2026-06-11", "a/2026-06-01"))
    books = book(events, terms(PRO, as_of="2026-06-11"))
    (refused,) = messages(books)
    assert "was cancelled at once, and what is left of its lots is another" in refused
    events = two("pro", now("2026-06-10"), reversal("2026-06-11", "c"))
    (refused,) = messages(book(events, terms(PRO, as_of="2026-06-11")))
    assert "ended on 2026-06-11" in refused
    books = book(two("pro", now("2026-06-10"), reversal("2026-06-10", "c")), terms(PRO))
    assert [each.kind for each in books.journal if each.kind in KINDS] == []


def test_the_other_can_be_reversed_as_far_as_it_is_whole() -> None:
    """Its 1,000 CU are there; after a common use they are not."""
    undone = reversal("2026-06-12", "b")
    books = book(two("pro", now("2026-06-10"), undone), terms(PRO, as_of="2026-06-12"))
    assert (messages(books), lots_shown(books)) == ([], [])
    used = consumption("2026-06-05", "alice", "2 CU")
    (refused,) = messages(book(two("pro", used, now("2026-06-10"), undone), terms(PRO)))
    assert "reverse what used them first" in refused


def test_one_that_was_undone_has_no_share() -> None:
    """Whether that was on its own day or later: all of the lot is the period's."""
    for on in ("2026-06-01", "2026-06-05"):
        events = two("pro", reversal(on, "b"), now("2026-06-10"))
        books = book(events, terms(PRO, as_of="2026-06-11"))
        assert (messages(books), income(books, "breakage")) == ([], "200")


def test_the_share_of_the_period_that_was_undone_is_nothing() -> None:
    """A change then charges the new plan alone, and the other's lot stays."""
    events = two(
        "pro", reversal("2026-06-05", "a/2026-06-01"), change("2026-06-16", "alice", "pro", "max")
    )
    assert shown(book(events, terms(PRO, MAX, as_of="2026-06-16")), "change") == text("""
        2026-06-16 change alice
          allocations alice -500 CU {0.166666 USD, 2026-06-16, max/2026-07-01}
          allocations alice -1000 CU {0.166667 USD, 2026-06-16, max/2026-07-01}
          unbilled alice max 250 USD
    """)


# Changes of plan


def test_of_two_seats_one_changes_plans() -> None:
    """90.00 of 180.00 come back of which 60.00 are earned, as if it were alone; on 30 June the
    other's 90.00 are, too."""
    events = two("seat", change("2026-06-21", "alice", "seat", "plus"))
    books = book(events, terms(SEAT, PLUS, as_of="2026-06-30"))
    assert shown(books, *KINDS) == text("""
        2026-06-21 change alice
          access alice 90 ACCESS-USD {1 USD, 2026-06-01, seat/2026-07-01}
          access-revenue alice seat -60 USD
          access alice -40 ACCESS-USD {1 USD, 2026-06-21, plus/2026-07-01}
          unbilled alice plus 10 USD
        2026-06-30 access alice
          access alice 90 ACCESS-USD {1 USD, 2026-06-01, seat/2026-07-01}
          access-revenue alice seat -90 USD
        2026-06-30 access alice
          access alice 40 ACCESS-USD {1 USD, 2026-06-21, plus/2026-07-01}
          access-revenue alice plus -40 USD
    """)


def test_its_share_of_units_comes_back() -> None:
    """900 of 2,000 CU were used: 550 of 1,100 are its own, 110.00."""
    events = two(
        "pro",
        consumption("2026-06-05", "alice", "900 CU"),
        change("2026-06-21", "alice", "pro", "max"),
    )
    assert shown(book(events, terms(PRO, MAX, as_of="2026-07-01")), "change", "expiry") == text("""
        2026-06-21 change alice
          allocations alice 550 CU {0.2 USD, 2026-06-01, pro/2026-07-01}
          allocations alice -1000 CU {0.16667 USD, 2026-06-21, max/2026-07-01}
          unbilled alice max 56.67 USD
        2026-07-01 expiry alice
          allocations alice 550 CU {0.2 USD, 2026-06-01, pro/2026-07-01}
          breakage alice pro -110 USD
        2026-07-01 expiry alice
          allocations alice 1000 CU {0.16667 USD, 2026-06-21, max/2026-07-01}
          breakage alice max -166.67 USD
    """)


def test_three_share_in_proportion_to_what_they_gave() -> None:
    """90.00, 90.00 and, 45.00 less, 45.00; 40 % of 225.00 are its own."""
    third = one_period("2026-06-01", "alice", "seat", discount="45 USD", line=2)
    events = two("seat", third, change("2026-06-16", "alice", "seat", "plus"))
    books = book(events, terms(SEAT, PLUS, as_of="2026-06-30"))
    assert shown(books, "change") == text("""
        2026-06-16 change alice
          access alice 90 ACCESS-USD {1 USD, 2026-06-01, seat/2026-07-01}
          access-revenue alice seat -45 USD
          access alice -60 ACCESS-USD {1 USD, 2026-06-16, plus/2026-07-01}
          unbilled alice plus 15 USD
    """)


def test_a_bundles_own_part_comes_back_after_a_month_end() -> None:
    """120.00 + 80.00 each from 16 June: 120.00 of 240.00 are earned by 30 June. On 6 July 5 more
    of 15 days of its own 60.00 are, 20.00; with 80.00 of units 120.00 come back."""
    offer = bundle("200 USD", "1000 CU", "150 USD", "100 USD")
    events = two("pro", change("2026-07-06", "alice", "pro", "max"), on="2026-06-16")
    books = book(events, terms(offer, MAX, as_of="2026-07-16"))
    assert shown(books, "change", "access") == text("""
        2026-06-30 access alice
          access alice 120 ACCESS-USD {1 USD, 2026-06-16, pro/2026-07-16}
          access-revenue alice pro -120 USD
        2026-07-06 change alice
          access alice 60 ACCESS-USD {1 USD, 2026-06-16, pro/2026-07-16}
          allocations alice 1000 CU {0.08 USD, 2026-06-16, pro/2026-07-16}
          access-revenue alice pro -20 USD
          allocations alice -1000 CU {0.16667 USD, 2026-07-06, max/2026-07-16}
          unbilled alice max 46.67 USD
        2026-07-15 access alice
          access alice 60 ACCESS-USD {1 USD, 2026-06-16, pro/2026-07-16}
          access-revenue alice pro -60 USD
    """)


def test_lots_of_that_day_with_another_end_are_not_the_periods() -> None:
    """A subscription of the 31st has a period from 28 February to 30 March; a single one of that
    day ends with 27 March."""
    events = [
        subscription("2026-01-31", "alice", "seat", id="a"),
        one_period("2026-02-28", "alice", "seat"),
        change("2026-03-15", "alice", "seat", "plus"),
    ]
    books = book(events, terms(SEAT, PLUS, as_of="2026-03-15"))
    held = [each for each in lots_shown(books) if "seat" in each]
    # 90.00 less that of 28 February, one of 28 days: 3.21
    assert held == ["access alice 86.79 ACCESS-USD {1 USD, 2026-02-28, seat/2026-03-28}"]


def test_a_second_change_has_its_own_part_too() -> None:
    """A whole period of the year begins with the first, beside a single one of that day: 73.00 for
    365 days are 0.20 each. 31 of its own are earned by 21 July, and 66.80 come back."""
    year = seat("73 USD", "year", every="12 months")
    events = [
        *two("seat", change("2026-06-21", "alice", "seat", "year")),
        one_period("2026-06-21", "alice", "year", line=2),
        change("2026-07-22", "alice", "year", "plus"),
    ]
    books = book(events, terms(SEAT, PLUS, year, as_of="2026-07-31"))
    assert messages(books) == []
    second = text("""
        2026-07-22 change alice
          access alice 71 ACCESS-USD {1 USD, 2026-06-21, year/2027-06-21}
          access-revenue alice year -4.2 USD
          access alice -120 ACCESS-USD {1 USD, 2026-07-22, plus/2026-08-22}
          unbilled alice plus 53.2 USD
    """)
    assert second in shown(books, "change")


def test_what_changed_has_nothing_of_the_lot_any_more() -> None:
    """All 60.00 that are left on 11 June are the other's, whatever the change credited."""
    events = two(
        "seat",
        change("2026-06-06", "alice", "seat", "plus", charge="10 USD", credit="10 USD", id="x"),
        money_refund("2026-06-11", "alice", "90 USD", "b"),
    )
    books = book(events, terms(SEAT, PLUS, as_of="2026-06-11"))
    assert income(books, "refunds") == "-30"
    assert [each for each in lots_shown(books) if "seat" in each] == []


def test_plans_that_cost_nothing_share_too() -> None:
    """By what they gave: there is no price of which a fraction could go back."""
    free = plan("free", "0 USD", "100 CU")
    events = two(
        "free",
        consumption("2026-06-05", "alice", "50 CU"),
        change("2026-06-16", "alice", "free", "max"),
    )
    books = book(events, terms(free, MAX, as_of="2026-06-16"))
    assert "allocations alice 75 CU {0 USD, 2026-06-01, free/2026-07-01}" in lots_shown(books)


def test_opening_lots_of_a_period_come_back_whole() -> None:
    """Nothing says whose they are: what other books handed on is the running period's."""
    lots = by_hand("2026-06-10", "access alice 120 ACCESS-USD {1 USD, 2026-06-01, seat/2026-07-01}")
    events = [
        subscription("2026-06-10", "alice", "seat", started="2026-06-01"),
        one_period("2026-06-10", "alice", "seat"),
        change("2026-06-21", "alice", "seat", "plus"),
    ]
    books = book(events, terms(SEAT, PLUS, as_of="2026-06-21"), openings=[lots])
    assert "access alice 120 ACCESS-USD {1 USD, 2026-06-01" in shown(books, "change")


@pytest.mark.parametrize("kind", ["change", "now"])
def test_what_shares_nothing_is_as_it_was(kind: str) -> None:
    """A top-up, another day, another subscriber, or none beside a period that follows."""
    events = [
        subscription("2026-05-01", "alice", "pro", id="a"),
        one_period("2026-05-01", "alice", "pro"),
        one_period("2026-06-02", "alice", "pro"),
        one_period("2026-06-01", "bob", "pro", line=2),
    ]
    last = change("2026-06-16", "alice", "pro", "max") if kind == "change" else now("2026-06-15")
    books = book([*events, last], terms(PRO, MAX, as_of="2026-06-16"))
    assert [each for each in lots_shown(books) if "pro" in each] == [
        "allocations alice 1000 CU {0.2 USD, 2026-06-02, pro/2026-07-02}",
        "allocations bob 1000 CU {0.2 USD, 2026-06-01, pro/2026-07-01}",
    ]
    assert income(books, "breakage") == ("400" if kind == "change" else "600")


@pytest.mark.parametrize("kind", ["change", "now"])
def test_a_period_that_gave_nothing_has_nothing_of_the_others_lot(kind: str) -> None:
    """It cost nothing, with a discount of all; or a change credited more than it charged."""
    free = subscription("2026-06-01", "alice", "seat", discount="90 USD")
    last = change("2026-06-21", "alice", "seat", "plus")
    last = now("2026-06-21", "seat") if kind == "now" else last
    events = [free, one_period("2026-06-01", "alice", "seat"), last]
    books = book(events, terms(SEAT, PLUS, as_of="2026-06-21"))
    assert messages(books) == []
    assert "access alice 90 ACCESS-USD {1 USD, 2026-06-01, seat/2026-07-01}" in lots_shown(books)
    events = [
        subscription("2026-06-01", "alice", "plus"),
        change("2026-06-06", "alice", "plus", "seat", charge="0 USD", credit="200 USD"),
        one_period("2026-06-06", "alice", "seat"),
        change("2026-06-21", "alice", "seat", "plus") if kind == "change" else last,
    ]
    books = book(events, terms(SEAT, PLUS, as_of="2026-06-21"))
    assert messages(books) == []
    assert "access alice 90 ACCESS-USD {1 USD, 2026-06-06, seat/2026-07-06}" in lots_shown(books)


# Handed on


def handed_on(events: list[Event], *plans: Plan, until: str) -> Carried:
    """The state at a month's end, for months that know none of these events."""
    facts = Facts(events, handed_on=True)
    keeper = Bookkeeper(facts, terms(*plans, as_of=until), first_letter_up, ends=[day(until)])
    assert [*keeper.entries()]
    return keeper.states[day(until)]


def gone_on(carried: Carried, *events: Event, of: Plan, until: str) -> list[str]:
    """The kinds and legs that are booked from a state on."""
    keeper = Bookkeeper(Facts(events), terms(of, as_of=until), first_letter_up, carried)
    return [entry_text(each) for each in keeper.entries()]


def test_the_state_says_what_shares_the_lots_of_running_periods() -> None:
    """A quarter of 90.00 from 16 June: 14.67 of each are for 15 of 92 days. Half of 150.66 is its
    own, of which 10 of 77 days are earned by 10 July: 9.78, and 65.55 are breakage."""
    quarter = seat(every="quarter")
    state = handed_on(two("seat", on="2026-06-16"), quarter, until="2026-06-30")
    booked = gone_on(state, now("2026-07-10", "seat"), of=quarter, until="2026-07-10")
    assert "access-revenue alice seat -9.78 USD" in booked[1]
    assert "breakage alice seat -65.55 USD" in booked[2]


def test_other_books_can_go_on_from_what_it_says() -> None:
    """Each allocation as often as one likes; none once all their periods are over."""
    state = handed_on(two("pro", on="2026-06-16"), PRO, until="2026-06-30")
    assert state.money_back is not None
    ((of, found),) = state.money_back.beside(day("2026-06-30"))
    assert (of, [each.id for each in found]) == (("alice", "pro"), ["b", "a/2026-06-16"])
    assert [*state.money_back.beside(day("2026-07-15"))] == []
    again = MoneyBack(())
    for each in [*found, *found]:
        again.take_over(each, day("2026-06-16"))
    held, units = lot("allocations alice 1400 CU {0.2 USD, 2026-06-16, pro/2026-07-16}")
    assert again.own("a", held, units) == 700
    assert again.own("nobody's", held, units) == 0


def test_what_one_cut_off_alone_stays_cut_off() -> None:
    """Its units end on 1 July in the next month's books, too."""
    state = handed_on(
        [subscription("2026-06-16", "alice", id="a"), now("2026-06-30")], PRO, until="2026-06-30"
    )
    booked = gone_on(state, of=PRO, until="2026-07-01")
    assert [each.splitlines()[0] for each in booked] == ["2026-07-01 expiry alice"]


def test_money_back_of_what_is_not_known_counts_nothing() -> None:
    """Books that go on later may read of it."""
    events = [top_up("2026-06-01", "alice", "100 CU", "20 USD", id="t")]
    events.append(money_refund("2026-06-02", "alice", "10 USD", "t", id="r"))
    back = MoneyBack(())
    for entry in book(events, terms()).journal:
        back.note(entry)
    assert back.find("t") is None and back.given_back("t") == ""
