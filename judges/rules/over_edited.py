"""A rewrite that changed what should have stayed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from pairwright.core.components import Component
from pairwright.core.language.text_analysis import content_words, restored, supported
from pairwright.core.records import Candidate, Case, KnownCase, Language, Verdict
from pairwright.core.requests import Ask
from pairwright.judges.rules.rule_verdicts import known_texts, same_question, unsaid_words, verdicts


class OverEdited(Component):
    """Fails a rewrite that adds to a complete query, or that asks something else.

    A query is known to be complete when its human rewrite only repeats it, when it has no history, or when a gate lets
    it pass. Something else
    is asked when nearly all content words of the query are gone; where there are few of them, all must be gone and half
    of what the rewrite says instead must be new. Where a human rewrite is known, that decides: all of its content words
    are gone, or half of them, and half of those of the rewrite are in neither the query nor the human rewrite.
    """

    name: ClassVar[str] = "over_edited"

    max_lost: float = Field(
        0.75,
        gt=0,
        le=1,
        description="Most of the query's content words that a rewrite may lose; not used where a human rewrite is known.",
    )

    async def judge(self, case: KnownCase, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
        return verdicts(self.name, "over_edited", (self._finding(case, one.text) for one in candidates))

    def _finding(self, case: KnownCase, rewrite: str) -> str | None:
        if same_question(case.query, rewrite, case.language):
            return None
        if is_complete(case):
            return _changed(case, rewrite)
        if case.reference is not None:
            return _another_question(case, case.reference, rewrite)
        gone, whole = _lost(case.query, rewrite, case.language)
        nearly_all = len(gone) >= 3 and len(gone) > self.max_lost * whole
        if nearly_all or (len(gone) == whole and _new_topic(case, rewrite)):
            return " ".join(gone) or rewrite
        return None


def _changed(case: KnownCase, rewrite: str) -> str | None:
    """What a rewrite adds to a complete query or takes from it; not what only the human rewrite spells like that."""
    if case.reference is not None and same_question(case.reference, rewrite, case.language):
        return None
    added = restored(case.query, rewrite, case.language)
    return added[0] if added else " ".join(restored(rewrite, case.query, case.language))


def _another_question(case: Case, reference: str, rewrite: str) -> str | None:
    """What a rewrite asks instead of the human rewrite: nothing of that is left, or half of either is not in the other."""
    gone, whole = _lost(reference, rewrite, case.language)
    content = list(dict.fromkeys(content_words(rewrite, case.language)))
    strange = [word for word in content if not _in(word, (case.query, reference), case.language)]
    half = 2 * len(gone) >= whole and len(strange) >= 2 and 2 * len(strange) >= len(content)
    if half or len(gone) == whole >= 2:
        return " ".join(strange or gone)
    return None


def _lost(text: str, rewrite: str, language: Language) -> tuple[list[str], int]:
    """The content words of ``text`` that the rewrite lacks, and how many ``text`` has."""
    content = list(dict.fromkeys(content_words(text, language)))
    return [word for word in content if not _in(word, [rewrite], language)], len(content)


def _new_topic(case: Case, rewrite: str) -> bool:
    """Whether half of the rewrite's content words were said by nobody."""
    content = content_words(rewrite, case.language)
    texts = known_texts(case)
    return 2 * sum(not _in(word, texts, case.language) for word in content) >= max(1, len(content))


def _in(word: str, texts: Sequence[str], language: Language) -> bool:
    return supported(word, texts) or (language == "en" and not unsaid_words(word, texts, language)[1])


def is_complete(case: KnownCase) -> bool:
    """Whether the query is known to need no rewrite."""
    if not case.history or case.passes:
        return True
    return case.reference is not None and same_question(case.query, case.reference, case.language)
