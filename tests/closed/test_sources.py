"""What an event source says of a closed month: as it was, late, changed or gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from beancount_compute.close.loading import load
from tests.close.sealing import (
    add,
    as_text,
    booked,
    close,
    errors_of,
    load_errors,
    write,
    write_events,
)

# alice's and bob's plan: 1000 CU for 200.00, so a unit costs 0.20
PLAN = (
    '2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU\n'
    '  unused: "mint"\n  token-expires: "12 months"\n  overage: 0.30 USD\n'
    '2026-01-01 custom "compute-option" "as-of" 2026-06-30\n'
)
ALICE = "s-a,2026-05-01,,subscription,alice,,pro,,,,,,,,,"
USE = "u-1,2026-05-20,,consumption,alice,,,200,CU,,,,,,,"
UNNAMED = ",2026-05-21,,consumption,alice,,,10,CU,,,,,,,"
OPEN = "u-2,2026-06-10,,consumption,alice,,,30,CU,,,,,,,"


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """May is closed: one period, a use of 200 CU, and one of 10 CU without an id."""
    path = write(tmp_path, PLAN, ALICE, USE, UNNAMED, OPEN)
    close(path, "2026-05")
    return path


def test_what_was_frozen_and_still_stands_in_the_ledger_is_no_error(ledger: Path) -> None:
    """Nor is a row twice, in another order, or a number written otherwise."""
    same = USE.replace(",200,", ",200.00,")
    write_events(ledger, OPEN, UNNAMED, same, USE, ALICE)
    assert load_errors(ledger) == []


def test_an_event_that_says_something_else_now_is_an_error_and_the_booking_stands(
    ledger: Path,
) -> None:
    """201 CU in place of 200: named with the place of the source and the frozen row."""
    write_events(ledger, ALICE, USE.replace(",200,", ",201,"), UNNAMED, OPEN)
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == [
        (
            'events.csv:3: event id "u-1" is booked in the closed month 2026-05 with another '
            "content (closed/2026-05.events.csv:3): restore this line as it was, and correct it "
            "with a compute-reversal and a new event"
        )
    ]
    (use,) = [each for each in booked(loaded.entries) if each.meta["event"] == "u-1"]
    assert "Allocations/Alice 200 CU" in as_text(use)


def test_the_second_of_two_rows_of_an_id_may_be_the_one_that_was_changed(ledger: Path) -> None:
    """The row that says what was frozen is none of the errors, whichever comes first."""
    changed = USE.replace(",200,", ",201,")
    for rows, line in (((USE, changed), 4), ((changed, USE), 3)):
        write_events(ledger, ALICE, *rows, UNNAMED, OPEN)
        (error,) = load_errors(ledger)
        assert error.startswith(f'events.csv:{line}: event id "u-1" is booked in the closed month')


def test_events_that_are_gone_are_errors_at_their_frozen_rows(ledger: Path) -> None:
    """One with an id and one without: both stay booked."""
    write_events(ledger, ALICE, OPEN)
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == [
        (
            'closed/2026-05.events.csv:3: event "u-1" of the closed month 2026-05 is gone from the '
            "ledger's events: restore it; what is booked stands, and a compute-reversal undoes it"
        ),
        (
            "closed/2026-05.events.csv:4: this consumption without an id of the closed month "
            "2026-05 is gone from the ledger's events: restore it; what is booked stands, and a "
            "compute-reversal undoes it"
        ),
    ]
    income = [p.units.number for each in booked(loaded.entries) for p in each.postings[1:]]
    assert [number for number in income if -100 < number < 0] == [-40, -2, -6]


def test_of_many_events_that_are_gone_five_are_named_and_the_rest_is_counted(
    tmp_path: Path,
) -> None:
    """Seven are gone: the fifth line says that there are two more."""
    uses = [f"u-{n},2026-05-20,,consumption,alice,,,{n},CU,,,,,,," for n in range(1, 8)]
    ledger = write(tmp_path, PLAN, ALICE, *uses)
    close(ledger, "2026-05")
    write_events(ledger, ALICE)
    errors = load_errors(ledger)
    assert len(errors) == 5
    assert 'event "u-5" of the closed month 2026-05 is gone' in errors[4]
    assert "(and 2 more of 2026-05)" in errors[4]


def test_a_closed_event_moved_to_an_open_day_is_a_change_and_not_booked_twice(
    ledger: Path,
) -> None:
    """200 CU of May stay booked; June has only its own use."""
    write_events(ledger, ALICE, USE.replace("05-20", "06-20"), UNNAMED, OPEN)
    loaded = load(ledger)
    (error,) = errors_of(loaded, ledger)
    assert error.startswith('events.csv:3: event id "u-1" is booked in the closed month 2026-05')
    assert [each.meta["event"] for each in booked(loaded.entries)].count("u-1") == 1


def test_an_open_event_cannot_have_the_id_of_a_closed_one(ledger: Path) -> None:
    """As two open events of one id: the first in the order of the books stands."""
    other = "u-1,2026-06-12,,consumption,alice,,,5,CU,,,,,,,"
    write_events(ledger, ALICE, USE, UNNAMED, OPEN, other)
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == [
        (
            'events.csv:6: event id "u-1" stands for something else at events.csv:3: '
            "give this one an id of its own"
        )
    ]
    assert [each.meta["event"] for each in booked(loaded.entries)].count("u-1") == 1


def test_a_new_event_without_an_id_needs_one_to_come_late(ledger: Path) -> None:
    """The same row once more is new as well: there was one when the month was closed."""
    new = ",2026-05-22,,consumption,alice,,,7,CU,,,,,,,"
    write_events(ledger, ALICE, USE, UNNAMED, UNNAMED, OPEN, new)
    message = (
        "lies in a closed month: give this event an id, and it is booked late, on 2026-06-01; "
        "or date it 2026-06-01 or later"
    )
    assert load_errors(ledger) == [
        f"events.csv:4: 2026-05-21 {message}",
        f"events.csv:7: 2026-05-22 {message}",
    ]


@pytest.mark.parametrize("name", ["s-b", ""])
def test_a_subscription_or_cancellation_cannot_come_late(ledger: Path, name: str) -> None:
    """Whether it has an id or not: periods of closed months can't start later."""
    late = [
        f"{name},2026-05-22,,subscription,bob,,pro,,,,,,,,,",
        f"{name and 'c-1'},2026-05-23,,cancellation,alice,,pro,,,,,,,,,",
    ]
    write_events(ledger, ALICE, USE, UNNAMED, OPEN, *late)
    assert load_errors(ledger) == [
        (
            "events.csv:6: a subscription can't come late: 2026-05-22 lies in a closed month; "
            "date it 2026-06-01, the first open day, or later"
        ),
        (
            "events.csv:7: a cancellation can't come late: 2026-05-23 lies in a closed month; "
            "date it 2026-06-01, the first open day, or later"
        ),
    ]


