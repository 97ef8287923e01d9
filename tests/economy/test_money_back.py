"""Money that goes back of an allocation: refunds, chargebacks, write-offs, and recoveries."""

from __future__ import annotations

from decimal import Decimal

import pytest

from beancount_compute.economy.engine import Bookkeeper
from beancount_compute.economy.events import Event
from beancount_compute.economy.inputs import Facts
from beancount_compute.economy.money_back import MoneyBack
from beancount_compute.economy.term_values import AccessBy
from beancount_compute.economy.terms import Plan
from tests.economy.building import (
    Books,
    book,
    change,
    chargeback,
    consumption,
    day,
    deferred,
    entry_text,
    grant,
    income,
    lots_shown,
    messages,
    money_refund,
    one_period,
    plan,
    recovery,
    refund,
    reversal,
    seat,
    shown,
    spend,
    subscription,
    terms,
    text,
    top_up,
    trade,
    transfer,
    write_off,
)

TOP_1 = top_up("2026-05-02", "alice", "1000 CU", "200 USD", id="top-1")
MAY = "2026-05-31"
BOB = grant("2026-05-02", "bob", "1 CU")
# she used 200, sold 500 to bob, and holds 300
SOLD = [
    TOP_1,
    BOB,
    consumption("2026-05-10", "alice", "200 CU"),
    trade("2026-06-10", "alice", "bob", "500 CU", "0.25 USD", id="sold"),
]
YEAR = seat("365 USD", every="year")
TEN = seat("120 USD", every="10 months", access_by=AccessBy.EVEN_MONTH)


def back(books: Books) -> str:
    """What gave money back, and undid it."""
    kinds = ("money-refund", "chargeback", "write-off", "recovery", "reversal")
    return shown(books, *kinds)


def test_a_refund_voids_the_fraction_of_what_is_held() -> None:
    """20.00 of 200.00 is a tenth: 30 of her 300 CU; 14.00 were used or sold."""
    books = book([*SOLD, money_refund("2026-06-20", "alice", "20 USD", "top-1", id="r")])
    assert messages(books) == []
    assert back(books) == text("""
        2026-06-20 money-refund alice
          tokens alice 30 CU {0.2 USD, 2026-05-02, top-up}
          refunds alice top-up 14 USD
          payable alice -20 USD
    """)
    (entry,) = [each for each in books.journal if each.kind == "money-refund"]
    assert entry.narration == "Refund of top-1"
    assert entry.back is not None
    assert (entry.back.of, str(entry.back.amount)) == ("top-1", "20.00")
    assert str(entry.back.moved_on) == "10.00"  # a tenth of what bob has


def test_a_refund_of_what_was_never_paid_lessens_what_is_owed() -> None:
    books = book([TOP_1, money_refund("2026-06-20", "alice", "200 USD", "top-1", unpaid="true")])
    assert back(books) == text("""
        2026-06-20 money-refund alice
          tokens alice 1000 CU {0.2 USD, 2026-05-02, top-up}
          receivable alice top-up -200 USD
    """)
    assert books.lots == []


def test_a_chargeback_tells_what_was_used_from_what_somebody_else_has() -> None:
    """200 CU were used: 40.00; 500 are bob's: 100.00; 300 are voided: 60.00."""
    books = book([*SOLD, chargeback("2026-07-15", "top-1", id="cb-1")])
    assert messages(books) == []
    assert back(books) == text("""
        2026-07-15 chargeback alice
          tokens alice 300 CU {0.2 USD, 2026-05-02, top-up}
          disputes alice top-up 40 USD
          losses alice 100 USD
          receivable alice top-up -200 USD
    """)
    assert deferred(books) == "100"  # bob's 500 CU stay


def test_a_write_off_is_bad_debt() -> None:
    """The same, of what was never paid."""
    books = book([*SOLD, write_off("2026-07-15", "top-1")])
    assert back(books) == text("""
        2026-07-15 write-off alice
          tokens alice 300 CU {0.2 USD, 2026-05-02, top-up}
          bad-debt alice top-up 40 USD
          losses alice 100 USD
          receivable alice top-up -200 USD
    """)


def test_a_chargeback_after_a_refund_takes_what_is_left() -> None:
    """A tenth went back: 30 CU, 4.00 used, 10.00 moved on. Left 180.00: 54.00, 36.00 and 90.00."""
    events = [
        *SOLD,
        money_refund("2026-06-20", "alice", "20 USD", "top-1"),
        chargeback("2026-07-15", "top-1"),
    ]
    books = book(events)
    assert shown(books, "chargeback") == text("""
        2026-07-15 chargeback alice
          tokens alice 270 CU {0.2 USD, 2026-05-02, top-up}
          disputes alice top-up 36 USD
          losses alice 90 USD
          receivable alice top-up -180 USD
    """)


def test_what_is_charged_back_beyond_the_price_is_a_loss() -> None:
    books = book([TOP_1, chargeback("2026-07-15", "top-1", paid="215 USD")])
    assert back(books) == text("""
        2026-07-15 chargeback alice
          tokens alice 1000 CU {0.2 USD, 2026-05-02, top-up}
          losses alice 15 USD
          receivable alice top-up -215 USD
    """)


