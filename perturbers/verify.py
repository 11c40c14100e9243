"""Proof that a rejected text is worse, found without knowing how it was made.

A verifier reads the dialogue, the chosen rewrite and one text, and returns the evidence of its defect, or ``""``
when it finds none. :func:`settle` demands that it finds nothing in the chosen and something in the rejected text,
and that the rejected text is no acceptable rewrite after all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pairwright.core import language as lang
from pairwright.core.records import Candidate, Dropped, Rejected, RewriteTask, Scalar
from pairwright.perturbers import chinese, english
from pairwright.perturbers.repair import broken
from pairwright.perturbers.spans import stem

Verifier = Callable[[RewriteTask, str, str], str]
"""``(task, chosen, text) -> evidence``, empty when ``text`` does not have the defect."""


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


def settle(
    maker: str,
    defect: str,
    task: RewriteTask,
    chosen: Candidate,
    drafts: Iterable[Draft],
    verifier: Verifier,
    limit: int,
) -> Iterator[Rejected | Dropped]:
    """One outcome per draft, in order, until ``limit`` of them are proven; at least one outcome."""
    made, seen, outcomes = 0, {lang.normalise(chosen.rewrite)}, 0
    flaw = ""
    for draft in drafts:
        outcomes += 1
        key = lang.normalise(draft.text)
        reason, detail = _objection(task, chosen.rewrite, draft, key)
        if not reason and key in seen:
            reason = "made_before"
        if not reason:
            flaw = flaw or verifier(task, chosen.rewrite, chosen.rewrite)
            reason, detail = ("chosen_has_defect", flaw) if flaw else ("", "")
        if not reason and not verifier(task, chosen.rewrite, draft.text):
            reason, detail = "not_proven_worse", draft.text
        if reason:
            yield Dropped(stage="perturb", row=task.id, reason=reason, detail=detail)
            continue
        seen.add(key)
        yield Rejected(
            text=draft.text,
            analysis=draft.analysis,
            defect=defect,
            maker=maker,
            template=draft.template,
            parameters=draft.parameters,
            evidence=draft.evidence,
        )
        made += 1
        if made == limit:
            return
    if not outcomes:
        yield Dropped(stage="perturb", row=task.id, reason="nothing_to_change")


def _objection(task: RewriteTask, chosen: str, draft: Draft, key: str) -> tuple[str, str]:
    if draft.reason:
        return draft.reason, draft.evidence
    if not key:
        return "empty", draft.template
    if key == lang.normalise(chosen) and draft.analysis is None:
        return "equals_chosen", draft.text
    if task.reference is not None and key == lang.normalise(task.reference) and draft.analysis is None:
        return "equals_reference", draft.text
    if key == lang.normalise(task.query) and draft.template not in ("copied_query", *COT_TEMPLATES):
        return "equals_query", draft.text
    mark = broken(draft.text, chosen, task.language)
    return ("ungrammatical", mark) if mark else ("", "")


COT_TEMPLATES = ("analysis_contradicts", "analysis_skipped", "analysis_copied")


def restored_words(task: RewriteTask, chosen: str) -> tuple[str, ...]:
    """What the rewrite says and the query does not: content words (English, stems) or restored spans (Chinese)."""
    if task.language == "zh":
        spans = lang.restored(task.query, chosen, "zh")
        return tuple(part for span in spans for part in _parted(span) if len(part) > 1)
    return tuple(sorted(_stems(chosen) - _stems(task.query)))


def _parted(span: str) -> list[str]:
    return [span] if "《" in span else re.split(r"[、，]|(?<=.{3})[和与](?=.{3})", span)


def lost_words(task: RewriteTask, chosen: str, text: str) -> tuple[str, ...]:
    """Restored words that ``text`` neither says nor implies."""
    restored = restored_words(task, chosen)
    if task.language == "zh":
        return tuple(word for word in restored if not _is_said_zh(word, text))
    have = _stems(text)
    return tuple(
        word for word in restored if word not in have and not (len(word) < 6 and lang.supported(word.upper(), [text]))
    )


def missing(task: RewriteTask, chosen: str, text: str) -> str:
    """Evidence that ``text`` lacks something that the rewrite had to bring back."""
    return ", ".join(lost_words(task, chosen, text))


def vague(task: RewriteTask, chosen: str, text: str) -> str:
    """Evidence that ``text`` points at something where the chosen rewrite names it."""
    if text == chosen:
        return ""
    pointers = _pointers(text, task) - _pointers(chosen, task)
    return ", ".join(sorted(pointers)) if pointers and lost_words(task, chosen, text) else ""


def _pointers(text: str, task: RewriteTask) -> frozenset[str]:
    pattern = _ZH_POINTER if task.language == "zh" else _EN_POINTER
    return frozenset(match.group().lower() for match in pattern.finditer(text))


_ZH_POINTER = re.compile(
    r"[这那该此][个家部首张位本种款趟所几些两]?(?:酒店|餐馆|景点|电影|歌|专辑|乐队|公司|学校|书|车|手机|城市|产品|病|人|地方|东西)?|[他她它]们?|那里|那边|"
    r"(?<![\u4e00-\u9fff])(?:酒店|餐馆|景点|电影|歌手|专辑|乐队|公司)"
)
_EN_POINTER = re.compile(
    r"\b(?:it|its|they|them|their|he|she|him|his|her|this|that|these|those|there|the (?:\w+ )?ones?|(?:this|that|these|those) [\w-]+|the [\w-]+)\b",
    re.I,
)


def leaked(task: RewriteTask, chosen: str, text: str) -> str:
    """Evidence that ``text`` says something that only the examples of its prompt say."""
    own = "\n".join((task.query, chosen, *(turn.content for turn in task.history)))
    theirs = "\n".join(
        part
        for example in task.examples
        for part in (example.query, example.rewrite, *(turn.content for turn in example.history))
    )
    return _foreign(task, chosen, text, own, theirs)


def foreign(task: RewriteTask, chosen: str, text: str) -> str:
    """Evidence that ``text`` says something that stands nowhere in the dialogue."""
    own = "\n".join((task.query, chosen, *(turn.content for turn in task.history)))
    return _foreign(task, chosen, text, own, text)


def _foreign(task: RewriteTask, chosen: str, text: str, own: str, theirs: str) -> str:
    if text == chosen:
        return ""
    if task.language == "zh":
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
