"""Refunds: units given back at what they cost; reversals: an event undone, whole."""

from __future__ import annotations

from typing import Any

import pytest

from tests.economy.building import (
    at,
    book,
    by_hand,
    cause,
    consumption,
    deferred,
    grant,
    income,
    lots_shown,
    messages,
    one_period,
    plan,
    refund,
    reversal,
    shown,
    spend,
    subscription,
    terms,
    text,
    top_up,
    trade,
    transfer,
)

ALICE = top_up("2026-05-01", "alice", "100 CU", "20 USD", id="buy")


# Refunds


def test_units_go_back_at_what_they_cost() -> None:
    """40 x 0.20 = 8.00 to payable."""
    books = book([ALICE, refund("2026-06-15", "alice", "40 CU", id="r", line=3)])
    assert shown(books, "refund") == text("""
        2026-06-15 refund alice
          tokens alice 40 CU {0.2 USD, 2026-05-01, top-up}
          payable alice top-up -8 USD
    """)
    assert cause(books.journal[-1]) == ("r", at(3), "")
    assert deferred(books) == "12"


def test_the_sum_is_rounded_once_and_the_rest_goes_to_revenue() -> None:
    """20.00 / 3000 = 0.00666..: 2000 at 0.006667 and 1000 at 0.006666 (2000 x 0.006667 = 13.334,
    1000 x 0.006666 = 6.666). One unit of the cheaper: 0.006666 -> 0.01 owed, 0.003334 too much.

    1001 units of it: 6.666 + 0.006667 = 6.672667 -> 6.67, and 0.002667 stays with the operator.
    """
    buy = top_up("2026-05-01", "alice", "3000 CU", "20 USD")
    books = book([buy, refund("2026-06-15", "alice", "1 CU")])
    assert shown(books, "refund") == text("""
        2026-06-15 refund alice
          tokens alice 1 CU {0.006666 USD, 2026-05-01, top-up}
          payable alice top-up -0.01 USD
          revenue alice top-up 0.003334 USD
    """)
    books = book([buy, refund("2026-06-15", "alice", "1001 CU")])
    assert shown(books, "refund") == text("""
        2026-06-15 refund alice
          tokens alice 1000 CU {0.006666 USD, 2026-05-01, top-up}
          tokens alice 1 CU {0.006667 USD, 2026-05-01, top-up}
          payable alice top-up -6.67 USD
          revenue alice top-up -0.002667 USD
    """)


def test_the_sum_is_rounded_to_the_minor_unit_of_its_currency() -> None:
    """300 CU at 0.143 are 42.9: 43 JPY, with 0.1 less revenue, but 42.9 KWD."""
    for currency, owed, rest in (
        ("JPY", "-43", "revenue alice top-up 0.1 JPY"),
        ("KWD", "-42.9", ""),
    ):
        books = book(
            [
                top_up("2026-05-01", "alice", "1000 CU", f"143 {currency}"),
                refund("2026-06-15", "alice", "300 CU"),
            ]
        )
        assert shown(books, "refund").strip() == "\n".join(
            [
                "2026-06-15 refund alice",
                f"  tokens alice 300 CU {{0.143 {currency}, 2026-05-01, top-up}}",
                f"  payable alice top-up {owed} {currency}",
                *([f"  {rest}"] if rest else []),
            ]
        )


def test_a_refund_of_less_than_half_a_cent_pays_nothing() -> None:
    """4 x 0.001 = 0.004 -> 0.00: all of it to revenue, no payable of zero."""
    buy = top_up("2026-05-01", "alice", "1000 CU", "1 USD")
    books = book([buy, refund("2026-06-15", "alice", "4 CU")])
    assert shown(books, "refund") == text("""
        2026-06-15 refund alice
          tokens alice 4 CU {0.001 USD, 2026-05-01, top-up}
          revenue alice top-up -0.004 USD
    """)


