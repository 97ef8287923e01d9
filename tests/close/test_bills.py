"""Accruals and bills of providers in closed months: frozen, verified, late, and carried over."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from beancount.core.amount import Amount

from beancount_compute.close.closing import prepare
from beancount_compute.close.loading import load
from beancount_compute.close.tie_outs import tie_outs
from beancount_compute.close.verifying import verify
from beancount_compute.reports import read_books
from tests.close.sealing import add, as_text, booked, close, load_errors, run, write

TERMS = """\
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
2026-01-01 custom "compute-provider" "openai"
2026-01-01 custom "compute-option" "as-of" 2026-08-31
2026-05-10 custom "compute-subscription" "alice" "pro"
2026-06-02 custom "compute-bill" "openai" 70.25 USD
  id: "b-1"
2026-06-20 custom "compute-bill" "openai" -5.25 USD
  id: "b-2"
  from: 2026-05-20
  to: 2026-06-15
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return write(tmp_path / "old", TERMS)


def bills(path: Path) -> list[str]:
    return [as_text(each) for each in booked(load(path).entries) if each.payee == "openai"]


def test_closed_months_give_the_same_bills(ledger: Path) -> None:
    """Frozen with their days; a month without bills has no column for them."""
    before = bills(ledger)
    assert len(before) == 2
    close(ledger, "2026-05", "2026-06")
    assert bills(ledger) == before
    assert load_errors(ledger) == []
    assert verify(load(ledger)) == []
    folder = ledger.parent / "closed"
    assert "from" not in (folder / "2026-05.events.csv").read_text().splitlines()[0]
    rows = (folder / "2026-06.events.csv").read_text()
    assert rows.splitlines()[0].endswith("memo,from,to")
    assert "\nb-2,2026-06-20,,bill,,openai,,,,,-5.25,USD,,,,,2026-05-20,2026-06-15\n" in rows


def test_other_days_are_another_bill(ledger: Path) -> None:
    """So that a closed one can't be moved to other days."""
    close(ledger, "2026-05", "2026-06")
    ledger.write_text(ledger.read_text().replace("to: 2026-06-15", "to: 2026-06-14"))
    (error,) = load_errors(ledger)
    assert 'event id "b-2" is booked in the closed month 2026-06 with another content' in error


def test_a_late_bill_is_for_the_month_before_its_own_day(ledger: Path) -> None:
    """It came on 5 June, and is booked on the first open day; a closed one is never reversed."""
    close(ledger, "2026-05", "2026-06")
    add(
        ledger,
        '2026-06-05 custom "compute-bill" "openai" 3.00 USD\n  id: "b-3"\n'
        '2026-07-05 custom "compute-reversal" "b-1"\n',
    )
    (error,) = load_errors(ledger)
    assert "a bill can't be reversed: write a credit note" in error
    late = next(each for each in booked(load(ledger).entries) if each.meta["event"] == "b-3")
    assert late.date.isoformat() == "2026-07-01"
    assert late.meta["occurred"].isoformat() == "2026-06-05"
    assert late.meta["period"] == "2026-05-01/2026-05-31"


# 20.00 + 10.00 of chat and 6.00 of pictures accrued in November, 2.00 of chat in December; the
# first half of November is billed.
METERED = """\
2026-01-01 custom "compute-plan" "pro" 200.00 USD 1000 CU
2026-01-01 custom "compute-meter" "chat"
  units: 1 CU
  cost: 0.40 USD
  provider: "open ai"
2026-01-01 custom "compute-meter" "pictures"
  units: 1 CU
  cost: 2.00 USD
  provider: "open ai"
2026-01-01 custom "compute-option" "meter" "chat"
2026-01-01 custom "compute-option" "as-of" 2027-01-31
2026-11-05 custom "compute-subscription" "alice" "pro"
2026-11-10 custom "compute-consumption" "alice" 50 CU
  id: "u-1"
2026-11-20 custom "compute-consumption" "alice" 25 CU
  id: "u-2"
2026-11-20 custom "compute-consumption" "alice"
  id: "u-3"
  meter: "pictures"
  quantity: 3
2026-12-10 custom "compute-consumption" "alice" 5 CU
  id: "u-4"
2026-01-01 open Equity:Own
2026-12-11 * "Accrued by hand"
  Liabilities:Accrued:Open-ai-f3ed9e  -0.50 USD
  Equity:Own
2026-12-15 custom "compute-bill" "open ai" 21.50 USD
  id: "b-1"
  from: 2026-11-01
  to: 2026-11-15
"""
LAST = """\
2027-01-02 custom "compute-bill" "open ai" 17.00 USD
  id: "b-2"
  from: 2026-11-10
  to: 2026-12-31
"""
OPEN_AI = "Open-ai-f3ed9e"


def of_provider(path: Path) -> list[str]:
    entries = [each for each in booked(load(path).entries) if each.payee == "open ai"]
    return [as_text(each) for each in entries]


def metered(folder: Path) -> Path:
    return write(folder / "old", METERED + LAST)


