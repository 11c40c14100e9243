"""Unsupported claim: a fluent sentence with a number or a name that nobody and no tool ever said."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from pairwright.core.bookkeeping import Dropped
from pairwright.core.components import Component
from pairwright.core.records import Candidate, Case, KnownCase, Language, Rejected, TaskKind
from pairwright.perturbers.proof.answer_proof import prove, unsupported
from pairwright.perturbers.proof.rewrite_proof import Draft, impossible
from pairwright.perturbers.text import phrase_banks
from pairwright.perturbers.text.answer_text import Span, evades, is_aside, is_json, said, sentences
from pairwright.perturbers.text.names import Name, names
from pairwright.perturbers.text.values import choices, figures

_SHORTEST = {"en": 20, "zh": 7}
_NUMBERED = re.compile(
    r"^\s*(?:[-*•]|\(?\d{1,2}[.)、]|[①-⑳])|^[^:：]{0,60}[:：]$|[(（]?\b\d\)[^.]*$|;|\bhere (?:is|are)\b[^.]*\.$",
    re.IGNORECASE,
)
_PLACES = {
    "restaurant": re.compile(r"\brestaurants?\b", re.IGNORECASE),
    "hotel": re.compile(r"\bhotels?\b", re.IGNORECASE),
}


class UnsupportedClaim(Component):
    """Adds a claim with a figure or a name of its own: opening hours, a price, a rating, a survey, a person who said so.

    The claim follows a statement of the answer, or ends it as a clause, and suits the kind of thing that the statement
    names (``answers.LANGUAGE.txt``, sections ``claim.KIND``). Attributes that the dialogue speaks of are left out.
    """

    name: ClassVar[str] = "unsupported_claim"
    tasks: ClassVar[frozenset[TaskKind]] = frozenset({"answer"})
    variants: int = Field(2, ge=1, description="At most this many rejected texts per answer.")

    def perturb(self, case: KnownCase, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:
        """See :class:`~pairwright.core.components.Perturber`."""
        drafts = _drafts(case, chosen.text, rng)
        yield from prove(self.name, "unsupported_claim", case, chosen, drafts, unsupported, self.variants)


def _drafts(case: Case, chosen: str, rng: random.Random) -> Iterator[Draft]:
    if is_json(chosen):
        yield impossible("is_json")
        return
    places = [span for span in sentences(chosen, case.language) if _states(span, case.language)]
    if not places or evades(chosen, case.language):
        yield impossible("nothing_stated", chosen)
        return
    known = "\n".join((*said(case), chosen)).lower()
    found = False
    for span in rng.sample(places, min(len(places), 3)):
        sections, name = _sections(case, span, known)
        section = rng.choice(sections) if sections else ""
        for claim in phrase_banks.shuffled(case.language, section, rng)[:4] if section else ():
            # Behind the bar of a slug: where the dialogue has one of these words, it speaks of what the claim is about.
            slug, _, words = claim.slug.partition("|")
            if any(word and word in known for word in words.split(",")):
                continue
            found = True
            text = _filled(_about(claim.text, name, case.language), name, span.text + "\n" + known, case.language, rng)
            template = f"{section.replace('.', '_')}_{slug}"
            yield Draft(_placed(chosen, span, text, case.language), template, text)
    if not found:
        yield impossible("no_fitting_claim", chosen)


def _states(span: Span, language: Language) -> bool:
    """Whether the sentence is a statement that another one can follow: no question, no wish, no item of a list."""
    text = span.text
    ends = re.search(r"[.。]$" if language == "en" else r"。$", text)
    return (
        bool(ends)
        and len(text) >= _SHORTEST[language]
        and not is_aside(text, language)
        and not _NUMBERED.search(text)
        and not re.search(
            r"\b(?:I|we|you'?d|let|please|enjoy|sorry|sure|successfully)\b|[您你我]"
            if language == "en"
            else r"我[也想会就的还没很觉喜]|(?<![为给])[您你](?!去)|希望|[吧哈呀啊呢哦嘛]。$|^(?:[哦嗯啊是对]|没错)[^，]{0,3}，[^，]{0,8}。$|抱歉|没有|客气|我|车牌|应该做|祝|再找",
            text,
            re.IGNORECASE,
        )
    )


def _sections(case: Case, span: Span, known: str) -> tuple[list[str], str]:
    """The lists of claims that suit what the statement is about, and the name in it; none where nothing would suit."""
    named = [name for name in names(span.text, case.language) if phrase_banks.has(case.language, f"claim.{name.kind}")]
    if case.language == "zh" and re.search(r"地址|位于", span.text):
        named = []  # what is named there is a street or a house
    if named and (case.language == "en" or len({name.kind for name in named}) == 1):
        return [f"claim.{named[-1].kind}"], named[-1].text if len(named) > 1 or named[-1].kind == "person" else ""
    if named or (case.language == "zh" and re.search(r"这些|、.*都|[与和].*都", span.text)):
        return [], ""
    if case.language == "en":
        served = next((kind for kind, word in _PLACES.items() if word.search(known)), "")
        fits = _ONE_PLACE.search(span.text) and not (_NONE_EN.search(span.text) or _LIST_EN.search(span.text))
        if served or _ONE_PLACE.search(span.text):
            return ([f"claim.{served}"] if served and fits else []), ""
    if case.language == "zh" and (topic := _topic_zh(case, span.text)):
        return [f"claim.{topic.kind}"], topic.text if topic.kind == "person" else ""
    asked = {kind for kind, word in _CLASSES_ZH.items() if word in case.query + span.text}
    if case.language == "zh" and (asked or _ATTRIBUTE.search(span.text)):
        asked = asked or {name.kind for name in names(case.query, "zh")} & set(_CLASSES_ZH)
        near = _AROUND.search(span.text + case.query)
        return ([f"claim.{kind}" for kind in asked] if len(asked) == 1 and not near else []), ""
    return ["claim.any", "claim.clause"], ""


def _topic_zh(case: Case, statement: str) -> Name | None:
    """The person, film, song or album that the statement goes on about without its name."""
    for turn in (case.query, *(turn.content for turn in reversed(case.history[-3:]))):
        for name in reversed(names(turn, "zh")):
            if name.kind in _CUES_ZH:
                return name if _CUES_ZH[name.kind].search(statement) else None
    return None


_CUES_ZH = {
    "person": re.compile(r"[他她](?!们)|演员|歌手|导演|主持人|出生|毕业"),
    "film": re.compile(r"电影|影片|这部|上映|票房|片长"),
    "song": re.compile(r"这首|歌曲|单曲|作词|作曲|演唱"),
    "album": re.compile(r"专辑|收录"),
    "band": re.compile(r"乐队|组合|他们"),
}
_CLASSES_ZH = {"hotel": "酒店", "restaurant": "餐馆", "sight": "景点"}
_AROUND = re.compile(r"周边|附近|旁边|哪些|推荐")
_ONE_PLACE = re.compile(
    r"\b(?:address|located|location|serves?|serving|food|phone number|postcode|price range|restaurant|hotel)\b",
    re.IGNORECASE,
)
_NONE_EN = re.compile(
    r"\b(?:no|not|any|(?<!they )are|were|there (?:is|are)[^.]*,[^.]*, and|two|three|four|five|six|several|many|options|restaurants|hotels)\b",
    re.IGNORECASE,
)
_LIST_EN = re.compile(r",.*,.*\band (?:the )?[A-Z]")
_ATTRIBUTE = re.compile(r"电话|地址|门票|价格|评分|时间|消费|营业|开放|[元分]|小时|位于|周边|附近|推荐")


def _about(claim: str, name: str, language: Language) -> str:
    """Chinese: the claim with its name, where the statement has several of the kind."""
    if not name or "{name}" in claim or language == "en":
        return claim
    return "{name}" + re.sub(r"^(?:它|这家店|这首歌|这张专辑|他们)", "", claim)


def _filled(claim: str, name: str, known: str, language: Language, rng: random.Random) -> str:
    """The claim with numbers and names that stand nowhere in the dialogue."""
    return re.sub(
        r"\{(\w+)\}",
        lambda match: name if match.group(1) == "name" else _fill(match.group(1), known, language, rng),
        claim,
    )


_RANGES = {  # first, last, step
    "year": (1992, 2021, 1),
    "birth": (1946, 1994, 1),
    "future": (2027, 2040, 1),
    "percent": (11, 89, 1),
    "thousands": (1200, 9800, 100),
    "hundreds": (120, 880, 10),
    "millions": (3, 48, 1),
    "wan": (12, 960, 1),
    "count": (110, 480, 1),
    "tens": (12, 88, 1),
    "small": (2, 9, 1),
    "price": (12, 38, 1),
    "round": (15, 40, 5),
    "morning": (7, 11, 1),
    "evening": (14, 22, 1),
    "month": (3, 11, 1),
    "length": (88, 156, 1),
    "height": (60, 86, 1),
    "phone": (51000000, 88999999, 1),
}  # fmt: skip


def _fill(gap: str, known: str, language: Language, rng: random.Random) -> str:
    if gap == "rating":
        return f"{rng.randrange(36, 50) / 10:.1f}"
    if gap not in _RANGES:
        return rng.choice(choices(phrase_banks.phrases(language, f"fill.{gap}")[0].text))
    first, last, step = _RANGES[gap]
    if gap == "evening" and language == "en":
        first, last = 6, 11
    if gap == "year":
        # nobody spoke of a thing before it was
        years = [int(year) for year in re.findall(r"(?<!\d)(?:19|20)\d{2}(?!\d)", known.partition("\n")[0])]
        first = min(max([first, *years]), last)
    numbers = [str(number) for number in (rng.randrange(first, last + 1, step) for _ in range(8))]
    number = next((one for one in numbers if one not in figures(known)), numbers[0])
    return f"{int(number):,}" if gap == "thousands" and language == "en" else number


def _placed(chosen: str, span: Span, claim: str, language: Language) -> str:
    """The claim after the statement; one that begins with a comma before its full stop."""
    if claim[0] in ",，":
        mark = span.text[-1]
        return chosen[: span.end - 1] + claim + mark + chosen[span.end :]
    joint = " " if language == "en" else ""
    return chosen[: span.end] + joint + claim + chosen[span.end :]