def test_tokens_go_before_allocations_and_grants_never() -> None:
    """5 tokens at 0.20, then 3 of the plan at 0.50; the free units, which end first, stay."""
    events = [
        grant("2026-05-01", "alice", "50 CU", expires="2026-07-01"),
        top_up("2026-05-01", "alice", "5 CU", "1 USD"),
        one_period("2026-06-10", "alice"),
        refund("2026-06-15", "alice", "8 CU"),
    ]
    agreed = terms(plan(price="5 USD", units="10 CU"))
    assert shown(book(events, agreed), "refund") == text("""
        2026-06-15 refund alice
          tokens alice 5 CU {0.2 USD, 2026-05-01, top-up}
          allocations alice 3 CU {0.5 USD, 2026-06-10, pro/2026-07-10}
          payable alice top-up -2.5 USD
    """)


def test_each_currency_is_rounded_and_owed_for_itself() -> None:
    """3 at 0.005 USD = 0.015 -> 0.02 (half-even), 2 at 0.005 EUR = 0.01."""
    events = [
        top_up("2026-05-01", "alice", "2 CU", "0.01 EUR"),
        top_up("2026-05-02", "alice", "4 CU", "0.02 USD"),
        refund("2026-06-15", "alice", "5 CU"),
    ]
    assert shown(book(events), "refund") == text("""
        2026-06-15 refund alice
          tokens alice 2 CU {0.005 EUR, 2026-05-01, top-up}
          tokens alice 3 CU {0.005 USD, 2026-05-02, top-up}
          payable alice top-up -0.01 EUR
          payable alice top-up -0.02 USD
          revenue alice top-up 0.005 USD
    """)


@pytest.mark.parametrize(
    ("units", "held"),
    [
        ("101 CU", "100 CU that were paid for: write at most that"),
        ("151 CU", "100 CU that were paid for: write at most that"),
        (
            "1 GPU",
            (
                "0 GPU that were paid for: check the name, the units and the date; what was "
                "granted can't be given back"
            ),
        ),
    ],
)
def test_no_more_than_was_paid_for_is_refunded(units: str, held: str) -> None:
    """50 free units do not count."""
    books = book(
        [ALICE, grant("2026-05-01", "alice", "50 CU"), refund("2026-06-15", "alice", units)]
    )
    assert messages(books) == [f'0: "alice" gives back {units} and holds {held}']


def test_unknown_subscribers_get_no_refund() -> None:
    """Nor does someone who becomes known later."""
    (message,) = messages(book([refund("2026-04-30", "alice", "1 CU"), ALICE]))
    assert 'unknown subscriber "alice"' in message


# Reversals


KNOWN = [grant("2026-05-01", "bob", "1 CU")]


REVERSED: dict[str, tuple[list[Any], str]] = {
    "a top-up": (
        [top_up("2026-06-01", "alice", "5 CU", "2 USD", id="x")],
        """
        2026-06-10 reversal alice
          receivable alice top-up -2 USD
          tokens alice 5 CU {0.4 USD, 2026-06-01, top-up}
        """,
    ),
    "a period of an allocation": (
        [one_period("2026-06-01", "alice", id="x")],
        """
        2026-06-10 reversal alice
          receivable alice pro -200 USD
          allocations alice 1000 CU {0.2 USD, 2026-06-01, pro/2026-07-01}
        """,
    ),
    "a grant": (
        [grant("2026-06-01", "alice", "5 CU", id="x")],
        """
        2026-06-10 reversal alice
          allocations alice 5 CU {0 USD, 2026-06-01, grant}
        """,
    ),
    "a use": (
        [consumption("2026-06-01", "alice", "5 CU", id="x")],
        """
        2026-06-10 reversal alice
          tokens alice -5 CU {0.2 USD, 2026-05-01, top-up}
          revenue alice top-up 1 USD
        """,
    ),
    "a trade": (
        [trade("2026-06-01", "alice", "bob", "5 CU", "1 USD", id="x")],
        """
        2026-06-10 reversal alice
          tokens alice -5 CU {0.2 USD, 2026-05-01, top-up} @ 1 USD
          tokens bob 5 CU {0.2 USD, 2026-05-01, top-up} @ 1 USD
          receivable bob -5.05 USD
          payable alice 4.5 USD
          fees alice 0.5 USD
          fees bob 0.05 USD
        """,
    ),
    "a transfer": (
        [transfer("2026-06-01", "alice", "bob", "5 CU", id="x")],
        """
        2026-06-10 reversal alice
          tokens alice -5 CU {0.2 USD, 2026-05-01, top-up}
          tokens bob 5 CU {0.2 USD, 2026-05-01, top-up}
        """,
    ),
    "a spend": (
        [spend("2026-06-01", "alice", "shop", "5 CU", "0.90 USD", id="x")],
        """
        2026-06-10 reversal alice
          tokens alice -5 CU {0.2 USD, 2026-05-01, top-up}
          partner alice shop 0.9 USD
          partner-income alice 0.1 USD
        """,
    ),
    "a refund": (
        [refund("2026-06-01", "alice", "5 CU", id="x")],
        """
        2026-06-10 reversal alice
          tokens alice -5 CU {0.2 USD, 2026-05-01, top-up}
          payable alice top-up 1 USD
        """,
    ),
}


