"""A ledger that closed May itself, with months in bulk behind it: they are the plugin's books.

months = after_closed(folder, LEDGER, [use("10", "alice", 200, id="u-1")], [reversal("05", "u-1")])
"""

from __future__ import annotations

from pathlib import Path

from beancount_compute.bulk.bulk_terms import JOURNAL
from beancount_compute.bulk.month_run import BulkOutcome
from beancount_compute.economy import Month
from tests.bulk.months_of_a_ledger import (
    days_of,
    lots_of_books,
    lots_of_bulk,
    money_by_day,
    movements_of_books,
    movements_of_bulk,
    refused_rows,
)
from tests.bulk.small_months import Row, begin, book, events
from tests.close.sealing import INCLUDE, close, run
from tests.close.sealing import begin as begin_to_close
from tests.laws.captured import capture

MAY = Month(2026, 5)
EVENTS = '2026-01-01 custom "compute-events" "{}"\n'
JOURNALS = 'include "bulk/*/journal.beancount"\n'


def after_closed(folder: Path, text: str, may: list[Row], *later: list[Row]) -> list[BulkOutcome]:
    """The months from June on in bulk; May is closed, and each of them once it is booked.

    They are compared with the books of all at once, and `verify` books them again.
    """
    text = text.replace(JOURNALS, "")
    folder.mkdir(exist_ok=True)
    months = [month.name for month in MAY.to(Month(2026, 5 + len(later)))]
    for name, rows in zip(months, [may, *later], strict=True):
        events(folder, name, *rows, name=name)
    ledger = begin(folder, text + INCLUDE + EVENTS.format("2026-05.parquet"))
    begin_to_close(ledger)
    close(ledger, "2026-05")
    found = []
    for name in months[1:]:
        found.append(book(folder, name, folder / f"{name}.parquet"))
        if name == months[1]:
            ledger.write_text(ledger.read_text() + JOURNALS)
        close(ledger, name)
    assert_same(found, folder, text, months)
    verified = run("verify", ledger)
    assert verified.exit_code == 0, verified.output
    return found


def assert_same(found: list[BulkOutcome], folder: Path, text: str, months: list[str]) -> None:
    """Lots, movements, the journal's money and what is refused are those of all at once."""
    last = Month.parse(months[-1]).last
    whole = begin(folder / "whole", text)
    as_of = f'2026-01-01 custom "compute-option" "as-of" {last}\n'
    whole.write_text(text + as_of + EVENTS.format("../2026-*.parquet"))
    captured = capture(whole)
    books, accounts = captured.books, captured.component.__self__
    moved = movements_of_books(books)
    assert movements_of_bulk(found) == {key: n for key, n in moved.items() if key[1] > "2026-05"}
    assert lots_of_bulk(found[-1]) == lots_of_books(books, captured.facts)
    journals = [(each.folder / JOURNAL).read_text(encoding="utf-8") for each in found]
    money = money_by_day(books, accounts)
    assert days_of(journals) == {key: n for key, n in money.items() if key[0] > "2026-06"}
    refused = sorted(row["message"] for row in refused_rows(found))
    assert refused == sorted(each.message for each in books.refusals)
