"""Late events: of lots that their holder had, and that nothing since had need of.

May and June are over when they come, and they are booked on 1 July. Most stand beside the same
events in time: what is earned and held in the end is the same.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from beancount_compute.economy.events import Event
from beancount_compute.economy.lot_history import LotHistory
from beancount_compute.economy.terms import Terms
from tests.economy.building import (
    Books,
    book,
    by_hand,
    consumption,
    day,
    deferred,
    grant,
    income,
    lot,
    lots_shown,
    messages,
    one_period,
    plan,
    refund,
    reversal,
    shown,
    spend,
    terms,
    text,
    top_up,
    trade,
    transfer,
)

MINT = plan(price="100 USD", units="100 CU", unused="mint", mint_rate="0.7")
EXPIRE = plan(price="100 USD", units="100 CU")
PERIOD = one_period("2026-05-01", "ivy")
EARNED = ("revenue", "breakage", "partner-income", "overage", "fees")


def late(
    sealed: list[Event], *events: Event, of: Terms | None = None, on: str = "2026-07-01"
) -> Books:
    """The books of events of which some come late."""
    agreed = of or terms(MINT, as_of="2026-09-30")
    return book(sealed, agreed, late={day(on): events})


def totals(books: Books) -> list[str]:
    return [f"{role} {income(books, role)}" for role in EARNED] + [f"held {deferred(books)}"]


def as_in_time(sealed: list[Event], *events: Event, of: Terms | None = None) -> Books:
    """The books of late events, which earn and hold what they would have in time."""
    books = late(sealed, *events, of=of)
    in_time = book([*sealed, *events], of or terms(MINT, as_of="2026-09-30"))
    assert messages(books) == messages(in_time) == []
    assert totals(books) == totals(in_time)
    return books


def test_a_lot_minted_in_part_gives_both_parts_in_its_proportion() -> None:
    """100 CU for 100.00, 70 minted: of a use of 50, 35 are tokens and 15 had lapsed. Revenue
    50.00, tokens 35, breakage 15.00."""
    books = as_in_time([PERIOD], consumption("2026-05-20", "ivy", "50 CU"))
    assert (income(books, "revenue"), income(books, "breakage")) == ("50", "15")
    assert lots_shown(books) == ["tokens ivy 35 CU {1 USD, 2026-05-01, pro}"]
    assert shown(books, "consumption") == text(
        """
        2026-07-01 consumption ivy
          tokens ivy 35 CU {1 USD, 2026-05-01, pro}
          allocations ivy -15 CU {1 USD, 2026-05-01, pro/2026-06-01}
          allocations ivy 15 CU {1 USD, 2026-05-01, pro/2026-06-01}
          revenue ivy pro -50 USD
          breakage ivy pro 15 USD
        """
    )


def test_tokens_that_lapsed_since_are_taken_too() -> None:
    """70 tokens of 2 June lapse on 11 June: a use of 50 is 35 of these and 15 of 1 June's."""
    of = terms(
        plan(
            price="100 USD", units="100 CU", unused="mint", mint_rate="0.7", token_expires="10 days"
        ),
        as_of="2026-09-30",
    )
    books = as_in_time([PERIOD], consumption("2026-05-20", "ivy", "50 CU"), of=of)
    assert (income(books, "revenue"), income(books, "breakage")) == ("50", "50")
    assert "tokens ivy -35 CU {1 USD, 2026-05-01, pro/2026-06-11}" in shown(books, "consumption")


def test_a_top_up_that_lapsed_moves_from_breakage_to_revenue() -> None:
    """100 CU for 50.00 until 30 June; 70 used on 28 June: revenue 35.00, breakage 15.00; what is
    open goes by the draw-down order first, here a period of 10 CU for 10.00."""
    old = top_up("2026-06-01", "eli", "100 CU", "50 USD", expires="2026-06-30")
    books = as_in_time([old], consumption("2026-06-28", "eli", "70 CU"))
    assert (income(books, "revenue"), income(books, "breakage")) == ("35", "15")
    of = terms(plan(price="10 USD", units="10 CU", overage="0.90 USD"), as_of="2026-09-30")
    sealed = [old, one_period("2026-06-05", "eli")]
    books = as_in_time(sealed, consumption("2026-06-28", "eli", "70 CU"), of=of)
    assert (income(books, "revenue"), income(books, "breakage")) == ("40", "20")


