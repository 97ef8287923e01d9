"""How volume grows with participants: exact powers, and intervals that hold the truth."""

from __future__ import annotations

import numpy as np
import pytest

from beancount_compute.insight.exponent import line_of_levels, of_changes, of_levels


def test_a_square_has_the_exponent_two() -> None:
    """10, 20, 40 participants trade 100, 400, 1600: both fits say 2, and nothing else."""
    people, volume = [10, 20, 40, 50], [100, 400, 1600, 2500]
    for found in (of_levels(people, volume), of_changes(people, volume)):
        assert found is not None
        assert (found.k, found.low, found.high) == pytest.approx((2, 2, 2))
    assert not found.allows(1)


def test_the_line_has_a_band_that_is_narrowest_in_the_middle() -> None:
    """By hand: powers of two at 0, 1, 2 trade powers at 0, 1, 3. The slope is 1.5, the middle 4/3;
    the rests are 1/6, -1/3, 1/6, so that the variance is 1/6, and t of one degree 12.7062."""
    first, middle, last = line_of_levels([1, 2, 4], [1, 2, 8])
    assert first and middle and last
    assert middle.volume == pytest.approx(2 ** (4 / 3))
    assert last.volume == pytest.approx(2 ** (4 / 3 + 1.5))
    width = 12.7062 * (1 / 6 * 1 / 3) ** 0.5
    assert middle.low == pytest.approx(2 ** (4 / 3 - width), rel=1e-4)
    assert middle.high == pytest.approx(2 ** (4 / 3 + width), rel=1e-4)
    aside = 12.7062 * (1 / 6 * (1 / 3 + 1 / 2)) ** 0.5
    assert last.high / last.volume == pytest.approx(2**aside, rel=1e-4)
    assert first.high / first.volume == pytest.approx(2**aside, rel=1e-4)


def test_there_is_no_line_of_nobody_nor_of_two_months() -> None:
    assert line_of_levels([10, 20], [1, 2]) == [None, None]
    *known, nobody = line_of_levels([10, 20, 40, 0], [10, 20, 40, 0])
    assert all(known) and nobody is None


def test_months_without_trades_are_left_out_and_few_say_nothing() -> None:
    found = of_levels([0, 10, 20, 40], [0, 10, 20, 40])
    assert found is not None and found.points == 3
    assert of_levels([10, 20], [1, 2]) is None
    assert of_levels([10, 10, 10], [1, 2, 3]) is None
    assert of_changes([10, 20, 40], [1, 2, 4]) is None  # two changes


def test_a_common_trend_is_no_exponent_of_changes() -> None:
    """Participants and volume grow independently: levels find an exponent, changes don't."""
    dice = np.random.default_rng(7)
    months = np.arange(40)
    people = np.exp(0.05 * months + dice.normal(0, 0.05, 40))
    volume = np.exp(0.10 * months + dice.normal(0, 0.05, 40))
    levels, changes = of_levels(people, volume), of_changes(people, volume)
    assert levels is not None and changes is not None
    assert levels.low > 1.5 and changes.allows(0)


@pytest.mark.parametrize("k", [1.0, 2.0])
def test_intervals_hold_the_truth(k: float) -> None:
    held = [0, 0]
    for seed in range(100):
        dice = np.random.default_rng(seed)
        people = np.exp(np.cumsum(dice.normal(0.03, 0.1, 24)) + 4)
        noise = dice.normal(0, 0.2, 24)
        level = of_levels(people, people**k * np.exp(noise))
        change = of_changes(people, people**k * np.exp(np.cumsum(noise)))
        assert level is not None and change is not None
        held[0] += level.allows(k)
        held[1] += change.allows(k)
    assert all(90 <= each <= 99 for each in held), held
