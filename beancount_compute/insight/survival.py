"""Who is still there after so many months: Kaplan-Meier's curve, and whether groups differ.

    age   at risk   left    stay   95 % band
      1       163      0   1.000
      6       163      1   0.994   0.957 to 0.999

Those who are still there are not finished: they count as long as they were seen ("censored").
Bands are log-log ones, which stay between 0 and 1 (Kalbfleisch and Prentice).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

CONFIDENCE = 0.95
Numbers = npt.NDArray[np.float64]


class Stay(NamedTuple):
    """Until which age somebody was seen, and whether that ended because he left.

    `since` is the age after which he was: who is watched later, or changes his group, is not at
    risk before.
    """

    age: float
    left: bool
    since: float = 0


class CurvePoint(NamedTuple):
    """A point of the curve, at an age at which somebody left."""

    age: float
    at_risk: int
    left: int
    share: float  # who are still there, of 1
    low: float
    high: float


class LogRank(NamedTuple):
    """The test that all groups leave alike: a small `p` says that they don't."""

    chi_squared: float
    degrees: int
    p: float


def kaplan_meier(stays: Sequence[Stay], confidence: float = CONFIDENCE) -> list[CurvePoint]:
    """The share of those who stay, at each age at which somebody left."""
    z = float(stats.norm.ppf((1 + confidence) / 2))
    share, variance = 1.0, 0.0  # the variance is Greenwood's sum
    points = []
    for age, at_risk, left in _left_at(stays):
        share *= 1 - left / at_risk
        if at_risk > left:
            variance += left / (at_risk * (at_risk - left))
        points.append(CurvePoint(age, at_risk, left, share, *_band(share, variance, z)))
    return points


def share_after(curve: Sequence[CurvePoint], age: float) -> CurvePoint | None:
    """The point that holds at an age; None before anybody left."""
    before = [point for point in curve if point.age <= age]
    return before[-1] if before else None


def median_stay(curve: Sequence[CurvePoint]) -> float | None:
    """The age at which half of them have left; None where more than half stay."""
    return next((point.age for point in curve if point.share <= 0.5), None)


def log_rank(groups: Mapping[str, Sequence[Stay]]) -> LogRank | None:
    """Whether groups leave alike (Mantel's test); None for fewer than two that have anybody."""
    several = [stays for _, stays in sorted(groups.items()) if stays]
    if len(several) < 2:
        return None
    ages = sorted({each.age for stays in several for each in stays if each.left})
    differs = np.zeros(len(several))
    covariance = np.zeros((len(several), len(several)))
    at_risk_of = np.array([_at_risk(stays, ages) for stays in several])
    left_of = np.array([_left(stays, ages) for stays in several])
    for at_risk, left in zip(at_risk_of.T, left_of.T, strict=True):
        of_all, all_left = at_risk.sum(), left.sum()
        share = at_risk / of_all
        differs += left - all_left * share
        if of_all > 1:
            spread = all_left * (of_all - all_left) / (of_all - 1)
            covariance += spread * (np.diag(share) - np.outer(share, share))
    degrees = len(several) - 1
    rank = np.linalg.matrix_rank(covariance)
    if rank < degrees:  # somebody's group was never at risk beside another
        return None
    inner = covariance[:degrees, :degrees]
    chi_squared = float(differs[:degrees] @ np.linalg.solve(inner, differs[:degrees]))
    return LogRank(chi_squared, degrees, float(stats.chi2.sf(chi_squared, degrees)))


def _left_at(stays: Sequence[Stay]) -> list[tuple[float, int, int]]:
    """Each age at which somebody left, how many were at risk, and how many left."""
    ages = sorted({each.age for each in stays if each.left})
    return list(zip(ages, _at_risk(stays, ages).tolist(), _left(stays, ages).tolist(), strict=True))


def _at_risk(stays: Sequence[Stay], ages: Sequence[float]) -> npt.NDArray[np.int64]:
    """How many were there until each age, those included who were last seen then."""
    seen = np.sort(np.array([each.age for each in stays], float))
    begun = np.sort(np.array([each.since for each in stays], float))
    wanted = np.array(ages, float)
    counted: npt.NDArray[np.int64] = np.searchsorted(begun, wanted) - np.searchsorted(seen, wanted)
    return counted


def _left(stays: Sequence[Stay], ages: Sequence[float]) -> npt.NDArray[np.int64]:
    gone = np.sort(np.array([each.age for each in stays if each.left], float))
    found = np.array(ages, float)
    counted: npt.NDArray[np.int64] = np.searchsorted(gone, found, "right") - np.searchsorted(
        gone, found
    )
    return counted


def _band(share: float, variance: float, z: float) -> tuple[float, float]:
    if share in (0, 1):
        return share, share
    width = z * np.sqrt(variance) / np.log(share)
    return float(share ** np.exp(-width)), float(share ** np.exp(width))
