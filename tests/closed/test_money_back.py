"""Money back of what was paid in closed months: read from the frozen text, and late."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from beancount_compute.close.loading import load
from beancount_compute.close.tie_outs.went_back import went_back
from beancount_compute.close.verifying import verify
from beancount_compute.reports import read_books
from tests.close.sealing import (
    add,
    as_text,
    booked,
    close,
    errors_of,
    load_errors,
    printed,
    run,
    write,
)

# alice has two top-ups of a day in one lot, and a third; bob a seat for a year
MAY = """\
2026-01-01 custom "compute-plan" "seat" 365.00 USD
  every: "year"
2026-05-02 custom "compute-allocation" "alice" 1000 CU 200.00 USD
  id: "top-1"
  time: "09:00"
2026-05-02 custom "compute-allocation" "alice" 1000 CU 200.00 USD
  id: "top-2"
  time: "10:00"
2026-05-03 custom "compute-allocation" "alice" 100 CU 10.00 USD
  id: "top-3"
2026-05-01 custom "compute-subscription" "bob" "seat"
  id: "s"
2026-05-10 custom "compute-consumption" "alice" 400 CU
2026-05-12 custom "compute-trade" "alice" "bob" 600 CU 0.25 USD
  id: "sold"
2026-05-13 custom "compute-refund" "alice" 100 CU
2026-05-20 custom "compute-refund" "bob" 73.00 USD
  id: "r-bob"
  of: "s/2026-05-01"
"""
JUNE = """\
2026-06-10 custom "compute-chargeback" "top-1" 50.00 USD
  id: "cb-1"
2026-06-20 custom "compute-write-off" "top-3" 12.00 USD
  id: "w-3"
  void: TRUE
2026-06-25 custom "compute-transfer" "alice" "bob" 10 CU
"""
JULY = """\
2026-07-05 custom "compute-refund" "alice" 50.00 USD
  of: "top-1"
2026-07-06 custom "compute-recovery" "cb-1" 20.00 USD
2026-07-10 custom "compute-reversal" "r-bob"
2026-07-15 custom "compute-write-off" "top-2"
  id: "w-2"
2026-07-16 custom "compute-recovery" "w-3"
"""
AUGUST = """\
2026-08-01 custom "compute-reversal" "w-2"
2026-08-02 custom "compute-chargeback" "top-2" 30.00 USD
2026-08-03 custom "compute-recovery" "cb-1"
"""
MONTHS = ("2026-05", "2026-06", "2026-07", "2026-08")


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """May and June are closed."""
    ledger = write(tmp_path, MAY + JUNE)
    close(ledger, *MONTHS[:2])
    return ledger


def test_months_that_are_closed_one_by_one_are_those_booked_at_once(tmp_path: Path) -> None:
    """What went back of an allocation is known again from the frozen text alone."""
    ledger = write(tmp_path, MAY)
    for month, more in zip(MONTHS, (JUNE, JULY, AUGUST, ""), strict=True):
        assert load_errors(ledger) == []
        closing = close(ledger, month)
        add(ledger, more)
    as_of = '2026-01-01 custom "compute-option" "as-of" 2026-08-31\n'
    open_ledger = write(tmp_path / "open", MAY + JUNE + JULY + AUGUST + as_of)
    assert load_errors(open_ledger) == []
    assert printed(load(ledger)) == printed(load(open_ledger))
    assert verify(load(ledger)) == []
    assert closing is not None
    (tie,) = [each for each in closing.ties if each.name == "money back"]
    assert (tie.left, tie.right, tie.lines) == (6, 6, ())


def test_a_charge_back_of_a_change_may_void_more_than_it_charged(tmp_path: Path) -> None:
    """20.00 are left of the old plan, 10.00 are charged and 5.00 credited: 25.00 are deferred, and
    all of it goes with the 10.00."""
    text = """\
