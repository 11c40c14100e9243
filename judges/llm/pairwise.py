"""A language model that says which of two texts is better: always asked in both orders, explanation first.

A model that is asked once often prefers a place, first or second, to a text: GPT-4 kept about 65 % of its verdicts when the texts
changed places (Zheng et al., 2023), and small models answer "first" whatever stands there. So nothing is ever asked
in one order only. Where the endpoint returns logprobs and they tell, the log-probabilities of the three verdicts are added
up over both orders and compared (a preference for a place cancels out); else both orders must name the same text, and a
verdict that flips is a tie.
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

from pairwright.core.components import Component
from pairwright.core.config.build_file import Style
from pairwright.core.config.yaml_file import read_written_text
from pairwright.core.identity import Row, content_id, row_rng
from pairwright.core.language.text_analysis import normalise
from pairwright.core.llm.client import ask_json
from pairwright.core.prompts.escaping import escape
from pairwright.core.prompts.fenced_json import parse_json
from pairwright.core.prompts.kinds import KINDS
from pairwright.core.prompts.rewriting import read_prompt
from pairwright.core.records import Case, Comparison, Language, Position, TaskKind, Winner
from pairwright.core.requests import Answer, Ask, ChatRequest, Message
from pairwright.judges.llm.case_text import case_of
from pairwright.judges.votes import raise_failure

# Characters; without a limit in the schema small models go on and on.
EXPLANATION_LIMIT = 400
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "explanation": {"type": "string", "maxLength": EXPLANATION_LIMIT},
        "better": {"type": "string", "enum": list(get_args(Position))},
    },
    "required": ["explanation", "better"],
    "additionalProperties": False,
}
_PLACES = {"setting", "history", "query", "steps", "first", "second"}
_BETTER = re.compile(r'"better"\s*:\s*"')
_SWAPPED: Mapping[Position, Position] = {"first": "second", "second": "first", "equal": "equal"}
_VOTES: Mapping[Position, float] = {"first": 1.0, "second": -1.0, "equal": 0.0}


class Judgement(Row):
    """What the model answers: the better text by the place where it stands."""

    explanation: str
    better: Position


class Weighed(NamedTuple):
    """The log-probabilities of the verdicts that are among the alternatives, and the most that another one can have."""

    seen: Mapping[Position, float]
    at_most: float


class Heard(NamedTuple):
    """What came back for one order: the verdict, its alternatives where there are any, and the requests it took."""

    said: Judgement
    weighed: Weighed | None
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

    async def compare(self, case: Case, first: str, second: str, ask: Ask) -> Comparison:
        """See :class:`~pairwright.core.components.Comparer`."""
        if normalise(first) == normalise(second):
            return Comparison(judge=self.name, winner="tie", margin=0.0, method="same_text")
        orders = await asyncio.gather(
            self._heard(case, first, second, ask), self._heard(case, second, first, ask), return_exceptions=True
        )
        # Both orders are waited for, and the first trouble counts: which one it is must not depend on timing.
        heard = [raise_failure(order) for order in orders]
        return self._verdict(*heard)

    async def _heard(self, case: Case, first: str, second: str, ask: Ask) -> Heard:
        request = self.request(case, first, second)
        said, answers = await ask_json(ask, self.endpoint, request, parse_judgement, self.reasks)
        return Heard(said, weigh_verdicts(answers[-1]), tuple(answer.request_hash for answer in answers))

    def _verdict(self, forward: Heard, backward: Heard) -> Comparison:
        verdicts = forward.said.better, _SWAPPED[backward.said.better]
        method: Literal["logits", "verdicts"] = "verdicts"
        winner, margin = _agreed(*verdicts), sum(_VOTES[verdict] for verdict in verdicts) / 2
        if forward.weighed is not None and backward.weighed is not None:
            found = sum_orders(forward.weighed, backward.weighed, self.least_margin)
            if found is not None:
                method, (winner, margin) = "logits", found
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

    def request(self, case: Case, first: str, second: str) -> ChatRequest:
        """The question which of the two is better, with ``first`` standing first."""
        words = {case.kind, self.style} if KINDS[case.kind].styled else {case.kind}
        system, user = _prompt(self.path, case.language, frozenset(words))
        text = user.substitute(case_of(case), first=escape(first), second=escape(second))
        return ChatRequest(
            messages=(Message(role="system", content=system), Message(role="user", content=text)),
            max_tokens=self.max_tokens,
            # Seed 0 and not the build's: another build of the same rows finds the answers in the ledger.
            seed=row_rng(0, self.name, content_id([case.query, first, second])).getrandbits(31),
            json_schema=SCHEMA,
            schema_name="judgement",
            top_logprobs=10,
        )


def _agreed(forward: Position, backward: Position) -> Winner:
    return "tie" if forward != backward or forward == "equal" else forward


def parse_judgement(text: str) -> Judgement:
    """Read an answer: one JSON object, at most wrapped in one code fence.

    Raises:
        ValueError: it is no such object; nothing is guessed.
    """
    return parse_json(text, Judgement)


def sum_orders(forward: Weighed, backward: Weighed, least: float) -> tuple[Winner, float] | None:
    """The verdict of both orders together, and by how much the first text is more probable than the second.

    ``forward`` and ``backward`` are what the judge weighed when the first text stood first and when it stood second.
    Their sums over the orders are normalised to probabilities; what is nearer than ``least`` is a tie. A verdict that
    was not seen counts with the most that it can have: as the one that loses, that is on the safe side. Where it would
    be the one that wins, nothing is known, and the result is None.
    """
    sums = {place: _logprob(forward, place) + _logprob(backward, _SWAPPED[place]) for place in get_args(Position)}
    leader = max(sums, key=lambda place: sums[place])
    if leader not in forward.seen or _SWAPPED[leader] not in backward.seen:
        return None
    weights = {place: math.exp(value - sums[leader]) for place, value in sums.items()}
    margin = (weights["first"] - weights["second"]) / sum(weights.values())
    if abs(margin) <= least or weights["equal"] >= max(weights["first"], weights["second"]):
        return "tie", margin
    return ("first" if margin > 0 else "second"), margin


def _logprob(found: Weighed, place: Position) -> float:
    return found.seen.get(place, found.at_most)


def weigh_verdicts(answer: Answer) -> Weighed | None:
    """What the judge weighed at the token where the answer's verdict begins; None without alternatives there.

    Alternatives count where they continue what stands before the verdict in that token with (the beginning of) one.
    """
    text = "".join(token.token for token in answer.logprobs)
    matches = list(_BETTER.finditer(text))
    if not matches:
        return None
    # The last match is the answer: the explanation before it may quote the key.
    place, start = matches[-1].end(), 0
    for token in answer.logprobs:
        if start <= place < start + len(token.token):
            return _alternatives(token.top, token.token[: place - start])
        start += len(token.token)
    return None


def _alternatives(top: Mapping[str, float], before: str) -> Weighed | None:
    found: dict[Position, float] = {}
    for alternative, logprob in top.items():
        rest = alternative.removeprefix(before) if alternative.startswith(before) else ""
        for place in get_args(Position):
            # Several tokens can begin one word ("f", "first"): their probabilities add up.
            if rest and (rest.startswith(place) or place.startswith(rest)):
                found[place] = _sum(found[place], logprob) if place in found else logprob
    # What is not among the likeliest has at most the probability of the last of them. One token alone tells nothing.
    return Weighed(found, min(top.values())) if found and len(top) > 1 else None


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
        source = files("pairwright.judges.llm").joinpath(f"pairwise.{language}.txt")
        return read_prompt(source.read_text(encoding="utf-8").rstrip("\n"), words)
    own = Path(path.replace("{language}", language))
    try:
        system, user = read_prompt(read_written_text(own, "utf-8").rstrip("\n"), words)
    except (OSError, ValueError) as exc:
        raise ValueError(f"{own}: {exc.strerror if isinstance(exc, OSError) else exc}") from exc
    wrong = {"query", "first", "second"} - set(user.get_identifiers()) or set(user.get_identifiers()) - _PLACES
    if wrong or not user.is_valid():
        raise ValueError(
            f"{own}: the user message must have $query, $first and $second, may have $setting, $history and $steps, and no other '$'"
        )
    return system, user
