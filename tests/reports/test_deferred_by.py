"""Deferred revenue, month by month and by other intervals."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from beancount import loader

from beancount_compute.reports.books import Books, Selection, read_books
from beancount_compute.reports.intervals import Interval
from beancount_compute.reports.rollforward import ROLLFORWARD, deferred_by

# By hand: 2.00 are brought in, 10.00 paid in February, 0.25 used; nothing happens in March; in
# April 0.50 are spent and 0.25 written off. EUR: 3.00 paid in April.
LEDGER = """\
plugin "beancount_compute"
option "operating_currency" "USD"
2026-01-01 open Equity:Opening
2026-01-01 custom "compute-option" "as-of" 2026-05-10
2026-02-01 * "Opening" #compute-opening
  Liabilities:DeferredRevenue:Tokens:Alice  -10 CU {0.20 USD, 2025-12-01, "top-up"}
  Equity:Opening
2026-02-01 custom "compute-allocation" "bob" 40 CU 10.00 USD
2026-02-02 custom "compute-consumption" "bob" 1 CU
2026-04-02 custom "compute-spend" "bob" "shop" 2 CU 0.10 USD
2026-04-03 custom "compute-transfer" "bob" "alice" 5 CU
2026-04-04 custom "compute-allocation" "bob" 10 CU 3.00 EUR
2026-04-05 * "Write-off"
  Liabilities:DeferredRevenue:Tokens:Bob  1 CU {0.25 USD, 2026-02-01, "top-up"}
  Equity:Opening
"""


def read(text: str) -> Books:
    entries, errors, options = loader.load_string(text)
    assert errors == []
    return read_books(entries, options)


def rows(selection: Selection) -> list[str]:
    table = deferred_by(read(LEDGER), selection, Interval.MONTH)
    return [" ".join(map(str, row)) for row in table.rows]


def test_each_month_opens_where_the_one_before_closed() -> None:
    """The figures above LEDGER; March is there, and opening lots open their month. What was spent
    or written off is no release."""
    assert rows(Selection()) == [
        "2026-02 EUR 0.00 0.00 0.00 0.00 0.00",
        "2026-02 USD 2.00 10.00 -0.25 0.00 11.75",
        "2026-03 EUR 0.00 0.00 0.00 0.00 0.00",
        "2026-03 USD 11.75 0.00 0.00 0.00 11.75",
        "2026-04 EUR 0.00 3.00 0.00 0.00 3.00",
        "2026-04 USD 11.75 0.00 0.00 -0.75 11.00",
    ]


def test_a_selection_shows_its_months_alone() -> None:
    """May without a movement is there when asked for; February still counts in what is open."""
    assert rows(Selection(date(2026, 4, 1), date(2026, 5, 31))) == [
        "2026-04 EUR 0.00 3.00 0.00 0.00 3.00",
        "2026-04 USD 11.75 0.00 0.00 -0.75 11.00",
        "2026-05 EUR 3.00 0.00 0.00 0.00 3.00",
        "2026-05 USD 11.00 0.00 0.00 0.00 11.00",
    ]


def test_one_subscriber_is_what_the_roll_forward_says() -> None:
    """Alice is given 5 CU at 0.25: added here, transferred in there; of bob it went otherwise."""
    books = read(LEDGER)
    april = Selection(date(2026, 4, 1), date(2026, 4, 30), "alice")
    (row,) = deferred_by(books, april, Interval.MONTH).rows
    assert row == ("2026-04", "USD", *map(Decimal, ("2.00", "1.25", "0.00", "0.00", "3.25")))
    (table,) = ROLLFORWARD.tables(books, april, "money-by-subscriber")
    assert (table.rows[0][2], table.rows[0][-1]) == (row[2], row[6])
    *_, (_, _, opening, added, released, otherwise, _) = deferred_by(
        books, april._replace(subscriber="bob"), Interval.MONTH
    ).rows
    assert (opening, added, released, otherwise) == (Decimal("9.75"), 0, 0, -2)


def test_a_ledger_without_anything_has_no_months() -> None:
    """No first month, no rows."""
    books = read('plugin "beancount_compute"\n')
    for selection in (Selection(), Selection(end=date(2026, 5, 31))):
        assert deferred_by(books, selection, Interval.MONTH).rows == []
