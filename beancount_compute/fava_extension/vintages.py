"""Vintages: in which month what was paid for became income, with a heat colour, and the curves."""

from __future__ import annotations

from decimal import Decimal

from beancount_compute.fava_extension.asked import AT_COST
from beancount_compute.fava_extension.blocks import Block, words
from beancount_compute.fava_extension.page import Page
from beancount_compute.fava_extension.prepared.curves import release_curves
from beancount_compute.fava_extension.scope import of_all_accounts
from beancount_compute.reports.charts.release import release
from beancount_compute.reports.tables import Cell, Table
from beancount_compute.reports.vintages import VINTAGES

STRONGEST = 100  # per cent of the colour


def vintages(page: Page) -> list[Block]:
    """The view."""
    page.conversion(AT_COST, because="revenue and breakage are carrying amounts")
    page.ignores("interval", because="vintages are months by definition")
    selection = page.asked.selection
    because = "what was paid for is followed through the accounts of deferred revenue and income"
    books = of_all_accounts(page, because=because)
    (table,) = VINTAGES.tables(books, selection, "recognised")
    controls = {"kind": "controls", "items": [page.plans()]}
    if not table.rows:
        return [controls, words("Nothing was allocated or recognised in these days.")]
    (whole,) = VINTAGES.tables(books, selection._replace(start=None), "recognised")
    curves = release_curves(whole)
    return [
        controls,
        _with_heat(page.numbers.table(table), table),
        *[page.numbers.chart(chart) for chart in release(curves)],
    ]


def _with_heat(block: Block, table: Table) -> Block:
    """Give each amount of a month the strength of its colour, by its share of the largest."""
    months = [at for at, column in enumerate(table.columns) if column.key[:1].isdecimal()]
    largest = max([_size(row[at]) for row in table.rows for at in months], default=Decimal())
    if not largest:
        return block
    heat = [[int(_size(row[at]) / largest * STRONGEST) for at in months] for row in table.rows]
    shown = [at for at, each in enumerate(block["columns"]) if each["key"][:1].isdecimal()]
    return {**block, "heat": {"columns": shown, "strength": heat}}


def _size(cell: Cell) -> Decimal:
    return max(cell, Decimal()) if isinstance(cell, Decimal) else Decimal()