def test_the_rest_may_be_voided_too() -> None:
    """Half goes back of what is all held: 100.00; the other 500 CU are gone all the same."""
    events = [
        TOP_1,
        chargeback("2026-07-15", "top-1", paid="100 USD", void="true"),
        chargeback("2026-07-20", "top-1"),
    ]
    books = book(events)
    assert back(books) == text("""
        2026-07-15 chargeback alice
          tokens alice 1000 CU {0.2 USD, 2026-05-02, top-up}
          recoveries alice -100 USD
          receivable alice top-up -100 USD
        2026-07-20 chargeback alice
          disputes alice top-up 100 USD
          receivable alice top-up -100 USD
    """)


def test_units_that_came_back_to_their_payer_have_not_moved_on() -> None:
    """Bob gives 300 of the 500 back, and one is spent: 201 moved on, 40.20."""
    events = [
        *SOLD,
        transfer("2026-06-11", "bob", "alice", "300 CU", id="t"),
        spend("2026-06-12", "alice", "shop", "1 CU", "0.20 USD"),
        chargeback("2026-07-15", "top-1"),
    ]
    books = book(events, terms(draw_down="lifo"))
    assert shown(books, "chargeback") == text("""
        2026-07-15 chargeback alice
          tokens alice 599 CU {0.2 USD, 2026-05-02, top-up}
          disputes alice top-up 40 USD
          losses alice 40.2 USD
          receivable alice top-up -200 USD
    """)
    undone = book([*events[:-1], reversal("2026-06-13", "t"), events[-1]], terms(draw_down="lifo"))
    assert income(undone, "losses") == "-100.2"


def test_units_are_voided_as_tokens_too_in_draw_down_order() -> None:
    """1000 CU at 0.20 in May, minted in June; 3000 CU for 20.00 are of two costs."""
    events = [
        subscription("2026-05-01", "alice", id="s"),
        chargeback("2026-06-10", "s/2026-05-01", paid="50 USD"),
    ]
    books = book(events, terms(plan(unused="mint", token_expires="12 months")))
    assert back(books) == text("""
        2026-06-10 chargeback alice
          tokens alice 250 CU {0.2 USD, 2026-05-01, pro/2027-06-01}
          receivable alice pro -50 USD
    """)
    odd = top_up("2026-05-02", "alice", "3000 CU", "20 USD", id="odd")
    books = book([odd, money_refund("2026-05-03", "alice", "10 USD", "odd")])
    assert back(books) == text("""
        2026-05-03 money-refund alice
          tokens alice 1000 CU {0.006666 USD, 2026-05-02, top-up}
          tokens alice 500 CU {0.006667 USD, 2026-05-02, top-up}
          refunds alice top-up 0.0005 USD
          payable alice -10 USD
    """)


def test_units_are_rounded_half_even_to_the_digits_of_what_was_bought() -> None:
    """0.50 of 3.00 are half a unit: none. 1.50 are one and a half: two, and the next one is all."""
    three = top_up("2026-05-02", "alice", "3 CU", "3 USD", id="x")
    events = [
        three,
        money_refund("2026-05-03", "alice", "0.50 USD", "x"),
        money_refund("2026-05-04", "alice", "1.25 USD", "x"),
        money_refund("2026-05-05", "alice", "1.25 USD", "x"),
    ]
    books = book(events)
    assert back(books) == text("""
        2026-05-03 money-refund alice
          refunds alice top-up 0.5 USD
          payable alice -0.5 USD
        2026-05-04 money-refund alice
          tokens alice 2 CU {1 USD, 2026-05-02, top-up}
          refunds alice top-up -0.75 USD
          payable alice -1.25 USD
        2026-05-05 money-refund alice
          tokens alice 1 CU {1 USD, 2026-05-02, top-up}
          refunds alice top-up 0.25 USD
          payable alice -1.25 USD
    """)


def test_access_goes_back_by_fraction_of_what_is_left() -> None:
    """120.00 for ten months: 12.00 in January. 90.00 back is 0.75: 81.00 of 108.00, and 9.00.

    February 27.00 / 9 = 3.00. Of 60.00 charged back 30.00 are left: 24.00, 6.00 and 30.00 beyond.
    """
    events = [
        subscription("2026-01-01", "alice", "seat", id="s"),
        money_refund("2026-02-01", "alice", "90 USD", "s/2026-01-01"),
        chargeback("2026-03-01", "s/2026-01-01", paid="60 USD"),
    ]
    books = book(events, terms(TEN))
    lot = "ACCESS-USD {1 USD, 2026-01-01, seat/2026-11-01}"
    assert shown(books) == text(f"""
        2026-01-01 allocation alice
          receivable alice seat 120 USD
          access alice -120 {lot}
        2026-01-31 access alice
          access alice 12 {lot}
          access-revenue alice seat -12 USD
        2026-02-01 money-refund alice
          access alice 81 {lot}
          refunds alice seat 9 USD
          payable alice -90 USD
        2026-02-28 access alice
          access alice 3 {lot}
          access-revenue alice seat -3 USD
        2026-03-01 chargeback alice
          access alice 24 {lot}
          disputes alice seat 6 USD
          losses alice 30 USD
          receivable alice seat -60 USD
    """)
    assert books.lots == []


