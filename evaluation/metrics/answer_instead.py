"""Answer-instead rate: the share of questions that came back as something that neither asks nor requests.

Rows count whose reference asks something. Questions and requests are recognised by
:func:`pairwright.core.language.text_analysis.is_question` and ``is_request``.
"""

from __future__ import annotations

from pairwright.core.language.text_analysis import is_question, is_request
from pairwright.evaluation.metrics.metric import Metric, MetricCase, Sums, share


def _answered(case: MetricCase) -> Sums | None:
    rewrite, language = case.prediction.rewrite, case.row.language
    if not is_question(case.row.reference, language):
        return None
    return share(not is_question(rewrite, language) and not is_request(rewrite, language))


ANSWER_INSTEAD = Metric("answer_instead", "a question came back as something that asks nothing", "lower", _answered)
