"""Answer-instead rate: the share of questions that came back as something else than a question or a request.

Rows count whose reference asks something (:func:`pairwright.core.language.is_question`). A rewrite answers when it
neither asks nor requests; requests are recognised by their first words (tell me, list, 请, 帮我 …).
"""

from __future__ import annotations

import re

from pairwright.core.language import is_question
from pairwright.core.records import Language
from pairwright.evaluation.metric import Case, Metric, Sums, share

_REQUEST = re.compile(
    r"\W*(?:(?:please|ok|okay|so|and|also|then)\W+)*(?:tell|give|show|list|find|describe|explain|compare|name|search|look|"
    r"recommend|suggest|provide|discuss|summari[sz]e|define|i (?:want|need|would like|'d like)|i'd like|let me)\b"
    r"|.{0,12}?(?:请|帮|告诉|介绍|推荐|查|说说|讲讲|聊聊|列出|找|想知道|想了解|我想|我要)",
    re.IGNORECASE,
)


def answers(rewrite: str, language: Language) -> bool:
    """True when the text neither asks nor requests."""
    return not is_question(rewrite, language) and not _REQUEST.match(rewrite)


def _answered(case: Case) -> Sums | None:
    if not is_question(case.row.reference, case.row.language):
        return None
    return share(answers(case.prediction.rewrite, case.row.language))


ANSWER_INSTEAD = Metric("answer_instead", "a question came back as something that asks nothing", "lower", _answered)
