"""Periods that end before their time, beside others of their day, through closed months."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from beancount.core.data import Directive, Transaction

from beancount_compute.close.loading import load
from beancount_compute.close.tie_outs.access_left import access_left
from beancount_compute.close.verifying import verify
from beancount_compute.economy import Month
from beancount_compute.reports import Selection, read_books
from beancount_compute.reports.held_lots import LOTS
from tests.close.sealing import add, close, errors_of, load_errors, printed, run, write

TERMS = """\
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  access-ssp: 150.00 USD
  units-ssp: 100.00 USD
  every: "quarter"
2026-01-01 custom "compute-plan" "max" 500.00 USD 3000 CU
  every: "quarter"
2026-01-01 custom "compute-option" "as-of" 2026-12-31
"""
# of each two seats of one day, in one lot; bob's second had a discount, of which half went back
SEATS = """\
2026-09-16 custom "compute-subscription" "{name}" "pro"
  id: "s-{name}"
2026-09-16 custom "compute-allocation" "{name}" "pro"
  id: "b-{name}"
2026-09-20 custom "compute-consumption" "{name}" 600 CU
  id: "u-{name}"
"""
ENDS = """\
2026-10-31 custom "compute-cancellation" "alice" "pro"
  id: "c-a"
  now: TRUE
2026-10-20 custom "compute-refund" "bob" 100.00 USD
  of: "b-bob"
2026-11-10 custom "compute-cancellation" "bob" "pro"
  id: "c-b"
  now: TRUE
2026-11-11 custom "compute-change" "carol" "pro" "max"
  id: "x-c"
2026-11-20 custom "compute-change" "carol" "max" "pro"
  id: "y-c"
2026-12-05 custom "compute-chargeback" "b-alice"
  id: "cb-a"
2026-12-06 custom "compute-chargeback" "b-carol"
  id: "cb-c"
"""
MONTHS = ("2026-09", "2026-10", "2026-11", "2026-12")


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    seats = "".join(SEATS.format(name=name) for name in ("alice", "bob", "carol"))
    return write(tmp_path / "old", TERMS + seats + ENDS)


def test_month_by_month_gives_the_same_books(ledger: Path) -> None:
    """Alice's 120.00 + 80.00 twice: on 31 October 240.00 less 39.56 of September, 15 of 91 days.

    Half of 200.44 is her own, of which 31 of 76 days are October's: 40.88, and 59.34 are breakage.
    Of 1,400 CU 700 are cut off, and lapse the day after, in November.
    """
    at_once = printed(load(ledger))
    for said in (
        '"Access pro 2026-10-01/2026-10-31" #compute-access',
        " 40.88 ACCESS-USD {1 USD, 2026-09-16",
        " 59.34 ACCESS-USD {1 USD, 2026-09-16",
        '-700 CU {0.08 USD, 2026-09-16, "pro/2026-11-01"}',
    ):
        assert said in at_once
    for month in MONTHS:
        close(ledger, month)
        loaded = load(ledger)
        assert errors_of(loaded, ledger) == []
        assert printed(loaded) == at_once
    assert verify(load(ledger)) == []
    state = (ledger.parent / "closed" / "2026-10.state.csv").read_text()
    assert "at-once,s-alice,2026-09-16,2026-12-16,shared\n" in state


def test_access_that_is_left_is_told_again(ledger: Path) -> None:
    """The tie-out of the close follows each part; of alice's 40.88 one that earns 1.00 less, and
    breaks as much less, is out by what the others' lot holds more.
    """
    loaded = load(ledger)
    for month in MONTHS:
        last = Month.parse(month).last
        entries = [each for each in loaded.entries if each.date <= last]
        (tie,) = access_left(read_books(entries, loaded.options), last)
        assert tie.difference == 0
    wrong = [_earning_less(each) for each in entries]
    (tie,) = access_left(read_books(wrong, loaded.options), last)
    assert tie.difference != 0


def _earning_less(entry: Directive) -> Directive:
    """The entry; of alice's own part on the day of its cancellation with 1.00 less."""
    if not isinstance(entry, Transaction) or not entry.meta.get("event", "").endswith("/c-a"):
        return entry
    one = {"ACCESS-USD": Decimal(1), "USD": Decimal(-1)}
    postings = [
        each._replace(
            units=each.units._replace(number=each.units.number - one[each.units.currency])
        )
        for each in entry.postings
    ]
    return entry._replace(postings=postings)


