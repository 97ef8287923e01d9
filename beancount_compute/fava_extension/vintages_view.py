"""Vintages: in which month what was paid for became income, as a heat map, and the curves."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, localcontext

from beancount_compute.economy import PRICE_STEP, WIDE, ZERO, Month, round_half_even, trim
from beancount_compute.fava_extension.asked import AT_COST
from beancount_compute.fava_extension.blocks import Block, controls, words
from beancount_compute.fava_extension.page import Page, of_all_accounts
from beancount_compute.reports import CURRENCY, Cell, Column, Measure, Table
from beancount_compute.reports.charts import release
from beancount_compute.reports.charts import vintages as heat_maps
from beancount_compute.reports.registry import VINTAGES

STRONGEST = 100  # per cent of the colour


def vintages(page: Page) -> list[Block]:
    """The view."""
    page.conversion(AT_COST, because="revenue and breakage are carrying amounts")
    page.ignores("interval", because="vintages are months by definition")
    selection = page.asked.selection
    because = "what was paid for is followed through the accounts of deferred revenue and income"
    books = of_all_accounts(page, because=because)
    (table,) = VINTAGES.tables(books, selection, "recognised")
    chosen = controls(page.plans())
    if not table.rows:
        return [chosen, words("Nothing was allocated or recognised in these days.")]
    (whole,) = VINTAGES.tables(books, selection._replace(start=None), "recognised")
    curves = release_curves(whole, Month.of(books.first_day).name if books.first_day else "")
    return [
        chosen,
        *_heat_maps(page, table),
        *[page.numbers.chart(chart) for chart in release(curves)],
    ]


def _heat_maps(page: Page, table: Table) -> list[Block]:
    """The picture of the close pack, of each currency, over its table with the same colours."""
    charts = heat_maps(table)
    found: list[Block] = []
    for chart in charts:
        name = chart.table.name
        if len(charts) > 1:
            name += f"-{chart.table.rows[0][1]}"
        table = chart.table
        block = with_heat(page.numbers.table(table), table, lambda key: key[:1].isdecimal())
        found.append(page.numbers.chart(chart._replace(name=name), block))
    return found


def with_heat(block: Block, table: Table, is_hot: Callable[[str], bool]) -> Block:
    """Give each cell of some columns the strength of its colour, by its share of the largest."""
    hot = [at for at, column in enumerate(table.columns) if is_hot(column.key)]
    largest = max([_size(row[at]) for row in table.rows for at in hot], default=Decimal())
    if not largest:
        return block
    heat = [[int(_size(row[at]) / largest * STRONGEST) for at in hot] for row in table.rows]
    shown = [at for at, each in enumerate(block["columns"]) if is_hot(each["key"])]
    return {**block, "heat": {"columns": shown, "strength": heat}}


def _size(cell: Cell) -> Decimal:
    return max(cell, Decimal()) if isinstance(cell, Decimal) else Decimal()


def release_curves(vintages: Table, begins: str = "") -> Table:
    """The curves of a table of vintages that begins with the books, in the month `begins`.

    Of older vintages nothing is known before it; what was open then is the whole.
    """
    months = [each.key for each in vintages.columns if each.key[:1].isdecimal()]
    last = max(months, default="")
    rows: list[tuple[Cell, ...]] = []
    most = 0
    with localcontext(WIDE):
        for cells in vintages.by_key():
            shares = _shares(cells, months, last)
            unknown = min(max(_age(str(cells["vintage"]), begins), 0), len(shares)) if begins else 0
            shares[:unknown] = [None] * unknown
            if shares:
                most = max(most, len(shares))
                rows.append((cells["vintage"], cells["currency"], *shares))
    full: list[tuple[Cell, ...]] = [(*row, *[None] * (most + 2 - len(row))) for row in rows]
    figures = [Column(str(age), f"{age}", Measure.RATE) for age in range(most)]
    labels = (Column("vintage", "vintage", Measure.DATE), CURRENCY)
    return Table("Share recognised, by months since", (*labels, *figures), full, "curves")


def _shares(cells: dict[str, Cell], months: list[str], last: str) -> list[Cell]:
    vintage, added = str(cells["vintage"]), cells["added"]
    if not last or not isinstance(added, Decimal) or added <= 0:
        return []
    recognised = {_age(vintage, month): cells[month] for month in months}
    earlier = [number for age, number in recognised.items() if age < 0]
    sum_so_far = sum([each for each in earlier if isinstance(each, Decimal)], ZERO)
    shares: list[Cell] = []
    for age in range(_age(vintage, last) + 1):
        number = recognised.get(age)
        sum_so_far += number if isinstance(number, Decimal) else ZERO
        shares.append(trim(round_half_even(sum_so_far / added, PRICE_STEP), 0))
    return shares


def _age(vintage: str, month: str) -> int:
    return Month.parse(month).ordinal - Month.parse(vintage).ordinal
