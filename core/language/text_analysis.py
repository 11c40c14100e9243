"""Chinese and English: one interface to segmentation, mentions, references and sentence shapes.

Everything is a pure function of its arguments and of the language models that are installed; :func:`providers` says
which. Models load at the first call that needs them.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from types import ModuleType

from pairwright.core.language import en, en_references, zh
from pairwright.core.language.entities import Mention, Reference
from pairwright.core.language.lexicon import lexicon
from pairwright.core.records import Language

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_HANS = re.compile(rf"{_HAN.pattern}+")
_LATIN = re.compile(r"[A-Za-z]+")
_WORD = re.compile(r"[A-Za-z]+|\d+|[^\sA-Za-z\d]")
_GAPS: dict[Language, re.Pattern[str]] = {
    "en": re.compile(
        r"(?:^|\b(?:is|are|was|were|of|in|on|for|about|to|does|did|do|the)\s)['’]s\s\w+|\b(?:of|between|and|or|with|from|the|an?)\s+(?:of|and|or)\b"
        r"|\s(?:of|the|an?|and|or|between)\s*[?.!]*\s*$|\b(?:of|the|between)\s+(?:in|for|on|at|during|with|from)\s|\w\s,\s*,",
        re.IGNORECASE,
    ),
    "zh": re.compile(
        # 的话, 的士 and 的确 are words of their own: no noun is missing before their 的.
        r"(?:^|[，,。？?！!；;、\s])的(?![话士确])\w{0,4}|(?:和|跟|与|在|把|对)的(?![话士确])\w{0,4}|的的|《》|[（(][)）]|、、|、(?:和|的|$)"
    ),
}
_HAN_DIGITS = {
    "零": 0,
    "〇": 0,
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
}
_HAN_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10000}
_CARDINALS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
)
_ORDINALS = "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
_NUMBER_WORDS = {word: str(value) for names in (_CARDINALS, _ORDINALS) for value, word in enumerate(names.split())}


def _module(language: Language) -> ModuleType:
    return zh if language == "zh" else en


def providers() -> dict[Language, str]:
    """Which tagger or parser serves each language here."""
    return {"zh": zh.provider(), "en": en.provider()}


def detect_language(text: str) -> Language:
    """``zh`` when Han characters outnumber words in Latin letters, else ``en``."""
    return "zh" if len(_HAN.findall(text)) > len(_LATIN.findall(text)) else "en"


@lru_cache(maxsize=4096)
def normalise(text: str) -> str:
    """What stays when form does not count: NFKC, casefolded, words joined by one space, Han text by none.

    Apostrophes vanish ("What's" = "whats"), the point of a decimal stays (2.5 km is not 25 km, even when a caller takes
    the spaces out), other punctuation separates words.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    folded = re.sub(r"(?<=\w)['’](?=\w)|(?<=\d),(?=\d{3})|(?<=\b[^\W\d])\.(?=[^\W\d]\b)", "", folded)
    plain = " ".join(re.sub(r"(?:(?!(?<=\d)\.(?=\d))[\W_])+", " ", folded).split())
    return re.sub(rf"(?<={_HAN.pattern}) | (?={_HAN.pattern})", "", plain)


def estimate_tokens(text: str) -> int:
    """About how many tokens a Qwen-like byte-level BPE makes of the text, without loading one.

    0.67 per Han character, 1.1 per word in Latin letters, 1 per digit and per other character that is no space: within
    8 % of Qwen's own tokeniser on English search queries and Chinese task dialogues.
    """
    latin = _LATIN.findall(text)
    han = 0 if text.isascii() else len("".join(_HANS.findall(text)))
    others = len("".join(text.split())) - len("".join(latin)) - han
    hundredths = 67 * han + 110 * len(latin) + 100 * others
    if hundredths % 100 != 50:
        return max(1, round(hundredths / 100)) if text else 0
    total = 0.0  # rows' ids hold the estimate, and a half goes up or down as it does when pieces are added one by one
    for piece in _WORD.findall(text):
        total += 0.67 if _HAN.match(piece) else 1.1 if piece.isalpha() and piece.isascii() else len(piece)
    return round(total)


def words(text: str, language: Language) -> tuple[str, ...]:
    """The words of the text in order, without punctuation."""
    found: tuple[str, ...] = _module(language).words(text)
    return found


