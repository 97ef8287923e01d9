"""Opening and closing balances of what is owed, beside the contract liability: by hand."""

from __future__ import annotations

from datetime import date

import pytest

from beancount_compute.reports.books import Selection
from beancount_compute.reports.disclosure import disclosure
from tests.reports.showing import books_of, figures, unexplained

# Bob owes 50.00 when the books begin. Alice's use is invoiced behind each of her periods: 15.00 of
# January and 17.00 of February on 15 February; on the 20th she pays 20.00. Carol's top-up can be
# had back, dave's units can't; he uses a quarter of them.
LEDGER = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 open Assets:Bank
2026-01-01 open Assets:Receivable:Bob
2026-01-01 open Equity:Opening
2026-01-01 custom "compute-option" "top-ups-refundable" TRUE
2026-01-01 custom "compute-plan" "payg" 0.00 USD 0 CU
  overage: 0.02 USD
  bill: "period"
2026-01-01 custom "compute-plan" "pro" 100.00 USD 1000 CU
2026-01-01 * "bob" "Opening balance"
  Assets:Receivable:Bob  50.00 USD
  Equity:Opening
2026-01-15 custom "compute-subscription" "alice" "payg"
2026-01-25 custom "compute-consumption" "alice" 750 CU
2026-02-04 custom "compute-consumption" "alice" 850 CU
2026-02-10 custom "compute-allocation" "carol" 200 CU 40.00 USD
2026-02-12 custom "compute-allocation" "dave" "pro"
2026-02-14 custom "compute-consumption" "dave" 250 CU
2026-02-20 * "alice" "Paid"
  Assets:Bank  20.00 USD
  Assets:Receivable:Alice
2026-02-28 custom "compute-grant" "bob" 1 CU
"""
JANUARY = Selection(date(2026, 1, 1), date(2026, 1, 31))
FEBRUARY = Selection(date(2026, 2, 1), date(2026, 2, 28))
OWED, WAITING = ("receivables", "USD"), ("unbilled receivables", "USD")
LIABLE, BACK = ("contract liability", "USD"), ("refund liability", "USD")


def test_what_is_unbilled_stands_beside_receivables_and_the_contract_liability() -> None:
    """32.00 are invoiced, 40.00 and 100.00 billed, 20.00 paid; 15.00 waited, 17.00 came."""
    books = books_of(LEDGER)
    assert figures(disclosure(), books, FEBRUARY, "balances") == {
        LIABLE: {"change": "75.00", "closing": "75.00"},
        OWED: {"opening": "50.00", "change": "152.00", "closing": "202.00"},
        BACK: {"change": "40.00", "closing": "40.00"},
        WAITING: {"opening": "15.00", "change": "-15.00"},
    }


@pytest.mark.parametrize("selection", [JANUARY, Selection(end=date(2026, 1, 31))])
def test_what_the_books_opened_with_is_no_change(selection: Selection) -> None:
    """Bob's 50.00 stand against equity, before the first booking."""
    assert figures(disclosure(), books_of(LEDGER), selection, "balances") == {
        OWED: {"opening": "50.00", "closing": "50.00"},
        WAITING: {"change": "15.00", "closing": "15.00"},
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  Equity:Opening\n2026-01-15", "  Assets:Bank\n2026-01-15"),  # no opening balance
        ('2026-01-01 * "bob"', '2026-01-26 * "bob"'),  # the books had begun
    ],
)
def test_what_people_write_otherwise_is_a_change(before: str, after: str) -> None:
    """Money that was lent, and a correction behind the first booking."""
    found = figures(disclosure(), books_of(LEDGER.replace(before, after)), JANUARY, "balances")
    assert found[OWED] == {"change": "50.00", "closing": "50.00"}


def test_of_one_subscriber_and_of_a_plan() -> None:
    """Alice owes 12.00 of 32.00. A payment is for no plan, so of a plan there is no balance."""
    books, report = books_of(LEDGER), disclosure()
    found = figures(report, books, FEBRUARY._replace(subscriber="alice"), "balances")
    assert found == {
        OWED: {"change": "12.00", "closing": "12.00"},
        WAITING: {"opening": "15.00", "change": "-15.00"},
    }
    of_plan = FEBRUARY._replace(plan="payg")
    assert not [each for each in report.tables(books, of_plan) if each.name == "balances"]


def test_where_nothing_is_ever_unbilled_there_is_no_such_table() -> None:
    """As it was before there was such a term."""
    books = books_of(LEDGER.replace('  bill: "period"\n', ""))
    assert not [e for e in disclosure().tables(books, FEBRUARY) if e.name == "balances"]


def test_transactions_add_up_to_each_balance() -> None:
    """Also to those of what is owed."""
    assert not unexplained(disclosure(), books_of(LEDGER))
