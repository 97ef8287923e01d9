"""The shifted beta-geometric model: Fader and Hardie's published fits, and truths that it finds."""

from __future__ import annotations

import numpy as np
import pytest

from beancount_compute.insight.lifetime_model import (
    LifetimeModel,
    Renewals,
    RenewalsSeen,
    fit_lifetime,
)

REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241]
HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491]


def renewals(there: list[int]) -> Renewals:
    """Who left at each renewal and who renewed, of so many who were there after each."""
    counts = np.array(there)
    return Renewals(-np.diff(counts), counts[1:])


@pytest.mark.parametrize(
    ("there", "alpha", "beta", "log_likelihood"),
    [
        (REGULAR, 0.7041, 1.1820, -1680.27),
        (HIGH_END, 0.6681, 3.8061, -1611.16),
        (REGULAR[:5], 0.7637, 1.2958, -1401.56),  # four renewals; the likelihood worked out by hand
    ],
)
def test_published_fits(there: list[int], alpha: float, beta: float, log_likelihood: float) -> None:
    found = fit_lifetime(renewals(there))
    assert found is not None
    assert (round(found.alpha, 4), round(found.beta, 4)) == (alpha, beta)
    assert round(found.log_likelihood, 2) == log_likelihood


def test_survival_is_the_product_of_retention_rates() -> None:
    """r(t) = (beta + t - 1) / (alpha + beta + t - 1): of beta(1, 2) 2/3, then 3/4, then 4/5."""
    model = LifetimeModel(1, 2, 0)
    assert model.survival(np.array([0, 1, 2, 3])) == pytest.approx([1, 2 / 3, 1 / 2, 2 / 5])


def test_renewals_to_come_are_the_discounted_sum() -> None:
    """Of beta(3, 2) after two renewals: S(2 + t) / S(2) / 1.1 ** (t - 1), added up."""
    model = LifetimeModel(3, 2, 0)
    terms = [
        float(model.survival(2 + t) / model.survival(2)) / 1.1 ** (t - 1) for t in range(1, 400)
    ]
    assert model.remaining(2, 0.1) == pytest.approx(sum(terms), rel=1e-9)


def test_nothing_is_fitted_to_those_of_whom_nobody_left_or_all_at_once() -> None:
    nobody, everybody = Renewals(np.array([0, 0]), np.array([40, 30])), renewals([40, 0])
    assert fit_lifetime(nobody) is None and fit_lifetime(everybody) is None


def test_one_by_one_they_are_counted_by_age_and_as_often_as_a_person_was_drawn() -> None:
    """Person 0 renews at 1 and leaves at 2; person 1, drawn twice, renews at 1."""
    seen = RenewalsSeen(np.array([0, 0, 1]), np.array([1, 2, 1]), np.array([False, True, False]))
    assert [each.tolist() for each in seen.counted()] == [[0, 1], [2, 0]]
    assert [each.tolist() for each in seen.counted(np.array([0, 2]))] == [[0, 0], [2, 0]]


def as_seen(leaves: np.ndarray, until: np.ndarray) -> RenewalsSeen:
    """Who leaves at which renewal, of people who are seen until an age."""
    last = np.minimum(leaves, until)
    person = np.repeat(np.arange(len(last)), last)
    age = np.concatenate([np.arange(1, each + 1) for each in last])
    return RenewalsSeen(person, age, (age == last[person]) & (leaves <= until)[person])


@pytest.mark.parametrize(("alpha", "beta"), [(1.2, 6.0), (0.7, 1.2)])
def test_bootstrap_intervals_hold_the_truth(alpha: float, beta: float) -> None:
    """Of 100 seeds, in 90 to 99 the interval of 95 % holds the renewals that are to come."""
    truth = LifetimeModel(alpha, beta, 0).remaining(0, 0.02)
    held = 0
    for seed in range(100):
        dice = np.random.default_rng(seed)
        leaves = dice.geometric(dice.beta(alpha, beta, 500))
        seen = as_seen(leaves, dice.integers(6, 19, 500))  # months since the start of each
        model = fit_lifetime(seen.counted())
        drawn = [fit_lifetime(seen.resampled(dice), model) for _ in range(80)]
        found = [each.remaining(0, 0.02) for each in drawn if each]
        low, high = np.quantile(found, (0.025, 0.975))
        held += low <= truth <= high
    assert 90 <= held <= 99, held
