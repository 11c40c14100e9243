"""Faults of the reasoning: an analysis that does not lead to its rewrite. Only for chosen answers with an analysis."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from pairwright.core.bookkeeping import Dropped
from pairwright.core.components import Component
from pairwright.core.language import text_analysis as lang
from pairwright.core.records import Candidate, Case, KnownCase, Rejected
from pairwright.perturbers.proof.rewrite_proof import Draft, impossible, missing, of_templates, settle, vague
from pairwright.perturbers.text.repair import in_the_place_of

Template = Literal[
    "analysis_contradicts",
    "analysis_skipped",
    "analysis_copied",
]

_SKIPPED = {
    "en": ("The query is clear.", "No rewrite is needed.", "The user asks a question."),
    "zh": ("问题很清楚。", "不需要改写。", "用户提出了一个问题。"),
}


class CotFaults(Component):
    """Three faults that small models really show, each ending in the unchanged query.

    ``analysis_contradicts``: the analysis finds what is meant, the rewrite ignores it. ``analysis_skipped``: an empty
    phrase stands for the analysis. ``analysis_copied``: the analysis of an example of the prompt, word for word.
    """

    name: ClassVar[str] = "cot_faults"
    variants: int = Field(1, ge=1, description="At most this many rejected answers per query.")
    templates: tuple[Template, ...] = Field((), description="Only these kinds of edit; empty for all of them.")

    def perturb(self, case: KnownCase, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:
        """See :class:`~pairwright.core.components.Perturber`."""
        drafts = of_templates(_drafts(case, chosen, rng), self.templates)
        yield from settle(self.name, "faulty_analysis", case, chosen, drafts, _still_open, self.variants)


def _still_open(case: Case, chosen: str, text: str) -> str:
    return missing(case, chosen, text) or vague(case, chosen, text)


def _drafts(case: Case, chosen: Candidate, rng: random.Random) -> Iterator[Draft]:
    if not chosen.analysis:
        yield impossible("no_analysis")
        return
    if lang.normalise(case.query) == lang.normalise(chosen.text):
        yield impossible("needs_no_rewrite")
        return
    text = in_the_place_of(case.query, chosen.text)
    skipped = rng.choice(_SKIPPED[case.language])
    drafts = [
        Draft(text, "analysis_contradicts", chosen.analysis, analysis=chosen.analysis),
        Draft(text, "analysis_skipped", skipped, analysis=skipped),
    ]
    for example in case.examples:
        if example.language == case.language and example.analysis != chosen.analysis:
            drafts.append(
                Draft(text, "analysis_copied", example.analysis, {"example": example.id}, analysis=example.analysis)
            )
            break
    rng.shuffle(drafts)
    yield from drafts
