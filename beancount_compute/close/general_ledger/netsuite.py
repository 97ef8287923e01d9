"""NetSuite: Setup, Import/Export, Import CSV records, Transactions, Journal entry.

    External ID,Date,Subsidiary,Currency,Memo,Journal Entry - Line: Account,...
    TOK-2026-05-USD,05/31/2026,,US Dollar,"Compute tokens, 2026-05",4000 Token revenue,...

The external id stands on every line and keeps a second import from booking twice. A journal has at
most 10,000 lines, a file 25,000 records, an amount 10 digits and 2 decimals. An account is its code
and name from the map, which NetSuite needs. A currency goes by the name that NetSuite gives it,
which a line of the map may change (`USD,USA`). A plan is a class, a subscriber a name.
"""

from __future__ import annotations

from decimal import Decimal

from beancount_compute.close.general_ledger.formats import (
    By,
    Format,
    JournalRow,
    LimitExceeded,
    Setting,
    american,
    debit_and_credit,
)
from beancount_compute.close.general_ledger.journals import Journal, JournalLine
from beancount_compute.economy import decimals_of

LINE = "Journal Entry - Line: "
COLUMNS = (
    "External ID",
    "Date",
    "Subsidiary",
    "Currency",
    "Memo",
    f"{LINE}Account",
    f"{LINE}Debit",
    f"{LINE}Credit",
    f"{LINE}Memo",
)
CURRENCIES = {
    "CAD": "Canadian Dollar",
    "EUR": "Euro",
    "GBP": "British Pound",
    "USD": "US Dollar",
}
MOST_LINES = 10_000
MOST_RECORDS = 25_000
BEYOND = Decimal(10) ** 10
_KEYS = {By.ACCOUNT: (), By.PLAN: (f"{LINE}Class",), By.SUBSCRIBER: (f"{LINE}Name",)}


def _header(setting: Setting) -> tuple[str, ...]:
    return (*COLUMNS, *_KEYS[setting.by])


def _row(journal: Journal, line: JournalLine, setting: Setting) -> JournalRow:
    row = (
        journal.id,
        american(journal.date),
        setting.subsidiary,
        setting.currency_names[journal.currency],
        journal.memo,
        f"{line.target.code} {line.target.name}".rstrip(),
        *debit_and_credit(line),
        line.description,
    )
    return row if setting.by is By.ACCOUNT else (*row, line.key)


def _check(journal: Journal, _: Setting) -> None:
    if decimals_of(journal.currency) > 2:
        raise LimitExceeded(
            f"{journal.currency} has {decimals_of(journal.currency)} decimals, NetSuite takes 2: "
            "export it as csv"
        )
    for line in journal.lines:
        if abs(line.amount) >= BEYOND:
            raise LimitExceeded(
                f"{line.amount:,f} {journal.currency} on {line.description} has more than the 10 "
                "digits that NetSuite takes: export it as csv"
            )


NETSUITE = Format(
    "netsuite",
    _header,
    _row,
    _check,
    MOST_LINES,
    MOST_RECORDS,
    needs_map=True,
    currency_names=CURRENCIES,
)
