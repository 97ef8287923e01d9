"""A month of a loaded ledger as files for a general ledger.

    export(books, Month.parse("2026-05"), QUICKBOOKS, By.ACCOUNT, NoMap(), "Expenses:Rounding")
        2026-05-quickbooks-USD.csv

All transactions of the month count, generated and written by hand. One journal a currency, as most
suites book a journal in one; files hold one currency each, except plain CSV, which holds all.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any, NamedTuple

from beancount_compute.close.general_ledger.account_map import AccountMap, Unmapped
from beancount_compute.close.general_ledger.attribution import pieces_by
from beancount_compute.close.general_ledger.formats import PLAIN, By, Format, Setting, file_text
from beancount_compute.close.general_ledger.journals import (
    Journal,
    files_of,
    journals_of,
    parts_of,
)
from beancount_compute.close.general_ledger.netsuite import NETSUITE
from beancount_compute.close.general_ledger.quickbooks import QUICKBOOKS
from beancount_compute.close.general_ledger.slots import Slot, SlotTotals, totals
from beancount_compute.close.general_ledger.xero import XERO
from beancount_compute.economy import Month
from beancount_compute.reports import Books

FORMATS = {form.name: form for form in (PLAIN, QUICKBOOKS, XERO, NETSUITE)}


class File(NamedTuple):
    """A file to write."""

    name: str
    text: str


def export(
    books: Books,
    month: Month,
    form: Format,
    by: By,
    names: AccountMap,
    rounding: str,
    subsidiary: str = "",
) -> list[File]:
    """The files of a month, from the books of a ledger without errors; none where nothing moved.

    `rounding` is the account of the residual. Raises `Unmapped` with all accounts that the map
    leaves out, and `LimitExceeded`.
    """
    figures = month_figures(books, month, by)
    journals = journals_of(figures, month.name, month.last, names, rounding)
    for journal in journals:
        form.check(journal)
    parts = [part for journal in journals for part in parts_of(journal, form.most_in_journal)]
    currency_names = _currency_names(form, journals, names)
    setting = Setting(by, subsidiary, currency_names)
    if form is PLAIN:
        text = file_text(form, parts, setting)
        return [File(f"{month.name}-journal.csv", text)] if parts else []
    return list(_files(form, parts, setting, month))


def rounding_account(options_map: dict[str, Any]) -> str:
    """The account of what rounding leaves, under the ledger's own name for expenses."""
    return f"{options_map['name_expenses']}:Rounding"


def month_figures(books: Books, month: Month, by: By) -> dict[Slot, SlotTotals]:
    """What every account holds before and at the end of a month, in money."""
    units = books.terms.units | {each.commodity for each in books.movements}
    pieces = pieces_by(by, books)
    return totals(books.transactions, month.first, month.last, pieces, units)


def _files(form: Format, parts: list[Journal], setting: Setting, month: Month) -> Iterable[File]:
    files = files_of(parts, form.most_in_file)
    for currency, of_currency in groupby(files, key=lambda journals: journals[0].currency):
        together = list(of_currency)
        for number, journals in enumerate(together, 1):
            suffix = f"-{number}" if len(together) > 1 else ""
            name = f"{month.name}-{form.name}-{currency}{suffix}.csv"
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
