"""Unchanged rate and over-edit rate: doing nothing where a rewrite is needed, and something where none is.

``unchanged`` looks at rows whose query needs its dialogue: the share of them that came back as they were.
``over_edit`` looks at the others, which stand on their own: the share of them that came back changed (false edits).
Both compare what :func:`pairwright.core.language.text_analysis.normalise` leaves. A row that needs a rewrite is annotated so, or its
reference differs from its query.
"""

from __future__ import annotations

from pairwright.core.language.text_analysis import normalise
from pairwright.evaluation.metrics.metric import Metric, MetricCase, Sums, share


def _same(case: MetricCase) -> bool:
    return normalise(case.prediction.rewrite) == normalise(case.row.query)


def _unchanged(case: MetricCase) -> Sums | None:
    return share(_same(case)) if case.row.dependent else None


def _over_edited(case: MetricCase) -> Sums | None:
    return None if case.row.dependent else share(not _same(case))


UNCHANGED = Metric("unchanged", "the query came back as it was, although it needs a rewrite", "lower", _unchanged)
OVER_EDIT = Metric("over_edit", "the query was changed, although it needs no rewrite", "lower", _over_edited)
