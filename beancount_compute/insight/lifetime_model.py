"""How long subscribers stay: the shifted beta-geometric model, fitted to who left and who didn't.

    age         1    2    3    4  ...     ; a renewal each
    left      369  163   86   56
    renewed   631  468  382  326

Each subscriber leaves at each renewal with a chance of his own; these chances are spread over the
subscribers by a beta distribution. Who leaves easily leaves early, so that retention rises with age
though nobody changes (Fader and Hardie, "How to project customer retention", 2007).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

Counts = npt.NDArray[np.int64]
_BOUNDS = np.log(1e-4), np.log(1e5)  # of alpha and beta
_MOST_STEPS, _LEAST_GAIN = 200, 1e-10


class Renewals(NamedTuple):
    """At each age, from 1: of those who could renew, who left and who did."""

    left: Counts
    renewed: Counts


class RenewalsSeen(NamedTuple):
    """Renewals one by one: whose, at which age, and whether they left."""

    person: Counts  # from 0
    age: Counts  # from 1
    left: npt.NDArray[np.bool_]

    def counted(self, weights: Counts | None = None) -> Renewals:
        """How many they are at each age; each person so many times."""
        times = None if weights is None else weights[self.person]
        length = int(self.age.max(initial=0)) + 1
        every = np.bincount(self.age, times, length)[1:].astype(np.int64)
        gone = np.bincount(self.age[self.left], None if times is None else times[self.left], length)
        left = gone[1:].astype(np.int64)
        return Renewals(left, every - left)

    def resampled(self, dice: np.random.Generator) -> Renewals:
        """The same of as many people, drawn from these with replacement: one of a bootstrap."""
        people = int(self.person.max(initial=-1)) + 1
        return self.counted(np.bincount(dice.integers(0, people, people), minlength=people))


class LifetimeModel(NamedTuple):
    """A fitted model: chances to leave at a renewal are spread as beta(alpha, beta)."""

    alpha: float
    beta: float
    log_likelihood: float

    def survival(self, age: float | Counts) -> npt.NDArray[np.float64]:
        """The share of those who stay after so many renewals, of 1."""
        alpha, beta = self.alpha, self.beta
        shares: npt.NDArray[np.float64] = np.exp(
            special.betaln(alpha, beta + np.asarray(age, float)) - special.betaln(alpha, beta)
        )
        return shares

    def remaining(self, age: int, discount: float) -> float:
        """Renewals to come of a subscriber who renewed `age` times, each discounted by a period.

        "Discounted expected residual lifetime" (Fader and Hardie, 2010), before the next renewal is
        known; `discount` is per period and above zero, as without it the sum may have no end.
        """
        alpha, beta = self.alpha, self.beta + age
        first = beta / (alpha + beta)
        return float(first * special.hyp2f1(1, beta + 1, alpha + beta + 1, 1 / (1 + discount)))


def fit_lifetime(renewals: Renewals, near: LifetimeModel | None = None) -> LifetimeModel | None:
    """The likeliest model; None where nobody left, or nobody renewed: nothing to tell it by.

    The search begins at a model that is `near`, where one is known.
    """
    if not renewals.left.sum() or not renewals.renewed.sum():
        return None
    starts = [np.log(near[:2])] if near else [np.zeros(2), np.array([0.0, 2.0])]
    return max((_climb(start, renewals) for start in starts), key=lambda each: each.log_likelihood)


def _climb(logs: npt.NDArray[np.float64], renewals: Renewals) -> LifetimeModel:
    """The top from some log alpha and log beta on, by Newton's steps: shorter ones where need be.

    Chances that are all alike have no top: alpha and beta grow until they can be told no longer.
    """
    best, slope, bend = _likelihood(logs, renewals)
    shorter = 1e-3
    for _ in range(_MOST_STEPS):
        step = np.linalg.solve(shorter * np.eye(2) * max(1.0, np.abs(bend).max()) - bend, slope)
        trial = np.clip(logs + np.clip(step, -2, 2), *_BOUNDS)
        found, *around = _likelihood(trial, renewals)
        if found >= best:
            gained, logs, best, (slope, bend) = found - best, trial, found, around
            if gained < _LEAST_GAIN and shorter < 1e-2:
                break
            shorter /= 10
        else:
            shorter *= 10
            if shorter > 1e9:
                break
    alpha, beta = (float(each) for each in np.exp(logs))
    return LifetimeModel(alpha, beta, best)


def _likelihood(
    logs: npt.NDArray[np.float64], renewals: Renewals
) -> tuple[float, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Of log alpha and log beta: log-likelihood, its slope and how the slope bends.

    At age t a subscriber leaves with the chance alpha / (alpha + beta + t - 1).
    """
    alpha, beta = np.exp(logs)
    left, renewed = renewals
    stays = beta + np.arange(len(left))
    both = alpha + stays
    at_risk = left + renewed
    value = float(left @ np.log(alpha / both) + renewed @ np.log(stays / both))
    gone, one, two = left.sum(), at_risk @ (1 / both), at_risk @ (1 / both**2)
    slope = np.array([gone / alpha - one, renewed @ (1 / stays) - one])
    bend = np.array([[two - gone / alpha**2, two], [two, two - renewed @ (1 / stays**2)]])
    scale = np.array([alpha, beta])
    return value, scale * slope, bend * np.outer(scale, scale) + np.diag(scale * slope)
