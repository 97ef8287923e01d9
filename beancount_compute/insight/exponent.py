"""How volume grows with those who take part: the k of volume ~ participants^k.

    participants  10     20     40
    volume       100    400   1600      ->   k = 2

Fitted by least squares on logarithms. Two series that both grow with time seem to belong together
even where neither causes the other, so the exponent is fitted on their changes as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

_LEAST = 3  # points through which a line with an interval can be laid


class Exponent(NamedTuple):
    """An exponent with its interval, and by how many points."""

    k: float
    low: float
    high: float
    points: int

    def allows(self, k: float) -> bool:
        """Whether an exponent lies inside of the interval."""
        return self.low <= k <= self.high


class FittedVolume(NamedTuple):
    """What the exponent makes of so many participants, and the band of the line there."""

    volume: float
    low: float
    high: float


def of_levels(
    participants: Sequence[float], volume: Sequence[float], confidence: float = 0.95
) -> Exponent | None:
    """The exponent of the series themselves; None where they say nothing of one."""
    return _slope(*_logs(participants, volume), confidence)


def of_changes(
    participants: Sequence[float], volume: Sequence[float], confidence: float = 0.95
) -> Exponent | None:
    """The exponent of what changes from one month to the next, which no common trend can feign."""
    x, y = _logs(participants, volume)
    return _slope(np.diff(x), np.diff(y), confidence)


def line_of_levels(
    participants: Sequence[float], volume: Sequence[float], confidence: float = 0.95
) -> list[FittedVolume | None]:
    """The line of the exponent at each of the participants; None where there is none."""
    x, y = _logs(participants, volume)
    if len(x) < _LEAST or np.ptp(x) == 0:
        return [None] * len(participants)
    fitted = stats.linregress(x, y)
    spread = float(((x - x.mean()) ** 2).sum())
    rest = y - (fitted.intercept + fitted.slope * x)
    variance = float((rest**2).sum()) / (len(x) - 2)
    t = float(stats.t.ppf((1 + confidence) / 2, len(x) - 2))
    found: list[FittedVolume | None] = []
    for each in participants:
        if each <= 0:
            found.append(None)
            continue
        at = float(np.log(each))
        mean = float(fitted.intercept + fitted.slope * at)
        width = t * (variance * (1 / len(x) + (at - float(x.mean())) ** 2 / spread)) ** 0.5
        low, middle, high = (float(np.exp(mean + way * width)) for way in (-1, 0, 1))
        found.append(FittedVolume(middle, low, high))
    return found


def _logs(
    participants: Sequence[float], volume: Sequence[float]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    x, y = np.array(participants, float), np.array(volume, float)
    traded = (x > 0) & (y > 0)
    return np.log(x[traded]), np.log(y[traded])


def _slope(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], confidence: float
) -> Exponent | None:
    if len(x) < _LEAST or np.ptp(x) == 0:
        return None
    fitted = stats.linregress(x, y)
    width = float(stats.t.ppf((1 + confidence) / 2, len(x) - 2) * fitted.stderr)
    k = float(fitted.slope)
    return Exponent(k, k - width, k + width, len(x))
