"""The gate by a language model: both questions in one call, explanation first."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from string import Template
from typing import Any, ClassVar

from pydantic import Field

from pairwright.core.components import Component
from pairwright.core.identity import Row, row_rng
from pairwright.core.llm.client import ask_json
from pairwright.core.prompts.escaping import escape
from pairwright.core.prompts.fenced_json import parse_json
from pairwright.core.prompts.rewriting import read_prompt
from pairwright.core.records import Case, GateDecision, Language, TaskKind, Turn
from pairwright.core.requests import Answer, Ask, ChatRequest, Message
from pairwright.judges.gates.missing_answer import unanswered

# Characters; without a limit in the schema small models go on and on.
EXPLANATION_LIMIT = 400
_EXPLANATION = {"type": "string", "maxLength": EXPLANATION_LIMIT}
_WORDS = ("true", "false")


class NeedAnswer(Row):
    """What the model answers where the history has every answer."""

    explanation: str
    needs_rewrite: bool


class MissingAnswer(NeedAnswer):
    """What it answers where answers are missing."""

    missing_answer: bool


class GateLlm(Component):
    """Asks a model both questions in one call: does it need a rewrite, and does that depend on a missing answer?

    Where the endpoint returns logprobs, each answer is the more probable one of "true" and "false", by ``threshold``
    for the first question; else it is the word that was written. A query without history is not asked about.
    """

    name: ClassVar[str] = "llm"
    paid: ClassVar[bool] = True

    endpoint: str = Field(description="Name of one of the endpoints.")
    threshold: float = Field(
        0.5, gt=0, lt=1, description="With logprobs: how probable the need must be for a query to be rewritten."
    )
    max_tokens: int = Field(
        250, ge=32, description="Most tokens of one answer; an answer that is cut off is a failure."
    )
    reasks: int = Field(1, ge=0, description="How often an answer that does not parse is asked again.")

    def requests_per_candidate(self, kind: TaskKind) -> int:
        """One per query."""
        return 1

    async def decide(self, case: Case, ask: Ask) -> GateDecision:
        """See :class:`~pairwright.core.components.Gate`."""
        if not case.history:
            return GateDecision(needs_rewrite=False, method="rule", evidence="no history")
        form = MissingAnswer if unanswered(case.history) else NeedAnswer
        answer, answers = await ask_json(
            ask, self.endpoint, self.request(case), lambda text: parse_json(text, form), self.reasks
        )
        probable = probability(answers[-1], "needs_rewrite")
        needed = answer.needs_rewrite if probable is None else probable >= self.threshold
        return GateDecision(
            needs_rewrite=needed,
            missing_answer=needed and isinstance(answer, MissingAnswer) and _missing(answer, answers[-1]),
            score=None if probable is None else round(probable, 4),
            method="answer" if probable is None else "probability",
            evidence=answer.explanation,
            request_hashes=tuple(one.request_hash for one in answers),
        )

    def request(self, case: Case) -> ChatRequest:
        """The question about one query."""
        missing = unanswered(case.history)
        system, user = _prompt(case.language, missing)
        text = user.substitute(history="".join(_turns(case.history)), query=escape(case.query))
        return ChatRequest(
            messages=(Message(role="system", content=system), Message(role="user", content=text)),
            max_tokens=self.max_tokens,
            # Seed 0 and not the build's: another build of the same rows finds the answers in the ledger.
            seed=row_rng(0, "gate", case.id).getrandbits(31),
            json_schema=schema(missing=missing),
            schema_name="gate",
            top_logprobs=10,
        )


def _missing(answer: MissingAnswer, sent: Answer) -> bool:
    probable = probability(sent, "missing_answer")
    return answer.missing_answer if probable is None else probable >= 0.5


def schema(*, missing: bool) -> dict[str, Any]:
    """The form of an answer; the second question only where answers are missing."""
    # In this order: the explanation first, so that the answers follow from it.
    properties: dict[str, Any] = {"explanation": _EXPLANATION, "needs_rewrite": {"type": "boolean"}}
    if missing:
        properties["missing_answer"] = {"type": "boolean"}
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _turns(history: tuple[Turn, ...]) -> Iterator[str]:
    """One line per turn, and a mark after every user turn that has no answer."""
    following = [*(turn.role for turn in history[1:]), "user"]
    for turn, after in zip(history, following, strict=True):
        yield f"<{turn.role}>{escape(turn.content)}</{turn.role}>\n"
        if turn.role == after == "user":
            yield "<no_answer/>\n"


def probability(answer: Answer, key: str) -> float | None:
    """How probable "true" is after ``"key":``, against "false"; None without logprobs."""
    text = "".join(token.token for token in answer.logprobs)
    matches = list(re.finditer(rf'"{key}"\s*:\s*(?=true|false)', text))
    if not matches:
        return None
    # The last match is the answer: the explanation before it may quote the key.
    place, start = matches[-1].end(), 0
    for token in answer.logprobs:
        if start <= place < start + len(token.token):
            return _share(token.top or {token.token: token.logprob}, token.token[: place - start])
        start += len(token.token)
    return None


def _share(top: Mapping[str, float], before: str) -> float | None:
    """The share of "true" among the alternatives that continue ``before`` with (the beginning of) either word."""
    weights = dict.fromkeys(_WORDS, 0.0)
    for alternative, logprob in top.items():
        # A token may bring along what stands around the word in the JSON.
        rest = alternative.removeprefix(before).strip(" ,}\n") if alternative.startswith(before) else ""
        for word in _WORDS:
            if rest and word.startswith(rest):
                weights[word] += math.exp(logprob)
    total = sum(weights.values())
    return weights["true"] / total if total else None


@cache
def _prompt(language: Language, missing: bool) -> tuple[str, Template]:
    text = files("pairwright.judges.gates").joinpath(f"gate.{language}.txt").read_text(encoding="utf-8")
    return read_prompt(text.rstrip("\n"), frozenset({"missing" if missing else "full"}))