def test_a_grant_that_lapsed_is_used_for_nothing() -> None:
    """Its units come back and leave; no money moves."""
    sealed = [grant("2026-05-01", "ivy", "10 CU", expires="2026-06-01")]
    books = as_in_time(sealed, consumption("2026-05-20", "ivy", "4 CU"))
    assert shown(books, "consumption") == text(
        """
        2026-07-01 consumption ivy
          allocations ivy -4 CU {0 USD, 2026-05-01, grant/2026-06-01}
          allocations ivy 4 CU {0 USD, 2026-05-01, grant/2026-06-01}
        """
    )


def test_no_lot_that_came_later_is_taken() -> None:
    """One CU was held on 20 May; the top-ups of June and July are no use then."""
    sealed = [
        top_up("2026-05-01", "eli", "1 CU", "1 USD"),
        top_up("2026-06-15", "eli", "100 CU", "1 USD"),
        top_up("2026-07-02", "eli", "1 CU", "1 USD"),
    ]
    books = late(sealed, consumption("2026-05-20", "eli", "50 CU", line=7))
    assert messages(books) == [
        (
            '7: "eli" uses 50 CU on 2026-05-20 and held 1 CU then: write at most that, '
            "or a top-up or grant before it"
        )
    ]


def test_what_was_needed_since_is_not_taken() -> None:
    """100 CU on 20 May, of which June used 30, gave 20 away and gave back 10, 5 were taken out by
    hand: 35 can be taken. Overage comes behind that, at the price of its day."""
    sealed = [
        top_up("2026-05-01", "eli", "100 CU", "100 USD"),
        grant("2026-05-01", "bob", "1 CU"),
        consumption("2026-06-02", "eli", "30 CU"),
        transfer("2026-06-03", "eli", "bob", "20 CU"),
        refund("2026-06-04", "eli", "10 CU"),
    ]
    removed = by_hand("2026-06-05", "tokens eli 5 CU {1 USD, 2026-05-01, top-up}")
    use = consumption("2026-05-20", "eli", "36 CU", line=7)
    books = book(sealed, late={day("2026-07-01"): [use]}, removals=[removed])
    assert messages(books) == [
        (
            '7: "eli" uses 36 CU on 2026-05-20 and held 100 CU then, of which 35 CU can be taken '
            "(30 CU used, 20 CU given away, 10 CU given back, 5 CU taken out by hand since): "
            "write at most that, or a top-up or grant before it"
        )
    ]
    use = consumption("2026-05-20", "eli", "35 CU")
    books = book(sealed, late={day("2026-07-01"): [use]}, removals=[removed])
    assert messages(books) == [] and income(books, "revenue") == "65"


def test_units_that_came_back_since_were_missing_meanwhile() -> None:
    """100 used on 25 May and given back on 5 June: on 28 May none of them were there, so a use of
    20 May is refused, and told what the reversal would have done in time."""
    sealed = [
        top_up("2026-05-01", "eli", "100 CU", "100 USD"),
        consumption("2026-05-25", "eli", "100 CU", id="u1"),
        reversal("2026-06-05", "u1"),
    ]
    books = late(sealed, consumption("2026-05-20", "eli", "10 CU", line=7))
    assert messages(books) == [
        (
            '7: "eli" uses 10 CU on 2026-05-20 and held 100 CU then, of which 0 CU can be taken '
            "(100 CU used since): write a subscription, top-up or grant before it; "
            '"u1" is reversed on 2026-06-05: the reversal belongs on the day of the mistake'
        )
    ]


def test_what_is_reversed_later_is_told() -> None:
    """A use of 21 May finds what u1 left; u1 is reversed on an open day."""
    sealed = [
        PERIOD,
        consumption("2026-05-20", "ivy", "100 CU", id="u1"),
        consumption("2026-05-20", "ivy", "0.5 CU", id="u2", flaw="no"),
        reversal("2026-07-05", "u1"),
        reversal("2026-07-05", "u2"),
    ]
    (refused, *_) = messages(late(sealed, consumption("2026-05-21", "ivy", "80 CU", line=7)))[1:]
    assert refused == (
        '7: "ivy" uses 80 CU on 2026-05-21 and held 0 CU then: write a subscription, top-up or '
        'grant before it; "u1" is reversed on 2026-07-05: the reversal belongs on the day of the '
        "mistake"
    )


