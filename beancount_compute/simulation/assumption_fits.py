"""What can be told of an economy by numbers: fits with their intervals of 95 %.

    left    at decisions                     chance to leave
    12      600 with up to 20 % left over    0.0200   0.0114 to 0.0352
    31      620 with up to 50 %              0.0500 ...

Only arrays come in, so that the same fits are tried on economies whose truth is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from beancount_compute.insight.survival import Numbers
from beancount_compute.simulation.people import WholeNumbers
from beancount_compute.simulation.seen_economy import SeenMonths

_Z = float(stats.norm.ppf(0.975))
_WIDEST = 100.0  # of a logarithm: nothing is told, and nothing overflows
_STEPS = 100  # of searches that end much earlier
PERCENTILES = np.linspace(0, 1, 11)


class Fit(NamedTuple):
    """A number with its interval."""

    number: float
    low: float
    high: float


class Hazards(NamedTuple):
    """The chance to leave, by bands of what is left over, without tokens."""

    bands: tuple[Fit, ...]
    tokens: Fit | None  # what a balance leaves of that chance; None where it can't be told


def fit_hazards(
    band: WholeNumbers,
    holds: npt.NDArray[np.bool_],
    left: npt.NDArray[np.bool_],
    bands: int,
    told: bool,
    usual: float,
) -> Hazards:
    """Chances to leave at a decision, by its band: those of who holds tokens are a part of it.

    That part is fitted where it can be `told`, else it is the `usual` one. By likelihood, with
    intervals of Fisher's information on the scale of logarithms; a band in which nobody left goes
    up to three of its decisions.
    """
    decisions = np.array([np.bincount(band[holds == held], minlength=bands) for held in (0, 1)])
    leaving = np.array(
        [np.bincount(band[left & (holds == held)], minlength=bands) for held in (0, 1)]
    )
    part = 1.0 if told else usual
    for _ in range(_STEPS):
        exposed = decisions[0] + part * decisions[1]
        chance = leaving.sum(axis=0) / np.maximum(exposed, 1e-9)
        expected = (chance * decisions[1]).sum()
        before, part = part, leaving[1].sum() / expected if told and expected else part
        if abs(part - before) < 1e-9:
            break
    spread, of_part = _spreads(chance * decisions[0], chance * part * decisions[1], told)
    fits = []
    for at in range(bands):
        if leaving[:, at].sum():
            fits.append(Fit(*[min(1.0, each) for each in _on_logs(chance[at], spread[at])]))
        else:
            fits.append(Fit(0.0, 0.0, float(min(1.0, 3 / max(exposed[at], 1)))))
    return Hazards(tuple(fits), _on_logs(part, of_part) if told else None)


def _spreads(free: Numbers, holding: Numbers, told: bool) -> tuple[Numbers, float]:
    """The standard errors of the logarithms of all bands, and of the part of who holds tokens."""
    of_band = np.maximum(free + holding, 1e-9)
    variance = 1 / of_band
    if not told:
        return np.sqrt(variance), 0.0
    of_part = 1 / max(float((holding - holding**2 / of_band).sum()), 1e-9)
    return np.sqrt(variance + (holding / of_band) ** 2 * of_part), float(np.sqrt(of_part))


def _on_logs(number: float, spread: float) -> Fit:
    width = float(np.exp(_Z * min(spread, _WIDEST)))
    return Fit(float(number), float(number) / width, float(number) * width)


def fit_arrivals(months: SeenMonths) -> Fit | None:
    """Who comes in a month, of those who are there; None where nobody is there to begin with.

    The interval is by how the months differ from that, with Student's quantiles.
    """
    there, came = months
    base, count = int(there.sum()), len(there)
    if not base or count < 2:
        return None
    number = came.sum() / base
    squares = float(((came - number * there) ** 2).sum()) * count / (count - 1)
    width = float(stats.t.ppf(0.975, count - 1)) * np.sqrt(squares) / base
    return Fit(float(number), float(max(0.0, number - width)), float(number + width))


def fit_season(person: WholeNumbers, month: WholeNumbers, wanted: Numbers) -> Numbers:
    """What each month of the year is of a subscriber's own mean; 1 on average of those seen."""
    season = np.ones(12)
    seen = np.bincount(month, minlength=12) > 0
    for _ in range(_STEPS):
        own = np.bincount(person, wanted) / np.maximum(np.bincount(person, season[month]), 1e-9)
        expected = np.bincount(month, own[person], 12)
        found = np.where(seen, np.bincount(month, wanted, 12) / np.maximum(expected, 1e-9), 0)
        if not found.any():
            break
        found = np.where(seen, found / found[seen].mean(), 1)
        done = float(np.abs(found - season).max()) < 1e-9
        season = found
        if done:
            break
    return season


def fit_curve(person: WholeNumbers, wanted: Numbers) -> Numbers:
    """What is wanted at the 0th, 10th ... 100th percentile; each person counts alike.

    Else those who stay long would weigh more than those who come.
    """
    order = np.argsort(wanted, kind="stable")
    weight = _weights(person)[order]
    return np.interp(PERCENTILES, _places(weight), wanted[order])


def fit_swing(person: WholeNumbers, wanted: Numbers) -> float:
    """By how many percentiles a month is above or below a subscriber's own, at most.

    The spread of even chances from -s to s is s squared by 3.
    """
    order = np.argsort(wanted, kind="stable")
    place = np.empty(len(wanted))
    place[order] = _places(_weights(person)[order])
    times = np.bincount(person)
    own = np.bincount(person, place) / np.maximum(times, 1)
    squares = float(((place - own[person]) ** 2).sum())
    free = int((times[times > 0] - 1).sum())
    return float(min(1.0, np.sqrt(3 * squares / free))) if free else 0.0


def _weights(person: WholeNumbers) -> Numbers:
    weights: Numbers = 1 / np.bincount(person)[person]
    return weights


def _places(weights: Numbers) -> Numbers:
    """The percentile of each, in the middle of its own weight."""
    places: Numbers = (np.cumsum(weights) - weights / 2) / weights.sum()
    return places


def fit_days(days: Sequence[int] | WholeNumbers, most: int = 28) -> int:
    """The mean number of uses that falls on so many different days of a month, on average.

    There are 1 to 2 n - 1 uses, each as likely, on days of 30 by chance.
    """
    seen = float(np.mean(days))
    expected = [
        30 * (1 - np.mean((29 / 30) ** np.arange(1, 2 * mean))) for mean in range(1, most + 1)
    ]
    return int(np.argmin(np.abs(np.array(expected) - seen))) + 1


def fit_range(shares: Numbers) -> tuple[float, float]:
    """Between which prices nine in ten lie."""
    low, high = np.quantile(shares, [0.05, 0.95])
    return float(low), float(high)
