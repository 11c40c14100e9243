"""How far raters agree beyond chance: Cohen's κ with its bootstrap interval, Krippendorff's α.

- κ: Cohen, "A coefficient of agreement for nominal scales" (1960); weighted for ordered categories: Cohen (1968).
- α: Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011). Any number of raters, missing ratings allowed.

Both are 1 for perfect agreement and 0 for what chance gives. Where nobody ever used two categories there is no chance
to agree beyond, and the figure is NaN: raw agreement would look perfect there and say nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pairwright.core.records import Position
from pairwright.core.statistics import Array, Estimate, group_indices, group_sums, percentile_interval, resample

Weights = Literal["none", "linear", "quadratic"]
Level = Literal["nominal", "ordinal", "interval"]


def kappa_estimate(
    first: Sequence[Hashable],
    second: Sequence[Hashable],
    categories: Sequence[Hashable],
    seed: int,
    groups: Sequence[str] | None = None,
    weights: Weights = "none",
) -> Estimate:
    """κ of two raters over the same items with its 95 % bootstrap interval; NaN where chance agreement is complete.

    ``linear`` and ``quadratic`` weights count a disagreement by the distance of the two in ``categories``. ``groups`` names what each item belongs to: items of one group (a dialogue) are resampled together.
    """
    if not first:
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    cells = _cells(first, second, categories)
    places = np.arange(len(first), dtype=np.intp) if groups is None else group_indices(groups)
    samples = _kappas(resample(group_sums(cells, places), seed), weights)
    value = _kappas(cells.sum(axis=0, keepdims=True), weights)[0]
    return Estimate(float(value), *percentile_interval(samples), len(first))


def _cells(first: Sequence[Hashable], second: Sequence[Hashable], categories: Sequence[Hashable]) -> Array:
    """One row per item with a single 1 in the cell of its two ratings: (n, k²)."""
    number = {category: place for place, category in enumerate(categories)}
    size = len(categories)
    cells = np.zeros((len(first), size * size))
    for item, (one, other) in enumerate(zip(first, second, strict=True)):
        cells[item, number[one] * size + number[other]] = 1
    return cells


def _kappas(tables: Array, weights: Weights) -> Array:
    """κ of many flat tables at once: (m, k²) → (m,)."""
    size = round(tables.shape[1] ** 0.5)
    counts = tables.reshape(-1, size, size)
    totals = counts.sum(axis=(1, 2))
    expected = np.einsum("mi,mj->mij", counts.sum(axis=2), counts.sum(axis=1))
    distance = np.abs(np.arange(size)[:, None] - np.arange(size)[None, :]).astype(np.float64)
    penalty = {"none": np.minimum(distance, 1), "linear": distance, "quadratic": distance**2}[weights]
    # In terms of disagreement, as Cohen (1968) writes the weighted κ; without weights it is the usual formula.
    observed, by_chance = (counts * penalty).sum(axis=(1, 2)) * totals, (expected * penalty).sum(axis=(1, 2))
    kappas: Array = 1 - np.divide(observed, by_chance, out=np.full(len(counts), np.nan), where=by_chance > 0)
    return kappas


def krippendorff_alpha(ratings: Array, level: Level = "nominal") -> float:
    """α of ``ratings`` (units, raters), NaN where a rater did not rate; units with one rating do not count.

    ``level`` says how far apart two ratings are: ``nominal`` equal or not, ``ordinal`` by rank, ``interval`` by the
    square of their difference.
    """
    given = ~np.isnan(ratings)
    paired = ratings[given.sum(axis=1) > 1]
    values = np.unique(paired[~np.isnan(paired)])
    if len(values) < 2:
        return float("nan")
    counts = np.stack([(paired == value).sum(axis=1) for value in values], axis=1).astype(np.float64)
    raters = counts.sum(axis=1)
    # Of m ratings of a unit each makes m - 1 pairs and counts once for all of them; none makes a pair with itself.
    coincidences = np.einsum("ui,uj->ij", counts / (raters - 1)[:, None], counts)
    coincidences -= np.diag((counts / (raters - 1)[:, None]).sum(axis=0))
    totals = coincidences.sum(axis=1)
    distance = _distances(values, totals, level)
    observed, expected = (coincidences * distance).sum(), (np.outer(totals, totals) * distance).sum()
    return float(1 - (totals.sum() - 1) * observed / expected)


def _distances(values: Array, totals: Array, level: Level) -> Array:
    if level == "nominal":
        return 1 - np.eye(len(values))
    if level == "interval":
        return np.asarray((values[:, None] - values[None, :]) ** 2)
    # The rank of a value is the number of ratings below it and half of those that share it.
    ranks: NDArray[np.float64] = np.cumsum(totals) - totals / 2
    return np.asarray((ranks[:, None] - ranks[None, :]) ** 2)


def position_bias(answers: Iterable[Position]) -> float:
    """How much more often the first place is named than the second: 1 for always the first, -1 for always the second.

    Over both orders of the same pairs a judge that looks at the texts alone gives 0. NaN where it never decides.
    """
    counts = Counter(answers)
    decided = counts["first"] + counts["second"]
    return (counts["first"] - counts["second"]) / decided if decided else float("nan")
