"""The engine: days, phases, identity of events, and hand-written postings."""

from __future__ import annotations

import random
from typing import Any

import pytest

from beancount_compute.economy.engine import Bookkeeper
from beancount_compute.economy.inputs import Facts
from tests.economy.building import (
    assertion,
    book,
    by_hand,
    cancellation,
    consumption,
    day,
    deferred,
    first_letter_up,
    grant,
    income,
    introduction,
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

STORY = [
    subscription("2026-05-01", "alice", id="sub-alice"),
    subscription("2026-05-01", "bob", id="sub-bob"),
    consumption("2026-05-20", "alice", "200 CU"),
    consumption("2026-05-20", "bob", "1000 CU"),
    trade("2026-06-10", "alice", "bob", "500 CU", "0.25 USD"),
    consumption("2026-06-20", "bob", "1400 CU"),
    cancellation("2026-06-20", "alice"),
    cancellation("2026-06-20", "bob"),
]
STORY_PLAN = plan(unused="mint", token_expires="12 months")


def test_the_story_by_20_june() -> None:
    """Billed 800.00, revenue 520.00, fees 6.25, deferred revenue 280.00
    (manual/language.md, section 7)."""
    books = book(STORY, terms(STORY_PLAN, seller_fee="0.05"))
    assert messages(books) == []
    billed = sum(
        leg.number
        for entry in books.journal
        for leg in entry.legs
        if entry.kind == "allocation" and hasattr(leg, "role")
    )
    assert billed == 800
    assert income(books, "revenue") == "520"
    assert income(books, "fees") == "6.25"
    assert deferred(books) == "280"
    assert lots_shown(books) == [
        "allocations alice 1000 CU {0.2 USD, 2026-06-01, pro/2026-07-01}",
        "tokens alice 300 CU {0.2 USD, 2026-05-01, pro/2027-06-01}",
        "tokens bob 100 CU {0.2 USD, 2026-05-01, pro/2027-06-01}",
    ]


def test_the_story_as_of_july_2027() -> None:
    """A mint in July, 80.00 and 200.00 of breakage, nothing deferred
    (manual/language.md, section 7)."""
    books = book(STORY, terms(STORY_PLAN, seller_fee="0.05", as_of="2027-07-01"))
    late = [entry for entry in books.journal if entry.date > day("2026-06-20")]
    assert [f"{entry.date} {entry.kind} {entry.subscriber}" for entry in late] == [
        "2026-07-01 mint alice",
        "2027-06-01 expiry alice",
        "2027-06-01 expiry bob",
        "2027-07-01 expiry alice",
    ]
    assert "pro/2027-07-01" in shown(books, "mint")
    assert income(books, "breakage") == "280"
    assert income(books, "revenue") == "520"
    assert deferred(books) == "0"
    assert books.lots == []


# What each phase makes possible for the next, all on one day.
CROWDED = [
    top_up("2026-06-01", "alice", "5 CU", "1 USD", line=1),
    trade("2026-06-01", "alice", "bob", "5 CU", "1 USD", line=2),
    consumption("2026-06-01", "bob", "5 CU", id="use", line=3),
    reversal("2026-06-01", "use", line=4),
    grant("2026-06-01", "bob", "1 CU", line=5),
]


def test_a_day_runs_in_phases() -> None:
    """Top-up, then trade, then use, then reversal: each needs the one before
    (manual/language.md, section 4)."""
    books = book(CROWDED)
    assert messages(books) == []
    assert [entry.kind for entry in books.journal] == [
        "allocation",
        "grant",
        "trade",
        "consumption",
        "reversal",
    ]


def test_periods_start_before_the_moves_of_their_day() -> None:
    """What is minted on 1 June can be sold on 1 June, and June's allocation used."""
    events = [
        subscription("2026-05-01", "alice"),
        grant("2026-05-01", "bob", "1 CU"),
        trade("2026-06-01", "alice", "bob", "1000 CU", "1 USD"),
        consumption("2026-06-01", "alice", "1000 CU"),
    ]
    assert messages(book(events, terms(plan(unused="mint")))) == []


def test_what_ends_on_a_day_is_gone_before_anything_of_that_day() -> None:
    """A lot with end 1 June can't be used, sold or refunded on 1 June."""
    events = [
        top_up("2026-05-01", "a", "5 CU", "1 USD", expires="2026-06-01"),
        grant("2026-05-01", "b", "1 CU"),
        consumption("2026-06-01", "a", "1 CU", line=1),
        transfer("2026-06-01", "a", "b", "1 CU", line=2),
        refund("2026-06-01", "a", "1 CU", line=3),
    ]
    assert refused_lines(book(events)) == [1, 2, 3]


@pytest.mark.parametrize("seed", range(20))
def test_the_order_of_writing_does_not_matter(seed: int) -> None:
    """The books are a function of the set of events."""
    opened = [
        by_hand("2026-05-01", f"tokens alice {n} CU {{1 USD, 2026-04-0{n}, x}}") for n in (1, 2)
    ]
    facts = [*STORY, *CROWDED, *CROWDED[:1]]
    expected = book(facts, terms(STORY_PLAN), openings=opened)
    chance = random.Random(seed)
    chance.shuffle(facts)
    chance.shuffle(opened)
    found = book(facts, terms(STORY_PLAN), openings=opened)
    assert shown(found) == shown(expected)
    assert [entry.id for entry in found.journal] == [entry.id for entry in expected.journal]
    assert sorted(found.refusals) == sorted(expected.refusals)
    assert found.prices == expected.prices


def test_every_entry_says_in_words_what_it_is() -> None:
    """Narrations: what a reader of the journal sees first."""
    events = [
        one_period("2026-05-01", "a"),
        top_up("2026-05-01", "a", "9 CU", "9 USD", expires="2026-07-01"),
        grant("2026-05-01", "b", "9 CU"),
        trade("2026-05-02", "a", "b", "1 CU", "1 USD", id="t"),
        transfer("2026-05-02", "a", "b", "1 CU"),
        spend("2026-05-02", "a", "shop", "1 CU", "1 USD"),
        consumption("2026-05-03", "a", "1 CU"),
        refund("2026-05-04", "a", "1 CU"),
        reversal("2026-05-04", "t"),
    ]
    books = book(events, terms(plan(unused="mint"), as_of="2026-07-01"))
    assert messages(books) == []
    assert [f"{entry.kind}: {entry.narration}" for entry in books.journal] == [
        "allocation: Top-up",
        "allocation: Allocation pro 2026-05-01/2026-05-31",
        "grant: Grant",
        "spend: Spend with shop",
        "trade: Trade with b",
        "transfer: Transfer to b",
        "consumption: Consumption",
        "refund: Refund",
        "reversal: Reversal of Trade with b",
        "mint: Mint",
        "expiry: Expiry",
        "expiry: Expiry",
    ]


# Ids


def test_one_id_with_the_same_content_counts_once() -> None:
    """By value, wherever it stands: 5 and 5.00 CU are the same."""
    events = [
        grant("2026-05-01", "a", "5 CU", id="g", line=1),
        grant("2026-05-01", "a", "5.00 CU", id="g", line=2),
        grant("2026-05-01", "a", "5 CU", id="g", line=3, extra=(("x_a", "b"),)),
    ]
    books = book(events)
    assert messages(books) == []
    assert lots_shown(books) == ["allocations a 5 CU {0 USD, 2026-05-01, grant}"]


@pytest.mark.parametrize("turned", [False, True])
def test_one_id_with_other_content_is_an_error_and_the_first_stands(turned: bool) -> None:
    """The first in the order of the books, whatever comes first in the file."""
    events = [
        grant("2026-05-01", "a", "5 CU", id="g", line=1),
        grant("2026-05-01", "a", "6 CU", id="g", line=2),
        consumption("2026-05-03", "a", "1 CU", id="g", line=3),
    ]
    books = book(events[::-1] if turned else events)
    assert messages(books) == [
        '2: event id "g" stands for something else at books:1: give this one an id of its own',
        '3: event id "g" stands for something else at books:1: give this one an id of its own',
    ]
    assert lots_shown(books) == ["allocations a 5 CU {0 USD, 2026-05-01, grant}"]


def test_a_refused_event_keeps_its_id() -> None:
    """The id stands for the first event that bears it, booked or not."""
    events = [
        consumption("2026-05-01", "nobody", "5 CU", id="x", line=1),
        grant("2026-05-02", "a", "5 CU", id="x", line=2),
    ]
    assert refused_lines(book(events)) == [1, 2]


def test_without_an_id_nothing_is_merged() -> None:
    """Two equal lines are two events; their derived ids end in nothing and -2, then -3."""
    same = consumption("2026-05-02", "a", "1 CU")
    books = book([grant("2026-05-01", "a", "5 CU"), same, same, same])
    uses = [entry.id for entry in books.journal if entry.kind == "consumption"]
    assert uses == [uses[0], f"{uses[0]}-2", f"{uses[0]}-3"]
    assert uses[0].startswith("e-")
    assert lots_shown(books) == ["allocations a 2 CU {0 USD, 2026-05-01, grant}"]


def test_a_derived_id_can_be_reversed() -> None:
    """The second of two equal uses is undone by its own id."""
    same = consumption("2026-05-02", "a", "1 CU")
    events = [grant("2026-05-01", "a", "5 CU"), same, same]
    second = [entry.id for entry in book(events).journal][-1]
    assert second.endswith("-2")
    books = book([*events, reversal("2026-05-03", second)])
    assert messages(books) == []
    assert lots_shown(books) == ["allocations a 4 CU {0 USD, 2026-05-01, grant}"]


# Who is known


@pytest.mark.parametrize(
    "first",
    [
        subscription("2026-05-02", "a"),
        one_period("2026-05-02", "a"),
        top_up("2026-05-02", "a", "1 CU", "1 USD"),
        grant("2026-05-02", "a", "1 CU"),
    ],
)
def test_who_allocates_is_known_from_that_day(first: Any) -> None:
    """A gift on the day itself is fine, on the day before it is refused."""
    events = [
        top_up("2026-05-01", "giver", "5 CU", "1 USD"),
        transfer("2026-05-01", "giver", "a", "1 CU", line=1),
        transfer("2026-05-02", "giver", "a", "1 CU", line=2),
        first,
    ]
    assert refused_lines(book(events, terms(plan()))) == [1]


def test_opening_lots_and_introductions_make_known() -> None:
    """From their day on."""
    giver = top_up("2026-05-01", "giver", "9 CU", "1 USD")
    gifts = [
        transfer(f"2026-05-0{n}", "giver", name, "1 CU", line=n)
        for name in ("a", "b")
        for n in (2, 3)
    ]
    books = book(
        [giver, *gifts],
        introductions=[introduction("2026-05-03", "a")],
        openings=[by_hand("2026-05-03", "tokens b 1 CU {1 USD, 2026-05-01, x}")],
    )
    assert refused_lines(books) == [2, 2]


def test_an_introduction_twice_is_one() -> None:
    """Someone who is known already is not introduced again."""
    twice = [introduction("2026-05-01", "a", 1), introduction("2026-05-02", "a", 2)]
    assert messages(book([], introductions=twice)) == []


def test_a_component_belongs_to_whom_an_event_makes_known() -> None:
    """Not to "Bob", whose plan there is none of: the first of that component who is accepted."""
    events = [
        subscription("2026-05-01", "Bob", "none"),
        top_up("2026-05-02", "bob", "1 CU", "1 USD"),
        top_up("2026-05-02", "alice", "1 CU", "1 USD"),
    ]
    keeper = Bookkeeper(Facts(events), terms(), first_letter_up)
    assert keeper.by_component == {}
    assert len(list(keeper.entries())) == 2
    assert keeper.by_component == {"Bob": "bob", "Alice": "alice"}


def test_a_refused_event_makes_nobody_known() -> None:
    """Known is who had an accepted one."""
    events = [
        top_up("2026-05-01", "a", "1 CU", "0.001 USD", line=1),
        grant("2026-05-01", "b", "1 CU", expires="2026-05-01", line=2),
        subscription("2026-05-01", "c", "none", line=3),
        *(refund("2026-05-02", name, "1 CU", line=4) for name in "abc"),
    ]
    books = book(events)
    assert refused_lines(books) == [1, 2, 3, 4, 4, 4]
    assert sum("unknown subscriber" in message for message in messages(books)) == 3


def test_a_partner_is_nobody() -> None:
    """Spending with a partner makes no subscriber of it."""
    events = [
        top_up("2026-05-01", "a", "5 CU", "1 USD"),
        spend("2026-05-02", "a", "shop", "1 CU", "0.1 USD"),
        transfer("2026-05-03", "a", "shop", "1 CU", line=3),
    ]
    assert refused_lines(book(events)) == [3]


# Refusals


def test_what_is_refused_changes_nothing_else() -> None:
    """The books with refused events are those without them, as-of day and all."""
    refused = [
        consumption("2026-06-15", "alice", "9999 CU"),
        trade("2026-06-15", "bob", "alice", "9999 CU", "1 USD"),
        spend("2026-06-15", "bob", "shop", "9999 CU", "1 USD"),
        refund("2026-06-15", "bob", "9999 CU"),
        reversal("2026-06-15", "nothing"),
        top_up("2026-06-15", "carol", "1 CU", "0.001 USD"),
        subscription("2026-06-15", "alice"),
    ]
    clean = book(STORY, terms(STORY_PLAN))
    books = book([*STORY, *refused], terms(STORY_PLAN))
    assert len(books.refusals) == len(refused)
    assert shown(books) == shown(clean)
    assert lots_shown(books) == lots_shown(clean)


# Postings by hand


LOT = "tokens alice 3 CU {0.2 USD, 2026-05-01, top-up}"
ALICE = top_up("2026-05-01", "alice", "10 CU", "2 USD")


def test_a_posting_by_hand_takes_effect_at_the_end_of_its_day() -> None:
    """All 10 can be used on that day; then nothing is left to take out."""
    use = consumption("2026-05-02", "alice", "8 CU")
    books = book([ALICE, use], removals=[by_hand("2026-05-02", LOT, 5)])
    (message,) = messages(books)
    assert message.startswith(
        '5: 3 CU {0.20 USD, 2026-05-01, "top-up"} is more than the lot holds; open lots of "alice" '
    )
    assert message.endswith('must write them: 2 CU {0.20 USD, 2026-05-01, "top-up"}')
    books = book(
        [ALICE, use._replace(units=use.units and use.units - 1)],
        removals=[by_hand("2026-05-02", LOT)],
    )
    assert messages(books) == []
    assert books.lots == []


def test_units_taken_out_by_hand_are_gone_the_next_day() -> None:
    """7 of 10 are left; no journal entry is made for what the ledger holds itself."""
    use = consumption("2026-05-03", "alice", "8 CU", line=3)
    books = book([ALICE, use], removals=[by_hand("2026-05-02", LOT)])
    assert messages(books) == [
        '3: "alice" uses 8 CU and holds 7 CU: write at most that, or a top-up or grant before it'
    ]
    assert [entry.kind for entry in books.journal] == ["allocation"]


@pytest.mark.parametrize(
    "wrong",
    [
        "tokens alice 3 CU {0.3 USD, 2026-05-01, top-up}",
        "tokens alice 3 CU {0.2 EUR, 2026-05-01, top-up}",
        "tokens alice 3 CU {0.2 USD, 2026-05-02, top-up}",
        "tokens alice 3 CU {0.2 USD, 2026-05-01, pro}",
        "tokens alice 3 CU {0.2 USD, 2026-05-01, top-up/2027-01-01}",
        "tokens alice 3 GPU {0.2 USD, 2026-05-01, top-up}",
        "allocations alice 3 CU {0.2 USD, 2026-05-01, top-up}",
        "tokens bob 3 CU {0.2 USD, 2026-05-01, top-up}",
    ],
)
def test_a_posting_that_names_no_open_lot_takes_nothing(wrong: str) -> None:
    """Cost, currency, date, origin, end, commodity, pocket and holder must be the very lot's."""
    books = book([ALICE], removals=[by_hand("2026-05-02", wrong, 4)])
    (message,) = messages(books)
    assert message.startswith("4: ")
    assert "is no open lot" in message
    assert lots_shown(books) == ["tokens alice 10 CU {0.2 USD, 2026-05-01, top-up}"]


def test_a_posting_of_more_than_the_lot_holds_takes_nothing() -> None:
    """11 of 10: not even the 10 are taken, and the message shows that there are 10."""
    wrong = LOT.replace("3 CU", "11 CU")
    books = book([ALICE], removals=[by_hand("2026-05-02", wrong, 4)])
    assert messages(books) == [
        (
            '4: 11 CU {0.20 USD, 2026-05-01, "top-up"} is more than the lot holds; open lots of '
            '"alice" in tokens at the end of 2026-05-02, as a posting must write them: '
            '10 CU {0.20 USD, 2026-05-01, "top-up"}'
        )
    ]
    assert lots_shown(books) == ["tokens alice 10 CU {0.2 USD, 2026-05-01, top-up}"]


def test_a_flaw_is_said_with_the_lots_that_there_are() -> None:
    """A posting without cost can't name a lot; the message shows how to write one."""
    grants = grant("2026-05-01", "alice", "9 CU", expires="2026-07-01")
    wrong = by_hand(
        "2026-05-02", "allocations alice 0 CU {0 USD, 2026-05-01, x}", 4, "names no lot"
    )
    (message,) = messages(book([ALICE, grants], removals=[wrong]))
    assert message == (
        '4: names no lot; open lots of "alice" in allocations at the end of 2026-05-02, as a '
        'posting must write them: 9 CU {0.00 USD, 2026-05-01, "grant/2026-07-01"}'
    )


def test_a_lot_that_is_not_there_yet_is_told_by_the_as_of_day() -> None:
    """The use of 20 May is the last event: of June nothing is derived, of that day all is."""
    events = [subscription("2026-05-01", "alice"), consumption("2026-05-20", "alice", "1 CU")]
    june = "allocations alice 1 CU {0.2 USD, 2026-06-01, pro/2026-07-01}"
    removals = [by_hand("2026-05-20", june, 4), by_hand("2026-06-20", june, 5)]
    same_day, behind = messages(book(events, terms(plan()), removals=removals))
    assert same_day.endswith('999 CU {0.20 USD, 2026-05-01, "pro/2026-06-01"}')
    made = "(periods, mints and expiries are made up to the as-of day 2026-05-20)"
    assert behind.endswith(f'999 CU {{0.20 USD, 2026-05-01, "pro/2026-06-01"}} {made}')


def test_of_someone_unknown_there_are_no_lots() -> None:
    """The message says none."""
    (message,) = messages(book([], removals=[by_hand("2026-05-02", LOT, 4)]))
    assert message.endswith("as a posting must write them: none")


def test_opening_lots_stand_from_the_beginning_of_their_day() -> None:
    """They can be used on it, and one whose end has come ends on it, before any event."""
    openings = [
        by_hand("2026-05-02", "tokens a 5 CU {0.2 USD, 2025-11-01, pro}"),
        by_hand("2026-05-02", "tokens a 5 CU {0.4 USD, 2025-11-01, pro/2026-05-02}"),
        by_hand("2026-05-02", "tokens a 5 CU {0.6 USD, 2025-11-01, pro/2026-01-01}"),
    ]
    books = book([consumption("2026-05-02", "a", "5 CU")], openings=openings)
    assert shown(books) == text("""
        2026-05-02 expiry a
          tokens a 5 CU {0.4 USD, 2025-11-01, pro/2026-05-02}
          breakage a pro -2 USD
        2026-05-02 expiry a
          tokens a 5 CU {0.6 USD, 2025-11-01, pro/2026-01-01}
          breakage a pro -3 USD
        2026-05-02 consumption a
          tokens a 5 CU {0.2 USD, 2025-11-01, pro}
          revenue a pro -1 USD
    """)


def test_an_opening_lot_melts_with_the_same_lot() -> None:
    """Entered in two postings, it is one lot with one end."""
    openings = [
        by_hand("2026-05-02", "tokens a 5 CU {0.2 USD, 2025-11-01, pro/2026-06-01}"),
        by_hand("2026-05-03", "tokens a 6 CU {0.2 USD, 2025-11-01, pro/2026-06-01}"),
    ]
    books = book([grant("2026-06-01", "b", "1 CU")], openings=openings)
    assert shown(books, "expiry") == text("""
        2026-06-01 expiry a
          tokens a 11 CU {0.2 USD, 2025-11-01, pro/2026-06-01}
          breakage a pro -2.2 USD
    """)


@pytest.mark.parametrize(
    ("opened", "fits"),
    [
        (["99999999999999", "0.5"], True),
        (["99999999999999", "0.0000000000001"], False),  # 27 digits, at 0.37: together too many
        (["12345678901234567890.12345678"], False),
    ],
)
def test_opening_lots_of_too_many_digits_are_refused(opened: list[str], fits: bool) -> None:
    """Beancount computes with 28: what is derived from a lot must balance exactly."""
    openings = [
        by_hand("2026-05-02", f"tokens a {units} CU {{0.37 USD, 2025-11-01, pro/2026-06-01}}", line)
        for line, units in enumerate(opened, start=1)
    ]
    books = book([grant("2026-06-01", "b", "1 CU")], openings=openings)
    assert refused_lines(books) == ([] if fits else [len(opened)])
    assert [entry.kind for entry in books.journal].count("expiry") == (
        1 if fits else len(opened) - 1
    )


def test_a_long_list_of_open_lots_is_cut_short() -> None:
    """Twelve are held; a message names ten of them."""
    days = [f"2026-05-{number:02}" for number in range(1, 13)]
    events = [top_up(each, "alice", "5 CU", "1 USD") for each in days]
    none = by_hand("2026-06-01", "tokens alice 5 CU {0.3 USD, 2026-05-01, top-up}", 1)
    (message,) = messages(book(events, removals=[none]))
    assert message.count("{0.20 USD") == 10
    assert " and others" in message


# Merging of uses by hand-written postings


def test_a_posting_by_hand_ends_a_run_of_uses() -> None:
    """It happens to the subscriber; one that is refused does not."""
    events = [ALICE, *(consumption(f"2026-05-0{n}", "alice", "1 CU") for n in (2, 3, 4))]
    for removal, runs in ((LOT, [2, 1]), (LOT.replace("3 CU", "99 CU"), [3])):
        books = book(events, terms(grain="month"), removals=[by_hand("2026-05-03", removal)])
        assert [e.uses for e in books.journal if e.kind == "consumption"] == runs


def test_prices_and_assertions_of_an_empty_ledger() -> None:
    """No facts, no books; a figure of nothing is zero."""
    books = book([], assertions=[assertion("2026-05-01", "revenue", "0 USD")])
    assert (books.journal, books.prices, books.refusals, books.lots) == ([], [], [], [])
    assert book([]).as_of == day("0001-01-01")
