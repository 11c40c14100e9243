"""BLEU-4 of the corpus (Papineni et al. 2002), as sacrebleu computes it: its tokenisers, its exponential smoothing.

BLEU = BP · exp(¼ Σ log pₙ), pₙ = clipped hits / n-grams of the rewrites, BP = exp(1 − r/c) where the rewrites (c
tokens) are shorter than the references (r). Tokeniser ``13a`` for English rows, ``zh`` for Chinese ones: the signature
is ``nrefs:1|case:mixed|eff:no|tok:13a or zh|smooth:exp``. The unit is 0 to 1, where sacrebleu prints 0 to 100.

Counts come from sacrebleu and are added per resample here, so that BLEU has intervals and tests like any other figure.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache

import numpy as np

from pairwright.core.records import Language
from pairwright.core.statistics import Array
from pairwright.evaluation.metrics.metric import Metric, MetricCase, Sums
from pairwright.evaluation.metrics.tokens import ngrams

ORDERS = 4


@cache
def _tokeniser(language: Language) -> Callable[[str], str]:
    from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
    from sacrebleu.tokenizers.tokenizer_zh import TokenizerZh

    chosen: Callable[[str], str] = (TokenizerZh if language == "zh" else Tokenizer13a)()
    return chosen


@lru_cache(maxsize=65536)
def bleu_tokens(text: str, language: Language) -> tuple[str, ...]:
    """sacrebleu's tokens of ``text``."""
    return tuple(_tokeniser(language)(text.rstrip()).split())


def _counts(case: MetricCase) -> Sums:
    found = bleu_tokens(case.prediction.rewrite, case.row.language)
    wanted = bleu_tokens(case.row.reference, case.row.language)
    hits = tuple(float((ngrams(found, n) & ngrams(wanted, n)).total()) for n in range(1, ORDERS + 1))
    totals = tuple(float(max(0, len(found) - n + 1)) for n in range(1, ORDERS + 1))
    return (float(len(found)), float(len(wanted)), *hits, *totals)


def bleu(sums: Array) -> Array:
    """Combine (rewrite tokens, reference tokens, four hits, four totals), (…, 10), into BLEU."""
    found, wanted = sums[..., 0], sums[..., 1]
    hits, totals = sums[..., 2 : 2 + ORDERS], sums[..., 2 + ORDERS :]
    # sacrebleu's exponential smoothing: the first order without a hit counts as 1/2, the next one as 1/4, and so on.
    halvings = np.cumsum((hits == 0) & (totals > 0), axis=-1)
    smoothed = np.where(hits > 0, hits, 0.5**halvings)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(np.where(totals > 0, smoothed / totals, 0))
        brevity = np.where(found < wanted, np.exp(1 - wanted / found), 1.0)
        value = brevity * np.exp(logs.mean(axis=-1))
    # As in sacrebleu without effective orders: no hit at all, or no n-gram of some order, is 0.
    empty = ~hits.any(axis=-1) | (totals == 0).any(axis=-1)
    return np.where(wanted == 0, np.nan, np.where(empty, 0.0, value))


BLEU = Metric("bleu", "BLEU-4 of the corpus, tokenised by sacrebleu", "higher", _counts, bleu, size=2 + 2 * ORDERS)
