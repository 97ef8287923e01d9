"""Cancellations at once through closed months, into the next year's ledger, and in reports."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from beancount_compute.close.loading import load
from beancount_compute.close.verifying import verify
from beancount_compute.reports import Selection, read_books
from beancount_compute.reports.held_lots import LOTS
from beancount_compute.reports.statement import STATEMENT
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
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
  access-ssp: 150.00 USD
  units-ssp: 100.00 USD
  unused: "mint"
  every: "year"
2026-01-01 custom "compute-plan" "commit" 0.00 USD 0 CU
  overage: 0.02 USD
  minimum: 31.00 USD
  bill: "period"
2026-01-01 custom "compute-option" "as-of" 2026-12-31
2026-10-16 custom "compute-subscription" "alice" "pro"
  id: "s-a"
2026-10-16 custom "compute-subscription" "bob" "pro"
  id: "s-b"
2026-10-16 custom "compute-subscription" "carol" "commit"
  id: "s-c"
2026-10-20 custom "compute-consumption" "alice" 1000 CU
  id: "u-1"
2026-10-21 custom "compute-consumption" "bob" 100 CU
  id: "u-2"
2026-10-31 custom "compute-cancellation" "alice" "pro"
  id: "c-a"
  now: TRUE
2026-10-31 custom "compute-cancellation" "bob" "pro"
  id: "c-b"
  now: TRUE
2026-10-31 custom "compute-cancellation" "carol" "commit"
  id: "c-c"
  now: TRUE
"""
ANOTHER = '2026-10-16 custom "compute-allocation" "bob" "pro"\n'
BACK = '2026-11-25 custom "compute-reversal" "u-1"\n'
MONTHS = ("2026-10", "2026-11", "2026-12")


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """All end on the last day of a month: their units and invoices are the next month's."""
    return write(tmp_path / "old", TERMS)


def test_month_by_month_gives_the_same_books(ledger: Path) -> None:
    """The state says which period was cut short; what comes back in November ends at once. 31.00
    for 31 days is 16.00 for the 16 days to 31 October."""
    add(ledger, BACK)
    at_once = printed(load(ledger))
    assert '2026-11-01 * "bob" "Mint"' in at_once and '2026-11-25 * "alice" "Mint"' in at_once
    assert "  Assets:Receivable:Carol  16 USD\n" in at_once
    for month in MONTHS:
        close(ledger, month)
        loaded = load(ledger)
        assert errors_of(loaded, ledger) == []
        assert printed(loaded) == at_once
    assert verify(load(ledger)) == []
    state = (ledger.parent / "closed" / "2026-10.state.csv").read_text()
    assert "cancelled,c-b,s-b,2026-10-31\nat-once,s-b,2026-10-16,2027-10-16\n" in state
    rows = (ledger.parent / "closed" / "2026-10.events.csv").read_text().splitlines()
    assert rows[0].endswith(",memo,now") and rows[-1].endswith(",true")


def test_it_can_t_be_taken_back_late(ledger: Path) -> None:
    """Its evening is closed; an ordinary one could, while its period runs."""
    close(ledger, "2026-10")
    add(ledger, '2026-10-31 custom "compute-reversal" "c-b"\n  id: "r"\n')
    (error,) = load_errors(ledger)
    assert 'the subscription that "c-b" cancelled ended on 2026-11-01: write a new one' in error


