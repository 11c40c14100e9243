"""A small grid of settings, each trained in a folder of its own and judged on the validation split.

Stages that no swept key touches are trained once and shared: a grid over DPO's keys trains its SFT model one time. The
test split is not looked at. The point with the best figure is named with everything that it could not be told from: on
few validation rows most differences are noise.
"""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pairwright.core.errors import ConfigError
from pairwright.core.files.owned_folder import begin_files, end_files
from pairwright.core.files.storage import lock_folder, write_json
from pairwright.core.identity import Row
from pairwright.core.records import Scalar, Split
from pairwright.evaluation.evaluation import SetResult
from pairwright.evaluation.gold_rows import GoldSet, count_of_build
from pairwright.evaluation.predictions import System
from pairwright.evaluation.rewrite_evaluation import evaluate
from pairwright.training_recipes.outcomes.held_out_table import SHOWN, difference, interval
from pairwright.training_recipes.outcomes.run_outcome import answers_of, signals_of
from pairwright.training_recipes.recipes.filling import ROWS
from pairwright.training_recipes.recipes.recipe_files import Recipe
from pairwright.training_recipes.recipes.rendering import Stage
from pairwright.training_recipes.runs.display import Display
from pairwright.training_recipes.runs.opening import Wishes
from pairwright.training_recipes.runs.run_record import RunRecord
from pairwright.training_recipes.runs.run_systems import systems_of
from pairwright.training_recipes.train import checked, run_stages

PRIMARY = ("restoration_f1", "exact_match_normalised", "rouge_l")
"""What points are ranked by: the first of these that the rows allow to be measured."""

EXAMPLE = "For example: --sweep 'dpo.learning_rate=1e-6,5e-6 dpo.pref_beta=0.1,0.3'"
SHARED = "shared"
SPLITS: tuple[Split, ...] = ("validation",)
Values = Mapping[str, Scalar]


class Point(Row):
    """One point of the grid and how it did. Figures are (value, low, high) by metric.

    ``behind`` is its paired difference from the best point (value, low, high), absent for the best itself;
    ``noise`` says that this interval holds zero.
    """

    name: str
    values: Values
    system: str
    figures: Mapping[str, tuple[float | None, float | None, float | None]]
    accuracy: float | None
    drift: float | None
    behind: tuple[float, float, float] | None = None
    noise: bool = False


class Sweep(Row):
    """What a sweep found. ``before`` are the figures of the model that the swept stage started from."""

    recipe: str
    build: str
    data_hash: str
    split: str
    rows: int
    primary: str
    before: Mapping[str, tuple[float | None, float | None, float | None]]
    points: tuple[Point, ...]
    best: str
    verdict: str


class _Ran(NamedTuple):
    name: str
    values: Values
    run: RunRecord
    stages: tuple[Stage, ...]
    system: System
    gold: GoldSet


def grid(texts: Sequence[str], read: Callable[[str], Scalar]) -> tuple[Values, ...]:
    """All combinations of ``key=value,value`` words, the last key changing fastest. ``read`` makes a value of its text.

    Raises:
        ConfigError: a word is no ``key=values``, a key stands twice, or there is only one point.
    """
    axes: dict[str, list[Scalar]] = {}
    key = ""
    for word in re.split(r"[\s,]+", " ".join(texts).strip(" ,")):
        name, equals, value = word.partition("=")
        if equals:
            key = name
        if not key or not (value or not equals) or (equals and key in axes):
            raise ConfigError([f"--sweep {word}: expected KEY=VALUE,VALUE, each key once"], EXAMPLE)
        axes.setdefault(key, []).append(read(value if equals else word))
    points = tuple(dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values()))
    if len(points) < 2:
        raise ConfigError(["--sweep: only one point"], EXAMPLE)
    return points


