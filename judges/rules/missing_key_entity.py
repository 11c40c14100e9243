"""A rewrite without the thing that the query's reference or ellipsis stands for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pairwright.core.components import Component
from pairwright.core.language.text_analysis import gap, references, restored, supported
from pairwright.core.records import Candidate, Task, Verdict
from pairwright.core.requests import Ask
from pairwright.judges.rules.restorations import key_entities
from pairwright.judges.rules.rule_verdicts import known_texts, unsaid_words, verdicts


class MissingKeyEntity(Component):
    """Fails a rewrite that does not bring back what the query leaves open.

    A hole in the sentence where a name must stand ("the cost of in Canada", 的门票多少钱) always fails. With a human
    rewrite the key entities are the mentions in what that rewrite restores; each must occur in the
    candidate in some form. Without one they are not known: then only a candidate fails whose query has a reference
    and which restores nothing at all that the dialogue has.
    """

    name: ClassVar[str] = "missing_key_entity"

    async def judge(self, task: Task, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
        return verdicts(self.name, "missing_entity", (missing(task, one.rewrite) for one in candidates))


def missing(task: Task, rewrite: str) -> str | None:
    """The hole, the key entity that the rewrite lacks, or the reference that it dropped without replacement."""
    hole = gap(rewrite, task.language)
    if hole is not None and gap(task.query, task.language) is None:
        return hole
    if task.reference is not None:
        return next((entity for entity in key_entities(task) if not supported(entity, [rewrite])), None)
    pointers = references(task.query, task.language) if task.history else ()
    if not pointers or references(rewrite, task.language):
        return None
    dialogue = known_texts(task)[:-1]
    for span in restored(task.query, rewrite, task.language):
        words, unsaid = unsaid_words(span, dialogue, task.language)
        if len("".join(unsaid)) < len("".join(words)):
            return None
    return pointers[0].text
