"""Overview: what is held and deferred now, what was earned, where units came from and went."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from beancount_compute.economy import ZERO, is_access
from beancount_compute.fava_extension.asked import AT_COST, IN_UNITS, BadRequest
from beancount_compute.fava_extension.blocks import Block, controls, figures, words
from beancount_compute.fava_extension.page import Page, last_shown
from beancount_compute.fava_extension.prepared.overview import (
    Compared,
    compared,
    deferred_within,
    held_on,
    income_compared,
    income_within,
    latest,
    lost_within,
    moved_in_all,
    named_end,
)
from beancount_compute.reports import TOTAL, Cell, Interval, Measure, Selection, Table, TooMany
from beancount_compute.reports.charts import deferred_revenue, income, unit_flow
from beancount_compute.reports.registry import ROLLFORWARD

_PLAIN_UNIT = 1  # the column of a table of movements that names the unit or currency


def overview(page: Page) -> list[Block]:
    """The view."""
    interval = page.interval(Interval.MONTH)
    conversion = page.conversion(
        AT_COST,
        IN_UNITS,
        because="deferred revenue is carried at cost, and the market value of tokens stands beside "
        "it; currencies are never added up",
    )
    selection = page.asked.selection
    in_units = conversion == IN_UNITS
    try:
        deferred = deferred_within(
            page.books, selection, interval, in_units=in_units, end=page.loaded.end
        )
    except TooMany as error:
        raise BadRequest("interval", str(error)) from None
    at = named_end(str(deferred.rows[-1][0]), interval, last_shown(page)) if deferred.rows else ""
    day = latest(page.loaded.books) or date.min
    periods = compared(selection, page.asked.time, interval, day)
    held = held_on(page.books, selection)
    return [
        controls(
            page.intervals(Interval.MONTH),
            page.conversions((AT_COST, IN_UNITS), conversion),
            page.plans(),
        ),
        *_headline(page, held, periods),
        *_income(page, periods, interval),
        *_income_by_interval(page, interval, [str(row[0]) for row in deferred.rows]),
        *_deferred(page, deferred, at, in_units=in_units),
        *[
            page.numbers.chart(chart)
            for table in ROLLFORWARD.tables(page.books, selection, "units-by-pocket")
            for chart in unit_flow(table)
        ],
        page.numbers.table(held),
        *[page.numbers.table(each) for each in lost_within(page.books, selection)],
    ]


def _headline(page: Page, held: Table, periods: Compared) -> list[Block]:
    """Units outstanding, deferred revenue at cost, and tokens at market price, at the last day.

    A row of figures for each unit, by the currency that its lots cost; each against the day before
    the days that are compared.
    """
    title = f"Held on {last_shown(page)}"
    day = periods.before[1]
    earlier = held_on(page.books, page.asked.selection._replace(start=None, end=day))
    then = {row[:3]: row for row in earlier.rows}
    totals = [row for row in held.rows if row[0] == TOTAL]
    found: list[Block] = []
    for row in totals:
        _, commodity, currency, units, carrying, price, value = row
        before = then.get(row[:3], (None,) * len(row))
        at_price = f"at {page.numbers.text(Measure.PRICE, price, str(currency))} {currency}"
        items = [
            ("Units outstanding", Measure.UNITS, commodity, units, before[3], ""),
            (
                *("Deferred revenue, at carrying amount", Measure.MONEY, currency),
                *(carrying, before[4], ""),
            ),
            (
                *("Tokens, at market price", Measure.MONEY, currency, value, before[6]),
                at_price if price is not None else "no tokens with a market price",
            ),
        ]
        if is_access(str(commodity)):
            still = "Access to be earned, at carrying amount"
            in_all = [_carried(rows, currency) for rows in (totals, earlier.rows)]
            items = [(still, Measure.MONEY, currency, carrying, before[4], "")]
            if carrying != in_all[0]:
                both = "Deferred revenue of access and units"
                items.append((both, Measure.MONEY, currency, in_all[0], in_all[1], ""))
        block = figures([], f"{title}{_of_lots(row, totals)}")
        for label, kind, unit, now, then_, note in items:
            item = page.numbers.item(label, kind, now, str(unit), note)
            delta = page.numbers.delta(kind, now, then_, str(unit), f"on {day}")
            block["items"].append({**item, "delta": delta})
        found.append(block)
    return found or [figures([], title)]


def _carried(rows: Iterable[tuple[Cell, ...]], currency: Cell) -> Cell:
    """The carrying amount of all units and of access, in a currency."""
    found = [row[4] for row in rows if row[0] == TOTAL and row[2] == currency]
    return sum([each for each in found if isinstance(each, Decimal)], ZERO)


def _of_lots(row: tuple[Cell, ...], totals: list[tuple[Cell, ...]]) -> str:
    if len(totals) == 1:
        return ""
    if is_access(str(row[1])):
        return f": access in {row[2]}"
    return f": {row[1]} of lots in {row[2] or 'no currency'}"


def _income(page: Page, periods: Compared, interval: Interval) -> list[Block]:
    """Income of the chosen days against those before; of the last interval where none is chosen."""
    asked, before = page.asked.selection, periods.before
    notes: list[str] = []
    if not periods.chosen:
        notes.append(f"No time filter: this is the last {interval} of the books.")
    end = periods.until(page.loaded.end)
    shown = f"{periods.first} to {periods.last}"
    if end < periods.last:
        days, others = (end - periods.first).days + 1, (before[1] - before[0]).days + 1
        shown = f"{periods.first} to {end}, so far"
        notes.append(f"The books end on {end}: {days} days stand against {others}.")
    period = Selection(periods.first, periods.last, plan=asked.plan)
    table = income_compared(page.books, period, Selection(*before, plan=asked.plan))
    named = table.columns
    columns = (*named[:2], named[2]._replace(title=periods.name), *named[3:])
    title = f"Income, {shown}, against {before[0]} to {before[1]}"
    return [
        *_income_tiles(page, table, periods),
        page.numbers.table(table._replace(title=title, columns=columns)),
        *[words(note) for note in notes],
    ]


def _income_tiles(page: Page, table: Table, periods: Compared) -> list[Block]:
    """The income of each kind and of all, each against the days before."""
    found: list[Block] = []
    for currency in dict.fromkeys([str(row[1]) for row in table.rows]):
        block = figures([], f"Income of {periods.name} ({currency})")
        for name, of, now, before, _ in [table.rows[-1], *table.rows[:-1]]:
            if of == currency:
                label = "Income" if name == TOTAL else str(name).capitalize()
                item = page.numbers.item(label, Measure.MONEY, now, currency)
                when = f"in {periods.name_before}"
                delta = page.numbers.delta(Measure.MONEY, now, before, currency, when)
                block["items"].append({**item, "delta": delta})
        found.append(block)
    return found


def _income_by_interval(page: Page, interval: Interval, names: list[str]) -> list[Block]:
    """What was earned in each interval, as bars of its kinds."""
    table = income_within(page.books, page.asked.selection, interval, names)
    found: list[Block] = []
    for chart in income(table):
        title = f"Income by kind and {interval} ({chart.table.rows[0][1]})"
        block = page.numbers.paged(chart.table, page.asked.page)
        found.append(page.numbers.chart(chart._replace(title=title), block))
    return found


def _deferred(page: Page, deferred: Table, at: str, *, in_units: bool) -> list[Block]:
    """The movement of deferred revenue, or of open units."""
    found: list[Block] = []
    for chart in deferred_revenue(deferred, at, in_units=in_units):
        title = f"{deferred.title} ({chart.table.rows[0][_PLAIN_UNIT]})"
        table = chart.table._replace(totals=moved_in_all(chart.table))
        block = page.numbers.paged(table, page.asked.page)
        found.append(page.numbers.chart(chart._replace(title=title), block))
    return found
