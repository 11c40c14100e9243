"""Measure systems: every metric, on every slice, with intervals, and against a chosen system.

The result is plain data (:class:`~pairwright.evaluation.evaluation.Evaluation`), which reports render and ``evaluation.json`` holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pairwright.core.identity import Row
from pairwright.core.language.text_analysis import mentions_many
from pairwright.core.statistics import (
    Array,
    Estimate,
    group_indices,
    group_sums,
    holm,
    percentile_interval,
    permutation_p,
    resample,
    unseen_share,
)
from pairwright.evaluation.gold_rows import GoldSet
from pairwright.evaluation.metrics.metric import C, Metric
from pairwright.evaluation.predictions import System
from pairwright.evaluation.slices import Slice, slices

ALL = Slice("all", "all rows", ())


class MetricFigure(Row):
    """One metric of one system on one slice, with its 95 % interval; None where no row applies."""

    system: str
    metric: str
    slice: tuple[str, str]
    value: float | None
    low: float | None
    high: float | None
    rows: int


class Difference(Row):
    """``second`` minus ``first`` on one metric and slice. ``p`` is of the permutation test, ``adjusted`` after Holm."""

    first: str
    second: str
    metric: str
    slice: tuple[str, str]
    value: float | None
    low: float | None
    high: float | None
    p: float | None
    adjusted: float | None
    rows: int


@dataclass(frozen=True)
class Sample:
    """What the statistics know of a test set: each row's dialogue (resampled together), and its slices."""

    dialogues: Sequence[str]
    parts: Sequence[Slice]


@dataclass(frozen=True)
class Measured:
    """The sums of one system: per metric an array (rows, k), and which rows the metric applies to (rows,)."""

    system: str
    sums: Mapping[str, Array]
    applies: Mapping[str, np.ndarray]


def sample_of(gold: GoldSet) -> Sample:
    """The sample that a test set of rewrites is."""
    return Sample([row.dialogue for row in gold.rows], slices(gold.rows))


def measure(system: str, cases: Sequence[C], metrics: Sequence[Metric[C]]) -> Measured:
    """Apply every metric to every row once."""
    sums, applies = {}, {}
    for metric in metrics:
        found = [metric.measure(case) for case in cases]
        none = (0.0,) * metric.size
        sums[metric.name] = np.array([none if one is None else one for one in found], dtype=np.float64).reshape(
            -1, metric.size
        )
        applies[metric.name] = np.array([one is not None for one in found], dtype=bool)
    return Measured(system, sums, applies)


def warm_up(gold: GoldSet, systems: Sequence[System]) -> None:
    """Parse all texts that the metrics will ask about in batches, which is several times faster than one by one."""
    for language in sorted({row.language for row in gold.rows}):
        texts = [row.reference for row in gold.rows if row.language == language]
        for system in systems:
            pairs = zip(gold.rows, system.predictions, strict=True)
            texts += [prediction.rewrite for row, prediction in pairs if row.language == language]
        mentions_many(list(dict.fromkeys(texts)), language)


def figures(
    measured: Sequence[Measured], sample: Sample, metrics: Sequence[Metric[C]], seed: int
) -> list[MetricFigure]:
    """Every metric of every system on all rows and on every slice."""
    found = []
    for part in (ALL, *sample.parts):
        rows = _rows(part, sample)
        groups = group_indices([sample.dialogues[index] for index in rows])
        for one in measured:
            estimates = _estimates(one, rows, groups, metrics, seed)
            found += [
                MetricFigure(system=one.system, metric=metric.name, slice=(part.kind, part.value), **_fields(estimate))
                for metric, estimate in zip(metrics, estimates, strict=True)
            ]
    return found


def differences(
    first: Measured, second: Measured, sample: Sample, metrics: Sequence[Metric[C]], seed: int
) -> list[Difference]:
    """``second`` against ``first`` on all rows; the metrics' p values are one family for Holm's correction."""
    return _adjusted(_differences(first, second, sample, ALL, metrics, seed))