def test_access_that_comes_back_is_earned_at_once_for_the_days_that_passed() -> None:
    """365.00 for 2027; 73.00 back on 1 February: 66.80 and 6.20; undone on 1 April.

    Of 66.80, for 334 days, 59 have passed: 11.80. The lot then holds 275.00 for 275 days.
    """
    events = [
        subscription("2027-01-01", "alice", "seat", id="s"),
        money_refund("2027-02-01", "alice", "73 USD", "s/2027-01-01", id="r"),
        reversal("2027-04-01", "r"),
    ]
    books = book(events, terms(YEAR._replace(since=YEAR.since)))
    lot = "ACCESS-USD {1 USD, 2027-01-01, seat/2028-01-01}"
    assert back(books) == text(f"""
        2027-02-01 money-refund alice
          access alice 66.8 {lot}
          refunds alice seat 6.2 USD
          payable alice -73 USD
        2027-04-01 reversal alice
          access alice -66.8 {lot}
          refunds alice seat -6.2 USD
          payable alice 73 USD
    """)
    assert (
        shown(books, "access").splitlines()[-3:]
        == text(f"""
        2027-04-01 access alice
          access alice 11.8 {lot}
          access-revenue alice seat -11.8 USD
    """).splitlines()
    )
    assert lots_shown(books) == [f"access alice 275 {lot}"]


def test_access_is_earned_up_to_the_day_before_money_goes_back() -> None:
    """31.00 for January: 10.00 are earned by the 11th; half of 21.00 is voided, and 5.00."""
    events = [
        one_period("2026-01-01", "alice", "seat", id="x"),
        money_refund("2026-01-11", "alice", "15.50 USD", "x", id="r"),
        reversal("2026-01-21", "r", id="undo"),
    ]
    agreed = terms(seat("31 USD"), as_of="2026-01-31")
    lot = "ACCESS-USD {1 USD, 2026-01-01, seat/2026-02-01}"
    books = book(events, agreed)
    assert shown(books, "access", "money-refund", "reversal") == text(f"""
        2026-01-11 access alice
          access alice 10 {lot}
          access-revenue alice seat -10 USD
        2026-01-11 money-refund alice
          access alice 10.5 {lot}
          refunds alice seat 5 USD
          payable alice -15.5 USD
        2026-01-21 reversal alice
          access alice -10.5 {lot}
          refunds alice seat -5 USD
          payable alice 15.5 USD
        2026-01-21 access alice
          access alice 5 {lot}
          access-revenue alice seat -5 USD
        2026-01-21 access alice
          access alice 5 {lot}
          access-revenue alice seat -5 USD
        2026-01-31 access alice
          access alice 11 {lot}
          access-revenue alice seat -11 USD
    """)
    assert len({each.id for each in books.journal}) == len(books.journal)


def test_access_that_comes_back_behind_its_end_is_all_earned() -> None:
    events = [
        one_period("2026-01-01", "alice", "seat", id="x"),
        money_refund("2026-01-11", "alice", "31 USD", "x", id="r"),
        reversal("2026-03-10", "r"),
    ]
    books = book(events, terms(seat("31 USD")))
    assert messages(books) == []
    assert books.lots == []
    assert income(books, "access-revenue") == "31"
    assert income(books, "refunds") == "0"


def test_even_months_that_passed_meanwhile_are_earned_at_once() -> None:
    """120.00 over ten months; all back on 15 March, with March's share; undone on 20 May.

    108.00 - 12.00 = 96.00 for eight months from March on: March and April are 24.00.
    """
    events = [
        subscription("2026-01-01", "alice", "seat", id="s"),
        money_refund("2026-03-15", "alice", "120 USD", "s/2026-01-01", id="r"),
        reversal("2026-05-20", "r"),
    ]
    books = book(events, terms(TEN, as_of="2026-05-31"))
    assert income(books, "access-revenue") == "60"  # five months
    assert deferred(books) == "60"
    early = [*events[:2], reversal("2026-03-20", "r")]
    books = book(early, terms(TEN, as_of="2026-03-31"))
    assert income(books, "access-revenue") == "36"


def test_two_that_share_a_lot_have_each_their_part_of_what_is_left() -> None:
    """Twice 100 CU at 0.20; 100 of 200 are used. Of a's 50 half is voided: 25, and 5.00.

    Of the 75 left 25 are a's, so the rest of a is 5.00 and 5.00; b's 50 stay.
    """
    events = [
        top_up("2026-05-02", "alice", "100 CU", "20 USD", id="b", time="09:00"),
        top_up("2026-05-02", "alice", "100 CU", "20 USD", id="a", time="10:00"),
        top_up("2026-05-02", "alice", "100 CU", "21 USD", id="c", time="11:00"),
        consumption("2026-05-10", "alice", "100 CU"),
        money_refund("2026-05-11", "alice", "10 USD", "a"),
        money_refund("2026-05-12", "alice", "10 USD", "a"),
        money_refund("2026-05-13", "alice", "20 USD", "b"),
    ]
    books = book(events)
    voided = "tokens alice {} CU {{0.2 USD, 2026-05-02, top-up}}"
    shown_back = back(books).splitlines()
    assert shown_back[1::4] == [f"  {voided.format(each)}" for each in (25, 25, 50)]
    assert shown_back[2::4] == [f"  refunds alice top-up {each} USD" for each in (5, 5, 10)]
    assert messages(books) == []


