"""What panels share: the names and weights of their members, when their vote is decided, and who is asked in any case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeVar

from pydantic import Field

from pairwright.core.components import Configured
from pairwright.core.config.component_references import named_endpoints
from pairwright.core.identity import row_rng

Weights = Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)]
T = TypeVar("T")


def member_names(members: Sequence[Configured]) -> list[str]:
    """``rubric@gpt`` for each member, with its place behind it where two would be called the same."""
    plain = ["@".join([member.name, *(name for _, name in named_endpoints(member))]) for member in members]
    return [f"{name}#{at + 1}" if plain.count(name) > 1 else name for at, name in enumerate(plain)]


def checked_weights(weights: Sequence[float] | None, members: Sequence[Configured]) -> Sequence[float]:
    """The weights of the members, one each where none are given.

    Raises:
        ValueError: there are more or fewer weights than members.
    """
    if weights is not None and len(weights) != len(members):
        raise ValueError(f"weights: {len(weights)} for {len(members)} members; give one each")
    return weights or [1.0] * len(members)


def majority(votes: Sequence[bool], weights: Sequence[float]) -> bool | None:
    """Whether more than half of the weight votes yes, as soon as the first ``votes`` decide it; None before that.

    Both bounds add up the same numbers in the same order as the full vote, so stopping never changes its outcome.
    """
    half = sum(weights) / 2
    open_votes = len(weights) - len(votes)
    if _weight([*votes, *[False] * open_votes], weights) > half:
        return True
    return None if _weight([*votes, *[True] * open_votes], weights) > half else False


def _weight(votes: Sequence[bool], weights: Sequence[float]) -> float:
    return sum(weight for vote, weight in zip(votes, weights, strict=True) if vote)


def weighted_mean(values: Sequence[float], weights: Sequence[float]) -> float:
    """The mean of ``values``."""
    return sum(value * weight for value, weight in zip(values, weights, strict=True)) / sum(weights)


def seen_by_all(stage: str, row: str, share: float) -> bool:
    """Whether ``row`` is one of the ``share`` that all members see, whatever the first ones say.

    Agreement is measured on these alone: elsewhere later members see only what the earlier ones left open.
    """
    return row_rng(0, stage, row).random() < share


def raise_failure(outcome: T | BaseException) -> T:
    """``outcome``, or raise it: of several requests side by side the first failure in their order counts."""
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome
