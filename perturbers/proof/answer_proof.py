"""Proof that an answer is worse, found without knowing how it was made. See :mod:`pairwright.perturbers.proof.rewrite_proof`."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import Any

from pairwright.core.bookkeeping import Dropped
from pairwright.core.language import text_analysis as lang
from pairwright.core.records import Candidate, Case, KnownCase, Language, Rejected, ToolCall
from pairwright.core.tool_calls import calls_of, strict_json
from pairwright.core.tool_schemas import call_problem
from pairwright.perturbers.proof.rewrite_proof import Draft, Rules, Verifier, settle
from pairwright.perturbers.text.answer_text import LONGEST_ANSWER, is_grounded, kept, pieces, said, sentences, turns
from pairwright.perturbers.text.values import figures

_MUST_KEEP = 0.2
"""Share of the good answer's own words below which nothing of it is left."""
_SLOT = 45
"""Characters: the longest stretch that is still one value."""


def _objection(case: KnownCase, chosen: str, draft: Draft) -> tuple[str, str]:
    """Why the text is out of the question, whatever its defect."""
    if draft.reason:
        return draft.reason, draft.evidence
    if not draft.text.strip():
        return "empty", draft.template
    if draft.text.strip() == chosen.strip():
        return "equals_chosen", draft.text
    if case.reference is not None and draft.text.strip() == case.reference.strip():
        return "equals_reference", draft.text
    return "", ""


def _prose_objection(case: KnownCase, chosen: str, draft: Draft) -> tuple[str, str]:
    """Of prose, form does not count: another comma makes no other text."""
    reason, detail = _objection(case, chosen, draft)
    if reason:
        return reason, detail
    key = lang.normalise(draft.text)
    if not key:
        return "empty", draft.template
    if key == lang.normalise(chosen):
        return "equals_chosen", draft.text
    if case.reference is not None and key == lang.normalise(case.reference):
        return "equals_reference", draft.text
    return "", ""


PROSE = Rules(LONGEST_ANSWER, lang.normalise, _prose_objection)
CODE = Rules(LONGEST_ANSWER, str.strip, _objection)
"""For JSON, where one comma decides."""


def prove(
    rejected_by: str,
    defect: str,
    case: KnownCase,
    chosen: Candidate,
    drafts: Iterable[Draft],
    verifier: Verifier,
    limit: int,
    rules: Rules = PROSE,
) -> Iterator[Rejected | Dropped]:
    """:func:`~pairwright.perturbers.proof.rewrite_proof.settle` for answers."""
    return settle(rejected_by, defect, case, chosen, drafts, verifier, limit, rules)


def evasive(case: Case, chosen: str, text: str) -> str:
    """Evidence that ``text`` says nothing of what the chosen answer tells: neither its words nor a figure of its own.

    The words of the user's turn do not count: a brush-off repeats them too.
    """
    told = pieces(chosen, case.language) - pieces(case.query, case.language)
    missing = told - pieces(text, case.language)
    if not told or len(missing) < (1 - _MUST_KEEP) * len(told) or figures(text) - figures(case.query):
        return ""
    return ", ".join(sorted(missing)[:6])


def changed(chosen: str, text: str) -> tuple[str, str]:
    """The one stretch in which two texts differ, widened to whole words and numbers."""
    start = 0
    while start < min(len(chosen), len(text)) and chosen[start] == text[start]:
        start += 1
    back = 0
    while back < min(len(chosen), len(text)) - start and chosen[-1 - back] == text[-1 - back]:
        back += 1
    while start and _is_joined(chosen[start - 1], (chosen + " ")[start], (text + " ")[start]):
        start -= 1
    while back and _is_joined(
        chosen[-back], chosen[-back - 1 : len(chosen) - back], text[-back - 1 : len(text) - back]
    ):
        back -= 1
    return chosen[start : len(chosen) - back], text[start : len(text) - back]


def _is_joined(edge: str, *inner: str) -> bool:
    """Whether a character belongs to the same word or number as one of its neighbours."""
    return edge.isascii() and edge.isalnum() and any(char.isascii() and char.isalnum() for char in inner)