2026-01-01 custom "compute-plan" "one" 30.00 USD 300 CU
2026-01-01 custom "compute-plan" "two" 60.00 USD 600 CU
2026-06-01 custom "compute-subscription" "alice" "one"
2026-06-10 custom "compute-consumption" "alice" 100 CU
2026-06-11 custom "compute-change" "alice" "one" "two"
  id: "c"
  charge: 10.00 USD
  credit: 5.00 USD
2026-06-12 custom "compute-chargeback" "c"
"""
    ledger = write(tmp_path, text)
    assert load_errors(ledger) == []
    loaded = load(ledger)
    (back,) = [each for each in booked(loaded.entries) if "compute-chargeback" in each.tags]
    assert as_text(back).endswith("Disputes -15.00 USD; Alice -10.00 USD")
    ((tie,),) = [[*went_back(read_books(loaded.entries, loaded.options))]]
    assert tie.holds


def test_more_than_something_cost_ties_out_no_more(closed: Path) -> None:
    """Somebody edited what the frozen text says."""
    loaded = load(closed)
    (entry,) = [each for each in booked(loaded.entries) if each.meta["event"] == "w-3"]
    entry.meta["back"] = "top-up 10.01 USD"
    ((tie,),) = [[*went_back(read_books(loaded.entries, loaded.options))]]
    assert not tie.holds
    assert tie.lines == (f"{entry.meta['filename']}:{entry.meta['lineno']}",)


def test_what_went_back_in_closed_months_is_counted(closed: Path) -> None:
    """Of top-1 50.00 were charged back and half of 20.00 was paid for units: 140.00 are left."""
    add(closed, '2026-07-01 custom "compute-refund" "alice" 140.01 USD\n  of: "top-1"\n')
    (error,) = load_errors(closed)
    assert '140.01 USD, where 140 USD are left of what "top-1" cost: write at most' in error


def test_what_was_taken_back_of_revenue_can_be_asserted(closed: Path) -> None:
    """Of bob's 73.00 a fifth of 346.00 was void, 3.80 not; of top-1 10.61 was used."""
    for figure in ('"refunds" 3.80', '"refunds" "bob" 3.80', '"disputes" "alice" 10.61'):
        add(closed, f'2026-07-01 custom "compute-assert" {figure} USD\n')
    assert load_errors(closed) == []


def test_access_that_comes_back_late_is_earned_at_once(closed: Path) -> None:
    """69.20 went on 20 May, for 346 days: 42 have passed until 1 July, 8.40."""
    add(closed, '2026-06-25 custom "compute-reversal" "r-bob"\n  id: "undo"\n')
    loaded = load(closed)
    assert errors_of(loaded, closed) == []
    made = [as_text(each) for each in booked(loaded.entries) if each.date.month == 7]
    assert made[0].startswith("2026-07-01 undo #late #reversal")
    assert made[1].partition(": ")[2] == (
        "Access/Bob 8.40 ACCESS-USD {1.00, 2026-05-01, seat/2027-05-01}; Access -8.40 USD"
    )
    close(closed, "2026-07")


def test_late_it_is_booked_on_the_first_open_day_on_what_is_held_then(closed: Path) -> None:
    """Dated in May, when alice held more. 190.00 are left; of the 772 CU of the lot she holds now
    950 parts of 1,650 are top-2's: 444 CU, as 328 are top-1's; 305 of 610 moved on: 61.00."""
    add(closed, '2026-05-30 custom "compute-write-off" "top-2"\n  id: "late"\n')
    loaded = load(closed)
    assert errors_of(loaded, closed) == []
    (entry,) = [each for each in booked(loaded.entries) if each.meta["event"] == "late"]
    assert as_text(entry) == (
        "2026-07-01 late #late #write-off: Tokens/Alice 444 CU {0.20, 2026-05-02, top-up}; "
        "BadDebt 40.20 USD; Losses 61.00 USD; Alice -190.00 USD"
    )
    close(closed, "2026-07")