def content_words(text: str, language: Language) -> tuple[str, ...]:
    """The words that carry meaning (English: lemmas): no function words, question words or pronouns."""
    found: tuple[str, ...] = _module(language).content_words(text)
    return found


def mentions(text: str, language: Language) -> tuple[Mention, ...]:
    """Named things, noun phrases, numbers and times, in order and without overlaps.

    Titles keep their brackets (《…》). Attributes that a dialogue asks for (电话, 门票 …) are no mentions.
    """
    found: tuple[Mention, ...] = _module(language).mentions(text)
    return found


def mentions_many(texts: Sequence[str], language: Language) -> list[tuple[Mention, ...]]:
    """:func:`mentions` of each text, parsed in batches."""
    if language == "en":
        en.analyse_many(texts)
    return [mentions(text, language) for text in texts]


def references(text: str, language: Language) -> tuple[Reference, ...]:
    """Pronouns, demonstratives and markers of ellipsis that nothing in the text itself resolves."""
    return zh.references(text) if language == "zh" else en_references.references(text)


def gap(text: str, language: Language) -> str | None:
    """The words around a place where a name or noun must stand and does not, or None."""
    match = _GAPS[language].search(text)
    return match.group().strip() if match else None


def unowned(text: str, language: Language) -> str | None:
    """What a question asks for without saying of what it is: an ellipsis that leaves no pronoun behind.

    Sees only the plain case: one definite noun at the end ("What are the symptoms?"), one attribute (门票多少钱？).
    """
    found: str | None = _module(language).unowned(text)
    return found


def is_question(text: str, language: Language) -> bool:
    """True when the text asks something."""
    return bool(_module(language).is_question(text))


def is_request(text: str, language: Language) -> bool:
    """True when a sentence of the text asks for something without being a question: 推荐一家餐馆, Tell me about …"""
    return bool(_module(language).is_request(text))


def light_words(language: Language) -> frozenset[str]:
    """Nouns that name no thing of their own: a rewrite may add them without inventing anything."""
    if language == "zh":
        return lexicon("zh", "attribute") | lexicon("zh", "generic")
    return lexicon("en", "light")


@lru_cache(maxsize=4096)
def restored(query: str, rewrite: str, language: Language) -> tuple[str, ...]:
    """The spans of ``rewrite`` that ``query`` does not have, without function words at their ends.

    They are what a rewrite takes from the dialogue. Chinese is compared by character and widened to words, English
    by word without regard to case and inflection.
    """
    if language == "zh":
        return _restored_zh(query, rewrite)
    old = [_stem(token.text.lower()) for token in en.analyse(query).tokens]
    tokens = en.analyse(rewrite).tokens
    # autojunk ignores what is frequent in texts of 200 items and more; so everywhere in this project.
    matcher = difflib.SequenceMatcher(None, old, [_stem(token.text.lower()) for token in tokens], autojunk=False)
    known = set(old)
    spans = []
    for tag, _, _, first, last in matcher.get_opcodes():
        if tag in {"insert", "replace"}:
            while first < last and not _carries(tokens[first].text, known):
                first += 1
            while first < last and not _carries(tokens[last - 1].text, known):
                last -= 1
            if first < last:
                spans.append(rewrite[tokens[first].start : tokens[last - 1].end])
    return tuple(spans)


def _carries(word: str, known: set[str]) -> bool:
    lower = word.lower()
    return (
        any(map(str.isalnum, word))
        and lower not in en.FUNCTION_WORDS
        and lower not in en.QUESTION_WORDS
        and _stem(lower) not in known
        and word[0] not in "'’"
    )


def _restored_zh(query: str, rewrite: str) -> tuple[str, ...]:
    matcher = difflib.SequenceMatcher(None, query, rewrite, autojunk=False)
    fresh = [True] * len(rewrite)
    for block in matcher.get_matching_blocks():
        fresh[block.b : block.b + block.size] = [False] * block.size
    spans: list[list[int]] = []
    for token in zh.analyse(rewrite):
        if any(fresh[token.start : token.end]) and token.text not in query and token.tag != "w" and token.text.strip():
            if spans and spans[-1][1] == token.start:
                spans[-1][1] = token.end
            else:
                spans.append([token.start, token.end])
    return tuple(span for start, end in spans if (span := _without_function_words(rewrite, start, end)))


