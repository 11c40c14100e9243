"""A rewrite that changed what should have stayed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from pairwright.core.components import Component
from pairwright.core.language import content_words, restored, supported
from pairwright.core.records import Candidate, RewriteTask, Verdict
from pairwright.core.requests import Ask
from pairwright.judges.rules import same_question, verdicts


class OverEdited(Component):
    """Fails a rewrite that adds to a complete query, or that loses most of what the query says.

    A query is known to be complete when its human rewrite only repeats it, or when it has no history.
    """

    name: ClassVar[str] = "over_edited"

    max_lost: float = Field(0.6, gt=0, le=1, description="Most of the query's content words that a rewrite may lose.")

    async def judge(self, task: RewriteTask, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
        return verdicts(self.name, "over_edited", (self._finding(task, one.rewrite) for one in candidates))

    def _finding(self, task: RewriteTask, rewrite: str) -> str | None:
        if same_question(task.query, rewrite, task.language):
            return None
        if is_complete(task):
            added = restored(task.query, rewrite, task.language)
            return added[0] if added else " ".join(restored(rewrite, task.query, task.language))
        kept = [rewrite] if task.reference is None else [rewrite, _replaced(task)]
        content = content_words(task.query, task.language)
        lost = [word for word in content if not supported(word, kept)]
        return " ".join(lost) if len(lost) >= 2 and len(lost) > self.max_lost * len(content) else None


def is_complete(task: RewriteTask) -> bool:
    """Whether the query is known to need no rewrite."""
    if not task.history:
        return True
    return task.reference is not None and same_question(task.query, task.reference, task.language)


def _replaced(task: RewriteTask) -> str:
    """What the human rewrite itself leaves out of the query."""
    return " ".join(restored(task.reference or "", task.query, task.language))