@pytest.mark.parametrize("name", REVERSED)
def test_a_reversal_is_the_mirror_image_and_restores_the_very_lots(name: str) -> None:
    """Of every kind that can be undone, on the reversal's day; fees and partner income go too."""
    undone, expected = REVERSED[name]
    agreed = terms(plan(), seller_fee="0.1", buyer_fee="0.01")
    before = book([ALICE, *KNOWN, grant("2026-06-10", "zoe", "1 CU")], agreed)
    undo = reversal("2026-06-10", "x", id="undo", line=7)
    books = book([ALICE, *KNOWN, *undone, undo, grant("2026-06-10", "zoe", "1 CU")], agreed)
    assert messages(books) == []
    assert shown(books, "reversal") == text(expected)
    assert lots_shown(books) == lots_shown(before)
    (entry,) = [each for each in books.journal if each.kind == "reversal"]
    (first,) = [each for each in books.journal if each.id == "x"]
    assert cause(entry) == ("undo", at(7), "")
    assert entry.undoes == first.kind
    assert entry.narration == f"Reversal of {first.narration}"


def test_a_period_of_a_subscription_is_reversed_by_its_derived_id() -> None:
    """`<subscription id>/<first day>` (manual/language.md, section 3); the other periods stand."""
    events = [
        subscription("2026-05-01", "alice", id="s"),
        reversal("2026-06-10", "s/2026-06-01"),
    ]
    books = book(events, terms(plan(unused="rollover")))
    assert messages(books) == []
    assert lots_shown(books) == ["allocations alice 1000 CU {0.2 USD, 2026-05-01, pro}"]


def test_a_reversal_undoes_what_was_booked_whatever_the_terms_are_by_then() -> None:
    """The fee is 10 % on the day of the trade and 50 % on that of the reversal: 0.50 goes back."""
    agreed = terms(seller_fee={"2026-01-01": "0.1", "2026-06-05": "0.5"})
    events = [
        ALICE,
        *KNOWN,
        trade("2026-06-01", "alice", "bob", "5 CU", "1 USD", id="x"),
        reversal("2026-06-10", "x"),
    ]
    books = book(events, agreed)
    assert income(books, "fees") == "0"
    assert income(books, "payable") == "0"


