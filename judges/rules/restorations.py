"""What a rewrite says in the place of the things that the human rewrite restores."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import NamedTuple

from pairwright.core.language.text_analysis import content_words, mentions, normalise, restored, supported, words
from pairwright.core.records import Case, KnownCase


class Restoration(NamedTuple):
    """What a rewrite lacks of a human rewrite, and the words that stand there instead."""

    missing: str
    instead: str


def key_entities(case: KnownCase) -> tuple[str, ...]:
    """The mentions that the human rewrite restores from the dialogue; none without a human rewrite."""
    if case.reference is None:
        return ()
    spans = restored(case.query, case.reference, case.language)
    found = [mention.text for mention in mentions(case.reference, case.language)]
    return tuple(text for text in found if any(text in span or span in text for span in spans))


def find_restorations(case: KnownCase, rewrite: str) -> Iterator[Restoration]:
    """The places where the human rewrite has a key entity that ``rewrite`` lacks altogether, and has other words.

    None of the entity's content words may occur anywhere in the rewrite: it then lacks the thing, not a word for it.
    """
    lost = [key for key in key_entities(case) if _absent(key, rewrite, case)]
    for place in find_differing_restorations(case, rewrite) if lost else ():
        yield from (Restoration(key, place.instead) for key in lost if supported(key, [place.missing]))


def find_differing_restorations(case: KnownCase, rewrite: str) -> Iterator[Restoration]:
    """The places where the human rewrite and ``rewrite`` have different words; none without a human rewrite."""
    if case.reference is None:
        return
    wanted, have = words(case.reference, case.language), words(rewrite, case.language)
    matcher = difflib.SequenceMatcher(None, _folded(wanted), _folded(have), autojunk=False)
    blank = "" if case.language == "zh" else " "
    for tag, first, last, start, end in matcher.get_opcodes():
        if tag == "replace":
            yield Restoration(blank.join(wanted[first:last]), blank.join(have[start:end]))


def _absent(key: str, rewrite: str, case: Case) -> bool:
    content = content_words(key, case.language) or (key,)
    return not any(supported(word, [rewrite]) for word in (key, *content))


def _folded(found: tuple[str, ...]) -> list[str]:
    return [normalise(word) for word in found]
