"""The as-of day, and the gap behind which events are refused."""

from __future__ import annotations

from collections import Counter

import pytest

from beancount_compute.economy.agenda import horizon
from tests.economy.building import (
    assertion,
    book,
    by_hand,
    cancellation,
    consumption,
    day,
    grant,
    messages,
    plan,
    refused_lines,
    shown,
    subscription,
    terms,
    text,
    top_up,
)


@pytest.mark.parametrize(
    ("making", "cancelling", "option", "as_of", "refused"),
    [
        # the latest of option and events; cancellations don't count
        ("2026-01-01 2026-03-01", "", "", "2026-03-01", ""),
        ("2026-01-01", "2026-06-01", "", "2026-01-01", ""),
        ("2026-01-01", "", "2026-06-30", "2026-06-30", ""),
        ("2026-09-01", "", "2026-06-30", "2026-09-01", ""),
        ("", "", "2026-06-30", "2026-06-30", ""),
        ("", "", "", "0001-01-01", ""),
        # two years are 24 months: to the day they are no gap; of two stretches the later stands
        ("2026-01-01 2028-01-01", "", "", "2028-01-01", ""),
        ("2026-01-01 2028-01-02", "", "", "2028-01-02", "2026-01-01"),
        ("2024-02-29 2026-02-28", "", "", "2026-02-28", ""),
        ("2024-02-29 2026-03-01", "", "", "2026-03-01", "2024-02-29"),
        # a cancellation closes a gap, but moves nothing
        ("2026-01-01 2028-06-01", "2027-01-01", "", "2028-06-01", ""),
        ("2026-01-01 2026-01-02", "2028-06-01", "", "2026-01-02", "2028-06-01"),
        # the stretch with the most events stands, wherever the others lie
        ("1970-01-01 2026-01-01 2026-02-01", "", "", "2026-02-01", "1970-01-01"),
        ("2026-01-01 2026-02-01 2062-01-01", "", "", "2026-02-01", "2062-01-01"),
        ("2026-01-01 2029-01-01 2030-01-01", "", "", "2030-01-01", "2026-01-01"),
        # an as-of that reaches over it, or to the very day, makes it none; a day less does not
        ("2026-01-01 2029-01-01", "", "2029-01-01", "2029-01-01", ""),
        ("2026-01-01 2029-01-01", "", "2030-01-01", "2030-01-01", ""),
        ("2026-01-01 2026-01-02 2029-01-01", "", "2028-12-31", "2028-12-31", "2029-01-01"),
        # the option does not reach a second gap
        ("2026-01-01 2029-01-01 2032-01-01", "", "2029-01-01", "2029-01-01", "2032-01-01"),
        # the end of the calendar
        ("9998-06-01 9999-12-31", "", "", "9999-12-31", ""),
    ],
)
def test_the_horizon(making: str, cancelling: str, option: str, as_of: str, refused: str) -> None:
    """The latest event that is not a cancellation, of the stretch of events that stands
    (manual/language.md, section 4)."""
    days = [day(each) for each in making.split()]
    counts = Counter([*days, *(day(each) for each in cancelling.split())])
    found = horizon(counts, set(days), day(option) if option else None)
    assert found.as_of == day(as_of)
    assert [str(each) for each in sorted(counts) if not found.covers(each)] == refused.split()


def test_what_holds_a_closed_month_stands_whatever_else_there_is() -> None:
    """Two events in closed books outweigh three elsewhere."""
    days = ["2020-01-01", "2020-01-02", "2020-01-03", "2026-05-20", "2026-06-01"]
    counts = Counter(map(day, days))
    found = horizon(counts, set(counts), None, day("2026-05-31"))
    assert [found.covers(day(each)) for each in days] == [False, False, False, True, True]
    assert found.nearest(day("2020-01-03")) == day("2026-05-20")
    alone = horizon(Counter(map(day, days[:3])), set(counts), None, day("2026-05-31"))
    assert not alone.covers(day("2020-01-03"))
    assert alone.as_of == day("2026-05-31")


def test_a_typo_in_a_year_makes_no_centuries_of_periods() -> None:
    """A use of 2206 is refused, and the subscription has its periods up to June 2026."""
    events = [
        subscription("2026-05-01", "alice"),
        grant("2026-06-15", "bob", "1 CU"),
        grant("2026-06-15", "bob", "1 CU"),
        consumption("2206-06-20", "alice", "1 CU", line=3),
        grant("2206-06-21", "carol", "1 CU", line=4),
    ]
    books = book(events, terms(plan()))
    assert books.as_of == day("2026-06-15")
    assert messages(books) == [
        (
            "3: 2206-06-20 lies behind a gap of more than two years after 2026-06-15 (books:0): "
            "check the year of either, or set as-of"
        ),
        (
            "4: 2206-06-21 lies behind a gap of more than two years after 2026-06-15 (books:0): "
            "check the year of either, or set as-of"
        ),
    ]
    assert len(shown(books, "allocation").split("allocation alice")) == 3


