"""A query that needed its dialogue, copied as it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pairwright.core.components import Component
from pairwright.core.language.text_analysis import normalise, references, unowned
from pairwright.core.records import Candidate, KnownCase, Verdict
from pairwright.core.requests import Ask
from pairwright.judges.rules.rule_verdicts import left_open, same_question, verdicts


class Unchanged(Component):
    """Fails a copy of the query where a rewrite was needed.

    With a human rewrite, needed means that it adds content to the query. Without one it means that the query has a
    reference, a marker of ellipsis or a plainly unowned attribute ("What are the symptoms?"); any other ellipsis is
    not seen. A query that a gate lets pass because an answer is missing may be copied.
    """

    name: ClassVar[str] = "unchanged"

    async def judge(self, case: KnownCase, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
        needed = needs_rewrite(case) and not left_open(case)
        copies = (normalise(one.text) == normalise(case.query) for one in candidates)
        return verdicts(self.name, "unchanged", (case.query if needed and copy else None for copy in copies))


def needs_rewrite(case: KnownCase) -> bool:
    """Whether the query cannot stand alone, as far as the human rewrite or the query's words tell."""
    if case.reference is not None:
        return not same_question(case.query, case.reference, case.language)
    return bool(case.history and (references(case.query, case.language) or unowned(case.query, case.language)))
