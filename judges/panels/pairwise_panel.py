"""Several pairwise judges that decide together which of two texts is better."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from pairwright.core.component_calls import ask_comparer
from pairwright.core.components import Component
from pairwright.core.config.slots import ComparerComponent
from pairwright.core.identity import content_id
from pairwright.core.language.text_analysis import normalise
from pairwright.core.records import Case, Comparison, TaskKind, Winner
from pairwright.core.requests import Ask
from pairwright.judges.votes import (
    Weights,
    checked_weights,
    majority,
    member_names,
    raise_failure,
    seen_by_all,
    weighted_mean,
)

STAGE = "panel.compare"


class PairwisePanel(Component):
    """One to five pairwise judges of different model families that decide together which of two texts is better.

    The members are asked in their order (put the cheap ones first), each in both orders, and no more of them than the
    outcome depends on, but for a drawn share of the pairs that all of them see: the agreement figures of the report are
    taken over these.
    """

    name: ClassVar[str] = "panel"
    paid: ClassVar[bool] = True
    tasks: ClassVar[frozenset[TaskKind]] = frozenset({"rewrite", "answer"})

    members: tuple[ComparerComponent, ...] = Field(
        min_length=1, max_length=5, description="The pairwise judges, cheap ones first."
    )
    rule: Literal["majority", "mean"] = Field(
        "majority",
        description="'majority': a text wins with more than half of the weight. 'mean': the mean of the margins decides, and all members are always asked.",
    )
    weights: Weights | None = Field(None, description="One weight per member; default: all the same.")
    least_margin: float = Field(
        0.1, ge=0, lt=1, description="With rule: mean, the mean margin up to which it is a tie."
    )
    agreement_share: float = Field(
        0.1, ge=0, le=1, description="Share of the pairs, drawn by their texts, that all members see in any case."
    )

    @model_validator(mode="after")
    def _can_decide(self) -> PairwisePanel:
        checked_weights(self.weights, self.members)
        for at, member in enumerate(self.members):
            if isinstance(member, PairwisePanel):
                raise ValueError(f"members.{at}: {member.name} cannot compare two texts as a member of a panel")
        return self

    def requests_per_candidate(self, kind: TaskKind) -> int:
        """All that the members ask for one comparison, when no early stop spares it."""
        return sum(member.requests_per_candidate(kind) for member in self.members)

    async def compare(self, case: Case, first: str, second: str, ask: Ask) -> Comparison:
        """See :class:`~pairwright.core.components.Comparer`."""
        if normalise(first) == normalise(second):
            return Comparison(judge=self.name, winner="tie", margin=0.0, method="same_text")
        found: list[Comparison] = []
        if self.rule == "mean" or self.seen_by_all(case, first, second):
            asked = (ask_comparer(member, case, first, second, ask) for member in self.members)
            found = [raise_failure(one) for one in await asyncio.gather(*asked, return_exceptions=True)]
        while len(found) < len(self.members) and self._majority(found) is None:
            found.append(await ask_comparer(self.members[len(found)], case, first, second, ask))
        return self._together(found)

    def seen_by_all(self, case: Case, first: str, second: str) -> bool:
        """Whether all members see this pair, so that it counts for their agreement."""
        # Sorted: which text stands first must not decide who sees the pair.
        return seen_by_all(STAGE, content_id([case.query, *sorted((first, second))]), self.agreement_share)

    def _majority(self, found: Sequence[Comparison]) -> Winner | None:
        """The text with more than half of the weight, a tie where neither can get it, None where it is open."""
        weights = checked_weights(self.weights, self.members)
        for_first = majority([one.winner == "first" for one in found], weights)
        for_second = majority([one.winner == "second" for one in found], weights)
        if for_first or for_second:
            return "first" if for_first else "second"
        return "tie" if for_first is False and for_second is False else None

    def _together(self, found: Sequence[Comparison]) -> Comparison:
        if self.rule == "mean":
            margin = weighted_mean([one.margin for one in found], checked_weights(self.weights, self.members))
            margin = max(-1.0, min(1.0, margin))  # a mean of ones may be a rounding above one
            winner: Winner = "tie" if abs(margin) <= self.least_margin else "first" if margin > 0 else "second"
        else:
            decided = self._majority(found)
            assert decided is not None, "a full panel has decided"
            winner = decided
            # Not the share of the votes: that would depend on how many were asked.
            margin = {"first": 1.0, "second": -1.0, "tie": 0.0}[winner]
        names = member_names(self.members)[: len(found)]
        return Comparison(
            judge=self.name,
            winner=winner,
            margin=margin,
            method="panel",
            request_hashes=tuple(name for one in found for name in one.request_hashes),
            members=tuple(one.model_copy(update={"judge": name}) for one, name in zip(found, names, strict=True)),
        )
