"""Win rate against another system, judged by a language model in both orders.

The judge sees the dialogue and two rewrites and says which is better. It is asked in both orders: a verdict that flips
with the order is a tie. A row counts 1 for a win, 0.5 for a tie and 0 for a loss; rewrites that are the same after
normalisation tie without being asked. Judge prompts: ``win_rate.LANGUAGE.txt``. Report it beside the share of verdicts
that flipped (``win_rate_flips``): a judge that flips often says little.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from string import Template
from typing import Literal

from pydantic import ValidationError

from pairwright.core.errors import ModelError, RequestFailed
from pairwright.core.language import normalise
from pairwright.core.prompts import escape
from pairwright.core.records import Language, Row
from pairwright.core.requests import Ask, ChatRequest, Message
from pairwright.evaluation.gold import GoldRow
from pairwright.evaluation.metric import Case, Metric, Sums, share
from pairwright.evaluation.predictions import System

Outcome = tuple[float, bool]  # score of the judged system, and whether the verdict flipped
_SCHEMA = {
    "type": "object",
    "properties": {
        "explanation": {"type": "string", "maxLength": 300},
        "better": {"type": "string", "enum": ["first", "second", "equal"]},
    },
    "required": ["explanation", "better"],
    "additionalProperties": False,
}


class Judgement(Row):
    """What the judge answers."""

    explanation: str
    better: Literal["first", "second", "equal"]


def request_for(row: GoldRow, first: str, second: str) -> ChatRequest:
    """The question which of two rewrites is better."""
    system, user = _template(row.language)
    text = user.substitute(
        history="".join(f"<{turn.role}>{escape(turn.content)}</{turn.role}>\n" for turn in row.history),
        query=escape(row.query),
        first=escape(first),
        second=escape(second),
    )
    messages = (Message(role="system", content=system), Message(role="user", content=text))
    return ChatRequest(messages=messages, max_tokens=200, json_schema=_SCHEMA, schema_name="judgement")


async def judge_all(
    ask: Ask, endpoint: str, rows: Sequence[GoldRow], systems: Sequence[System], against: System
) -> dict[tuple[str, str], Outcome]:
    """The outcome of every pair of rewrites, by (row id, rewrite of the judged system).

    Raises:
        ModelError: some pairs got no usable verdict.
    """
    wanted = {
        (row.id, one.rewrite): (row, one.rewrite, other.rewrite)
        for system in systems
        for row, one, other in zip(rows, system.predictions, against.predictions, strict=True)
    }
    asked = (_outcome(ask, endpoint, row, one, other) for row, one, other in wanted.values())
    found = dict(zip(wanted, await asyncio.gather(*asked), strict=True))
    lost = [one for one in found.values() if isinstance(one, RequestFailed)]
    if lost:
        raise ModelError(f"{endpoint}: {len(lost)} of {len(found)} verdicts failed; the first: {lost[0]}")
    return {key: one for key, one in found.items() if not isinstance(one, RequestFailed)}


def win_rate_metrics(outcomes: dict[tuple[str, str], Outcome], against: str) -> tuple[Metric, Metric]:
    """The win rate and the share of flipped verdicts."""

    def win(case: Case) -> Sums:
        return outcomes[case.row.id, case.prediction.rewrite][0], 1.0

    def flip(case: Case) -> Sums:
        return share(outcomes[case.row.id, case.prediction.rewrite][1])

    return (
        Metric(
            "win_rate", f"how often a judge prefers the rewrite to that of {against} (ties count half)", "higher", win
        ),
        Metric("win_rate_flips", "verdicts that changed when the order was swapped", "neither", flip),
    )


async def _outcome(ask: Ask, endpoint: str, row: GoldRow, one: str, other: str) -> Outcome | RequestFailed:
    if normalise(one) == normalise(other):
        return 0.5, False
    try:
        verdicts = await asyncio.gather(
            _better(ask, endpoint, row, one, other), _better(ask, endpoint, row, other, one)
        )
    except RequestFailed as exc:
        return exc
    forward, backward = verdicts[0], {"first": "second", "second": "first"}.get(verdicts[1], "equal")
    if forward != backward:
        return 0.5, True
    return {"first": 1.0, "second": 0.0}.get(forward, 0.5), False


async def _better(ask: Ask, endpoint: str, row: GoldRow, first: str, second: str) -> str:
    answer = await ask(endpoint, request_for(row, first, second))
    try:
        return Judgement.model_validate_json(answer.text).better
    except ValidationError as exc:
        raise RequestFailed("schema", f"row {row.id}: the judge's answer is no verdict: {answer.text[:80]!r}") from exc


@cache
def _template(language: Language) -> tuple[str, Template]:
    text = files("pairwright.evaluation").joinpath(f"win_rate.{language}.txt").read_text(encoding="utf-8")
    system, user = text.split("\n=== user ===\n")
    return system, Template(user)
