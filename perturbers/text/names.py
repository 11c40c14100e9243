"""Names of things in answers and dialogues, with the kind of thing that each one names."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import NamedTuple

from pairwright.core.language import text_analysis as lang
from pairwright.core.records import Case, Language
from pairwright.perturbers.text import chinese, phrase_banks

_TURNS, _LONGEST_TURN = 6, 800  # the newest turns, and the first characters of each, that are looked at


class Name(NamedTuple):
    """``text[start:end]`` names one thing of a kind."""

    kind: str
    text: str
    start: int
    end: int


@lru_cache(maxsize=512)
def names(text: str, language: Language) -> tuple[Name, ...]:
    """The names in order. Chinese kinds are those of ``chinese.CLASSES``, English ones are persons only."""
    return _names_zh(text) if language == "zh" else _names_en(text)


def rivals(case: Case, text: str, kind: str) -> tuple[Name, ...]:
    """Names of that kind in the newest turns that ``text`` does not say, not even in part, the most recent first."""
    found: dict[str, Name] = {}
    turns = [
        turn.content[:_LONGEST_TURN] for turn in reversed(case.history[-_TURNS:]) if turn.role in ("user", "assistant")
    ]
    for content in (case.query, *turns):
        for name in names(content, case.language):
            if name.kind == kind and not _shares(name.text, text):
                found.setdefault(name.text, name)
    return tuple(found.values())


def _shares(name: str, text: str) -> bool:
    """Whether the text says the name or half of it."""
    if name.isascii():
        return any(word in text for word in re.findall(r"\w{4,}", name)) or name in text
    bare = chinese.bare_name(name)
    return any(bare[at : at + 2] in text for at in range(max(len(bare) - 1, 1)))


def _names_zh(text: str) -> tuple[Name, ...]:
    found = []
    for mention in lang.mentions(text[:_LONGEST_TURN], "zh"):
        name = mention.text.strip()
        if (
            mention.kind != "entity"
            or not chinese.is_name_like(name)
            or chinese.is_full_class(name)
            or _is_no_name_zh(name)
        ):
            continue
        around = text[max(0, mention.start - 20) : mention.end + 20]
        kind = chinese.classify(name, "", around, text[mention.end : mention.end + 8]).name
        if kind == "person" and re.search(r"[州省市国县]$", text[: mention.start]):
            continue  # 美国宾夕法尼亚州|雷丁
        if kind != chinese.OTHER.name and not _RUNS_ON_ZH.match(text[mention.start + len(name) :]):
            found.append(Name(kind, name, mention.start, mention.start + len(name)))
    return tuple(found)


_RUNS_ON_ZH = re.compile(
    r"(?![的是有在位和与及跟或吧呀啊哦吗呢很也都就还才挺真好不去这那你您我他她周附地电门评价票演唱出写导主为等游玩吃住，])[\u4e00-\u9fffA-Za-z0-9]"
)
"""What follows a name that the tagger cut off: 簋街|小吃."""


def _is_no_name_zh(name: str) -> bool:
    return bool(
        re.fullmatch(r"[A-Za-z]{1,4}|[a-z].*|[\d\W]+", name)
        or re.search(r"(?:路|号|县|区|胡同|市|省|出口|站|线|奖|国|年|月|日|歌手|演员|导演|人)$", name)
        or re.match(r"[这那该此哪每某本]|[称叫属是为有]|第[一二三四五六七八九十\d]", name)
        or re.search(r"周边|附近|推荐|其他|别的|华语|国语|粤语|中文|英文|摇滚|流行|民谣|知名|著名|大型|旺季|淡季", name)
    )


@cache
def _person_en() -> re.Pattern[str]:
    given = phrase_banks.phrases("en", "given_names")[0].text
    return re.compile(
        rf"\b(?:{given}) (?:[A-Z]\. )?[A-Z][a-z]{{2,}}\b(?! (?:University|Street|Road|Award|Museum|School))"
    )


def _names_en(text: str) -> tuple[Name, ...]:
    return tuple(Name("person", match.group(), match.start(), match.end()) for match in _person_en().finditer(text))