def test_tokens_sold_since_leave_less_of_the_lot_they_were_minted_of() -> None:
    """Of 70 tokens 35 were sold in June: 35 tokens and 15 lapsed are left, 50 CU of May; of 34
    tokens 48.571428 CU, rounded down."""
    sealed = [PERIOD, grant("2026-05-01", "bob", "1 CU")]
    sold = trade("2026-06-10", "ivy", "bob", "35 CU", "2 USD")
    as_in_time([*sealed, sold], consumption("2026-05-20", "ivy", "50 CU"))
    books = late([*sealed, sold], consumption("2026-05-20", "ivy", "51 CU", line=7))
    assert messages(books) == [
        (
            '7: "ivy" uses 51 CU on 2026-05-20 and held 100 CU then, of which 50 CU can be taken '
            "(35 CU sold since): write at most that, or a top-up or grant before it"
        )
    ]
    more = trade("2026-06-10", "ivy", "bob", "36 CU", "2 USD")
    books = late([*sealed, more], consumption("2026-05-20", "ivy", "51 CU", line=7))
    assert "of which 48.571428 CU can be taken" in messages(books)[0]
    none = trade("2026-06-10", "ivy", "bob", "70 CU", "2 USD")
    books = late([*sealed, none], consumption("2026-05-20", "ivy", "51 CU", line=7))
    assert "of which 0 CU can be taken" in messages(books)[0]


def test_what_an_earlier_late_event_had_is_gone() -> None:
    """60 of 20 May, then 40 of 10 May, on two days of booking; then nothing is left of the lot,
    whatever day. The second is booked on the history of the first."""
    uses = [consumption("2026-05-20", "ivy", "60 CU"), consumption("2026-05-10", "ivy", "40 CU")]
    more = consumption("2026-05-05", "ivy", "1 CU", line=7)
    of = terms(MINT, as_of="2026-09-30")
    books = book(
        [PERIOD],
        of,
        late={
            day("2026-07-01"): uses[:1],
            day("2026-08-01"): uses[1:],
            day("2026-09-01"): [more],
        },
    )
    assert messages(books) == [
        (
            '7: "ivy" uses 1 CU on 2026-05-05 and held 100 CU then, of which 0 CU can be taken '
            "(100 CU used since): write a subscription, top-up or grant before it"
        )
    ]
    assert totals(books) == totals(book([PERIOD, *uses], of))


def test_all_minted_tokens_count_as_the_lot_too() -> None:
    """At a rate of 1 nothing lapses: late uses of 60 and 40 take all tokens, and no more."""
    of = terms(plan(price="100 USD", units="100 CU", unused="mint"), as_of="2026-09-30")
    uses = [consumption("2026-05-20", "ivy", "60 CU"), consumption("2026-05-10", "ivy", "40 CU")]
    more = consumption("2026-05-30", "ivy", "1 CU", line=7)
    assert messages(late([PERIOD], *uses, more, of=of))[0].startswith(
        '7: "ivy" uses 1 CU on 2026-05-30 and held 0 CU then: '
    )
    as_in_time([PERIOD], *uses, of=of)


def test_a_late_top_up_serves_a_late_use_behind_it() -> None:
    """From its own day on, and drawn as if it were dated so: fifo takes the one of 10 May before
    that of 15 May. A use before it finds nothing of it."""
    of = terms(draw_down="fifo")
    sealed = [top_up("2026-05-15", "eli", "10 CU", "20 USD")]
    came = top_up("2026-05-10", "eli", "10 CU", "10 USD")
    books = as_in_time(sealed, came, consumption("2026-05-20", "eli", "10 CU"), of=of)
    assert income(books, "revenue") == "10"
    books = late(sealed, came, consumption("2026-05-09", "eli", "10 CU", line=7), of=of)
    assert "on 2026-05-09 and held 0 CU then" in messages(books)[0]


def test_a_late_period_that_is_over_ends_before_a_later_late_event() -> None:
    """From 1 May; 70 tokens on 1 June, which a late transfer of 5 June gives away."""
    sealed = [grant("2026-05-01", "bob", "1 CU")]
    books = late(sealed, PERIOD, transfer("2026-06-05", "ivy", "bob", "20 CU"))
    assert messages(books) == []
    assert [f"{each.kind}" for each in books.journal[1:]] == [
        "allocation",
        "mint",
        "expiry",
        "transfer",
    ]


