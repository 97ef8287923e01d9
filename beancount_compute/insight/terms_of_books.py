"""The averages of the books that a break-even rests on, and those of draws of as many subscribers.

8 months watched, 1 left: churn 0.125; of those 6 of who neither traded nor held tokens 1: 0.1667
retention gain 0.0417, where anything was sold
"""

from __future__ import annotations

import numpy as np

from beancount_compute.insight.estimates import few
from beancount_compute.insight.months_of_subscribers import SubscriberSums, Summed, SummedRows
from beancount_compute.insight.regime_values import RegimeTerms

_DRAWS = 200


def terms_of(total: SummedRows, *, any_sold: bool = True) -> RegimeTerms:
    """The averages of some subscribers' sums; without a market nobody stays for it."""
    months = total[Summed.MONTHS]
    own_cost = total[Summed.COST] - total[Summed.OF_UNUSED]
    churn = _over(total, Summed.LEFT, Summed.WATCHED)
    bare = _over(total, Summed.LEFT_BARE, Summed.WATCHED_BARE)
    return RegimeTerms(
        margin=float((total[Summed.BILLED] + total[Summed.OVERAGE] - own_cost) / months),
        unused=_over(total, Summed.UNUSED, Summed.MONTHS),
        share=_over(total, Summed.SOLD, Summed.UNUSED),
        price=_over(total, Summed.GROSS, Summed.SOLD),
        fee=_over(total, Summed.FEES, Summed.GROSS),
        cost=_over(total, Summed.FORGONE_SOLD, Summed.SOLD),
        kept=_over(total, Summed.FORGONE_KEPT, Summed.UNUSED),
        churn=churn,
        gain=bare - churn if any_sold and total[Summed.WATCHED_BARE] else 0.0,
    )


def terms_of_all(found: SubscriberSums) -> RegimeTerms:
    """The averages of the books."""
    total = found.sums.sum(axis=0)
    return terms_of(total, any_sold=bool(total[Summed.GROSS]))


def _over(total: SummedRows, part: Summed, whole: Summed) -> float:
    return float(total[part] / total[whole]) if total[whole] > 0 else 0.0


def drawn_terms(found: SubscriberSums) -> list[RegimeTerms]:
    """The averages of draws of as many subscribers."""
    people = len(found.sums)
    if few(people, found.months_seen):
        return []
    dice = np.random.default_rng(np.random.SeedSequence([2, people]))
    drawn = (found.sums[dice.integers(0, people, people)].sum(axis=0) for _ in range(_DRAWS))
    any_sold = bool(found.sums[:, Summed.GROSS].any())
    return [terms_of(total, any_sold=any_sold) for total in drawn if total[Summed.MONTHS]]
