"""What follows from what was refused, or can't be read, names where that stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from beancount_compute.economy.events import Event, Place
from beancount_compute.economy.refusals import NotRead
from tests.economy.building import (
    assertion,
    at,
    book,
    by_hand,
    cancellation,
    change,
    chargeback,
    consumption,
    grant,
    plan,
    recovery,
    reversal,
    subscription,
    terms,
    top_up,
    trade,
    transfer,
)

FILE = Place("gone.csv", 1)
ALICE = top_up("2026-05-01", "alice", "10 CU", "1 USD")


def causes(events: Iterable[Event], **more: Any) -> list[tuple[int, Place | None]]:
    """The line of each refused event, and where what it follows from stands."""
    books = book(events, terms(plan()), **more)
    return sorted((each.place.line, each.cause) for each in books.refusals)


def test_what_a_refused_event_would_have_given_is_missing_behind_it() -> None:
    """The 10 units of line 1 explain 6 and 4 that are missing, and not 11; nor units of others."""
    events = [
        grant("2026-05-01", "bob", "1 CU"),
        top_up("2026-05-02", "bob", "10 CU", "0 USD", line=1),
        consumption("2026-05-03", "bob", "7 CU", line=2),
        transfer("2026-05-03", "bob", "alice", "4 CU", line=3),
        consumption("2026-05-04", "bob", "12 CU", line=4),
        consumption("2026-05-05", "bob", "1 GPU", line=5),
        ALICE,
    ]
    assert causes(events) == [(1, None), (2, at(1)), (3, at(1)), (4, None), (5, None)]


def test_what_is_refused_twice_is_missing_in_sum() -> None:
    """5 and 6 units that are refused explain 11; the first of the two is the cause."""
    events = [
        grant("2026-05-01", "bob", "1 CU"),
        top_up("2026-05-02", "bob", "5 CU", "0 USD", line=1),
        trade("2026-05-03", "alice", "bob", "60 CU", "0 USD", line=2),
        consumption("2026-05-04", "bob", "66 CU", line=3),
        consumption("2026-05-04", "bob", "67 CU", line=4),
        ALICE,
    ]
    assert causes(events) == [(1, None), (2, None), (3, at(1)), (4, None)]


def test_who_is_unknown_does_not_become_known_by_a_trade() -> None:
    """So each event of such a one stands alone."""
    events = [
        ALICE,
        transfer("2026-05-03", "alice", "bob", "1 CU", line=1),
        consumption("2026-05-04", "bob", "1 CU", line=2),
    ]
    assert causes(events) == [(1, None), (2, None)]


def test_what_a_row_that_can_t_be_read_names_is_missing_behind_its_day() -> None:
    """Its subscriber, and the id that a reversal names; what came before it stands alone."""
    unread = [
        NotRead(at(9), ("bob", ""), "g-1", "2026-05-03"),
        NotRead(at(8), ("bob",), day="2026-05-02"),
        NotRead(at(7), ("carol",)),
    ]
    events = [
        consumption("2026-05-01", "bob", "1 CU", line=1),
        consumption("2026-05-02", "bob", "1 CU", line=2),
        consumption("2026-05-04", "bob", "1 CU", line=3),
        reversal("2026-05-05", "g-1", line=4),
        reversal("2026-05-05", "g-2", line=5),
        consumption("2026-05-05", "carol", "1 CU", line=6),
        cancellation("2026-05-05", "carol", line=7),
        ALICE,
    ]
    assert causes(events, unread=unread) == [
        *[(1, None), (2, at(8)), (3, at(8)), (4, at(9)), (5, None), (6, at(7)), (7, at(7))]
    ]


def test_all_that_is_missing_may_have_been_in_a_file_that_can_t_be_read() -> None:
    """Subscribers, units, ids, lots and sums; a plan or a wrong number never are."""
    lot = "tokens bob 1 CU {0.1 USD, 2026-05-01, top-up}"
    unread = [NotRead(FILE, whole_file=True), NotRead(Place("other.csv", 1), whole_file=True)]
    events = [
        ALICE,
        consumption("2026-05-02", "bob", "1 CU", line=1),
        consumption("2026-05-02", "alice", "11 CU", line=2),
        reversal("2026-05-03", "u-1", line=3),
        subscription("2026-05-04", "alice", "gold", line=4),
        consumption("2026-05-05", "alice", "-1 CU", line=5, flaw="below zero"),
    ]
    found = causes(
        events,
        unread=unread,
        removals=[by_hand("2026-05-06", lot, line=6), by_hand("2026-05-06", lot, 7, "no cost")],
        assertions=[assertion("2026-05-06", "tokens", "11 CU", "alice", line=8)],
    )
    assert found == [
        *[(1, FILE), (2, FILE), (3, FILE), (4, None), (5, None), (6, FILE), (7, None), (8, FILE)]
    ]


def test_a_plan_that_can_t_be_booked_leaves_its_subscribers_without_units() -> None:
    """It is an error of its own line, from which their uses beyond nothing follow."""
    broken = plan("dust", bookable=False, place=at(3))
    events = [
        subscription("2026-05-01", "bob", "dust", line=1),
        grant("2026-05-01", "bob", "1 CU"),
        consumption("2026-05-02", "bob", "9 CU", line=2),
    ]
    books = book(events, terms(broken))
    assert [(each.place.line, each.cause) for each in books.refusals] == [(2, at(3))]


def test_who_could_not_change_plans_goes_without_the_new_one() -> None:
    """Uses, changes and refunds behind it follow; who is unknown is said to be so each time."""
    payg = plan("payg", "0 USD", "0 CU", overage="0.02 USD")
    events = [
        subscription("2026-05-01", "bob", "basic"),
        change("2026-05-02", "bob", "bosic", "payg", id="c", line=1),
        consumption("2026-05-03", "bob", "9 CU", line=2),
        change("2026-05-04", "bob", "payg", "basic", line=3),
        chargeback("2026-05-04", "c", id="back", line=4),
        recovery("2026-05-05", "back", line=5),
        change("2026-05-05", "carol", "basic", "payg", line=6),
        consumption("2026-05-06", "carol", "9 CU", line=7),
        subscription("2026-05-01", "dave", "bosic", id="s", line=8),
        chargeback("2026-05-06", "s/2026-05-01", line=9),
        chargeback("2026-05-06", "other/2026-05-01", line=10),
    ]
    books = book(events, terms(plan("basic", "90 USD", "0 CU"), payg))
    found = sorted((each.place.line, each.cause) for each in books.refusals)
    assert found == [
        *[(1, None), (2, at(1)), (3, at(1)), (4, at(1)), (5, at(1))],
        *[(6, None), (7, None), (8, None), (9, at(8)), (10, None)],
    ]


def test_the_name_of_an_event_that_is_nearly_one_is_asked_about() -> None:
    """Of all events of the ledger, be they booked before or not."""
    events = [ALICE._replace(id="top-17"), reversal("2026-05-03", "top-71")]
    books = book(events, terms(plan()))
    (refused,) = books.refusals
    assert refused.message.endswith('can\'t be reversed; did you mean "top-17"?')


def test_whoever_is_on_a_plan_that_can_t_be_read_has_nothing_of_it() -> None:
    """Subscription and use follow from the line of the plan."""
    agreed = terms(plan())._replace(refused={"gold": at(9)})
    events = [
        subscription("2026-05-01", "bob", "gold", line=1),
        consumption("2026-05-02", "bob", "9 CU", line=2),
    ]
    books = book(events, agreed)
    assert [(each.place.line, each.cause) for each in books.refusals] == [(1, at(9)), (2, at(9))]


def test_a_figure_that_lacks_what_was_refused_follows_from_it() -> None:
    """Of a subscriber, or of all; before it, or of somebody else, an assertion stands alone."""
    asserted = [
        assertion("2026-05-01", "tokens", "1 CU", line=2),
        assertion("2026-05-03", "tokens", "21 CU", line=3),
        assertion("2026-05-03", "tokens", "10 CU", "bob", line=4),
        assertion("2026-05-03", "tokens", "11 CU", "alice", line=5),
    ]
    events = [ALICE, top_up("2026-05-02", "bob", "10 CU", "0 USD", line=1, flaw="nothing paid")]
    assert causes(events, assertions=asserted) == [
        *[(1, None), (2, None), (3, at(1)), (4, at(1)), (5, None)]
    ]


def test_a_figure_that_lacks_a_row_that_can_t_be_read_follows_from_it() -> None:
    """Whomever it names, for all; from its day on."""
    unread = [NotRead(at(9), ("bob",), day="2026-05-02")]
    asserted = [
        assertion("2026-05-01", "tokens", "1 CU", line=2),
        assertion("2026-05-03", "tokens", "21 CU", line=3),
        assertion("2026-05-03", "tokens", "10 CU", "bob", line=4),
        assertion("2026-05-03", "tokens", "11 CU", "alice", line=5),
    ]
    assert causes([ALICE], assertions=asserted, unread=unread) == [
        *[(2, None), (3, at(9)), (4, at(9)), (5, None)]
    ]
