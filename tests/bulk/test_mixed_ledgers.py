"""A ledger that booked its first month itself, and later ones in bulk: reports go over both."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from beancount_compute.bulk_books import journal_errors, read_all_books
from beancount_compute.close.loading import load
from beancount_compute.close.sealing import close_month
from beancount_compute.reports import Books, NotInBulk, Selection, read_books, render
from beancount_compute.reports.bulk_reach import shown
from beancount_compute.reports.registry import REPORTS, disclosure
from beancount_compute.reports.summary import summary_of
from tests.bulk.small_months import (
    LEDGER,
    begin,
    book,
    events,
    subscription,
    top_up,
    trade,
    use,
)
from tests.close.sealing import INCLUDE
from tests.close.sealing import begin as begin_to_close

TERMS = LEDGER.replace('include "bulk/*/journal.beancount"\n', "") + (
    '2026-01-01 custom "compute-option" "seller-fee" 0.05\n'
    '2026-01-01 custom "compute-option" "as-of" 2026-05-31\n'
    "2026-01-01 open Equity:Opening-Balances\n"
    '2026-03-01 * "Opening" #compute-opening\n'
    '  Liabilities:DeferredRevenue:Tokens:Carol  -100 CU {0.10 USD, 2026-02-01, "top-up"}\n'
    "  Equity:Opening-Balances  10.00 USD\n"
)
MARCH = [
    subscription("01", "alice"),
    top_up("02", "bob", 500, "100.00"),
    use("10", "alice", 300),
    trade("12", "bob", "alice", 100, "0.30"),
    trade("12", "bob", "alice", 50, "0.25"),
]
APRIL = [
    use("05", "alice", 900),
    use("06", "Carol", 40),
    trade("08", "bob", "Carol", 20, "0.40"),
]
MAY = [use("03", "alice", 10), use("04", "bob", 30)]


@pytest.fixture
def both(tmp_path: Path) -> tuple[Books, Books]:
    """All three months by the plugin; and March by the plugin, the others in bulk."""
    files = {name: tmp_path / f"{name}.parquet" for name in ("2026-03", "2026-04", "2026-05")}
    own = 'custom "compute-events" "2026-03.parquet"\n'
    ledger = begin(tmp_path, TERMS + INCLUDE + f"2026-01-01 {own}")
    for name, rows in zip(files, (MARCH, APRIL, MAY), strict=True):
        assert events(tmp_path, name, *rows, name=name) == files[name]
    begin_to_close(ledger)
    close_month("2026-03", ledger)
    text = ledger.read_text()
    for name in ("2026-04", "2026-05"):
        book(tmp_path, name, files[name])
        ledger.write_text(text + 'include "bulk/*/journal.beancount"\n')
    whole = begin(tmp_path / "apart", TERMS)
    whole.write_text(TERMS + '2026-01-01 custom "compute-events" "../2026-*.parquet"\n')
    plugin, mixed = load(whole), load(ledger)
    assert not plugin.errors and not mixed.errors
    books = read_all_books(mixed.entries, mixed.options)
    assert not journal_errors(books, mixed.options)
    alone = read_books(plugin.entries, plugin.options)
    checks = [summary_of(b, e.entries).tables() for b, e in ((alone, plugin), (books, mixed))]
    assert render(checks[0], 90) == render(checks[1], 90)
    return alone, books


def test_reports_go_over_months_of_the_ledger_and_months_in_bulk(
    both: tuple[Books, Books],
) -> None:
    """The lots of March and of the opening go on in April: used, sold, and minted on the way."""
    _, mixed = both
    march, april, may = (date(2026, month, day) for month, day in ((3, 31), (4, 30), (5, 31)))
    selections = [Selection(), Selection(end=march), Selection(date(2026, 4, 1), april)]
    selections += [Selection(date(2026, 3, 5), may), Selection(plan="pro")]
    reports = [*[report for report in REPORTS.values() if report.of_sums], disclosure(2)]
    for report in reports:
        for selection in selections:
            own = mixed if selection.end != march else mixed.singly
            names = [each.name for each in shown(report.layouts(own, selection), own)]
            tables = [report.tables(books, selection, *names) for books in both]
            assert render(tables[0], 120) == render(tables[1], 120), (report.name, selection)


def test_single_transactions_are_there_up_to_the_first_month_in_bulk(
    both: tuple[Books, Books],
) -> None:
    plugin, mixed = both
    aging, until = REPORTS["aging"], Selection(end=date(2026, 3, 31))
    assert aging.tables(mixed, until) == aging.tables(plugin, until)
    with pytest.raises(NotInBulk, match=r"2026-04 to 2026-05 .* ask for days up to 2026-03-31"):
        aging.tables(mixed, Selection())
    alice = Selection(end=date(2026, 3, 31), subscriber="alice")
    revenue = REPORTS["revenue"]
    assert revenue.tables(mixed, alice) == revenue.tables(plugin, alice)
