"""Analysis-contradiction rate: the share of answers whose analysis says one thing and whose rewrite does another.

The rule is that of the judge ``contradiction``: an analysis that calls the query complete beside a rewrite that adds to
it, or one that names what the query means beside a rewrite that brings none of it. Rows without an analysis do not
count.
"""

from __future__ import annotations

from pairwright.core.records import Candidate
from pairwright.evaluation.metrics.metric import Metric, MetricCase, Sums, share
from pairwright.judges.rules.contradiction import contradiction


def _contradicts(case: MetricCase) -> Sums | None:
    one = case.prediction
    if one.analysis is None:
        return None
    candidate = Candidate(id=one.id, task=one.id, origin="teacher", text=one.rewrite, analysis=one.analysis)
    return share(contradiction(case.row.case, candidate) is not None)


ANALYSIS_CONTRADICTION = Metric(
    "analysis_contradiction", "the analysis says one thing, the rewrite does another", "lower", _contradicts
)
