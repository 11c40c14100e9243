"""The verifier of :mod:`~pairwright.perturbers.rewrites.style`: marks of a register, of another language, of words lost or doubled."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pairwright.core.language import text_analysis as lang
from pairwright.core.records import Case
from pairwright.perturbers.text import english
from pairwright.perturbers.text.spans import stem

_MARKED_EN = re.compile(
    r"\b(?:um|like|yo|hereby|kindly request|desired to obtain|please ask|ask one time|this thing)\b", re.I
)
_MARKED_ZH = re.compile(r"那啥|哥们儿|兹就|予以|贵方|明示|的提问：|这样的一个问题：|([吗呢吧啊呀])\1{2}")
_DOUBLED_EN = re.compile(r"\b([a-z]+) \1\b", re.I)
_HAN = re.compile(r"[\u4e00-\u9fff]+")
_ZH_LOOSE = re.compile(r"[的了，、\s]|(?<=哪)[部首张位座本款所家]")
# what no Chinese sentence goes without: the 的 that 是 asks for, the measure between 哪 and a noun
_ZH_NEEDED = re.compile(r"是[^，。？！]*的(?=[吗呢啊呀]?[？?。！!]*$)|哪[部首张位座本款所家](?=[\u4e00-\u9fff])")


def off_register(case: Case, chosen: str, text: str) -> str:
    """Evidence of a register that the chosen rewrite does not have: marked words, a foreign language, no grammar."""
    evidence = _evidence_zh(case, chosen, text) if case.language == "zh" else _evidence_en(case, chosen, text)
    return next(evidence, "")


def _evidence_zh(case: Case, chosen: str, text: str) -> Iterator[str]:
    said = _said(case, chosen)
    yield from (word for word in re.findall(r"[A-Za-z]{3,}", text) if word not in said)
    yield from sorted(
        {match.group() for match in _MARKED_ZH.finditer(text)}
        - {match.group() for match in _MARKED_ZH.finditer(chosen)}
    )
    lost = len(_ZH_NEEDED.findall(chosen)) - len(_ZH_NEEDED.findall(text))
    if lost > 0 and _ZH_LOOSE.sub("", text) == _ZH_LOOSE.sub("", chosen):
        yield "particles missing"


def _evidence_en(case: Case, chosen: str, text: str) -> Iterator[str]:
    said = _said(case, chosen)
    yield from (word for word in _HAN.findall(text) if word not in said)
    yield from sorted(_found(_MARKED_EN, text) - _found(_MARKED_EN, chosen))
    yield from sorted(_found(_DOUBLED_EN, text) - _found(_DOUBLED_EN, chosen))
    before, after = lang.normalise(chosen).split(), lang.normalise(text).split()
    if after == [word for word in before if word not in english.ARTICLES] != before:
        yield "no articles"
    small, content = zip(*(_parted(part) for part in (chosen, text)), strict=True)
    if small[0] >= 3 and small[1] == 0 and content[1] >= content[0]:
        yield "no function words"


def _said(case: Case, chosen: str) -> str:
    return "".join((case.query, chosen, *(turn.content for turn in case.history)))


def _found(pattern: re.Pattern[str], text: str) -> set[str]:
    return {match.group().lower() for match in pattern.finditer(text)}


def _parted(text: str) -> tuple[int, frozenset[str]]:
    """How many words of closed classes the text has, and the stems of the others."""
    words = [token.lower for token in english.tokenize(text) if token.is_word]
    content = frozenset(stem(word) for word in words if not english.is_closed_class(word))
    return sum(map(english.is_closed_class, words)), content
