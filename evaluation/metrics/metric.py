"""What a metric is: sums per row, and a function from added sums to a figure.

A metric's ``measure`` looks at one row and its prediction and gives a vector of sums, or None where it does not apply
(such rows are not counted, and reports say how many were). ``combine`` turns added vectors (…, k) into figures (…).
A mean is the pair (value, 1); precision and recall are counts; BLEU is its ten counts. Because figures are functions
of sums, intervals and tests cost one matrix product (see ``statistics.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal

import numpy as np
from typing_extensions import TypeVar

from pairwright.core.statistics import Array, Combine
from pairwright.evaluation.gold_rows import GoldRow
from pairwright.evaluation.predictions import Prediction

Sums = tuple[float, ...]


@dataclass(frozen=True)
class MetricCase:
    """One test row and what a system made of it."""

    row: GoldRow
    prediction: Prediction


C = TypeVar("C", default=MetricCase)


def mean(sums: Array) -> Array:
    """Combine (value, weight) sums: the weighted mean, NaN where nothing was weighed."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums[..., 0] / sums[..., 1])


def f1(sums: Array) -> Array:
    """Combine (hits, predicted, wanted) counts: the micro-averaged F1, 0 where there is no hit."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(2 * sums[..., 0] / (sums[..., 1] + sums[..., 2]))


@dataclass(frozen=True)
class Metric(Generic[C]):
    """One figure over cases of one type: rewrites (:class:`MetricCase`) or turns of a dialogue (``dialogues/dialogue_rows.py``). ``better`` says which way is good; ``size`` is the length of the sums; ``what`` explains it in a line.

    ``percent`` figures are shares between 0 and 1 that reports show in per cent.
    """

    name: str
    what: str
    better: Literal["higher", "lower", "neither"]
    measure: Callable[[C], Sums | None]
    combine: Combine = mean
    size: int = 2
    percent: bool = True


def share(hit: bool) -> Sums:
    """The sums of a metric that a row has or has not."""
    return (float(hit), 1.0)
