"""Example-leak rates: words of the prompt's few-shot examples in the rewrite, or an example's analysis in the analysis.

The rewrite leaks when it names something that an example has and neither the dialogue, the query nor the reference
has. The analysis leaks when it does the same, or when it repeats half of an example's analysis or more word for word
(longest common substring). Rows without examples in their prompt do not count, nor, for the second rate, rows without
an analysis. Copying from examples is the failure that few-shot rewriting of small models shows first.
"""

from __future__ import annotations

from difflib import SequenceMatcher

from pairwright.core.language import mentions, normalise, supported
from pairwright.core.records import Example
from pairwright.evaluation.gold import GoldRow
from pairwright.evaluation.metric import Case, Metric, Sums, share

COPIED_SHARE = 0.5


def leaked(text: str, row: GoldRow) -> tuple[str, ...]:
    """What ``text`` names that only the examples have."""
    said = (*row.dialogue_texts, row.reference)
    shown = [part for example in row.examples for part in _texts(example)]
    found = (mention.text for mention in mentions(text, row.language))
    return tuple(name for name in found if not supported(name, said) and supported(name, shown))


def copies(analysis: str, example: str) -> bool:
    """True when ``analysis`` repeats at least half of ``example`` in one piece."""
    one, other = normalise(analysis), normalise(example)
    longest = SequenceMatcher(None, one, other, autojunk=False).find_longest_match().size
    return bool(other) and longest >= COPIED_SHARE * len(other)


def _texts(example: Example) -> tuple[str, ...]:
    turns = (turn.content for turn in example.history)
    return (*turns, example.query, example.analysis, example.rewrite)


def _rewrite(case: Case) -> Sums | None:
    return share(bool(leaked(case.prediction.rewrite, case.row))) if case.row.examples else None


def _analysis(case: Case) -> Sums | None:
    analysis = case.prediction.analysis
    if not case.row.examples or analysis is None:
        return None
    repeats = any(copies(analysis, example.analysis) for example in case.row.examples)
    return share(repeats or bool(leaked(analysis, case.row)))


EXAMPLE_LEAK = Metric("example_leak", "the rewrite names something of a few-shot example", "lower", _rewrite)
ANALYSIS_LEAK = Metric("analysis_leak", "the analysis repeats or names something of an example", "lower", _analysis)
