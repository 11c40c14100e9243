"""The figures of one judge, from what it said of texts whose quality is known."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from pairwright.core.agreement import kappa_estimate
from pairwright.core.calibration import Bin, Figure, Threshold
from pairwright.core.records import Comparison, Verdict
from pairwright.core.statistics import Array, group_indices, group_sums, percentile_interval, resample, unseen_share
from pairwright.pipelines.calibration.gold_items import Item

BINS = 5
NONE = Figure(value=None, low=None, high=None, items=0)


class Said(NamedTuple):
    """A verdict of a pointwise judge on one text."""

    item: Item
    verdict: Verdict


class ComparedTexts(NamedTuple):
    """What a pairwise judge said of a good text (first) and a bad one."""

    item: Item
    comparison: Comparison


def estimate_figure(values: Sequence[float], groups: Sequence[str], seed: int) -> Figure:
    """The mean of ``values`` with its bootstrap interval; values of one group are resampled together."""
    if not values:
        return NONE
    sums = np.stack([np.array(values, np.float64), np.ones(len(values))], axis=1)
    samples = resample(group_sums(sums, group_indices(groups)), seed)
    low, high = percentile_interval(samples[:, 0] / np.maximum(samples[:, 1], 1))
    if set(values) in ({0.0}, {1.0}):  # resampling shows no spread: the exact bound over dialogues stands in
        unseen = unseen_share(len(set(groups)))
        low, high = (0.0, unseen) if values[0] == 0 else (1 - unseen, 1.0)
    return Figure(value=round(float(np.mean(values)), 4), low=round(low, 4), high=round(high, 4), items=len(values))


def kappa(
    said: Sequence[object], gold: Sequence[object], categories: Sequence[object], groups: Sequence[str], seed: int
) -> Figure:
    """Cohen's κ with its bootstrap interval."""
    if not said:
        return NONE
    found = kappa_estimate(
        [str(one) for one in said], [str(one) for one in gold], [str(one) for one in categories], seed, groups
    )
    value, low, high = (None if math.isnan(one) else round(one, 4) for one in found[:3])
    return Figure(value=value, low=low, high=high, items=len(said))


def by_defect(items: Sequence[tuple[Item, bool]], seed: int) -> dict[str, Figure]:
    """For each defect the share of bad texts that were told as bad."""
    found: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for item, caught in items:
        if not item.good:
            found[item.defect].append((float(caught), item.task.dialogue))
    return {
        name: estimate_figure([value for value, _ in rows], [group for _, group in rows], seed)
        for name, rows in sorted(found.items())
    }


def threshold_for(said: Sequence[Said], wanted: float) -> Threshold | None:
    """The smallest score from which at least ``wanted`` of the passed texts are good, if good and bad were equally many;
    None where no score does, or the judge gives no scores."""
    if not any(one.verdict.score is not None for one in said):
        return None
    good = np.array([one.verdict.grade for one in said if one.item.good])
    bad = np.array([one.verdict.grade for one in said if not one.item.good])
    if not len(good) or not len(bad):
        return None
    for score in sorted({*good.tolist()}):
        recall, slipped = float((good >= score).mean()), float((bad >= score).mean())
        precision = recall / (recall + slipped)
        if precision >= wanted:
            return Threshold(wanted=wanted, score=_down(score), precision=round(precision, 4), recall=round(recall, 4))
    return None


def _down(score: float) -> float:
    # Down, not to the nearest: the text whose score this is has to pass.
    return math.floor(score * 10_000) / 10_000


def reliability(said: Sequence[Said]) -> tuple[Bin, ...]:
    """The reliability curve: in each fifth of the scores, the share of good texts when both kinds weigh the same.

    A text without a score, as one that a panel's veto refused, is in none of them.
    """
    scored = [(one.verdict.score, one.item.good) for one in said if one.verdict.score is not None]
    counts = {kind: max(sum(good == kind for _, good in scored), 1) for kind in (True, False)}
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for score, good in scored:
        bins[min(int(score * BINS), BINS - 1)].append((score, good))
    found = []
    for _, members in sorted(bins.items()):
        weights = {kind: sum(good == kind for _, good in members) / counts[kind] for kind in (True, False)}
        mean = float(np.mean([score for score, _ in members]))
        share = weights[True] / (weights[True] + weights[False])
        found.append(Bin(score=round(mean, 4), good=round(share, 4), items=len(members)))
    return tuple(found)


def pointwise_pairs(said: Sequence[Said]) -> list[tuple[Item, float]]:
    """For each bad text with a good one beside it: the good one's score less its own."""
    scores = {(one.item.task.id, one.item.text): one.verdict.grade for one in said}
    pairs = ((one, scores.get((one.item.task.id, one.item.better or ""))) for one in said if one.item.better)
    return [(one.item, better - one.verdict.grade) for one, better in pairs if better is not None]


def length_bias(pairs: Iterable[tuple[Item, float]], seed: int) -> Figure:
    """How much more often than gold the longer of two texts is preferred; ties and equal lengths do not count."""
    values, groups = [], []
    for item, margin in pairs:
        assert item.better is not None
        gap = len(item.better) - len(item.text)
        if margin and gap:
            values.append(float((margin > 0) == (gap > 0)) - float(gap > 0))
            groups.append(item.task.dialogue)
    return estimate_figure(values, groups, seed)


def position_bias(compared: Sequence[ComparedTexts], seed: int) -> Figure:
    """How much more often one place is named than the other, over both orders: 0 to 1, with its bootstrap interval."""
    votes = {"first": 1.0, "second": -1.0, "equal": 0.0}
    rows = [(votes[answer], one.item.task.dialogue) for one in compared for answer in one.comparison.answers or ()]
    named = [(value, group) for value, group in rows if value]
    if not named:
        return NONE
    sums = np.array([[value, 1.0] for value, _ in named])
    samples = resample(group_sums(sums, group_indices([group for _, group in named])), seed)
    ratio: Callable[[Array], Array] = lambda table: np.abs(table[:, 0]) / np.maximum(table[:, 1], 1)  # noqa: E731
    low, high = percentile_interval(ratio(samples))
    value = float(ratio(sums.sum(axis=0, keepdims=True))[0])
    return Figure(value=round(value, 4), low=round(low, 4), high=round(high, 4), items=len(named))
