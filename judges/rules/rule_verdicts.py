"""What the deterministic judges share: the texts that a rewrite may draw on, and the form of their verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import takewhile

from pairwright.core.language.text_analysis import content_words, light_words, normalise, restored, supported
from pairwright.core.records import Case, KnownCase, Language, Verdict


def known_texts(case: Case) -> tuple[str, ...]:
    """Everything that a rewrite or an answer may take words from: the window, the query, and what led on from there."""
    turns = (*case.history, *case.steps)
    called = (call.arguments for turn in turns for call in turn.calls)
    system = (case.system,) if case.system else ()
    return (*system, *(turn.content for turn in turns), *called, case.query)


def verdicts(judge: str, defect: str, findings: Iterable[str | None]) -> list[Verdict]:
    """One verdict per finding: passed where there is none, else failed with the finding as evidence."""
    return [
        Verdict(judge=judge, passed=True)
        if finding is None
        else Verdict(judge=judge, passed=False, defect=defect, evidence=finding)
        for finding in findings
    ]


def same_question(query: str, rewrite: str, language: Language) -> bool:
    """True when the two differ in wording at most: neither has a content word that the other lacks."""
    if normalise(query).replace(" ", "") == normalise(rewrite).replace(" ", ""):
        return True
    return not restored(query, rewrite, language) and not restored(rewrite, query, language)


def unsaid_words(span: str, texts: Sequence[str], language: Language) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The content words of ``span``, and those of them that no text has in any form.

    More forgiving than ``supported``. English: a word also counts as said when it is misspelt (four fifths of its
    letters), a derivation (Canada, Canadian) or written apart (good bye). Chinese: the unsaid parts are the runs of two
    characters and more that are left when everything that a text has, and every word for a kind of thing, is taken
    out of the span.
    """
    if language == "zh":
        return (span,), _uncovered(span, texts)
    words = content_words(span, language) or (span,)
    return words, tuple(word for word in words if not supported(word, texts) and not _resembles(word, texts))


def _uncovered(span: str, texts: Sequence[str]) -> tuple[str, ...]:
    plain, known = normalise(span), [normalise(text) for text in texts]
    left, start = "", 0
    while start < len(plain):
        size = len(plain) - start
        while size > 1 and not _said_or_light(plain[start : start + size], known):
            size -= 1
        left += plain[start] if size == 1 else " "
        start += size
    return tuple(part for part in left.split() if len(part) > 1)


def _said_or_light(part: str, known: Sequence[str]) -> bool:
    return part in light_words("zh") or supported(part, known)


def _resembles(word: str, texts: Sequence[str]) -> bool:
    plain = normalise(word).replace(" ", "")
    # Short words resemble too many others.
    if len(plain) < 5 or not plain.isascii():
        return False
    for text in texts:
        known = normalise(text)
        if plain in known.replace(" ", ""):
            return True
        words = set(known.split(" "))
        if any(_derived(plain, other) for other in words) or get_close_matches(plain, words, n=1, cutoff=0.8):
            return True
    return False


def _derived(one: str, other: str) -> bool:
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    return shared >= 4 and shared >= 0.6 * max(len(one), len(other))


def left_open(case: KnownCase) -> bool:
    """True where a gate lets a query pass although it points at the dialogue: the answer that it points at is missing."""
    return case.gate is not None and case.gate.passes and case.gate.missing_answer
