"""BERTScore F (Zhang et al. 2020) of rewrite against reference under a local encoder, mean over rows.

Each token of the one text is matched with the most similar token of the other (cosine of their contextual vectors);
R is the mean over the tokens of the reference, P over those of the rewrite, F = 2PR / (P + R). No idf weights, no
baseline rescaling, special tokens left out. ``FOLDER@LAYER`` picks a layer of hidden states, else the last is used;
the figure depends on both, so it is only comparable under one model and layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pairwright.core.statistics import Array
from pairwright.evaluation.gold_rows import GoldRow
from pairwright.evaluation.metrics.metric import Metric, MetricCase, Sums
from pairwright.evaluation.model_metrics.encoder import encode
from pairwright.evaluation.predictions import System


def bertscore_metric(model: str, rows: Sequence[GoldRow], systems: Sequence[System]) -> Metric:
    """The metric, with all texts encoded; ``model`` is ``FOLDER`` or ``FOLDER@LAYER``.

    Raises:
        ConfigError: the model cannot be loaded.
    """
    folder, _, layer = model.partition("@")
    texts = sorted({row.reference for row in rows} | {one.rewrite for system in systems for one in system.predictions})
    vectors = dict(zip(texts, map(_unit, encode(Path(folder), texts, int(layer or -1))), strict=True))

    def score(case: MetricCase) -> Sums:
        return greedy_f(vectors[case.prediction.rewrite], vectors[case.row.reference]), 1.0

    return Metric("bertscore", f"BERTScore F under {Path(folder).name}, layer {layer or 'last'}", "higher", score)


def greedy_f(found: Array, wanted: Array) -> float:
    """F of the greedy matching of two lists of unit vectors."""
    similarity = found @ wanted.T
    precision, recall = similarity.max(axis=1).mean(), similarity.max(axis=0).mean()
    return float(2 * precision * recall / (precision + recall)) if precision + recall > 0 else 0.0


def _unit(vectors: Array) -> Array:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths == 0, 1, lengths))
