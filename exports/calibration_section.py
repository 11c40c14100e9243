"""What the judges of a build are worth, as ``pairwright calibrate`` measured it: for the card and for the report."""

from __future__ import annotations

from collections.abc import Iterator

from pairwright.core.calibration import Figure, JudgeCalibration, format_figure
from pairwright.core.components import Configured, ThresholdJudge
from pairwright.core.result import BuildResult
from pairwright.exports.markdown import table

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
_NOTHING = "–"


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
    yield from table(_HEADER, [_row(judge, found.of(judge)) for judge in judges])


def _row(judge: Configured, one: JudgeCalibration | None) -> tuple[object, ...]:
    used = judge.threshold if isinstance(judge, ThresholdJudge) else _NOTHING
    if one is None:
        return (judge.name, _NOTHING, "not measured", *[_NOTHING] * (len(_HEADER) - 4), used)
    chosen = one.threshold
    measured = (
        f"{chosen.score:.2f}: precision {chosen.precision:.2f}, keeps {chosen.recall:.0%}" if chosen else _NOTHING
    )
    return (
        one.judge,
        ", ".join(sorted(set(one.models.values()))) or _NOTHING,
        one.items,
        format_figure(one.kappa),
        _share(one.passed_good.value),
        _share(one.caught_of_all),
        *map(_value, (one.flip_rate, one.position_bias)),
        one.failures,
        measured,
        used,
    )


def _value(figure: Figure) -> str:
    return _share(figure.value)


def _share(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.2f}"
