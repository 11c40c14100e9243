"""A rewrite that names something that nobody in the dialogue named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pairwright.core.components import Component
from pairwright.core.language.entities import Mention
from pairwright.core.language.text_analysis import content_words, light_words, mentions, supported
from pairwright.core.records import Candidate, Case, KnownCase, Verdict
from pairwright.core.requests import Ask
from pairwright.judges.rules.restorations import find_restorations
from pairwright.judges.rules.rule_verdicts import known_texts, unsaid_words, verdicts


class InventedEntity(Component):
    """Fails a rewrite with a mention that occurs neither in the dialogue nor in the query, in no form.

    In English a name or time is invented when most of its content words are unsaid, a common noun phrase when all
    are; words that name no thing of their own ("addition", "order") do not count. In Chinese two characters in a row
    that are unsaid are enough. Misspellings, derivations and abbreviations of what was said count as said.

    Where a human rewrite is known, any words are invented that stand in the place of an entity that it restores and the
    rewrite lacks, where neither anybody nor the human rewrite says one of them.
    """

    name: ClassVar[str] = "invented_entity"

    async def judge(self, case: KnownCase, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
        return verdicts(self.name, "invented_entity", (invented(case, one.text) for one in candidates))


def invented(case: KnownCase, rewrite: str) -> str | None:
    """The first mention of the rewrite that the dialogue does not support, or None."""
    texts = known_texts(case)
    found = (mention for mention in mentions(rewrite, case.language) if not supported(mention.text, texts))
    foreign = next((mention.text for mention in found if _foreign(mention, texts, case)), None)
    if foreign is not None or case.reference is None:
        return foreign
    heard = (*texts, case.reference)
    return next(
        (word for place in find_restorations(case, rewrite) if (word := _unheard(place.instead, heard, case))), None
    )


def _unheard(words: str, texts: Sequence[str], case: Case) -> str | None:
    """The words where they carry meaning and none of what they carry is in a text, else None."""
    if not content_words(words, case.language):
        return None
    content, unsaid = unsaid_words(words, texts, case.language)
    if case.language == "zh":
        return unsaid[0] if unsaid else None
    return " ".join(unsaid) if len(unsaid) == len(content) else None


def _foreign(mention: Mention, texts: Sequence[str], case: Case) -> bool:
    words, unsaid = unsaid_words(mention.text, texts, case.language)
    weighty = [word for word in unsaid if word not in light_words(case.language)]
    # In Chinese the unsaid parts are whole already; half of a number is another number.
    if not weighty or case.language == "zh" or mention.kind == "number":
        return bool(weighty)
    return 2 * len(weighty) >= len(words) if mention.kind == "noun" else 2 * len(weighty) > len(words)