@pytest.mark.parametrize(
    ("events", "message"),
    [
        (
            [reversal("2026-04-30", "buy", line=9)],
            (
                '9: nothing to reverse: no event "buy" was booked on or before 2026-04-30, '
                "or it is of a kind that can't be reversed"
            ),
        ),
        (
            [reversal("2026-05-01", "nothing", line=9)],
            (
                '9: nothing to reverse: no event "nothing" was booked on or before 2026-05-01, '
                "or it is of a kind that can't be reversed"
            ),
        ),
        (
            [reversal("2026-05-02", "buy", id="1"), reversal("2026-05-03", "buy", id="2", line=9)],
            '9: event "buy" is reversed already: remove this line',
        ),
        (  # a reversal can't be reversed
            [reversal("2026-05-02", "buy", id="1"), reversal("2026-05-03", "1", line=9)],
            (
                '9: nothing to reverse: no event "1" was booked on or before 2026-05-03, '
                "or it is of a kind that can't be reversed"
            ),
        ),
        (  # nor a subscription as a whole
            [subscription("2026-05-02", "alice", id="s"), reversal("2026-05-03", "s", line=9)],
            (
                '9: nothing to reverse: no event "s" was booked on or before 2026-05-03, '
                "or it is of a kind that can't be reversed"
            ),
        ),
        (  # nor an event that was refused
            [
                consumption("2026-05-02", "alice", "999 CU", id="c", flaw="refused"),
                reversal("2026-05-03", "c", line=9),
            ],
            (
                '9: nothing to reverse: no event "c" was booked on or before 2026-05-03, '
                "or it is of a kind that can't be reversed"
            ),
        ),
        (  # what was given must still be there
            [consumption("2026-05-02", "alice", "1 CU"), reversal("2026-05-03", "buy", line=9)],
            (
                '9: 100 CU of the lot "top-up" of 2026-05-01 would have to come back from "alice", '
                "who holds 99 CU of it: reverse what used them first"
            ),
        ),
        (  # some of it, also where none is left
            [consumption("2026-05-02", "alice", "100 CU"), reversal("2026-05-03", "buy", line=9)],
            (
                '9: 100 CU of the lot "top-up" of 2026-05-01 would have to come back from "alice", '
                "who holds 0 CU of it: reverse what used them first"
            ),
        ),
    ],
)
def test_what_can_t_be_reversed_is_refused(events: list[Any], message: str) -> None:
    """Once, not before its day, and only while what it gave is still there
    (manual/language.md, section 5)."""
    books = book([ALICE, *events], terms(plan()))
    assert message in messages(books)


def test_mints_and_expiries_can_t_be_reversed() -> None:
    """They come from a policy; their ids are no event's."""
    events = [
        top_up("2026-05-01", "a", "5 CU", "1 USD", expires="2026-06-01"),
        subscription("2026-05-01", "a", id="s"),
        grant("2026-06-01", "a", "1 CU"),
    ]
    derived = [e.id for e in book(events, terms(plan(unused="mint"))).journal if e.event is None]
    undo = [reversal("2026-06-02", each) for each in derived if not each.startswith("s/")]
    books = book([*events, *undo], terms(plan(unused="mint")))
    assert len(undo) == 2
    assert len(messages(books)) == 2


def test_a_reversal_of_an_event_that_was_reversed_back_is_refused_still() -> None:
    """Undone once is undone for good; write the event again instead."""
    events = [
        ALICE,
        consumption("2026-05-02", "alice", "1 CU", id="c"),
        reversal("2026-05-03", "c", id="r1"),
        reversal("2026-05-04", "c", id="r2", line=4),
    ]
    assert messages(book(events)) == ['4: event "c" is reversed already: remove this line']


def test_a_failed_reversal_may_succeed_later() -> None:
    """The grant was used; when the use is undone, the grant can be as well."""
    events = [
        grant("2026-05-01", "a", "5 CU", id="g"),
        consumption("2026-05-02", "a", "5 CU", id="c"),
        reversal("2026-05-03", "g", line=3),
        reversal("2026-05-04", "c", line=4),
        reversal("2026-05-05", "g", line=5),
    ]
    books = book(events)
    assert [message[:2] for message in messages(books)] == ["3:"]
    assert books.lots == []


def test_on_its_own_day_an_event_can_be_reversed() -> None:
    """Corrections are a day's last phase; a refund of the same day goes by time."""
    events = [ALICE, reversal("2026-05-01", "buy")]
    assert book(events).lots == []
    events = [
        ALICE,
        refund("2026-05-01", "alice", "5 CU", id="r", time="10:00:00"),
        reversal("2026-05-01", "r", time="11:00:00"),
    ]
    assert lots_shown(book(events)) == ["tokens alice 100 CU {0.2 USD, 2026-05-01, top-up}"]


