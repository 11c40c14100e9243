"""What ``pairwright calibrate`` measures of a judge, and how a build file makes use of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from pairwright.core.components import Configured, Judge
from pairwright.core.config.build_file import BuildConfig, EndpointConfig
from pairwright.core.config.component_references import named_endpoints
from pairwright.core.errors import ConfigError
from pairwright.core.identity import Row, content_id
from pairwright.core.pages.cells import NOTHING


class Figure(Row):
    """A measured share or coefficient with its 95 % interval; None where nothing could be measured."""

    value: float | None
    low: float | None
    high: float | None
    items: int


def format_figure(figure: Figure) -> str:
    """A figure with its interval."""
    if figure.value is None or figure.low is None or figure.high is None:
        return NOTHING
    return f"{figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]"


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
    prefers the longer text. ``failures`` are the items without a usable answer. ``models`` are those that it asks, by
    endpoint; ``settings`` names those of its settings that scores depend on.
    """

    judge: str
    models: Mapping[str, str]
    settings: str
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
        """What it is called in tables: its name, and its endpoints where it has some."""
        return f"{self.judge}@{'+'.join(self.models)}" if self.models else self.judge

    @property
    def caught_of_all(self) -> float | None:
        """The share of bad texts refused, whatever their defect; None where there was none."""
        found = [figure for figure in self.caught.values() if figure.value is not None]
        total = sum(figure.items for figure in found)
        return sum((figure.value or 0.0) * figure.items for figure in found) / total if total else None


class Calibration(Row):
    """A whole ``calibration.json``: what was judged, and every judge's figures."""

    gold: Mapping[str, int]
    seed: int
    judges: tuple[JudgeCalibration, ...]

    def of(self, component: Configured) -> JudgeCalibration | None:
        """The figures of a judge of a build file, None where it was not measured with these settings."""
        asked = (component.name, settings_of(component))
        return next((one for one in self.judges if (one.judge, one.settings) == asked), None)


def settings_of(component: Configured) -> str:
    """Names the settings that the scores of a judge depend on; what it does with a score is not among them."""
    return content_id([component.model_dump(mode="json", exclude={"threshold", "floor", "early_stop"})])


def models_of(component: Configured, config: BuildConfig) -> dict[str, str]:
    """The models that a judge asks, by endpoint; of weights on this machine the name of their file."""
    names = sorted({name for _, name in named_endpoints(component)})
    return {name: _model(config.endpoints[name]) for name in names}


def _model(endpoint: EndpointConfig) -> str:
    if endpoint.use == "openai":
        return endpoint.model or ""
    return Path(endpoint.model).name if endpoint.model else "the packaged weights"


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


def apply_calibration(config: BuildConfig) -> BuildConfig:
    """``config`` with the measured thresholds, where the build file names a calibration and no threshold of its own.

    Raises:
        ConfigError: the calibration cannot be read, or was made with other models or settings than there are now.
    """
    if config.calibration is None:
        return config
    found = read_calibration(Path(config.calibration))
    for component in (*config.judges, *([config.comparison] if config.comparison is not None else [])):
        _require_same(component, found, config)
    judges = [_with_threshold(judge, found.of(judge)) for judge in config.judges]
    return config.model_copy(update={"judges": tuple(judges)})


def _require_same(component: Configured, found: Calibration, config: BuildConfig) -> None:
    """A judge that was measured as another one, by model or by settings, would get a threshold of no meaning."""
    models = models_of(component, config)
    measured = [one for one in found.judges if one.judge == component.name and set(one.models) == set(models)]
    for one in measured:
        for name, model in one.models.items():
            if model != models[name]:
                raise ConfigError(
                    [f"calibration: {one.key} was measured with {model}, the endpoint has {models[name]}"],
                    "Run 'pairwright calibrate' again with this model.",
                )
    if measured and found.of(component) is None:
        raise ConfigError(
            [f"calibration: {measured[0].key} was measured with other settings than the build file has now"],
            "Run 'pairwright calibrate' again; answers that it already has are not asked again.",
        )


def _with_threshold(judge: Judge, one: JudgeCalibration | None) -> Judge:
    # A threshold in the build file wins. Judges that only pass or fail have none to set.
    stated = "threshold" in judge.model_fields_set or "threshold" not in judge.model_dump()
    if stated or one is None or one.threshold is None:
        return judge
    return judge.model_copy(update={"threshold": one.threshold.score})
