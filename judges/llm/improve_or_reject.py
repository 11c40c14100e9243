"""Improve or reject: answers that break one of your rules are rejected, with a better one as chosen.

One call says whether an answer is good by the rules of a file, why, and what a good one would be. The better one must
itself be found good, asked afresh.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, field_validator

from pairwright.core.components import Component
from pairwright.core.config.yaml_file import parse_yaml, read_written_text
from pairwright.core.identity import Row, row_rng
from pairwright.core.improvement import Review
from pairwright.core.llm.client import ask_json
from pairwright.core.prompts.answering import parse_dialogue_answer
from pairwright.core.prompts.escaping import escape, unescape
from pairwright.core.prompts.fenced_json import parse_json
from pairwright.core.records import Candidate, Case, Comparison, Language, TaskKind
from pairwright.core.requests import Answer, Ask, ChatRequest
from pairwright.judges.llm.own_answer import improved_candidate
from pairwright.judges.llm.prompt_texts import messages

ANSWER_LIMIT = 4000
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "reason": {"type": "string", "maxLength": 400},
        "is_good": {"type": "boolean"},
        "improved_answer": {"type": "string", "maxLength": ANSWER_LIMIT},
    },
    "required": ["reason", "is_good", "improved_answer"],
    "additionalProperties": False,
}


class Finding(Row):
    """What the model answers."""

    reason: str
    is_good: bool
    improved_answer: str


class ImproveOrReject(Component):
    """Checks answers by the rules in a file: good ones stay, bad ones are rejected and a better one takes their place.

    The better one must be found good by the same rules in a call of its own, and pass the judges.
    """

    name: ClassVar[str] = "improve_or_reject"
    paid: ClassVar[bool] = True
    tasks: ClassVar[frozenset[TaskKind]] = frozenset({"rewrite", "answer"})

    endpoint: str = Field(description="Name of one of the endpoints.")
    rules: str = Field(
        description="File with the rules: text with one per line, or YAML (.yaml) with a list; '{language}' in it stands for zh or en."
    )
    max_tokens: int = Field(
        1024, ge=64, description="Most tokens of one answer; an answer that is cut off is a failure."
    )
    reasks: int = Field(1, ge=0, description="How often an answer that does not parse is asked again.")

    @field_validator("rules")
    @classmethod
    def _readable(cls, rules: str) -> str:
        for language in ("zh", "en"):
            read_rules(rules, language)
        return rules

    def requests_per_candidate(self, kind: TaskKind) -> int:
        """At most: the check, and that of the better answer."""
        return 2

    async def review(self, case: Case, candidate: Candidate, ask: Ask) -> Review:
        """See :class:`~pairwright.core.components.Improver`."""
        request = self.request(case, candidate)
        found, answers = await self._check(request, ask)
        improved = None
        if not found.is_good:
            said = parse_dialogue_answer(unescape(found.improved_answer))
            improved = improved_candidate(case, self.endpoint, request, answers, said)
        return Review(
            route="good" if found.is_good else "bad",
            kept=True,
            stands=found.is_good,
            method="verdict",
            explanation=found.reason,
            request_hashes=tuple(answer.request_hash for answer in answers),
            improved=improved,
        )

    async def prefer(self, case: Case, improved: Candidate, original: Candidate, ask: Ask) -> Comparison:
        """See :class:`~pairwright.core.components.Improver`: the original is known to be bad already."""
        found, answers = await self._check(self.request(case, improved), ask)
        return Comparison(
            judge=self.name,
            winner="first" if found.is_good else "second",
            margin=1.0 if found.is_good else -1.0,
            method="verdicts",
            explanations=(found.reason,),
            request_hashes=tuple(answer.request_hash for answer in answers),
        )

    async def _check(self, request: ChatRequest, ask: Ask) -> tuple[Finding, tuple[Answer, ...]]:
        return await ask_json(ask, self.endpoint, request, parse_finding, self.reasks)

    def request(self, case: Case, candidate: Candidate) -> ChatRequest:
        """The call that checks one answer."""
        rules = "\n".join(f"- {escape(rule)}" for rule in read_rules(self.rules, case.language))
        return ChatRequest(
            messages=messages("improve_or_reject", case, candidate.text, rules=rules),
            max_tokens=self.max_tokens,
            seed=row_rng(0, "improve_or_reject", candidate.id).getrandbits(31),
            json_schema=SCHEMA,
            schema_name="finding",
        )


def parse_finding(text: str) -> Finding:
    """Read an answer: one JSON object, at most wrapped in one code fence.

    Raises:
        ValueError: it is no such object, or calls the answer bad and brings no better one; nothing is guessed.
    """
    found = parse_json(text, Finding)
    if not found.is_good and not found.improved_answer.strip():
        raise ValueError("improved_answer: empty, although is_good is false")
    return found


@cache
def read_rules(path: str, language: Language) -> tuple[str, ...]:
    """The rules in a file, without list marks, blank lines and lines that start with ``#``.

    Raises:
        ValueError: the file cannot be read, has no rules or another form; names file, and line or entry.
    """
    file = Path(path.replace("{language}", language))
    try:
        text = read_written_text(file, "utf-8")  # a byte-order mark has always been part of the prompt
        rules = _listed(text) if file.suffix in (".yaml", ".yml") else text.splitlines()
    except (OSError, ValueError) as exc:
        raise ValueError(f"{file}: {exc.strerror if isinstance(exc, OSError) else exc}") from exc
    bare = (line.strip().removeprefix("-").strip() for line in rules if not line.startswith("#"))
    found = tuple(rule for rule in bare if rule)
    if not found:
        raise ValueError(f"{file}: no rules in it")
    return found


def _listed(text: str) -> list[str]:
    content = parse_yaml(text)
    if not isinstance(content, list):
        raise ValueError(f"expected a list of rules, found {type(content).__name__}")
    for number, rule in enumerate(content, start=1):
        if not isinstance(rule, str):
            raise ValueError(f"rule {number}: expected text, found {type(rule).__name__} (quote what has a colon)")
    return content
