"""What if: the scenarios of the ledger beside the books, their differences, what they refuse."""

from __future__ import annotations

from datetime import timedelta

from beancount_compute.economy import ZERO, Month
from beancount_compute.fava_extension.asked import AT_COST
from beancount_compute.fava_extension.blocks import (
    Block,
    choice,
    controls,
    copied,
    figures,
    linked,
    words,
)
from beancount_compute.fava_extension.page import Page, place_in_editor
from beancount_compute.ledger import ORDER
from beancount_compute.reports import (
    Cell,
    Column,
    Interval,
    Measure,
    Table,
    counted,
    first_named,
    money,
    names_between,
)
from beancount_compute.reports.charts import scenario_by_month, scenarios_by_figure
from beancount_compute.scenarios import (
    BOOKS,
    HEADLINES,
    OF_DAYS,
    OF_SCENARIO,
    PartedBy,
    ScenariosFound,
    WhatIf,
)

BOOKING: Block = {
    "kind": "later",
    "endpoint": "scenarios",
    "caption": "Booking the scenarios ...",
    "done": "The scenarios are booked.",
}
_LINE = '2026-01-01 custom "compute-scenario" "Prices crash" "scenarios/prices-crash.beancount"'
_FILE = """\
2026-06-01 custom "compute-scale" "plan-price" 0.50
2026-06-01 custom "compute-option" "seller-fee" 0.10"""
_HOW: Block = {
    **words("A scenario holds other terms, and factors for prices, costs and use."),
    "go": {"view": "help", "topic": "what-if"},
    "link": "How to write one",
}
_PARTED = {
    PartedBy.ALL: "All days",
    PartedBy.MONTH: "Month",
    PartedBy.PLAN: "Plan",
    PartedBy.PROVIDER: "Provider",
}
_ERRORS = (Column("place", "place"), Column("message", "error"))
_REFUSED = (
    Column("scenario", "scenario"),
    Column("books", "in the books", Measure.COUNT),
    Column("with_scenario", "under the scenario", Measure.COUNT),
    Column("place", "the first"),
    Column("message", "why"),
)


_ACCOUNTS = "Accounts: income and expenses of the days, balances at their end"


def scenarios_asked(page: Page) -> list[Block]:
    """The view, apart from what is worked out, which the page asks for next."""
    page.conversion(AT_COST, because="the figures are what is booked")
    page.ignores("interval", because="what is by time here is by month")
    for name in ("account", "filter", "plan", "subscriber"):
        page.ignores(name, because="all events are booked again under each scenario")
    bulk = page.loaded.books.bulk
    if bulk is not None:
        again = f"Scenarios book events again: those of {bulk.names} stand in Parquet"
        if not any(ORDER in each.meta for each in bulk.own.transactions):
            return [words(f"{again}, and there are no others to set beside the books.")]
        page.notes.append(f"{again}, and are left out.")
    if not page.loaded.names_scenarios:
        return [
            words(
                "The ledger names no scenario, so that there is nothing to set beside the books."
            ),
            copied("Add to the ledger", _LINE),
            copied("scenarios/prices-crash.beancount: plan prices halve, fees rise", _FILE),
            _HOW,
        ]
    asked = page.asked.selection
    ends = asked.end is not None and (asked.end + timedelta(1)).day != 1
    if ends or (asked.start is not None and asked.start.day != 1):
        page.notes.append("Scenarios are shown by whole months: those that the time filter meets.")
    by = choice("by", "Figures by", page.asked.by.value, [(k.value, v) for k, v in _PARTED.items()])
    return [controls(by), BOOKING]


def scenarios_booked(page: Page) -> list[Block]:
    """The books beside the scenarios; what is left out and why."""
    if not page.loaded.names_scenarios:
        return []
    found = page.loaded.scenarios.found(page.asked.by)
    wrong = _errors(page, found)
    if found.compared is None:
        text = f"Nothing is set beside the books: {found.why_not}."
        return [words(text, tone="bad"), *wrong]
    compared = _of_days(page, found.compared)
    totals, accounts = compared._replace(by=PartedBy.ALL).side_by_side()
    by_month, _ = compared._replace(by=PartedBy.MONTH).side_by_side()
    chosen, _ = compared._replace(by=page.asked.by).side_by_side()
    nothing = [
        words(f"{text[:1].upper()}{text[1:]}", tone="bad")
        for text in found.compared.nothing_booked()
    ]
    if not totals.rows:
        return [
            *nothing,
            *wrong,
            words("Nothing was booked in these days."),
            *_refused(page, compared),
        ]
    return [
        *nothing,
        *wrong,
        *_headlines(page, totals, compared),
        *_pictures(page, totals, by_month),
        page.numbers.paged(chosen, page.asked.page),
        *_refused(page, compared),
        page.numbers.paged(accounts._replace(title=_ACCOUNTS), page.asked.page),
    ]


