"""Topic drift: an earlier question of the dialogue is asked again in place of the current one."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from pairwright.core.bookkeeping import Dropped
from pairwright.core.components import Component
from pairwright.core.language import text_analysis as lang
from pairwright.core.records import Candidate, Case, KnownCase, Rejected
from pairwright.perturbers.proof.rewrite_proof import Draft, drifted, impossible, settle
from pairwright.perturbers.text.repair import final_marks, without_final_marks


class TopicDrift(Component):
    """Asks an earlier user turn again, the newest first; of a long turn only its question."""

    name: ClassVar[str] = "topic_drift"
    variants: int = Field(2, ge=1, description="At most this many rejected texts per query.")

    def perturb(self, case: KnownCase, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:  # noqa: ARG002
        """See :class:`~pairwright.core.components.Perturber`."""
        yield from settle(self.name, "topic_drift", case, chosen, _drafts(case, chosen.text), drifted, self.variants)


def _drafts(case: Case, chosen: str) -> Iterator[Draft]:
    found = False
    for age, turn in enumerate(reversed(case.history)):
        if turn.role != "user":
            continue
        question = _question(turn.content, case)
        if question:
            found = True
            end = final_marks(chosen) if re.search(r"[?？]", final_marks(chosen)) else final_marks(question)
            yield Draft(without_final_marks(question) + end, "earlier_turn", question, {"turns_back": age + 1})
    if not found:
        yield impossible("no_earlier_question")


def _question(text: str, case: Case) -> str:
    """The turn if it is short and ends in a question mark, else its last sentence that does."""
    if len(text) <= 120 and re.search(r"[?？]\W*$", text):
        return text.strip()
    asking = [
        sentence.strip()
        for sentence in re.findall(r"[^。！？\n]+[?？]" if case.language == "zh" else r"[^.!?\n]+\?", text)
    ]
    usable = [
        sentence for sentence in asking if 6 <= len(sentence) <= 160 and lang.is_question(sentence, case.language)
    ]
    return usable[-1] if usable else ""
