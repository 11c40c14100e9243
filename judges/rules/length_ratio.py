"""A rewrite far shorter or longer than its query allows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from pairwright.core.components import Component
from pairwright.core.language.text_analysis import estimate_tokens
from pairwright.core.records import Candidate, Case, Verdict
from pairwright.core.requests import Ask
from pairwright.judges.rules.rule_verdicts import verdicts


class LengthRatio(Component):
    """Fails a rewrite outside ``shortest × query … longest × query + room``, in estimated tokens.

    ``room`` is what a very short query ("Why?") may grow by whatever its length.
    """

    name: ClassVar[str] = "length_ratio"

    shortest: float = Field(0.5, ge=0, description="Smallest length as a multiple of the query's.")
    longest: float = Field(2.0, ge=1, description="Largest length as a multiple of the query's, before room.")
    room: int = Field(20, ge=0, description="Tokens on top of the largest length.")

    async def judge(self, case: Case, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
        return verdicts(self.name, "length", (self._finding(case.query, one.text) for one in candidates))

    def _finding(self, query: str, rewrite: str) -> str | None:
        asked, given = estimate_tokens(query), estimate_tokens(rewrite)
        if self.shortest * asked <= given <= self.longest * asked + self.room:
            return None
        return f"{given} tokens for a query of {asked}"