def test_what_was_sold_of_a_shared_lot_is_both_their_s() -> None:
    """Of 100 CU sold, 50 are a's: 10.00."""
    events = [
        top_up("2026-05-02", "alice", "100 CU", "20 USD", id="a"),
        top_up("2026-05-02", "alice", "100 CU", "20 USD", id="b"),
        BOB,
        trade("2026-05-10", "alice", "bob", "100 CU", "1 USD"),
        chargeback("2026-05-11", "a"),
    ]
    books = book(events)
    assert back(books) == text("""
        2026-05-11 chargeback alice
          tokens alice 50 CU {0.2 USD, 2026-05-02, top-up}
          losses alice 10 USD
          receivable alice top-up -20 USD
    """)


def test_seats_of_one_day_share_their_access() -> None:
    """Two of 30.00 for April. Half of one goes back on the 16th: 7.50 of its 15.00; the rest on the
    21st: of 15.00 left then a third is its own."""
    seats = [one_period("2026-04-01", "alice", "seat", id=each) for each in ("a", "b")]
    events = [
        *seats,
        money_refund("2026-04-16", "alice", "15 USD", "a"),
        money_refund("2026-04-21", "alice", "15 USD", "a"),
    ]
    books = book(events, terms(seat("30 USD"), as_of="2026-04-30"))
    voided = [line for line in back(books).splitlines() if "ACCESS" in line]
    lot = "ACCESS-USD {1 USD, 2026-04-01, seat/2026-05-01}"
    assert voided == [f"  access alice 7.5 {lot}", f"  access alice 5 {lot}"]
    assert income(books, "refunds") == "-17.5"
    assert income(books, "access-revenue") == "47.5"  # 30.00 by the 15th, 7.50, and b's 10.00


def test_units_that_were_given_back_count_too() -> None:
    """100 CU back for 20.00: 180.00 are left of 200.00, and no more can go back."""
    events = [
        TOP_1,
        refund("2026-05-03", "alice", "100 CU", id="units"),
        money_refund("2026-05-04", "alice", "180.01 USD", "top-1", line=1, time="08:00"),
        money_refund("2026-05-04", "alice", "90 USD", "top-1", time="09:00"),
        reversal("2026-05-05", "units"),
        money_refund("2026-05-06", "alice", "110.01 USD", "top-1", line=2),
        chargeback("2026-05-07", "top-1"),
    ]
    books = book(events)
    of = 'left of what "top-1" cost: write at most that; what is given beyond it is no refund'
    assert messages(books) == [
        f"1: a refund of 180.01 USD, where 180 USD are {of}",
        f"2: a refund of 110.01 USD, where 110 USD are {of}",
    ]
    assert back(books) == text("""
        2026-05-04 money-refund alice
          tokens alice 450 CU {0.2 USD, 2026-05-02, top-up}
          payable alice -90 USD
        2026-05-05 reversal alice
          tokens alice -100 CU {0.2 USD, 2026-05-02, top-up}
          payable alice top-up 20 USD
        2026-05-07 chargeback alice
          tokens alice 550 CU {0.2 USD, 2026-05-02, top-up}
          receivable alice top-up -110 USD
    """)


def test_units_given_back_of_a_shared_lot_count_for_both() -> None:
    """40 of 200 CU back for 8.00: 4.00 for each, so 16.00 are left of a. Other lots don't count."""
    events = [
        top_up("2026-05-02", "alice", "100 CU", "20 USD", id="a"),
        top_up("2026-05-02", "alice", "100 CU", "20 USD", id="b"),
        top_up("2026-05-03", "alice", "100 CU", "30 USD"),
        refund("2026-05-04", "alice", "40 CU"),
        refund("2026-05-05", "alice", "200 CU"),
        write_off("2026-05-06", "a", line=3),
    ]
    books = book(events[:4] + events[5:])
    assert income(books, "receivable") == "-54"
    books = book(events)
    assert messages(books) == ['3: nothing is left of "a": all that it cost went back']


def test_a_recovery_is_income_and_of_a_write_off_first_less_bad_debt() -> None:
    """90.00 for three months, 31.00 earned: bad debt 31.00, so 59.00 of 90.00 are recovered."""
    events = [
        one_period("2026-01-01", "alice", "seat", id="x"),
        write_off("2026-02-01", "x", id="w"),
        recovery("2026-04-01", "w", paid="20 USD", id="r"),
        recovery("2026-04-02", "w"),
    ]
    books = book(events, terms(seat(every="quarter")))
    assert shown(books, "write-off", "recovery") == text("""
        2026-02-01 write-off alice
          access alice 59 ACCESS-USD {1 USD, 2026-01-01, seat/2026-04-01}
          bad-debt alice seat 31 USD
          receivable alice seat -90 USD
        2026-04-01 recovery alice
          receivable alice seat 20 USD
          bad-debt alice seat -20 USD
        2026-04-02 recovery alice
          receivable alice seat 70 USD
          bad-debt alice seat -11 USD
          recoveries alice -59 USD
    """)
    undone = [*events[:3], reversal("2026-04-02", "r"), recovery("2026-04-03", "w")]
    books = book(undone, terms(seat(every="quarter")))
    assert income(books, "recoveries") == "59"
    assert income(books, "bad-debt") == "0"


