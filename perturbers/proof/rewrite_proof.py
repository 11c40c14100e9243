"""Proof that a rejected text is worse, found without knowing how it was made.

A verifier reads the dialogue, the chosen rewrite and one text, and returns the evidence of its defect, or ``""``
when it finds none. :func:`settle` demands that it finds nothing in the chosen and something in the rejected text,
and that the rejected text is no acceptable rewrite after all.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pairwright.core.bookkeeping import Dropped
from pairwright.core.language import text_analysis as lang
from pairwright.core.records import Candidate, Case, KnownCase, Rejected, Scalar
from pairwright.perturbers.text import chinese, english
from pairwright.perturbers.text.repair import broken
from pairwright.perturbers.text.spans import LONGEST, stem

Verifier = Callable[[Case, str, str], str]
"""``(case, chosen, text) -> evidence``, empty when ``text`` does not have the defect."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An edited text on trial. ``reason`` is set instead when no text could be made."""

    text: str
    template: str
    evidence: str
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    analysis: str | None = None
    reason: str = ""


def impossible(reason: str, detail: str = "") -> Draft:
    """A draft that says why there is none."""
    return Draft("", "", detail, reason=reason)


def of_templates(drafts: Iterable[Draft], wanted: Collection[str]) -> Iterator[Draft]:
    """The drafts of the wanted templates (all of them where none is named), and those that say why there is none."""
    return (draft for draft in drafts if not wanted or draft.reason or draft.template in wanted)


Objection = Callable[[KnownCase, str, Draft], tuple[str, str]]
"""``(case, chosen, draft) -> (reason, detail)``, both empty when nothing speaks against the draft."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a kind of text has to meet before its defect is looked at.

    ``longest``: characters of chosen and query; longer ones are dropped unread. ``same`` gives what two equal texts
    have in common. ``objection`` says why a draft is out of the question, whatever its defect.
    """

    longest: int
    same: Callable[[str], str]
    objection: Objection


def settle(
    rejected_by: str,
    defect: str,
    case: KnownCase,
    chosen: Candidate,
    drafts: Iterable[Draft],
    verifier: Verifier,
    limit: int,
    rules: Rules | None = None,
) -> Iterator[Rejected | Dropped]:
    """One outcome per draft, in order, until ``limit`` of them are proven; at least one outcome.

    Without ``rules`` those for rewrites hold.
    """
    rules = rules or _REWRITES
    if max(len(chosen.text), len(case.query)) > rules.longest:
        yield Dropped(stage="perturb", row=case.id, reason="too_long", detail=f"more than {rules.longest} characters")
        return
    made, seen, nothing_tried = 0, {rules.same(chosen.text)}, True
    for draft in drafts:
        nothing_tried = False
        key = rules.same(draft.text) + (f" [{draft.analysis}]" if draft.analysis else "")
        reason, detail = rules.objection(case, chosen.text, draft)
        if not reason and key in seen:
            reason = "made_before"
        if not reason:
            reason, detail = _unproven(case, chosen.text, draft.text, verifier)
        if reason:
            yield Dropped(stage="perturb", row=case.id, reason=reason, detail=detail)
            continue
        seen.add(key)
        yield _rejected(draft, rejected_by, defect)
        made += 1
        if made == limit:
            return
    if nothing_tried:
        yield Dropped(stage="perturb", row=case.id, reason="nothing_to_change")


def _rejected(draft: Draft, rejected_by: str, defect: str) -> Rejected:
    return Rejected(
        text=draft.text,
        analysis=draft.analysis,
        defect=defect,
        rejected_by=rejected_by,
        template=draft.template,
        parameters=draft.parameters,
        evidence=draft.evidence,
    )


def _unproven(case: Case, chosen: str, text: str, verifier: Verifier) -> tuple[str, str]:
    """Why the verifier does not prove the text worse; nothing when it does."""
    flaw = verifier(case, chosen, chosen)
    if flaw:
        return "chosen_has_defect", flaw
    return ("", "") if verifier(case, chosen, text) else ("not_proven_worse", text)


