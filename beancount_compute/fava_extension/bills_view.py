"""Two bills: what a unit earns and costs, whose margin is left, and what hangs on each provider."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal

from beancount_compute.economy import WIDE, ZERO, is_access, proportion
from beancount_compute.fava_extension.asked import AT_COST
from beancount_compute.fava_extension.blocks import (
    Block,
    controls,
    copied,
    field,
    figures,
    words,
)
from beancount_compute.fava_extension.page import Page
from beancount_compute.reports import Measure, Selection, Table, money
from beancount_compute.reports.charts import Chart, exposed_to, margin_by_month, price_and_bills
from beancount_compute.reports.registry import EXPOSURE, MARGIN, two_bills
from beancount_compute.reports.served_facts import ShareOf

_ONE = Decimal(1)
_BECAUSE = "a use, what it earned and what it cost stand on several accounts and transactions"
_SHOWN = ("units-by-provider", "money-by-meter", "quotes", "pace", "unused")
_HOW: Block = {
    **words("Bills, prepaid credits, several meters and providers:"),
    "go": {"view": "help", "topic": "costs"},
    "link": "What a unit costs",
}


def both_bills(page: Page) -> list[Block]:
    """The view."""
    page.conversion(AT_COST, because="revenue and both bills are what is booked")
    page.ignores("interval", because="bills are set against the use of a month")
    page.ignores("account", because=_BECAUSE)
    page.ignores("filter", because=_BECAUSE)
    books, asked = page.loaded.books, page.asked
    if not books.terms.known_providers:
        return _how_to_begin(page)
    selection = asked.selection._replace(subscriber=asked.subscriber)
    (margin,) = MARGIN.tables(books, selection, "money-by-month")
    unit, even = two_bills(asked.margin).tables(books, selection)
    exposed = {table.name: table for table in EXPOSURE.tables(books, selection)}
    wished = "" if asked.margin is None else f"{asked.margin:f}"
    hint = "such as 0.3"
    chosen = controls(page.plans(), field("margin", "Wished margin, 0 to 1", wished, hint))
    if not unit.rows and not any(table.rows for table in exposed.values()):
        return [chosen, words("Nothing that costs anything was served in these days.")]
    return [
        chosen,
        *_headlines(page, margin, selection),
        *_drawn(page, [*price_and_bills(unit), *margin_by_month(margin)]),
        *[page.numbers.paged(even, asked.page) for _ in even.rows[:1]],
        *_drawn(page, exposed_to(exposed["money-by-provider"])),
        *[page.numbers.paged(exposed[name], asked.page) for name in _SHOWN if exposed[name].rows],
    ]


def _drawn(page: Page, charts: list[Chart]) -> list[Block]:
    return [
        page.numbers.chart(chart, page.numbers.paged(chart.table, page.asked.page))
        for chart in charts
    ]


def _headlines(page: Page, margin: Table, selection: Selection) -> list[Block]:
    """What was earned by use, both bills and what is left, in each currency."""
    sums: defaultdict[str, defaultdict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in margin.by_key():
        for key, cell in row.items():
            if isinstance(cell, Decimal):
                of = sums[str(row["currency"])]
                of[key] = WIDE.add(of[key], cell)
    months = sorted({str(row["month"]) for row in margin.by_key()})
    days = f", {months[0]}" + (f" to {months[-1]}" if len(months) > 1 else "") if months else ""
    found: list[Block] = []
    for currency in sorted(sums):
        of = sums[currency]
        earned = of["use"] + of["overage"]
        block = figures([], f"Both bills{days} ({currency})")
        lapsed = _of_line(page, margin, currency, ShareOf.LAPSED, "first", "lapsed credits")
        idle = _of_line(page, margin, currency, ShareOf.IDLE, "second", "idle capacity")
        for label, number, note in (
            ("Revenue of use and overage", earned, ""),
            (
                "First bill, for each unit",
                of["first"],
                lapsed,
            ),
            ("Margin", of["margin"], _share(page, of["margin"], earned)),
            (
                "Second bill, for capacity",
                of["second"],
                idle,
            ),
            ("Margin after both", of["after_both"], _share(page, of["after_both"], earned)),
        ):
            cell = money(number or ZERO, currency)
            block["items"].append(page.numbers.item(label, Measure.MONEY, cell, currency, note))
        found.append(block)
    return found


def _of_line(page: Page, margin: Table, currency: str, line: ShareOf, key: str, named: str) -> str:
    """How much of a bill is for something else than use."""
    rows = [row for row in margin.by_key() if (row["currency"], row["line"]) == (currency, line)]
    amounts = [row[key] for row in rows]
    amount = sum([each for each in amounts if isinstance(each, Decimal)], ZERO)
    text = page.numbers.text(Measure.MONEY, amount, currency)
    return f"{text} {currency} of it: {named}" if amount else ""


def _share(page: Page, number: Decimal, earned: Decimal) -> str:
    """A margin as a share of what was earned."""
    if not earned:
        return ""
    return f"{page.numbers.text(Measure.RATE, proportion(_ONE, number, earned), '')} of the revenue"


def _how_to_begin(page: Page) -> list[Block]:
    """What to write in a ledger whose uses cost nothing yet, in its own unit and currency."""
    loaded = page.loaded
    chain = loaded.months.chain
    since = chain.last_day + timedelta(1) if chain.closed else loaded.books.first_day
    unit = min([each for each in loaded.commodities if not is_access(each)], default="CU")
    lots = [each for each in loaded.books.movements if each.commodity == unit]
    currency = min({each.lot.currency for each in lots}, default="USD")
    return [
        words(
            "No use costs anything yet: no meter of the ledger says what it costs to serve a unit."
        ),
        copied(
            "The first bill: what a unit costs, and who serves it",
            f'{since} custom "compute-meter" "chat"\n  units: 1 {unit}\n  cost: 0.40 {currency}\n'
            f'  provider: "llama"\n{since} custom "compute-option" "meter" "chat"',
        ),
        copied(
            "The second bill: capacity, used or not",
            f'{since} custom "compute-capacity" "gpu" 4800.00 {currency}\n'
            '  provider: "llama"\n  life: "48 months"',
        ),
        _HOW,
    ]
