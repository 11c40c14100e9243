"""Do two texts that look alike ask the same? Similar text is not enough: 北京天气 and 上海天气 are two questions.

Two texts ask the same when all that tells them apart is courtesy, particles, articles or two words for one thing (the
lists in ``harmless.zh.txt`` and ``harmless.en.txt``), an English plural, or a slip inside a long English word. Whatever
else differs, an entity, a number, a pronoun, a negation or the order, makes two requests of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.resources import files

from pairwright.core.language.canonical_form import canonical

Words = tuple[str, ...]

_LETTER = "a-z\u00c0-\u024f"
# Times, dates and prices are one word each: 10:30, 2024-05-01.
_WORD = re.compile(rf"[{_LETTER}]+|\d[\d.,:/\-]*|\S")
_LONG_WORD = 8  # letters; in a shorter one another letter makes another word
_THANKS = re.compile("谢|thank")


@lru_cache(maxsize=4096)  # the windows of one dialogue repeat its turns
def essence(text: str) -> str:
    """What ``text`` asks, without what does not matter. Where that is nothing: its thanks, or else all it says."""
    plain = canonical(text)
    opening, anywhere, meanings = _harmless()
    bare = " ".join(anywhere.sub(lambda found: f" {meanings[found[0]]} ", opening.sub(" ", plain)).split())
    if bare:
        return canonical(bare)
    return "thanks" if _THANKS.search(plain) else plain


def words(text: str) -> Words:
    """English words, numbers and single Han characters, in order."""
    return tuple(_WORD.findall(text))


def are_variants(left: Words, right: Words) -> bool:
    """True when the words are the same one by one, but for plurals and slips inside long words."""
    return left == right or (len(left) == len(right) and all(map(_are_variants, left, right)))


def outline(found: Words) -> Words:
    """Words without what variants may differ in: two texts that ask the same have the same outline."""
    return tuple(_outline(word) for word in found)


def _outline(word: str) -> str:
    # What lies beyond _LETTER, a Han character say, has no plural and no slips.
    if not word.isalpha() or word > "\u024f":
        return word
    stem = word.removesuffix("s")
    # One less, because a long word that ends in s has lost it.
    return stem if len(stem) < _LONG_WORD - 1 else f"{stem[0]}-{stem[-2:]}"


def _are_variants(left: str, right: str) -> bool:
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
def _harmless() -> tuple[re.Pattern[str], re.Pattern[str], dict[str, str]]:
    """A pattern of what may open a text, one of what may stand anywhere, and what the latter's phrases are read as."""
    folder = files("pairwright.pipelines.dedup")
    openings, meanings = set(), {}
    for name in ("harmless.zh.txt", "harmless.en.txt"):
        for line in folder.joinpath(name).read_text(encoding="utf-8").splitlines():
            if line.startswith("^"):
                openings.add(line[1:])
            elif line and not line.startswith("#"):
                phrase, _, meaning = line.partition(" = ")
                meanings[phrase] = meaning
    openings.update(phrase for phrase, meaning in meanings.items() if not meaning)
    return re.compile(rf"\A(?:(?:{_any_of(openings)}) ?)+"), re.compile(_any_of(meanings)), meanings


def _any_of(phrases: Iterable[str]) -> str:
    # An alternation takes the first phrase that fits, not the longest.
    longest_first = sorted(phrases, key=lambda phrase: (-len(phrase), phrase))
    latin = "|".join(phrase for phrase in longest_first if phrase.isascii())
    other = "|".join(phrase for phrase in longest_first if not phrase.isascii())
    # Latin phrases must be whole words; in Chinese nothing shows where a word ends.
    return rf"(?<![{_LETTER}])(?:{latin})(?![{_LETTER}])|{other}"
