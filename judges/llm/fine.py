"""FiNE: keep what is worth learning from, and improve what is hard but not answered well.

He et al., "FiNE: Filtering and Improving Noisy Data Elaborately with Large Language Models" (NAACL 2025), its first two
steps; the third, diversity, is a later stage's. One call grades reasonableness, difficulty and accuracy, explanation
first. The paper grades from 1 to 10; here the same ten grades are the digits 0 to 9, so that each is one token and its
expectation can be taken. What is kept and not very accurate goes to improvement: the judge writes its own answer without
seeing the original, then both are compared in both orders. The paper lets the longer text win a tie; here the original
stays.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from pydantic import Field

from pairwright.core.components import Component
from pairwright.core.config.build_file import Style
from pairwright.core.identity import Row, row_rng
from pairwright.core.improvement import Review
from pairwright.core.llm.client import ask_json
from pairwright.core.prompts.fenced_json import parse_json
from pairwright.core.records import Candidate, Case, Comparison, TaskKind
from pairwright.core.requests import Answer, Ask, ChatRequest
from pairwright.judges.llm.expected_score import expected_score
from pairwright.judges.llm.own_answer import own_answer
from pairwright.judges.llm.pairwise import Pairwise
from pairwright.judges.llm.prompt_texts import messages

FACTORS = ("reasonableness", "difficulty", "accuracy")
# Characters; without a limit in the schema small models go on and on.
EXPLANATION_LIMIT = 500
_DIGITS = "0123456789"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "explanation": {"type": "string", "maxLength": EXPLANATION_LIMIT},
        **{factor: {"type": "integer", "minimum": 0, "maximum": 9} for factor in FACTORS},
    },
    "required": ["explanation", *FACTORS],
    "additionalProperties": False,
}


class Grades(Row):
    """What the model answers."""

    explanation: str
    reasonableness: int = Field(ge=0, le=9)
    difficulty: int = Field(ge=0, le=9)
    accuracy: int = Field(ge=0, le=9)


class Route(NamedTuple):
    """Why a query is kept, or why not."""

    kept: bool
    name: str


class Fine(Component):
    """Keeps what is worth learning from (FiNE, NAACL 2025) and has the judge's own answer replace a worse one.

    Kept are queries that are unreasonable but accurately answered, hard ones however they were answered, and easy
    ones with a very accurate answer. An answer that is not very accurate is compared with the judge's own, in both
    orders; a tie or a flip leaves it, unless it is inaccurate.
    """

    name: ClassVar[str] = "fine"
    paid: ClassVar[bool] = True
    tasks: ClassVar[frozenset[TaskKind]] = frozenset({"rewrite", "answer"})

    endpoint: str = Field(description="Name of one of the endpoints.")
    style: Style = Field("concise", description="Target style of the rewrites.")
    # The paper's grade g of 1-10 is (g - 1) / 9 here, cut off below so that the digit itself passes: 7 / 9 = 0.778.
    reasonable: float = Field(
        0.77, ge=0, le=1, description="Reasonableness from which a query is reasonable (the paper's 8 of 1–10)."
    )
    hard: float = Field(0.77, ge=0, le=1, description="Difficulty from which a query is hard (the paper's 8).")
    accurate: float = Field(
        0.66,
        ge=0,
        le=1,
        description="Accuracy from which an unreasonable query is kept (the paper's 7); below it no answer stays.",
    )
    very_accurate: float = Field(
        0.88,
        ge=0,
        le=1,
        description="Accuracy from which an easy query is kept (the paper's 9), and from which nothing is improved.",
    )
    max_tokens: int = Field(
        1024, ge=64, description="Most tokens of one answer; an answer that is cut off is a failure."
    )
    reasks: int = Field(1, ge=0, description="How often an answer that does not parse is asked again.")

    def requests_per_candidate(self, kind: TaskKind) -> int:
        """At most: the grades, the judge's own answer, and a comparison in both orders."""
        return 4

    async def review(self, case: Case, candidate: Candidate, ask: Ask) -> Review:
        """See :class:`~pairwright.core.components.Improver`."""
        request = self.request(case, candidate)
        grades, answers = await ask_json(ask, self.endpoint, request, parse_grades, self.reasks)
        expected = expected_grades(answers[-1])
        scores = {factor: value / 9 for factor, value in (expected or grades.model_dump(include=set(FACTORS))).items()}
        kept, route = self.route(scores)
        hashes, improved = tuple(one.request_hash for one in answers), None
        if kept and scores["accuracy"] < self.very_accurate:
            improved, more = await own_answer(case, self.style, ask, self.endpoint, self.max_tokens, self.reasks)
            hashes += more
        return Review(
            route=route,
            kept=kept,
            stands=scores["accuracy"] >= self.accurate,
            scores=scores,
            method="integer" if expected is None else "expectation",
            explanation=grades.explanation,
            request_hashes=hashes,
            improved=improved,
        )

    async def prefer(self, case: Case, improved: Candidate, original: Candidate, ask: Ask) -> Comparison:
        """See :class:`~pairwright.core.components.Improver`."""
        judge = Pairwise(endpoint=self.endpoint, style=self.style, reasks=self.reasks)
        return await judge.compare(case, improved.text, original.text, ask)

    def route(self, scores: dict[str, float]) -> Route:
        """Which of the three routes keeps a query with these scores, or what keeps it out."""
        accuracy = scores["accuracy"]
        if scores["reasonableness"] < self.reasonable:
            kept = accuracy >= self.accurate
            return Route(kept, "unreasonable_but_accurate" if kept else "unreasonable_and_inaccurate")
        if scores["difficulty"] >= self.hard:
            return Route(True, "hard")
        kept = accuracy >= self.very_accurate
        return Route(kept, "easy_and_accurate" if kept else "easy_and_inaccurate")

    def request(self, case: Case, candidate: Candidate) -> ChatRequest:
        """The call that grades the three factors."""
        return ChatRequest(
            messages=messages("fine_filter", case, candidate.text),
            max_tokens=self.max_tokens,
            seed=row_rng(0, "fine.filter", candidate.id).getrandbits(31),
            json_schema=SCHEMA,
            schema_name="grades",
            top_logprobs=10,
        )


def parse_grades(text: str) -> Grades:
    """Read an answer: one JSON object, at most wrapped in one code fence.

    Raises:
        ValueError: it is no such object; nothing is guessed.
    """
    return parse_json(text, Grades)


def expected_grades(answer: Answer) -> dict[str, float] | None:
    """The expectation of each factor; None where the endpoint gives no logprobs for one of them."""
    found = {factor: expected_score(answer, factor, _DIGITS) for factor in FACTORS}
    known = {factor: value for factor, value in found.items() if value is not None}
    return known if len(known) == len(FACTORS) else None