def test_a_chargeback_that_was_lost_and_won() -> None:
    events = [*SOLD, chargeback("2026-07-15", "top-1", id="cb-1"), recovery("2026-08-20", "cb-1")]
    assert shown(book(events), "recovery") == text("""
        2026-08-20 recovery alice
          receivable alice top-up 200 USD
          recoveries alice -200 USD
    """)


def test_a_dispute_that_is_won_with_the_units_is_a_reversal() -> None:
    """The very lot comes back; and what went back of "top-1" did not."""
    events = [
        *SOLD,
        chargeback("2026-07-15", "top-1", id="cb-1"),
        reversal("2026-08-20", "cb-1"),
        chargeback("2026-09-01", "top-1"),
    ]
    books = book(events)
    assert messages(books) == []
    assert back(books).split("2026-08-20 ")[1] == text("""
        reversal alice
          tokens alice -300 CU {0.2 USD, 2026-05-02, top-up}
          disputes alice top-up -40 USD
          losses alice -100 USD
          receivable alice top-up 200 USD
        2026-09-01 chargeback alice
          tokens alice 300 CU {0.2 USD, 2026-05-02, top-up}
          disputes alice top-up 40 USD
          losses alice 100 USD
          receivable alice top-up -200 USD
    """)
    (entry,) = [each for each in books.journal if each.undoes]
    assert entry.back is not None
    assert (str(entry.back.amount), str(entry.back.moved_on)) == ("-200.00", "-100.00")


