"""What a run begins with: what was asked for, and the record of an earlier run in the same folder, if there is one."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from pairwright.core.errors import ConfigError
from pairwright.core.files.file_errors import storage_error
from pairwright.core.identity import content_id
from pairwright.core.records import Scalar, Split
from pairwright.training_recipes.checks.hardware import machine
from pairwright.training_recipes.recipes.build_facts import read_facts
from pairwright.training_recipes.recipes.recipe_files import Recipe
from pairwright.training_recipes.recipes.rendering import Stage
from pairwright.training_recipes.runs.checkpoints import last_checkpoint
from pairwright.training_recipes.runs.run_folder import claim_run
from pairwright.training_recipes.runs.run_record import (
    RUN,
    RunRecord,
    StageRecord,
    data_of,
    fingerprint,
    now,
    read_record,
    recipe_hash,
)
from pairwright.training_recipes.runs.stage_run import log_of, steps_of
from pairwright.training_recipes.runs.watchdog import Limits


class Wishes(NamedTuple):
    """What the person asked for beyond recipe and build."""

    overrides: Mapping[str, Scalar] = {}
    fresh: bool = False
    limits: Limits = Limits()
    held_out: tuple[Split, ...] = ("test",)


def opened(recipe: Recipe, stages: Sequence[Stage], build: Path, output: Path, wishes: Wishes) -> RunRecord:
    """The record to go on with: a new one, or that of the run that was interrupted here.

    Raises:
        ConfigError: the folder holds another run, or folders that no run made.
    """
    before = read_record(output) if not wishes.fresh else None
    if before is None:
        _require_record(stages, output, wishes.fresh)
    claim_run(output, stages)
    if before is None:
        _make_room(stages, output)
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
        versions=_versions(),
        machine=machine(),
        started=now(),
    )
    if before is None:
        return run
    kept = tuple(record for record in before.stages if _is_worth_keeping(record, output))
    _require_same(before.recipe, kept, stages, run.data_hash, output)
    return run.model_copy(update={"started": before.started, "stages": kept})


def _is_worth_keeping(record: StageRecord, output: Path) -> bool:
    """True when something would be lost: a stage that failed before its first checkpoint may change as it likes."""
    return record.status == "done" or last_checkpoint(output / record.output) is not None


def _versions() -> dict[str, str]:
    """Versions of this package and of Python; the trainers' are in their stages' facts."""
    return {"pairwright": version("pairwright"), "python": sys.version.split()[0]}


def _require_same(
    recipe: str, records: Sequence[StageRecord], stages: Sequence[Stage], data_hash: str, output: Path
) -> None:
    names = {stage.name: stage for stage in stages}
    for record in records:
        stage = names.get(record.name)
        if record.kind == "evaluate":
            continue
        if stage is None or fingerprint(stage, data_hash) != record.fingerprint:
            raise ConfigError(
                [f"{output}: holds a run of other settings or other data ({recipe}, stage {record.name})"],
                "Give another --output, or --fresh to remove that run and begin again.",
            )


def _require_record(stages: Sequence[Stage], output: Path, fresh: bool) -> None:
    there = [stage.output for stage in stages if stage.output.exists()]
    if there and not (fresh and (output / RUN).exists()):
        raise ConfigError(
            [f"{path}: exists already, and {output} holds no record of a run" for path in there],
            "Give another --output; nothing was removed.",
        )


def _make_room(stages: Sequence[Stage], output: Path) -> None:
    """Remove what an earlier run of these stages left."""
    try:
        for stage in stages:
            if stage.output.exists():
                shutil.rmtree(stage.output)
        for stage in stages:
            log_of(stage).unlink(missing_ok=True)
            steps_of(stage).unlink(missing_ok=True)
        (output / RUN).unlink(missing_ok=True)
    except OSError as exc:
        raise storage_error(exc, output) from exc
