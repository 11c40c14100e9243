"""An answer where a rewritten query was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from pairwright.core.components import Component
from pairwright.core.language.text_analysis import content_words, is_question, is_request, normalise, supported
from pairwright.core.records import Candidate, Case, Verdict
from pairwright.core.requests import Ask
from pairwright.judges.rules.rule_verdicts import verdicts


class AnswerInstead(Component):
    """Fails a statement where the query asks, and a rewrite that repeats an answer of the dialogue."""

    name: ClassVar[str] = "answer_instead"

    long_enough: int = Field(8, ge=1, description="Characters from which a word-for-word repeated answer counts.")
    copied_share: float = Field(0.9, gt=0, le=1, description="Share of its content words that it has from one answer.")
    query_share: float = Field(0.3, ge=0, lt=1, description="While it keeps at most this share of the query's.")

    async def judge(self, case: Case, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
        return verdicts(self.name, "answered", (self._finding(case, one.text) for one in candidates))

    def _finding(self, case: Case, rewrite: str) -> str | None:
        plain = normalise(rewrite).replace(" ", "")
        # A copy answers nothing, whatever its form: it is for the judge unchanged.
        if plain == normalise(case.query).replace(" ", ""):
            return None
        answers = [normalise(turn.content).replace(" ", "") for turn in case.history if turn.role == "assistant"]
        if len(plain) >= self.long_enough and plain in answers:
            return rewrite
        asks = is_question(rewrite, case.language) or is_request(rewrite, case.language)
        if is_question(case.query, case.language) and not asks:
            return rewrite
        return rewrite if not asks and self._repeats(case, rewrite) else None

    def _repeats(self, case: Case, rewrite: str) -> bool:
        """Whether the rewrite is made of an assistant's answer rather than of the query."""
        own = content_words(rewrite, case.language)
        asked = content_words(case.query, case.language)
        kept = sum(supported(word, [rewrite]) for word in asked)
        answers = [turn.content for turn in case.history if turn.role == "assistant"]
        copied = any(
            sum(supported(word, [answer]) for word in own) >= self.copied_share * len(own) for answer in answers
        )
        return bool(own) and copied and kept <= self.query_share * len(asked)