def _objection(case: KnownCase, chosen: str, draft: Draft) -> tuple[str, str]:
    """Why the text is out of the question, whatever its defect."""
    key = lang.normalise(draft.text)
    if draft.reason:
        return draft.reason, draft.evidence
    if not key:
        return "empty", draft.template
    if key == lang.normalise(chosen) and draft.analysis is None:
        return "equals_chosen", draft.text
    if case.reference is not None and key == lang.normalise(case.reference) and draft.analysis is None:
        return "equals_reference", draft.text
    if key == lang.normalise(case.query) and draft.template not in ("copied_query", *COT_TEMPLATES):
        return "equals_query", draft.text
    mark = "" if draft.template in REAL_TEXTS else broken(draft.text, chosen, case.language)
    return ("ungrammatical", mark) if mark else ("", "")


_REWRITES = Rules(LONGEST, lang.normalise, _objection)


REAL_TEXTS = ("copied_query", "earlier_turn", "assistant_turn", "whole_example")
"""Templates whose text somebody really said: not to be held against the rules for edited text."""

COT_TEMPLATES = ("analysis_contradicts", "analysis_skipped", "analysis_copied")


def restored_words(case: Case, chosen: str) -> tuple[str, ...]:
    """What the rewrite says and the query does not: content words (English, stems) or restored spans (Chinese)."""
    if case.language == "zh":
        spans = lang.restored(case.query, chosen, "zh")
        # a branch in brackets, 海底捞火锅(西单店), does not count on its own
        outside = re.sub(r"[（(][^（()）]*[）)]", "", chosen)
        return tuple(
            part for span in spans for part in _parted(span) if len(part) > 1 and chinese.bare_name(part) in outside
        )
    return tuple(sorted(_stems(chosen) - _stems(case.query)))


def _parted(span: str) -> list[str]:
    return [span] if "《" in span else re.split(r"[、，]|(?<=.{3})[和与](?=.{3})", span)


def lost_words(case: Case, chosen: str, text: str) -> tuple[str, ...]:
    """Restored words that ``text`` neither says nor implies."""
    restored = restored_words(case, chosen)
    if case.language == "zh":
        return tuple(word for word in restored if not _is_said_zh(word, text))
    # In capitals, because only so supported() takes a word for an acronym, which the text may spell out.
    have = _stems(text)
    return tuple(
        word for word in restored if word not in have and not (len(word) < 6 and lang.supported(word.upper(), [text]))
    )


def missing(case: Case, chosen: str, text: str) -> str:
    """Evidence that ``text`` lacks something that the rewrite had to bring back."""
    return ", ".join(lost_words(case, chosen, text))


def vague(case: Case, chosen: str, text: str) -> str:
    """Evidence that ``text`` points at something where the chosen rewrite names it."""
    if text == chosen:
        return ""
    pointers = _pointers(text, case) - _pointers(chosen, case)
    return ", ".join(sorted(pointers)) if pointers and lost_words(case, chosen, text) else ""


def _pointers(text: str, case: Case) -> frozenset[str]:
    pattern = _ZH_POINTER if case.language == "zh" else _EN_POINTER
    return frozenset(match.group().lower() for match in pattern.finditer(text))


_ZH_POINTER = re.compile(
    r"[这那该此][个家部首张位本种款趟所几些两]?(?:酒店|餐馆|景点|电影|歌|专辑|乐队|公司|学校|书|车|手机|城市|产品|病|人|地方|东西)?|[他她它]们?|那里|那边|"
    r"(?<![\u4e00-\u9fff])(?:酒店|餐馆|景点|电影|歌手|专辑|乐队|公司)"
)
_EN_POINTER = re.compile(
    r"\b(?:it|its|they|them|their|he|she|him|his|her|this|that|these|those|there|the (?:\w+ )?ones?|(?:this|that|these|those) [\w-]+|the [\w-]+)\b",
    re.I,
)


def leaked(case: Case, chosen: str, text: str) -> str:
    """Evidence that ``text`` says something that only the examples of its prompt say."""
    own = "\n".join((case.query, chosen, *(turn.content for turn in case.history)))
    theirs = "\n".join(
        part
        for example in case.examples
        for part in (example.query, example.rewrite, *(turn.content for turn in example.history))
    )
    return _foreign(case, chosen, text, own, theirs)


