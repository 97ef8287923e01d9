"""Breakage or market: what unused units would have earned as breakage, and what they did earn."""

from __future__ import annotations

from typing import Any

from beancount_compute.fava_extension.asked import AT_COST
from beancount_compute.fava_extension.blocks import Block, controls, field, figures, words
from beancount_compute.fava_extension.page import Page
from beancount_compute.fava_extension.people_view import (
    estimated,
    known_part,
    notes_of,
    or_what_is_missing,
)
from beancount_compute.fava_extension.prepared.economics_by_day import OF_MONTHS, assumed
from beancount_compute.reports import TOTAL, Interval, Table
from beancount_compute.reports.bulk_reach import books_of
from beancount_compute.reports.charts import break_even, breakage_or_market, forecast
from beancount_compute.reports.registry import economics as of_report

FORECAST_ASKED: Block = {
    "kind": "later",
    "endpoint": "forecast",
    "caption": "Working out what becomes of what is deferred ...",
    "done": "The forecast is worked out.",
}
_TABLES = ("money-by-month", "units-by-month", "money-by-plan", "units-by-plan")
_HEADLINE = {
    "lapsed": "Lapsed, had there been no market",
    "market": "Market, so far",
    "gain_if_held_lapses": "Gain of the market, if what is held lapses",
    "break_even": "Break-even fee rate",
    "fee_rate": "Fee rate charged",
}


def economics(page: Page) -> list[Block]:
    """The view."""
    page.conversion(AT_COST, because="income is at carrying amount")
    because = "units are followed from hand to hand, through all accounts and transactions"
    page.ignores("account", because=because)
    page.ignores("filter", because=because)
    page.ignores("subscriber", because="the figures are of all subscribers")
    interval = page.interval(Interval.MONTH, *OF_MONTHS)
    asked = page.asked
    books_of(of_report(asked.displaced), page.loaded.books, asked.selection)  # or says why not
    tables = {
        table.name: _with_room(table)
        for table in page.loaded.economics.tables(
            asked.selection, asked.displaced, interval, *_TABLES
        )
    }
    by_month = tables["money-by-month"]
    hint = "share of units bought that would have been overage, 0 to 1"
    displaced = field("displaced", "Displaced sales, 0 to 1", f"{asked.displaced:f}", hint)
    chosen = controls(page.intervals(Interval.MONTH, *OF_MONTHS), page.plans(), displaced)
    if not by_month.rows:
        none = words("No units have left their period unused in these days.")
        return [chosen, none, FORECAST_ASKED]
    pictures = [*breakage_or_market(by_month), *break_even(by_month)]
    return [
        chosen,
        *_headlines(page, by_month),
        *[page.numbers.chart(chart) for chart in pictures],
        FORECAST_ASKED,
        *[page.numbers.table(tables[name]) for name in _TABLES],
        page.numbers.table(assumed(page.loaded.books, asked.selection, asked.displaced)),
    ]


def forecast_found(page: Page) -> list[Block]:
    """What becomes of what is deferred, with intervals; what to install where that is missing."""
    return or_what_is_missing(_forecast, page) if page.asked.view == "economics" else []


def _forecast(page: Page) -> list[Block]:
    selection = known_part(page)._replace(start=None)
    tables = estimated(page, "forecast", selection)
    if not tables["release"].rows:
        return notes_of(page, tables["notes"])
    return [
        *[page.numbers.chart(chart) for chart in forecast(tables["release"])],
        *[page.numbers.table(tables[name]) for name in ("sold-on", "bands")],
        *notes_of(page, tables["notes"]),
    ]


def _with_room(table: Table) -> Table:
    """Without the column of booked cost, where no meter gave any: the others need its room."""
    booked = [at for at, each in enumerate(table.columns) if each.key == "cost_booked"]
    if any(row[at] for row in table.rows for at in booked):
        return table
    return table.only([at for at in range(len(table.columns)) if at not in booked])


def _headlines(page: Page, by_month: Table) -> list[Block]:
    totals = by_month._replace(rows=[row for row in by_month.rows if row[0] == TOTAL])
    block = page.numbers.plain_table(totals)
    keys = [column["key"] for column in block["columns"]]
    names = [str(row[0]) for row in by_month.rows if row[0] != TOTAL]
    first, last = min(names, default=""), max(names, default="")
    title = "Left unused in " + (first if first == last else f"{first} to {last}")
    found: list[Block] = []
    for row in block["rows"]:
        cells: dict[str, Any] = dict(zip(keys, row, strict=True))
        currency = cells["currency"]
        items = [
            (label, cells[key] or "-", "" if "rate" in label.lower() else currency, "")
            for key, label in _HEADLINE.items()
        ]
        found.append(figures(items, f"{title} ({currency})"))
    return found