def test_a_late_recovery_of_an_amount_says_when_it_occurred(closed: Path) -> None:
    """Whether something else names the top-up, too, of which money was charged back, or nothing."""
    recovery = '2026-06-28 custom "compute-recovery" "cb-1" 20.00 USD\n  id: "in"\n'
    refund = '2026-07-02 custom "compute-refund" "alice" 1.00 USD\n  of: "top-1"\n'
    for text in (recovery, refund):
        add(closed, text)
        loaded = load(closed)
        assert errors_of(loaded, closed) == []
        (entry,) = [each for each in booked(loaded.entries) if each.meta["event"] == "in"]
        assert as_text(entry).startswith("2026-07-01 in #late #recovery: ")
        assert entry.meta["occurred"] == date(2026, 6, 28)
    close(closed, "2026-07")
    assert verify(load(closed)) == []


def test_something_that_money_went_back_of_in_closed_months_can_t_be_reversed(closed: Path) -> None:
    """Nor a chargeback of which something was recovered."""
    add(closed, '2026-07-01 custom "compute-reversal" "top-3"\n')
    (error,) = load_errors(closed)
    assert error.endswith('"top-3" has "w-3" behind it: reverse that first')
    text = closed.read_text().replace('"compute-reversal" "top-3"', '"compute-recovery" "cb-1"')
    closed.write_text(text + '  id: "in"\n')
    close(closed, "2026-07")
    add(closed, '2026-08-01 custom "compute-reversal" "cb-1"\n')
    (error,) = load_errors(closed)
    assert error.endswith('"cb-1" has "in" behind it: reverse that first')


def test_after_carry_it_is_in_the_old_ledger(tmp_path: Path) -> None:
    """Which is told as of any id that nothing was booked under."""
    top_up = '2026-12-02 custom "compute-allocation" "alice" 10 CU 2.00 USD\n  id: "top-1"\n'
    ledger = write(tmp_path, top_up)
    close(ledger, "2026-12")
    assert run("carry", ledger, "--to", "2027", tmp_path / "new").exit_code == 0
    new = tmp_path / "new" / "main.beancount"
    add(new, '2027-01-01 custom "compute-chargeback" "top-1"\n')
    (error,) = load_errors(new)
    assert 'no allocation "top-1" was booked on or before 2027-01-01' in error


CHANGED = """\
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
2026-01-01 custom "compute-plan" "max" 500.00 USD 3000 CU
2026-04-01 custom "compute-subscription" "bob" "pro"
  id: "s"
2026-04-10 custom "compute-consumption" "bob" 900 CU
2026-04-21 custom "compute-change" "bob" "pro" "max"
  id: "c"
  charge: 166.67 USD
  credit: 66.67 USD
2026-04-22 custom "compute-cancellation" "bob" "max"
2026-04-30 custom "compute-refund" "bob" 16.67 USD
  of: "c"
"""
LATER = """\
2026-05-01 custom "compute-chargeback" "s/2026-04-01"
2026-05-02 custom "compute-chargeback" "c"
"""


def test_what_a_change_credits_is_told_by_the_frozen_text(tmp_path: Path) -> None:
    """66.67 of 200.00, as its invoice says; and 150.00 are left of the short period's 166.67."""
    ledger = write(tmp_path, CHANGED)
    close(ledger, "2026-04")
    add(ledger, LATER)
    made = [
        as_text(each) for each in booked(load(ledger).entries) if "Chargeback" in each.narration
    ]
    assert [each.partition(": ")[2] for each in made] == [
        "Disputes 133.33 USD; Bob -133.33 USD",
        "Disputes 150.00 USD; Bob -150.00 USD",
    ]
    assert load_errors(ledger) == []
    close(ledger, "2026-05")
    open_ledger = write(tmp_path / "open", CHANGED + LATER)
    assert printed(load(ledger)) == printed(load(open_ledger))
