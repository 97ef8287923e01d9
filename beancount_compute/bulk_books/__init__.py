"""Books of a ledger whose later months were booked in bulk: one reading of both.

    entries of the ledger, bulk/*/days.parquet, trades.parquet ...   ->   `reports.Books`

    summed_months.py    rows of days and trades become facts, beside those of the ledger itself
    cost_facts.py       rows of uses and of the operator's journal: meters, providers, capacity
    month_rows.py       the rows of a file; the places of the journal's transactions
    journal_check.py    whether the journals say what the days do
    open_lots.py        the lots at a month's end, at their cost

Only this file is imported where no month was booked in bulk. Needs the extra `[bulk]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from beancount.core.data import Directive

from beancount_compute.ledger import ComputeError, bulk_folders
from beancount_compute.reports import Books, NotInBulk, read_books


class CantReadMonths(NotInBulk):
    """Why months in bulk can't be read, and what to do."""


def read_all_books(entries: Sequence[Directive], options_map: dict[str, Any]) -> Books:
    """Read a loaded ledger with its months in bulk; raises `CantReadMonths`."""
    return with_months_in_bulk(read_books(entries, options_map), options_map)


def with_months_in_bulk(books: Books, options_map: dict[str, Any], last: str = "") -> Books:
    """Books with the months in bulk that a ledger includes, up to a last one if it is given.

    Raises `CantReadMonths`.
    """
    included = bulk_folders(options_map.get("include", ()))
    folders = {month: folder for month, folder in included.items() if month <= (last or month)}
    if not folders:
        return books
    try:
        from beancount_compute.bulk_books.summed_months import with_months
    except ImportError as error:
        raise CantReadMonths(
            f"{error.name} is not installed, and {', '.join(folders)} was booked in bulk: "
            'pip install "beancount_compute[bulk]"'
        ) from None
    return with_months(books, folders)


def journal_errors(books: Books, options_map: dict[str, Any]) -> list[ComputeError]:
    """What the journals of months in bulk say otherwise than their days; one error a month."""
    if books.bulk is None:
        return []
    from beancount_compute.bulk_books.journal_check import differences

    return differences(books, bulk_folders(options_map["include"]))
