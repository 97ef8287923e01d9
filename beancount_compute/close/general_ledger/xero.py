"""Xero: Accounting, Manual journals, Import.

    *Narration,*Date,Description,*AccountCode,*TaxRate,*Amount,TrackingName1,TrackingOption1,...
    TOK-2026-05-USD,31/05/2026,Income:Compute,200,Tax Exempt,-240.00,,,,

A journal is the lines of one narration and date, at most 300, which is also what one file takes.
The amount is signed, a debit positive. Account codes come from the map, which Xero needs: its codes
have at most ten characters. The tax rate is the map's `tax` for the account, else "Tax Exempt": the
money of these books is net of tax. A plan or subscriber is a tracking option. Bank accounts and
Xero's own system accounts take no journals: they are refused, by name, or by the code that Xero
gives them where the map has no name.
"""

from __future__ import annotations

from beancount_compute.close.general_ledger.formats import (
    By,
    Format,
    JournalRow,
    LimitExceeded,
    Setting,
    SystemAccount,
    check_targets,
)
from beancount_compute.close.general_ledger.journals import Journal, JournalLine

COLUMNS = (
    "*Narration",
    "*Date",
    "Description",
    "*AccountCode",
    "*TaxRate",
    "*Amount",
    "TrackingName1",
    "TrackingOption1",
    "TrackingName2",
    "TrackingOption2",
)
MOST_LINES = 300
LONGEST_CODE = 10
NO_TAX = "Tax Exempt"
OWN = (
    SystemAccount(r"accounts receivable", "Xero fills it from invoices alone", ("610",)),
    SystemAccount(r"accounts payable", "Xero fills it from bills alone", ("800",)),
    SystemAccount(r"unpaid expense claims", "Xero fills it from expense claims alone", ("801",)),
    SystemAccount(r"wages payable", "Xero fills it from pay runs alone"),
    SystemAccount(r"bank revaluations?", "Xero works it out from rates", ("497",)),
    SystemAccount(r"unreali[sz]ed currency gains", "Xero works it out from rates", ("498",)),
    SystemAccount(r"tracking transfers", "Xero fills it by itself", ("877",)),
    SystemAccount(r"current (year )?earnings", "Xero works it out from the year"),
    SystemAccount(
        r"retained earnings", "Xero carries each year's profit there by itself", ("960",)
    ),
    SystemAccount(
        r"bank|checking|savings|(.* )?(bank|checking|savings|credit card) account",
        "Xero's bank accounts take no journals",
        ("090", "091"),
    ),
)
ADVICE = "map to an account of your own, such as a clearing account"
_TRACKING = {By.ACCOUNT: "", By.PLAN: "Plan", By.SUBSCRIBER: "Subscriber"}


def _row(journal: Journal, line: JournalLine, setting: Setting) -> JournalRow:
    day = journal.date
    return (
        journal.id,
        f"{day.day:02}/{day.month:02}/{day.year:04}",
        line.description,
        line.target.code,
        line.target.tax or NO_TAX,
        line.amount,
        _TRACKING[setting.by] if line.key else "",
        line.key,
        "",
        "",
    )


def _check(journal: Journal, _: Setting) -> None:
    check_targets(journal, OWN, "Xero", ADVICE)
    for line in journal.lines:
        if len(line.target.code) > LONGEST_CODE:
            raise LimitExceeded(
                f"account code {line.target.code} of {line.target.stands_for} has "
                f"{len(line.target.code)} characters, Xero takes {LONGEST_CODE}: shorten it"
            )


XERO = Format("xero", lambda _: COLUMNS, _row, _check, MOST_LINES, MOST_LINES, needs_map=True)