def test_what_is_accrued_is_handed_on_by_closed_months(tmp_path: Path) -> None:
    """And which days are billed: 18.00 of three days, of which a bill of January says 17.00."""
    ledger = metered(tmp_path)
    before = of_provider(ledger)
    assert len(before) == 5
    for month in ("2026-11", "2026-12"):
        close(ledger, month)
        assert of_provider(ledger) == before
        assert load_errors(ledger) == []
        assert verify(load(ledger)) == []
    state = (ledger.parent / "closed" / "2026-12.state.csv").read_text()
    assert "accrued,open ai,chat,2026-11-20,10.00,USD\n" in state
    assert "accrued,open ai,pictures,2026-11-20,6.00,USD\n" in state
    assert "accrued,open ai,chat,2026-12-10,2.00,USD\n" in state
    assert "accrued,open ai,chat,2026-11-10" not in state
    assert "billed,open ai,USD,2026-11-01,2026-11-15\n" in state


def test_what_comes_late_for_billed_days_is_variance(tmp_path: Path) -> None:
    """A use of 12 November and the reversal of one of the 10th; a late bill clears the 20th."""
    ledger = metered(tmp_path)
    close(ledger, "2026-11", "2026-12")
    add(
        ledger,
        '2026-11-12 custom "compute-consumption" "alice" 10 CU\n  id: "u-5"\n'
        '2026-12-28 custom "compute-bill" "open ai" 15.00 USD\n  id: "b-3"\n'
        "  from: 2026-11-20\n  to: 2026-11-20\n"
        '2027-01-03 custom "compute-reversal" "u-1"\n',
    )
    assert load_errors(ledger) == []
    assert [each for each in of_provider(ledger) if each.startswith("2027")] == [
        f"2027-01-01 {each}"
        for each in (
            f"b-3 #bill #late: {OPEN_AI} -15.00 USD; {OPEN_AI} 16.00 USD; Variance -1.00 USD",
            f"cost/open ai/2026-11-12/2027-01-01 #cost: {OPEN_AI} 4.00 USD; Variance -4.00 USD",
        )
    ] + [
        f"2027-01-02 b-2 #bill: {OPEN_AI} -17.00 USD; {OPEN_AI} 2.00 USD; Variance 15.00 USD",
        f"2027-01-03 cost/u-1/2027-01-03 #cost: {OPEN_AI} -20.00 USD; Variance 20.00 USD",
    ]


def test_accruals_are_carried_by_provider_meter_and_day(tmp_path: Path) -> None:
    """As opening transactions; the bill of January finds them in the new ledger."""
    ledger = metered(tmp_path)
    close(ledger, "2026-11", "2026-12")
    assert run("carry", ledger, "--to", "2027", tmp_path / "new").exit_code == 0
    new = tmp_path / "new" / "main.beancount"
    text = " ".join(new.read_text().split())
    assert (
        '2026-12-31 * "open ai" "Opening accruals" #compute-opening served: 2026-11-20 '
        'accrued: "chat 10.00 USD, pictures 6.00 USD" '
        "Liabilities:Accrued:Open-ai-f3ed9e -10.00 USD Liabilities:Accrued:Open-ai-f3ed9e "
        "-6.00 USD Equity:Opening-Balances 16.00 USD"
    ) in text
    assert "Liabilities:Accrued:Open-ai-f3ed9e -0.50 USD" in text
    assert "2027-01-01 balance Liabilities:Accrued:Open-ai-f3ed9e -18.50 USD" in text
    add(new, LAST)
    assert load_errors(new) == []
    assert of_provider(new) == of_provider(ledger)[-1:]


def test_what_bills_leave_accrued_is_tied_out(tmp_path: Path) -> None:
    """48.00 of costs without a bill, of which 18.00 are left; 21.50 owed. A bill that took 1.00 too
    little is named with its line.
    """
    ledger = metered(tmp_path)
    close(ledger, "2026-11")
    loaded = load(ledger)
    found = {f"{tie.name} {tie.about}": tie for tie in prepare("2026-12", loaded).ties}
    tie = found["accrued = not yet billed USD"]
    assert (tie.left, tie.right, tie.holds) == (Decimal("18.00"), Decimal("18.00"), True)
    tie = found["owed to providers USD"]
    assert (tie.left, tie.right, tie.holds) == (Decimal("21.50"), Decimal("21.50"), True)
    (bill,) = [each for each in booked(loaded.entries) if each.meta["event"] == "b-1"]
    spoilt = bill.postings[1]
    bill.postings[1] = spoilt._replace(units=Amount(Decimal("19.00"), "USD"))
    bill.postings[2] = bill.postings[2]._replace(units=Amount(Decimal("2.50"), "USD"))
    bill.meta["cleared"] = "chat 19.00 USD"
    books = read_books(loaded.entries, loaded.options)
    (tie,) = [each for each in tie_outs(books, "2026-12", []) if each.name.startswith("accrued =")]
    assert (tie.left, tie.right, tie.holds) == (Decimal("18.00"), Decimal("19.00"), False)
    (line,) = tie.lines
    assert "main.beancount:" in line


def test_a_month_with_bills_is_exported(tmp_path: Path) -> None:
    """By account, by plan and by subscriber: what providers are owed is nobody's of either."""
    ledger = metered(tmp_path)
    close(ledger, "2026-11", "2026-12")
    for by in ("account", "plan", "subscriber"):
        result = run("export", "2026-12", ledger, "--format", "csv", "--by", by)
        assert result.exit_code == 0, result.stderr
        for account, debit, credit in (
            ("Expenses:Compute:Variance", "1.50", ""),
            (f"Liabilities:Accrued:{OPEN_AI}", "18.00", ""),  # 20.00 cleared, 2.00 accrued
            (f"Liabilities:Providers:{OPEN_AI}", "", "21.50"),
        ):
            assert f",{account},,,,,{account},{debit},{credit}\n" in result.stdout