WRONG: dict[str, tuple[list[Event], str]] = {
    "no such allocation": (
        [chargeback("2026-05-03", "top-2", line=9)],
        (
            'no allocation "top-2" was booked on or before 2026-05-03: write the id of a period '
            '(SUBSCRIPTION-ID/FIRST-DAY), a single allocation or a top-up; did you mean "top-1"?'
        ),
    ),
    "one that comes later": (
        [chargeback("2026-05-01", "top-1", line=9)],
        (
            'no allocation "top-1" was booked on or before 2026-05-01: write the id of a period '
            "(SUBSCRIPTION-ID/FIRST-DAY), a single allocation or a top-up"
        ),
    ),
    "something else": (
        [grant("2026-05-02", "alice", "1 CU", id="g"), write_off("2026-05-03", "g", line=9)],
        '"g" is a grant: write the id of the period, single allocation or top-up that was paid for',
    ),
    "what was reversed": (
        [reversal("2026-05-03", "top-1"), chargeback("2026-05-04", "top-1", line=9)],
        '"top-1" is reversed: nothing of it can go back',
    ),
    "nothing left": (
        [chargeback("2026-05-03", "top-1"), write_off("2026-05-04", "top-1", line=9)],
        'nothing is left of "top-1": all that it cost went back',
    ),
    "another's": (
        [money_refund("2026-05-03", "bob", "1 USD", "top-1", line=9)],
        '"top-1" is an allocation of "alice": write "alice", or the id of one of "bob"',
    ),
    "another currency": (
        [chargeback("2026-05-03", "top-1", paid="1 EUR", line=9)],
        'wrong currency: "top-1" was paid in USD: write an amount of USD',
    ),
    "too much": (
        [money_refund("2026-05-03", "alice", "200.01 USD", "top-1", line=9)],
        (
            'a refund of 200.01 USD, where 200 USD are left of what "top-1" cost: write at most '
            "that; what is given beyond it is no refund"
        ),
    ),
    "too little": (
        [money_refund("2026-05-03", "alice", "0.001 USD", "top-1", line=9)],
        "0.001 USD rounds to zero: write more",
    ),
    "an allocation of which something went back": (
        [
            money_refund("2026-05-03", "alice", "1 USD", "top-1", id="r"),
            reversal("2026-05-04", "top-1", line=9),
        ],
        '"top-1" has "r" behind it: reverse that first',
    ),
    "nothing to recover": (
        [recovery("2026-05-03", "cb", line=9)],
        'nothing to recover: no chargeback or write-off "cb" was booked on or before 2026-05-03',
    ),
    "what can't be recovered": (
        [recovery("2026-05-03", "top-1", line=9)],
        '"top-1" is of another kind (allocation): write the id of a chargeback or a write-off',
    ),
    "what can't be recovered, of two words": (
        [
            money_refund("2026-05-03", "alice", "1 USD", "top-1", id="r"),
            recovery("2026-05-04", "r", line=9),
        ],
        '"r" is of another kind (refund of money): write the id of a chargeback or a write-off',
    ),
    "what was undone": (
        [
            chargeback("2026-05-03", "top-1", id="cb"),
            reversal("2026-05-04", "cb"),
            recovery("2026-05-05", "cb", line=9),
        ],
        '"cb" is reversed: nothing of it is left to recover',
    ),
    "what is recovered": (
        [
            chargeback("2026-05-03", "top-1", id="cb"),
            recovery("2026-05-04", "cb"),
            recovery("2026-05-05", "cb", line=9),
        ],
        '"cb" is recovered already: remove this line',
    ),
    "a recovery in another currency": (
        [
            chargeback("2026-05-03", "top-1", id="cb"),
            recovery("2026-05-04", "cb", paid="1 EUR", line=9),
        ],
        'wrong currency: "cb" is of USD: write USD',
    ),
    "a recovery of nothing": (
        [
            chargeback("2026-05-03", "top-1", id="cb"),
            recovery("2026-05-04", "cb", paid="0.001 USD", line=9),
        ],
        "0.001 USD rounds to zero: write more",
    ),
    "a recovery of more": (
        [
            chargeback("2026-05-03", "top-1", id="cb"),
            recovery("2026-05-04", "cb", paid="201 USD", line=9),
        ],
        (
            'a recovery of 201 USD, where 200 USD are left of "cb": write at most that; interest '
            "and the like is booked by hand"
        ),
    ),
    "a chargeback of which something was recovered": (
        [
            chargeback("2026-05-03", "top-1", id="cb"),
            recovery("2026-05-04", "cb", paid="1 USD", id="r"),
            reversal("2026-05-05", "cb", line=9),
        ],
        '"cb" has "r" behind it: reverse that first',
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_can_t_go_back_is_refused(name: str) -> None:
    events, message = WRONG[name]
    assert messages(book([TOP_1, BOB, *events])) == [f"9: {message}"]


def test_what_cost_nothing_has_nothing_to_give_back() -> None:
    free: Plan = plan("free", "0 USD", "10 CU")
    events = [one_period("2026-05-01", "alice", "free", id="x"), write_off("2026-05-02", "x")]
    assert messages(book(events, terms(free))) == ['0: nothing is left of "x": it cost nothing']


def test_corrections_of_one_day_see_one_another() -> None:
    """All on one day: the chargeback, its reversal behind it, and then another."""
    events = [
        TOP_1,
        chargeback("2026-05-02", "top-1", id="cb", time="10:00"),
        reversal("2026-05-02", "cb", time="12:00"),
        consumption("2026-05-02", "alice", "1 CU"),
        money_refund("2026-05-02", "alice", "200 USD", "top-1", id="r", time="11:00"),
    ]
    books = book(events)
    assert messages(books) == []
    assert deferred(books) == "0"
    assert income(books, "refunds") == "-0.2"


def test_access_is_earned_until_the_day_before_whatever_the_as_of_day() -> None:
    """365.00 for a year, all charged back on 17 January, with which the books end: 16.00 earned."""
    books = book(
        [
            subscription("2027-01-01", "alice", "seat", id="s"),
            chargeback("2027-01-17", "s/2027-01-01"),
        ],
        terms(YEAR),
    )
    assert shown(books, "access", "chargeback") == text("""
        2027-01-17 access alice
          access alice 16 ACCESS-USD {1 USD, 2027-01-01, seat/2028-01-01}
          access-revenue alice seat -16 USD
        2027-01-17 chargeback alice
          access alice 349 ACCESS-USD {1 USD, 2027-01-01, seat/2028-01-01}
          disputes alice seat 16 USD
          receivable alice seat -365 USD
    """)


def test_one_of_two_that_was_reversed_has_no_part_of_what_is_held() -> None:
    twins = [top_up("2026-05-02", "alice", "1000 CU", "200 USD", id=name) for name in ("a", "b")]
    undone = reversal("2026-05-02", "a")
    books = book([*twins, undone, chargeback("2026-05-03", "b", paid="100 USD")])
    assert (
        back(books).splitlines()[-3:]
        == text("""
        2026-05-03 chargeback alice
          tokens alice 500 CU {0.2 USD, 2026-05-02, top-up}
          receivable alice top-up -100 USD
    """).splitlines()
    )
    books = book([*twins, undone, chargeback("2026-05-03", "b")])
    assert books.lots == []


def test_of_one_day_what_names_no_amount_stands_first() -> None:
    """All of "b" is written off, and then 20.00 of "a"."""
    twins = [top_up("2026-05-02", "alice", "1000 CU", "200 USD", id=name) for name in ("a", "b")]
    events = [*twins, write_off("2026-06-01", "a", paid="20 USD"), write_off("2026-06-01", "b")]
    books = book(events)
    paid = [entry.event.of for entry in books.journal if entry.event and entry.kind == "write-off"]
    assert paid == ["b", "a"]
    assert back(book(events[::-1])) == back(books)


def test_money_that_goes_back_needs_an_allocation_to_name() -> None:
    """An amount of money without `of` is no refund of units."""
    events = [TOP_1, refund("2026-05-03", "alice", "20 USD", line=9)]
    agreed = terms()._replace(money=frozenset(["USD"]))
    assert messages(book(events, agreed)) == [
        (
            "9: a refund of USD, which is money: write as `of` the id of the allocation that it is "
            "for, or write units"
        )
    ]


def test_other_lots_and_other_refunds_count_for_nothing() -> None:
    """Of two seats and three top-ups of a day only those that are named, whatever the order; what
    is too small to void is all contra revenue."""
    events = [
        top_up("2026-05-02", "alice", "100 CU", "5 USD", time="08:00"),
        top_up("2026-05-02", "alice", "100 CU", "20 USD", id="x", time="09:00"),
        one_period("2026-05-02", "alice", "seat"),
        one_period("2026-05-02", "alice", "other", id="y"),
        top_up("2026-05-03", "alice", "1 CU", "0.01 USD"),
        refund("2026-05-04", "alice", "1 CU"),
        money_refund("2026-05-20", "alice", "20 USD", "x"),
        consumption("2026-06-01", "alice", "50 CU"),
        money_refund("2026-06-02", "alice", "0.01 USD", "y"),
    ]
    agreed = terms(
        seat("31 USD"),
        seat("31 USD", "other"),
        draw_down={"2026-01-01": "lofo", "2026-05-20": "hifo"},
        as_of="2026-06-02",
    )
    books = book(events, agreed)
    assert messages(books) == []
    lot = "ACCESS-USD {1 USD, 2026-05-02, other/2026-06-02}"
    assert back(books) == text("""
        2026-05-20 money-refund alice
          tokens alice 100 CU {0.2 USD, 2026-05-02, top-up}
          payable alice -20 USD
        2026-06-02 money-refund alice
          refunds alice other 0.01 USD
          payable alice -0.01 USD
    """)
    early = [*events[:7], money_refund("2026-05-30", "alice", "0.10 USD", "y")]
    assert back(book(early, agreed)).splitlines()[3:] == [
        "2026-05-30 money-refund alice",
        f"  access alice 0.01 {lot}",
        "  refunds alice other 0.09 USD",
        "  payable alice -0.1 USD",
    ]
    tiny = [*events[:7], money_refund("2026-05-30", "alice", "0.01 USD", "y")]
    assert income(book(tiny, agreed), "refunds") == "-0.01"


def test_a_day_is_tried_with_what_went_back_so_far() -> None:
    """A top-up of the day whose reversal would leave the refund without an allocation: it stands
    behind the refund, and is refused."""
    events = [
        *SOLD,
        chargeback("2026-06-19", "top-1", paid="10 USD", id="cb"),
        recovery("2026-06-19", "cb", paid="1 USD"),
        top_up("2026-06-20", "alice", "10 CU", "2 USD", id="x"),
        money_refund("2026-06-20", "alice", "1 USD", "x", id="r"),
        reversal("2026-06-20", "x", line=9),
    ]
    books = book(events)
    assert messages(books) == ['9: "x" has "r" behind it: reverse that first']


def test_what_went_back_in_closed_months_goes_on() -> None:
    """The next month goes on from the entries of those before: the same as all at once."""
    may = [
        top_up("2026-05-02", "alice", "100 CU", "20 USD", id="a", time="09:00"),
        top_up("2026-05-02", "alice", "100 CU", "20 USD", id="b", time="10:00"),
        top_up("2026-05-02", "alice", "100 CU", "30 USD", id="c"),
        BOB,
        trade("2026-05-03", "alice", "bob", "50 CU", "1 USD"),
        money_refund("2026-05-04", "alice", "5 USD", "a"),
        money_refund("2026-05-04", "alice", "5 USD", "c"),
        chargeback("2026-05-05", "b", paid="5 USD", id="cb"),
        recovery("2026-05-06", "cb", paid="1 USD"),
    ]
    june = [chargeback("2026-06-01", "a"), recovery("2026-06-02", "cb")]
    whole = book([*may, *june])
    closed = Bookkeeper(Facts(may, asked=frozenset(["a", "cb"])), terms(), str, ends=[day(MAY)])
    past = MoneyBack(["a", "cb"])
    for entry in closed.entries():
        past.note(entry)
    state = closed.states[day(MAY)]._replace(undo=closed.undo, money_back=past)
    again = Bookkeeper(Facts(june), terms(), str, state)
    found = [*again.entries()]
    assert again.refusals == []
    assert [entry_text(entry) for entry in found] == [
        entry_text(entry) for entry in whole.journal[-2:]
    ]


def test_what_is_voided_whole_has_nothing_left_of_a_shared_lot() -> None:
    """Half of a's 100 CU goes back and the other half is void; b's 100 CU stay b's."""
    events = [
        top_up("2026-05-02", "alice", "100 CU", "20 USD", id="a"),
        top_up("2026-05-02", "alice", "100 CU", "20 USD", id="b"),
        write_off("2026-05-03", "a", paid="10 USD", void="true"),
        write_off("2026-05-04", "a"),
        write_off("2026-05-05", "b"),
    ]
    voided = "tokens alice {} CU {{0.2 USD, 2026-05-02, top-up}}"
    lines = [line.strip() for line in back(book(events)).splitlines() if "tokens" in line]
    assert lines == [voided.format(100), voided.format(100)]


CHANGED = [
    subscription("2026-04-01", "bob", id="s"),
    consumption("2026-04-10", "bob", "900 CU"),
    change("2026-04-21", "bob", "pro", "max", id="c"),
]
STATED = [
    *CHANGED[:2],
    CHANGED[2]._replace(charge=Decimal("166.67"), credit=Decimal("66.67"), currency="USD"),
]


LITTLE = [
    *CHANGED[:2],
    CHANGED[2]._replace(charge=Decimal("100"), credit=Decimal("10"), currency="USD"),
]


@pytest.mark.parametrize(
    ("events", "old", "voided", "rest", "charged"),
    [
        (CHANGED, "180", "0.16667", "0", "166.67"),  # 20.00 of 200.00 were credited
        # as the invoice says; 120.00 of 166.67 are deferred
        (STATED, "133.33", "0.12", "46.67", "166.67"),
        # 20.00 and 90.00 more are deferred: of the 20.00 it credits 10.00
        (LITTLE, "190", "0.11", "-10", "100"),
    ],
)
def test_what_a_change_credits_counts_and_its_short_period_can_go_back(
    events: list[Event], old: str, voided: str, rest: str, charged: str
) -> None:
    """Of the old period nothing is held; the short one of max is 1,000 CU for what it charged."""
    agreed = terms(plan(), plan("max", "500 USD", "3000 CU"))
    late = [chargeback("2026-04-22", "s/2026-04-01"), chargeback("2026-04-23", "c")]
    books = book([*events, *late], agreed)
    assert messages(books) == []
    lines = back(books).splitlines()
    assert lines[:3] == [
        "2026-04-22 chargeback bob",
        f"  disputes bob pro {old} USD",
        f"  receivable bob pro -{old} USD",
    ]
    lot = f"allocations bob 1000 CU {{{voided} USD, 2026-04-21, max/2026-05-01}}"
    contra = [f"  disputes bob max {rest} USD"] if rest != "0" else []
    assert lines[3:] == [
        "2026-04-23 chargeback bob",
        f"  {lot}",
        *contra,
        f"  receivable bob max -{charged} USD",
    ]


def test_a_second_change_credits_the_short_period_of_the_first() -> None:
    """90.00 a month; on the 11th 60.00 come back, and plus is 80.00; on the 21st 40.00 of these do,
    and basic is 30.00."""
    seats = terms(seat("90 USD", "basic"), seat("120 USD", "plus"))
    events = [
        subscription("2026-04-01", "alice", "basic", id="s"),
        change("2026-04-11", "alice", "basic", "plus", id="c-1"),
        change("2026-04-21", "alice", "plus", "basic", id="c-2"),
        money_refund("2026-04-22", "alice", "60 USD", "s/2026-04-01", line=1),
        money_refund("2026-04-22", "alice", "40.01 USD", "c-1", line=2),
        money_refund("2026-04-23", "alice", "30 USD", "s/2026-04-01"),
        money_refund("2026-04-23", "alice", "30 USD", "c-2"),
    ]
    books = book(events, seats)
    assert [each.partition(' "')[0] for each in messages(books)] == [
        "2: a refund of 40.01 USD, where 40 USD are left of what",
        "1: a refund of 60 USD, where 30 USD are left of what",
    ]


def test_what_comes_back_of_a_changed_period_is_its_own() -> None:
    """Of 1,000 CU for 200.00 none were left to credit; the use of 400 is reversed: 80.00 of it."""
    events = [
        subscription("2026-04-01", "bob", id="s"),
        consumption("2026-04-02", "bob", "600 CU"),
        consumption("2026-04-03", "bob", "400 CU", id="u"),
        change("2026-04-21", "bob", "pro", "max", id="c"),
        reversal("2026-04-22", "u"),
        write_off("2026-04-23", "s/2026-04-01"),
    ]
    books = book(events, terms(plan(), plan("max", "500 USD", "3000 CU")))
    assert messages(books) == []
    assert back(books).splitlines()[-4:] == [
        "2026-04-23 write-off bob",
        "  allocations bob 400 CU {0.2 USD, 2026-04-01, pro/2026-05-01}",
        "  bad-debt bob pro 120 USD",
        "  receivable bob pro -200 USD",
    ]


def test_a_change_to_use_alone_gave_nothing_to_give_back() -> None:
    payg = plan("payg", "0 USD", "0 CU", overage="0.02 USD")._replace(lines=())
    events = [
        subscription("2026-04-01", "bob", id="s"),
        change("2026-04-21", "bob", "pro", "payg", id="c"),
        chargeback("2026-04-22", "c", line=9),
    ]
    assert messages(book(events, terms(plan(), payg))) == [
        '9: "c" deferred nothing: nothing of it can go back'
    ]


def test_a_change_that_credits_more_than_it_charges_and_was_left_deferred_nothing() -> None:
    """Of 90.00 30.00 are left; 10.00 less 40.00 are owed."""
    events = [
        subscription("2026-04-01", "bob", "basic", id="s"),
        change("2026-04-21", "bob", "basic", "plus", id="c", charge="10 USD", credit="40 USD"),
        money_refund("2026-04-22", "bob", "1 USD", "c", line=9),
    ]
    assert messages(book(events, terms(seat("90 USD", "basic"), seat("120 USD", "plus")))) == [
        '9: "c" deferred nothing: nothing of it can go back'
    ]


def test_of_what_shares_its_lot_a_reversal_takes_back_its_own_access() -> None:
    """Three seats of 30.00; one goes back on 16 April, 15.00 of it void; of the 30.00 left another
    has 15.00, which its reversal takes back, with 15.00 out of revenue; the third keeps its own."""
    seats = [one_period("2026-04-01", "alice", "seat", id=each) for each in ("a", "b", "c")]
    events = [
        *seats,
        money_refund("2026-04-16", "alice", "30 USD", "a"),
        reversal("2026-04-20", "b"),
    ]
    books = book(events, terms(seat("30 USD"), as_of="2026-04-30"))
    assert messages(books) == []
    assert shown(books, "reversal").splitlines()[1:] == [
        "  receivable alice seat -30 USD",
        "  access alice 15 ACCESS-USD {1 USD, 2026-04-01, seat/2026-05-01}",
        "  access-revenue alice seat 15 USD",
    ]
    assert income(books, "access-revenue") == "45"  # 15.00 of a, and c's 30.00
