"""Pictures of reports, as plain Plotly figures: the close pack and Fava draw the very same ones.

    deferred_revenue(table)  ->  [Chart("deferred-revenue-USD", title, table, figure, caption)]

A figure is a dictionary of `data` and `layout` for Plotly, which nothing here imports. It holds
binary fractions, for drawing only; every figure that counts stands in the chart's table. It sets no
background and no colour of text: the page gives both, light or dark.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from types import MappingProxyType

from beancount_compute.reports.books import Books, NotInBulk, Selection
from beancount_compute.reports.charts.beside_books import scenario_by_month, scenarios_by_figure
from beancount_compute.reports.charts.by_vintage import release, vintages
from beancount_compute.reports.charts.flow import unit_flow
from beancount_compute.reports.charts.money import (
    breakage_or_market,
    by_age,
    deferred_revenue,
    forward_release,
    income,
)
from beancount_compute.reports.charts.of_bills import exposed_to, margin_by_month, price_and_bills
from beancount_compute.reports.charts.of_forecast import forecast
from beancount_compute.reports.charts.of_growth import growth, trade_by_month
from beancount_compute.reports.charts.of_people import recurring_revenue, subscribers_by_month
from beancount_compute.reports.charts.of_retention import (
    cohorts,
    leaving_by_group,
    survival,
    survival_by_group,
)
from beancount_compute.reports.charts.traces import Chart, Drawing, only
from beancount_compute.reports.charts.trading import break_even, fees_and_take_rate, market
from beancount_compute.reports.economics import economics
from beancount_compute.reports.figures import Report
from beancount_compute.reports.intervals import Interval
from beancount_compute.reports.market import MARKET
from beancount_compute.reports.release import RELEASE
from beancount_compute.reports.revenue import REVENUE
from beancount_compute.reports.rollforward import ROLLFORWARD, deferred_by
from beancount_compute.reports.subscribers import SUBSCRIBERS
from beancount_compute.reports.tables import Table
from beancount_compute.reports.vintages import VINTAGES

__all__ = [
    "Chart",
    "Drawing",
    "break_even",
    "breakage_or_market",
    "by_age",
    "charts",
    "cohorts",
    "deferred_revenue",
    "exposed_to",
    "fees_and_take_rate",
    "forecast",
    "forward_release",
    "growth",
    "income",
    "leaving_by_group",
    "margin_by_month",
    "market",
    "price_and_bills",
    "recurring_revenue",
    "release",
    "scenario_by_month",
    "scenarios_by_figure",
    "subscribers_by_month",
    "survival",
    "survival_by_group",
    "trade_by_month",
    "unit_flow",
    "vintages",
]


def charts(
    books: Books, selection: Selection, known: Mapping[str, Table] = MappingProxyType({})
) -> list[Chart]:
    """All pictures: over time up to the selection's last day, the flow of units within its days.

    `known` are tables that were worked out already, such as "vintages-recognised" up to that day
    and "rollforward-units-by-pocket" within those days.
    """
    to_date = selection._replace(start=None)

    def table(report: Report, name: str, days: Selection = to_date) -> Table:
        ready = known.get(f"{report.name}-{name}")
        return ready or only(report.tables(books, days, name))

    return [
        *deferred_revenue(deferred_by(books, to_date, Interval.MONTH)),
        *forward_release(table(RELEASE, "by-month")),
        *income(only(REVENUE.tables(books, to_date, "by-month"))),
        *unit_flow(table(ROLLFORWARD, "units-by-pocket", selection)),
        *market(only(MARKET.tables(books, to_date, "by-day"))),
        *vintages(table(VINTAGES, "recognised")),
        *_breakage_or_market(table),
        *_people(table),
    ]


def _people(table: Callable[[Report, str], Table]) -> list[Chart]:
    """None of months in bulk, which hold no single subscription."""
    with suppress(NotInBulk):
        by_month, recurring = (table(SUBSCRIBERS, name) for name in ("people", "recurring"))
        return [*subscribers_by_month(by_month), *recurring_revenue(recurring)]
    return []


def _breakage_or_market(table: Callable[[Report, str], Table]) -> list[Chart]:
    """None of months in bulk, which follow no unit from hand to hand."""
    with suppress(NotInBulk):
        return breakage_or_market(table(economics(), "money-by-month"))
    return []
