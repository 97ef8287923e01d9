"""Access: money that is earned by time, in the evening of month ends."""

from __future__ import annotations

from decimal import Decimal

import pytest

from beancount_compute.economy.access_by_time import earned_ahead, evening_of
from beancount_compute.economy.journal import LotLeg
from beancount_compute.economy.options import TOP_UPS_REFUNDABLE
from beancount_compute.economy.term_values import AccessBy
from tests.economy.building import (
    Books,
    book,
    bundle,
    by_hand,
    consumption,
    day,
    deferred,
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

PRO = bundle("200 USD", "1000 CU", "150 USD", "100 USD", unused="mint", token_expires="12 months")


def earned(books: Books) -> list[str]:
    """The day of each evening, and what was earned in it."""
    return [
        f"{each.date} {number(leg.units)}"
        for each in books.journal
        if each.kind == "access"
        for leg in each.legs
        if isinstance(leg, LotLeg)
    ]


def test_a_bundle_is_split_and_its_access_earned_by_days() -> None:
    """200.00 x 150/250 = 120.00; 16 of 31 days are 61.935 -> 61.94, the rest on the last day."""
    books = book([subscription("2026-05-16", "alice")], terms(PRO, as_of="2026-06-15"))
    assert shown(books) == text("""
        2026-05-16 allocation alice
          receivable alice pro 200 USD
          access alice -120 ACCESS-USD {1 USD, 2026-05-16, pro/2026-06-16}
          allocations alice -1000 CU {0.08 USD, 2026-05-16, pro/2026-06-16}
        2026-05-31 access alice
          access alice 61.94 ACCESS-USD {1 USD, 2026-05-16, pro/2026-06-16}
          access-revenue alice pro -61.94 USD
        2026-06-15 access alice
          access alice 58.06 ACCESS-USD {1 USD, 2026-05-16, pro/2026-06-16}
          access-revenue alice pro -58.06 USD
    """)
    assert deferred(books) == "80"
    assert books.journal[1].narration == "Access pro 2026-05-16/2026-05-31"
    assert books.journal[1].id == "access/alice/pro/2026-06-16/2026-05-16/2026-05-31"
    assert books.journal[1].source == "plan pro of 2026-01-01"


def test_the_units_of_a_bundle_get_what_rounding_leaves() -> None:
    """100.00 x 1/3 = 33.33 of access, and 66.67 for 1,000 CU, which costs 0.06667."""
    thirds = bundle("100 USD", "1000 CU", "1 USD", "2 USD")
    books = book([subscription("2026-05-01", "alice")], terms(thirds, as_of="2026-05-01"))
    assert shown(books) == text("""
        2026-05-01 allocation alice
          receivable alice pro 100 USD
          access alice -33.33 ACCESS-USD {1 USD, 2026-05-01, pro/2026-06-01}
          allocations alice -1000 CU {0.06667 USD, 2026-05-01, pro/2026-06-01}
    """)


@pytest.mark.parametrize(
    ("start", "every", "by", "price", "expected"),
    [
        # by days of each month: 31, 28 and 31 of 90
        ("2026-01-01", "quarter", "day", "90 USD", ["31", "28", "31"]),
        # 12 of 92 days, then 30 of 80, 31 of 50, and the last 19
        ("2026-05-20", "quarter", "day", "90 USD", ["11.74", "29.35", "30.32", "18.59"]),
        # even months, each in the month in which it begins
        ("2026-05-20", "quarter", "even-month", "90 USD", ["30", "30", "30"]),
        ("2026-01-31", "2 months", "even-month", "25 USD", ["12.5", "12.5"]),
        # 100.00 in three: 33.33, then half of 66.67 is 33.34 (half-even of 33.335), then the rest
        ("2026-01-15", "3 months", "even-month", "100 USD", ["33.33", "33.34", "33.33"]),
        # one day is earned in its own evening
        ("2026-05-20", "1 days", "day", "2 USD", ["2"]),
        ("2026-05-31", "2 days", "day", "2 USD", ["1", "1"]),
        # yen have no decimals: 1000 x 15/31 = 483.87 -> 484
        ("2026-05-17", "month", "day", "1000 JPY", ["484", "516"]),
    ],
)
def test_what_is_earned_in_each_evening(
    start: str, every: str, by: str, price: str, expected: list[str]
) -> None:
    """Of one period: what is left, by the days or shares that are left."""
    offer = seat(price, every=every, access_by=AccessBy(by))
    books = book([one_period(start, "alice", "seat")], terms(offer, as_of="2026-12-31"))
    assert [each.split()[1] for each in earned(books)] == expected
    assert deferred(books) == "0"


def test_a_period_of_twenty_five_months_has_twenty_five_shares() -> None:
    """25.00 over 25 months: 1.00 each, on the last day of each month."""
    offer = seat("25 USD", every="25 months", access_by=AccessBy.EVEN_MONTH)
    books = book([one_period("2026-01-01", "alice", "seat")], terms(offer, as_of="2028-12-31"))
    found = earned(books)
    assert len(found) == 25
    assert {each.split()[1] for each in found} == {"1"}
    assert (found[0], found[-1]) == ("2026-01-31 1", "2028-01-31 1")


def test_a_month_that_is_not_over_is_earned_up_to_the_last_one() -> None:
    """As of 10 June, 31 of May's days are earned of a period from 1 May to 30 June."""
    offer = seat("61 USD", every="2 months")
    books = book([one_period("2026-05-01", "alice", "seat")], terms(offer, as_of="2026-06-10"))
    assert earned(books) == ["2026-05-31 31"]
    assert deferred(books) == "30"


def test_a_plan_without_price_and_units_books_what_is_used() -> None:
    """Pay-as-you-go: 750 CU at 0.02 are 15.00; its periods book nothing."""
    payg = plan("payg", "0 USD", "0 CU", overage="0.02 USD")
    events = [
        subscription("2026-01-15", "alice", "payg"),
        consumption("2026-01-25", "alice", "750 CU"),
    ]
    books = book(events, terms(payg, as_of="2026-06-30"))
    assert shown(books) == text("""
        2026-01-25 consumption alice
          receivable alice payg 15 USD
          overage alice payg -15 USD
    """)


def test_access_is_not_used_nor_sold() -> None:
    """Use takes units alone, of which a seat has none."""
    events = [
        one_period("2026-05-01", "alice", "seat"),
        consumption("2026-05-02", "alice", "1 ACCESS-USD"),
    ]
    books = book(events, terms(seat(), as_of="2026-05-03"))
    assert [each.split(": ")[1] for each in messages(books)] == [
        "ACCESS-USD is access, which plans sell and time earns"
    ]
    assert deferred(books) == "90"


def test_a_period_that_is_reversed_takes_back_what_was_earned() -> None:
    """Of 90.00 over 90 days, 31.00 are earned in January: 59.00 of the lot and 31.00 of revenue."""
    events = [
        one_period("2026-01-01", "alice", "seat", id="a"),
        reversal("2026-02-10", "a"),
    ]
    books = book(events, terms(seat(every="quarter"), as_of="2026-06-30"))
    assert messages(books) == []
    assert shown(books, "reversal") == text("""
        2026-02-10 reversal alice
          receivable alice seat -90 USD
          access alice 59 ACCESS-USD {1 USD, 2026-01-01, seat/2026-04-01}
          access-revenue alice seat 31 USD
    """)
    assert earned(books) == ["2026-01-31 31"]
    assert deferred(books) == "0"


def test_a_period_that_is_reversed_before_its_first_evening_was_never_there() -> None:
    """All 90.00 come back, and no revenue was earned that could."""
    events = [one_period("2026-01-01", "alice", "seat", id="a"), reversal("2026-01-10", "a")]
    books = book(events, terms(seat(every="quarter"), as_of="2026-06-30"))
    assert shown(books, "reversal") == text("""
        2026-01-10 reversal alice
          receivable alice seat -90 USD
          access alice 90 ACCESS-USD {1 USD, 2026-01-01, seat/2026-04-01}
    """)
    assert earned(books) == []


def test_of_two_periods_in_one_lot_each_takes_its_own_back() -> None:
    """Two seats of 90.00: of one 59.00 are left on 10 February, and the other goes on."""
    events = [
        one_period("2026-01-01", "alice", "seat", id="a"),
        one_period("2026-01-01", "alice", "seat", id="b"),
        reversal("2026-02-10", "a"),
    ]
    books = book(events, terms(seat(every="quarter"), as_of="2026-06-30"))
    assert earned(books) == ["2026-01-31 62", "2026-02-28 28", "2026-03-31 31"]


def test_a_period_whose_access_was_all_earned_is_not_reversed() -> None:
    """Nothing of it is left that could come back."""
    events = [
        one_period("2026-01-01", "alice", "seat", id="a"),
        reversal("2026-04-10", "a"),
    ]
    books = book(events, terms(seat(every="quarter"), as_of="2026-06-30"))
    assert [each.split(": ")[1] for each in messages(books)] == [
        'nothing is left of "a", whose access was all earned by 2026-04-10'
    ]


def test_units_that_are_whole_come_back_with_access_that_was_all_earned() -> None:
    """A bundle that rolls over: in July nothing of its access is left, and its units are."""
    rolling = bundle("200 USD", "1000 CU", "150 USD", "100 USD", unused="rollover")
    events = [one_period("2026-05-01", "alice", id="a"), reversal("2026-07-02", "a")]
    books = book(events, terms(rolling, as_of="2026-07-31"))
    assert shown(books, "reversal") == text("""
        2026-07-02 reversal alice
          receivable alice pro -200 USD
          allocations alice 1000 CU {0.08 USD, 2026-05-01, pro}
          access-revenue alice pro 120 USD
    """)


def test_a_period_that_came_late_catches_up_in_its_first_evening() -> None:
    """Booked on 1 March for January to March: 59 of 90 days of 90.00 were over by 28 February, and
    with March's 31 all are; one that ended before is earned at once."""
    sealed = [one_period("2026-01-01", "bob", "seat")]
    agreed = terms(seat(every="quarter"), seat(name="month", every="month"), as_of="2026-04-30")
    events = [
        one_period("2026-01-01", "alice", "seat"),
        one_period("2026-01-01", "carol", "month"),
    ]
    books = book(sealed, agreed, late={day("2026-03-01"): events})
    assert messages(books) == []
    of = [each for each in books.journal if each.kind == "access" and each.subscriber != "bob"]
    assert [(each.subscriber, str(each.date), each.narration) for each in of] == [
        ("carol", "2026-03-01", "Access month 2026-01-01/2026-03-01"),
        ("alice", "2026-03-31", "Access seat 2026-01-01/2026-03-31"),
    ]
    lots = [leg for each in of for leg in each.legs if isinstance(leg, LotLeg)]
    assert [number(leg.units) for leg in lots] == ["90", "90"]


def test_an_opening_on_a_months_last_day_is_what_its_evening_leaves() -> None:
    """59.00 that are left of 1 April to 30 June: entered on 30 April they are for 61 days, and on
    1 May too; on 2 May for 60 days, of which 30 are May's."""
    for entered, of_may in (
        ("2026-04-30", "29.98"),
        ("2026-05-01", "29.98"),
        ("2026-05-02", "29.5"),
    ):
        opening = by_hand(
            entered, "access alice 59 ACCESS-USD {1 USD, 2026-04-01, seat/2026-07-01}"
        )
        agreed = terms(seat(every="quarter"), as_of="2026-06-30")
        books = book([], agreed, openings=[opening])
        assert earned(books)[0] == f"2026-05-31 {of_may}"
        assert deferred(books) == "0"


def test_an_evening_in_which_less_than_a_cent_is_earned_books_nothing() -> None:
    """0.01 over 366 days: all of it on the last one."""
    offer = seat("0.01 USD", every="year")
    books = book([one_period("2026-01-01", "alice", "seat")], terms(offer, as_of="2027-01-31"))
    assert earned(books) == ["2026-12-31 0.01"]


def test_a_single_period_of_what_only_use_costs_is_refused() -> None:
    """It would book nothing, and be known to nobody."""
    payg = plan("payg", "0 USD", "0 CU", overage="0.02 USD")
    books = book([one_period("2026-01-15", "alice", "payg")], terms(payg))
    assert [each.split(": ")[1] for each in messages(books)] == [
        'plan "payg" has no price and no units, so a period of it by itself books nothing'
    ]


def test_another_price_is_split_as_the_first_one_was() -> None:
    """At 300.00 a bundle of 150 and 100 is 180.00 of access, and a seat is all access."""
    assert (PRO.at(Decimal(300)).access, PRO.at(Decimal(300)).lines[0].price) == (180, 120)
    assert seat().at(Decimal("45.5")).price == Decimal("45.50")
    nothing = seat("0 USD", overage="0.02 USD")  # which names no unit either
    assert nothing.at(Decimal(5)) == nothing


def test_what_can_be_had_back_on_demand() -> None:
    """By the terms of a lot's day; nothing of an unknown origin, or where no line says so."""
    plans = plan(refundable=True), plan(since="2026-06-01"), plan("basic")
    agreed, top_ups = terms(*plans), terms().setting(TOP_UPS_REFUNDABLE, value=True)
    may, june = day("2026-05-01"), day("2026-06-01")
    asked = [("pro", may), ("pro", june), ("basic", may), ("gone", may), ("top-up", may)]
    assert [agreed.is_refundable(*each) for each in asked] == [True, False, False, False, False]
    assert top_ups.is_refundable("top-up", may)
    assert agreed.sell_refundable and top_ups.sell_refundable
    assert not terms(plan()).sell_refundable


def test_who_sells_access() -> None:
    """Any plan, at any time."""
    assert terms(plan(), seat()).sell_access
    assert not terms(plan()).sell_access


@pytest.mark.parametrize(
    ("since", "by", "expected"),
    [
        ("2026-05-16", AccessBy.DAY, [("2026-05-31", "61.94"), ("2026-06-15", "58.06")]),
        ("2026-06-01", AccessBy.DAY, [("2026-06-15", "120.00")]),
        ("2026-05-16", AccessBy.EVEN_MONTH, [("2026-05-31", "120.00")]),
    ],
)
def test_what_will_be_earned(since: str, by: AccessBy, expected: list[tuple[str, str]]) -> None:
    """120.00 that are left on a day, of a period until 15 June."""
    found = earned_ahead(Decimal("120.00"), "USD", day(since), day("2026-06-16"), by)
    assert [(str(on), str(part)) for on, part in found] == expected


def test_what_came_late_is_earned_from_the_evening_of_its_booking_on() -> None:
    """May closed on a quarter from 25 May: the shares of May and June on 30 June, then July's."""
    days = day("2026-05-25"), day("2026-08-25")
    found = earned_ahead(Decimal(90), "USD", *days, AccessBy.EVEN_MONTH, day("2026-06-01"))
    assert [(str(on), str(part)) for on, part in found] == [
        ("2026-06-30", "60.00"),
        ("2026-07-31", "30.00"),
    ]


def test_the_evening_of_a_day() -> None:
    """A month's last day, or the last one before the end."""
    assert str(evening_of(day("2026-06-16"), day("2026-05-16"))) == "2026-05-31"
    assert str(evening_of(day("2026-06-16"), day("2026-06-01"))) == "2026-06-15"
