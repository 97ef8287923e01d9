"""QuickBooks Online: Settings, Import data, Journal entries.

    Journal No.,Journal Date,Account Name,Description,Debits,Credits,Name
    TOK-2026-05-USD,05/31/2026,Token revenue,Income:Compute,,240.00,

A file holds at most 1,000 rows, the header among them; a journal number at most 21 characters. The
import takes account names, not numbers (`Parent:Sub-account`, which is how Beancount names them):
the map's name where it gives one, else its code. A subscriber stands under Name, a plan under
Class. QuickBooks wants a Name on every line of accounts receivable or payable, and fills its own
retained earnings by itself.
"""

from __future__ import annotations

from beancount_compute.close.general_ledger.formats import (
    By,
    Format,
    JournalRow,
    LimitExceeded,
    Setting,
    SystemAccount,
    american,
    check_targets,
    debit_and_credit,
)
from beancount_compute.close.general_ledger.journals import Journal, JournalLine

COLUMNS = (
    "Journal No.",
    "Journal Date",
    "Account Name",
    "Description",
    "Debits",
    "Credits",
    "Name",
)
MOST_LINES = 999
LONGEST_NUMBER = 21
_NAMED = "QuickBooks wants a %s on each of its lines"
OWN = (
    SystemAccount(r"accounts? receivable( \(a/r\))?", _NAMED % "customer", named=True),
    SystemAccount(r"accounts? payable( \(a/p\))?", _NAMED % "supplier", named=True),
    SystemAccount(r"retained earnings", "QuickBooks carries each year's profit there by itself"),
)
ADVICE = "export --by subscriber, or map to an account of your own, such as a clearing account"


def _header(setting: Setting) -> tuple[str, ...]:
    return (*COLUMNS, "Class") if setting.by is By.PLAN else COLUMNS


def _row(journal: Journal, line: JournalLine, setting: Setting) -> JournalRow:
    row = (
        journal.id,
        american(journal.date),
        line.target.name or line.target.code,
        line.description,
        *debit_and_credit(line),
        line.key if setting.by is By.SUBSCRIBER else "",
    )
    return (*row, line.key) if setting.by is By.PLAN else row


def _check(journal: Journal, setting: Setting) -> None:
    check_targets(journal, OWN, "QuickBooks", ADVICE, named=setting.by is By.SUBSCRIBER)
    if len(journal.id) > LONGEST_NUMBER:
        raise LimitExceeded(
            f"journal number {journal.id} has {len(journal.id)} characters, QuickBooks takes "
            f"{LONGEST_NUMBER}: export {journal.currency} as csv"
        )


QUICKBOOKS = Format("quickbooks", _header, _row, _check, MOST_LINES, MOST_LINES)
