"""A rewrite that still points at the dialogue instead of naming what it means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from pairwright.core.components import Component
from pairwright.core.language.text_analysis import content_words, normalise, references, restored
from pairwright.core.records import Candidate, Case, KnownCase, Verdict
from pairwright.core.requests import Ask
from pairwright.judges.rules.restorations import find_differing_restorations, find_restorations
from pairwright.judges.rules.rule_verdicts import left_open, verdicts


class LeftoverReference(Component):
    """Fails a rewrite with a pronoun or demonstrative that nothing in it resolves.

    A marker of ellipsis ("What about …?", 天坛呢？) counts only where the rewrite adds nothing to the query: with
    something added ("What about melatonin for anxiety?") it is a matter of style. Without history there is nothing to point at, and everything passes. Where a human rewrite is known, references
    that it keeps are allowed; where a gate lets the query pass because an answer is missing, those of the query.
    """

    name: ClassVar[str] = "leftover_reference"

    async def judge(self, case: KnownCase, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
        return verdicts(self.name, "leftover_reference", (leftover(case, one.text) for one in candidates))


def leftover(case: KnownCase, rewrite: str) -> str | None:
    """The first unresolved reference of the rewrite, or None."""
    if not case.history or (left_open(case) and rewrite == case.query):
        return None
    found = references(rewrite, case.language)
    if restored(case.query, rewrite, case.language):
        found = tuple(reference for reference in found if reference.kind != "ellipsis")
    for reference in found:
        if case.reference is None or _times(reference.text, rewrite) > _times(reference.text, case.reference):
            return reference.text
    # What a copy keeps and the human rewrite replaced is left over, even if something else in the query resolves it.
    copied = normalise(rewrite) == normalise(case.query)
    places = find_differing_restorations(case, rewrite) if copied else find_restorations(case, rewrite)
    return next((word for place in places if (word := _only_points(place.instead, case))), None)


def _times(word: str, text: str) -> int:
    """How often the word stands in the text; in Chinese, which puts no spaces, as part of others too."""
    edge = r"\b" if word.isascii() else ""
    return len(re.findall(edge + re.escape(word) + edge, text, re.IGNORECASE))


def _only_points(words: str, case: Case) -> str | None:
    """The reference in the words, where nothing else in them carries meaning."""
    found = references(words, case.language)
    if not found or found[0].kind == "ellipsis":
        return None
    rest = words[: found[0].start] + words[found[0].end :]
    return None if content_words(rest, case.language) else found[0].text
