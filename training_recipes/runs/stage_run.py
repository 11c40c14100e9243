"""Runs one stage of a recipe: skipped when done, resumed from a checkpoint, recorded."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from pairwright.core.errors import StorageError
from pairwright.core.files.file_errors import storage_error
from pairwright.training_recipes.checks.hardware import this_device
from pairwright.training_recipes.recipes.filling import ROWS
from pairwright.training_recipes.recipes.rendering import Stage
from pairwright.training_recipes.runs.checkpoints import last_checkpoint, remove_broken, step_of
from pairwright.training_recipes.runs.display import Display, clock
from pairwright.training_recipes.runs.run_record import RunRecord, StageRecord, fingerprint, now, write_record
from pairwright.training_recipes.runs.run_systems import PREFERENCE
from pairwright.training_recipes.runs.stage_job import StageJob
from pairwright.training_recipes.runs.stage_process import run_job
from pairwright.training_recipes.runs.step_log import StepLog
from pairwright.training_recipes.runs.watchdog import Limits, WatchSettings, drift_of


def remove_pieces(run: RunRecord, stages: Sequence[Stage]) -> None:
    """Remove the checkpoints that a dead trainer left in pieces; first of all, as they may be what filled the disk.

    Raises:
        StorageError: one cannot be removed.
    """
    for stage in (stage for stage in stages if not _is_done(run, stage)):
        try:
            remove_broken(stage.output)
        except OSError as exc:
            raise storage_error(exc, stage.output) from exc


def run_stage(run: RunRecord, stage: Stage, output: Path, limits: Limits, show: Display) -> RunRecord:
    """Run one stage unless it is done, and write down how it went.

    Raises:
        TrainingError: it failed; the same call goes on from its last checkpoint.
    """
    before = run.stage(stage.name)
    if _is_done(run, stage):
        show.say(f"{stage.name}: done before")
        return run
    checkpoint = last_checkpoint(stage.output) if before else None
    if checkpoint is None and stage.kind != "evaluate":  # answers that are there need not be generated again
        _clear(stage)
    record = _begun(stage, run, output, before, checkpoint)
    run = run.with_stage(record)
    write_record(run, output)
    show.begin(stage.name)
    if checkpoint:
        show.say(f"{stage.name}: goes on from {checkpoint.name}")
    began = time.monotonic()
    watch = watch_settings(stage, limits)
    log = run_job(_job(stage, checkpoint, watch), stage.name, log_of(stage), _gpus(stage), show.tell)
    show.say(f"{stage.name}: done in {clock(time.monotonic() - began)}, {log_of(stage)}")
    run = run.with_stage(_finished(record, log, watch, time.monotonic() - began))
    write_record(run, output)
    return run


def _is_done(run: RunRecord, stage: Stage) -> bool:
    before = run.stage(stage.name)
    return before is not None and before.status == "done" and before.fingerprint == fingerprint(stage, run.data_hash)


def _begun(
    stage: Stage, run: RunRecord, output: Path, before: StageRecord | None, checkpoint: Path | None
) -> StageRecord:
    earlier = before.resumed if before else ()
    return StageRecord(
        name=stage.name,
        trainer=stage.trainer,
        kind=stage.kind,
        fingerprint=fingerprint(stage, run.data_hash),
        status="running",
        settings=stage.settings,
        output=stage.output.relative_to(output.resolve()).as_posix(),
        log=log_of(stage).name,
        started=now(),
        resumed=(*earlier, step_of(checkpoint)) if checkpoint else earlier,
    )


def _gpus(stage: Stage) -> int:
    """How many GPUs train the stage."""
    alone = stage.kind not in ROWS or stage.settings.get("use_cpu")
    return 0 if alone else this_device().gpus


def _clear(stage: Stage) -> None:
    """Nothing of an earlier try may be there: LlamaFactory refuses, TRL mixes."""
    shutil.rmtree(stage.output, ignore_errors=True)
    if stage.output.exists():
        raise StorageError(f"{stage.output}: cannot be removed", "Remove it, then run the same command again.")
    steps_of(stage).unlink(missing_ok=True)


def _job(stage: Stage, checkpoint: Path | None, watch: WatchSettings | None) -> StageJob:
    settings = dict(stage.settings)
    if checkpoint:
        settings["resume_from_checkpoint"] = str(checkpoint)
    return StageJob(
        parent=os.getpid(),
        trainer=stage.trainer,
        kind=stage.kind,
        settings=settings,
        steps=str(steps_of(stage)),
        watch=watch,
    )


def watch_settings(stage: Stage, limits: Limits) -> WatchSettings | None:
    """What to watch for in a preference stage; None for others."""
    if stage.kind not in PREFERENCE:
        return None
    beta = stage.settings.get("pref_beta" if stage.trainer == "llamafactory" else "beta", 0.1)
    return WatchSettings(
        beta=None if stage.kind in ("simpo", "orpo") else float(beta), fall=limits.fall, stop=limits.stop
    )


def _finished(record: StageRecord, log: StepLog, watch: WatchSettings | None, seconds: float) -> StageRecord:
    evaluated = log.evaluations[max(log.evaluations)] if log.evaluations else {}
    return record.model_copy(
        update={
            "status": "done",
            "seconds": round(seconds, 1),
            "steps": log.steps,
            "metrics": {**log.latest, **evaluated, **log.summary},
            "drift": drift_of(log.logs, watch) if watch else None,
            "notes": tuple(log.notes),
            "facts": log.facts,
        }
    )


def log_of(stage: Stage) -> Path:
    """What the stage's process prints."""
    return stage.output.with_name(f"{stage.name}.log")


def steps_of(stage: Stage) -> Path:
    """The stage's step log."""
    return stage.output.with_name(f"{stage.name}.steps.jsonl")
