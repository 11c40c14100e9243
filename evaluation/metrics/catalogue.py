"""The metrics of rewrites that need no model, in the order of the reports. A new metric is one file and one line."""

from __future__ import annotations

from importlib.util import find_spec

from pairwright.core.extras import install_line
from pairwright.evaluation.metrics.analysis_contradiction import ANALYSIS_CONTRADICTION
from pairwright.evaluation.metrics.answer_instead import ANSWER_INSTEAD
from pairwright.evaluation.metrics.bleu import BLEU
from pairwright.evaluation.metrics.entity_retention import ENTITY_RETENTION
from pairwright.evaluation.metrics.exact_match import EXACT_MATCH, EXACT_MATCH_NORMALISED
from pairwright.evaluation.metrics.example_leak import ANALYSIS_LEAK, EXAMPLE_LEAK
from pairwright.evaluation.metrics.format_validity import FORMAT_VALIDITY
from pairwright.evaluation.metrics.invented_entity import INVENTED_ENTITY
from pairwright.evaluation.metrics.language_match import LANGUAGE_MATCH
from pairwright.evaluation.metrics.leftover_reference import LEFTOVER_REFERENCE
from pairwright.evaluation.metrics.length_ratio import LENGTH_RATIO
from pairwright.evaluation.metrics.metric import Metric
from pairwright.evaluation.metrics.overlap_f1 import CHARACTER_F1, WORD_F1
from pairwright.evaluation.metrics.readability import READABILITY
from pairwright.evaluation.metrics.restoration import RESTORATION_F1, RESTORATION_F2, RESTORATION_F3
from pairwright.evaluation.metrics.rouge import ROUGE_1, ROUGE_2, ROUGE_L
from pairwright.evaluation.metrics.unchanged import OVER_EDIT, UNCHANGED

METRICS: tuple[Metric, ...] = (
    EXACT_MATCH,
    EXACT_MATCH_NORMALISED,
    RESTORATION_F1,
    RESTORATION_F2,
    RESTORATION_F3,
    ENTITY_RETENTION,
    CHARACTER_F1,
    WORD_F1,
    BLEU,
    ROUGE_1,
    ROUGE_2,
    ROUGE_L,
    UNCHANGED,
    OVER_EDIT,
    LEFTOVER_REFERENCE,
    INVENTED_ENTITY,
    EXAMPLE_LEAK,
    ANALYSIS_LEAK,
    ANALYSIS_CONTRADICTION,
    ANSWER_INSTEAD,
    FORMAT_VALIDITY,
    LANGUAGE_MATCH,
    LENGTH_RATIO,
    READABILITY,
)
_NEEDS = {"bleu": "sacrebleu"}


def available() -> tuple[tuple[Metric, ...], dict[str, str]]:
    """The metrics that can be computed here, and for each other one what to install."""
    missing = {name: package for name, package in _NEEDS.items() if find_spec(package) is None}
    reasons = {name: f"needs {package}: {install_line('evaluate')}" for name, package in missing.items()}
    return tuple(metric for metric in METRICS if metric.name not in missing), reasons