def test_a_late_event_counts_once_however_often_it_is_written(ledger: Path) -> None:
    """50 CU of it, at 0.20 a unit, from two equal rows: 10.00 once."""
    late = "l-1,2026-05-25,,consumption,alice,,,50,CU,,,,,,,"
    write_events(ledger, ALICE, USE, UNNAMED, OPEN, late, late.replace(",50,", ",50.0,"))
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == []
    (use,) = [each for each in booked(loaded.entries) if each.meta["event"] == "l-1"]
    assert as_text(use) == (
        "2026-06-01 l-1 #consumption #late: Allocations/Alice 50 CU {0.20, 2026-05-01, "
        "pro/2026-06-01}; Compute -10.00 USD"
    )


def test_two_late_events_of_one_id_that_differ_are_an_error_at_the_second(ledger: Path) -> None:
    """The first in the order of the books stands: that of 25 May, though it is written last."""
    one = "l-1,2026-05-26,,consumption,alice,,,60,CU,,,,,,,"
    other = "l-1,2026-05-25,,consumption,alice,,,50,CU,,,,,,,"
    write_events(ledger, ALICE, USE, UNNAMED, OPEN, one, other)
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == [
        (
            'events.csv:6: event id "l-1" stands for something else at events.csv:7: '
            "give this one an id of its own"
        )
    ]
    (use,) = [each for each in booked(loaded.entries) if each.meta["event"] == "l-1"]
    assert use.meta["occurred"].isoformat() == "2026-05-25"


def test_an_open_event_cannot_have_the_id_of_a_late_one(ledger: Path) -> None:
    """The late one is dated first, so it stands."""
    late = OPEN.replace("06-10", "05-30")
    write_events(ledger, ALICE, USE, UNNAMED, OPEN, late)
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == [
        (
            'events.csv:5: event id "u-2" stands for something else at events.csv:6: '
            "give this one an id of its own"
        )
    ]
    (use,) = [each for each in booked(loaded.entries) if each.meta["event"] == "u-2"]
    assert use.date.isoformat() == "2026-06-01"


def test_events_of_a_file_that_can_t_be_read_are_gone_behind_its_error(ledger: Path) -> None:
    """Three of May, and bob, whose subscription may have been in it: one error; what is booked
    stands."""
    write_events(ledger, ALICE, USE, UNNAMED, OPEN)
    events = ledger.parent / "events.csv"
    events.write_text(events.read_text().replace("units", "unit", 1))
    add(ledger, '2026-06-11 custom "compute-consumption" "bob" 1 CU\n')
    loaded = load(ledger)
    (error,) = errors_of(loaded, ledger)
    assert error.startswith('events.csv:1: unknown column "unit": ')
    assert " (4 more errors follow from this, the first at " in error
    assert "u-1" in {each.meta["event"] for each in booked(loaded.entries)}


def test_an_event_whose_row_can_t_be_read_any_more_is_gone_behind_its_error(ledger: Path) -> None:
    """The row of u-1; that of the use without an id is gone for itself."""
    write_events(ledger, ALICE, USE.replace(",200,", ",2oo,"), OPEN)
    row, gone = sorted(load_errors(ledger), reverse=True)
    assert row.startswith('events.csv:3: "2oo" is not a number')
    assert row.endswith(" (1 more error follows from this, at closed/2026-05.events.csv:3)")
    assert "this consumption without an id of the closed month 2026-05 is gone" in gone
