"""Fits by hand, and on simulated economies: their intervals hold the truth that made them."""

from __future__ import annotations

import numpy as np
import pytest

from beancount_compute.simulation.assumption_fits import (
    fit_arrivals,
    fit_curve,
    fit_days,
    fit_hazards,
    fit_range,
    fit_season,
    fit_swing,
)
from beancount_compute.simulation.assumptions import MILLION, read_assumptions, usual_text
from beancount_compute.simulation.seen_economy import SeenMonths
from beancount_compute.simulation.simulated_months import Regime
from tests.simulation.watched_people import watched

USUAL = read_assumptions(usual_text())
ENDS = np.array([end for end, _ in USUAL.unused]) / MILLION


def numbers(*several: int) -> np.ndarray:
    return np.array(several, np.int64)


def cells(*several: tuple[int, bool, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bands, who holds tokens and who left, of so many decisions and so many who left."""
    band, holds, left = [], [], []
    for of, held, decided, gone in several:
        band += [of] * decided
        holds += [held] * decided
        left += [True] * gone + [False] * (decided - gone)
    return numbers(*band), np.array(holds), np.array(left)


def test_without_tokens_a_chance_is_who_left_of_who_decided() -> None:
    """4 of 200 and 9 of 150; exp(1.96 / sqrt(4)) is 2.664. In the third nobody of 60 left."""
    found = fit_hazards(
        *cells((0, False, 200, 4), (1, False, 150, 9), (2, False, 60, 0)), 3, False, 0.5
    )
    assert [fit.number for fit in found.bands] == pytest.approx([0.02, 0.06, 0])
    assert found.bands[0][1:] == pytest.approx((0.02 / 2.6643, 0.02 * 2.6643), rel=1e-4)
    assert found.bands[2] == (0, 0, 0.05) and found.tokens is None


def test_tokens_take_their_part_of_the_chance() -> None:
    """10 of 100 leave without tokens, 5 of 100 with them; of the second band all hold."""
    some = cells((0, False, 100, 10), (0, True, 100, 5), (1, True, 200, 8))
    told = fit_hazards(*some, 2, True, 0.9)
    assert told.tokens is not None and told.tokens.number == pytest.approx(0.5)
    assert [fit.number for fit in told.bands] == pytest.approx([0.1, 0.08])
    # the logarithm of a ratio of 5 and 10: sqrt(1/5 + 1/10)
    assert told.tokens.high == pytest.approx(0.5 * np.exp(1.96 * np.sqrt(0.3)), rel=1e-3)
    # nobody with tokens left: the part is 0, and its interval tells nothing
    none = fit_hazards(*cells((0, False, 9, 1), (0, True, 9, 0)), 1, True, 0.5)
    assert none.tokens is not None and none.tokens.number == 0 and np.isfinite(none.tokens.high)
    untold = fit_hazards(*some, 2, False, 0.4)
    assert untold.tokens is None and untold.bands[1].number == pytest.approx(0.1)


def test_arrivals_are_those_who_came_of_those_who_were_there() -> None:
    """10 of 100 and 6 of 100: 8 %; they differ by 2 each, Student's 12.706 for one degree."""
    found = fit_arrivals(SeenMonths(numbers(100, 100), numbers(10, 6)))
    assert found is not None and found.number == 0.08
    assert found.high == pytest.approx(0.08 + 12.7062 * np.sqrt(8 * 2) / 200, rel=1e-4)
    assert found.low == 0
    assert fit_arrivals(SeenMonths(numbers(0, 0), numbers(5, 5))) is None
    assert fit_arrivals(SeenMonths(numbers(9), numbers(1))) is None


def test_a_season_is_told_from_who_is_there() -> None:
    """Wants of 1 and 3, and half as much in every month but the first two; one came late."""
    person = numbers(*[0] * 12, *[1] * 10)
    month = numbers(*range(12), *range(2, 12))
    season = np.where(np.arange(12) < 2, 1.0, 0.5)
    wanted = np.where(person == 0, 1.0, 3.0) * season[month]
    assert fit_season(person, month, wanted) == pytest.approx(season / season.mean())
    assert fit_season(person, month, np.zeros(22)).tolist() == [1] * 12
    # of March and April alone: one wants 1 and 3, so that they are a half and one and a half
    some = fit_season(numbers(0, 0), numbers(2, 3), np.array([1.0, 3.0]))
    assert some.tolist() == pytest.approx([1, 1, 0.5, 1.5] + [1] * 8)


def test_a_curve_counts_each_person_alike() -> None:
    """One wants 0 in a single month, another 1 in nine: the middle lies between them."""
    person, wanted = numbers(0, *[1] * 9), np.array([0.0] + [1.0] * 9)
    curve = fit_curve(person, wanted)
    assert curve[0] == 0 and curve[-1] == 1 and 0.4 < curve[5] < 1
    assert list(curve) == sorted(curve)


def test_who_never_changes_has_no_swing() -> None:
    person = np.repeat(np.arange(10), 4)
    assert fit_swing(person, np.repeat(np.arange(10.0), 4)) < 0.07  # within their own weight
    assert fit_swing(np.arange(10), np.arange(10.0)) == 0  # one month each tells nothing


def test_days_are_told_by_how_many_differ() -> None:
    """Of 1 to 19 uses in a month on days of 30 by chance, 8.1 days differ: 10 on average."""
    dice = np.random.default_rng(1)
    uses = dice.integers(1, 20, 4000)
    days = numbers(*[len({*dice.integers(0, 30, count).tolist()}) for count in uses])
    assert fit_days(days) == 10
    assert fit_days(numbers(1, 1)) == 1


def test_a_range_holds_nine_in_ten() -> None:
    assert fit_range(np.arange(101) / 100) == (0.05, 0.95)


def test_intervals_hold_what_made_the_economies() -> None:
    """Of 100 seeds, 90 to 99 intervals hold: four chances to leave, tokens' part, arrivals."""
    truth = [(USUAL.base + added) / MILLION for _, added in USUAL.unused]
    held = np.zeros(6, int)
    for seed in range(100):
        periods, months = watched(USUAL, Regime.MARKET, 250, 9, seed)
        decided = periods.decided
        band = np.searchsorted(ENDS, decided.unused - 1e-9)
        found = fit_hazards(band, decided.holds, decided.left, 4, True, 1.0)
        arrivals = fit_arrivals(months)
        assert found.tokens is not None and arrivals is not None
        of_all = [*found.bands, found.tokens, arrivals]
        for at, (fit, true) in enumerate(
            zip(of_all, [*truth, USUAL.tokens / MILLION, USUAL.arrivals / MILLION], strict=True)
        ):
            held[at] += fit.low <= true <= fit.high
    assert (held >= 90).all() and (held <= 99).all(), held


def test_what_is_wanted_is_found_again() -> None:
    """Of 4,000 people over a year: curve, season and swing, within a few hundredths."""
    periods, _ = watched(USUAL, Regime.BREAKAGE, 4000, 12, 1)
    season = fit_season(periods.person, periods.month, periods.wanted)
    assert season == pytest.approx(np.array(USUAL.season) / MILLION, abs=0.03)
    wanted = periods.wanted / season[periods.month]
    assert fit_swing(periods.person, wanted) == pytest.approx(0.15, abs=0.02)
    for at, plan in enumerate(USUAL.plans):
        mine = periods.plan == at
        curve = fit_curve(periods.person[mine], wanted[mine])
        assert curve[1:-1] == pytest.approx(np.array(plan.wanted)[1:-1] / MILLION, abs=0.06)
