"""Words of the few-shot examples in the answer: the failure of small models that copy what they were shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import ClassVar

from pydantic import Field

from pairwright.core.components import Component
from pairwright.core.language.entities import Mention
from pairwright.core.language.text_analysis import content_words, light_words, mentions, restored, supported, words
from pairwright.core.records import Candidate, Case, Example, Language, Verdict
from pairwright.core.requests import Ask
from pairwright.judges.rules.rule_verdicts import known_texts, same_question, unsaid_words, verdicts


class ExampleLeak(Component):
    """Fails an answer that took over something of ``case.examples``.

    In the rewrite: a content word that is neither in the dialogue nor in the query, but in an example. In the
    analysis: a name, number or time of an example's dialogue that this dialogue does not have, or a run of words
    that is the same as in an example's analysis and too long for chance.
    """

    name: ClassVar[str] = "example_leak"

    copied_words: int = Field(10, ge=2, description="English: words in a row shared with an example's analysis.")
    copied_characters: int = Field(16, ge=4, description="Chinese: characters in a row shared with one's analysis.")
    copied_share: float = Field(
        0.8, gt=0, le=1, description="Or half such a run as a share of the candidate's analysis."
    )

    async def judge(self, case: Case, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
        return verdicts(self.name, "leaked_example", (self._leak(case, one) for one in candidates))

    def _leak(self, case: Case, candidate: Candidate) -> str | None:
        if not case.examples:
            return None
        found = leaked_word(case, candidate.text)
        if found is None and candidate.analysis is not None:
            found = leaked_name(case, candidate.analysis) or self._copied(case, candidate)
        return found

    def _copied(self, case: Case, candidate: Candidate) -> str | None:
        """The longest run that the analysis shares with an example's, where it is too long for chance.

        That a query needs no rewrite may be said in the same words twice.
        """
        own = _units(candidate.analysis or "", case.language)
        limit = self.copied_words if case.language == "en" else self.copied_characters
        kept = same_question(case.query, candidate.text, case.language)
        for example in case.examples:
            if kept and not example.needs_rewrite:
                continue
            other = _units(example.analysis, case.language)
            match = SequenceMatcher(None, own, other, autojunk=False).find_longest_match()
            if match.size >= limit or (match.size >= limit // 2 and match.size >= self.copied_share * len(own)):
                return (" " if case.language == "en" else "").join(own[match.a : match.a + match.size])
        return None


def _units(text: str, language: Language) -> list[str]:
    return (
        [word.lower() for word in words(text, language)] if language == "en" else [one for one in text if one.strip()]
    )


def _dialogue(example: Example) -> Iterable[str]:
    return (*(turn.content for turn in example.history), example.query, example.rewrite)


def leaked_word(case: Case, rewrite: str) -> str | None:
    """A content word of the rewrite that only the examples have, or None."""
    texts = known_texts(case)
    shown = [text for example in case.examples for text in _dialogue(example)]
    for span in restored(case.query, rewrite, case.language):
        if supported(span, texts):
            continue
        for word in unsaid_words(span, texts, case.language)[1]:
            if word not in light_words(case.language) and supported(word, shown):
                return word
    return None


def leaked_name(case: Case, analysis: str) -> str | None:
    """A name, number or time of the analysis that only the examples' dialogues have, or None."""
    texts = known_texts(case)
    shown = [text for example in case.examples for text in _dialogue(example)]
    named = {
        mention.text for text in shown for mention in mentions(text, case.language) if _telling(mention, case.language)
    }
    for name in sorted(named):
        if supported(name, [analysis]) and not supported(name, texts) and unsaid_words(name, texts, case.language)[1]:
            return name
    return None


def _telling(mention: Mention, language: Language) -> bool:
    """False for single common nouns and small numbers, which turn up anywhere."""
    if mention.kind == "entity":
        return True
    if mention.kind == "noun":
        return len(content_words(mention.text, language)) > 1
    return sum(character.isdigit() for character in mention.text) > 1
