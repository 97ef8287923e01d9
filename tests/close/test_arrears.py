"""Arrears and minimums through closed months, into the next year, and back from print."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from beancount.core.amount import Amount
from beancount.core.data import Transaction

from beancount_compute.close.carrying_over import carry
from beancount_compute.close.loading import load
from beancount_compute.close.storage import CloseError
from beancount_compute.close.tie_outs import tie_outs
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

TERMS = """\
2026-01-01 custom "compute-plan" "payg" 0.00 USD 0 CU
  overage: 0.02 USD
  bill: "period"
2026-01-01 custom "compute-plan" "commit" 0.00 USD 0 CU
  every: "quarter"
  overage: 0.02 USD
  minimum: 100.00 USD
  bill: "month"
2026-01-01 custom "compute-option" "as-of" 2026-12-31
2026-09-15 custom "compute-subscription" "alice" "payg"
  id: "s-a"
2026-09-01 custom "compute-subscription" "bob" "commit"
  id: "s-b"
2026-10-01 custom "compute-subscription" "carol" "commit"
  id: "s-c"
2026-10-02 custom "compute-cancellation" "carol" "commit"
2026-09-25 custom "compute-consumption" "bob" 1750 CU
  id: "u-1"
2026-10-04 custom "compute-consumption" "alice" 850 CU
  id: "u-2"
2026-10-04 custom "compute-consumption" "bob" 1750 CU
  id: "u-3"
2026-12-20 custom "compute-consumption" "alice" 100 CU
2026-12-21 custom "compute-consumption" "bob" 500 CU
"""
# 1,500 x 0.02 = 30.00 of 20 November: the period to 30 November was 30.00 short
LATE = """\
2026-11-20 custom "compute-consumption" "bob" 1500 CU
  id: "late"
"""
MONTHS = ("2026-09", "2026-10", "2026-11", "2026-12")


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return write(tmp_path / "old", TERMS)


def test_month_by_month_gives_the_same_books(ledger: Path) -> None:
    """Each closed month says what is unbilled until when, and what each period was charged."""
    at_once = printed(load(ledger))
    for month in MONTHS:
        close(ledger, month)
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == []
    assert printed(loaded) == at_once
    assert verify(loaded) == []
    state = (ledger.parent / "closed" / "2026-10.state.csv").read_text()
    assert "arrears,s-a,period,2026-10-15,2026-10-15,2026-11-15\n" in state
    assert "arrears,s-b,month,2026-09-01,2026-10-01,2026-11-01\nunbilled,s-b,35.00,USD\n" in state
    assert "minimum,s-b,commit,2026-09-01,2026-12-01,100.00,USD,70.00,0,\n" in state
    state = (ledger.parent / "closed" / "2026-11.state.csv").read_text()
    assert "minimum,s-b,commit,2026-09-01,2026-12-01,100.00,USD,70.00,30.00,over\n" in state


def test_what_is_changed_of_the_state_is_found(ledger: Path) -> None:
    """Be it another amount, or a row that no subscription stands before."""
    close(ledger, "2026-09", "2026-10")
    state = ledger.parent / "closed" / "2026-10.state.csv"
    text = state.read_text()
    for right, wrong in (
        ("unbilled,s-b,35.00,", "unbilled,s-b,34.00,"),
        (",USD,70.00,0,", ",USD,60.00,0,"),
        ("unbilled,s-b,35.00,", "unbilled,s-x,35.00,"),
        ("arrears,s-b,month,2026-09-01,2026-10-01,2026-11-01\n", ""),
    ):
        state.write_text(text.replace(right, wrong))
        assert load_errors(ledger) != []
    state.write_text(text)
    assert load_errors(ledger) == []


@pytest.mark.parametrize(
    ("was", "now", "named"),
    [
        ('  bill: "period"\n', "", "payg"),
        ("minimum: 100.00", "minimum: 90.00", "commit"),
        ('  bill: "month"\n', "", "commit"),
    ],
)
def test_terms_that_a_closed_month_used_stand(ledger: Path, was: str, now: str, named: str) -> None:
    """In September alice used nothing yet, and bob's minimum is not over."""
    close(ledger, "2026-09")
    ledger.write_text(ledger.read_text().replace(was, now, 1))
    assert any(f'plan "{named}" says' in each for each in load_errors(ledger))


