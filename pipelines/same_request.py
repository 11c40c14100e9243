"""Do two texts that look alike ask the same? Similar text is not enough: 北京天气 and 上海天气 are two questions.

Two texts ask the same when all that tells them apart is politeness, particles and articles (the lists in
``harmless.zh.txt`` and ``harmless.en.txt``), an English plural, or a slip inside a long English word. Whatever else
differs, an entity, a number, a pronoun, a negation or the order, makes two requests of them.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_LETTER = "a-z\u00c0-\u024f"
_TOKEN = re.compile(rf"[{_LETTER}]+|\d[\d.,:/\-]*|\S|\x1e")
_LONG_WORD = 8


def same_request(left: str, right: str) -> bool:
    """True when the two texts, in the spelling of :func:`~pairwright.pipelines.canonical.canonical`, ask the same."""
    return same_essence(essence(left), essence(right))


def same_essence(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """:func:`same_request` of two texts whose :func:`essence` is known."""
    return left == right or (len(left) == len(right) and all(map(_variants, left, right)))


def essence(text: str) -> tuple[str, ...]:
    """The words, numbers and Han characters of ``text`` that decide what it asks, in order."""
    return tuple(_TOKEN.findall(_harmless().sub(" ", text)))


def outline(words: tuple[str, ...]) -> tuple[str, ...]:
    """An essence without what variants of a word may differ in: two that ask the same have the same outline."""
    return tuple(_outline(word) for word in words)


def _outline(word: str) -> str:
    if not word.isalpha() or word > "\u024f":
        return word
    stem = word.removesuffix("s")
    return stem if len(stem) < _LONG_WORD - 1 else f"{stem[0]}-{stem[-2:]}"


def _variants(left: str, right: str) -> bool:
    """Equal, singular and plural, or one slip inside a long word: ends tell employer from employee."""
    if left == right:
        return True
    short, long = sorted((left, right), key=len)
    if not short.isalpha() or short > "\u024f" or len(long) - len(short) > 1 or len(short) < 3:
        return False
    if long == short + "s":
        return True
    return len(short) >= _LONG_WORD and short[0] == long[0] and short[-2:] == long[-2:] and _one_slip(short, long)


def _one_slip(short: str, long: str) -> bool:
    place = next((place for place, (one, other) in enumerate(zip(short, long, strict=False)) if one != other), 0)
    return short[place + (len(short) == len(long)) :] == long[place + 1 :]


@cache
def _harmless() -> re.Pattern[str]:
    folder = files("pairwright.pipelines")
    names = ("harmless.zh.txt", "harmless.en.txt")
    lines = [line.strip() for name in names for line in folder.joinpath(name).read_text(encoding="utf-8").splitlines()]
    phrases = sorted((line for line in lines if line and not line.startswith("#")), key=len, reverse=True)
    latin = "|".join(phrase for phrase in phrases if phrase.isascii())
    return re.compile(rf"(?<![{_LETTER}])(?:{latin})(?![{_LETTER}])|{'|'.join(p for p in phrases if not p.isascii())}")
