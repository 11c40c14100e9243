"""Intervals and tests, on sums.

Every metric gives each row a vector of sums (see ``metric.py``), and a corpus figure is a function of the added
vectors. Resampling rows is therefore one matrix product, also for metrics that are no mean of rows (BLEU, restoration
F). Rows of one dialogue are not independent: they are resampled together (cluster bootstrap, Field & Welsh 2007).

- interval: percentile bootstrap, 95 % (Efron 1979; for NLP: Koehn 2004). Where all dialogues agree (a share of 0 or 1)
  resampling shows no spread at all: there the exact binomial bound over dialogues stands in (Clopper & Pearson 1934).
- p value: paired permutation test, two-sided, whole dialogues swapped (Fisher; for NLP: Yeh 2000), with the +1 of
  Phipson & Smyth 2010, so that it is never zero.
- several comparisons: Holm's step-down correction (Holm 1979), which needs no independence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Combine = Callable[[Array], Array]

RESAMPLES = 2_000
PERMUTATIONS = 10_000
CONFIDENCE = 0.95
_CELLS = 4_000_000  # numbers drawn at once: 32 MB


class Estimate(NamedTuple):
    """A figure with its interval, and how many rows it stands on. All NaN where no row applies."""

    value: float
    low: float
    high: float
    rows: int


def group_sums(sums: Array, groups: NDArray[np.intp]) -> Array:
    """Add the rows (n, k) of each group: (number of groups, k)."""
    out = np.zeros((int(groups.max()) + 1 if len(groups) else 0, sums.shape[1]))
    np.add.at(out, groups, sums)
    return out


def group_indices(names: Sequence[str]) -> NDArray[np.intp]:
    """Number the groups in the order in which they first appear: (n,)."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.intp)


def resample(grouped: Array, seed: int, resamples: int = RESAMPLES) -> Array:
    """Sums of ``resamples`` bootstrap samples of the groups: (resamples, k)."""
    rng = np.random.default_rng(seed)
    count = len(grouped)
    out = np.empty((resamples, grouped.shape[1]))
    chunk = _chunk(count)
    for start in range(0, resamples, chunk):
        size = min(chunk, resamples - start)
        # Each sample has numbers of its own, so that one bincount counts all of them.
        draws = rng.integers(0, count, (size, count)) + np.arange(size)[:, None] * count
        weights = np.bincount(draws.ravel(), minlength=size * count).reshape(size, count)
        out[start : start + size] = weights.astype(np.float64) @ grouped
    return out


def _chunk(count: int) -> int:
    """How many samples of ``count`` groups to draw at once, so that memory stays bounded."""
    return max(1, _CELLS // max(1, count))


def percentile_interval(samples: Array, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Percentiles of the bootstrap figures (resamples,), those without a value left out."""
    defined = samples[~np.isnan(samples)]
    if not len(defined):
        return float("nan"), float("nan")
    tail = 50 * (1 - confidence)
    low, high = np.percentile(defined, [tail, 100 - tail])
    return float(low), float(high)


def unseen_share(groups: int, confidence: float = CONFIDENCE) -> float:
    """How large a share of dialogues may differ although none of ``groups`` did: 0.071 for 50, 0.0083 for 442."""
    return 1.0 if groups == 0 else 1 - float(((1 - confidence) / 2) ** (1 / groups))


def permutation_p(first: Array, second: Array, combine: Combine, seed: int, permutations: int = PERMUTATIONS) -> float:
    """Two-sided p value of ``combine(second) - combine(first)`` when the systems' answers are swapped per group.

    ``first`` and ``second`` are the sums of the same groups, (groups, k). One of no difference at all is 1.
    """
    total = (first + second).sum(axis=0)
    observed = abs(float(combine(second.sum(axis=0)) - combine(first.sum(axis=0))))
    if np.isnan(observed):
        return float("nan")
    # Groups in which nothing differs are the same either way round: they are added once and not drawn.
    differs = np.abs(first - second).sum(axis=1) > 0
    fixed, swapped = first[~differs].sum(axis=0), (first[differs], second[differs])
    rng = np.random.default_rng(seed)
    extreme, chunk = 0, _chunk(int(differs.sum()))
    for start in range(0, permutations, chunk):
        size = min(chunk, permutations - start)
        keep = rng.integers(0, 2, (size, int(differs.sum()))).astype(np.float64)
        sums = fixed + keep @ swapped[0] + (1 - keep) @ swapped[1]
        gaps = np.abs(combine(total - sums) - combine(sums))
        # A gap without a value counts as extreme, and so does one that misses by a rounding: both only raise p.
        extreme += int(np.sum(np.nan_to_num(gaps, nan=np.inf) >= observed - 1e-12))
    return (extreme + 1) / (permutations + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm-adjusted p values in the given order; NaN (no test) stays NaN and does not count."""
    tested = sorted((p, index) for index, p in enumerate(p_values) if not np.isnan(p))
    adjusted = [float("nan")] * len(p_values)
    worst = 0.0
    for rank, (p, index) in enumerate(tested):
        worst = max(worst, min(1.0, p * (len(tested) - rank)))
        adjusted[index] = worst
    return adjusted
