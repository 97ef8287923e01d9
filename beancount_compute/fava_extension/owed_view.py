"""What is owed: to the operator and by it, by age; and until when deferred revenue is released."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal, localcontext
from typing import Any

from beancount_compute.economy import OWED, OWED_TO_OPERATOR, OWED_TO_OTHERS, WIDE, ZERO
from beancount_compute.fava_extension.asked import AT_COST
from beancount_compute.fava_extension.blocks import Block, controls, figures, words
from beancount_compute.fava_extension.page import Page, last_shown, to_statements
from beancount_compute.reports import (
    CURRENCY,
    Books,
    Cell,
    Column,
    Measure,
    NotInBulk,
    Table,
    until,
    written,
)
from beancount_compute.reports.aging import AGED
from beancount_compute.reports.charts import by_age, forward_release
from beancount_compute.reports.registry import AGING, RELEASE

_OVERDUE = ("days_31_60", "days_61_90", "over_90")
_LABELS = {
    "receivables": "Receivables",
    "unbilled": "Unbilled, not invoiced yet",
    "payables": "Payables to subscribers",
    "partners": "Payables to partners",
    "providers": "Payables to providers",
}


def owed(page: Page) -> list[Block]:
    """The view."""
    page.conversion(AT_COST, because="bills are in money, and deferred revenue is carried at cost")
    page.ignores("interval", because="ages are counted from one day")
    because = "a payment settles the oldest bill, whatever account or transaction it stands in"
    page.ignores("account", because=because)
    page.ignores("filter", because=because)
    page.ignores("subscriber", because="all are shown")
    books, selection = page.loaded.books, page.asked.selection
    without_ages: list[Block] = []
    try:
        totals, *by_party = AGING.tables(books, selection._replace(plan=""))
    except NotInBulk:
        totals, by_party = _owed_in_all(books, selection.day_of(books)), []
        without_ages = [words(_NO_AGES)]
    (release,) = RELEASE.tables(books, selection)
    found: list[Block] = [controls(page.plans())]
    if selection.plan:
        page.notes.append("The plan chooses deferred revenue; a bill may be for several plans.")
    if not totals.rows and not release.rows:
        return [*found, words("Nobody owes anything, and nothing is deferred.")]
    return [
        *found,
        *_headlines(page, totals, release),
        *[
            page.numbers.chart(chart, page.numbers.paged(chart.table, page.asked.page))
            for chart in forward_release(release)
        ],
        *(without_ages or [page.numbers.chart(chart) for chart in by_age(totals)]),
        *[_aged(page, table) for table in by_party if table.rows],
    ]


def _owed_in_all(books: Books, day: date) -> Table:
    """What is owed in all on a day, and not by whom: months in bulk pool it on one account."""
    sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    with localcontext(WIDE):
        for role in OWED.keys() - OWED_TO_OTHERS:
            pooled = books.accounts.pooled(role, "", "")
            for each in books.transactions:
                for posting in each.postings if each.date <= day else ():
                    if f"{posting.account}:".startswith(f"{pooled}:") and posting.units:
                        sums[AGED[role][0], posting.units.currency] += posting.units.number or ZERO
        for owed in until(books.owed, day):
            if owed.role in OWED_TO_OTHERS:
                sums[AGED[owed.role][0], owed.currency] += owed.amount
        rows: list[tuple[Cell, ...]] = [
            (name, money, written(Measure.MONEY, _SIGNS.get(name, -1) * total, money))
            for (name, money), total in sorted(sums.items())
            if total
        ]
    return Table("Owed in all", _IN_ALL, rows, "owed-in-all")


_SIGNS = {AGED[role][0]: 1 for role in OWED_TO_OPERATOR}  # what others owe is a debit
_IN_ALL = (Column("owed", "owed"), CURRENCY, Column("total", "total", Measure.MONEY))
_NO_AGES = (
    "Months in bulk pool what is charged and paid: by whom it is owed, and since when, no "
    "transaction tells. What one subscriber was charged is in the statement."
)


def _headlines(page: Page, totals: Table, release: Table) -> list[Block]:
    """What is owed and what is overdue, and deferred revenue, in each currency."""
    names = [(str(row[0]), str(row[1])) for row in totals.rows]
    rows = dict(zip(names, totals.by_key(), strict=True))
    deferred: dict[str, Decimal] = {}
    for row in release.rows:
        if isinstance(row[-1], Decimal):
            currency = str(row[1])
            deferred[currency] = deferred.get(currency, Decimal()) + row[-1]
    currencies = sorted({*[currency for _, currency in rows], *deferred})
    found: list[Block] = []
    for currency in currencies:
        title = f"Owed on {last_shown(page)}"
        block = figures([], title if len(currencies) == 1 else f"{title} ({currency})")
        for name, label in _LABELS.items():
            if (name, currency) in rows:
                cells = rows[name, currency]
                note = _overdue(page, cells, currency) if _OVERDUE[0] in cells else ""
                item = page.numbers.item(label, Measure.MONEY, cells["total"], currency, note)
                block["items"].append(item)
        label = "Deferred revenue, to be delivered"
        number = deferred.get(currency, Decimal("0.00"))
        block["items"].append(page.numbers.item(label, Measure.MONEY, number, currency))
        found.append(block)
    return found


def _overdue(page: Page, cells: dict[str, Any], currency: str) -> str:
    """How much is older than 30 days."""
    amounts = [cells[key] for key in _OVERDUE if isinstance(cells[key], Decimal)]
    total = sum(amounts, Decimal())
    text = page.numbers.text(Measure.MONEY, total, currency)
    return f"{text} {currency} of it older than 30 days" if total else "none older than 30 days"


def _aged(page: Page, table: Table) -> Block:
    """A table by subscriber, partner or provider; a subscriber leads to the statement."""
    key = table.columns[0].key
    block = page.numbers.paged(table, page.asked.page)
    return to_statements(page, block, key) if key == "subscriber" else block
