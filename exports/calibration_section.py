"""What the judges of a build are worth, as ``pairwright calibrate`` measured it: for the card and for the report."""

from __future__ import annotations

from collections.abc import Iterator

from pairwright.core.calibration import JudgeCalibration, format_figure
from pairwright.core.components import Configured, ThresholdJudge
from pairwright.core.pages.cells import NOTHING, format_value
from pairwright.core.pages.markdown import markdown_table
from pairwright.core.result import BuildResult

_HEADER = (
    "judge",
    "model",
    "texts",
    "κ (95 %)",
    "good kept",
    "bad caught",
    "flips",
    "position bias",
    "no answer",
    "threshold measured",
    "threshold used",
)


def calibration_section(build: BuildResult) -> Iterator[str]:
    """The figures of every judge; nothing where the build file names no calibration."""
    found = build.calibration()
    if found is None:
        return
    gold = {"en": "English", "zh": "Chinese", "good": "good", "bad": "bad"}
    counted = {told: f"{found.gold.get(name, 0):,}" for name, told in gold.items()}
    yield (
        f"Before the build its judges were shown {counted['good']} good and {counted['bad']} bad texts whose worth is known "
        f"({counted['English']} English, {counted['Chinese']} Chinese). κ is Cohen's, between verdict and truth, with its 95 % "
        "interval: 0 is chance, 1 is full agreement. Flips are pairwise verdicts that change with the order; a position bias "
        "of 1 names the same place whatever stands there."
    )
    yield ""
    judges = [*build.config.judges, *([build.config.comparison] if build.config.comparison is not None else [])]
    yield from markdown_table([_HEADER, *(_row(judge, found.of(judge)) for judge in judges)])


def _row(judge: Configured, one: JudgeCalibration | None) -> tuple[object, ...]:
    used = judge.threshold if isinstance(judge, ThresholdJudge) else NOTHING
    if one is None:
        return (judge.name, NOTHING, "not measured", *[NOTHING] * (len(_HEADER) - 4), used)
    chosen = one.threshold
    measured = f"{chosen.score:.2f}: precision {chosen.precision:.2f}, keeps {chosen.recall:.0%}" if chosen else NOTHING
    return (
        one.judge,
        ", ".join(sorted(set(one.models.values()))) or NOTHING,
        one.items,
        format_figure(one.kappa),
        *map(format_value, (one.passed_good.value, one.caught_of_all, one.flip_rate.value, one.position_bias.value)),
        one.failures,
        measured,
        used,
    )
