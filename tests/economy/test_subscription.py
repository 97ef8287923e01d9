"""Subscriptions: periods that start on their day until a cancellation."""

from __future__ import annotations

from decimal import Decimal

import pytest

from beancount_compute.economy.events import NOWHERE
from beancount_compute.economy.options import AS_OF
from beancount_compute.economy.rules.subscription import MOST_PERIODS
from tests.economy.building import (
    Books,
    at,
    book,
    cancellation,
    cause,
    consumption,
    deferred,
    grant,
    lots_shown,
    messages,
    plan,
    reversal,
    shown,
    subscription,
    terms,
    text,
)


def periods(books: Books) -> list[str]:
    """First and last day of every period booked."""
    return [each.narration[-21:] for each in books.journal if each.kind == "allocation"]


def starts(books: Books) -> list[str]:
    return [period[:10] for period in periods(books)]


def test_periods_start_on_the_day_of_the_month_or_its_last() -> None:
    """31 Jan, 28 Feb, 31 Mar (manual/language.md, section 4)."""
    agreed = terms(plan(), as_of="2026-05-01")
    books = book([subscription("2026-01-31", "alice")], agreed)
    assert periods(books) == [
        "2026-01-31/2026-02-27",
        "2026-02-28/2026-03-30",
        "2026-03-31/2026-04-29",
        "2026-04-30/2026-05-30",
    ]


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        ("quarter", ["2026-01-15", "2026-04-15"]),
        ("year", ["2026-01-15"]),
        ("2 months", ["2026-01-15", "2026-03-15", "2026-05-15"]),
        ("45 days", ["2026-01-15", "2026-03-01", "2026-04-15", "2026-05-30"]),
    ],
)
def test_every_says_how_long_a_period_lasts(every: str, expected: list[str]) -> None:
    """Quarters, years, months; 45 days from 15 Jan: 16 + 28 + 1 -> 1 Mar, 30 + 15 -> 15 Apr,
    15 + 30 -> 30 May."""
    agreed = terms(plan(every=every), as_of="2026-06-30")
    assert starts(book([subscription("2026-01-15", "alice")], agreed)) == expected


def test_periods_are_made_up_to_the_as_of_day_and_it_included() -> None:
    """The latest event that is not a cancellation moves the as-of day; it may be anyone's."""
    events = [subscription("2026-01-01", "alice"), grant("2026-03-01", "bob", "1 CU")]
    assert starts(book(events, terms(plan()))) == ["2026-01-01", "2026-02-01", "2026-03-01"]
    events[1] = grant("2026-02-28", "bob", "1 CU")
    assert starts(book(events, terms(plan()))) == ["2026-01-01", "2026-02-01"]
    events[1] = cancellation("2026-02-28", "alice")
    assert starts(book(events, terms(plan()))) == ["2026-01-01"]


def test_a_period_takes_the_terms_of_its_first_day_for_its_whole_life() -> None:
    """A price from 15 February holds from the period of 1 March: 200 / 1000, then 300 / 1000."""
    agreed = terms(
        plan(unused="rollover"),
        plan(unused="rollover", price="300 USD", since="2026-02-15"),
        as_of="2026-03-31",
    )
    books = book([subscription("2026-01-01", "alice")], agreed)
    assert lots_shown(books) == [
        "allocations alice 1000 CU {0.2 USD, 2026-01-01, pro}",
        "allocations alice 1000 CU {0.2 USD, 2026-02-01, pro}",
        "allocations alice 1000 CU {0.3 USD, 2026-03-01, pro}",
    ]


def test_a_changed_every_applies_from_the_end_of_the_running_period() -> None:
    """A quarter runs out before months begin; days come in between, and months go on from there.

    The quarter of 31 January ends on 30 April (its last day); months then keep the 31st, so the
    next ends on 31 May. From 31 May 10 days: 10 June; then months again, counted from 10 June.
    """
    agreed = terms(
        plan(every="quarter"),
        plan(every="month", since="2026-02-10"),
        plan(every="10 days", since="2026-05-02"),
        plan(every="month", since="2026-06-02"),
        as_of="2026-08-01",
    )
    books = book([subscription("2026-01-31", "alice")], agreed)
    assert periods(books) == [
        "2026-01-31/2026-04-29",
        "2026-04-30/2026-05-30",
        "2026-05-31/2026-06-09",
        "2026-06-10/2026-07-09",
        "2026-07-10/2026-08-09",
    ]