def test_tokens_of_a_late_period_that_lapsed_too_end_in_their_turn() -> None:
    """Minted on 1 June, lapsed on 11 June: a late use of 5 June still takes them, and one of 12
    June does not."""
    of = terms(
        plan(price="100 USD", units="100 CU", unused="mint", token_expires="10 days"),
        as_of="2026-09-30",
    )
    as_in_time([], PERIOD, consumption("2026-06-05", "ivy", "20 CU"), of=of)
    books = late([], PERIOD, consumption("2026-06-12", "ivy", "20 CU", line=7), of=of)
    assert "on 2026-06-12 and held 0 CU then" in messages(books)[0]
    assert income(books, "breakage") == "100"


def test_a_late_reversal_gives_back_what_a_late_use_takes() -> None:
    """u1 of 100 becomes 80: revenue 80.00, and 20 lapse. What is reversed on the day of its event
    stands before all late events of that day, whatever their order."""
    of = terms(EXPIRE, as_of="2026-09-30")
    sealed = [PERIOD, consumption("2026-05-20", "ivy", "100 CU", id="u1")]
    for on in ("2026-05-20", "2026-05-21"):
        use = consumption(on, "ivy", "80 CU", id="a")
        books = late(sealed, reversal("2026-05-20", "u1", id="z"), use, of=of)
        assert messages(books) == []
        assert (income(books, "revenue"), income(books, "breakage")) == ("80", "20")


def test_what_a_late_reversal_gave_back_ends_as_it_would_have() -> None:
    """40 come back of 20 May, 28 of them become tokens; behind a late use of 80, which takes these
    40 and of the others 28 tokens and 12 lapsed ones, 14 tokens are left, 6 lapsed in all."""
    sealed = [PERIOD, consumption("2026-05-20", "ivy", "40 CU", id="u1")]
    books = as_in_time(
        sealed,
        reversal("2026-05-20", "u1"),
        consumption("2026-05-21", "ivy", "80 CU"),
    )
    assert (deferred(books), income(books, "breakage")) == ("14", "6")
    books = late(
        sealed, reversal("2026-05-20", "u1"), spend("2026-06-05", "ivy", "shop", "60 CU", "9 USD")
    )
    assert messages(books) == [] and deferred(books) == "10"


def test_a_reversal_of_what_gave_units_harms_no_late_event_of_its_day() -> None:
    """The top-up of 20 May is undone late: a late use of that day takes it first, and there is
    nothing to come back; where another lot serves the use, both are booked."""
    given = top_up("2026-05-20", "eli", "10 CU", "10 USD", id="t1")
    use, undone = consumption("2026-05-20", "eli", "10 CU"), reversal("2026-05-20", "t1", line=9)
    assert len(messages(late([given], use, undone))) == 1
    other = top_up("2026-05-20", "eli", "10 CU", "5 USD")
    books = late([given, other], use, undone)
    assert messages(books) == [] and income(books, "revenue") == "5"


def test_the_reversal_of_a_late_use_lets_lapse_again_what_had_lapsed() -> None:
    """Use of 50 late, undone on an open day: 35 tokens come back, 15.00 are breakage again. Undone
    late, on its day, it leaves the lot to another late use."""
    use = consumption("2026-05-20", "ivy", "50 CU", id="u1")
    of = terms(MINT, as_of="2026-09-30")
    books = book([PERIOD, reversal("2026-07-10", "u1")], of, late={day("2026-07-01"): [use]})
    assert messages(books) == []
    assert totals(books)[:2] == ["revenue 0", "breakage 30"] and deferred(books) == "70"
    assert shown(books, "reversal") == text(
        """
        2026-07-10 reversal ivy
          tokens ivy -35 CU {1 USD, 2026-05-01, pro}
          allocations ivy -15 CU {1 USD, 2026-05-01, pro/2026-06-01}
          allocations ivy 15 CU {1 USD, 2026-05-01, pro/2026-06-01}
          revenue ivy pro 50 USD
          breakage ivy pro -15 USD
        """
    )
    again = [reversal("2026-05-20", "u1"), consumption("2026-05-20", "ivy", "90 CU", id="u2")]
    books = book([PERIOD], of, late={day("2026-07-01"): [use], day("2026-08-01"): again})
    assert messages(books) == []
    assert (income(books, "revenue"), income(books, "breakage")) == ("90", "3")
    assert deferred(books) == "7"
    third = consumption("2026-06-20", "ivy", "70 CU", line=7)
    books = book(
        [PERIOD, reversal("2026-06-10", "u1")],
        of,
        late={day("2026-06-05"): [use], day("2026-07-01"): [third]},
    )
    assert messages(books) == []  # the 35 that came back are tokens of 20 June


