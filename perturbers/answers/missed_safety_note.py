"""Missed safety note: the caution that belongs to the answer is gone."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import ClassVar

from pydantic import Field

from pairwright.core.bookkeeping import Dropped
from pairwright.core.components import Component
from pairwright.core.records import Candidate, Case, KnownCase, Language, Rejected, TaskKind
from pairwright.perturbers.proof.answer_proof import prove, unwarned
from pairwright.perturbers.proof.rewrite_proof import Draft, impossible
from pairwright.perturbers.text import phrase_banks
from pairwright.perturbers.text.answer_text import Span, is_json, sentences


class MissedSafetyNote(Component):
    """Takes out the sentences that warn: see a doctor or a lawyer, side effects, risks, when not to.

    ``left_out_FIELD`` leaves nothing in their place, ``belittled_PHRASE`` an assurance that all is safe.
    """

    name: ClassVar[str] = "missed_safety_note"
    tasks: ClassVar[frozenset[TaskKind]] = frozenset({"answer"})
    variants: int = Field(2, ge=1, description="At most this many rejected texts per answer.")

    def perturb(self, case: KnownCase, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:
        """See :class:`~pairwright.core.components.Perturber`."""
        drafts = _drafts(case, chosen.text, rng)
        yield from prove(self.name, "missed_safety_note", case, chosen, drafts, unwarned, self.variants)


_FIELDS: Mapping[Language, Mapping[str, re.Pattern[str]]] = {
    "en": {
        "medical": re.compile(
            r"\b(?:consult|see|talk to|speak (?:to|with)|check with|ask|contact|visit)\b[^.!?]*\b(?:doctors?|physicians?|pharmacists?|health ?care|dietitians?|nutritionists?|veterinarians?|vet|therapists?|dentists?|(?:medical|health|qualified|licen[sc]ed) (?:professionals?|providers?|specialists?))\b"
            r"|\bseek\b[^.!?]*\b(?:medical|emergency|professional)\b|\bprofessional (?:guidance|advice|help)\b|\bside effects\b|\bmedical (?:advice|attention|supervision)\b|\boverdose\b|\bdo not exceed\b|\ballerg(?:y|ic|ies)\b[^.!?]*\b(?:avoid|should|do not|don't|careful)\b"
            r"|\b(?:pregnant|breastfeeding)\b|\bnot (?:recommended|advised|safe) (?:for|to|if)\b|\bcaution should be\b|\b(?:emergency room|ambulance|poison (?:control|centre|center))\b",
            re.IGNORECASE,
        ),
        "legal": re.compile(r"\b(?:lawyers?|attorneys?|solicitors?|legal advi\w+|not legal)\b", re.IGNORECASE),
        "financial": re.compile(
            r"\b(?:financial advi\w+|investment advice|not financial|lose (?:all|your|money)|past performance|risk of los\w+|tax advis\w+|accountant)\b",
            re.IGNORECASE,
        ),
        "safety": re.compile(
            r"\b(?:danger(?:ous)?|caution|be careful|careful not to|never (?:mix|leave|use|touch|try)|emergency services|911|112|999|turn off|unplug|ventilat\w+|protective|fire hazard|keep (?:away|out) of|at your own risk)\b"
            r"|^(?:Never|Do not|Don't)\b[^.!?]*\b(?:alone|touch|mix\w*|sparks?|flames?|fire|petrol|electric\w*|wires?|wet|hot|ladder|roof|children|gas|chemicals?|swallow\w*)\b",
            re.IGNORECASE,
        ),
    },
    "zh": {
        "medical": re.compile(
            r"就医|就诊|咨询[^。！]*(?:医生|医师|药师)|(?:建议|请|最好|及时|尽快)[^。！]*(?:医院|医生)|遵医嘱|(?:医生|医师|药师)[^。！]*(?:指导|建议|确认|许可|同意)|副作用|不良反应|慎用|慎服|禁用|忌服|不要超过|过量|过敏|孕妇|哺乳|不能(?:代替|替代)[^。！]*(?:诊断|治疗|医)|急救|拨打120|(?:立即|马上|尽快)[^。！]*(?:医院|急诊)|(?:病史|孕妇|婴儿|[高低]血压|糖尿病)[^。！]*(?:不能|不要|不宜|不建议|不适合)"
        ),
        "legal": re.compile(r"律师|法律(?:意见|咨询|援助|风险|责任)|不构成法律"),
        "financial": re.compile(
            r"(?:投资|理财|贷款|借款|炒股|基金)[^。！]*(?:风险(?!测评|评估)|谨慎|亏)|投资有风险|不构成(?:投资|理财)|谨慎(?:投资|决策)|可能(?:亏损|本金)|量力而行|本金"
        ),
        "safety": re.compile(
            r"注意安全|切勿|切忌|严禁|禁止|当心|小心|危险|断电|关闭(?:电源|燃气|总闸)|通风|触电|烫伤|防护|专业人员|(?:千万|切记)(?:不要|别|不能)|不要(?:独自|单独|混用|靠近|触摸)|谨防|诈骗|报警|煤气味|燃气味|戴(?:手套|口罩|护目镜|头盔)"
        ),
    },
}


def _drafts(case: Case, chosen: str, rng: random.Random) -> Iterator[Draft]:
    fields = _FIELDS[case.language]
    spans = sentences(chosen, case.language)
    notes = [(span, field) for span in spans for field, pattern in fields.items() if pattern.search(span.text)]
    # where the user asks for the risks themselves, they are the answer
    notes = [
        (span, field) for span, field in notes if not (_is_listed(chosen, span) or fields[field].search(case.query))
    ]
    taken = {span for span, _ in notes}
    # what goes on about the doctor goes with him
    taken |= {after for before, after in pairwise(spans) if before in taken and _GOES_ON.match(after.text)}
    if is_json(chosen) or not notes:
        yield impossible("no_safety_note", chosen[:80])
        return
    if len(taken) > len(spans) / 2:
        yield impossible("nothing_but_notes", chosen[:80])
        return
    evidence = " ".join(span.text for span in spans if span in taken)
    phrases = [
        phrase for phrase in phrase_banks.shuffled(case.language, "reassure", rng) if _suits(phrase, notes[-1][1])
    ]
    drafts = [
        Draft(_without(chosen, [(span, "") for span in spans if span in taken]), f"left_out_{notes[0][1]}", evidence)
    ]
    for phrase in phrases[:3]:
        last = max(taken, key=lambda span: span.start)
        edits = [(span, phrase.text if span is last else "") for span in spans if span in taken]
        drafts.append(Draft(_without(chosen, edits), f"belittled_{phrase.slug.partition('|')[0]}", evidence))
    order = drafts if rng.random() < 0.4 else [*drafts[1:], drafts[0]]
    yield from order


def _suits(phrase: phrase_banks.Phrase, field: str) -> bool:
    # Behind the bar of a slug stand the fields that the phrase is for; without one it suits all.
    fields = phrase.slug.partition("|")[2]
    return not fields or field in fields.split(",")


_GOES_ON = re.compile(r"(?:They|He or she|He|She|These professionals|A professional|Such)\b|他们|她们|他会|医生会")


def _is_listed(chosen: str, span: Span) -> bool:
    """Whether the sentence belongs to a numbered item: without it the numbers would not run on."""
    return bool(re.search(r"\d[.)、]\s*$", chosen[: span.start]) or re.match(r"\W*\d{1,2}[.)、]", span.text))


def _without(chosen: str, edits: list[tuple[Span, str]]) -> str:
    """The answer with other text in the place of some sentences; the space and the link before a dropped one go too."""
    text, last = "", 0
    for span, put in edits:
        text += chosen[last : span.start] + put
        last = span.end
        if not put:
            text = text.rstrip(" ")
    return re.sub(r"\n{3,}", "\n\n", text + chosen[last:]).strip()
