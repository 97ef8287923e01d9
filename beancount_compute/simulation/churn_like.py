"""The chance to leave like that of a ledger: by what was left over, and by tokens.

unused = [[0.2, 0.0], [0.5, 0.0125], ...]    ; added to `base`, the least chance of the bands
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from beancount_compute.insight.estimates import FEWEST_PEOPLE
from beancount_compute.simulation.assumption_fits import Fit, Hazards, fit_hazards
from beancount_compute.simulation.assumption_text import (
    NotFitted,
    Said,
    interval,
    number,
    pairs,
    share,
)
from beancount_compute.simulation.assumptions import MILLION, Assumptions
from beancount_compute.simulation.people import WholeNumbers
from beancount_compute.simulation.seen_economy import SeenPeriods


def churn_like(
    decided: SeenPeriods, usual: Assumptions, too_few: str, source: str, notes: NotFitted
) -> dict[str, Said]:
    """The keys of `[churn]`; the usual ones where there is too little to fit."""
    why = too_few
    if not why and not decided.left.any():
        why = "nobody has left yet"
    if why:
        source = notes.usual("`base`, `unused`, `tokens`", why)
        bands = [(share(end), share(added)) for end, added in usual.unused]
        return {
            "base": Said(share(usual.base), source),
            "unused": Said(pairs(bands), source),
            "tokens": Said(share(usual.tokens), source),
        }
    ends = np.array([end for end, _ in usual.unused]) / MILLION
    band = np.searchsorted(ends, decided.unused - 1e-9)
    untold = _untold_tokens(decided, band)
    part = 1 - usual.tokens / MILLION
    found = fit_hazards(band, decided.holds, decided.left, len(ends), not untold, part)
    chances = [*_chances(decided, band, found, usual, notes)]
    base = min(chances)
    several = zip(ends, chances, strict=True)
    bands = [(number(end), number(chance - base)) for end, chance in several]
    every = ", ".join(f"{fit.number:.4f} ({fit.low:.4f} to {fit.high:.4f})" for fit in found.bands)
    return {
        "base": Said(number(base), f"{source}: the least of the bands"),
        "unused": Said(pairs(bands), f"{source}; the chance of each, and 95 %: {every}"),
        "tokens": _tokens(found, usual, untold, source, notes),
    }


def _untold_tokens(decided: SeenPeriods, band: WholeNumbers) -> str:
    """Why it can't be told what tokens do; "" where it can."""
    if not decided.holds.any():
        return "nobody holds tokens"
    left = np.zeros(2, int)  # without and with, of bands that have both
    for at in np.unique(band):
        groups = [(band == at) & (decided.holds == held) for held in (False, True)]
        if all(group.any() for group in groups):
            left += [int(decided.left[group].sum()) for group in groups]
    if min(left) >= FEWEST_PEOPLE:
        return ""
    return (
        f"of those who left as much over, {left[1]} left with tokens and {left[0]} without; "
        f"{FEWEST_PEOPLE} of each are needed"
    )


def _chances(
    decided: SeenPeriods, band: WholeNumbers, found: Hazards, usual: Assumptions, notes: NotFitted
) -> Iterator[float]:
    """The chance of each band; of one with few the mean of all."""
    few = []
    for at, fit in enumerate(found.bands):
        if len(np.unique(decided.person[band == at])) >= FEWEST_PEOPLE:
            yield round(fit.number, 4)
        else:
            few.append(f"{usual.unused[at][0] / MILLION:.0%}")
            yield round(float(decided.left.mean()), 4)
    if few:
        notes.add(f"`unused` up to {', '.join(few)}: the mean of all, of too few subscribers")


def _tokens(found: Hazards, usual: Assumptions, untold: str, source: str, notes: NotFitted) -> Said:
    if found.tokens is None:
        return Said(share(usual.tokens), notes.usual("`tokens`", untold))
    less, most, least = (1 - each for each in found.tokens)
    if less <= 0:
        notes.add("`tokens`: who holds them leaves no less; taken as 0")
    return Said(number(max(0.0, less)), f"{source}{interval(Fit(less, least, most))}")