def test_a_spend_that_comes_late_takes_tokens_that_lapsed() -> None:
    """10 CU of 5.00 that lapsed on 1 June, settled for 2.00: 3.00 of partner income, and 5.00 are
    no breakage; a trade of them is refused, since it takes open lots only."""
    sealed = [
        top_up("2026-05-01", "eli", "20 CU", "10 USD", expires="2026-06-01"),
        grant("2026-05-01", "bob", "1 CU"),
    ]
    books = as_in_time(sealed, spend("2026-05-20", "eli", "shop", "10 CU", "2 USD"))
    assert (income(books, "partner-income"), income(books, "breakage")) == ("3", "5")
    assert income(books, "partner") == "2"
    for event in (
        trade("2026-05-20", "eli", "bob", "10 CU", "1 USD", line=7),
        transfer("2026-05-20", "eli", "bob", "10 CU", line=7),
    ):
        (refused,) = messages(late(sealed, event))
        assert refused.endswith(
            "10 CU on 2026-05-20 and held 20 CU in tokens then, of which 0 CU can be taken (20 CU "
            "lapsed since): write a top-up before it, or check the name, the units and the date"
        )


@pytest.mark.parametrize("event", [trade, transfer])
def test_a_late_move_takes_open_lots_that_were_tokens_then(event: object) -> None:
    """10 of the top-up; not the tokens that were no tokens on 20 May."""
    sealed = [
        PERIOD,
        top_up("2026-05-01", "ivy", "10 CU", "5 USD"),
        grant("2026-05-01", "bob", "1 CU"),
    ]
    of = {
        trade: trade("2026-05-20", "ivy", "bob", "10 CU", "1 USD"),
        transfer: transfer("2026-05-20", "ivy", "bob", "10 CU"),
    }
    more = {
        trade: trade("2026-05-20", "ivy", "bob", "11 CU", "1 USD"),
        transfer: transfer("2026-05-20", "ivy", "bob", "11 CU"),
    }
    assert lots_shown(as_in_time(sealed, of[event]))[0].startswith("allocations bob 1 CU")
    assert len(messages(late(sealed, more[event]))) == 1


def test_a_late_refund_takes_what_is_held_when_it_is_booked() -> None:
    """50 came after its day."""
    sealed = [top_up("2026-06-15", "eli", "50 CU", "50 USD")]
    books = late(
        [grant("2026-05-01", "eli", "1 CU"), *sealed], refund("2026-05-20", "eli", "50 CU")
    )
    assert messages(books) == [] and deferred(books) == "0"


def test_an_event_older_than_late_months_is_refused() -> None:
    """Twelve months before 1 July 2026 are just not too many."""
    sealed = [
        top_up("2025-01-01", "eli", "50 CU", "50 USD"),
        consumption("2026-06-01", "eli", "1 CU"),
    ]
    just, old = (consumption(on, "eli", "1 CU", line=7) for on in ("2025-07-01", "2025-06-30"))
    assert messages(late(sealed, just)) == []
    assert messages(late(sealed, old)) == [
        (
            "7: 2025-06-30 lies more than 12 months before 2026-07-01, the day on which it would "
            "be booked: date it on an open day, or let the option late-months say more"
        )
    ]


def test_an_opening_lot_counts_from_its_day() -> None:
    """Entered by hand on 10 May: a use of 9 May finds nothing of it, one of 10 May does."""
    opened = by_hand("2026-05-10", "tokens eli 5 CU {1 USD, 2026-01-01, top-up}")
    first = grant("2026-05-01", "eli", "1 CU")
    for on, refusals in (("2026-05-09", 1), ("2026-05-10", 0)):
        use = consumption(on, "eli", "5 CU")
        books = book([first], late={day("2026-07-01"): [use]}, openings=[opened])
        assert len(messages(books)) == refusals


def test_tokens_held_then_and_tokens_minted_since_are_one_lot() -> None:
    """10 tokens of 10 May lie in the lot in which 70 of the period come to lie: of 20 May all 110
    CU can be used, since what is minted of them is missing from 1 June on only."""
    opened = by_hand("2026-05-10", "tokens ivy 10 CU {1 USD, 2026-05-01, pro}")
    of = terms(MINT, as_of="2026-09-30")
    for units, refusals in (("110 CU", 0), ("111 CU", 1)):
        use = consumption("2026-05-20", "ivy", units)
        books = book([PERIOD], of, late={day("2026-07-01"): [use]}, openings=[opened])
        assert len(messages(books)) == refusals
        if not refusals:
            assert (income(books, "revenue"), income(books, "breakage")) == ("110", "0")