def test_one_row_of_a_wrong_year_takes_nothing_with_it() -> None:
    """1970 beside a sound year: that row is refused, with the day that it lies far from."""
    events = [
        consumption("1970-01-01", "ivy", "1 CU", line=1),
        subscription("2026-05-01", "ivy", line=2),
        consumption("2026-05-20", "ivy", "200 CU", line=3),
    ]
    books = book(events, terms(plan()))
    assert messages(books) == [
        (
            "1: 1970-01-01 lies before a gap of more than two years ahead of 2026-05-01 (books:2): "
            "check the year of either, or set as-of"
        )
    ]
    assert len(shown(books, "consumption").splitlines()) == 3


def test_periods_of_a_running_subscription_bridge_a_gap() -> None:
    """Nothing was written for three years, but twelve periods a year were due."""
    start = [subscription("2023-01-10", "ivy"), consumption("2023-01-20", "ivy", "1 CU")]
    back = [consumption("2026-01-20", "ivy", "1 CU"), grant("2026-01-21", "ivy", "1 CU")]
    books = book([*start, *back], terms(plan(since="2020-01-01")))
    assert messages(books) == []
    assert shown(books, "allocation").count("allocation ivy") == 37
    nobody = [subscription("2023-01-11", "bob", "gold"), *start, *back]  # of a plan that is none
    assert len(book(nobody, terms(plan(since="2020-01-01"))).refusals) == 1
    stopped = [*start, cancellation("2023-01-21", "ivy"), *back]
    assert len(book(stopped, terms(plan(since="2020-01-01"))).refusals) == 2


def test_a_period_that_is_longer_than_the_gap_bridges_it() -> None:
    """Three years at once: the next event falls into the very period."""
    events = [subscription("2023-01-10", "ivy"), consumption("2025-12-20", "ivy", "1 CU")]
    assert messages(book(events, terms(plan(since="2020-01-01", every="36 months")))) == []
    first, _ = messages(book(events, terms(plan(since="2020-01-01", every="12 months"))))
    assert "2023-01-10 lies before a gap" in first


def test_refused_events_count_for_the_as_of_day() -> None:
    """Every readable event counts, refused ones and assertions too
    (manual/language.md, section 4)."""
    first = subscription("2026-05-01", "alice")
    refused = consumption("2026-06-01", "nobody", "1 CU")
    flawed = grant("2026-06-01", "bob", "1 CU", flaw="no")
    asserted = assertion("2026-06-01", "revenue", "0 USD")
    for books in (
        book([first, refused], terms(plan())),
        book([first, flawed], terms(plan())),
        book([first], terms(plan()), assertions=[asserted]),
    ):
        assert books.as_of == day("2026-06-01")
        assert shown(books, "expiry") == text("""
            2026-06-01 expiry alice
              allocations alice 1000 CU {0.2 USD, 2026-05-01, pro/2026-06-01}
              breakage alice pro -200 USD
        """)


def test_assertions_and_cancellations_behind_a_gap_are_refused_too() -> None:
    """They are events of the chain like all others."""
    events = [
        *[grant("2026-05-01", "alice", "1 CU") for _ in range(3)],
        cancellation("2029-01-01", "alice", line=2),
    ]
    late = assertion("2029-01-02", "revenue", "0 USD", line=3)
    books = book(events, terms(plan()), assertions=[late])
    assert refused_lines(books) == [2, 3]


def test_an_id_behind_a_gap_stands_for_nothing() -> None:
    """What is refused for its day is not compared with what stands under the same id."""
    events = [grant(on, "a", "1 CU", id="x") for on in ("2026-05-01", "2026-05-01", "2036-05-01")]
    (message,) = messages(book(events))
    assert "behind a gap" in message


def test_postings_by_hand_are_checked_whatever_the_as_of_day() -> None:
    """They move no horizon, and no gap hides them (manual/language.md, section 4)."""
    gone = "tokens a 5 CU {0.2 USD, 2026-05-01, top-up}"
    events = [top_up("2026-05-01", "a", "5 CU", "1 USD")]
    books = book(events, removals=[by_hand("2040-01-01", gone, 1), by_hand("2041-01-01", gone, 2)])
    assert books.as_of == day("2026-05-01")
    assert refused_lines(books) == [2]
    assert books.lots == []
