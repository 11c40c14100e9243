"""The part of a build file that says how chosen and rejected come together, and what it needs from the judges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from pairwright.core.components import Comparer, EarlyStopper, Judge
from pairwright.core.config.sections import Section

Share = Annotated[float, Field(ge=0, le=1)]


def _ascending(band: tuple[float, float]) -> tuple[float, float]:
    if band[0] > band[1]:
        raise ValueError(f"expected the least and then the most, found {band[0]:g} and {band[1]:g}")
    return band


Band = Annotated[tuple[Share, Share], AfterValidator(_ascending)]


class PairingConfig(Section):
    """How chosen and rejected come together. Every share is one of all pairs; docs/pairing.md has the rules."""

    max_per_task: int = Field(3, ge=1, description="Most pairs of one query, each with another defect.")
    max_defect_share: float = Field(
        0.20, gt=0, le=1, description="No defect makes up more than this share, where there are enough defects."
    )
    max_template_share: float = Field(
        0.05, gt=0, le=1, description="No template of a perturber makes up more, where there are enough templates."
    )
    no_rewrite_share: Band = Field(
        (0.20, 0.30),
        description="Least and most share of pairs whose query needs no rewrite; the abundant side is trimmed.",
    )
    on_policy_share: Band = Field(
        (0.0, 1.0), description="Least and most share of pairs rejected by the student itself (generation.on_policy)."
    )
    max_surface_auc: float = Field(
        0.60,
        ge=0.5,
        le=1,
        description="Pairs are trimmed until neither length nor punctuation alone tells chosen from rejected better than this (area under the ROC curve).",
    )
    max_loss: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="Most that one rule may cost, as a share of the pairs; a rule is loosened to stay within.",
    )
    margin: Band | None = Field(
        None,
        description="Least and most distance between the judges' scores of chosen and sample. With it, a low score is enough to reject a sample; without it, a rule must name its defect.",
    )
    choose: Literal["scores", "knockout", "all_pairs"] = Field(
        "scores",
        description="How the best of several accepted candidates is found: by the judges' scores, or by 'comparison', each against the leader or each against each. A human rewrite that the judges accept is always taken.",
        exclude_if=lambda choose: choose == "scores",
    )
    verify: Literal["rules", "judge"] = Field(
        "rules",
        description="What proves a rejected text worse: its maker's own rules, or also 'comparison', which must prefer the chosen text over both orders.",
        exclude_if=lambda verify: verify == "rules",
    )


def find_unserved(pairing: PairingConfig, comparison: Comparer | None, judges: Sequence[Judge]) -> list[str]:
    """What ``pairing`` asks for and the judges of the build file cannot give, one problem each."""
    return [*_uncompared(pairing, comparison), *_unscored(pairing, judges)]


def _uncompared(pairing: PairingConfig, comparison: Comparer | None) -> Iterator[str]:
    for key, value, plain in (("choose", pairing.choose, "scores"), ("verify", pairing.verify, "rules")):
        if value != plain and comparison is None:
            yield f"pairing.{key}: {value} needs 'comparison: {{use: pairwise, endpoint: NAME}}' beside 'judges'"


def _unscored(pairing: PairingConfig, judges: Sequence[Judge]) -> Iterator[str]:
    if pairing.margin is not None:
        for at, judge in enumerate(judges):
            if isinstance(judge, EarlyStopper) and judge.early_stop:
                yield (
                    f"judges.{at}.early_stop: pairing.margin compares the scores of refused samples, and a judge that stops "
                    "early gives them none: set it to false"
                )
