"""Left-over reference rate: the share of rewrites that still point at something which they do not name.

References are the pronouns, demonstratives and markers of ellipsis that nothing in the text itself resolves
(:func:`pairwright.core.language.references`). Rows whose own reference has one do not count.
"""

from __future__ import annotations

from pairwright.core.language import references
from pairwright.evaluation.metric import Case, Metric, Sums, share


def _left_over(case: Case) -> Sums | None:
    if references(case.row.reference, case.row.language):
        return None
    return share(bool(references(case.prediction.rewrite, case.row.language)))


LEFTOVER_REFERENCE = Metric("leftover_reference", "the rewrite still points at something unnamed", "lower", _left_over)