def slice_differences(
    first: Measured, second: Measured, sample: Sample, metrics: Sequence[Metric[C]], seed: int
) -> list[Difference]:
    """``second`` against ``first`` on every slice; all these p values are one family for Holm's correction."""
    return _adjusted([one for part in sample.parts for one in _differences(first, second, sample, part, metrics, seed)])


# A ratio to nothing is infinite, and has no difference: _number makes None of both.
@np.errstate(invalid="ignore")
def _differences(
    first: Measured, second: Measured, sample: Sample, part: Slice, metrics: Sequence[Metric[C]], seed: int
) -> list[Difference]:
    rows = _rows(part, sample)
    groups = group_indices([sample.dialogues[index] for index in rows])
    found = []
    for metric in metrics:
        both = first.applies[metric.name][rows] & second.applies[metric.name][rows]
        one, other = (
            group_sums(np.where(both[:, None], side.sums[metric.name][rows], 0.0), groups) for side in (first, second)
        )
        # Side by side, so that each resample has the same dialogues of both systems.
        joined = resample(np.hstack([one, other]), seed)
        samples = metric.combine(joined[:, metric.size :]) - metric.combine(joined[:, : metric.size])
        value = float(metric.combine(other.sum(axis=0)) - metric.combine(one.sum(axis=0)))
        low, high = percentile_interval(samples)
        if metric.percent and low == high:
            # No spread at all: the exact bound. A dialogue not seen may lie at the other end, 1 + |value| away.
            room = unseen_share(len(np.unique(groups[both]))) * (1 + abs(value))
            low, high = max(-1.0, value - room), min(1.0, value + room)
        estimate = Estimate(value, low, high, int(both.sum()))
        p = permutation_p(one, other, metric.combine, seed) if metric.better != "neither" else float("nan")
        found.append(
            Difference(
                first=first.system,
                second=second.system,
                metric=metric.name,
                slice=(part.kind, part.value),
                p=_number(p),
                adjusted=None,
                **_fields(estimate),
            )
        )
    return found


def _adjusted(found: list[Difference]) -> list[Difference]:
    corrected = holm([float("nan") if one.p is None else one.p for one in found])
    return [one.model_copy(update={"adjusted": _number(p)}) for one, p in zip(found, corrected, strict=True)]


@np.errstate(invalid="ignore")
def _estimates(
    measured: Measured, rows: np.ndarray, groups: np.ndarray, metrics: Sequence[Metric[C]], seed: int
) -> list[Estimate]:
    """All metrics from one set of resamples, so that a slice costs one matrix product."""
    grouped = group_sums(np.hstack([measured.sums[metric.name][rows] for metric in metrics]), groups)
    samples, total = resample(grouped, seed), grouped.sum(axis=0)
    estimates, start = [], 0
    for metric in metrics:
        columns = slice(start, start + metric.size)
        start += metric.size
        applies = measured.applies[metric.name][rows]
        value = float(metric.combine(total[columns]))
        low, high = percentile_interval(metric.combine(samples[:, columns]))
        if metric.percent and low == high:
            # No spread at all: the exact bound instead, see core/statistics.py.
            room = unseen_share(len(np.unique(groups[applies])))
            low, high = max(0.0, value - room), min(1.0, value + room)
        estimates.append(Estimate(value, low, high, int(applies.sum())))
    return estimates


def _rows(part: Slice, sample: Sample) -> np.ndarray:
    return np.arange(len(sample.dialogues)) if part is ALL else np.array(part.rows)


def _fields(estimate: Estimate) -> dict[str, float | int | None]:
    numbers = (_number(estimate.value), _number(estimate.low), _number(estimate.high))
    if estimate.rows == 0:
        numbers = (None, None, None)
    return dict(zip(("value", "low", "high"), numbers, strict=True)) | {"rows": estimate.rows}


def _number(value: float) -> float | None:
    return round(value, 6) if np.isfinite(value) else None
