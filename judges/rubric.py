"""A language model that grades rewrites by a rubric: one quality per call, explanation first, then one digit."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import Field

from pairwright.core.client import ask_json
from pairwright.core.components import Component
from pairwright.core.config import Style
from pairwright.core.errors import JudgeError
from pairwright.core.prompts import escape
from pairwright.core.records import Candidate, Language, RewriteTask, Row, Verdict, row_rng
from pairwright.core.requests import Answer, Ask, ChatRequest, Message

Dimension = Literal["correctness", "clarity", "informativeness", "conciseness", "nonredundancy"]

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
_PLACES = {"dimension", "question", "bands", "history", "query", "rewrite"}
_SCORE = re.compile(r'"score"\s*:\s*([1-5])')
_FENCE = re.compile(r"\A```(?:json)?\s*(.*?)\s*```\Z", re.DOTALL)


class Grade(Row):
    """What the model answers."""

    explanation: str
    score: int = Field(ge=1, le=5)


class Rubric(Component):
    """Grades each dimension from 1 to 5 and passes a rewrite whose mean and worst grade are good enough.

    The grade is the expectation over the probabilities of the score digit where the endpoint returns logprobs
    (G-Eval, EMNLP 2023), else the digit itself; ``Verdict.method`` says which. Scores are scaled to 0–1. The
    dimensions are those of InfoCQR (EMNLP Findings 2023); conciseness replaces informativeness where the style is
    ``concise``.
    """

    name: ClassVar[str] = "rubric"
    paid: ClassVar[bool] = True

    endpoint: str = Field(description="Name of one of the endpoints.")
    style: Style = Field("concise", description="Target style of the rewrites; decides the third dimension.")
    dimensions: tuple[Dimension, ...] | None = Field(
        None, min_length=1, description="Qualities to grade, one call each."
    )
    threshold: float = Field(0.7, ge=0, le=1, description="Smallest mean score that passes.")
    floor: float = Field(0.4, ge=0, le=1, description="Smallest score of any one dimension that passes.")
    path: str | None = Field(None, description="Rubric file to use instead of the packaged ones, for both languages.")
    max_tokens: int = Field(
        300, ge=32, description="Most tokens of one answer; an answer that is cut off is a failure."
    )
    reasks: int = Field(1, ge=0, description="How often an answer that does not parse is asked again.")

    @property
    def requests_per_candidate(self) -> int:
        """One per dimension."""
        return len(self.chosen())

    async def judge(self, task: RewriteTask, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
        return [await self._verdict(task, candidate, ask) for candidate in candidates]

    async def _verdict(self, task: RewriteTask, candidate: Candidate, ask: Ask) -> Verdict:
        grades, hashes, methods = [], [], set()
        for dimension in self.chosen():
            request = self.request(task, candidate, dimension)
            grade, answers = await ask_json(ask, self.endpoint, request, parse_grade, self.reasks)
            expected = expected_score(answers[-1])
            grades.append((_scaled(grade.score if expected is None else expected), dimension, grade.explanation))
            methods.add("integer" if expected is None else "expectation")
            hashes += [answer.request_hash for answer in answers]
        mean = sum(score for score, _, _ in grades) / len(grades)
        worst, dimension, explanation = min(grades)
        passed = mean >= self.threshold and worst >= self.floor
        return Verdict(
            judge=self.name,
            passed=passed,
            score=mean,
            method="expectation" if methods == {"expectation"} else "integer",
            defect=None if passed else f"low_{dimension}",
            evidence="" if passed else f"{dimension}: {explanation}",
            request_hashes=tuple(hashes),
        )

    def chosen(self) -> tuple[Dimension, ...]:
        """The dimensions to grade."""
        if self.dimensions is not None:
            return self.dimensions
        return (
            "correctness",
            "clarity",
            "conciseness" if self.style == "concise" else "informativeness",
            "nonredundancy",
        )

    def request(self, task: RewriteTask, candidate: Candidate, dimension: Dimension) -> ChatRequest:
        """The call that grades one dimension of one candidate.

        Raises:
            JudgeError: the rubric file lacks the dimension or cannot be read.
        """
        rubric = _rubric(task.language, self.path)
        if dimension not in rubric.dimensions:
            raise JudgeError(
                f"the rubric file has no section '=== {dimension} ==='", "Add it, or leave the dimension out."
            )
        name, question, bands = rubric.dimensions[dimension]
        user = rubric.user.substitute(
            dimension=name,
            question=question,
            bands=bands,
            history="".join(f"<{turn.role}>{escape(turn.content)}</{turn.role}>\n" for turn in task.history),
            query=escape(task.query),
            rewrite=escape(candidate.rewrite),
        )
        return ChatRequest(
            messages=(Message(role="system", content=rubric.system), Message(role="user", content=user)),
            max_tokens=self.max_tokens,
            seed=row_rng(0, f"rubric.{dimension}", candidate.id).getrandbits(31),
            json_schema=SCHEMA,
            schema_name="grade",
            top_logprobs=10,
        )


class _Rubric(NamedTuple):
    system: str
    user: Template
    dimensions: dict[str, tuple[str, str, str]]


@cache
def _rubric(language: Language, path: str | None) -> _Rubric:
    """A rubric file: system message, ``=== user ===``, user message, then a section per dimension.

    A section's first line is the dimension's name as the model reads it, the second its question, the others the
    descriptions of the five grades.
    """
    try:
        source = Path(path) if path else files("pairwright.judges").joinpath(f"rubric.{language}.txt")
        text = source.read_text(encoding="utf-8")
        system, user, *sections = re.split(r"^=== \w+ ===\n", text, flags=re.MULTILINE)
        names = re.findall(r"^=== (\w+) ===$", text, flags=re.MULTILINE)[1:]
        dimensions = {key: _section(section) for key, section in zip(names, sections, strict=True)}
        if unknown := set(Template(user).get_identifiers()) - _PLACES:
            raise ValueError(f"unknown place ${min(unknown)}")
    except (OSError, ValueError) as exc:
        raise JudgeError(f"{path}: no usable rubric file: {exc}", "judges/rubric.en.txt shows the form.") from exc
    return _Rubric(system.strip(), Template(user.strip()), dimensions)


def _section(text: str) -> tuple[str, str, str]:
    name, question, bands = text.strip().split("\n", 2)
    return name, question, bands


def parse_grade(text: str) -> Grade:
    """Read an answer: one JSON object, at most wrapped in one code fence.

    Raises:
        ValueError: it is no such object; nothing is guessed.
    """
    fenced = _FENCE.match(text.strip())
    return Grade.model_validate_json(fenced[1] if fenced else text.strip(), strict=True)


def expected_score(answer: Answer) -> float | None:
    """The mean of 1–5 under the probabilities of the score token's alternatives; None without logprobs."""
    text = "".join(token.token for token in answer.logprobs)
    matches = list(_SCORE.finditer(text))
    if not matches:
        return None
    place, start = matches[-1].start(1), 0
    for token in answer.logprobs:
        if start <= place < start + len(token.token):
            before, after = token.token[: place - start], token.token[place - start + 1 :]
            return _expectation(token.top or {token.token: token.logprob}, before, after)
        start += len(token.token)
    return None


def _expectation(top: dict[str, float], before: str, after: str) -> float | None:
    """Alternatives count where they differ from the token in the digit only."""
    weights = {
        int(digit): math.exp(logprob)
        for alternative, logprob in top.items()
        if alternative.startswith(before)
        and alternative.endswith(after)
        and (digit := alternative[len(before) : len(alternative) - len(after)]) in set("12345")
    }
    total = sum(weights.values())
    return sum(score * weight for score, weight in weights.items()) / total if total else None


def _scaled(score: float) -> float:
    return (score - 1) / 4
