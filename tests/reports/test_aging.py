"""Aging: what is owed by the days since it was billed, worked out by hand."""

from __future__ import annotations

import sys
from collections import defaultdict
from datetime import date
from decimal import Decimal, localcontext
from pathlib import Path

import pytest
from beancount import loader

from beancount_compute.economy.rounding import WIDE
from beancount_compute.reports.aging import AGING, NOT_NAMED
from beancount_compute.reports.books import Books, Selection, read_books
from beancount_compute.reports.figures import CellAsked
from tests.reports.showing import Shown, books_of, figures, labels_of, whole

sys.path.insert(0, str(Path(__file__).parents[1] / "laws"))
from tests.laws.random_ledgers import write_ledger

JUNE = Selection(end=date(2026, 6, 30))
HEAD = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 open Assets:Bank
2026-01-01 open Assets:Receivable:Alice
2026-01-01 open Liabilities:Payable:Alice
2026-01-01 open Liabilities:Partners:Shop
"""
# Billed to alice, with the days to 30 June: 1.00 on that day (0), 2.00 a day before (1), 3.00 on
# 31 May (30), 4.00 on 30 May (31), 5.00 on 1 May (60), 6.00 on 30 April (61), 7.00 on 1 April (90),
# 8.00 on 31 March (91); and 9.00 in July.
BILLS = """\
2026-06-30 custom "compute-allocation" "alice" 1 CU 1.00 USD
2026-06-29 custom "compute-allocation" "alice" 1 CU 2.00 USD
2026-05-31 custom "compute-allocation" "alice" 1 CU 3.00 USD
2026-05-30 custom "compute-allocation" "alice" 1 CU 4.00 USD
2026-05-01 custom "compute-allocation" "alice" 1 CU 5.00 USD
  id: "five"
2026-04-30 custom "compute-allocation" "alice" 1 CU 6.00 USD
2026-04-01 custom "compute-allocation" "alice" 1 CU 7.00 USD
2026-03-31 custom "compute-allocation" "alice" 1 CU 8.00 USD
2026-07-01 custom "compute-allocation" "alice" 1 CU 9.00 USD
"""
ALL = {
    "current": "1.00",
    "days_1_30": "5.00",
    "days_31_60": "9.00",
    "days_61_90": "13.00",
    "over_90": "8.00",
    "total": "36.00",
}


def paid(day: str, amount: str, payee: str = "alice", account: str = "Receivable:Alice") -> str:
    return f'{day} * "{payee}" "Paid"\n  Assets:Bank  {amount} USD\n  Assets:{account}\n'


def receivables(ledger: str, selection: Selection = JUNE) -> Shown:
    return figures(AGING, books_of(HEAD + ledger), selection, "receivables")


def test_bills_by_age() -> None:
    """0, 1-30, 31-60, 61-90 and more days; July's bill is not yet there."""
    assert receivables(BILLS) == {("alice", "USD"): ALL}


def test_payments_settle_the_oldest_bills() -> None:
    """10.00 settle the 8.00 of March and 2.00 of the 7.00 of 1 April, though paid before later
    bills were written; July's payment doesn't count yet."""
    found = receivables(BILLS + paid("2026-04-02", "10.00") + paid("2026-07-02", "5.00"))
    left = {**ALL, "days_61_90": "11.00", "total": "26.00"}
    del left["over_90"]
    assert found == {("alice", "USD"): left}


def test_what_is_left_of_payments_is_a_credit() -> None:
    """40.00 paid against 36.00: a credit of 4.00, of the last payment."""
    ledger = BILLS + paid("2026-04-02", "35.00") + paid("2026-06-30", "5.00")
    assert receivables(ledger) == {("alice", "USD"): {"credit": "-4.00", "total": "-4.00"}}
    books = books_of(HEAD + ledger)
    ((at, amount),) = AGING.trace(books, JUNE, CellAsked("receivables", ("alice", "USD"), "credit"))
    assert (books.transactions[at].date, amount) == (date(2026, 6, 30), Decimal("-4.00"))


def test_what_undoes_a_bill_settles_that_very_bill() -> None:
    """The 5.00 of 1 May go, not 5.00 of March's 8.00."""
    undone = '2026-06-02 custom "compute-reversal" "five"\n'
    left = {**ALL, "days_31_60": "4.00", "total": "31.00"}
    assert receivables(BILLS + undone) == {("alice", "USD"): left}
    left = {**left, "over_90": "7.00", "total": "30.00"}
    assert receivables(BILLS + undone + paid("2026-06-03", "1.00")) == {("alice", "USD"): left}


def test_what_undoes_a_bill_that_is_paid_settles_the_others() -> None:
    """36.00 are billed and paid, then the 5.00 come back: a credit."""
    undone = '2026-06-02 custom "compute-reversal" "five"\n'
    found = receivables(BILLS + undone + paid("2026-06-01", "36.00"))
    assert found == {("alice", "USD"): {"credit": "-5.00", "total": "-5.00"}}


POOLED = """\
2026-01-01 open Assets:Receivable
2026-01-01 custom "compute-account" "receivable" "Assets:Receivable"
"""