def test_a_lot_that_ended_twice_gives_of_its_first_end_first() -> None:
    """40 of 100 used on 20 May, taken back on 10 June: 60 end on 1 June, 40 on 10 June. Of 10 May
    60 can be used, whatever came back: 42 tokens and 18 lapsed."""
    sealed = [
        PERIOD,
        consumption("2026-05-20", "ivy", "40 CU", id="u1"),
        reversal("2026-06-10", "u1"),
    ]
    books = late(sealed, consumption("2026-05-10", "ivy", "60 CU"))
    assert (income(books, "breakage"), deferred(books)) == ("12", "28")
    books = late(sealed, consumption("2026-05-10", "ivy", "61 CU"))
    assert len(messages(books)) == 1


def test_a_history_keeps_what_is_asked_of_it() -> None:
    """Of ivy only: nothing of bob's, whoever gave it to him."""
    history = LotHistory(["ivy"])
    books = book(
        [
            PERIOD,
            one_period("2026-05-01", "bob"),
            consumption("2026-05-02", "bob", "1 CU"),
            transfer("2026-06-05", "ivy", "bob", "5 CU"),
        ],
        terms(MINT, as_of="2026-09-30"),
    )
    for entry in books.journal:
        history.note(entry)
    history.note_by_hand(day("2026-06-07"), *lot("tokens bob 5 CU {1 USD, 2026-05-01, pro}"))
    assert history.lots_of("bob", "CU") == []
    minted, token = sorted(history.lots_of("ivy", "CU"), key=lambda each: each.pocket)
    assert history.held_on(minted, day("2026-05-31"), Decimal(0)) == 100
    assert history.held_on(token, day("2026-06-04"), Decimal(65)) == 70


def test_what_came_late_and_ended_later_ends_on_its_day() -> None:
    """A reversal of 5 June that comes on 1 July gives tokens back that end on 11 June; they lapse
    on 1 July. A late use of 20 June, on 1 August, finds nothing of them."""
    of = terms(
        plan(price="100 USD", units="100 CU", unused="mint", token_expires="10 days"),
        as_of="2026-09-30",
    )
    sealed = [PERIOD, consumption("2026-06-05", "ivy", "100 CU", id="u1")]
    use = consumption("2026-06-20", "ivy", "1 CU")
    books = book(
        sealed,
        of,
        late={day("2026-07-01"): [reversal("2026-06-05", "u1")], day("2026-08-01"): [use]},
    )
    assert len(messages(books)) == 1 and income(books, "breakage") == "100"
    use = consumption("2026-06-10", "ivy", "30 CU")
    books = book(
        sealed,
        of,
        late={day("2026-07-01"): [reversal("2026-06-05", "u1")], day("2026-08-01"): [use]},
    )
    assert messages(books) == []
    assert (income(books, "revenue"), income(books, "breakage")) == ("30", "70")


@pytest.mark.parametrize(
    ("ends", "what"),
    [
        ("2026-08-01", "reverse what used them first"),
        ("2026-07-01", "reverse what used them first"),  # which ends behind what comes late
        (
            "2026-06-30",
            (
                "what nobody used of it met its end on 2026-06-30, and a mint or an expiry "
                "can't be reversed; correct it by hand"
            ),
        ),
    ],
)
def test_what_is_gone_was_used_or_met_its_end(ends: str, what: str) -> None:
    """A grant of 100 CU of which one was used; its reversal comes late."""
    sealed = [
        grant("2026-05-01", "ivy", "100 CU", expires=ends, id="g"),
        consumption("2026-05-02", "ivy", "1 CU"),
    ]
    (message,) = messages(late(sealed, reversal("2026-05-01", "g", line=9)))
    assert message.startswith("9: 100 CU of the lot ")
    assert message.endswith(f" CU of it: {what}")


def test_in_time_a_lot_has_met_its_end_on_that_day() -> None:
    """On the day before it is still there, but for what was used."""
    sealed = [
        grant("2026-05-01", "ivy", "100 CU", expires="2026-06-30", id="g"),
        consumption("2026-05-02", "ivy", "1 CU"),
    ]
    for day_of, what in (("2026-06-29", "reverse what used them first"), ("2026-06-30", "by hand")):
        (message,) = messages(book([*sealed, reversal(day_of, "g")], terms(MINT)))
        assert message.endswith(what)
