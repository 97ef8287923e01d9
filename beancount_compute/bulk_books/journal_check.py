"""Whether the journals of months in bulk say what their days do: nobody edits them unseen.

bulk/2026-05/journal.beancount:12: Income:Compute of 2026-05-20, Consumption, is -41.00 USD here
and -40.00 USD in days.parquet
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, localcontext
from functools import cache
from pathlib import Path
from typing import Any

from beancount.core.data import Transaction

from beancount_compute.bulk_books.month_rows import narration_of, rows_of
from beancount_compute.bulk_books.summed_months import DAYS_COLUMNS
from beancount_compute.economy import WIDE, ZERO, Month, Role
from beancount_compute.ledger import BULK_JOURNAL, BULK_TAG, Accounts, ComputeError
from beancount_compute.reports import Books, money

_LineKey = tuple[date, str, str, str]  # of a journal: day, narration, account, currency
_LineSums = dict[_LineKey, Decimal]


def differences(books: Books, folders: Mapping[str, str]) -> list[ComputeError]:
    """One error for each journal that was edited, or tag that stands elsewhere."""
    found: list[ComputeError] = []
    by_month: defaultdict[str, list[Transaction]] = defaultdict(list)
    for entry in books.transactions:
        if BULK_TAG in entry.tags:
            by_month[Month.of(entry.date).name].append(entry)
    for month, folder in folders.items():
        written = by_month.pop(month, [])
        with localcontext(WIDE):
            said = _said(written)
            days = _of_days(Path(folder), books.accounts)
        error = _first(said, days, written, Path(folder) / BULK_JOURNAL)
        found += [error] if error else []
    for entries in by_month.values():
        message = (
            f"tagged #{BULK_TAG}, and of no month that bean-compute bulk has booked: "
            "reports don't read it; remove the tag"
        )
        found.append(ComputeError(entries[0].meta, message))
    return found


def _said(written: list[Transaction]) -> _LineSums:
    sums: defaultdict[_LineKey, Decimal] = defaultdict(Decimal)
    for entry in written:
        for posting in entry.postings:
            units: Any = posting.units
            sums[entry.date, entry.narration or "", posting.account, units.currency] += units.number
    return {line: number for line, number in sums.items() if number}


def _of_days(folder: Path, accounts: Accounts) -> _LineSums:
    sums: defaultdict[_LineKey, Decimal] = defaultdict(Decimal)
    pooled = cache(accounts.pooled)
    for day, kind, undoes, role, holder, currency, _, origin, *_, number in rows_of(
        folder / "days.parquet", DAYS_COLUMNS
    ):
        account = pooled(_ROLES[role], holder, origin)
        sums[day, narration_of(kind, undoes), account, currency] += number
    return {line: number for line, number in sums.items() if number}


_ROLES = {role.value: role for role in Role}


def _first(
    said: _LineSums, days: _LineSums, written: list[Transaction], journal: Path
) -> ComputeError | None:
    """The first line that differs; None where none does."""
    wrong = sorted(
        line for line in said.keys() | days.keys() if said.get(line, ZERO) != days.get(line, ZERO)
    )
    if not wrong:
        return None
    day, narration, account, currency = wrong[0]
    place: dict[str, Any] = {"filename": str(journal), "lineno": 1}
    here = (each.meta for each in written if (each.date, each.narration) == (day, narration))
    here_and_there = [
        f"{money(lines.get(wrong[0], ZERO), currency):f} {currency}" for lines in (said, days)
    ]
    more = f" (and {len(wrong) - 1:,} more)" if len(wrong) > 1 else ""
    message = (
        f"{account} of {day}, {narration}, is {here_and_there[0]} here and "
        f"{here_and_there[1]} in days.parquet{more}: the journal was edited: restore "
        "it, or book the month anew with bean-compute bulk"
    )
    return ComputeError(next(here, place), message)