def test_a_pooled_account_knows_its_subscribers_by_payee() -> None:
    """A payment whose payee is no subscriber stands on a line of its own."""
    ledger = POOLED + BILLS
    ledger += paid("2026-06-01", "30.00", "alice", "Receivable")
    ledger += paid("2026-06-01", "2.50", "Alice Inc.", "Receivable")
    assert receivables(ledger) == {
        ("alice", "USD"): {"current": "1.00", "days_1_30": "5.00", "total": "6.00"},
        (NOT_NAMED, "USD"): {"credit": "-2.50", "total": "-2.50"},
    }


def test_payables_and_partners() -> None:
    """Alice is owed 9.50 for a trade and 5.00 for a refund, and is paid 10.00: 4.50 of the refund
    are left. The partner is owed 0.70 and is paid 0.20, whoever the payee is."""
    ledger = """\
2026-01-01 custom "compute-option" "seller-fee" 0.05
2026-05-01 custom "compute-allocation" "alice" 100 CU 100.00 USD
2026-05-01 custom "compute-grant" "bob" 1 CU
2026-05-11 custom "compute-trade" "alice" "bob" 20 CU 0.50 USD
2026-06-13 custom "compute-spend" "alice" "shop" 10 CU 0.70 USD
2026-06-14 custom "compute-refund" "alice" 5 CU
2026-06-15 * "alice" "Payout"
  Assets:Bank             -10.00 USD
  Liabilities:Payable:Alice
2026-06-16 * "The Shop Ltd" "Part of the settlement"
  Assets:Bank              -0.20 USD
  Liabilities:Partners:Shop
"""
    books = books_of(HEAD + ledger)
    assert figures(AGING, books, JUNE, "payables") == {
        ("alice", "USD"): {"days_1_30": "4.50", "total": "4.50"}
    }
    assert figures(AGING, books, JUNE, "partners") == {
        ("shop", "USD"): {"days_1_30": "0.50", "total": "0.50"}
    }
    assert figures(AGING, books, JUNE, "totals") == {
        ("receivables", "USD"): {"days_31_60": "110.00", "total": "110.00"},
        ("payables", "USD"): {"days_1_30": "4.50", "total": "4.50"},
        ("partners", "USD"): {"days_1_30": "0.50", "total": "0.50"},
    }
    found = figures(AGING, books, JUNE._replace(subscriber="bob"), "receivables")
    assert found == {("bob", "USD"): {"days_31_60": "10.00", "total": "10.00"}}


def test_what_providers_are_owed_ages_as_all_else() -> None:
    """Bought on 1 May (60 days), billed on 2 June (28); 30.00 of the first are paid, a credit note
    takes 5.00 more, and a reversal the purchase of 20 June. A subscriber of that name is another.
    """
    books = books_of(f"""{HEAD}
2026-01-01 custom "compute-provider" "open ai"
2026-01-01 open Liabilities:Providers:Open-ai-f3ed9e
2026-05-01 custom "compute-purchase" "open ai" 100 OAI 90.00 USD
2026-06-02 custom "compute-bill" "open ai" 12.50 USD
2026-06-03 custom "compute-bill" "open ai" -5.00 USD
2026-06-15 * "Open AI Inc." "Paid"
  Liabilities:Providers:Open-ai-f3ed9e  30.00 USD
  Assets:Bank
2026-06-20 custom "compute-purchase" "open ai" 1 OAI 1.00 USD
  id: "p"
2026-06-21 custom "compute-reversal" "p"
2026-06-22 custom "compute-allocation" "open ai" 1 CU 1.00 USD
""")
    assert figures(AGING, books, JUNE, "providers") == {
        ("open ai", "USD"): {"days_1_30": "12.50", "days_31_60": "55.00", "total": "67.50"}
    }
    assert figures(AGING, books, JUNE, "receivables") == {
        ("open ai", "USD"): {"days_1_30": "1.00", "total": "1.00"}
    }


@pytest.mark.parametrize("seed", range(18))
def test_ages_add_up_to_what_is_owed(seed: int, tmp_path: Path) -> None:
    """Whatever was billed, paid and undone, on random ledgers; every cell is explained."""
    path = write_ledger(seed, tmp_path / "l")
    entries, _, options = loader.load_file(str(path))
    books: Books = read_books(entries, options)
    names = {
        "receivable": "receivables",
        "unbilled": "unbilled",
        "payable": "payables",
        "partner": "partners",
    }
    names["provider"] = "providers"
    expected: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    with localcontext(WIDE):
        for owed in books.owed:
            sign = 1 if owed.role in ("receivable", "unbilled") else -1
            party = "" if owed.role == "partner" else owed.party or NOT_NAMED
            expected[names[owed.role], party, owed.currency] += sign * owed.amount
        for table in AGING.tables(books, Selection()):
            for row in table.rows if table.name != "totals" else ():
                name, currency = row[: labels_of(table)]
                party = "" if table.name == "partners" else str(name)
                expected[table.name, party, str(currency)] -= whole(row[-1])
                for column, cell in zip(table.columns[2:], row[2:], strict=True):
                    asked = CellAsked(table.name, row[:2], column.key)
                    behind = AGING.trace(books, Selection(), asked)
                    assert sum((number for _, number in behind), Decimal()) == whole(cell)
    assert not any(expected.values())
