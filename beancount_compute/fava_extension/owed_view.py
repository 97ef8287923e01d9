"""What is owed: to the operator and by it, by age; and until when deferred revenue is released."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from beancount_compute.fava_extension.asked import AT_COST
from beancount_compute.fava_extension.blocks import Block, controls, figures, linked, words
from beancount_compute.fava_extension.page import Page, last_shown
from beancount_compute.reports import Measure, Table
from beancount_compute.reports.charts import by_age, forward_release
from beancount_compute.reports.registry import AGING, RELEASE

_OVERDUE = ("days_31_60", "days_61_90", "over_90")
_LABELS = {
    "receivables": "Receivables",
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
    totals, *by_party = AGING.tables(books, selection._replace(plan=""))
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
        *[page.numbers.chart(chart) for chart in by_age(totals)],
        *[_aged(page, table) for table in by_party if table.rows],
    ]


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
                note = _overdue(page, cells, currency)
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
    known = page.loaded.books.subscribers if key == "subscriber" else frozenset()
    names = [row[0] for row in block["rows"]]
    links = [
        {"go": {"view": "subscribers", "subscriber": name, "page": ""}} if name in known else None
        for name in names
    ]
    return linked(block, key, links)
