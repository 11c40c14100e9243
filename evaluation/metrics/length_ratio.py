"""Length ratio: tokens of all rewrites over tokens of all references (see ``tokens.py``); 1 is the references' length.

Neither way is better in itself: a figure far above 1 says that the rewrites add what the references do not have.
"""

from __future__ import annotations

from pairwright.evaluation.metrics.metric import Metric, MetricCase, Sums
from pairwright.evaluation.metrics.tokens import tokens


def _lengths(case: MetricCase) -> Sums:
    return float(len(tokens(case.prediction.rewrite))), float(len(tokens(case.row.reference)))


LENGTH_RATIO = Metric(
    "length_ratio", "length of the rewrites over that of the references", "neither", _lengths, percent=False
)
