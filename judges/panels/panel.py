"""Several judges that decide together: by the majority, or by the mean of their scores; a rule may veto."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from pairwright.core.component_calls import ask_judge
from pairwright.core.components import Component, Judge
from pairwright.core.config.slots import JudgeComponent
from pairwright.core.records import Candidate, KnownCase, TaskKind, Verdict
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

STAGE = "panel.judge"


class Panel(Component):
    """One to five judges of different model families that decide together, by majority or by the mean of their scores.

    Judges named under ``veto`` ask no model and come first: what one of them fails, fails. The members are asked in
    their order (put the cheap ones first) and no more of them than the outcome depends on, but for a drawn share of the
    candidates that all of them see: the agreement figures of the report are taken over these.
    """

    name: ClassVar[str] = "panel"
    paid: ClassVar[bool] = True
    tasks: ClassVar[frozenset[TaskKind]] = frozenset({"rewrite", "answer"})

    members: tuple[JudgeComponent, ...] = Field(min_length=1, max_length=5, description="The judges, cheap ones first.")
    rule: Literal["majority", "mean"] = Field(
        "majority",
        description="'majority': members that pass a candidate outweigh the others; gives no score. 'mean': the mean of their scores reaches threshold; no member stops early.",
    )
    weights: Weights | None = Field(None, description="One weight per member; default: all the same.")
    threshold: float = Field(0.7, ge=0, le=1, description="With rule: mean, the smallest mean score that passes.")
    veto: tuple[JudgeComponent, ...] = Field(
        (), description="Judges that ask no model: what one of them fails is failed, and no member is asked."
    )
    early_stop: bool = Field(
        True,
        description="Ask no further member once the outcome is certain. A refused candidate then has no score; the outcomes are the same.",
    )
    agreement_share: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Share of the candidates, drawn by their content, that all members see in any case.",
    )

    @model_validator(mode="after")
    def _can_decide(self) -> Panel:
        checked_weights(self.weights, self.members)
        for key, judges in (("members", self.members), ("veto", self.veto)):
            for at, judge in enumerate(judges):
                if isinstance(judge, Panel):
                    raise ValueError(f"{key}.{at}: {judge.name} cannot judge a single candidate as a member of a panel")
        if paid := [judge.name for judge in self.veto if judge.paid]:
            raise ValueError(f"veto: {paid[0]} asks a model; only judges that go by rules have a veto")
        return self

    def requests_per_candidate(self, kind: TaskKind) -> int:
        """All that the members ask, when no early stop spares it."""
        return sum(member.requests_per_candidate(kind) for member in self.members)

    async def judge(self, case: KnownCase, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
        return [await self._verdict(case, candidate, ask) for candidate in candidates]

    async def _verdict(self, case: KnownCase, candidate: Candidate, ask: Ask) -> Verdict:
        for judge in self.veto:
            verdict = await _one(judge, case, candidate, ask)
            if not verdict.passed:
                evidence = f"veto of {judge.name}: {verdict.evidence}"
                return verdict.model_copy(update={"judge": self.name, "evidence": evidence})
        return self._together(await self._members(case, candidate, ask))

    async def _members(self, case: KnownCase, candidate: Candidate, ask: Ask) -> Sequence[Verdict]:
        """The verdicts of the members, of no more than needed."""
        members, names = self._scoring(), member_names(self.members)
        found: list[Verdict] = []
        if not self.early_stop or self.seen_by_all(candidate):
            asked = (_one(member, case, candidate, ask) for member in members)
            found = [raise_failure(verdict) for verdict in await asyncio.gather(*asked, return_exceptions=True)]
        while len(found) < len(members) and self._decided(found) is None:
            found.append(await _one(members[len(found)], case, candidate, ask))
        named = zip(found, names[: len(found)], strict=True)
        return [verdict.model_copy(update={"judge": name}) for verdict, name in named]

    def _scoring(self) -> Sequence[Judge]:
        """The members; for a mean none of them stops early, because what it refuses needs its score, too."""
        if self.rule == "majority":
            return self.members
        patient = {"early_stop": False}
        # By the field and not by the class: a judge of somebody's own may have it, too.
        return [one.model_copy(update=patient) if "early_stop" in one.model_dump() else one for one in self.members]

    def seen_by_all(self, candidate: Candidate) -> bool:
        """Whether all members see this candidate, so that it counts for their agreement."""
        return seen_by_all(STAGE, candidate.id, self.agreement_share)

    def _decided(self, found: Sequence[Verdict]) -> bool | None:
        weights = checked_weights(self.weights, self.members)
        if self.rule == "majority":
            return majority([verdict.passed for verdict in found], weights)
        # An accepted candidate needs its score: only a mean that cannot reach the threshold any more ends it early.
        at_most = weighted_mean([*(one.grade for one in found), *[1.0] * (len(weights) - len(found))], weights)
        if at_most < self.threshold:
            return False
        return True if len(found) == len(weights) else None

    def _together(self, found: Sequence[Verdict]) -> Verdict:
        passed = self._decided(found)
        assert passed is not None, "a full panel has decided"
        weights = checked_weights(self.weights, self.members)
        complete = self.rule == "mean" and len(found) == len(weights)
        worst = min(found, key=lambda verdict: (verdict.passed, verdict.grade))
        return Verdict(
            judge=self.name,
            passed=passed,
            # A mean of ones may be a rounding above one.
            score=min(1.0, weighted_mean([one.grade for one in found], weights)) if complete else None,
            method="panel",
            defect=None if passed else worst.defect or "low_score",
            evidence="" if passed else f"{worst.judge}: {worst.evidence}",
            request_hashes=tuple(name for verdict in found for name in verdict.request_hashes),
            members=tuple(found),
        )


async def _one(judge: Judge, case: KnownCase, candidate: Candidate, ask: Ask) -> Verdict:
    (verdict,) = await ask_judge(judge, case, [candidate], ask)
    return verdict
