"""Context support: of the names, numbers and times in the answers, the share that the dialogue or the documents have.

Mentions and their support: :mod:`pairwright.core.language.text_analysis`. Answers that name nothing do not count.
"""

from __future__ import annotations

from pairwright.core.language.text_analysis import mentions, supported
from pairwright.evaluation.dialogues.dialogue_rows import DialogueCase
from pairwright.evaluation.metrics.metric import Metric, Sums


def _support(case: DialogueCase) -> Sums | None:
    row = case.row
    given = (*(turn.content for turn in row.history), row.query, *row.documents)
    found = [one.text for one in mentions(case.prediction.answer, row.language) if one.kind != "noun"]
    if not found:
        return None
    return float(sum(supported(text, given) for text in found)), float(len(found))


CONTEXT_SUPPORT = Metric("context_support", "names and numbers of the answer that the context has", "higher", _support)
