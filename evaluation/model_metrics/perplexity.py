"""Perplexity of the rewrites under a local causal language model: exp of the mean negative log-likelihood per token.

PPL = exp(−Σ log p(token | tokens before) / Σ tokens), over all rewrites of the system, each on its own behind the
model's beginning-of-text token (where there is none, its first token is not predicted). It measures fluency, not
meaning, and long texts weigh more.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pairwright.core.statistics import Array
from pairwright.evaluation.metrics.metric import Metric, MetricCase, Sums, mean
from pairwright.evaluation.model_metrics.encoder import load
from pairwright.evaluation.predictions import System

BATCH = 16  # texts at a time


def perplexity_metric(model: str, systems: Sequence[System]) -> Metric:
    """The metric, with all rewrites scored by the model in the folder ``model``.

    Raises:
        ConfigError: the model cannot be loaded.
    """
    texts = sorted({one.rewrite for system in systems for one in system.predictions})
    losses = dict(zip(texts, _losses(Path(model), texts), strict=True))

    def measure(case: MetricCase) -> Sums | None:
        found = losses[case.prediction.rewrite]
        return found if found[1] else None

    name = Path(model).name
    return Metric("perplexity", f"perplexity under {name}", "lower", measure, _exponential, percent=False)


def _exponential(sums: Array) -> Array:
    return np.exp(mean(sums))


def _losses(folder: Path, texts: Sequence[str]) -> list[tuple[float, float]]:
    """Negative log-likelihood and number of predicted tokens of each text."""
    torch, tokenizer, network = load(folder, "AutoModelForCausalLM")
    start = [tokenizer.bos_token_id] if tokenizer.bos_token_id is not None else []
    found: list[tuple[float, float]] = []
    for first in range(0, len(texts), BATCH):
        ids = [start + tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts[first : first + BATCH]]
        # At least two places: the first is never predicted, and texts may be empty.
        longest = max([2, *map(len, ids)])
        padded = torch.tensor([row + [tokenizer.pad_token_id or 0] * (longest - len(row)) for row in ids])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in ids])
        with torch.inference_mode():
            logits = network(input_ids=padded, attention_mask=mask).logits.double()
        chosen = torch.log_softmax(logits[:, :-1], dim=-1).gather(2, padded[:, 1:, None])[..., 0]
        kept = chosen * mask[:, 1:]
        found += [(-float(total), float(count)) for total, count in zip(kept.sum(1), mask[:, 1:].sum(1), strict=True)]
    return found
