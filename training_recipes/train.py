"""Runs a recipe on a build: check, train stage by stage, evaluate, judge, record. Read this file first: it is the flow.

Every stage is a process of its own. What is finished is never done again: a run that was stopped or killed goes on from
its last whole checkpoint when the same command is given again. ``run.json`` is written after every stage.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pairwright.core.errors import ConfigError
from pairwright.core.records import Scalar, content_id
from pairwright.core.storage import locked, storage_error
from pairwright.training_recipes import render
from pairwright.training_recipes.check import check
from pairwright.training_recipes.display import Display
from pairwright.training_recipes.facts import read_facts
from pairwright.training_recipes.hardware import machine, this_device
from pairwright.training_recipes.recipes import Recipe
from pairwright.training_recipes.record import (
    RunRecord,
    data_of,
    fingerprint,
    now,
    read_record,
    recipe_hash,
    write_record,
)
from pairwright.training_recipes.render import Stage
from pairwright.training_recipes.stage_run import log_of, run_stage, steps_of
from pairwright.training_recipes.watchdog import Limits


class Wishes(NamedTuple):
    """What the person asked for beyond recipe and build."""

    overrides: Mapping[str, Scalar] = {}
    fresh: bool = False
    limits: Limits = Limits()


def train(recipe: Recipe, build: Path, output: Path, wishes: Wishes, show: Display) -> RunRecord:
    """Run ``recipe`` on the build in a folder; everything it makes is below ``output``.

    Raises:
        ConfigError: the recipe does not fit the build or this machine; all problems at once.
        TrainingError: a stage failed; the same command goes on where it was.
        StorageError: another run is in ``output``, or the disk is full.
    """
    stages = render.render(recipe, build, output, wishes.overrides)
    wrong = [str(problem) for problem in check(stages, build, this_device()) if not problem.warning]
    if wrong:
        raise ConfigError(
            wrong, "Nothing was started. Change keys with --set KEY=VALUE, or copy the recipe and edit it."
        )
    with locked(output, "run"):
        run = _opened(recipe, stages, build, output, wishes)
        render.write(stages)
        for stage in stages:
            if stage.kind != "evaluate":
                run = run_stage(run, stage, output, wishes.limits, show)
        run = run.model_copy(update={"finished": now()})
        write_record(run, output)
        shutil.rmtree(output / "cache", ignore_errors=True)
    return run


def _opened(recipe: Recipe, stages: Sequence[Stage], build: Path, output: Path, wishes: Wishes) -> RunRecord:
    """The record to go on with: a new one, or that of the run that was interrupted here."""
    if wishes.fresh:
        _remove_run(stages, output)
    facts = read_facts(build)
    data = data_of(facts, sorted({stage.trainer for stage in stages}))
    run = RunRecord(
        recipe=recipe.name,
        recipe_hash=recipe_hash(recipe),
        build=facts.name,
        build_id=facts.build,
        data_hash=content_id(data),
        data=data,
        prompt_hashes={name: digest for name, digest in facts.prompt_hashes.items() if name.startswith("student.")},
        overrides=wishes.overrides,
        command=tuple(sys.argv),
        versions=versions(),
        machine=machine(),
        started=now(),
    )
    before = read_record(output)
    if before is None:
        return run
    _require_same(before, stages, run.data_hash, output)
    return run.model_copy(update={"started": before.started, "stages": before.stages})


def versions() -> dict[str, str]:
    """Versions of this package and of Python; the trainers' are in their stages' facts."""
    from importlib.metadata import version

    return {"pairwright": version("pairwright"), "python": sys.version.split()[0]}


def _require_same(before: RunRecord, stages: Sequence[Stage], data_hash: str, output: Path) -> None:
    names = {stage.name: stage for stage in stages}
    for record in before.stages:
        stage = names.get(record.name)
        if stage is None or fingerprint(stage, data_hash) != record.fingerprint:
            raise ConfigError(
                [f"{output}: holds a run of other settings or other data ({before.recipe}, stage {record.name})"],
                "Give another --output, or --fresh to remove that run and begin again.",
            )


def _remove_run(stages: Sequence[Stage], output: Path) -> None:
    """Remove what a run of these stages leaves; other files stay."""
    try:
        for stage in stages:
            shutil.rmtree(stage.output, ignore_errors=True)
            for path in (log_of(stage), steps_of(stage)):
                path.unlink(missing_ok=True)
        (output / "run.json").unlink(missing_ok=True)
    except OSError as exc:
        raise storage_error(exc, output) from exc
