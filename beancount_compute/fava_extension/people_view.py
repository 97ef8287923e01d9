"""Subscribers over time, retention and growth: what the reports on people say, and its pictures.

They can take seconds where subscribers are many, so a view stands at once, and asks for the rest:
it is worked out when somebody looks, once a load and selection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import NamedTuple

from beancount_compute.fava_extension.asked import AT_COST
from beancount_compute.fava_extension.blocks import Block, controls, copied, figures, words
from beancount_compute.fava_extension.page import Page, in_a_sentence
from beancount_compute.fava_extension.vintages_view import with_heat
from beancount_compute.insight import HOW_TO_GET_IT
from beancount_compute.reports import Cell, Measure, NotInBulk, Selection, Table
from beancount_compute.reports.bulk_reach import books_of
from beancount_compute.reports.charts import (
    Chart,
    cohorts,
    growth,
    leaving_by_group,
    recurring_revenue,
    subscribers_by_month,
    survival,
    survival_by_group,
    trade_by_month,
)
from beancount_compute.reports.registry import SUBSCRIBERS

_PEOPLE, _RETENTION, _GROWTH = "people", "retention", "growth"
_REPORTS = {_PEOPLE: SUBSCRIBERS.name, _RETENTION: _RETENTION, _GROWTH: _GROWTH}
_WAITING = {
    _PEOPLE: "Counting subscribers ...",
    _RETENTION: "Working out who stays ...",
    _GROWTH: "Working out how trade grows ...",
}
_ABOUT_EXTRA = (
    "Estimates are worked out by numpy and scipy, which the plugin itself does not need. The other "
    "pages show what the books say without them."
)
NOBODY = "Nobody was subscribed in these days."


class _Reads(NamedTuple):
    """A report by its name: the extra that works it out may be missing."""

    name: str
    of_sums: bool = False


def people_asked(page: Page) -> list[Block]:
    """A view on people, apart from what is worked out, which the page asks for next."""
    page.conversion(AT_COST, because="people and what recurs are shown as they are")
    page.ignores("interval", because="these figures are by month")
    because = "people are counted by their subscriptions and trades"
    page.ignores("account", because=because)
    page.ignores("filter", because=because)
    if page.asked.view == _RETENTION and page.asked.selection.start:
        page.notes.append("The time filter chooses the last day: what came before counts.")
    plans = page.loaded.books.terms.plans.items()
    by_use = sorted(name for name, line in plans if all(plan.sells_nothing for plan in line))
    if by_use and page.asked.view in (_PEOPLE, _RETENTION):
        page.notes.append(
            f"Who pays by use alone is not counted, and recurs with nothing: {', '.join(by_use)}."
        )
    name = _REPORTS[page.asked.view]
    books_of(_Reads(name), page.loaded.books, _selection(page))  # or says why not
    later = {
        "kind": "later",
        "endpoint": "people",
        "caption": _WAITING[page.asked.view],
        "done": "All is worked out.",
    }
    return [controls(page.plans()), later]


def people_found(page: Page) -> list[Block]:
    """What was asked for with it; what to install where that is missing."""
    view = page.asked.view
    return or_what_is_missing(_FOUND[view], page) if view in _FOUND else []


def or_what_is_missing(found: Callable[[Page], list[Block]], page: Page) -> list[Block]:
    """What is found, or why months in bulk have none of it, or what to install for it."""
    try:
        return found(page)
    except NotInBulk as error:
        return [words(in_a_sentence(error))]
    except ImportError:
        return [words(_ABOUT_EXTRA), copied("What to install", HOW_TO_GET_IT)]


def _selection(page: Page) -> Selection:
    return known_part(page)._replace(subscriber=page.asked.subscriber)


def known_part(page: Page) -> Selection:
    """What is asked for, as far as the books know it."""
    return page.asked.selection.no_later_than(page.loaded.end)


def estimated(page: Page, name: str, selection: Selection) -> dict[str, Table]:
    """The tables of a report of estimates; raises `ImportError` without the extra."""
    from beancount_compute.insight.all_estimates import INSIGHTS

    return page.loaded.people.tables(INSIGHTS[name], selection)


def _people(page: Page) -> list[Block]:
    tables = page.loaded.people.tables(SUBSCRIBERS, _selection(page))
    by_month, recurring, bridge = (tables[name] for name in ("people", "recurring", "bridge"))
    if not by_month.rows:
        return [words(NOBODY)]
    return [
        _headlines(page, by_month, recurring),
        *_drawn(page, [*subscribers_by_month(by_month), *recurring_revenue(recurring)]),
        page.numbers.paged(bridge, page.asked.page),
    ]


def _headlines(page: Page, by_month: Table, recurring: Table) -> Block:
    """The last month, against the one before."""
    month = str(by_month.rows[-1][0])
    block = figures([], f"{month}, against the month before")
    rows = by_month.by_key()[-2:]
    block["items"] += _items(page, rows, "", ("at_end", "Subscribers", Measure.COUNT))
    block["items"] += _items(page, rows, "", ("churn", "Churn", Measure.RATE))
    for currency in sorted({str(row["currency"]) for row in recurring.by_key()}):
        rows = [row for row in recurring.by_key() if row["currency"] == currency][-2:]
        if rows[-1]["month"] != month:
            continue
        closing = ("closing", "Recurring revenue", Measure.MONEY)
        block["items"] += _items(page, rows, currency, closing)
        kept = ("net_retention", f"Net retention of {currency}", Measure.RATE)
        block["items"] += _items(page, rows, currency, kept)
    return block


def _items(
    page: Page, rows: list[dict[str, Cell]], unit: str, shown: tuple[str, str, Measure]
) -> list[Block]:
    key, label, kind = shown
    now, before = rows[-1][key], rows[0][key] if len(rows) > 1 else None
    unit = unit if kind is Measure.MONEY else ""
    item = page.numbers.item(label, kind, now, unit)
    if kind is not Measure.RATE and now is not None and before is not None:
        delta = page.numbers.delta(kind, Decimal(now), Decimal(before), unit, "a month before")
        item["delta"] = delta
    return [item]


def _retention(page: Page) -> list[Block]:
    tables = estimated(page, _RETENTION, _selection(page)._replace(start=None))
    by_month = tables["cohorts"]
    if not by_month.rows:
        return [words(NOBODY)]
    return [
        *_heat_maps(page, cohorts(by_month)),
        *_drawn(page, survival(tables["survival"])),
        *_drawn(page, leaving_by_group(tables["groups"])),
        *_drawn(page, survival_by_group(tables["curves"])),
        page.numbers.table(tables["tests"]),
        *notes_of(page, tables["notes"]),
        *_heat_maps(page, cohorts(tables["revenue"])),
    ]


def _heat_maps(page: Page, charts: Iterable[Chart]) -> list[Block]:
    """Each over its table with the same colours."""
    return [
        page.numbers.chart(
            chart,
            with_heat(
                page.numbers.table(chart.table), chart.table, lambda key: key[1:].isdecimal()
            ),
        )
        for chart in charts
    ]


def notes_of(page: Page, notes: Table) -> list[Block]:
    """What an estimate rests on, and what it does not say, in sentences."""
    return [words(page.numbers.rewritten(str(text))) for (text,) in notes.rows]


def _growth(page: Page) -> list[Block]:
    tables = estimated(page, _GROWTH, _selection(page))
    months = tables["months"]
    if not months.rows:
        return [words("Nothing was traded in these days.")]
    return [
        *_drawn(page, trade_by_month(months)),
        *_drawn(page, growth(tables["line"], tables["exponent"])),
        page.numbers.table(tables["exponent"]),
    ]


def _drawn(page: Page, charts: Iterable[Chart]) -> list[Block]:
    """Pictures over their tables."""
    return [
        page.numbers.chart(chart, page.numbers.paged(chart.table, page.asked.page))
        for chart in charts
    ]


_FOUND: dict[str, Callable[[Page], list[Block]]] = {
    _PEOPLE: _people,
    _RETENTION: _retention,
    _GROWTH: _growth,
}