def foreign(case: Case, chosen: str, text: str) -> str:
    """Evidence that ``text`` says something that stands nowhere in the dialogue."""
    own = "\n".join((case.query, chosen, *(turn.content for turn in case.history)))
    return _foreign(case, chosen, text, own, text)


def grown(case: Case, chosen: str, text: str) -> str:
    """Evidence that ``text`` says all that the chosen rewrite says and more of the dialogue besides."""
    if case.language == "zh":
        # 那 and 那么 may go: they only lead on from the turn before.
        kept = all(char in text for char in chosen if char.isalnum() and char not in "那么")
        more = tuple(
            span
            for span in lang.restored(chosen, text, "zh")
            if any(_shares(span, turn.content) for turn in case.history)
        )
        return "".join(more) if kept and len(text) > len(chosen) + 2 else ""
    more_words = _stems(text) - _stems(chosen)
    known = frozenset().union(*(_stems(turn.content) for turn in case.history)) if case.history else frozenset()
    return ", ".join(sorted(more_words & known)) if _stems(chosen) <= _stems(text) else ""


def _shares(span: str, turn: str) -> bool:
    """Whether two neighbouring characters of the span stand in the turn."""
    return any(span[place : place + 2] in turn for place in range(len(span) - 1))


def swapped(case: Case, chosen: str, text: str) -> str:
    """Evidence that ``text`` names something else of the dialogue where the chosen rewrite names what was meant."""
    if not lost_words(case, chosen, text):
        return ""
    if case.language == "zh":
        fresh = [
            span for span in lang.restored(chosen, text, "zh") if any(span in turn.content for turn in case.history)
        ]
        return "".join(fresh)
    known = frozenset().union(*(_stems(turn.content) for turn in case.history))
    fresh_words = _stems(text) - _stems(chosen)
    return ", ".join(sorted(fresh_words)) if fresh_words and fresh_words <= known else ""


def shortened(case: Case, chosen: str, text: str) -> str:
    """Evidence that ``text`` says less than the chosen rewrite and nothing else."""
    if case.language == "zh":
        rest = iter(char for char in chosen if char.isalnum())
        if not all(char in rest for char in text if char.isalnum()):
            return ""
        gone = sum(map(str.isalnum, chosen)) - sum(map(str.isalnum, text))
        return f"{gone} characters" if 2 <= gone <= 0.65 * len(chosen) and len(text) > 5 else ""
    lost = _stems(chosen) - _stems(text)
    lost = frozenset(word for word in lost if not english.is_function_word(word) and not lang.supported(word, [text]))
    keeps = _stems(text) <= _stems(chosen) and len(_stems(text)) * 10 >= 3 * len(_stems(chosen))
    return ", ".join(sorted(lost)) if keeps else ""


def answers(case: Case, chosen: str, text: str) -> str:
    """Evidence that ``text`` asks nothing although the chosen rewrite does."""
    if not lang.is_question(chosen, case.language) or lang.is_question(text, case.language):
        return ""
    return text if not _REQUEST.search(text) else ""


_REQUEST = re.compile(r"^(?:please|tell me|give me|show me|can you|could you)\b|^(?:请|帮我|麻烦|告诉我|给我)", re.I)


def drifted(case: Case, chosen: str, text: str) -> str:
    """Evidence that ``text`` is what an earlier user turn asked, and not what the query asks."""
    same = lang.normalise(text)
    if not any(same and same in lang.normalise(turn.content) for turn in case.history if turn.role == "user"):
        return ""
    if case.language == "zh":
        asked = set(lang.content_words(case.query, "zh"))
        kept = asked & set(lang.content_words(text, "zh"))
    else:
        asked, kept = set(_stems(case.query)), set(_stems(case.query) & _stems(text))
        if _stems(text) <= _stems(chosen):
            return ""
    return text if text != chosen and len(kept) * 2 <= max(len(asked), 1) else ""