_LAST_MONTH = "9999-12"


def _of_days(page: Page, compared: WhatIf) -> WhatIf:
    """The months that the time filter meets."""
    asked = page.asked.selection
    first = Month.of(asked.start).name if asked.start else ""
    last = Month.of(asked.end).name if asked.end else _LAST_MONTH
    return compared.within(first, last)


def _headlines(page: Page, totals: Table, compared: WhatIf) -> list[Block]:
    """What is left in the end, in the books and under each scenario, by currency."""
    months = compared.months
    days = "" if not months else f", {months[0]}" + (f" to {months[-1]}" if len(months) > 1 else "")
    found: list[Block] = []
    for what, cells in _headline_rows(totals):
        currency = str(cells["currency"])
        block = figures([], f"{what[:1].upper()}{what[1:]}{days} ({currency})")
        for column in _beside(totals):
            number = cells[column.key]
            label = "The books" if column.key == BOOKS else column.title
            item = page.numbers.item(label, Measure.MONEY, number, currency)
            if column.key != BOOKS:
                books = cells[BOOKS]
                delta = page.numbers.delta(Measure.MONEY, number, books, currency, "the books")
                item["delta"] = delta
            block["items"].append(item)
        found.append(block)
    return found


def _headline_rows(totals: Table) -> list[tuple[str, dict[str, Cell]]]:
    """Of each currency the row that says what is left: a margin where there is one."""
    found: list[tuple[str, dict[str, Cell]]] = []
    rows = totals.by_key()
    for currency in sorted({str(row["currency"]) for row in rows}):
        of = {str(row["figure"]): row for row in rows if row["currency"] == currency}
        found += [(what, of[what]) for what in HEADLINES if what in of][:1]
    return found


def _pictures(page: Page, totals: Table, by_month: Table) -> list[Block]:
    """The figures side by side; and the one that the headline shows, by month."""
    keys = [column.key for column in _beside(totals)]
    place = totals.place("figure")
    earned = totals._replace(rows=[row for row in totals.rows if row[place] in OF_DAYS])
    charts = scenarios_by_figure(earned, keys)
    for what, cells in _headline_rows(totals):
        currency = str(cells["currency"])
        months = _every_month(by_month, what, currency)
        if len(months.rows) > 1:
            charts.append(scenario_by_month(months, keys, what, currency))
    return [page.numbers.chart(chart) for chart in charts]


def _every_month(by_month: Table, what: str, currency: str) -> Table:
    """One figure by month, with months of none."""
    month, figure, of = (by_month.place(key) for key in ("month", "figure", "currency"))
    rows = {row[month]: row for row in by_month.rows if (row[figure], row[of]) == (what, currency)}
    names = sorted(str(name) for name in rows)
    days = [first_named(Interval.MONTH, names[at]) for at in (0, -1)]
    none = [money(ZERO, currency)] * (len(by_month.columns) - by_month.labels)
    every = [
        rows.get(name, (name, what, currency, *none))
        for name in names_between(Interval.MONTH, *days)
    ]
    kept = [at for at in range(len(by_month.columns)) if at != figure]
    return by_month._replace(rows=every).only(kept)


def _beside(table: Table) -> list[Column]:
    """The columns of the books and of each scenario, without the differences."""
    return [each for each in table.columns if each.key == BOOKS or each.key.startswith(OF_SCENARIO)]


def _refused(page: Page, compared: WhatIf) -> list[Block]:
    """What is refused, counted by reason, the first with its place in Fava's editor."""
    found = compared.refused()
    if not found:
        return [words("Nothing is refused, neither in the books nor under a scenario.")]
    rows: list[tuple[Cell, ...]] = [
        (
            each.scenario,
            each.books,
            each.with_scenario,
            f"{page.loaded.named(each.first.place.file)}:{each.first.place.line}",
            each.first.message,
        )
        for each in found
    ]
    block = page.numbers.table(Table("Refused, by reason", _REFUSED, rows, "refused"))
    links = [place_in_editor(page, each.first.place.file, each.first.place.line) for each in found]
    return [linked(block, "place", links)]


def _errors(page: Page, found: ScenariosFound) -> list[Block]:
    """What is wrong with the files of scenarios, which are left out for it."""
    if not found.errors:
        return []
    rows: list[tuple[Cell, ...]] = [
        (f"{page.loaded.named(place.file)}:{place.line}", message)
        for place, message in found.errors
    ]
    many = counted(len(found.errors), "error")
    title = f"Left out: scenarios with an error ({many})"
    block = page.numbers.table(Table(title, _ERRORS, rows, "scenario-errors"))
    links = [place_in_editor(page, place.file, place.line) for place, _ in found.errors]
    return [linked(block, "place", links), _HOW]
