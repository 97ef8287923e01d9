"""Draws of months to come: months of the past, replayed.

    past 1 2 3 4 5 6   ->   as it might have been 4 5 6 1 2 3   ->   four months to come 5 6 1 2

Each draw makes a past of blocks of three months in a row, drawn with replacement, for the one that
was is one of many; then months to come of blocks of that (a moving-block bootstrap, twice: how far
off the past's average is, and how far from it the months to come are). What is of an age in a month
to come does as the vintage did that was as old in the month that is replayed: vintages that share a
month share its fate, as they did. Where that vintage was not seen, the next one of the draw stands
in that was.

The same seed gives the same draws on any machine. Draws of few months spread too little: intervals
are stretched as Student's t is beside the normal distribution, for as many vintages as were seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from beancount_compute.insight.going_on import Draws
from beancount_compute.insight.vintage_flows import AgedFlows

SEED, DRAWS = 16, 400
_FAR = 25  # months to come; what is further off is drawn from the months behind the last of these
_BLOCK = 3  # months that are replayed in a row
_LOW, _HIGH = 0.025, 0.975


PlacesDrawn = npt.NDArray[np.int64]


class MonthsReplayed(NamedTuple):
    """Which months of the past are replayed in each draw."""

    first: int  # the first month of the past; the last one is 0
    past: (
        PlacesDrawn  # of each draw the past that might have been: months counted from the first one
    )
    ahead: PlacesDrawn  # of each draw and month to come, a place in that past

    @classmethod
    def drawn(cls, first: int, draws: int = DRAWS, seed: int = SEED) -> MonthsReplayed:
        """Draw them from the months since the first one."""
        dice = np.random.default_rng(np.random.SeedSequence(seed))
        months = 1 - first
        past, ahead = (_blocks(dice, draws, wanted, months) for wanted in (months, _FAR))
        return cls(first, past, ahead)

    @property
    def months(self) -> int:
        """How many there are."""
        return 1 - self.first


def _blocks(dice: np.random.Generator, draws: int, wanted: int, months: int) -> PlacesDrawn:
    """PlacesDrawn among so many months, in blocks in a row."""
    begun = dice.integers(0, months, (draws, wanted))
    found = begun.copy()
    for at in range(1, wanted):
        following = found[:, at - 1] + 1
        goes_on = (following < months) & (at % _BLOCK != 0)
        found[:, at] = np.where(goes_on, following, begun[:, at])
    return found


class DrawnRates:
    """The rates of one origin's vintages in each draw."""

    def __init__(self, seen: Mapping[tuple[int, int], AgedFlows], replayed: MonthsReplayed) -> None:
        self._replayed = replayed
        self._rates: dict[int, Draws] = {}  # by age: what, month
        self._seen: dict[int, npt.NDArray[np.bool_]] = {}
        self._in_draws: dict[int, PlacesDrawn] = {}
        for (month, age), flows in seen.items():
            rates = self._rates.setdefault(age, np.zeros((3, replayed.months)))
            rates[:, month - replayed.first] = [float(rate) for rate in flows.rates()]
            there = self._seen.setdefault(age, np.zeros(replayed.months, bool))
            there[month - replayed.first] = True

    def vintages(self, age: int) -> int:
        """How many vintages were seen at an age."""
        return int(self._seen[age].sum()) if age in self._seen else 0

    def at(self, ahead: int, age: int) -> tuple[Draws, Draws, Draws] | None:
        """The rates in a month to come of what is of an age then."""
        if age not in self._rates:
            return None
        if age not in self._in_draws:
            self._in_draws[age] = self._stand_ins(self._seen[age])
        places = self._replayed.ahead[:, min(ahead, _FAR) - 1]
        months = self._in_draws[age][np.arange(len(places)), places]
        used, otherwise, sold = self._rates[age][:, months]
        return used, otherwise, sold

    def _stand_ins(self, seen: npt.NDArray[np.bool_]) -> PlacesDrawn:
        """The past of each draw, each month where nothing was seen replaced by the next one."""
        past = self._replayed.past
        known = seen[past]
        whole = np.where(known, past, np.flatnonzero(seen)[-1])  # should the draw have none at all
        behind = whole[:, 0]
        for at in [*range(past.shape[1])[::-1]] * 2:  # twice: behind the last one is the first
            behind = np.where(known[:, at], past[:, at], behind)
            whole[:, at] = behind
        return whole


def interval_of(
    expected: float, drawn: Draws, vintages: int, most: float | None
) -> tuple[float, float]:
    """The interval of 95 % of a figure, by its draws; `most` is what it can't be above.

    Blocks out of n months vary by the square root of (n - block) / n too little, one more month
    than n by that of (n + 1) / n more, and n tell their spread only so well.
    """
    known = vintages - _BLOCK
    stretched = stats.t.ppf(_HIGH, known) / stats.norm.ppf(_HIGH)
    stretched *= np.sqrt((vintages + 1) / known)
    low, high = np.quantile(drawn, (_LOW, _HIGH)) - drawn.mean()
    low, high = expected + low * stretched, expected + high * stretched
    low, high = min(low, expected), max(high, expected)
    return max(float(low), 0.0), float(high) if most is None else min(float(high), most)
