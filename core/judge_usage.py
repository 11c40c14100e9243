"""What judging took: the requests and tokens of every judge, and what they would have been without the cascade."""

from __future__ import annotations

from pairwright.core.identity import Row


class JudgeUse(Row):
    """The answers that one judge took from one endpoint in one stage of a build.

    Answers that came from the ledger count like others, so a build that is run again says the same. ``at_most`` is how
    many requests it would have been without the cascade: every judge for every candidate that could be chosen, every
    pairwise judge for every variant, nobody stopping early. Zero where the judge does not say what it asks.
    """

    stage: str
    judge: str
    endpoint: str
    requests: int
    prompt_tokens: int
    completion_tokens: int
    cost: float
    at_most: int

    @property
    def tokens(self) -> int:
        """Prompt and completion together."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def without(self) -> float:
        """How many times as much it would have been without the cascade, at the tokens that its requests took here."""
        return max(1.0, self.at_most / self.requests) if self.requests else 1.0