def test_as_of_that_evening_only_its_own_units_end_tomorrow(ledger: Path) -> None:
    """Dora's other one was undone before, so that all ends; of erin's period all was given back,
    so that nothing does."""
    seats = "".join(SEATS.format(name=name) for name in ("dora", "erin"))
    ends = """\
2026-09-17 custom "compute-reversal" "b-dora"
2026-10-31 custom "compute-cancellation" "dora" "pro"
  now: TRUE
2026-09-17 custom "compute-refund" "erin" 200.00 USD
  of: "s-erin/2026-09-16"
2026-10-31 custom "compute-cancellation" "erin" "pro"
  now: TRUE
"""
    add(ledger, seats + ends)
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == []
    books = read_books(loaded.entries, loaded.options)
    found = {}
    for name in ("alice", "carol", "dora", "erin"):
        selection = Selection(end=date(2026, 10, 31), subscriber=name)
        table = next(t for t in LOTS.tables(books, selection) if t.name == "lots")
        found[name] = [(row[0], row[7]) for row in table.rows if row[5] == "CU"]
    assert {name: [(end, int(units)) for end, units in lots] for name, lots in found.items()} == {
        "alice": [("2026-11-01", 700), ("2026-12-16", 700)],
        "carol": [("2026-12-16", 1400)],
        "dora": [("2026-11-01", 400)],
        "erin": [("2026-12-16", 400)],
    }


def test_what_gave_nothing_has_nothing_of_closed_lots(tmp_path: Path) -> None:
    """Erin's subscription has a discount of all: what is left is of the single one."""
    erin = SEATS.format(name="erin").replace('id: "s-', 'discount: 200.00 USD\n  id: "s-')
    change = '2026-10-16 custom "compute-change" "erin" "pro" "max"\n'
    ledger = write(tmp_path / "new", TERMS + erin + change)
    text = printed(load(ledger))
    assert "-400 CU" not in text and text.count("ACCESS-USD {1 USD, 2026-09-16") == 5
    close(ledger, *MONTHS[:1])
    assert printed(load(ledger)) == text


def test_neither_can_be_reversed_after_a_close(ledger: Path) -> None:
    """The state says that others may have shared its lots."""
    close(ledger, *MONTHS[:2])
    add(ledger, '2026-11-02 custom "compute-reversal" "s-alice/2026-09-16"\n  id: "r"\n')
    (error,) = load_errors(ledger)
    assert "was cancelled at once, and what is left of its lots is another" in error


def test_a_late_use_is_of_what_was_held_on_its_day(ledger: Path) -> None:
    """Booked on 1 November before the units that were cut off lapse; sealed the same."""
    close(ledger, *MONTHS[:2])
    add(ledger, '2026-10-30 custom "compute-consumption" "alice" 50 CU\n  id: "late"\n')
    text = printed(load(ledger))
    assert errors_of(load(ledger), ledger) == []
    for month in MONTHS[2:]:
        close(ledger, month)
        assert printed(load(ledger)) == text
    assert verify(load(ledger)) == []


def test_the_next_year_opens_with_both_lots(ledger: Path, tmp_path: Path) -> None:
    """Dave's units that were cut off on the last day of the year end with its first day, the
    others with their period."""
    add(
        ledger,
        SEATS.format(name="dave").replace("2026-09", "2026-12")
        + '2026-12-31 custom "compute-cancellation" "dave" "pro"\n  now: TRUE\n',
    )
    close(ledger, *MONTHS)
    new = tmp_path / "new"
    assert run("carry", ledger, "--to", "2027", new).exit_code == 0
    text = (new / "main.beancount").read_text()
    for label in ("pro/2027-01-01", "pro/2027-03-16"):
        assert f'-700 CU {{0.08 USD, 2026-12-16, "{label}"}}' in text
    assert load_errors(new / "main.beancount") == []
