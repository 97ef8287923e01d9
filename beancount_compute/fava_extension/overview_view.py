"""Overview: what is held and deferred now, what was earned, where units came from and went."""

from __future__ import annotations

from datetime import date
from typing import Any

from beancount_compute.fava_extension.asked import AT_COST, IN_UNITS, BadRequest
from beancount_compute.fava_extension.blocks import Block, figures, words
from beancount_compute.fava_extension.page import Page, last_shown
from beancount_compute.fava_extension.prepared.overview import (
    deferred_within,
    held_on,
    income_compared,
    latest,
    named_end,
)
from beancount_compute.reports import Selection, Table
from beancount_compute.reports.charts import deferred_revenue, unit_flow
from beancount_compute.reports.intervals import (
    Interval,
    TooMany,
    days_before,
    first_of,
    last_of,
    name_of,
)
from beancount_compute.reports.rollforward import ROLLFORWARD


def overview(page: Page) -> list[Block]:
    """The view."""
    interval = page.interval(Interval.MONTH)
    conversion = page.conversion(
        AT_COST,
        IN_UNITS,
        because="deferred revenue is carried at cost, and its market value stands beside it; "
        "currencies are never added up",
    )
    selection = page.asked.selection
    in_units = conversion == IN_UNITS
    try:
        deferred = deferred_within(
            page.books, selection, interval, in_units=in_units, end=page.loaded.end
        )
    except TooMany as error:
        raise BadRequest("interval", str(error)) from None
    day = last_shown(page)
    at = named_end(str(deferred.rows[-1][0]), interval, day) if deferred.rows else ""
    held = held_on(page.books, selection)
    return [
        _controls(page, conversion),
        *_headline(page, held),
        *_income(page, interval),
        *[
            page.numbers.chart(
                chart._replace(title=f"{deferred.title} ({_unit(chart.table)})"),
                page.numbers.paged(chart.table, page.asked.page),
            )
            for chart in deferred_revenue(deferred, at, in_units=in_units)
        ],
        *[
            page.numbers.chart(chart)
            for table in ROLLFORWARD.tables(page.books, selection, "units-by-pocket")
            for chart in unit_flow(table)
        ],
        page.numbers.table(held),
    ]


def _unit(table: Table) -> str:
    return str(table.rows[0][1])


def _controls(page: Page, conversion: str) -> Block:
    return {
        "kind": "controls",
        "items": [
            page.intervals(Interval.MONTH),
            page.conversions((AT_COST, IN_UNITS), conversion),
            page.plans(),
        ],
    }


def _headline(page: Page, held: Table) -> list[Block]:
    """Units outstanding, deferred revenue at cost and at market price, at the last day.

    A row of figures for each unit, by the currency that its lots cost.
    """
    title = f"Held on {last_shown(page)}"
    block = page.numbers.plain_table(held)
    totals = [row for row in block["rows"] if row[0] == "total"]
    found: list[Block] = []
    for _, commodity, currency, units, carrying, value, price in totals:
        at_price = f"at {_text(price)} {currency}" if price else "there is no market price yet"
        items: list[tuple[str, Any, str, str]] = [
            ("Units outstanding", units, commodity, ""),
            ("Deferred revenue, at carrying amount", carrying, currency, ""),
            ("Deferred revenue, at market price", value or "-", currency, at_price),
        ]
        lots = f": {commodity} of lots in {currency or 'no currency'}" if len(totals) > 1 else ""
        found.append(figures(items, f"{title}{lots}"))
    return found or [figures([], title)]


def _text(cell: Any) -> str:
    return str(cell[0]) if isinstance(cell, list) else str(cell)


def _income(page: Page, interval: Interval) -> list[Block]:
    """Income of the chosen days against those before; of the last interval where none is chosen."""
    asked = page.asked.selection
    if asked.start is not None and asked.end is not None:
        name, first, last = page.asked.time, asked.start, asked.end
        before = days_before(first, last)
        notes: list[str] = []
    else:
        day = latest(page.loaded.books) or date.min
        name, first, last = name_of(interval, day), first_of(interval, day), last_of(interval, day)
        past = first_of(interval, first) if first == date.min else days_before(first, first)[1]
        before = (first_of(interval, past), last_of(interval, past))
        notes = [f"No time filter: this is the last {interval} of the books."]
    end = page.loaded.end
    shown = f"{first} to {last}"
    if first <= end < last:
        days, others = (end - first).days + 1, (before[1] - before[0]).days + 1
        shown = f"{first} to {end}, so far"
        notes.append(f"The books end on {end}: {days} days stand against {others}.")
    period = Selection(first, last, plan=asked.plan)
    compared = income_compared(page.books, period, Selection(*before, plan=asked.plan))
    named = compared.columns
    columns = (
        *named[:2],
        named[2]._replace(title=name),
        named[3],
        named[4],
    )
    table = compared._replace(
        title=f"Income, {shown}, against {before[0]} to {before[1]}", columns=columns
    )
    return [page.numbers.table(table), *[words(note) for note in notes]]