def slot_changed(case: Case, chosen: str, text: str) -> str:  # noqa: ARG001
    """Evidence that ``text`` is the chosen answer but for one value, which is another one and no other form of it."""
    if text == chosen:
        return ""
    old, new = changed(chosen, text)
    if not lang.normalise(old) or not lang.normalise(new) or max(len(old), len(new)) > max(_SLOT, len(chosen) // 2):
        return ""
    if figures(old) or figures(new):
        return f"{old} → {new}" if figures(old) != figures(new) else ""
    same = lang.supported(old, [new]) or lang.supported(new, [old])
    return "" if same else f"{old} → {new}"


def unreadable(case: Case, chosen: str, text: str) -> str:  # noqa: ARG001
    """Evidence that no program reads ``text`` as JSON: neither a strict one (RFC 8259) nor Python, which takes ``Infinity``."""
    try:
        json.loads(text)
    except RecursionError:
        return "nested too deeply"
    except ValueError as exc:
        return str(exc)
    return ""


def miscalled(case: Case, chosen: str, text: str) -> str:
    """Evidence that ``text`` calls tools wrongly: against their schemas, or otherwise than the chosen answer does.

    Values are compared as JSON, strings without regard to case, width and outer space. A ``text`` that is no array of
    calls at all is the business of another defect.
    """
    right, calls = calls_of(chosen), calls_of(text)
    if not right or not calls:
        return ""
    if case.tools:
        for call in calls:
            if problem := call_problem(call, case.tools):
                return ": ".join(problem)
    for wanted, given in zip_longest(right, calls):
        if _call(wanted) != _call(given):
            return f"{wanted} → {given}"
    return ""


def _call(call: ToolCall | None) -> object:
    return None if call is None else (call.name, _comparable(strict_json(call.arguments)))


def _comparable(value: Any) -> object:
    if isinstance(value, dict):
        return tuple(sorted((key, _comparable(one)) for key, one in value.items()))
    if isinstance(value, list):
        return tuple(_comparable(one) for one in value)
    if isinstance(value, str):
        return ("text", unicodedata.normalize("NFKC", value).casefold().strip())
    # For Python True equals 1; for a tool it does not.
    return (type(value).__name__ if isinstance(value, bool) else "number", value)


def unsupported(case: Case, chosen: str, text: str) -> str:
    """Evidence that ``text`` says a number or a name that neither dialogue, tools nor the chosen answer have.

    Where a tool has spoken, the chosen answer itself must keep to the dialogue: then it is no source for figures.
    """
    known = said(case)
    sources = known if is_grounded(case) and text == chosen else (*known, chosen)
    have = frozenset().union(*(figures(source) for source in sources)) | _counted(sources)
    numbers = sorted(figures(text) - have - _SMALL)
    if numbers or text == chosen:
        return ", ".join(numbers)
    old = {span.text for span in sentences(chosen, case.language)}
    fresh = [span.text for span in sentences(text, case.language) if span.text not in old]
    found = [one.text for part in fresh for one in lang.mentions(part, case.language) if one.kind == "entity"]
    return ", ".join(name for name in found if not lang.supported(name, sources))


_SMALL = frozenset("0123456789") | {"10"}
"""Figures that number a list or count what is at hand."""


def _counted(sources: Iterable[str]) -> frozenset[str]:
    """Figures of the sources in another form: 010-62751230 also without its hyphen, 1.5 also as 15."""
    return frozenset(re.sub(r"\D", "", match) for source in sources for match in re.findall(r"[\d.,:-]+", source))


def asks_nothing(case: Case, chosen: str, text: str) -> str:
    """Evidence that ``text`` no longer asks the user for what the chosen answer asks."""
    asked = [span.text for span in sentences(chosen, case.language) if inquires(span.text, case.language)]
    if text == chosen or not asked:
        return "" if asked else "asks nothing"
    if any(inquires(span.text, case.language) for span in sentences(text, case.language)):
        return ""
    return asked[-1]


_PLEASE = re.compile(
    r"\b(?:please|could you|can you) (?:provide|tell|specify|share|give|clarify|let me know|confirm|enter)\b|\blet me know (?:which|what|where|when|how)\b|请(?:您)?(?:提供|告诉|告知|说明|补充|输入|确认)",
    re.IGNORECASE,
)
_OFFER = re.compile(
    r"\bwould you like (?![^?]* or )|\b(?:another|different|something else|second choice|interest(?:s|ed)? (?:you|in)|both of)\b|^(?:how|what) about\b|\bdo you usually\b|\byou usually\b|\b(?:is|will) that (?:be )?all\b|\bany ?more\b|\badditional\b|\b(?:any )?others?\b|\bis (?:this|that|it) (?:ok|okay|fine|good)\b|\bfurther (?:information|help|details)\b|\b(?:their|its|the) (?:phone|address|number|location)\b|\bexpand\b|\ban address\b|\bon (?:any|either|one|all)\b|\bdo you (?:want|need) (?:me|more|any|their|help|the (?:address|phone))\b"
    r"|\b(?:can|may|could|shall|should) I\b|\bis there any(?:thing)?\b|\banything else\b|\bhow (?:does|do) (?:that|this|these) sound\b|\bwhat do you think\b|\bok(?:ay)? for you\b|\bright\?|\bsounds? good\b"
    r"|(?:电话|地址)[吗不么]|看看吗|游玩吗|忘了|推出|发行|上映|出生|成立|去不[？?]|旅游|这首|哪首|代表作|需要我|还需要|还有什么|还有别的|要不要我|[可行好对]吗|可以吗|接受|满意|满足吧|觉得|想法|[行可]不|可以不|要不要|考虑|怎么样|[您你]看[行可]|知道吗|清楚吗|[听看去]过|了解吗|要不[？?]|帮[您你]",
    re.IGNORECASE,
)


_WANTED_ZH = re.compile(
    r"请问|[您你]们?(?:是)?(?:想(?!好|不想|了解|去不)|要(?=[去找几哪什多的])|需要(?!推荐|我)|希望|打算|计划|准备|偏好|倾向|是指|指的是|说的(?=是|哪|什么))|(?<!作品)[您你]们?更?喜欢(?![^？?]*(?:音乐|作品|歌|首))[^？?]*(?:什么|哪|还是)"
    r"|(?:预算|价位|口味|车牌|手机号|订单号?|身份证|账号|日期|城市|尺码|型号|人数)[^，。？?]{0,6}(?:多少|什么|哪|几)|[您你][^，。？?]*[几多][位少个]人|几位"
)


def inquires(sentence: str, language: Language) -> bool:
    """Whether a sentence wants something from the user that the answer depends on; offers and small talk do not."""
    if _PLEASE.search(sentence):
        return True
    if (
        not re.search(r"[?？]|(?:哪[个里儿]|多少|什么|几[个位点号])$", sentence)
        or _OFFER.search(sentence)
        or not lang.is_question(sentence, language)
    ):
        return False
    if language == "en":
        return True
    # 你说的是风筝啊？ makes sure, it does not ask
    sure = re.search(r"[啊呀吧哦][？?！!]*$", sentence) and not re.search(r"哪|什么|几|多少|还是|怎|谁", sentence)
    return bool(_WANTED_ZH.search(sentence)) and not sure


_CAUTION: Mapping[Language, re.Pattern[str]] = {
    "en": re.compile(
        r"\b(?:doctors?|physicians?|pharmacists?|dietitians?|vets?|veterinarians?|therapists?|lawyers?|attorneys?|solicitors?|professionals?|specialists?|providers?|advisors?|advice"
        r"|side effects?|caution\w*|warning|dangerous|dangers?|careful|allerg\w+|overdose|emergency|pregnant|breastfeeding|risks?|risky|ventilat\w+|unplug\w*|protective"
        r"|recommended|advised|suitable|supervision|exceed|lose|never|away from)\b",
        re.IGNORECASE,
    ),
    "zh": re.compile(
        r"咨询|就医|就诊|遵医嘱|医院|急诊|病史|报警|千万|不建议|不适合|[煤燃]气|手套|医生|医师|药师|律师|专业人[士员]|副作用|不良反应|慎|忌|禁|切勿|不要|过量|过敏|孕妇|哺乳|风险|不构成|仅供参考|安全|当心|小心|危险|急救|拨打|断电|关闭|通风|防护|谨防|本金|亏损"
    ),
}
_DIRECTIVE: Mapping[Language, re.Pattern[str]] = {
    "en": re.compile(
        r"\b(?:consult\w*|seek|see|talk|speak|check|ask|contact|visit|should|must|avoid|never|do not|don't|cannot|not|no|careful|caution|warning|important|always|may|can|could|call|make sure|if|get|best)\b",
        re.IGNORECASE,
    ),
    "zh": re.compile(r"请|应|要|须|需|勿|别|不|慎|忌|禁|建议|最好|咨询|就医|注意|谨|如果|可能|有|小心|当心"),
}


_EXPERT: Mapping[Language, re.Pattern[str]] = {
    "en": re.compile(
        r"\b(?:consult\w*|see|ask|talk|speak|check|guidance|advice|recommended)\b[^.!?]*\b(?:doctor|physician|pharmacist|dietitian|lawyer|advisor|professional|specialist)|\bprofessional (?:guidance|advice|help)\b",
        re.IGNORECASE,
    ),
    "zh": re.compile(r"就医|遵医嘱|咨询|律师|医生"),
}


def _cautions(text: str, language: Language) -> list[str]:
    """The sentences that warn: what can go wrong or who can help, and what to do about it."""
    told = (span.text for span in sentences(text, language))
    return [one for one in told if _CAUTION[language].search(one) and _DIRECTIVE[language].search(one)]


def unwarned(case: Case, chosen: str, text: str) -> str:
    """Evidence that ``text`` lacks the cautions of the chosen answer, has no others, and keeps what else that says."""
    warned = _cautions(chosen, case.language)
    if text == chosen or not warned:
        return "" if warned else "no caution"
    gone = [one for one in warned if kept(text, one, case.language) < 0.6]
    rest = " ".join(span.text for span in sentences(chosen, case.language) if span.text not in gone)
    if any(_EXPERT[case.language].search(one) for one in _cautions(text, case.language)):
        return ""
    fresh = len(_cautions(text, case.language)) + len(gone) > len(warned)
    return gone[-1] if gone and not fresh and kept(text, rest, case.language) > 0.8 else ""


def dragging(case: Case, chosen: str, text: str) -> str:
    """Evidence that ``text`` says all that the chosen answer says, and again what was said in it or before it."""
    # All of the good answer, with a little room for joints, and a quarter more.
    if len(text) < 1.25 * len(chosen) or kept(text, chosen, case.language) < 0.95:
        return ""
    earlier = (*(turn.content for turn in turns(case)), chosen)
    again = _repeated(text, earlier) - _repeated(chosen, earlier[:-1])
    return f"{again} characters said before" if again >= 0.15 * len(chosen) and again >= 8 else ""


def _repeated(text: str, earlier: Iterable[str]) -> int:
    """Characters of the sentences that stand in an earlier text, or twice in this one."""
    whole, count, seen = "\n".join(earlier), 0, set[str]()
    for part in re.split(r"[\n。！？!?；;：:“”\"]|(?<=[.])\s", text):
        body = part.strip()
        if len(body) > 5 and (body in seen or body in whole):
            count += len(body)
        seen.add(body)
    return count


def step_missing(case: Case, chosen: str, text: str) -> str:
    """Evidence that one whole part of the chosen answer is gone, the others stay, and the numbers run on without a gap."""
    numbers = [int(one) for one in re.findall(_NUMBERING, text)]
    if numbers and numbers != list(range(1, len(numbers) + 1)):
        return "" if text != chosen else "numbers do not run on"
    parts = [part for part in re.split(_PART, chosen) if len(pieces(part, case.language)) >= 2]
    gone = [part for part in parts if kept(text, part, case.language) < 0.5]
    if text == chosen or not gone or len(gone) > max(len(parts) // 2, 1):
        return ""
    stay = [part for part in parts if part not in gone]
    whole = all(kept(text, part, case.language) > 0.7 for part in stay if len(pieces(part, case.language)) > 3)
    added = pieces(text, case.language) - pieces(chosen, case.language)
    return gone[0].strip()[:80] if whole and len(added) <= 6 else ""


_NUMBERING = re.compile(r"(?:^|(?<=[\s：:。；;.]))[(（]?(\d{1,2})[)）.、](?!\d)", re.MULTILINE)
_PART = re.compile(
    r"\n+|(?<=[.!?])\s+(?=[A-Z(\d])|(?<=[。；！？;])|(?:^|(?<=\s))[(（]?(?:Step )?\d{1,2}[)）.、:：](?!\d)|，(?=然后|接着|再|最后|之后|其次)"
)
