"""Language match: the share of rewrites written in the language of their row.

The language of a text is read from its script (:func:`pairwright.evaluation.gold_rows.language_of`); a rewrite with
neither Han characters nor Latin letters does not match.
"""

from __future__ import annotations

from pairwright.evaluation.gold_rows import language_of
from pairwright.evaluation.metrics.metric import Metric, MetricCase, Sums, share


def _matches(case: MetricCase) -> Sums:
    return share(language_of(case.prediction.rewrite) == case.row.language)


LANGUAGE_MATCH = Metric("language_match", "the rewrite is in the language of the query", "higher", _matches)
