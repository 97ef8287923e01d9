"""Plans whose later lines charge anew what was used: what a month in bulk needs of those before it.

bulk, 432.00 since 2026-01-01, a line of 2026-04-01   ->   uses of January to March, by day

The months since must have been booked with that line in the ledger, so that they kept the uses.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from beancount_compute.bulk.bulk_terms import BulkError, BulkTerms
from beancount_compute.bulk.folder.month_folder import about_month
from beancount_compute.economy import ZERO, Month, Terms, UsedInPeriod, quoted
from beancount_compute.economy.carried import Carried, running_period
from beancount_compute.economy.state import OverageBooked

_NOTED = "charged_anew"  # in month.json


def charged_anew_noted(bulk: BulkTerms) -> dict[str, Any]:
    """What a month's folder remembers of the plans of which it keeps the uses."""
    return {_NOTED: sorted(bulk.terms.charged_anew)} if bulk.terms.charged_anew else {}


def check_charged_anew(folder: Path, bulk: BulkTerms) -> None:
    """Raise `BulkError` where a line charges anew what an earlier month did not keep."""
    for name in sorted(bulk.terms.charged_anew):
        for line in bulk.terms.plans[name]:
            if line.overage_since is None or Month.of(line.since) != bulk.month:
                continue
            for month in Month.of(line.overage_since).to(bulk.month.previous):
                there = (folder / month.name).exists()
                if there and name not in about_month(folder / month.name).get(_NOTED, ()):
                    raise BulkError(
                        f"{line.place}: plan {quoted(name)} charges anew what was used since "
                        f"{line.overage_since}, and {month} was booked without this line: book "
                        f"{month} anew, and the months behind it"
                    )


def with_charged_anew(carried: Carried, terms: Terms) -> Carried:
    """The state with the running periods of such plans, also those that began without the line."""
    beyond = {**carried.beyond}
    for each in carried.subscriptions if terms.charged_anew else ():
        of = each.subscriber, each.plan
        if each.plan in terms.charged_anew and carried.last_day < each.period_end:
            first, end = running_period(terms, each, carried.last_day)
            if of not in beyond or beyond[of].end <= carried.last_day:
                beyond[of] = UsedInPeriod(f"{each.id}/{first}", first, end)
    return carried._replace(beyond=beyond)


def units_charged_anew(overage: OverageBooked | None, terms: Terms) -> OverageBooked | None:
    """The units of a use of an earlier month, where its plan is charged anew.

    Its charge is over and done with: nothing of it is worked out anew but that.
    """
    if overage is None or overage.month[1] not in terms.charged_anew:
        return None
    return OverageBooked(overage.month, ZERO, ZERO, overage.units)