def test_a_restored_lot_whose_end_has_passed_meets_it_at_once() -> None:
    """Used on 20 May, undone on 10 June: the period's lot ended on 1 June and was to be minted.

    800 were minted on 1 June; the 200 follow on 10 June, with the end that they would have had.
    """
    events = [
        subscription("2026-05-01", "alice"),
        consumption("2026-05-20", "alice", "200 CU", id="c"),
        reversal("2026-06-10", "c"),
    ]
    agreed = terms(plan(unused="mint", token_expires="12 months"))
    books = book(events, agreed)
    assert shown(books, "mint", "reversal") == text("""
        2026-06-01 mint alice
          allocations alice 800 CU {0.2 USD, 2026-05-01, pro/2026-06-01}
          tokens alice -800 CU {0.2 USD, 2026-05-01, pro/2027-06-01}
        2026-06-10 reversal alice
          allocations alice -200 CU {0.2 USD, 2026-05-01, pro/2026-06-01}
          revenue alice pro 40 USD
        2026-06-10 mint alice
          allocations alice 200 CU {0.2 USD, 2026-05-01, pro/2026-06-01}
          tokens alice -200 CU {0.2 USD, 2026-05-01, pro/2027-06-01}
    """)
    assert "tokens alice 1000 CU {0.2 USD, 2026-05-01, pro/2027-06-01}" in lots_shown(books)


def test_a_restored_lot_may_meet_both_of_its_ends_at_once() -> None:
    """Undone a year later: minted and, its tokens' life of a month over, expired, on that day."""
    events = [
        one_period("2026-05-01", "alice"),
        consumption("2026-05-20", "alice", "1000 CU", id="c"),
        reversal("2027-05-10", "c"),
    ]
    agreed = terms(plan(unused="mint", token_expires="1 month"))
    books = book(events, agreed)
    assert shown(books, "mint", "expiry") == text("""
        2027-05-10 mint alice
          allocations alice 1000 CU {0.2 USD, 2026-05-01, pro/2026-06-01}
          tokens alice -1000 CU {0.2 USD, 2026-05-01, pro/2026-07-01}
        2027-05-10 expiry alice
          tokens alice 1000 CU {0.2 USD, 2026-05-01, pro/2026-07-01}
          breakage alice pro -200 USD
    """)
    assert books.lots == []


@pytest.mark.parametrize(("on", "left"), [("2026-06-30", "200"), ("2026-07-01", "0")])
def test_tokens_that_are_minted_late_still_end_on_their_day(on: str, left: str) -> None:
    """Their life of a month counts from the end that they missed: to 1 July, not later."""
    events = [
        one_period("2026-05-01", "alice"),
        consumption("2026-05-20", "alice", "1000 CU", id="c"),
        reversal(on, "c"),
    ]
    books = book(events, terms(plan(unused="mint", token_expires="1 month")))
    assert messages(books) == []
    assert deferred(books) == left


def test_a_lot_restored_before_its_end_meets_it_on_its_day() -> None:
    """Empty when it was restored, it is remembered again."""
    events = [
        top_up("2026-05-01", "a", "5 CU", "1 USD", expires="2026-07-01"),
        consumption("2026-05-20", "a", "5 CU", id="c"),
        reversal("2026-06-10", "c"),
        grant("2026-07-01", "b", "1 CU"),
    ]
    assert shown(book(events), "expiry") == text("""
        2026-07-01 expiry a
          tokens a 5 CU {0.2 USD, 2026-05-01, top-up/2026-07-01}
          breakage a top-up -1 USD
    """)


def test_a_lot_restored_on_the_day_of_its_end_meets_it_once() -> None:
    """Ends come first in a day; a reversal on the day itself comes after: expired at once."""
    events = [
        top_up("2026-05-01", "a", "5 CU", "1 USD", expires="2026-07-01"),
        consumption("2026-05-20", "a", "2 CU", id="c"),
        reversal("2026-07-01", "c"),
        grant("2026-07-02", "b", "1 CU"),
    ]
    books = book(events)
    assert income(books, "breakage") == "1"
    assert deferred(books) == "0"


