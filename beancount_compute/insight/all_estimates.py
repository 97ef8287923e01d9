"""All reports of estimates, by name."""

from __future__ import annotations

from beancount_compute.insight.estimates import Estimate
from beancount_compute.insight.forecast import FORECAST
from beancount_compute.insight.growth import GROWTH
from beancount_compute.insight.lifetime import lifetime
from beancount_compute.insight.retention import RETENTION

INSIGHTS: dict[str, Estimate] = {
    each.name: each
    for each in (
        RETENTION,
        lifetime(),  # by the usual discount
        GROWTH,
        FORECAST,
    )
}
