"""Invented-entity rate: the share of rewrites that name something which nobody said.

A mention of the rewrite is invented when neither the dialogue, nor the query, nor the reference has it in any form;
the rule is that of the judge ``invented_entity``, which says more.
"""

from __future__ import annotations

from pairwright.evaluation.metric import Case, Metric, Sums, share
from pairwright.judges.invented_entity import invented


def _invents(case: Case) -> Sums:
    return share(invented(case.row.task, case.prediction.rewrite) is not None)


INVENTED_ENTITY = Metric("invented_entity", "the rewrite names something that nobody said", "lower", _invents)
