"""Plain CSV: every journal in one file, the ledger's accounts beside the general ledger's codes.

journal,date,currency,account,code,name,plan,subscriber,description,debit,credit
TOK-2026-05-USD,2026-05-31,USD,Income:Compute,4000,Token revenue,,,Income:Compute,,240.00
"""

from __future__ import annotations

from beancount_compute.close.general_ledger.formats import (
    By,
    Format,
    JournalRow,
    Setting,
    debit_and_credit,
    nothing_to_check,
)
from beancount_compute.close.general_ledger.journals import Journal, JournalLine

COLUMNS = (
    "journal",
    "date",
    "currency",
    "account",
    "code",
    "name",
    "plan",
    "subscriber",
    "description",
    "debit",
    "credit",
)


def _row(journal: Journal, line: JournalLine, setting: Setting) -> JournalRow:
    code = line.target.code if line.target.code != line.target.stands_for else ""
    return (
        journal.id,
        journal.date.isoformat(),
        journal.currency,
        line.target.stands_for,
        code,
        line.target.name,
        line.key if setting.by is By.PLAN else "",
        line.key if setting.by is By.SUBSCRIBER else "",
        line.description,
        *debit_and_credit(line),
    )


PLAIN = Format("csv", lambda _: COLUMNS, _row, nothing_to_check)