def _without_function_words(text: str, start: int, end: int) -> str:
    idle = zh.FUNCTION_WORDS | zh.QUESTION_WORDS
    inside = [token for token in zh.analyse(text) if start <= token.start and token.end <= end]
    while inside and inside[0].text in idle:
        inside.pop(0)
    while inside and inside[-1].text in idle:
        inside.pop()
    return text[inside[0].start : inside[-1].end] if inside else ""


def supported(span: str, texts: Iterable[str]) -> bool:
    """True when one of the texts contains the span, in whatever form.

    Counts as the same: case, width and punctuation; plural, possessive and verb endings; numbers in words, digits or
    Han numerals; an acronym and the words that it stands for; in English all content words of the span anywhere
    in one text.
    """
    wanted = _comparable(span)
    if not wanted:
        return True
    return any(_contains(_comparable(text), wanted) or _abbreviates(span, text) for text in texts)


@lru_cache(maxsize=4096)
def _comparable(text: str) -> str:
    """Normalised, number forms as digits, English words as stems."""
    plain = re.sub(r"[零〇一二两三四五六七八九十百千万]+", _han_number, normalise(re.sub(r"['’]s\b", "", text)))
    return " ".join(_stem(_NUMBER_WORDS.get(word, word)) for word in plain.split(" "))


def _han_number(match: re.Match[str]) -> str:
    """The digits of a Han numeral below 10^8; 二〇一九 is read digit by digit."""
    numeral = match.group()
    if not any(unit in numeral for unit in _HAN_UNITS):
        return "".join(str(_HAN_DIGITS[digit]) for digit in numeral)
    total = section = digit = 0
    for character in numeral:
        if character == "万":
            total, section, digit = (total + section + digit) * 10000, 0, 0
        elif character in _HAN_UNITS:
            section, digit = section + (digit or 1) * _HAN_UNITS[character], 0
        else:
            digit = _HAN_DIGITS[character]
    return str(total + section + digit)


@lru_cache(maxsize=65536)
def _stem(word: str) -> str:
    """A crude stem that is the same for the inflections of a word: batteries, battery; stopped, stop."""
    if not word.isascii() or not word.isalpha() or len(word) < 4:
        return word
    for ending, put in (
        ("ies", "y"),
        ("sses", "ss"),
        ("xes", "x"),
        ("ches", "ch"),
        ("shes", "sh"),
        ("ing", ""),
        ("ied", "y"),
        ("ed", ""),
        ("s", ""),
    ):
        if (
            word.endswith(ending)
            and len(word) - len(ending) >= 3
            and not (ending == "s" and word.endswith(("ss", "us", "is")))
        ):
            word = word[: -len(ending)] + put
            break
    # stopped and planning lose a letter; tall and miss have two of their own.
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "sl":
        word = word[:-1]
    # make, because making has lost its e.
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


def _contains(text: str, wanted: str) -> bool:
    # Not inside a longer word or number: "5 km" is not in "2.5 km". Han text has no such edges.
    before = r"(?<![a-z0-9])(?<!\d\.)" if wanted[0].isascii() else ""
    after = r"(?![a-z0-9]|\.\d)" if wanted[-1].isascii() else ""
    if re.search(before + re.escape(wanted) + after, text):
        return True
    if _HAN.search(wanted):
        return False
    have = set(text.split(" "))
    needed = [word for word in wanted.split(" ") if word not in en.FUNCTION_WORDS]
    return bool(needed) and all(word in have for word in needed)


def _abbreviates(span: str, text: str) -> bool:
    """An acronym of consecutive words, either way round."""
    return _initials_of(span.replace(".", ""), text) or any(
        _initials_of(acronym, span, whole=True) for acronym in re.findall(r"\b[A-Z]{2,6}\b", text.replace(".", ""))
    )


def _initials_of(acronym: str, text: str, whole: bool = False) -> bool:
    if not re.fullmatch(r"[A-Z]{2,6}", acronym):
        return False
    initials = "".join(
        word[0] for word in re.findall(r"[A-Za-z]+", text) if word.lower() not in {"of", "the", "and", "for"}
    ).upper()
    return initials == acronym if whole else acronym in initials
