"""Intervals and tests behave as their definitions say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pairwright.core.statistics import (
    group_indices,
    group_sums,
    holm,
    percentile_interval,
    permutation_p,
    resample,
    unseen_share,
)
from pairwright.evaluation.metrics.metric import f1, mean


def columns(values: np.ndarray) -> np.ndarray:
    """Values as the sums of a mean."""
    return np.column_stack([values, np.ones(len(values))])


def test_rows_of_one_dialogue_are_added_up() -> None:
    groups = group_indices(["b", "a", "b"])
    assert groups.tolist() == [0, 1, 0]
    assert group_sums(np.array([[1.0], [2.0], [4.0]]), groups).tolist() == [[5.0], [2.0]]


def test_bootstrap_interval_of_a_mean_is_near_the_normal_one() -> None:
    values = np.random.default_rng(1).normal(0.5, 0.2, 400)
    low, high = percentile_interval(mean(resample(columns(values), seed=3)))
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.004)
    assert high == pytest.approx(values.mean() + half, abs=0.004)


def test_bootstrap_resamples_are_the_same_for_the_same_seed_and_hold_whole_groups() -> None:
    grouped = columns(np.arange(5.0))
    assert np.array_equal(resample(grouped, seed=9), resample(grouped, seed=9))
    assert not np.array_equal(resample(grouped, seed=9), resample(grouped, seed=8))
    assert set(resample(grouped, seed=9)[:, 1]) == {5.0}


def test_rows_that_depend_on_each_other_widen_the_interval() -> None:
    values = np.repeat(np.random.default_rng(1).normal(0.5, 0.2, 40), 10)
    alone = percentile_interval(mean(resample(columns(values), seed=0)))
    together = percentile_interval(mean(resample(group_sums(columns(values), np.repeat(np.arange(40), 10)), seed=0)))
    assert together[1] - together[0] > 2 * (alone[1] - alone[0])


def test_permutation_p_is_the_exact_sign_flip_probability() -> None:
    first, second = columns(np.zeros(6)), columns(np.ones(6))
    p = permutation_p(first, second, mean, seed=0, permutations=20_000)
    assert p == pytest.approx(2 / 2**6, abs=0.004)


def test_permutation_p_of_equal_systems_is_one_and_never_zero() -> None:
    same = columns(np.ones(5))
    assert permutation_p(same, same, mean, seed=0) == 1.0
    far = permutation_p(columns(np.zeros(200)), columns(np.ones(200)), mean, seed=0, permutations=999)
    assert far == pytest.approx(1 / 1000)


def test_permutation_test_rejects_about_one_true_hypothesis_in_twenty() -> None:
    rng = np.random.default_rng(5)
    p_values = [
        permutation_p(columns(rng.normal(size=30)), columns(rng.normal(size=30)), mean, seed=n, permutations=199)
        for n in range(300)
    ]
    assert 0.02 < np.mean(np.array(p_values) <= 0.05) < 0.09


def test_permutation_works_on_figures_that_are_no_means() -> None:
    counts = np.array([[1.0, 2.0, 2.0]] * 8)
    better = np.array([[2.0, 2.0, 2.0]] * 8)
    assert permutation_p(counts, better, f1, seed=0, permutations=2000) < 0.02


def test_permutation_of_nothing_is_not_a_number() -> None:
    assert math.isnan(permutation_p(np.zeros((3, 2)), np.zeros((3, 2)), mean, seed=0))
    assert all(math.isnan(bound) for bound in percentile_interval(np.array([float("nan")])))


def test_holm_is_the_published_step_down() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])


def test_holm_leaves_out_what_was_not_tested() -> None:
    adjusted = holm([0.02, float("nan"), 0.03])
    assert adjusted[0] == pytest.approx(0.04)
    assert math.isnan(adjusted[1])
    assert adjusted[2] == pytest.approx(0.04)


def test_a_share_that_all_dialogues_agree_on_is_bounded_by_the_exact_binomial() -> None:
    stats = pytest.importorskip("scipy.stats")
    for count in (1, 7, 50, 442):
        exact = stats.binomtest(0, count).proportion_ci(0.95, method="exact")
        assert unseen_share(count) == pytest.approx(exact.high, abs=1e-9)
    assert unseen_share(0) == 1.0
