"""A rewrite without the thing that the query's reference or ellipsis stands for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pairwright.core.components import Component
from pairwright.core.language.text_analysis import gap, references, restored, supported
from pairwright.core.records import Candidate, KnownCase, Verdict
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

    async def judge(self, case: KnownCase, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
        return verdicts(self.name, "missing_entity", (missing(case, one.text) for one in candidates))


def missing(case: KnownCase, rewrite: str) -> str | None:
    """The hole, the key entity that the rewrite lacks, or the reference that it dropped without replacement."""
    hole = gap(rewrite, case.language)
    if hole is not None and gap(case.query, case.language) is None:
        return hole
    if case.reference is not None:
        return next((entity for entity in key_entities(case) if not supported(entity, [rewrite])), None)
    pointers = references(case.query, case.language) if case.history else ()
    if not pointers or references(rewrite, case.language):
        return None
    dialogue = known_texts(case)[:-1]  # without the query, which is the last
    for span in restored(case.query, rewrite, case.language):
        words, unsaid = unsaid_words(span, dialogue, case.language)
        if len("".join(unsaid)) < len("".join(words)):
            return None
    return pointers[0].text
