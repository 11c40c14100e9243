"""A rewrite that changed what should have stayed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from pairwright.core.components import Component
from pairwright.core.language import content_words, mentions, restored, supported
from pairwright.core.records import Candidate, Language, RewriteTask, Verdict
from pairwright.core.requests import Ask
from pairwright.judges.places import key_entities
from pairwright.judges.rules import said, same_question, unsaid_words, verdicts


class OverEdited(Component):
    """Fails a rewrite that adds to a complete query, or that asks something else.

    A query is known to be complete when its human rewrite only repeats it, when it has no history, or when a gate lets
    it pass. Something else
    is asked when nearly all content words of the query are gone, and of the human rewrite where there is one; where
    there are few of them, all must be gone and half of what the rewrite says instead must be new. A rewrite that has nothing of what the human rewrite restores
    asks something else when half of its content words are in neither the query nor the human rewrite.
    """

    name: ClassVar[str] = "over_edited"

    max_lost: float = Field(0.75, gt=0, le=1, description="Most of the query's content words that a rewrite may lose.")

    async def judge(self, task: RewriteTask, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
        return verdicts(self.name, "over_edited", (self._finding(task, one.rewrite) for one in candidates))

    def _finding(self, task: RewriteTask, rewrite: str) -> str | None:
        if same_question(task.query, rewrite, task.language):
            return None
        if is_complete(task):
            added = restored(task.query, rewrite, task.language)
            return added[0] if added else " ".join(restored(rewrite, task.query, task.language))
        wanted = [text for text in (task.query, task.reference) if text is not None]
        lost = [_lost(text, rewrite, task.language) for text in wanted]
        if all(len(gone) >= 3 and len(gone) > self.max_lost * whole for gone, whole in lost) or (
            all(len(gone) == whole for gone, whole in lost) and _new_topic(task, rewrite)
        ):
            return " ".join(lost[0][0]) or rewrite
        return _another_thing(task, rewrite)


def _lost(text: str, rewrite: str, language: Language) -> tuple[list[str], int]:
    """The content words of ``text`` that the rewrite lacks, and how many ``text`` has."""
    content = list(dict.fromkeys(content_words(text, language)))
    return [word for word in content if not _in(word, [rewrite], language)], len(content)


def _another_thing(task: RewriteTask, rewrite: str) -> str | None:
    """What a rewrite names instead of everything that the human rewrite restores, where half of it is about that."""
    keys = key_entities(task)
    if task.reference is None or not keys or any(supported(key, [rewrite]) for key in keys):
        return None
    asked = (task.query, task.reference)
    content = content_words(rewrite, task.language)
    strange = [word for word in content if not _in(word, asked, task.language)]
    gone, whole = _lost(task.query, rewrite, task.language)
    if len(strange) < 2 or 2 * len(strange) < len(content) or 2 * len(gone) < whole:
        return None
    named = (mention.text for mention in mentions(rewrite, task.language) if mention.kind in {"entity", "noun"})
    return next((text for text in named if not supported(text, asked)), None)


def _new_topic(task: RewriteTask, rewrite: str) -> bool:
    """Whether half of the rewrite's content words were said by nobody."""
    content = content_words(rewrite, task.language)
    texts = said(task)
    return 2 * sum(not _in(word, texts, task.language) for word in content) >= max(1, len(content))


def _in(word: str, texts: Sequence[str], language: Language) -> bool:
    return supported(word, texts) or (language == "en" and not unsaid_words(word, texts, language)[1])


def is_complete(task: RewriteTask) -> bool:
    """Whether the query is known to need no rewrite."""
    if not task.history or task.passes:
        return True
    return task.reference is not None and same_question(task.query, task.reference, task.language)
