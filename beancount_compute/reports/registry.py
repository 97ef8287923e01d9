"""All reports, by name."""

from __future__ import annotations

from beancount_compute.reports.aging import AGING
from beancount_compute.reports.bill_match import BILL_MATCH
from beancount_compute.reports.corrections import CORRECTIONS
from beancount_compute.reports.disclosure import disclosure
from beancount_compute.reports.economics import economics
from beancount_compute.reports.exposure import EXPOSURE
from beancount_compute.reports.figures import Report
from beancount_compute.reports.held_lots import LOTS
from beancount_compute.reports.margin import MARGIN
from beancount_compute.reports.market import MARKET
from beancount_compute.reports.release import RELEASE
from beancount_compute.reports.revenue import REVENUE
from beancount_compute.reports.rollforward import ROLLFORWARD
from beancount_compute.reports.statement import STATEMENT
from beancount_compute.reports.subscribers import SUBSCRIBERS
from beancount_compute.reports.two_bills import two_bills
from beancount_compute.reports.vintages import VINTAGES

REPORTS: dict[str, Report] = {
    report.name: report
    for report in (
        ROLLFORWARD,
        VINTAGES,
        LOTS,
        STATEMENT,
        REVENUE,
        MARKET,
        MARGIN,
        two_bills(),  # without a wished margin
        economics(),  # without displaced sales
        SUBSCRIBERS,
        AGING,
        EXPOSURE,
        BILL_MATCH,
        RELEASE,
        CORRECTIONS,
        disclosure(),  # without a forecast
    )
}
