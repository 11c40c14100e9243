"""ROUGE-1, ROUGE-2 and ROUGE-L: mean over rows of the F measure (Lin 2004).

With h the overlapping n-grams (clipped counts), or the longest common subsequence for ROUGE-L: P = h / n-grams of the
rewrite, R = h / n-grams of the reference, F = 2PR / (P + R). On English the figures are those of rouge-score without
stemming; Chinese is measured on characters (see ``tokens.py``), where rouge-score finds no tokens at all.
"""

from __future__ import annotations

from collections.abc import Callable

from pairwright.evaluation.metrics.metric import Metric, MetricCase, Sums
from pairwright.evaluation.metrics.tokens import ngrams, tokens


def rouge_n(prediction: str, reference: str, order: int) -> float:
    """F measure of the n-grams of one order."""
    found, wanted = ngrams(tokens(prediction), order), ngrams(tokens(reference), order)
    hits = (found & wanted).total()
    return 2 * hits / (found.total() + wanted.total()) if hits else 0.0


def rouge_l(prediction: str, reference: str) -> float:
    """F measure of the longest common subsequence."""
    found, wanted = tokens(prediction), tokens(reference)
    length = common_subsequence(found, wanted)
    return 2 * length / (len(found) + len(wanted)) if length else 0.0


def common_subsequence(first: tuple[str, ...], second: tuple[str, ...]) -> int:
    """Length of the longest common subsequence, by bit-parallel counting (Crochemore et al. 2001)."""
    places: dict[str, int] = {}
    for index, token in enumerate(first):
        places[token] = places.get(token, 0) | 1 << index
    full = (1 << len(first)) - 1
    row = full
    for token in second:
        matches = row & places.get(token, 0)
        row = ((row + matches) | (row - matches)) & full
    return len(first) - row.bit_count()


def _n(order: int) -> Callable[[MetricCase], Sums]:
    return lambda case: (rouge_n(case.prediction.rewrite, case.row.reference, order), 1.0)


def _l(case: MetricCase) -> Sums:
    return rouge_l(case.prediction.rewrite, case.row.reference), 1.0


ROUGE_1 = Metric("rouge_1", "overlap of single tokens with the reference", "higher", _n(1))
ROUGE_2 = Metric("rouge_2", "overlap of token pairs with the reference", "higher", _n(2))
ROUGE_L = Metric("rouge_l", "longest common subsequence with the reference", "higher", _l)
