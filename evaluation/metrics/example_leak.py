"""Example-leak rates: words of the prompt's few-shot examples in the rewrite, or an example's analysis in the analysis.

The rules are those of the judge ``example_leak``: a content word of the rewrite leaks when only the examples have it,
not the dialogue, the query or the reference. An analysis leaks when it names something of an example's dialogue in
the same way, or repeats half of an example's analysis or more word for word (longest common substring). Rows without
examples in their prompt do not count, nor, for the second rate, rows without an analysis. Copying from examples is
the failure that few-shot rewriting of small models shows first.
"""

from __future__ import annotations

from difflib import SequenceMatcher

from pairwright.core.language.text_analysis import normalise
from pairwright.evaluation.metrics.metric import Metric, MetricCase, Sums, share
from pairwright.judges.rules.example_leak import leaked_name, leaked_word

COPIED_SHARE = 0.5


def copies(analysis: str, example: str) -> bool:
    """True when ``analysis`` repeats at least half of ``example`` in one piece."""
    one, other = normalise(analysis), normalise(example)
    longest = SequenceMatcher(None, one, other, autojunk=False).find_longest_match().size
    return bool(other) and longest >= COPIED_SHARE * len(other)


def _rewrite(case: MetricCase) -> Sums | None:
    return share(leaked_word(case.row.case, case.prediction.rewrite) is not None) if case.row.examples else None


def _analysis(case: MetricCase) -> Sums | None:
    analysis = case.prediction.analysis
    if not case.row.examples or analysis is None:
        return None
    repeats = any(copies(analysis, example.analysis) for example in case.row.examples)
    return share(repeats or leaked_name(case.row.case, analysis) is not None)


EXAMPLE_LEAK = Metric("example_leak", "the rewrite has a word that only the few-shot examples have", "lower", _rewrite)
ANALYSIS_LEAK = Metric("analysis_leak", "the analysis repeats or names something of an example", "lower", _analysis)
