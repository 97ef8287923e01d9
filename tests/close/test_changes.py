"""Changes of plan through closed months, into the next year's ledger, and back from print."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from beancount_compute.close.carrying_over import runs_since
from beancount_compute.close.loading import load
from beancount_compute.close.verifying import verify
from beancount_compute.economy import NOWHERE
from beancount_compute.economy.carried import Running
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

TERMS = """\
2026-01-01 custom "compute-plan" "basic" 90.00 USD
  every: "quarter"
  access-by: "even-month"
2026-01-01 custom "compute-plan" "plus" 120.00 USD
  every: "quarter"
  access-by: "even-month"
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  unused: "mint"
2026-01-01 custom "compute-plan" "max" 500.00 USD 3000.00 CU
  unused: "mint"
  overage: 0.30 USD
2026-01-01 custom "compute-plan" "two" 100.00 USD
  every: "2 months"
2026-01-01 custom "compute-option" "as-of" 2026-12-31
2026-09-20 custom "compute-subscription" "alice" "basic"
  id: "s-a"
2026-10-10 custom "compute-change" "alice" "basic" "plus"
  id: "c-a"
2026-10-05 custom "compute-subscription" "bob" "pro"
  id: "s-b"
  discount: 20.00 USD
2026-10-25 custom "compute-consumption" "bob" 900 CU
  id: "u-1"
2026-11-25 custom "compute-change" "bob" "pro" "max"
  id: "c-b"
2026-10-05 custom "compute-subscription" "carol" "pro"
  id: "s-c"
2026-11-05 custom "compute-change" "carol" "pro" "max"
  id: "c-c"
2026-10-31 custom "compute-subscription" "dan" "pro"
  id: "s-d"
2026-11-29 custom "compute-change" "dan" "pro" "two"
  id: "c-d"
2026-10-31 custom "compute-subscription" "erin" "pro"
  id: "s-e"
2026-12-05 custom "compute-change" "erin" "pro" "max"
  id: "c-e"
2026-11-20 custom "compute-change" "alice" "plus" "basic"
  id: "c-a2"
  charge: 30.00 USD
  credit: 100.00 USD
"""
LATE_USE = """\
2026-10-30 custom "compute-consumption" "bob" 150 CU
  id: "late"
"""
LATE_CHANGE = """\
2026-10-30 custom "compute-change" "bob" "pro" "max"
  id: "c-late"
"""
MONTHS = ("2026-09", "2026-10", "2026-11", "2026-12")


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return write(tmp_path / "old", TERMS)


def test_month_by_month_gives_the_same_books(ledger: Path) -> None:
    """A closed month says on which plans a subscription was, and which lots are earned by days."""
    at_once = printed(load(ledger))
    assert errors_of(load(ledger), ledger) == []
    for month in MONTHS:
        close(ledger, month)
        loaded = load(ledger)
        assert errors_of(loaded, ledger) == []
        assert printed(loaded) == at_once
    assert verify(loaded) == []
    closed = ledger.parent / "closed"
    october = (closed / "2026-10.state.csv").read_text()
    assert "changed,s-a,2026-09-20,basic,2026-10-10\n" in october
    assert "days,alice,1.00,USD,2026-10-10,plus,2026-12-20\n" in october
    november = (closed / "2026-11.state.csv").read_text()
    assert "changed,s-a,2026-09-20,basic,2026-10-10,plus,2026-11-20\n" in november
    assert "changed,s-c,2026-11-05,pro,2026-11-05\n" in november
    rows = (closed / "2026-11.events.csv").read_text()
    assert rows.splitlines()[0].endswith(",memo,from_plan,charge,credit")


def test_what_is_changed_of_a_closed_month_is_found(ledger: Path) -> None:
    """In the event, or in the state."""
    close(ledger, "2026-09", "2026-10", "2026-11")
    text = ledger.read_text()
    ledger.write_text(text.replace("charge: 30.00", "charge: 31.00"))
    (error,) = load_errors(ledger)
    assert "booked in the closed month 2026-11 with another content" in error
    ledger.write_text(text)
    state = ledger.parent / "closed" / "2026-11.state.csv"
    state.write_text(state.read_text().replace("changed,s-c,2026-11-05", "changed,s-c,2026-11-04"))
    assert load_errors(ledger) != []


def test_a_change_comes_never_late_and_a_late_use_falls_under_the_plan_of_its_day(
    ledger: Path,
) -> None:
    """In October, which is closed, bob was on pro, which has no overage, and held 100 CU."""
    close(ledger, "2026-09", "2026-10", "2026-11")
    text = ledger.read_text()
    add(ledger, LATE_CHANGE)
    (error,) = load_errors(ledger)
    assert (
        "a change can't come late: 2026-10-30 lies in a closed month; date it 2026-12-01" in error
    )
    ledger.write_text(text + LATE_USE)
    (error,) = load_errors(ledger)
    assert '"bob" uses 150 CU on' in error and 'plan "pro" has no `overage`' in error


def test_the_next_year_goes_on_from_a_changed_subscription(ledger: Path, tmp_path: Path) -> None:
    """Its lots are dated within its period; another change there takes them back."""
    close(ledger, *MONTHS)
    assert run("carry", ledger, "--to", "2027", tmp_path / "new").exit_code == 0
    new = tmp_path / "new" / "main.beancount"
    found = []
    for path in (ledger, new):
        add(path, '2027-01-03 custom "compute-change" "bob" "max" "pro"\n  id: "c-b2"\n')
        add(path, '2027-03-30 custom "compute-consumption" "bob" 1 CU\n  id: "u-2"\n')
        loaded = load(path)
        assert errors_of(loaded, path) == []
        found.append([as_text(each) for each in booked(loaded.entries) if each.date.year == 2027])
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("begun", "ends", "day", "expected"),
    [
        ("2026-12-31", "2027-01-31", 31, "2026-12-31"),
        ("2026-11-30", "2027-01-31", 31, "2026-07-31"),  # September is short too
        ("2025-02-28", "2026-02-28", 29, "2024-02-29"),
    ],
)
def test_the_next_year_keeps_the_day_of_the_month(
    begun: str, ends: str, day: int, expected: str
) -> None:
    """Of a subscription that changed to periods of another length."""
    days = [date.fromisoformat(each) for each in (begun, ends)]
    running = Running("s", "a", "p", days[0], day, False, days[1], 3, False, NOWHERE)
    assert str(runs_since(running)) == begun
    assert str(runs_since(running._replace(whole_since=days[0]))) == expected


def test_a_year_does_not_begin_in_a_short_period_that_it_could_not_say(
    ledger: Path, tmp_path: Path
) -> None:
    """Of access by even months, which is earned by days; of a minimum, which counts by days."""
    add(ledger, '2026-12-28 custom "compute-change" "alice" "basic" "plus"\n  id: "c-a3"\n')
    close(ledger, *MONTHS)
    refused = run("carry", ledger, "--to", "2027", tmp_path / "new")
    assert refused.exit_code == 1
    assert "within a period of access by even months, which the new year can't say" in (
        refused.stderr.replace("\n", " ")
    )


def test_what_is_printed_loads_without_the_plugin_to_the_same_balances(ledger: Path) -> None:
    text = run("print", ledger).stdout
    plain = ledger.with_name("plain.beancount")
    plain.write_text(text)
    assert load_errors(plain) == []
    assert text.count("#compute-change") == 5
