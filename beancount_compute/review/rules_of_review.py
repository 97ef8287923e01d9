"""The kinds of findings, a row each: what is looked for, and by which rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from beancount_compute.review.alike import alike
from beancount_compute.review.circles import circles, related
from beancount_compute.review.finding import Finding
from beancount_compute.review.late import late
from beancount_compute.review.looked_at import LookedAt
from beancount_compute.review.missing import no_event_of_a_kind, no_events_at_all, no_file
from beancount_compute.review.moved_on import moved_on
from beancount_compute.review.openings import NO_OPENING_LOT, no_opening_lot, no_plan
from beancount_compute.review.prices import out_of_band
from beancount_compute.review.refused_in_bulk import refused_in_bulk
from beancount_compute.review.tiers import several_prices
from beancount_compute.review.unpaid import never_paid


class RuleOfReview(NamedTuple):
    """A kind of finding: `rule` gives those of a month."""

    kind: str
    looks_for: str
    rule: Callable[[LookedAt, str], Iterator[Finding]]
    month_is_over: bool = False  # it says nothing of a month that is not over


RULES: tuple[RuleOfReview, ...] = (
    RuleOfReview("price", "a trade far from the median of the 30 days before", out_of_band),
    RuleOfReview("related", "trades between related subscribers", related),
    RuleOfReview("circle", "units that come back to who sold them", circles),
    RuleOfReview("empty-month", "a month without any event", no_events_at_all, True),
    RuleOfReview("no-event", "a kind of event that stopped coming", no_event_of_a_kind, True),
    RuleOfReview("no-file", "a series of files that stopped coming", no_file, True),
    RuleOfReview("name", "a name that looks like another", alike),
    RuleOfReview("label", "opening lots whose label names no plan", no_plan),
    RuleOfReview(NO_OPENING_LOT, "a running period without its opening lot", no_opening_lot),
    RuleOfReview("unpaid", "breakage on what was never paid", never_paid),
    RuleOfReview("tiers", "a period whose use was charged at several prices", several_prices),
    RuleOfReview("moved-on", "charged back or written off, and sold before", moved_on),
    RuleOfReview("refused", "refused events of a month in bulk", refused_in_bulk),
    RuleOfReview("late", "events of months that were closed", late),
)
WHEN_OVER = frozenset(rule.kind for rule in RULES if rule.month_is_over)
