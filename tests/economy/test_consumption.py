"""Consumption: units are used, their cost becomes revenue; the rest is overage."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest

from beancount_compute.economy.engine import Bookkeeper
from beancount_compute.economy.inputs import Facts
from beancount_compute.economy.journal import JournalEntry, Record, in_full, is_use
from beancount_compute.economy.terms import Terms
from tests.economy.building import (
    assertion,
    at,
    book,
    cancellation,
    cause,
    consumption,
    entry_text,
    first_letter_up,
    grant,
    income,
    lots_shown,
    messages,
    one_period,
    plan,
    refund,
    refused_lines,
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


def test_use_earns_the_cost_of_its_lots() -> None:
    """200 x 0.20 = 40.00 (manual/language.md, section 7)."""
    books = book(
        [
            subscription("2026-05-01", "alice"),
            consumption("2026-05-20", "alice", "200 CU", id="u", line=4),
        ],
        terms(plan()),
    )
    assert shown(books, "consumption") == text("""
        2026-05-20 consumption alice
          allocations alice 200 CU {0.2 USD, 2026-05-01, pro/2026-06-01}
          revenue alice pro -40 USD
    """)
    entry = books.journal[-1]
    assert cause(entry) == ("u", at(4), "")
    assert not entry.overage


def test_allocations_go_before_tokens_and_each_origin_earns_its_own() -> None:
    """A token that ends sooner waits: 1000 x 0.20 of the plan, then 50 x 0.10 of the top-up."""
    books = book(
        [
            top_up("2026-04-01", "alice", "100 CU", "10 USD", expires="2026-05-21"),
            subscription("2026-05-01", "alice"),
            consumption("2026-05-20", "alice", "1050 CU"),
        ],
        terms(plan()),
    )
    assert shown(books, "consumption") == text("""
        2026-05-20 consumption alice
          allocations alice 1000 CU {0.2 USD, 2026-05-01, pro/2026-06-01}
          tokens alice 50 CU {0.1 USD, 2026-04-01, top-up/2026-05-21}
          revenue alice pro -200 USD
          revenue alice top-up -5 USD
    """)


def test_using_a_grant_earns_nothing() -> None:
    """A zero-cost lot has no revenue leg."""
    books = book([grant("2026-05-01", "a", "9 CU"), consumption("2026-05-02", "a", "9 CU")])
    assert shown(books, "consumption") == text("""
        2026-05-02 consumption a
          allocations a 9 CU {0 USD, 2026-05-01, grant}
    """)
    assert books.lots == []


def test_units_end_before_the_use_of_their_last_day_s_morrow() -> None:
    """A lot with end 2026-06-01 was last usable on 2026-05-31 (manual/language.md, section 4)."""
    events = [
        subscription("2026-05-01", "alice"),
        cancellation("2026-05-02", "alice"),
        consumption("2026-05-31", "alice", "1 CU", line=1),
        consumption("2026-06-01", "alice", "1 CU", line=2, time="00:00:00"),
    ]
    (message,) = messages(book(events, terms(plan())))
    assert message.startswith('2: "alice" uses 1 CU and holds 0 CU')


@pytest.mark.parametrize(
    ("order", "left"),
    [
        ("expiry", ["5 CU {3 USD, 2026-01-02, top-up}", "5 CU {2 USD, 2026-01-03, top-up}"]),
        ("fifo", ["5 CU {3 USD, 2026-01-02, top-up}", "5 CU {2 USD, 2026-01-03, top-up}"]),
        ("lifo", ["5 CU {1 USD, 2026-01-01, top-up}", "5 CU {3 USD, 2026-01-02, top-up}"]),
        ("hifo", ["5 CU {1 USD, 2026-01-01, top-up}", "5 CU {2 USD, 2026-01-03, top-up}"]),
        ("lofo", ["5 CU {3 USD, 2026-01-02, top-up}", "5 CU {2 USD, 2026-01-03, top-up}"]),
    ],
)
def test_the_option_says_which_lot_goes(order: str, left: list[str]) -> None:
    """Of lots at 1, 3 and 2 USD: the oldest and cheapest, the newest, or the dearest goes."""
    events = [
        top_up("2026-01-01", "a", "5 CU", "5 USD"),
        top_up("2026-01-02", "a", "5 CU", "15 USD"),
        top_up("2026-01-03", "a", "5 CU", "10 USD"),
        consumption("2026-01-04", "a", "5 CU"),
    ]
    found = lots_shown(book(events, terms(draw_down=order)))
    assert sorted(found) == sorted(f"tokens a {each}" for each in left)


def test_the_draw_down_order_is_that_of_the_day() -> None:
    """`fifo` until May, then `lifo`: the first of three goes, then the last."""
    events = [
        *(top_up(f"2026-01-0{n}", "a", "5 CU", f"{n * 5} USD") for n in (1, 2, 3)),
        consumption("2026-04-30", "a", "5 CU"),
        consumption("2026-05-01", "a", "5 CU"),
    ]
    agreed = terms(draw_down={"2026-01-01": "fifo", "2026-05-01": "lifo"})
    assert lots_shown(book(events, agreed)) == ["tokens a 5 CU {2 USD, 2026-01-02, top-up}"]


def test_the_draw_down_order_is_that_of_the_day_in_allocations_too() -> None:
    """Periods of January, February and March roll over: the oldest goes in April, the newest in
    May, each in part."""
    agreed = terms(
        plan(price="1 USD", units="5 CU", unused="rollover"),
        draw_down={"2026-01-01": "fifo", "2026-05-01": "lifo"},
    )
    events = [
        *(one_period(f"2026-0{n}-01", "a", id=f"p{n}") for n in (1, 2, 3)),
        consumption("2026-04-30", "a", "1 CU"),
        consumption("2026-05-01", "a", "2 CU"),
        consumption("2026-05-02", "a", "3 CU"),
    ]
    assert lots_shown(book(events, agreed)) == [
        "allocations a 4 CU {0.2 USD, 2026-01-01, pro}",
        "allocations a 5 CU {0.2 USD, 2026-02-01, pro}",
    ]


def test_use_of_part_of_a_lot_that_would_leave_too_many_digits_is_refused() -> None:
    """Of 99999999999999 CU at 0.37, 1E-13 CU less would have a cost of more than 28 digits."""
    agreed = terms(plan(price="36999999999999.63 USD", units="99999999999999 CU"))
    events = [
        one_period("2026-05-01", "a"),
        consumption("2026-05-02", "a", "0.0000000000001 CU", line=2),
        consumption("2026-05-03", "a", "0.5 CU", line=3),
    ]
    books = book(events, agreed)
    (message,) = messages(books)
    assert message.startswith("2: the lots that this touches would need more than the 28 digits")
    assert lots_shown(books) == [
        "allocations a 99999999999998.5 CU {0.37 USD, 2026-05-01, pro/2026-06-01}"
    ]


@pytest.mark.parametrize("units", ["5 CU", "3 CU"])
@pytest.mark.parametrize("grain", ["event", "month"])
@pytest.mark.parametrize("asserted", [True, False])
def test_use_of_all_or_part_of_a_lot_can_be_reversed(
    units: str, grain: str, asserted: bool
) -> None:
    """Whatever else the books keep count of: the lot and the revenue are back."""
    events = [
        one_period("2026-05-01", "a"),
        consumption("2026-05-02", "a", units, id="use"),
        reversal("2026-05-04", "use"),
    ]
    revenue = {"5 CU": "1.00 USD", "3 CU": "0.60 USD"}[units]
    checks = [
        assertion("2026-05-03", "revenue", revenue),
        assertion("2026-05-05", "revenue", "0.00 USD"),
    ]
    agreed = terms(plan(price="1 USD", units="5 CU"), grain=grain)
    books = book(events, agreed, assertions=checks if asserted else [])
    assert messages(books) == []
    assert lots_shown(books) == ["allocations a 5 CU {0.2 USD, 2026-05-01, pro/2026-06-01}"]
    assert income(books, "revenue") == "0"


# The short form


def records(events: list[Any], agreed: Terms, **others: Any) -> list[Record]:
    return list(
        chain.from_iterable(Bookkeeper(Facts(events, **others), agreed, first_letter_up).records())
    )


SHORT_TERMS = {
    "draw_down": {"2026-01-01": "fifo", "2026-05-10": "lifo"},
    "as_of": "2026-07-01",
}
SHORT = [
    one_period("2026-04-01", "a", id="april"),
    grant("2026-05-01", "b", "10 CU", id="grant"),
    top_up("2026-05-01", "b", "10 CU", "3.33 USD", id="top-up"),
    # in part: of a paid lot, with all that a line can hold, and of one that cost nothing
    consumption("2026-05-02", "a", "1.50 CU", id="u1", line=1, memo="night", time="14:05:09"),
    consumption("2026-05-03", "a", "0.0000001 CU", line=2, extra=(("x_region", "eu"),)),
    consumption("2026-05-04", "b", "3 CU", id="u3", line=3),
    one_period("2026-05-05", "a", id="may"),
    consumption("2026-05-06", "a", "2 CU", id="u4", line=4),
    # in part, out of the younger lot; all of it; all of that and part of the older
    consumption("2026-05-11", "a", "200 CU", id="u5", line=5),
    consumption("2026-05-12", "a", "700 CU", id="u6", line=6),
    consumption("2026-05-13", "a", "101 CU", id="u7", line=7),
    # of an allocation and of tokens; of tokens alone
    consumption("2026-05-14", "b", "8 CU", id="u8", line=8),
    consumption("2026-05-15", "b", "2 CU", id="u9", line=9),
    # refused: too much, of someone unknown, and one of two equal lines counts
    consumption("2026-05-16", "b", "999 CU", id="u10", line=10),
    consumption("2026-05-16", "nobody", "1 CU", id="u11", line=11),
    consumption("2026-05-17", "a", "1 CU", id="u12", line=12),
    consumption("2026-05-17", "a", "1 CU", id="u12", line=13),
    # without an id; and refused, because what stays would take more than 28 digits
    consumption("2026-05-18", "a", "1 CU", line=14),
    consumption("2026-05-18", "a", "0.0000000000000000000000001 CU", id="u15", line=15),
    consumption("2026-05-18", "a", "1 CU", id="u16", line=16, flaw="not like this"),
]


def test_the_short_form_is_what_the_long_way_books() -> None:
    """Something asserted, if only nothing of euros, makes every use go the long way."""
    agreed = terms(plan(price="199.99 USD", unused="rollover"), **SHORT_TERMS)
    nothing = [assertion("2026-05-01", "revenue", "0 EUR")]
    short, long = book(SHORT, agreed), book(SHORT, agreed, assertions=nothing)
    assert refused_lines(short) == [10, 11, 15, 16]
    assert repr(short) == repr(long)  # to the last digit; a lot is equal to itself alone
    uses = [each for each in records(SHORT, agreed) if is_use(each)]
    assert [event.line for event, *_ in uses] == [1, 2, 3, 4, 5, 6, 14]
    assert [repr(in_full(use)) for use in uses] == [
        repr(entry)
        for entry in long.journal
        if entry.event and entry.event.place.line in (1, 2, 3, 4, 5, 6, 14)
    ]
    assert not any(is_use(each) for each in records(SHORT, agreed, assertions=nothing))


@pytest.mark.parametrize("grain", ["day", "month"])
def test_where_uses_merge_none_has_a_short_form(grain: str) -> None:
    """Merging looks back at the entries before."""
    agreed = terms(plan(unused="mint"), grain=grain, as_of="2026-07-01")
    assert not any(is_use(each) for each in records(SHORT, agreed))


def test_a_short_form_in_full() -> None:
    """200 x 0.20 = 40.00; of a grant there is no second leg."""
    events = [
        one_period("2026-05-01", "a"),
        grant("2026-05-01", "b", "9 CU"),
        consumption("2026-05-20", "a", "200 CU", id="u", line=4),
        consumption("2026-05-20", "b", "5 CU", id="v", line=5),
    ]
    *_, paid, granted = records(events, terms(plan()))
    assert is_use(paid)
    assert is_use(granted)
    assert entry_text(in_full(paid)) == text("""
        2026-05-20 consumption a
          allocations a 200 CU {0.2 USD, 2026-05-01, pro/2026-06-01}
          revenue a pro -40 USD
    """)
    assert cause(in_full(paid)) == ("u", at(4), "")
    assert entry_text(in_full(granted)) == text("""
        2026-05-20 consumption b
          allocations b 5 CU {0 USD, 2026-05-01, grant}
    """)
    assert cause(in_full(granted)) == ("v", at(5), "")


@pytest.mark.parametrize("grain", ["event", "day", "month"])
def test_a_use_that_is_reversed_or_may_merge_has_no_short_form(grain: str) -> None:
    """A reversal must find its entry, and merging adds its legs up; of others nothing is asked."""
    events = [
        one_period("2026-05-01", "a"),
        consumption("2026-05-02", "a", "1 CU", id="u1"),
        consumption("2026-05-03", "a", "1 CU", id="u2"),
        reversal("2026-05-04", "u1"),
    ]
    found = [
        (type(each), in_full(each).id)
        for each in records(events, terms(plan(), grain=grain))
        if in_full(each).kind == "consumption"
    ]
    if grain == "event":
        assert found == [(JournalEntry, "u1"), (tuple, "u2")]
    else:
        assert {form for form, _ in found} == {JournalEntry}


# Overage


def overage_terms(price: str = "0.30 USD", **more: Any) -> Any:
    return terms(plan(price="2 USD", units="10 CU", overage=price), **more)


def test_use_beyond_the_holdings_is_billed() -> None:
    """10 held at 0.20, 5 beyond at 0.30 = 1.50; one transaction."""
    books = book(
        [subscription("2026-05-01", "alice"), consumption("2026-05-02", "alice", "15 CU")],
        overage_terms(),
    )
    assert shown(books, "consumption") == text("""
        2026-05-02 consumption alice
          allocations alice 10 CU {0.2 USD, 2026-05-01, pro/2026-06-01}
          revenue alice pro -2 USD
          receivable alice pro 1.5 USD
          overage alice pro -1.5 USD
    """)
    assert books.journal[-1].overage


def test_overage_is_rounded_on_the_running_total_of_the_month() -> None:
    """Uses of 1 CU at 0.004: totals 0.004, 0.008, 0.012, 0.016 -> 0.00, 0.01, 0.01, 0.02.

    So the four uses book nothing, 0.01, nothing, 0.01. In June the total starts again: 0.004.
    """
    days = ["2026-05-02", "2026-05-03", "2026-05-04", "2026-05-05", "2026-06-02"]
    events = [
        subscription("2026-05-01", "a"),
        consumption("2026-05-01", "a", "10 CU"),
        consumption("2026-06-01", "a", "10 CU"),
        *(consumption(on, "a", "1 CU") for on in days),
    ]
    books = book(events, overage_terms("0.004 USD"))
    booked = {str(each.date): [str(leg) for leg in each.legs] for each in books.journal}
    assert [len(booked[on]) for on in days] == [0, 2, 0, 2, 0]
    assert all(each.overage for each in books.journal if str(each.date) in days)
    assert income(books, "overage") == "0.02"


def test_each_subscriber_and_plan_has_its_own_running_total() -> None:
    """Two subscribers with 0.004 each owe nothing each, not 0.01 together."""
    events = [
        *(subscription("2026-05-01", name) for name in "ab"),
        *(consumption("2026-05-02", name, "11 CU") for name in "ab"),
    ]
    assert income(book(events, overage_terms("0.004 USD")), "overage") == "0"
    # of one subscriber 0.004 in each of two plans: the newest subscription's is the one that counts
    agreed = terms(
        plan("basic", "1 USD", "1 CU", overage="0.004 USD"),
        plan("pro", "1 USD", "1 CU", overage="0.004 USD"),
    )
    events = [
        subscription("2026-05-01", "a", "basic"),
        consumption("2026-05-02", "a", "2 CU"),
        subscription("2026-05-03", "a", "pro"),
        consumption("2026-05-04", "a", "2 CU"),
    ]
    books = book(events, agreed)
    assert [each.overage for each in books.journal if each.kind == "consumption"] == [True, True]
    assert income(books, "overage") == "0"


def test_the_same_month_of_another_year_has_its_own_running_total() -> None:
    """0.004 in May 2026 and 0.004 in May 2027 are nothing each."""
    events = [
        subscription("2026-05-01", "a"),
        consumption("2026-05-02", "a", "11 CU"),
        consumption("2027-05-02", "a", "11 CU"),
    ]
    books = book(events, overage_terms("0.004 USD"))
    assert [each.overage for each in books.journal if each.kind == "consumption"] == [True, True]
    assert income(books, "overage") == "0"


def two_plans(**more: Any) -> Any:
    return terms(
        plan("basic", "1 USD", "1 CU", overage="1 USD"),
        plan("pro", "1 USD", "1 CU", overage="2 USD"),
        plan("bare", "1 USD", "1 CU"),
        plan("gpu", "1 USD", "1 GPU", overage="5 USD"),
        **more,
    )


@pytest.mark.parametrize(
    ("events", "held", "charge"),
    [
        # the newest running one is pro
        (
            [subscription("2026-01-01", "a", "basic"), subscription("2026-02-10", "a", "pro")],
            "2 CU",
            "2",
        ),
        # `started` counts, not the directive's date; that period itself is not booked
        (
            [
                subscription("2026-02-15", "a", "basic", started="2026-02-01"),
                subscription("2026-02-10", "a", "pro"),
            ],
            "1 CU",
            "2",
        ),
        # ties: plan name
        (
            [subscription("2026-02-01", "a", "pro"), subscription("2026-02-01", "a", "basic")],
            "2 CU",
            "1",
        ),
        # a cancelled one runs until its last period ends
        (
            [
                subscription("2026-01-01", "a", "basic"),
                subscription("2026-02-05", "a", "pro"),
                cancellation("2026-02-06", "a", "pro"),
            ],
            "2 CU",
            "2",
        ),
        # and no longer: its units have expired, too
        (
            [
                subscription("2026-01-01", "a", "basic"),
                subscription("2026-01-05", "a", "pro"),
                cancellation("2026-01-06", "a", "pro"),
            ],
            "1 CU",
            "1",
        ),
        # on the very day on which the last period ends it runs no more
        (
            [
                subscription("2026-01-01", "a", "basic"),
                subscription("2026-01-20", "a", "pro"),
                cancellation("2026-01-21", "a", "pro"),
            ],
            "1 CU",
            "1",
        ),
        # one for another commodity has no say
        (
            [subscription("2026-01-01", "a", "basic"), subscription("2026-02-10", "a", "gpu")],
            "1 CU",
            "1",
        ),
    ],
)
def test_overage_takes_the_price_of_the_newest_running_subscription(
    events: list[Any], held: str, charge: str
) -> None:
    """On 20 February all that is held is used, then one unit more
    (manual/language.md, section 5)."""
    uses = [consumption("2026-02-20", "a", units) for units in (held, "1 CU")]
    books = book([*events, *uses], two_plans())
    assert messages(books) == []
    assert income(books, "overage") == charge
    assert income(books, "revenue") == held.split()[0]


def test_overage_takes_the_price_in_force_on_the_day_of_use() -> None:
    """A new price from 10 May holds for the use of 20 May, though the period began before."""
    agreed = terms(
        plan(price="2 USD", units="10 CU", overage="1 USD"),
        plan(price="2 USD", units="10 CU", overage="3 USD", since="2026-05-10"),
    )
    events = [
        subscription("2026-05-01", "a"),
        consumption("2026-05-09", "a", "11 CU"),
        consumption("2026-05-20", "a", "1 CU"),
    ]
    assert income(book(events, agreed), "overage") == "4"


@pytest.mark.parametrize(
    ("events", "message"),
    [
        (
            [top_up("2026-01-01", "a", "7 CU", "7 USD")],
            '9: "a" uses 10 CU and holds 7 CU: write at most that, or a top-up or grant before it',
        ),
        (
            [subscription("2026-01-01", "a", "bare")],
            (
                '9: "a" uses 10 CU and holds 1 CU, and plan "bare" has no `overage` price: '
                "write at most that, a top-up before it, or an overage price"
            ),
        ),
        (  # the newest one has the say, also where it has no price
            [subscription("2026-01-01", "a", "pro"), subscription("2026-01-02", "a", "bare")],
            (
                '9: "a" uses 10 CU and holds 2 CU, and plan "bare" has no `overage` price: '
                "write at most that, a top-up before it, or an overage price"
            ),
        ),
        (
            [grant("2026-01-01", "b", "7 CU")],
            (
                '9: unknown subscriber "a": needs a subscription, allocation, grant, opening '
                "lot or compute-subscriber on or before this day"
            ),
        ),
    ],
)
def test_use_that_nothing_covers_is_refused_whole(events: list[Any], message: str) -> None:
    """Nothing of it is booked, and the figures are named."""
    books = book([*events, consumption("2026-01-20", "a", "10 CU", line=9)], two_plans())
    assert messages(books) == [message]
    assert shown(books, "consumption") == ""


def test_a_reversal_takes_overage_out_of_the_running_total() -> None:
    """0.004 (0.00), 0.008 (0.01); the second is undone: -0.01; 0.008 again: 0.01."""
    events = [
        subscription("2026-05-01", "a"),
        consumption("2026-05-01", "a", "10 CU"),
        consumption("2026-05-02", "a", "1 CU"),
        consumption("2026-05-03", "a", "1 CU", id="wrong"),
        reversal("2026-05-04", "wrong"),
        consumption("2026-05-05", "a", "1 CU"),
    ]
    books = book(events, overage_terms("0.004 USD"))
    assert shown(books, "reversal") == text("""
        2026-05-04 reversal a
          receivable a pro -0.01 USD
          overage a pro 0.01 USD
    """)
    assert income(books, "overage") == "0.01"


def test_a_negative_charge_is_booked_when_the_total_falls() -> None:
    """0.005 (0.00), 0.0051 more = 0.0101 (0.01); the first undone leaves 0.0051 and 0.01 booked;
    0.0001 more is 0.0052 -> 0.01: nothing. The second undone: 0.0001 of 0.00 booked.

    A negative one: 0.0049 (0.00), 0.0002 more = 0.0051 (0.01), the first undone: 0.0002 and 0.01;
    the next use of 0.0001 makes 0.0003 -> 0.00, less 0.01 already booked: -0.01.
    """
    events = [
        subscription("2026-05-01", "a"),
        consumption("2026-05-01", "a", "10 CU"),
        consumption("2026-05-02", "a", "49 CU", id="first"),
        consumption("2026-05-03", "a", "2 CU"),
        reversal("2026-05-04", "first"),
        consumption("2026-05-05", "a", "1 CU"),
    ]
    books = book(events, overage_terms("0.0001 USD"))
    assert messages(books) == []
    assert shown(books).endswith(
        text("""
        2026-05-05 consumption a
          receivable a pro -0.01 USD
          overage a pro 0.01 USD
        """)
    )
    assert income(books, "overage") == "0"


# Posting grain


def uses(*days: str) -> list[Any]:
    return [consumption(on, "a", "1 CU", id=f"u{n}", line=n) for n, on in enumerate(days, start=1)]


def merged(events: list[Any], grain: str, **more: Any) -> list[str]:
    """The consumption entries: day, first id, count and line."""
    begin = top_up("2026-05-01", "a", "100 CU", "20 USD", line=99)
    agreed = terms(plan(price="1 USD", units="1 CU", overage="0.30 USD"), grain=grain)
    books = book([begin, *events], agreed, **more)
    assert messages(books) == []
    return [
        f"{each.date} {each.id} {each.uses} {cause(each)[1].line}"
        for each in books.journal
        if each.kind == "consumption" and each.subscriber == "a"
    ]


@pytest.mark.parametrize(
    ("grain", "expected"),
    [
        (
            "event",
            ["2026-05-02 u1 1 1", "2026-05-02 u2 1 2", "2026-05-31 u3 1 3", "2026-06-01 u4 1 4"],
        ),
        ("day", ["2026-05-02 u1 2 1", "2026-05-31 u3 1 3", "2026-06-01 u4 1 4"]),
        ("month", ["2026-05-31 u1 3 1", "2026-06-01 u4 1 4"]),
    ],
)
def test_the_grain_merges_uses(grain: str, expected: list[str]) -> None:
    """One transaction a day or calendar month, dated its last use, with the place of its first."""
    events = uses("2026-05-02", "2026-05-02", "2026-05-31", "2026-06-01")
    assert merged(events, grain) == expected


def test_the_same_month_of_another_year_merges_with_nothing() -> None:
    """Nothing else happens between May 2026 and May 2027."""
    events = uses("2026-05-02", "2027-05-02")
    assert merged(events, "month") == ["2026-05-02 u1 1 1", "2027-05-02 u2 1 2"]


def test_merged_uses_add_up_lot_by_lot() -> None:
    """30 + 20 of the first lot, 70 of the second; 50 x 0.20 + 70 x 0.30 = 10 + 21 of top-ups."""
    events = [
        top_up("2026-05-01", "a", "50 CU", "10 USD"),
        top_up("2026-05-02", "a", "100 CU", "30 USD"),
        consumption("2026-05-03", "a", "30 CU"),
        consumption("2026-05-04", "a", "90 CU"),
    ]
    books = book(events, terms(grain="month"))
    assert shown(books, "consumption") == text("""
        2026-05-04 consumption a
          tokens a 50 CU {0.2 USD, 2026-05-01, top-up}
          tokens a 70 CU {0.3 USD, 2026-05-02, top-up}
          revenue a top-up -31 USD
    """)


@pytest.mark.parametrize(
    ("grain", "expected"),
    [
        ("event", ["2026-05-02 1", "2026-05-02 1", "2026-05-20 1", "2026-06-02 1"]),
        ("day", ["2026-05-02 2", "2026-05-20 1", "2026-06-02 1"]),
        ("month", ["2026-05-20 3", "2026-06-02 1"]),
    ],
)
def test_uses_of_an_allocation_merge_as_well(grain: str, expected: list[str]) -> None:
    """Each leaves a rest of the first lot; the sums are the same in every grain."""
    days = ["2026-05-02", "2026-05-02", "2026-05-20", "2026-06-02"]
    events = [one_period("2026-05-01", "a"), *(consumption(on, "a", "10 CU") for on in days)]
    books = book(events, terms(plan(every="quarter"), grain=grain))
    found = [f"{each.date} {each.uses}" for each in books.journal if each.kind == "consumption"]
    assert found == expected
    assert income(books, "revenue") == "8"


def test_merged_overage_that_sums_to_nothing_has_no_legs() -> None:
    """The running total books 0.01 and, after a reversal, -0.01: what sums to zero is left out."""
    events = [
        subscription("2026-05-01", "a"),
        consumption("2026-05-01", "a", "10 CU"),
        consumption("2026-05-02", "a", "49 CU", id="first"),
        reversal("2026-05-03", "first"),
        consumption("2026-05-04", "a", "51 CU"),
        consumption("2026-05-05", "a", "1 CU"),
    ]
    books = book(events, overage_terms("0.0001 USD", grain="month"))
    uses_of_may = [each for each in books.journal if each.kind == "consumption"]
    assert [(str(each.date), each.uses, each.overage) for each in uses_of_may] == [
        ("2026-05-02", 2, True),
        ("2026-05-05", 2, True),
    ]
    assert [f"{leg.role} {leg.number}" for leg in uses_of_may[1].legs if hasattr(leg, "role")] == [
        "receivable 0.01",
        "overage -0.01",
    ]


ENDS_A_RUN: dict[str, list[Any]] = {
    "a top-up": [top_up("2026-05-05", "a", "1 CU", "1 USD")],
    "a grant": [grant("2026-05-05", "a", "1 CU")],
    "a transfer": [grant("2026-05-05", "b", "1 CU"), transfer("2026-05-05", "a", "b", "1 CU")],
    "a transfer received": [
        top_up("2026-05-02", "b", "1 CU", "1 USD"),
        transfer("2026-05-05", "b", "a", "1 CU"),
    ],
    "a period of a plan": [one_period("2026-05-05", "a")],
    "a sale": [grant("2026-05-05", "b", "1 CU"), trade("2026-05-05", "a", "b", "1 CU", "1 USD")],
    "a purchase": [
        top_up("2026-05-02", "b", "1 CU", "1 USD"),
        trade("2026-05-05", "b", "a", "1 CU", "1 USD"),
    ],
    "a spend": [spend("2026-05-05", "a", "shop", "1 CU", "1 USD")],
    "a refund": [refund("2026-05-05", "a", "1 CU")],
    "a reversal": [top_up("2026-05-02", "a", "1 CU", "1 USD", id="t"), reversal("2026-05-05", "t")],
    "a subscription": [subscription("2026-05-05", "a")],
    "one whose next period starts later": [subscription("2026-05-05", "a", started="2026-04-20")],
    "a period end": [subscription("2026-04-05", "a")],
    "the end of a single period, used up": [one_period("2026-04-05", "a")],
    "a cancellation": [subscription("2026-05-02", "a"), cancellation("2026-05-05", "a")],
    "an expiry": [top_up("2026-05-02", "a", "9 CU", "1 USD", expires="2026-05-05")],
}


@pytest.mark.parametrize("name", ENDS_A_RUN)
def test_a_run_ends_with_anything_else_that_happens_to_its_subscriber(name: str) -> None:
    """Merged up to any other event, period end or expiry of that subscriber
    (manual/language.md, section 5)."""
    events = [*ENDS_A_RUN[name], *uses("2026-05-03", "2026-05-04", "2026-05-06", "2026-05-07")]
    assert merged(events, "month") == ["2026-05-04 u1 2 1", "2026-05-07 u3 2 3"]


def test_a_run_ends_with_a_single_period_whose_units_roll_over() -> None:
    """Of 9 CU from 5 April 7 are left on 5 May; the period ends all the same, and is no entry."""
    agreed = terms(plan(units="9 CU", unused="rollover"), grain="month")
    used = uses("2026-05-03", "2026-05-04", "2026-05-05", "2026-05-06")
    books = book([one_period("2026-04-05", "a"), *used], agreed)
    assert [f"{each.date} {each.uses}" for each in books.journal[1:]] == [
        "2026-05-04 2",
        "2026-05-06 2",
    ]


def test_single_periods_of_two_that_end_on_one_day_end_both_runs() -> None:
    """Those of a and b end on 5 May, with 7 of 9 CU each that roll over."""
    agreed = terms(plan(units="9 CU", unused="rollover"), grain="month")
    events = [one_period("2026-04-05", name) for name in ("a", "b")]
    events += [
        consumption(on, name, "1 CU")
        for name in ("a", "b")
        for on in ("2026-05-03", "2026-05-04", "2026-05-05", "2026-05-06")
    ]
    books = book(events, agreed)
    found = [f"{each.date} {each.subscriber} {each.uses}" for each in books.journal[2:]]
    assert found == ["2026-05-04 a 2", "2026-05-04 b 2", "2026-05-06 a 2", "2026-05-06 b 2"]


def test_what_happens_to_others_does_not_end_a_run() -> None:
    """Their uses, too, merge apart."""
    events = [
        top_up("2026-05-01", "b", "9 CU", "1 USD"),
        *uses("2026-05-03", "2026-05-05"),
        consumption("2026-05-04", "b", "1 CU"),
        consumption("2026-05-06", "b", "1 CU"),
        top_up("2026-05-04", "b", "9 CU", "2 USD"),
    ]
    assert merged(events, "month") == ["2026-05-05 u1 2 1"]


def test_a_merged_use_can_be_reversed_alone() -> None:
    """One of two merged uses is undone: its own unit comes back, once."""
    events = [
        top_up("2026-05-01", "a", "10 CU", "2 USD"),
        *uses("2026-05-02", "2026-05-03"),
        reversal("2026-05-04", "u2"),
    ]
    books = book(events, terms(grain="month"))
    assert lots_shown(books) == ["tokens a 9 CU {0.2 USD, 2026-05-01, top-up}"]
    assert shown(books, "reversal") == text("""
        2026-05-04 reversal a
          tokens a -1 CU {0.2 USD, 2026-05-01, top-up}
          revenue a top-up 0.2 USD
    """)