def test_what_comes_late_or_is_undone_leaves_the_total(ledger: Path) -> None:
    """The late use takes all of the shortfall back, and the reversal of a closed one a part."""
    close(ledger, "2026-09", "2026-10", "2026-11")
    add(ledger, LATE)
    add(ledger, '2026-12-05 custom "compute-reversal" "u-1"\n')
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == []
    text = printed(loaded)
    assert 'shortfall: "commit -30 USD"' in text and 'shortfall: "commit 35 USD"' in text
    last = [as_text(each) for each in booked(loaded.entries) if each.date.month == 12]
    assert last[0].startswith("2026-12-01 late #consumption #late #overage: Overage -30.00 USD; ")
    assert last[0].endswith("; Breakage 30.00 USD")
    undone = next(each for each in last if "#reversal" in each)
    assert undone.endswith(": Overage 35.00 USD; Breakage -35.00 USD")
    close(ledger, "2026-12")
    assert printed(load(ledger)) == text and verify(load(ledger)) == []


@pytest.mark.parametrize(
    ("tag", "number", "right"),
    [
        ("compute-consumption", "1.00", "36.00"),
        ("compute-invoice", "1.00", "36.00"),
        ("", "-5.00", "30.00"),
    ],
)
def test_what_stands_in_unbilled_and_was_not_charged_differs(
    ledger: Path, tag: str, number: str, right: str
) -> None:
    """A charge of more than was earned, an invoice of less than waits, a payment by hand."""
    account = "Assets:Unbilled:Bob"
    if not tag:
        add(ledger, f'2026-10-20 * "bob" "Payment"\n  {account}  {number} USD\n  Assets:Bank\n')
    loaded = load(ledger)
    for entry in loaded.entries if tag else ():
        if isinstance(entry, Transaction) and tag in entry.tags and entry.date.month == 10:
            for at, posting in enumerate(entry.postings):
                if posting.account == account and posting.units and posting.units.number:
                    more = Amount(posting.units.number + Decimal(number), "USD")
                    entry.postings[at] = posting._replace(units=more)
    books = read_books(loaded.entries, loaded.options)
    (tie,) = [each for each in tie_outs(books, "2026-10", []) if "not yet invoiced" in each.name]
    assert (str(tie.left), str(tie.right), len(tie.lines)) == ("35.00", right, 1)


def test_what_is_printed_loads_without_the_plugin(ledger: Path) -> None:
    text = run("print", ledger).stdout
    plain = ledger.with_name("plain.beancount")
    plain.write_text(text)
    assert load_errors(plain) == []
    assert 'shortfall: "commit 30.00 USD"' in text


def test_the_next_year_goes_on_with_it(ledger: Path, tmp_path: Path) -> None:
    """The same months, whatever stands in which ledger: what runs, and what ended with the year."""
    close(ledger, *MONTHS)
    assert run("carry", ledger, "--to", "2027", tmp_path / "new").exit_code == 0
    new = tmp_path / "new" / "main.beancount"
    text = new.read_text()
    assert "  started: 2026-09-15\n  unbilled: 2.00 USD\n" in text
    assert "  started: 2026-09-01\n  charged: 10.00 USD\n  unbilled: 10.00 USD\n" in text
    assert (
        '2027-01-01 * "carol" "Invoice commit"\n'
        "  Assets:Receivable:Carol  100.00 USD\n  Assets:Unbilled:Carol  -100.00 USD\n"
    ) in text
    found = []
    for path in (ledger, new):
        add(path, '2027-03-05 custom "compute-consumption" "alice" 10 CU\n  id: "u-9"\n')
        loaded = load(path)
        assert errors_of(loaded, path) == []
        made = [as_text(each) for each in booked(loaded.entries) if each.date.year == 2027]
        found.append([each for each in made if "Carol" not in each])
    assert found[0] == found[1]
    assert any("shortfall/s-b/2026-12-01" in each and "Bob 90.00" in each for each in found[0])
    close(new, "2027-01", "2027-02")


def test_two_currencies_can_not_be_carried(ledger: Path, tmp_path: Path) -> None:
    """One subscription takes over one amount."""
    euros = '2026-12-22 custom "compute-plan" "payg" 0.00 USD 0 CU\n  overage: 0.02 EUR\n'
    add(ledger, f'{euros}  bill: "period"\n')
    add(ledger, '2026-12-23 custom "compute-consumption" "alice" 50 CU\n')
    close(ledger, *MONTHS)
    with pytest.raises(CloseError, match=r'"s-a" has 1\.00 EUR and 2\.00 USD'):
        carry(load(ledger), 2027, tmp_path / "new")