def repeats(case: Case, chosen: str, text: str) -> str:
    """Evidence that ``text`` says some words of the chosen rewrite more often than that does, and loses none."""
    if case.language == "zh":
        if len(text) < len(chosen) + 6 or not all(
            char in text for char in chosen if char.isalnum() and char not in "那么"
        ):
            return ""
        pieces = {chosen[place : place + 3] for place in range(len(chosen) - 2)}
        return "".join(
            sorted(piece for piece in pieces if piece.isalnum() and text.count(piece) > chosen.count(piece))[:1]
        )
    before, after = (Counter(stem(token.lower) for token in english.tokenize(part)) for part in (chosen, text))
    again = [
        word
        for word in before
        if after[word] > before[word] and word[0].isalnum() and not english.is_closed_class(word)
    ]
    longer = sum(after.values()) >= 1.3 * sum(before.values())
    return (
        ", ".join(again) if longer and all(after[word] >= before[word] for word in before if word[0].isalnum()) else ""
    )


_INTENT_EN = re.compile(
    r"\b(?:who|what|when|where|why|how|which|not|n't|but|more|less|before|after|most|least|wrong|anything)\b|\d+(?:\.\d+)?"
    r"|\b\w+(?:er|est)\b|\b(?:best|worst|better|worse|advantages|disadvantages|benefits|risks|pros|cons|similarit\w+|differen\w+"
    r"|causes|effects|strengths|weaknesses|symptoms|phone|address|postcode|opening|price|cost|duration|salary|workload|location"
    r"|cheap|expensive|north|south|east|west|two|three|four|five|six|seven|eight|nine|ten|today|tomorrow|tonight|yesterday|this|next|last"
    r"|\w+day)\b",
    re.I,
)
_INTENT_ZH = re.compile(
    r"以[上下内]|最[\u4e00-\u9fff]|没有|有多少|有|不|别|哪里|哪儿|哪年|哪一年|哪|什么时候|什么|啥|多少|多钱|多大|多高|谁|几点|为什么|预约|讨厌|喜欢"
    r"|电话|邮箱|地址|停车场|停车费|评分|门票|票价|价格|人均消费|营业时间|休息时间|开放时间|闭馆时间|游玩时间|排队时间|岁数|身高|远处|周边|附近|首张"
    r"|大?[今明后昨前]天|[今明]晚|[今去明前后]年|[上下]+周|(?:周|星期)[一二三四五六日]|[上下]午|早上|晚上|[两三四五六七八](?=个|位|张|间|天|晚|点|小时|份|杯)"
    r"|景点|餐馆|酒店|饭店|\d+(?:\.\d+)?"
)


def other_intent(case: Case, chosen: str, text: str) -> str:
    """Evidence that the words that say what is asked differ, while the things asked about are the same."""
    pattern = _INTENT_ZH if case.language == "zh" else _INTENT_EN
    before, after = (Counter(match.group().lower() for match in pattern.finditer(part)) for part in (chosen, text))
    if before == after or missing(case, chosen, text):
        return ""
    return f"{', '.join((before - after).elements())} → {', '.join((after - before).elements())}"


def _foreign(case: Case, chosen: str, text: str, own: str, theirs: str) -> str:
    if text == chosen:
        return ""
    if case.language == "zh":
        pieces = [text[place : place + 2] for place in range(len(text) - 1)]
        found = [
            piece
            for piece in pieces
            if piece in theirs and piece not in own and re.fullmatch(r"[\u4e00-\u9fffA-Za-z0-9]{2}", piece)
        ]
        return (
            "".join(piece[0] if place + 1 < len(found) else piece for place, piece in enumerate(found))
            if len(found) > 1
            else ""
        )
    return ", ".join(sorted((_stems(text) & _stems(theirs)) - _stems(own)))


def _stems(text: str) -> frozenset[str]:
    return frozenset(
        stem(token.lower)
        for token in english.tokenize(text)
        if token.is_word and not english.is_closed_class(token.lower)
    )


def _is_said_zh(word: str, text: str) -> bool:
    """The name, or most of it, stands in the text: 海底捞 is enough for 海底捞火锅(西单店)."""
    name = chinese.bare_name(word)
    if name in text or word in text:
        return True
    longest = max(
        (
            end - start
            for start in range(len(name))
            for end in range(start + 1, len(name) + 1)
            if name[start:end] in text
        ),
        default=0,
    )
    return longest >= 3 and longest * 2 > len(name)