def sweep(recipe: Recipe, build: Path, output: Path, points: Sequence[Values], wishes: Wishes, show: Display) -> Sweep:
    """Train every point, judge all on the validation split, write ``sweep.json``; run again to go on.

    Raises:
        ConfigError: a point is wrong on this build or machine, before anything is trained; or no validation rows.
        StorageError: ``sweep.json`` is there, and is no sweep's or was edited.
        TrainingError: a stage failed.
    """
    if not count_of_build(build, SPLITS):
        raise ConfigError([f"{build}: no validation rows to judge by"], "Set split.validation in the build file.")
    named = {name_of(values): values for values in points}
    stages = {
        name: checked(recipe, build, output / name, {**wishes.overrides, **values}) for name, values in named.items()
    }
    base = checked(recipe, build, output / SHARED, wishes.overrides)
    count = shared_stages(base, output / SHARED, {name: (output / name, found) for name, found in stages.items()})
    with lock_folder(output, "sweep"):
        begin_files(output, "sweep", ["sweep.json"], _is_sweep)
        before = _shared(recipe, base, count, build, output / SHARED, wishes, show)
        ran = []
        for at, (name, found) in enumerate(stages.items(), start=1):
            show.say(f"point {at} of {len(stages)}: {name}")
            own = _own_stages(found, count, output / name, output / SHARED)
            ran.append(_point(recipe, name, named[name], own, build, output / name, wishes, show))
        result = _judged(recipe, before, ran)
        write_json(output / "sweep.json", result.model_dump(mode="json"))
        end_files(output, "sweep")
    return result


def _is_sweep(output: Path) -> bool:
    try:
        Sweep.model_validate_json((output / "sweep.json").read_bytes())
    except (OSError, ValueError):
        return False
    return True


def name_of(values: Values) -> str:
    """A point as a folder's name."""
    return "_".join(f"{key}={value}" for key, value in values.items()).replace("/", "-")


def shared_stages(base: Sequence[Stage], folder: Path, points: Mapping[str, tuple[Path, Sequence[Stage]]]) -> int:
    """How many of the first stages are the same at every point, but for the folder; the last training never counts.

    Raises:
        ConfigError: the swept keys change nothing at all.
    """
    placed = [[_moved(stage.settings, place, folder) for stage in stages] for place, stages in points.values()]
    work = [stage for stage in base if stage.kind != "evaluate"]
    same = [all(one[at] == stage.settings for one in placed) for at, stage in enumerate(work)]
    trainings = [at for at, stage in enumerate(work) if stage.kind in ROWS]
    if all(same):
        raise ConfigError(["--sweep: these keys change nothing in the recipe"], EXAMPLE)
    count = len(list(itertools.takewhile(bool, same)))
    return min(count, trainings[-1])


def _moved(settings: Mapping[str, Any], here: Path, there: Path) -> dict[str, Any]:
    """Settings with folders below ``here`` named below ``there``."""
    return {key: _with(value, str(here.resolve()), str(there.resolve())) for key, value in settings.items()}


def _with(value: Any, here: str, there: str) -> Any:
    if isinstance(value, str):
        return value.replace(f"{here}/", f"{there}/")
    if isinstance(value, dict):
        return {key: _with(inner, here, there) for key, inner in value.items()}
    return value


def _own_stages(stages: Sequence[Stage], count: int, folder: Path, shared: Path) -> tuple[Stage, ...]:
    """The stages that a point runs itself, on what the shared ones made."""
    here, there = folder.resolve(), shared.resolve()

    def joined(settings: Mapping[str, Any]) -> dict[str, Any]:
        for stage in stages[:count]:
            settings = {
                key: _exactly(value, f"{here}/{stage.name}", f"{there}/{stage.name}") for key, value in settings.items()
            }
        return dict(settings)

    return tuple(stage._replace(settings=joined(stage.settings)) for stage in stages[count:])


def _exactly(value: Any, here: str, there: str) -> Any:
    """Replace one folder, also among others joined by ``+`` or ``,``, but not a folder whose name begins the same."""
    if isinstance(value, dict):
        return {key: _exactly(inner, here, there) for key, inner in value.items()}
    if not isinstance(value, str):
        return value
    # As a function, because backslashes of a path would mean something in a replacement.
    return re.sub(rf"{re.escape(here)}(?=$|[+,/])", lambda _: there, value)


def _shared(
    recipe: Recipe, base: Sequence[Stage], count: int, build: Path, folder: Path, wishes: Wishes, show: Display
) -> tuple[GoldSet, System]:
    """Train what all points share; the answers of the model that they start from."""
    run = run_stages(recipe, base[:count], build, folder, wishes, show)
    _, gold, (found,) = answers_of(run, base, _start(base, count), build, folder, SPLITS, show)
    return gold, found


