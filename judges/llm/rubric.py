"""A language model that grades by a rubric: one quality per call, explanation first, then one digit."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, get_args

from pydantic import Field, field_validator, model_validator

from pairwright.core.components import Component
from pairwright.core.config.build_file import Style
from pairwright.core.errors import JudgeError
from pairwright.core.identity import Row, row_rng
from pairwright.core.llm.client import ask_json
from pairwright.core.prompts.escaping import escape
from pairwright.core.prompts.fenced_json import parse_json
from pairwright.core.records import Candidate, Case, Language, TaskKind, Verdict
from pairwright.core.requests import Ask, ChatRequest, Message
from pairwright.judges.llm.case_text import case_of
from pairwright.judges.llm.expected_score import expected_score
from pairwright.judges.llm.rubric_file import RubricFile, packaged_rubric, read_rubric
from pairwright.judges.votes import raise_failure

ANSWER_DIMENSIONS = ("instruction_following", "logic", "factual_support", "safety", "completeness")
_DIMENSIONS: Mapping[TaskKind, Mapping[Style, tuple[str, ...]]] = {
    "rewrite": {
        "concise": ("correctness", "clarity", "conciseness", "nonredundancy"),
        "informative": ("correctness", "clarity", "informativeness", "nonredundancy"),
    },
    "answer": {"concise": ANSWER_DIMENSIONS, "informative": ANSWER_DIMENSIONS},
}

# Characters; without a limit in the schema small models go on and on.
EXPLANATION_LIMIT = 400
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "explanation": {"type": "string", "maxLength": EXPLANATION_LIMIT},
        "score": {"type": "integer", "minimum": 1, "maximum": 5},
    },
    "required": ["explanation", "score"],
    "additionalProperties": False,
}


class Grade(Row):
    """What the model answers."""

    explanation: str
    score: int = Field(ge=1, le=5)


class _Graded(NamedTuple):
    """One dimension: its score from 0 to 1, and whether that is an expectation over probabilities."""

    score: float
    dimension: str
    explanation: str
    expected: bool
    request_hashes: tuple[str, ...]


class Rubric(Component):
    """Grades each quality from 1 to 5 and passes a candidate whose mean and worst grade are good enough.

    The grade is the expectation over the probabilities of the score digit where the endpoint returns logprobs
    (G-Eval, EMNLP 2023), else the digit itself; ``Verdict.method`` says which. Scores are scaled to 0–1. The
    qualities of a rewrite are those of InfoCQR (EMNLP Findings 2023), with conciseness instead of informativeness where
    the style is ``concise``; those of an answer are :data:`ANSWER_DIMENSIONS`, judged by the dialogue and what its tools
    said. A rubric file brings its own.
    """

    name: ClassVar[str] = "rubric"
    paid: ClassVar[bool] = True
    tasks: ClassVar[frozenset[TaskKind]] = frozenset({"rewrite", "answer"})

    endpoint: str = Field(description="Name of one of the endpoints.")
    style: Style = Field("concise", description="Target style of the rewrites; decides the third dimension.")
    rubric: str | None = Field(
        None,
        description="Rubric file (.txt or .yaml) to use instead of the packaged ones; '{language}' in it stands for zh or en.",
    )
    dimensions: tuple[str, ...] | None = Field(
        None,
        min_length=1,
        description="Qualities to grade, one call each; default: those for the task, or all of the file.",
    )
    threshold: float = Field(0.7, ge=0, le=1, description="Smallest mean score that passes.")
    floor: float = Field(0.4, ge=0, le=1, description="Smallest score of any one dimension that passes.")
    early_stop: bool = Field(
        True,
        description="Ask for no further dimension once the candidate cannot pass any more; it then has no score. What passes is the same.",
    )
    max_tokens: int = Field(
        300, ge=32, description="Most tokens of one answer; an answer that is cut off is a failure."
    )
    reasks: int = Field(1, ge=0, description="How often an answer that does not parse is asked again.")

    @field_validator("rubric")
    @classmethod
    def _readable(cls, rubric: str | None) -> str | None:
        if rubric is not None:
            one, other = (set(read_rubric(rubric, "rewrite", language).dimensions) for language in get_args(Language))
            if one != other:
                raise ValueError(f"{rubric}: only one language has {', '.join(sorted(one ^ other))}")
        return rubric

    @model_validator(mode="after")
    def _dimensions_exist(self) -> Rubric:
        known = [list(self._file(kind, "en").dimensions) for kind in get_args(TaskKind)]
        if self.dimensions and not any(set(self.dimensions) <= set(there) for there in known):
            there_are = ", ".join(sorted({dimension for there in known for dimension in there}))
            raise ValueError(f"dimensions: no rubric has all of {', '.join(self.dimensions)}; there are: {there_are}")
        return self

    def requests_per_candidate(self, kind: TaskKind) -> int:
        """One per dimension."""
        return len(self.chosen(kind))

    async def judge(self, case: Case, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
        return [await self._verdict(case, candidate, ask) for candidate in candidates]

    async def _verdict(self, case: Case, candidate: Candidate, ask: Ask) -> Verdict:
        dimensions = self.chosen(case.kind)
        grades = await self._grades(case, candidate, dimensions, ask)
        scores = [one.score for one in grades]
        worst = min(grades)  # by score, the first field
        passed = self._can_pass(scores, len(dimensions))
        return Verdict(
            judge=self.name,
            passed=passed,
            score=sum(scores) / len(scores) if len(scores) == len(dimensions) else None,
            method="expectation" if all(one.expected for one in grades) else "integer",
            defect=None if passed else f"low_{worst.dimension}",
            evidence="" if passed else f"{worst.dimension}: {worst.explanation}",
            request_hashes=tuple(name for one in grades for name in one.request_hashes),
        )

    async def _grades(self, case: Case, candidate: Candidate, dimensions: Sequence[str], ask: Ask) -> Sequence[_Graded]:
        """The grades in the order of the dimensions, of no more than needed where ``early_stop`` says so."""
        if not self.early_stop:
            asked = (self._grade(case, candidate, dimension, ask) for dimension in dimensions)
            return [raise_failure(grade) for grade in await asyncio.gather(*asked, return_exceptions=True)]
        grades: list[_Graded] = []
        for dimension in dimensions:
            grades.append(await self._grade(case, candidate, dimension, ask))
            if not self._can_pass([one.score for one in grades], len(dimensions)):
                break
        return grades

    def _can_pass(self, scores: Sequence[float], of: int) -> bool:
        """Whether a candidate passes whose other dimensions are perfect; with the scores of all: whether it passes."""
        at_most = sum([*scores, *[1.0] * (of - len(scores))]) / of
        return at_most >= self.threshold and min(scores) >= self.floor

    async def _grade(self, case: Case, candidate: Candidate, dimension: str, ask: Ask) -> _Graded:
        request = self.request(case, candidate, dimension)
        grade, answers = await ask_json(ask, self.endpoint, request, parse_grade, self.reasks)
        expected = expected_score(answers[-1])
        score = _scaled(grade.score if expected is None else expected)
        hashes = tuple(answer.request_hash for answer in answers)
        return _Graded(score, dimension, grade.explanation, expected is not None, hashes)

    def chosen(self, kind: TaskKind) -> tuple[str, ...]:
        """The dimensions to grade."""
        if self.dimensions is not None:
            return self.dimensions
        if self.rubric is not None:
            return tuple(self._file(kind, "en").dimensions)
        return _DIMENSIONS[kind][self.style]

    def request(self, case: Case, candidate: Candidate, dimension: str) -> ChatRequest:
        """The call that grades one dimension of one candidate.

        Raises:
            JudgeError: the rubric for this kind of case and language has no such dimension.
        """
        rubric = self._file(case.kind, case.language)
        if dimension not in rubric.dimensions:
            there_are = ", ".join(rubric.dimensions)
            raise JudgeError(
                f"judge rubric: no dimension {dimension!r} for task: {case.kind} in {case.language}",
                f"There are: {there_are}.",
            )
        quality, said = rubric.dimensions[dimension], escape(candidate.text)
        user = rubric.user.substitute(
            case_of(case),
            dimension=quality.name,
            question=quality.question,
            bands=quality.bands,
            rewrite=said,
            answer=said,
        )
        return ChatRequest(
            messages=(Message(role="system", content=rubric.system), Message(role="user", content=user)),
            max_tokens=self.max_tokens,
            # Seed 0 and not the build's: another build of the same rows finds the answers in the ledger.
            seed=row_rng(0, f"rubric.{dimension}", candidate.id).getrandbits(31),
            json_schema=SCHEMA,
            schema_name="grade",
            top_logprobs=10,
        )

    def _file(self, kind: TaskKind, language: Language) -> RubricFile:
        return read_rubric(self.rubric, kind, language) if self.rubric else packaged_rubric(kind, language)


def parse_grade(text: str) -> Grade:
    """Read an answer: one JSON object, at most wrapped in one code fence.

    Raises:
        ValueError: it is no such object; nothing is guessed.
    """
    return parse_json(text, Grade)


def _scaled(score: float) -> float:
    return (score - 1) / 4
