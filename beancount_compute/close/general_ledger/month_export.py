"""A month of a loaded ledger as files for a general ledger.

    request = ExportRequest(QUICKBOOKS, By.ACCOUNT, Only.BOOKED, NoMap(), "Expenses:Rounding")
    export(books, Month.parse("2026-05"), request)
        2026-05-quickbooks-USD.csv

What the plugin booked counts, as a general ledger has its own of the rest; or all transactions.
One journal a currency, as most suites book a journal in one; files hold one currency each, except
plain CSV, which holds all.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any, NamedTuple

from beancount_compute.close.general_ledger.account_map import AccountMap, Unmapped
from beancount_compute.close.general_ledger.attribution import pieces_by
from beancount_compute.close.general_ledger.formats import PLAIN, By, Format, Setting, file_text
from beancount_compute.close.general_ledger.journals import Journal, files_of, journals_of, parts_of
from beancount_compute.close.general_ledger.netsuite import NETSUITE
from beancount_compute.close.general_ledger.quickbooks import QUICKBOOKS
from beancount_compute.close.general_ledger.slots import Only, Slot, SlotTotals, totals
from beancount_compute.close.general_ledger.xero import XERO
from beancount_compute.economy import Month
from beancount_compute.reports import Books

FORMATS = {form.name: form for form in (PLAIN, QUICKBOOKS, XERO, NETSUITE)}


class File(NamedTuple):
    """A file to write."""

    name: str
    text: str


class ExportRequest(NamedTuple):
    """What is asked for, besides the month."""

    form: Format
    by: By
    only: Only
    names: AccountMap
    rounding: str  # the account of what rounding leaves
    subsidiary: str = ""  # of NetSuite OneWorld


def export(books: Books, month: Month, request: ExportRequest) -> list[File]:
    """The files of a month, from the books of a ledger without errors; none where nothing moved.

    Raises `Unmapped` with all accounts that the map leaves out, and `LimitExceeded`.
    """
    return files_with(month_journals(books, month, request), month, request)


def month_journals(books: Books, month: Month, request: ExportRequest) -> list[Journal]:
    """The journals of a month, as long as they are."""
    figures = month_figures(books, month, request.by, request.only)
    return journals_of(figures, month.name, month.last, request.names, request.rounding)


def files_with(
    journals: list[Journal], month: Month, request: ExportRequest, number: int = 0
) -> list[File]:
    """The files that hold journals of a month, or its correction of some number."""
    form = request.form
    setting = Setting(
        request.by, request.subsidiary, _currency_names(form, journals, request.names)
    )
    for journal in journals:
        form.check(journal, setting)
    parts = [part for journal in journals for part in parts_of(journal, form.most_in_journal)]
    what = f"-correction-{number}" if number else ""
    if form is PLAIN:
        text = file_text(form, parts, setting)
        return [File(f"{month.name}-journal{what}.csv", text)] if parts else []
    return list(_files(form, parts, setting, month.name, what))


def rounding_account(options_map: dict[str, Any]) -> str:
    """The account of what rounding leaves, under the ledger's own name for expenses."""
    return f"{options_map['name_expenses']}:Rounding"


def month_figures(
    books: Books, month: Month, by: By, only: Only = Only.ALL
) -> dict[Slot, SlotTotals]:
    """What every account holds before and at the end of a month, in money."""
    units = books.terms.units | {each.commodity for each in books.movements}
    pieces = pieces_by(by, books)
    return totals(books.transactions, month.first, month.last, pieces, units, only)


def _files(
    form: Format, parts: list[Journal], setting: Setting, month: str, what: str
) -> Iterable[File]:
    files = files_of(parts, form.most_in_file)
    for currency, of_currency in groupby(files, key=lambda journals: journals[0].currency):
        together = list(of_currency)
        for number, journals in enumerate(together, 1):
            suffix = f"-{number}" if len(together) > 1 else ""
            name = f"{month}-{form.name}-{currency}{what}{suffix}.csv"
            yield File(name, file_text(form, journals, setting))


def _currency_names(form: Format, journals: list[Journal], names: AccountMap) -> dict[str, str]:
    """What the suite calls the currencies: as the map says, else as the suite itself does."""
    if form.currency_names is None:
        return {}
    found: dict[str, str] = {}
    missing: set[str] = set()
    for journal in journals:
        target = names.find(journal.currency)
        name = target.code if target else form.currency_names.get(journal.currency)
        if name is None:
            missing.add(journal.currency)
        else:
            found[journal.currency] = name
    if missing:
        raise Unmapped(missing)
    return found