def _start(base: Sequence[Stage], count: int) -> dict[str, str]:
    """The best model that is there before the points are trained: the last one that none of their stages makes."""
    own = [str(stage.output) for stage in base[count:]]
    found = {name: system for name, system in systems_of(base).items() if not any(one in system for one in own)}
    name = list(found)[-1] if found else "base"
    return {name: found.get(name, f"hf:{base[0].settings['model_name_or_path']}")}


def _point(
    recipe: Recipe,
    name: str,
    values: Values,
    stages: tuple[Stage, ...],
    build: Path,
    folder: Path,
    wishes: Wishes,
    show: Display,
) -> _Ran:
    mine = wishes._replace(overrides={**wishes.overrides, **values})
    run = run_stages(recipe, stages, build, folder, mine, show)
    *_, system = systems_of(stages).values()
    run, gold, (found,) = answers_of(run, stages, {name: system}, build, folder, SPLITS, show)
    shutil.rmtree(folder / "cache", ignore_errors=True)
    return _Ran(name, values, run, stages, found, gold)


def _judged(recipe: Recipe, before: tuple[GoldSet, System], ran: Sequence[_Ran]) -> Sweep:
    gold, start = before
    systems = [start, *(one.system for one in ran)]
    first = evaluate([(gold, systems)], start.name).results[0]
    primary = next(name for name in PRIMARY if (one := first.figure(start.name, name)) and one.value is not None)
    best = max(ran, key=lambda one: _rank(first, one.name, primary))
    result = evaluate([(gold, systems)], best.name).results[0]
    points = tuple(_as_point(one, result, primary, best.name) for one in ran)
    return Sweep(
        recipe=recipe.name,
        build=ran[0].run.build,
        data_hash=ran[0].run.data_hash,
        split=" and ".join(SPLITS),
        rows=result.rows,
        primary=primary,
        before=_figures(result, start.name),
        points=points,
        best=best.name,
        verdict=_verdict(result, points, best.name, start.name, primary),
    )


def _rank(result: SetResult, name: str, primary: str) -> tuple[float, ...]:
    figures = [result.figure(name, metric) for metric in dict.fromkeys((primary, *PRIMARY))]
    return tuple(one.value if one and one.value is not None else -1.0 for one in figures)


def _as_point(one: _Ran, result: SetResult, primary: str, best: str) -> Point:
    trained = [stage for stage in one.stages if stage.kind in ROWS]
    signals = signals_of(one.run, trained[-1])
    behind = _behind(result, one.name, best, primary)
    return Point(
        name=one.name,
        values=one.values,
        system=list(systems_of(one.stages).values())[-1],
        figures=_figures(result, one.name),
        accuracy=signals.accuracy,
        drift=signals.drift.nats if signals.drift else None,
        behind=behind,
        noise=behind is not None and behind[1] <= 0 <= behind[2],
    )


def _behind(result: SetResult, name: str, best: str, primary: str) -> tuple[float, float, float] | None:
    gap = difference(result, primary, best, name)
    if gap is None or gap.value is None or gap.low is None or gap.high is None:
        return None
    return gap.value, gap.low, gap.high


def _figures(result: SetResult, name: str) -> dict[str, tuple[float | None, float | None, float | None]]:
    found = {metric: result.figure(name, metric) for metric in SHOWN}
    return {metric: (one.value, one.low, one.high) for metric, one in found.items() if one}


def _verdict(result: SetResult, points: Sequence[Point], best: str, start: str, primary: str) -> str:
    noise = [point.name for point in points if point.noise]
    value, low, high = next(point.figures[primary] for point in points if point.name == best)
    said = f"Best on {result.rows} validation rows: {best}, {primary} {interval(value, low, high)}."
    if len(noise) == len(points) - 1:
        said += " No other point can be told from it: all differences are within noise."
    elif noise:
        said += f" Within noise of it: {', '.join(noise)}."
    else:
        said += " Every other point is shown to be worse."
    over = _behind(result, start, best, primary)
    if over and over[1] <= 0 <= over[2]:
        said += f" It is not shown to be better than {start}, which it started from."
    elif over:
        said += f" {start}, which it started from, differs by {interval(*over)}."
    return said
