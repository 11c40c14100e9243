"""A rewrite that names something that nobody in the dialogue named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pairwright.core.components import Component
from pairwright.core.language.entities import Mention
from pairwright.core.language.text_analysis import content_words, light_words, mentions, supported
from pairwright.core.records import Candidate, Task, Verdict
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

    async def judge(self, task: Task, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
        return verdicts(self.name, "invented_entity", (invented(task, one.rewrite) for one in candidates))


def invented(task: Task, rewrite: str) -> str | None:
    """The first mention of the rewrite that the dialogue does not support, or None."""
    texts = known_texts(task)
    found = (mention for mention in mentions(rewrite, task.language) if not supported(mention.text, texts))
    foreign = next((mention.text for mention in found if _foreign(mention, texts, task)), None)
    if foreign is not None or task.reference is None:
        return foreign
    heard = (*texts, task.reference)
    return next(
        (word for place in find_restorations(task, rewrite) if (word := _unheard(place.instead, heard, task))), None
    )


def _unheard(words: str, texts: Sequence[str], task: Task) -> str | None:
    """The words where they carry meaning and none of what they carry is in a text, else None."""
    if not content_words(words, task.language):
        return None
    content, unsaid = unsaid_words(words, texts, task.language)
    if task.language == "zh":
        return unsaid[0] if unsaid else None
    return " ".join(unsaid) if len(unsaid) == len(content) else None


def _foreign(mention: Mention, texts: Sequence[str], task: Task) -> bool:
    words, unsaid = unsaid_words(mention.text, texts, task.language)
    weighty = [word for word in unsaid if word not in light_words(task.language)]
    if not weighty or task.language == "zh" or mention.kind == "number":
        return bool(weighty)
    return 2 * len(weighty) >= len(words) if mention.kind == "noun" else 2 * len(weighty) > len(words)