def test_months_after_days_keep_the_day_on_which_the_days_ended() -> None:
    """From 1 May 30 days to 31 May; then months on the 31st: 30 June, and 31 July again."""
    agreed = terms(
        plan(every="30 days"), plan(every="month", since="2026-05-10"), as_of="2026-08-15"
    )
    books = book([subscription("2026-05-01", "alice")], agreed)
    assert starts(books) == ["2026-05-01", "2026-05-31", "2026-06-30", "2026-07-31"]


def test_a_cancellation_does_not_shorten_the_period_it_falls_in() -> None:
    """Cancelled on 10 February: no March; the units of February stay to their end."""
    books = book(
        [
            subscription("2026-01-01", "alice"),
            cancellation("2026-02-10", "alice"),
            consumption("2026-02-28", "alice", "1000 CU"),
            grant("2026-04-01", "bob", "1 CU"),
        ],
        terms(plan()),
    )
    assert starts(books) == ["2026-01-01", "2026-02-01"]
    assert messages(books) == []


def test_no_period_starts_on_the_day_of_a_cancellation() -> None:
    """Cancelled on 1 March: January and February, no March."""
    books = book(
        [
            subscription("2026-01-01", "alice"),
            cancellation("2026-03-01", "alice", time="23:59:59"),
            grant("2026-04-01", "bob", "1 CU"),
        ],
        terms(plan()),
    )
    assert starts(books) == ["2026-01-01", "2026-02-01"]


def test_one_who_leaves_may_come_back_when_the_last_period_ends() -> None:
    """Cancelled on 10 January, the last period ends on 1 February: that day is not too early."""
    events = [
        subscription("2026-01-01", "alice", id="one"),
        cancellation("2026-01-10", "alice"),
        subscription("2026-02-01", "alice", id="two"),
    ]
    books = book(events, terms(plan()))
    assert messages(books) == []
    assert [each.id for each in books.journal if each.kind == "allocation"] == [
        "one/2026-01-01",
        "two/2026-02-01",
    ]


def test_cancellation_and_a_new_subscription_on_one_day() -> None:
    """Cancellations come first: the old one ends on 1 February, the new one begins."""
    events = [
        subscription("2026-01-01", "alice", id="one"),
        cancellation("2026-02-01", "alice"),
        subscription("2026-02-01", "alice", id="two"),
    ]
    books = book(events, terms(plan()))
    assert messages(books) == []
    assert len(periods(books)) == 2


@pytest.mark.parametrize(
    ("cancelled", "again", "until"),
    [
        (None, "2026-06-01", "from 2026-01-01 uncancelled"),
        ("2026-01-10", "2026-01-31", "from 2026-01-01 until 2026-02-01"),
    ],
)
def test_two_subscriptions_to_one_plan_at_once_are_refused(
    cancelled: str | None, again: str, until: str
) -> None:
    """While one runs, until its last period has ended, a second one is refused."""
    events = [subscription("2026-01-01", "alice"), subscription(again, "alice", line=2)]
    if cancelled:
        events.append(cancellation(cancelled, "alice"))
    (message,) = messages(book(events, terms(plan())))
    advice = "cancel that one first, or remove this line"
    if cancelled:
        advice = "date the new one 2026-02-01 or later"
    assert message == f'2: "alice" already has a subscription to "pro", {until}: {advice}'


def test_two_plans_at_once_are_fine() -> None:
    """Only one plan twice is too many."""
    agreed = terms(plan(), plan("basic", "10 USD", "10 CU"))
    events = [subscription("2026-01-01", "alice"), subscription("2026-01-01", "alice", "basic")]
    books = book(events, agreed)
    assert messages(books) == []
    assert deferred(books) == "210"


@pytest.mark.parametrize(
    "events",
    [
        [cancellation("2026-01-10", "alice", "basic", line=1)],
        [cancellation("2026-01-10", "alice"), cancellation("2026-01-11", "alice", line=1)],
        [cancellation("2026-01-01", "alice", line=1)],  # cancellations come before, on one day
    ],
)
def test_a_cancellation_without_subscription_is_refused(events: list[object]) -> None:
    """Of another plan, a second time, or on the day on which the subscription begins."""
    books = book([subscription("2026-01-01", "alice"), *events], terms(plan()))
    (message,) = messages(books)
    assert message.startswith("1: ")
    assert "unknown subscriber" in message or "cancellation without subscription" in message


def test_a_cancellation_names_the_one_that_runs() -> None:
    """With an older, cancelled subscription to the same plan, the running one is cancelled."""
    books = book(
        [
            subscription("2026-01-01", "alice"),
            cancellation("2026-01-10", "alice"),
            subscription("2026-02-01", "alice"),
            cancellation("2026-03-15", "alice"),
            grant("2026-06-01", "bob", "1 CU"),
        ],
        terms(plan()),
    )
    assert messages(books) == []
    assert starts(books) == ["2026-01-01", "2026-02-01", "2026-03-01"]


