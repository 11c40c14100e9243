"""Agreement statistics against published and hand-computed figures."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from pairwright.core.agreement import Level, Weights, kappa_estimate, krippendorff_alpha

MISSING = float("nan")

# Krippendorff (2011), section C: four observers, twelve units, missing ratings.
KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, MISSING, MISSING, MISSING],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, MISSING, 3],
        [MISSING, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, MISSING],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, MISSING],
    ]
).T


@pytest.mark.parametrize(("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_of_krippendorffs_own_example(level: Level, published: float) -> None:
    assert krippendorff_alpha(KRIPPENDORFF, level) == pytest.approx(published, abs=5e-4)


def test_alpha_of_two_observers_and_binary_data() -> None:
    # Krippendorff (2011), section A: α = 0.095.
    first = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    second = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    assert krippendorff_alpha(np.array([first, second], dtype=float).T) == pytest.approx(0.095, abs=5e-4)


def test_alpha_of_one_value_only_says_nothing() -> None:
    assert math.isnan(krippendorff_alpha(np.ones((5, 3))))
    assert math.isnan(krippendorff_alpha(np.array([[1, MISSING], [MISSING, 2]])))


@given(
    st.lists(st.lists(st.sampled_from([0.0, 1.0, 2.0, MISSING]), min_size=3, max_size=3), min_size=2, max_size=20),
    st.sampled_from(["nominal", "ordinal", "interval"]),
)
def test_alpha_does_not_depend_on_the_order_of_units_and_raters(ratings: list[list[float]], level: Level) -> None:
    table = np.array(ratings)
    turned = table[::-1, ::-1]
    assert krippendorff_alpha(table, level) == pytest.approx(krippendorff_alpha(turned, level), nan_ok=True)
    assert math.isnan(krippendorff_alpha(table, level)) or krippendorff_alpha(table, level) <= 1 + 1e-12


def kappa(first: list[int], second: list[int], weights: Weights = "none") -> float:
    return kappa_estimate(first, second, range(4), 0, weights=weights).value


def raters(table: list[list[int]]) -> tuple[list[int], list[int]]:
    """What two raters said whose agreement is counted in ``table``."""
    said = [
        (row, column) for row, cells in enumerate(table) for column, count in enumerate(cells) for _ in range(count)
    ]
    return [one for one, _ in said], [other for _, other in said]


def test_kappa_of_cohens_textbook_table() -> None:
    assert kappa(*raters([[20, 5], [10, 15]])) == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("table", "published"),
    [
        ([[20, 20], [10, 50]], 0.348),  # Artstein and Poesio (2008), table 1
        ([[46, 0, 0], [0, 32, 0], [0, 6, 16]], 0.905),  # by hand: observed 0.94, by chance 0.3684
    ],
)
def test_kappa_of_known_tables(table: list[list[int]], published: float) -> None:
    assert kappa(*raters(table)) == pytest.approx(published, abs=1e-3)


@pytest.mark.parametrize(
    ("weights", "published"),
    # By hand: 4 of 100 items are one step apart; by chance 0.584 differ, 0.68 steps, 0.872 squared steps.
    [("none", 0.9315), ("linear", 0.9412), ("quadratic", 0.9541)],
)
def test_weighted_kappa(weights: Weights, published: float) -> None:
    first = [0] * 46 + [1] * 44 + [2] * 10
    second = [0] * 50 + [1] * 40 + [2] * 10
    assert kappa(first, second, weights) == pytest.approx(published, abs=5e-5)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60),
    st.sampled_from(["none", "linear", "quadratic"]),
)
def test_kappa_is_that_of_scikit_learn(pairs: list[tuple[int, int]], weights: Weights) -> None:
    first, second = [one for one, _ in pairs], [other for _, other in pairs]
    ours = kappa(first, second, weights)
    if len({*first, *second}) == 1:
        assert math.isnan(ours)
    else:
        theirs = cohen_kappa_score(first, second, labels=range(4), weights=None if weights == "none" else weights)
        assert ours == pytest.approx(theirs)


def test_the_interval_of_kappa_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = random.Random(5)
    covered = 0
    for trial in range(60):
        gold = [rng.random() < 0.5 for _ in range(120)]
        noisy = [one if rng.random() < 0.8 else rng.random() < 0.5 for one in gold]  # true κ is 0.8
        found = kappa_estimate(gold, noisy, [False, True], seed=trial)
        covered += found.low <= 0.8 <= found.high
    assert 52 <= covered <= 60


def test_items_of_one_dialogue_are_resampled_together() -> None:
    gold = [True, False] * 20
    noisy = [one if place % 8 else not one for place, one in enumerate(gold)]
    # Copying every item ten times tells nothing new; told which ones belong together, the interval stays as wide.
    alone = kappa_estimate(gold, noisy, [False, True], seed=1)
    copies = [str(place) for place in range(40) for _ in range(10)]
    tenfold = kappa_estimate(
        [one for one in gold for _ in range(10)], [one for one in noisy for _ in range(10)], [False, True], 1, copies
    )
    assert (tenfold.low, tenfold.high) == pytest.approx((alone.low, alone.high))
    assert (tenfold.value, tenfold.rows) == (pytest.approx(alone.value), 400)


def test_no_items_no_figure() -> None:
    assert math.isnan(kappa_estimate([], [], [False, True], seed=0).value)
