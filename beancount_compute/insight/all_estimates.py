"""All reports of estimates, by name."""

from __future__ import annotations

from decimal import Decimal

from beancount_compute.economy import ZERO
from beancount_compute.insight.breakeven import MONTHS, breakeven
from beancount_compute.insight.estimates import Estimate
from beancount_compute.insight.forecast import FORECAST
from beancount_compute.insight.growth import GROWTH
from beancount_compute.insight.lifetime import DISCOUNT, lifetime
from beancount_compute.insight.retention import RETENTION

INSIGHTS: dict[str, Estimate] = {
    each.name: each
    for each in (
        RETENTION,
        lifetime(),  # by the usual discount
        GROWTH,
        FORECAST,
        breakeven(),  # over a year, by the usual discount, without displaced sales
    )
}


def with_options(
    name: str, discount: Decimal | None, horizon: int | None, displaced: Decimal | None
) -> Estimate:
    """The report of that name with the options that it has; None for those that are not given."""
    if name == "lifetime" and discount is not None:
        return lifetime(discount)
    if name == "breakeven":
        rate, months = DISCOUNT if discount is None else discount, horizon or MONTHS
        return breakeven(rate, months, displaced or ZERO)
    return INSIGHTS[name]