def test_an_unknown_plan_is_refused() -> None:
    """A plan must be written on or before the subscription's day."""
    books = book([subscription("2025-12-31", "alice", line=1)], terms(plan()))
    assert messages(books) == [
        (
            '1: unknown plan "pro": no compute-plan of that name on or before 2025-12-31: '
            "write one, or check the name"
        )
    ]


def test_started_runs_on_from_the_earlier_day_without_booking_it_again() -> None:
    """Started on 15 November 2025, written on 1 January 2026: the first period booked is the next
    one, 15 January, on the day of the month of the beginning; it is derived."""
    events = [
        subscription("2026-01-01", "alice", started="2025-11-15", id="s", line=2),
        grant("2026-02-20", "bob", "1 CU"),
    ]
    books = book(events, terms(plan()))
    assert starts(books) == ["2026-01-15", "2026-02-15"]
    first = books.journal[0]
    assert cause(first) == (
        "s/2026-01-15",
        NOWHERE,
        "subscription s",
    )


def test_started_with_a_period_that_begins_on_the_very_day() -> None:
    """Periods begun before the directive's date are not booked; one that begins on it is."""
    events = [subscription("2026-02-28", "alice", started="2026-01-31", line=2)]
    books = book(events, terms(plan()))
    assert periods(books) == ["2026-02-28/2026-03-30"]
    assert cause(books.journal[0])[1] == NOWHERE


def test_started_on_its_own_date_is_an_ordinary_subscription() -> None:
    """Then the first period stems from the line."""
    books = book([subscription("2026-02-01", "alice", started="2026-02-01", line=2)], terms(plan()))
    assert cause(books.journal[0])[1] == at(2)


def test_started_after_its_own_date_is_refused() -> None:
    """A subscription can't begin before it is written, nor be written before it begins."""
    books = book([subscription("2026-02-01", "alice", started="2026-02-02", line=2)], terms(plan()))
    assert messages(books) == [
        "2: started 2026-02-02 is after 2026-02-01: date the subscription 2026-02-02 instead"
    ]


def test_started_inside_one_that_still_runs_is_refused() -> None:
    """Two at once are judged from the day on which the new one is written."""
    events = [
        subscription("2026-01-01", "alice"),
        cancellation("2026-01-10", "alice"),
        subscription("2026-01-20", "alice", started="2025-12-31", line=3),
    ]
    (message,) = messages(book(events, terms(plan())))
    assert message.startswith("3: ")
    assert "until 2026-02-01" in message


def test_who_comes_back_may_keep_the_day_of_the_month() -> None:
    """From 31 January, ended on 30 April; the new one goes on on 31 May, as `started` says."""
    events = [
        subscription("2026-01-31", "alice"),
        cancellation("2026-04-10", "alice"),
        subscription("2026-04-30", "alice", started="2026-01-31"),
        grant("2026-06-01", "bob", "1 CU"),
    ]
    books = book(events, terms(plan()))
    assert messages(books) == []
    starts = [entry.date.isoformat() for entry in books.journal if entry.kind == "allocation"]
    assert starts == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]


def test_a_cancellation_can_be_taken_back_while_the_subscription_runs() -> None:
    """The periods go on as if it had not been; on the last period's end it is too late."""
    events = [
        subscription("2026-05-01", "ivy"),
        cancellation("2026-06-20", "ivy", id="c"),
        reversal("2026-06-25", "c"),
    ]
    books = book(events, terms(plan(), as_of="2026-07-02"))
    assert messages(books) == []
    starts = [entry.date.isoformat() for entry in books.journal if entry.kind == "allocation"]
    assert starts == ["2026-05-01", "2026-06-01", "2026-07-01"]
    late = [*events[:2], reversal("2026-07-01", "c", line=3)]
    (message,) = messages(book(late, terms(plan(), as_of="2026-07-02")))
    assert message.startswith('3: the subscription that "c" cancelled ended on 2026-07-01')


def test_a_cancellation_is_taken_back_once() -> None:
    """The second finds nothing to take back."""
    events = [
        subscription("2026-05-01", "ivy"),
        cancellation("2026-06-20", "ivy", id="c"),
        reversal("2026-06-25", "c"),
        reversal("2026-06-26", "c", line=4),
    ]
    assert messages(book(events, terms(plan()))) == [
        '4: event "c" is reversed already: remove this line'
    ]


