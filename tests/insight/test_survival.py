"""Kaplan-Meier and log-rank: lifelines' answers on its own data sets, and small ones by hand."""

from __future__ import annotations

import numpy as np
import pytest

from beancount_compute.insight.survival import (
    Stay,
    kaplan_meier,
    log_rank,
    median_stay,
    share_after,
)

# Waltons' fruit flies, as lifelines 0.30 ships them: how many left, or were last seen, at each age.
_MIR = {6: 1, 9: 3, 13: 3, 15: 2, 19: 3, 22: 4, 26: 5, 29: 5, 33: 2, 36: 2, 43: 1, 47: 1, 62: 2}
_CONTROL = {
    7: 1,
    17: 1,
    32: 1,
    33: 1,
    38: 2,
    41: 7,
    45: 9,
    48: 8,
    51: 3,
    53: 7,
    54: 2,
    56: 18,
    58: 4,
    60: 15,
    61: 9,
    63: 9,
    66: 3,
    68: 9,
    69: 12,
    75: 1,
}
_STILL_THERE = {7: 1, 45: 1, 60: 1, 61: 2, 68: 1, 69: 1}


def stays(left: dict[int, int], seen: dict[int, int] | None = None) -> list[Stay]:
    found = [Stay(age, True) for age, count in left.items() for _ in range(count)]
    return found + [Stay(age, False) for age, count in (seen or {}).items() for _ in range(count)]


MIR, CONTROL = stays(_MIR), stays(_CONTROL, _STILL_THERE)
# Larynx cancer (Kardaun 1983) by stage: time, whether it ended by death.
LARYNX = {
    "1": "0.6+ 1.3+ 2.4+ 2.5 3.2+ 3.2 3.3+ 3.3 3.5+ 3.5+ 4+ 4+ 4.3+ 4.5 4.5 5.3+ 5.5 5.9 5.9 6+ "
    "6.1 6.2 6.4+ 6.5+ 6.5 6.7 7 7.4+ 7.4 8.1 8.1 9.6 10.7",
    "2": "0.2+ 1.8+ 2+ 2.2 2.6 3.3 3.6+ 3.6 4+ 4.3 4.3 5 6.2+ 7+ 7.5 7.6 9.3",
    "3": "0.3+ 0.3+ 0.5+ 0.7+ 0.8+ 1+ 1.3+ 1.6+ 1.8+ 1.9+ 1.9+ 3.2+ 3.5+ 3.7 4.5 4.8 4.8 5+ 5 "
    "5.1 6.3+ 6.4+ 6.5 7.8+ 8 9.3 10.1",
    "4": "0.1+ 0.3+ 0.4+ 0.8+ 0.8+ 1+ 1.5+ 2+ 2.3+ 2.9 3.6+ 3.8+ 4.3",
}
STAGES = {
    stage: [Stay(float(each.rstrip("+")), each.endswith("+")) for each in text.split()]
    for stage, text in LARYNX.items()
}


@pytest.mark.parametrize(
    ("age", "share", "low", "high"),
    [
        (6, 0.9938650306748462, 0.9572536591090658, 0.9991335232818397),
        (20, 0.9136503067484664, 0.8585492594417107, 0.9479303549213415),
        (56, 0.4299026499659169, 0.35268900481936244, 0.5046796092328875),
        (69, 0.014340509102144797, 0.0028540777041644733, 0.046183697525073696),
        (75, 0.0, 0.0, 0.0),
    ],
)
def test_curve_and_log_log_band_are_those_of_lifelines(
    age: float, share: float, low: float, high: float
) -> None:
    point = share_after(kaplan_meier([*MIR, *CONTROL]), age)
    assert point is not None
    assert (point.share, point.low, point.high) == pytest.approx((share, low, high), abs=1e-12)


def test_two_groups_by_log_rank_as_lifelines_has_them() -> None:
    found = log_rank({"miR-137": MIR, "control": CONTROL})
    assert found is not None and found.degrees == 1
    assert found.chi_squared == pytest.approx(122.24912557300615)
    assert found.p == pytest.approx(2.0359832222855426e-28)


def test_four_groups_by_log_rank_as_lifelines_has_them() -> None:
    found = log_rank(STAGES)
    assert found is not None and found.degrees == 3
    assert found.chi_squared == pytest.approx(22.76275706464823)
    assert found.p == pytest.approx(4.525211220445769e-05)


def test_curve_of_a_few_by_hand() -> None:
    """Of 5, one leaves at 1, one is last seen at 2, one leaves at 3: 4/5, then 4/5 x 2/3."""
    curve = kaplan_meier(
        [Stay(1, True), Stay(2, False), Stay(3, True), Stay(4, False), Stay(4, False)]
    )
    assert [(each.age, each.at_risk, each.left) for each in curve] == [(1, 5, 1), (3, 3, 1)]
    assert [each.share for each in curve] == pytest.approx([0.8, 0.8 * 2 / 3])
    assert median_stay(curve) is None and share_after(curve, 0.5) is None
    assert all(each.low < each.share < each.high for each in curve)


def test_who_comes_later_is_not_at_risk_before() -> None:
    """One of two leaves at 1; a third is watched from age 1 on: at 2 one of two leaves."""
    curve = kaplan_meier([Stay(1, True), Stay(2, True), Stay(3, False, since=1)])
    assert [(each.at_risk, each.share) for each in curve] == [(2, 0.5), (2, 0.25)]


def test_periods_one_by_one_are_the_whole_stay() -> None:
    """Each stay cut into its months, each at risk after the one before: the same curve."""
    whole = [Stay(age, left) for age, left in ((1, True), (3, True), (3, False), (5, True))]
    cut = [
        Stay(age, each.left and age == each.age, age - 1)
        for each in whole
        for age in range(1, int(each.age) + 1)
    ]
    assert kaplan_meier(cut) == kaplan_meier(whole)


def test_nobody_or_one_group_has_no_test() -> None:
    assert kaplan_meier([]) == [] and log_rank({}) is None
    assert log_rank({"a": MIR, "b": []}) is None
    assert log_rank({"a": [Stay(1, False)], "b": [Stay(2, False)]}) is None


def test_band_holds_the_truth() -> None:
    """Of 100 seeds, 90 to 99 bands of 95 % hold the share that is true at age 6: 0.9 ** 6."""
    held = 0
    for seed in range(100):
        dice = np.random.default_rng(seed)
        ages = dice.geometric(0.1, 200)
        point = share_after(kaplan_meier([Stay(min(a, 12), a <= 12) for a in ages.tolist()]), 6)
        assert point is not None
        held += point.low <= 0.9**6 <= point.high
    assert 90 <= held <= 99
