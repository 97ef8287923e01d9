"""What the formats of the general ledgers have in common, and the plain one.

    journal,date,currency,account,code,name,plan,subscriber,description,debit,credit
    TOK-2026-05-USD,2026-05-31,USD,Income:Compute,4000,Token revenue,,,Income:Compute,,240.00

A format gives the rows of a journal; numbers are Decimals, everything else is text. A text that a
spreadsheet would run as a formula is defused by an apostrophe before it.

Accounts that a suite keeps by itself take no journal lines. A chart of accounts is its owner's, so
such an account is known by its name; by the code that the suite gives it at first only where the
map has no name for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from beancount_compute.close.general_ledger.account_map import Target
from beancount_compute.close.general_ledger.journals import Journal, JournalLine
from beancount_compute.ledger import csv_text
from beancount_compute.reports import defused

JournalCell = str | Decimal
JournalRow = tuple[JournalCell, ...]


class By(StrEnum):
    """What a journal has one line for, besides the account."""

    ACCOUNT = "account"
    PLAN = "plan"
    SUBSCRIBER = "subscriber"


class Setting(NamedTuple):
    """What a format needs to know besides the journal."""

    by: By
    subsidiary: str = ""  # of NetSuite OneWorld
    currency_names: Mapping[str, str] = MappingProxyType({})  # as the suite calls them


class LimitExceeded(Exception):
    """A journal that the suite would refuse; says what and what to do."""


class Format(NamedTuple):
    """How one general ledger takes its journals."""

    name: str
    header: Callable[[Setting], tuple[str, ...]]
    row: Callable[[Journal, JournalLine, Setting], JournalRow]
    check: Callable[[Journal, Setting], None]  # raises `LimitExceeded`
    most_in_journal: int | None = None  # lines
    most_in_file: int | None = None  # lines, the header not counted
    needs_map: bool = False  # whether the ledger's account names can't be the suite's
    currency_names: Mapping[str, str] | None = None  # the suite's own; None where it has codes


class SystemAccount(NamedTuple):
    """An account of the suite's own."""

    name: str  # a pattern, in lower case
    reason: str
    codes: tuple[str, ...] = ()  # where the suite gives the same to everybody
    named: bool = False  # whether it takes lines that name a customer or supplier

    def is_meant(self, target: Target) -> bool:
        """Whether the map leads to it."""
        if not target.name and target.code in self.codes:
            return True
        name = " ".join((target.name or target.code).casefold().split())
        return any(re.fullmatch(self.name, part) for part in name.split(":"))


def check_targets(
    journal: Journal,
    own: Iterable[SystemAccount],
    suite: str,
    advice: str,
    *,
    named: bool = False,
) -> None:
    """Raise `LimitExceeded` with all lines on accounts that the suite keeps by itself."""
    refused: dict[str, None] = {}
    for line in journal.lines:
        for account in own:
            if account.is_meant(line.target) and not (account.named and named and line.key):
                to = f"{line.target.code} {line.target.name}".rstrip()
                refused[f"{line.target.stands_for} -> {to}: {account.reason}"] = None
    if refused:
        lines = "\n".join(refused)
        raise LimitExceeded(f"{suite} takes no journals on:\n\n{lines}\n\n{advice}")


def nothing_to_check(_: Journal, __: Setting) -> None:
    """A format without limits of its own."""


def debit_and_credit(line: JournalLine) -> tuple[JournalCell, JournalCell]:
    """The amount on its side; the other side is empty."""
    return (line.amount, "") if line.amount > 0 else ("", -line.amount)


def american(day: date) -> str:
    """05/31/2026"""
    return f"{day.month:02}/{day.day:02}/{day.year:04}"


def file_text(form: Format, journals: Iterable[Journal], setting: Setting) -> str:
    """A file of the format, as text."""
    lines = [form.row(journal, line, setting) for journal in journals for line in journal.lines]
    return csv_text([form.header(setting), *([shown(cell) for cell in line] for line in lines)])


def shown(cell: JournalCell) -> str:
    """A cell as it stands in the file."""
    return f"{cell:f}" if isinstance(cell, Decimal) else defused(cell)


PLAIN_COLUMNS = (
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


def _plain_row(journal: Journal, line: JournalLine, setting: Setting) -> JournalRow:
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


PLAIN = Format("csv", lambda _: PLAIN_COLUMNS, _plain_row, nothing_to_check)