def test_a_cancellation_on_the_first_day_of_a_period_taken_back_that_day() -> None:
    """Its reversal stands directly behind it, before the period would have started."""
    events = [
        subscription("2026-05-01", "ivy"),
        cancellation("2026-06-01", "ivy", id="c"),
        reversal("2026-06-01", "c"),
    ]
    books = book(events, terms(plan()))
    assert messages(books) == []
    assert shown(books, "allocation").count("allocation ivy") == 2


def test_periods_skipped_by_started_take_the_plan_s_earlier_terms() -> None:
    """Quarters until 10 February: one from 31 Oct 2025 ends on 31 Jan, the next on 30 April.

    The plan is written after the start; its first terms stand for the time before.
    """
    agreed = terms(
        plan(every="quarter", since="2026-01-01"),
        plan(every="month", since="2026-02-10"),
        as_of="2026-06-15",
    )
    books = book([subscription("2026-02-15", "alice", started="2025-10-31")], agreed)
    assert periods(books) == ["2026-04-30/2026-05-30", "2026-05-31/2026-06-29"]


def test_subscriptions_of_a_day_are_booked_in_the_order_of_the_books() -> None:
    """By subscriber, then plan, whatever the order in which they began."""
    agreed = terms(plan("a", "1 USD", "1 CU"), plan("b", "1 USD", "1 CU"), as_of="2026-02-01")
    events = [
        subscription("2026-01-01", "zoe", "a", time="01:00:00"),
        subscription("2026-01-01", "alice", "b", time="02:00:00"),
        subscription("2026-01-01", "alice", "a", time="03:00:00"),
    ]
    books = book(events, agreed)
    february = [each for each in books.journal if str(each.date) == "2026-02-01"]
    allocations = [each for each in february if each.kind == "allocation"]
    assert [(each.subscriber, each.narration[11]) for each in allocations] == [
        ("alice", "a"),
        ("alice", "b"),
        ("zoe", "a"),
    ]


def test_more_than_1200_periods_are_an_error_where_the_subscription_stands() -> None:
    """1,200 periods of a day are booked; the next one is refused, once, and none follows."""
    last = "2029-04-14"  # 2026-01-01 + 1199 days
    agreed = terms(plan(every="1 day", unused="rollover"), as_of=last)
    books = book([subscription("2026-01-01", "alice", line=6)], agreed)
    assert len(periods(books)) == MOST_PERIODS == 1200
    assert messages(books) == []
    assert starts(books)[-1] == last
    books = book(
        [
            subscription("2026-01-01", "alice", line=6),
            cancellation("2029-05-01", "alice", line=7),
        ],
        agreed.setting(AS_OF, agreed.of_ledger(AS_OF).replace(year=2030)),
    )
    assert len(periods(books)) == 1200
    tooth, cancelled = messages(books)
    assert tooth.startswith("6: more than 1,200 periods of one subscription: ")
    assert cancelled.startswith("7: cancellation without subscription")


def test_too_many_periods_before_the_first_booked_are_an_error_too() -> None:
    """`started` five years of days ago: the subscription is refused, nothing is booked."""
    agreed = terms(plan(every="1 day"))
    books = book([subscription("2026-01-01", "alice", started="2021-01-01", line=6)], agreed)
    assert periods(books) == []
    (message,) = messages(books)
    assert message.startswith("6: more than 1,200 periods of one subscription: ")


def test_a_subscription_ends_with_the_calendar() -> None:
    """In December 9999 there is one last period, and no error."""
    agreed = terms(plan(unused="rollover"))
    books = book([subscription("9999-12-15", "alice"), grant("9999-12-31", "b", "1 CU")], agreed)
    assert messages(books) == []
    assert periods(books) == ["9999-12-15/9999-12-30"]


def test_a_subscription_that_ends_with_the_calendar_before_its_own_date() -> None:
    """Started in the last year of the calendar, every 5 years: the running period never ends."""
    agreed = terms(plan(every="60 months", unused="rollover"))
    books = book([subscription("9999-12-15", "alice", started="9998-01-01")], agreed)
    assert messages(books) == []
    assert books.journal == []


def test_a_free_plan_still_has_periods() -> None:
    """A period that costs nothing is booked: its units are usable."""
    books = book([subscription("2026-01-01", "alice", "free")], terms(plan("free", "0 USD")))
    assert shown(books) == text("""
        2026-01-01 allocation alice
          allocations alice -1000 CU {0 USD, 2026-01-01, free/2026-02-01}
    """)
    assert sum(units for _, units in books.lots) == Decimal(1000)
