"""A language model that says which of two texts is better: always asked in both orders, explanation first.

A model that is asked once names the place as often as the text: GPT-4 kept about 65 % of its verdicts when the texts
changed places (Zheng et al., 2023), and small models answer "first" whatever stands there. So there is no such thing as
one order here. Where the endpoint returns logprobs, the log-probabilities of the three verdicts are added up over both
orders and compared (a preference for a place cancels out); else both orders must name the same text, and a verdict that
flips is a tie.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any, ClassVar, Literal, NamedTuple, get_args

from pydantic import Field, field_validator

from pairwright.core.client import ask_json
from pairwright.core.components import Component
from pairwright.core.config import Style
from pairwright.core.language import normalise
from pairwright.core.prompts import escape, parse_json, read_prompt
from pairwright.core.records import (
    Comparison,
    Language,
    Place,
    RewriteTask,
    Row,
    TaskKind,
    Winner,
    content_id,
    row_rng,
)
from pairwright.core.requests import Answer, Ask, ChatRequest, Message
from pairwright.judges.case import case_of
from pairwright.judges.votes import sound

EXPLANATION_LIMIT = 400
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "explanation": {"type": "string", "maxLength": EXPLANATION_LIMIT},
        "better": {"type": "string", "enum": list(get_args(Place))},
    },
    "required": ["explanation", "better"],
    "additionalProperties": False,
}
_PLACES = {"setting", "history", "query", "steps", "first", "second"}
_BETTER = re.compile(r'"better"\s*:\s*"')
_SWAPPED: Mapping[Place, Place] = {"first": "second", "second": "first", "equal": "equal"}
_VOTES: Mapping[Place, float] = {"first": 1.0, "second": -1.0, "equal": 0.0}


class Judgement(Row):
    """What the model answers: the better text by the place where it stands."""

    explanation: str
    better: Place


class Heard(NamedTuple):
    """What came back for one order: the verdict, its alternatives where there are any, and the requests it took."""

    said: Judgement
    logprobs: Mapping[Place, float] | None
    request_hashes: tuple[str, ...]


class Pairwise(Component):
    """Asks a model which of two texts is better, in both orders; a verdict that flips with the order is a tie.

    Where the endpoint returns logprobs, those of the verdict's words are summed over both orders instead, and the
    larger sum wins. Texts that are the same after normalisation tie without being asked.
    """

    name: ClassVar[str] = "pairwise"
    paid: ClassVar[bool] = True
    tasks: ClassVar[frozenset[TaskKind]] = frozenset({"rewrite", "answer"})

    endpoint: str = Field(description="Name of one of the endpoints.")
    style: Style = Field("concise", description="Target style of the rewrites; decides what the better one brings in.")
    least_margin: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="With logprobs: how much more probable one text must be than the other; below it is a tie.",
    )
    path: str | None = Field(
        None, description="Prompt file to use instead of the packaged ones; {language} in it stands for zh or en."
    )
    max_tokens: int = Field(
        300, ge=32, description="Most tokens of one answer; an answer that is cut off is a failure."
    )
    reasks: int = Field(1, ge=0, description="How often an answer that does not parse is asked again.")

    @field_validator("path")
    @classmethod
    def _is_usable(cls, path: str | None) -> str | None:
        if path is not None:
            for language in get_args(Language):
                _prompt(path, language, frozenset())
        return path

    def requests_per_candidate(self, kind: TaskKind) -> int:
        """One per order."""
        return 2

    async def compare(self, task: RewriteTask, first: str, second: str, ask: Ask) -> Comparison:
        """See :class:`~pairwright.core.components.Comparer`."""
        if normalise(first) == normalise(second):
            return Comparison(judge=self.name, winner="tie", margin=0.0, method="same_text")
        orders = await asyncio.gather(
            self._heard(task, first, second, ask), self._heard(task, second, first, ask), return_exceptions=True
        )
        # Both orders are waited for, and the first trouble counts: which one it is must not depend on timing.
        heard = [sound(order) for order in orders]
        return self._verdict(*heard)

    async def _heard(self, task: RewriteTask, first: str, second: str, ask: Ask) -> Heard:
        request = self.request(task, first, second)
        said, answers = await ask_json(ask, self.endpoint, request, parse_judgement, self.reasks)
        return Heard(said, place_logprobs(answers[-1]), tuple(answer.request_hash for answer in answers))

    def _verdict(self, forward: Heard, backward: Heard) -> Comparison:
        verdicts = forward.said.better, _SWAPPED[backward.said.better]
        method: Literal["logits", "verdicts"] = "verdicts"
        winner, margin = _agreed(*verdicts), sum(_VOTES[verdict] for verdict in verdicts) / 2
        if forward.logprobs is not None and backward.logprobs is not None:
            method = "logits"
            winner, margin = summed(forward.logprobs, backward.logprobs, self.least_margin)
        return Comparison(
            judge=self.name,
            winner=winner,
            margin=margin,
            method=method,
            answers=(forward.said.better, backward.said.better),
            flipped=verdicts[0] != verdicts[1],
            explanations=(forward.said.explanation, backward.said.explanation),
            request_hashes=forward.request_hashes + backward.request_hashes,
        )

    def request(self, task: RewriteTask, first: str, second: str) -> ChatRequest:
        """The question which of the two is better, with ``first`` standing first."""
        words = {task.kind, self.style} if task.kind == "rewrite" else {task.kind}
        system, user = _prompt(self.path, task.language, frozenset(words))
        text = user.substitute(case_of(task), first=escape(first), second=escape(second))
        return ChatRequest(
            messages=(Message(role="system", content=system), Message(role="user", content=text)),
            max_tokens=self.max_tokens,
            seed=row_rng(0, self.name, content_id([task.query, first, second])).getrandbits(31),
            json_schema=SCHEMA,
            schema_name="judgement",
            top_logprobs=10,
        )


def _agreed(forward: Place, backward: Place) -> Winner:
    return "tie" if forward != backward or forward == "equal" else forward


def parse_judgement(text: str) -> Judgement:
    """Read an answer: one JSON object, at most wrapped in one code fence.

    Raises:
        ValueError: it is no such object; nothing is guessed.
    """
    return parse_json(text, Judgement)


def summed(forward: Mapping[Place, float], backward: Mapping[Place, float], least: float) -> tuple[Winner, float]:
    """The verdict of both orders together, and by how much the first text is more probable than the second.

    ``forward`` and ``backward`` are the log-probabilities of the verdicts when the first text stands first and when it
    stands second. Their sums over the orders are normalised to probabilities; what is nearer than ``least`` is a tie.
    """
    sums = {place: forward[place] + backward[_SWAPPED[place]] for place in get_args(Place)}
    most = max(sums.values())
    weights = {place: math.exp(value - most) for place, value in sums.items()}
    margin = (weights["first"] - weights["second"]) / sum(weights.values())
    if abs(margin) <= least or weights["equal"] >= max(weights["first"], weights["second"]):
        return "tie", margin
    return ("first" if margin > 0 else "second"), margin


def place_logprobs(answer: Answer) -> dict[Place, float] | None:
    """The log-probability of each verdict at the token where the answer's verdict begins; None without alternatives.

    Alternatives count where they continue what stands before the verdict in that token with (the beginning of) another
    one. A verdict that is not among them gets the smallest log-probability that is: it has at most that one.
    """
    text = "".join(token.token for token in answer.logprobs)
    matches = list(_BETTER.finditer(text))
    if not matches:
        return None
    place, start = matches[-1].end(), 0
    for token in answer.logprobs:
        if start <= place < start + len(token.token):
            return _alternatives(token.top, token.token[: place - start])
        start += len(token.token)
    return None


def _alternatives(top: Mapping[str, float], before: str) -> dict[Place, float] | None:
    found: dict[Place, float] = {}
    for alternative, logprob in top.items():
        rest = alternative.removeprefix(before) if alternative.startswith(before) else ""
        for place in get_args(Place):
            if rest and (rest.startswith(place) or place.startswith(rest)):
                found[place] = _sum(found[place], logprob) if place in found else logprob
    if not found or len(top) < 2:
        return None
    least = min(top.values())
    return {place: found.get(place, least) for place in get_args(Place)}


def _sum(one: float, other: float) -> float:
    """The logarithm of the sum of two probabilities given as logarithms."""
    most = max(one, other)
    return most + math.log1p(math.exp(min(one, other) - most))


@cache
def _prompt(path: str | None, language: Language, words: frozenset[str]) -> tuple[str, Template]:
    """The packaged prompt file, or the user's own.

    Raises:
        ValueError: the file cannot be read or has another form; the message names it.
    """
    if path is None:
        source = files("pairwright.judges").joinpath(f"pairwise.{language}.txt")
        return read_prompt(source.read_text(encoding="utf-8").rstrip("\n"), words)
    own = Path(path.replace("{language}", language))
    try:
        system, user = read_prompt(own.read_text(encoding="utf-8").rstrip("\n"), words)
    except (OSError, ValueError) as exc:
        raise ValueError(f"{own}: {exc.strerror if isinstance(exc, OSError) else exc}") from exc
    wrong = {"query", "first", "second"} - set(user.get_identifiers()) or set(user.get_identifiers()) - _PLACES
    if wrong or not user.is_valid():
        raise ValueError(
            f"{own}: the user message must have $query, $first and $second, may have $setting, $history and $steps, and no other '$'"
        )
    return system, user
