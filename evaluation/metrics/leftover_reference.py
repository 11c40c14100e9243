"""Left-over reference rate: the share of rewrites that still point at something which they do not name.

The rule is that of the judge ``leftover_reference``: pronouns, demonstratives and markers of ellipsis that nothing in
the rewrite resolves and that the reference has not kept either. Rows without history do not count.
"""

from __future__ import annotations

from pairwright.evaluation.metrics.metric import Metric, MetricCase, Sums, share
from pairwright.judges.rules.leftover_reference import leftover


def _left_over(case: MetricCase) -> Sums | None:
    return share(leftover(case.row.case, case.prediction.rewrite) is not None) if case.row.history else None


LEFTOVER_REFERENCE = Metric("leftover_reference", "the rewrite still points at something unnamed", "lower", _left_over)
