"""Runs a recipe on a build: check, train stage by stage, evaluate, judge, record. Read this file first: it is the flow.

Every stage is a process of its own. What is finished is never done again: a run that was stopped or killed goes on from
its last whole checkpoint when the same command is given again. ``run.json`` is written after every stage.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from pairwright.core.errors import ConfigError
from pairwright.core.files.storage import lock_folder
from pairwright.core.records import Scalar
from pairwright.training_recipes.checks.hardware import this_device
from pairwright.training_recipes.checks.run_check import check
from pairwright.training_recipes.checks.run_settings import missing_packages
from pairwright.training_recipes.outcomes.run_outcome import FOLDER, judge_run
from pairwright.training_recipes.recipes import rendering
from pairwright.training_recipes.recipes.filling import ROWS
from pairwright.training_recipes.recipes.recipe_files import Recipe
from pairwright.training_recipes.recipes.rendering import Stage
from pairwright.training_recipes.runs.display import Display
from pairwright.training_recipes.runs.opening import Wishes, opened
from pairwright.training_recipes.runs.run_record import (
    RunRecord,
    now,
    write_record,
)
from pairwright.training_recipes.runs.stage_run import remove_pieces, run_stage, steps_of
from pairwright.training_recipes.runs.step_log import read_steps


def train(recipe: Recipe, build: Path, output: Path, wishes: Wishes, show: Display) -> RunRecord:
    """Run ``recipe`` on the build in a folder; everything it makes is below ``output``.

    Raises:
        ConfigError: the recipe does not fit the build or this machine; all problems at once.
        TrainingError: a stage failed; the same command goes on where it was.
        StorageError: another run is in ``output``, or the disk is full.
    """
    stages = checked(recipe, build, output, wishes.overrides)
    with lock_folder(output, "run"):
        run = run_stages(recipe, stages, build, output, wishes, show)
        run = judge_run(run, stages, build, output, wishes.held_out, show)
        run = run.model_copy(update={"pictures": pictures_of(run, stages, output), "finished": now()})
        write_record(run, output)
        shutil.rmtree(output / "cache", ignore_errors=True)
    return run


def checked(recipe: Recipe, build: Path, output: Path, overrides: Mapping[str, Scalar]) -> tuple[Stage, ...]:
    """The stages of a run, on this machine.

    Raises:
        ConfigError: everything that is wrong with them.
    """
    stages = rendering.render(recipe, build, output, overrides)
    found = [*missing_packages(stages), *check(stages, build, this_device())]
    if wrong := [str(problem) for problem in found if not problem.warning]:
        raise ConfigError(
            wrong, "Nothing was started. Change keys with --set KEY=VALUE, or copy the recipe and edit it."
        )
    return stages


def run_stages(
    recipe: Recipe, stages: Sequence[Stage], build: Path, output: Path, wishes: Wishes, show: Display
) -> RunRecord:
    """Train and merge: every stage that is not done yet, in order."""
    run = opened(recipe, stages, build, output, wishes)
    remove_pieces(run, stages)
    rendering.write(stages)
    for stage in stages:
        if stage.kind != "evaluate":
            run = run_stage(run, stage, output, wishes.limits, show)
    return run


def pictures_of(run: RunRecord, stages: Sequence[Stage], output: Path) -> tuple[str, ...]:
    """Draw every training of the run, and its models side by side; the names of the files below ``output``."""
    from pairwright.evaluation.evaluation import Evaluation
    from pairwright.training_recipes.outcomes.pictures import draw_heldout, draw_training

    drawn = []
    for stage in stages:
        path = output / f"{stage.name}.png"
        if stage.kind in ROWS and draw_training(read_steps(steps_of(stage)), f"{run.recipe}: {stage.name}", path):
            drawn.append(path.name)
    if run.held_out:
        found = Evaluation.model_validate_json((output / FOLDER / "evaluation.json").read_bytes())
        draw_heldout(found.results[0], found.metrics, output / "heldout.png")
        drawn.append("heldout.png")
    return tuple(drawn)
