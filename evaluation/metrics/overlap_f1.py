"""Character and word F1 against the reference: mean over rows of the F1 of two bags.

With h the size of the bags' intersection, F1 = 2h / (size of the one + size of the other). Words are those of
:mod:`pairwright.core.language.text_analysis` (segmented in Chinese), without regard to case; characters leave white space out.
Rajpurkar et al. 2016 (SQuAD).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pairwright.core.language.text_analysis import words
from pairwright.evaluation.metrics.metric import Metric, MetricCase, Sums


def bag_f1(first: Iterable[str], second: Iterable[str]) -> float:
    """F1 of two bags, 0 where they share nothing."""
    one, other = Counter(first), Counter(second)
    hits = (one & other).total()
    return 2 * hits / (one.total() + other.total()) if hits else 0.0


def _characters(case: MetricCase) -> Sums:
    return bag_f1("".join(case.prediction.rewrite.split()), "".join(case.row.reference.split())), 1.0


def _words(case: MetricCase) -> Sums:
    language = case.row.language
    return bag_f1(_lower(words(case.prediction.rewrite, language)), _lower(words(case.row.reference, language))), 1.0


def _lower(found: Iterable[str]) -> Iterable[str]:
    return (word.lower() for word in found)


CHARACTER_F1 = Metric("character_f1", "overlap of characters with the reference", "higher", _characters)
WORD_F1 = Metric("word_f1", "overlap of words with the reference", "higher", _words)
