"""Exact match: the share of rows whose rewrite is the reference.

``exact_match`` compares the strings, with outer and repeated white space ignored. ``exact_match_normalised`` compares
what :func:`pairwright.core.language.text_analysis.normalise` leaves of them (Unicode form, width, case, punctuation). Rajpurkar et
al. 2016 (SQuAD) for the measure.
"""

from __future__ import annotations

from pairwright.core.language.text_analysis import normalise
from pairwright.evaluation.metrics.metric import Metric, MetricCase, Sums, share


def _exact(case: MetricCase) -> Sums:
    return share(case.prediction.rewrite.split() == case.row.reference.split())


def _normalised(case: MetricCase) -> Sums:
    return share(normalise(case.prediction.rewrite) == normalise(case.row.reference))


EXACT_MATCH = Metric("exact_match", "the rewrite is the reference, character for character", "higher", _exact)
EXACT_MATCH_NORMALISED = Metric(
    "exact_match_normalised",
    "the rewrite is the reference, apart from case, width and punctuation",
    "higher",
    _normalised,
)