def test_a_trade_is_reversed_only_while_the_buyer_holds_the_lot() -> None:
    """Bob used some: the whole reversal is refused, and nothing of it is booked."""
    events = [
        ALICE,
        top_up("2026-05-02", "bob", "9 CU", "9 USD"),
        trade("2026-06-01", "alice", "bob", "5 CU", "1 USD", id="x"),
        consumption("2026-06-02", "bob", "1 CU"),
        reversal("2026-06-10", "x", line=5),
    ]
    books = book(events, terms(draw_down="fifo"))
    assert messages(books) == [
        (
            '5: 5 CU of the lot "top-up" of 2026-05-01 would have to come back from "bob", '
            "who holds 4 CU of it: reverse what used them first"
        )
    ]
    assert shown(books, "reversal") == ""


def test_units_that_melted_into_the_same_lot_can_come_back() -> None:
    """Two transfers out of one lot are one lot at bob's: either can be undone."""
    events = [
        ALICE,
        *KNOWN,
        transfer("2026-06-01", "alice", "bob", "5 CU", id="x"),
        transfer("2026-06-02", "alice", "bob", "7 CU"),
        reversal("2026-06-10", "x"),
    ]
    books = book(events)
    assert lots_shown(books)[1:] == [
        "tokens alice 93 CU {0.2 USD, 2026-05-01, top-up}",
        "tokens bob 7 CU {0.2 USD, 2026-05-01, top-up}",
    ]


def test_overage_is_undone_with_its_use() -> None:
    """10 held and 5 beyond at 0.30: 1.50 goes back with the 2.00 of revenue."""
    agreed = terms(plan(price="2 USD", units="10 CU", overage="0.30 USD"))
    events = [
        subscription("2026-05-01", "alice"),
        consumption("2026-05-02", "alice", "15 CU", id="c"),
        reversal("2026-05-03", "c"),
    ]
    books = book(events, agreed)
    assert shown(books, "reversal") == text("""
        2026-05-03 reversal alice
          allocations alice -10 CU {0.2 USD, 2026-05-01, pro/2026-06-01}
          revenue alice pro 2 USD
          receivable alice pro -1.5 USD
          overage alice pro 1.5 USD
    """)


def test_a_reversal_that_would_melt_into_too_many_digits_is_refused() -> None:
    """99999999999999 CU at 0.37 from 1.5 used: all but what is exact stays refused.

    First 1.5 CU are used, then all the rest but 1E-13 leaves by hand; restoring 1.5 is exact, so
    it is booked. Units by hand are not checked, so what is left may have any digits.
    """
    events = [
        top_up("2026-05-01", "a", "99999999999999 CU", "36999999999999.63 USD"),
        consumption("2026-05-02", "a", "99999999999990 CU", id="c"),
        reversal("2026-05-04", "c", line=3),
    ]
    left = "8.9999999999999"  # of 9 units, 1E-13 stay
    by = by_hand("2026-05-03", f"tokens a {left} CU {{0.37 USD, 2026-05-01, top-up}}")
    books = book(events, removals=[by])
    (message,) = messages(books)
    assert message.startswith("3: the lots that this touches would need more than the 28 digits")


def test_a_reversal_whose_rest_would_not_be_exact_is_refused() -> None:
    """What stays with the receiver must stay within 28 digits as well.

    By hand 1E-13 CU leave bob's lot of 99999999999999 at 0.37; of what is left 1 CU would go back.
    """
    lot = "CU {0.37 USD, 2026-05-01, top-up}"
    events = [
        top_up("2026-05-01", "alice", "1 CU", "0.37 USD"),
        transfer("2026-05-03", "alice", "bob", "1 CU", id="x", line=1),
        reversal("2026-05-05", "x", line=2),
    ]
    books = book(
        events,
        openings=[by_hand("2026-05-02", f"tokens bob 99999999999998 {lot}")],
        removals=[by_hand("2026-05-04", f"tokens bob 0.0000000000001 {lot}")],
    )
    (message,) = messages(books)
    assert message.startswith("2: the lots that this touches would need more than the 28 digits")
