"""What ``pairwright calibrate`` measures of a judge, and how a build file makes use of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from pairwright.core.config import BuildConfig
from pairwright.core.errors import ConfigError
from pairwright.core.records import Row


class Figure(Row):
    """A measured share or coefficient with its 95 % interval; None where nothing could be measured."""

    value: float | None
    low: float | None
    high: float | None
    items: int


class Threshold(Row):
    """The smallest score that gives the wanted precision when good and bad texts are equally many, and what it costs."""

    wanted: float
    score: float
    precision: float
    recall: float


class Bin(Row):
    """One point of the reliability curve: mean score, share of good texts (both kinds weigh the same), items."""

    score: float
    good: float
    items: int


class JudgeCalibration(Row):
    """One judge against gold.

    ``kappa`` is Cohen's, between verdict and gold. ``passed_good`` is the share of good texts that pass (of a pairwise
    judge: of pairs whose better text wins), ``caught`` by defect the share of bad texts refused. ``position_bias`` is 0
    without and 1 for a judge that always names one place. ``length_bias`` is how much more often than gold the judge
    prefers the longer text. ``failures`` are the items without a usable answer.
    """

    judge: str
    endpoint: str | None
    model: str | None
    kind: Literal["pointwise", "pairwise"]
    items: int
    kappa: Figure
    passed_good: Figure
    caught: Mapping[str, Figure]
    flip_rate: Figure
    tie_rate: Figure
    position_bias: Figure
    length_bias: Figure
    failures: int
    requests: int
    tokens: int
    cost: float
    threshold: Threshold | None = None
    reliability: tuple[Bin, ...] = ()

    @property
    def key(self) -> str:
        """What tells it from other judges of a build: its name, and its endpoint where it has one."""
        return f"{self.judge}@{self.endpoint}" if self.endpoint else self.judge


class Calibration(Row):
    """A whole ``calibration.json``: what was judged, and every judge's figures."""

    gold: Mapping[str, int]
    seed: int
    judges: tuple[JudgeCalibration, ...]


def read_calibration(path: Path) -> Calibration:
    """Read a ``calibration.json``.

    Raises:
        ConfigError: it cannot be read, or is none.
    """
    try:
        return Calibration.model_validate_json(path.read_bytes())
    except OSError as exc:
        raise ConfigError(
            [f"calibration: {path}: {exc.strerror}"], "'pairwright calibrate' writes one; name its path."
        ) from None
    except ValidationError:
        raise ConfigError(
            [f"calibration: {path}: not a calibration.json of this version"], "Run 'pairwright calibrate' again."
        ) from None


def calibrated(config: BuildConfig) -> BuildConfig:
    """``config`` with the measured thresholds, where the build file names a calibration and no threshold of its own.

    Raises:
        ConfigError: the calibration cannot be read, or was made with another model than the endpoint has now.
    """
    if config.calibration is None:
        return config
    found = {one.key: one for one in read_calibration(Path(config.calibration)).judges}
    judges = []
    for judge in config.judges:
        settings = judge.model_dump()
        endpoint = str(settings.get("endpoint", ""))
        one = found.get(f"{judge.name}@{endpoint}")
        if one is None or one.threshold is None or "threshold" not in settings:
            judges.append(judge)
            continue
        if one.model != config.endpoints[endpoint].model:
            raise ConfigError(
                [
                    f"calibration: {one.key} was measured with {one.model}, the endpoint has {config.endpoints[endpoint].model}"
                ],
                "Run 'pairwright calibrate' again with this model.",
            )
        stated = "threshold" in judge.model_fields_set
        judges.append(judge if stated else judge.model_copy(update={"threshold": one.threshold.score}))
    return config.model_copy(update={"judges": tuple(judges)})
