"""An answer that says nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from pairwright.core.components import Component
from pairwright.core.language.text_analysis import content_words, is_question, is_request, normalise
from pairwright.core.records import Candidate, Case, Language, TaskKind, Verdict
from pairwright.core.requests import Ask
from pairwright.core.tool_calls import calls_of
from pairwright.judges.rules.rule_verdicts import verdicts

_EVASIONS: Mapping[Language, re.Pattern[str]] = {
    "en": re.compile(
        r"\b(?:(?:i'?m|i am) (?:sorry|afraid|not sure)|sorry|as an ai(?: language model| assistant)?|unfortunately"
        r"|i (?:really )?(?:don'?t|do not|can'?t|cannot) (?:know|say|tell|help(?: (?:you )?with (?:that|this|it))?|answer (?:that|this))"
        r"|(?:you (?:can|may|might want to|should) )?(?:look (?:it|that) up(?: online)?|search (?:online|the web|the internet)|google it|check online)"
        r"|is there anything else(?: i can help(?: you)? with)?|that'?s (?:a )?(?:great|good|interesting) question|it depends)\b"
    ),
    "zh": re.compile(
        r"抱歉|不好意思|对不起|很遗憾|作为(?:一个)?(?:AI|ai|人工智能|语言模型)(?:助手|模型)?"
        r"|(?:这个)?(?:我)?(?:也|真的)?(?:还)?不(?:太|是很)?(?:清楚|知道|了解|确定|好说)|(?:我)?没有?(?:听说|注意|关注)过?"
        r"|(?:我)?(?:无法|不能|没办法)(?:回答|帮(?:到|助)?您|帮你|提供|确定)|(?:您|你)?(?:可以)?(?:自行|自己|上网)*(?:查一下|查询一下|搜索一下|百度一下|查询|查找|搜索)"
        r"|(?:请问)?还有(?:什么|其他)(?:可以|能)?(?:帮(?:到|助)?您|需要)的?吗?|这(?:个|是个)问题(?:很好|不错)|这(?:真)?是(?:一)?个(?:很|非常)?(?:好|不错)的?问题|看情况"
    ),
}
# Short answers that do answer: yes and no, there is and there is not. After an excuse only the plain ones count.
_SHORT: Mapping[Language, re.Pattern[str]] = {
    "en": re.compile(
        r"\b(?:yes|yeah|yep|no|nope|not|correct|right|exactly|true|false|neither|both|none|never|always)\b"
    ),
    "zh": re.compile(r"是|不|对|没|有|可以|行|能|会|都|正确|当然"),
}
_PLAIN_NO: Mapping[Language, re.Pattern[str]] = {
    "en": re.compile(r"\b(?:yes|no|none|neither)\b"),
    "zh": re.compile(r"没有|可以|不行|不能"),
}


class BrushOff(Component):
    """Fails an answer without words, and one that answers a question or a request with nothing but courtesy or excuses.

    Yes, no and figures are answers; so are calls of tools.
    """

    name: ClassVar[str] = "brush_off"
    tasks: ClassVar[frozenset[TaskKind]] = frozenset({"answer"})

    async def judge(self, case: Case, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
        return verdicts(self.name, "brush_off", (_finding(case, one.text) for one in candidates))


def _finding(case: Case, answer: str) -> str | None:
    if not normalise(answer):
        return answer or "empty"
    if calls_of(answer) or not (is_question(case.query, case.language) or is_request(case.query, case.language)):
        return None
    return None if says_something(answer, case.language) else answer


def says_something(answer: str, language: Language) -> bool:
    """Whether anything is left of an answer when courtesy and excuses are taken out."""
    plain = (answer.lower() if language == "en" else answer).strip()
    left = _EVASIONS[language].sub(" ", plain).strip()
    if any(character.isdigit() for character in left) or content_words(left, language):
        return True
    return bool((_SHORT if left == plain else _PLAIN_NO)[language].search(left))
