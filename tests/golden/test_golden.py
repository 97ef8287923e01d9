"""Golden ledgers give the books that are written beside them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from beancount import loader
from beancount.core.data import Transaction

from beancount_compute.reports.books import Selection, read_books
from beancount_compute.reports.disclosure import disclosure
from tests.golden.update import CASES, PUBLISHED, books


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_golden_ledger_gives_its_expected_books(case: Path) -> None:
    """Every transaction, price and opened account, to the last digit; every assertion holds."""
    text, errors = books(case)
    assert [error.message for error in errors] == []
    assert text == (case / "expected.beancount").read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_expected_books_load_without_the_plugin(case: Path) -> None:
    """Beancount's own strict booking finds no error in them."""
    _, errors, options = loader.load_file(str(case / "expected.beancount"))
    assert [error.message for error in errors] == []
    assert options["plugin"] == []


@pytest.mark.parametrize(
    ("name", "account", "balance"),
    [
        ("story", "Income:Compute", "-520.00"),
        ("story", "Income:Fees", "-6.25"),
        ("story", "Assets:Receivable:Alice", "400.00"),
        ("story", "Assets:Receivable:Bob", "525.00"),  # 400.00 billed, 125.00 for the trade
        ("story", "Liabilities:Payable:Alice", "-118.75"),
        ("story-2027", "Income:Breakage", "-280.00"),
        ("lago-1", "Income:Compute", "-30.00"),
        ("naut-1", "Income:Fees", "-15.00"),  # a commission of 10.00, and 5.00
        ("naut-1", "Liabilities:Payable:Seller", "-85.00"),
        ("rblx-slide", "Income:Access", "-27.00"),  # 2.00, and 25 x 1.00
        ("str-17", "Income:Access", "-90.00"),
        ("str-19", "Income:Access", "-90.00"),
        ("ifrs15-32", "Income:Compute", "-1800000.00"),
        ("kieso-p18-7", "Income:Access", "-240000.00"),
        ("flh-1", "Income:Compute", "-79.00"),
        ("ifrsb-vol", "Income:Overage", "-129600.00"),  # 36,000.00 and 93,600.00
        ("zuo-roll", "Income:Compute", "-110.00"),  # 800 and 300 at 0.10
        ("gc-exp", "Income:Compute", "-400.00"),
        ("gc-exp", "Income:Breakage", "-100.00"),
        ("provider-bills", "Expenses:Compute:Variance:Openai", "17.70"),
        ("provider-bills", "Liabilities:Providers:Openai", "-1.20"),  # 37.70 owed, 36.50 paid
        ("two-bills-year", "Income:Compute", "-156.00"),
        ("two-bills-year", "Expenses:Compute", "221.00"),  # 80 + 20, variance 1, lapsed 120
        ("two-bills-year", "Income:Breakage", "-1284.00"),  # 24 + 60, and 10 x 120.00
        ("second-bill", "Expenses:Depreciation:Gpu", "2100.00"),  # 3 x 100.00 and 4 x 450.00
    ],
)
def test_published_figures(name: str, account: str, balance: str) -> None:
    """The figures of the case, added up from the expected books by Beancount's reader alone."""
    (case,) = [each for each in CASES if each.name == name]
    entries, _, _ = loader.load_file(str(case / "expected.beancount"))
    numbers = [
        posting.units.number
        for entry in entries
        if isinstance(entry, Transaction)
        for posting in entry.postings
        if f"{posting.account}:".startswith(f"{account}:") and posting.units is not None
    ]
    assert sum(numbers, Decimal()) == Decimal(balance)


@pytest.mark.parametrize(
    ("year", "opening", "own"), [(2018, "1461.00", "250.00"), (2019, "1948.00", "411.00")]
)
def test_what_was_in_the_opening_balance(year: int, opening: str, own: str) -> None:
    """DISC-CZ: what was recognised of it, and of what came within the year (50-8(b))."""
    (case,) = [each for each in CASES if each.name == "disc-cz"]
    entries, _, options = loader.load_file(str(case / "ledger.beancount"))
    selection = Selection(start=date(year, 1, 1), end=date(year, 12, 31))
    (table,) = disclosure().tables(read_books(entries, options), selection, "revenue")
    shown = {row[0]: str(row[-1]) for row in table.rows}
    assert (shown["in the opening balance"], shown["added in the period"]) == (opening, own)


# The published cases that are no golden ledger yet, and what will bring them.
LATER = {
    "str-20": "tax",
    "naut-2": "tax",
    "str-cred": "tax",
    "str-22": "currencies",
    "str-23": "currencies",
    "ledg-fx": "currencies",
    "kpmg-10a": "breakage in proportion",
    "spic-sc1": "breakage in proportion",
    "spic-sc2": "breakage in proportion",
    "gc-prop1": "breakage in proportion",
    "cbee-ssp": "nothing: three services, none of them compute",
}


def test_no_published_case_is_told_twice() -> None:
    """Of the 35 each is a golden ledger, or waits for what will bring it."""
    golden = {case.name for case in PUBLISHED}
    assert not golden & LATER.keys()
    assert len(golden | LATER.keys()) == 35