@pytest.mark.parametrize(
    ("day", "used", "more"),
    [("2026-10-30", 50, ""), ("2026-10-31", 50, ""), ("2026-10-30", 1000, ANOTHER)],
)
@pytest.mark.parametrize(
    ("months", "of"),
    [
        (1, 'Allocations:Bob  50 CU {0.08 USD, 2026-10-16, "pro/2026-11-01"}'),
        (2, 'Tokens:Bob  50 CU {0.08 USD, 2026-10-16, "pro"}'),
    ],
    ids=["which ends today", "which is tokens by now"],
)
def test_what_is_used_late_was_used_before_it_ended(
    ledger: Path, months: int, of: str, day: str, used: int, more: str
) -> None:
    """Of the 900 CU that bob had, also on the day of the cancellation itself; 850 become tokens, or
    50 of the tokens go. Another period beside it has 950 of 1,900, which are drawn on first."""
    add(ledger, more)
    close(ledger, *MONTHS[:months])
    add(ledger, f'{day} custom "compute-consumption" "bob" {used} CU\n  id: "late"\n')
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == []
    text = printed(loaded)
    late = text[text.index("#compute-late") :].split("\n\n")[0]
    assert f"  Liabilities:DeferredRevenue:{of}\n" in late
    close(ledger, MONTHS[months])
    assert printed(load(ledger)) == text and verify(load(ledger)) == []


def test_as_of_that_evening_its_lots_end_tomorrow(ledger: Path) -> None:
    """The day before nobody knew, the day after they are tokens."""
    loaded = load(ledger)
    books = read_books(loaded.entries, loaded.options)
    found = []
    for on in (30, 31):
        selection = Selection(end=date(2026, 10, on))
        table = next(t for t in LOTS.tables(books, selection) if t.name == "lots")
        found.append([row[0] for row in table.rows if row[5] == "CU"])
    assert found == [["2027-10-16"], ["2026-11-01"]]
    assert [(p.subscriber, str(p.last), p.ran) for p in books.periods] == [
        ("alice", "2026-10-31", "16/365"),
        ("bob", "2026-10-31", "16/365"),
    ]


def test_a_statement_says_what_was_cut_short(ledger: Path) -> None:
    """Of bob's 900 CU; they become tokens a day later."""
    loaded = load(ledger)
    books = read_books(loaded.entries, loaded.options)
    (table,) = STATEMENT.tables(books, Selection(subscriber="bob"), "lines")
    rows = [(row[1], row[4], str(row[10])) for row in table.rows if row[8] == "CU"]
    assert rows[2:] == [
        ("2026-10-31", "cut short", "-900"),
        ("2026-10-31", "cut short", "900"),
        ("2026-11-01", "minted", "-900"),
        ("2026-11-01", "minted", "900"),
    ]


def test_a_journal_for_the_general_ledger_has_nothing_of_it(ledger: Path) -> None:
    """What is only cut short stays on its account. Of 80.00 each alice used all, bob 8.00."""
    result = run("export", "2026-10", ledger, "--format", "csv")
    assert result.exit_code == 0, result.output
    lines = [line for line in result.output.splitlines() if "Allocations" in line]
    assert [line.split(",")[-2:] for line in lines] == [["", "72.00"]]


def test_the_next_year_goes_on_with_it(tmp_path: Path) -> None:
    """Cancelled on 31 December: what is minted on 1 January is so in either ledger; carol's last
    invoice stands in the new one as text."""
    ledger = write(tmp_path / "old", TERMS.replace("2026-10-31", "2026-12-31"))
    close(ledger, *MONTHS)
    result = run("carry", ledger, "--to", "2027", tmp_path / "new")
    assert result.exit_code == 0, result.output
    new = tmp_path / "new" / "main.beancount"
    assert '-900 CU {0.08 USD, 2026-10-16, "pro/2027-01-01"}' in new.read_text()
    assert '2027-01-01 * "carol" "Invoice commit"' in new.read_text()
    found = []
    for path in (ledger, new):
        add(path, '2027-02-01 custom "compute-consumption" "bob" 1 CU\n  id: "u-9"\n')
        loaded = load(path)
        assert errors_of(loaded, path) == []
        texts = [as_text(each) for each in booked(loaded.entries) if each.date.year == 2027]
        texts = [each for each in texts if "invoice/" not in each]
        found.append([re.sub("pro/20[0-9-]+", "pro/END", each) for each in texts])
    assert found[0] == found[1]
