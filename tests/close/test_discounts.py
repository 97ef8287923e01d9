"""Discounts through closed months, into the next year's ledger, and back from print."""

from __future__ import annotations

from pathlib import Path

import pytest

from beancount_compute.close.loading import load
from beancount_compute.close.verifying import verify
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
  unused: "mint"
2026-01-01 custom "compute-plan" "both" 200.00 USD 1000 CU
  access-ssp: 150.00 USD
  units-ssp: 100.00 USD
2026-12-01 custom "compute-plan" "pro" 20.00 USD 1000 CU
  unused: "mint"
2026-01-01 custom "compute-option" "as-of" 2026-12-31
2026-10-31 custom "compute-subscription" "alice" "pro"
  id: "s-a"
  discount: 30.00 USD
2026-11-05 custom "compute-subscription" "bob" "both"
  id: "s-b"
  discount: 50.00 USD
2026-11-06 custom "compute-subscription" "carol" "both"
  id: "s-c"
2026-11-20 custom "compute-consumption" "alice" 200 CU
  id: "u-1"
"""
LATE = """\
2026-10-20 custom "compute-allocation" "dave" "pro"
  id: "late"
  discount: 100.00 USD
"""
MONTHS = ("2026-10", "2026-11", "2026-12")


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return write(tmp_path / "old", TERMS)


def test_month_by_month_gives_the_same_books(ledger: Path) -> None:
    """Each closed month says what a period costs less, where it does: alice's discount of 30.00 is
    above the 20.00 of December, and stays hers; carol's row is as without any discount."""
    at_once = printed(load(ledger))
    assert "Assets:Receivable:Alice  170 USD" in at_once
    for month in MONTHS:
        close(ledger, month)
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == []
    assert printed(loaded) == at_once
    assert verify(loaded) == []
    state = (ledger.parent / "closed" / "2026-12.state.csv").read_text()
    assert "subscription,s-a,alice,pro,2026-10-31,2027-01-31,3,31,,,30,USD\n" in state
    assert "subscription,s-b,bob,both,2026-11-05,2027-01-05,2,5,,,50,USD\n" in state
    assert "subscription,s-c,carol,both,2026-11-06,2027-01-06,2,6,,\n" in state
    rows = (ledger.parent / "closed" / "2026-11.events.csv").read_text().splitlines()
    assert rows[0].endswith(",memo,discount") and rows[1].endswith(",50")


def test_what_is_changed_of_a_closed_month_is_found(ledger: Path) -> None:
    """Another discount is another event; in the state it is another state."""
    close(ledger, "2026-10", "2026-11")
    text = ledger.read_text()
    ledger.write_text(text.replace("discount: 50.00", "discount: 60.00"))
    (error,) = load_errors(ledger)
    assert "booked in the closed month 2026-11 with another content" in error
    ledger.write_text(text)
    state = ledger.parent / "closed" / "2026-11.state.csv"
    state.write_text(state.read_text().replace(",50,USD", ",60,USD"))
    assert load_errors(ledger) != []


def test_a_late_period_has_its_discount(ledger: Path) -> None:
    """Dated in October, which is closed: 200.00 less 100.00, booked on 1 November."""
    close(ledger, "2026-10")
    add(ledger, LATE)
    loaded = load(ledger)
    assert errors_of(loaded, ledger) == []
    assert "Assets:Receivable:Dave  100 USD" in printed(loaded)
    at_once = printed(loaded)
    close(ledger, "2026-11")
    assert printed(load(ledger)) == at_once and verify(load(ledger)) == []


def test_the_next_year_goes_on_with_it(ledger: Path, tmp_path: Path) -> None:
    """The same January, whatever stands in which ledger; a price above the discount again."""
    close(ledger, *MONTHS)
    assert run("carry", ledger, "--to", "2027", tmp_path / "new").exit_code == 0
    new = tmp_path / "new" / "main.beancount"
    assert "  started: 2026-10-31\n  discount: 30 USD\n" in new.read_text()
    found = []
    for path in (ledger, new):
        add(path, '2027-01-10 custom "compute-plan" "pro" 130.00 USD 1000 CU\n  unused: "mint"\n')
        add(path, '2027-02-01 custom "compute-consumption" "alice" 1 CU\n  id: "u-2"\n')
        loaded = load(path)
        assert errors_of(loaded, path) == []
        found.append([as_text(each) for each in booked(loaded.entries) if each.date.year == 2027])
    assert found[0] == found[1]
    assert any("s-a/2027-01-31" in each and "Alice 100.00" in each for each in found[0])


def test_what_is_printed_loads_without_the_plugin_to_the_same_balances(ledger: Path) -> None:
    text = run("print", ledger).stdout
    plain = ledger.with_name("plain.beancount")
    plain.write_text(text)
    assert load_errors(plain) == []
    assert "170.00 USD" in text
