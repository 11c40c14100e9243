"""The end of a run: its models on held-out rows, the table, and which one to use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pairwright.core.files.storage import atomic_writer
from pairwright.core.pages.markdown import markdown_table
from pairwright.core.records import Split
from pairwright.evaluation.evaluation import Evaluation, SetResult
from pairwright.evaluation.gold_rows import GoldSet, count_of_build
from pairwright.evaluation.predictions import System
from pairwright.evaluation.reports.evaluation_report import write_report
from pairwright.evaluation.rewrite_evaluation import evaluate
from pairwright.training_recipes.outcomes.held_out_table import SHOWN, held_out_table
from pairwright.training_recipes.recipes.filling import ROWS
from pairwright.training_recipes.recipes.rendering import Stage
from pairwright.training_recipes.runs.display import Display
from pairwright.training_recipes.runs.guard import HIGH_ACCURACY, Signals, judge_training
from pairwright.training_recipes.runs.held_out import HeldOutJob, answered
from pairwright.training_recipes.runs.run_record import HeldOutRecord, RunRecord
from pairwright.training_recipes.runs.run_systems import systems_of
from pairwright.training_recipes.runs.stage_run import run_stage, steps_of
from pairwright.training_recipes.runs.step_log import read_steps
from pairwright.training_recipes.runs.watchdog import ACCURACY, SMOOTHED, Limits

FOLDER = "evaluate"


def judge_run(
    run: RunRecord, stages: Sequence[Stage], build: Path, output: Path, splits: Sequence[Split], show: Display
) -> RunRecord:
    """The run with the held-out figures of its models and the verdict on its last training.

    Nothing is generated where no stage trains, ``splits`` is empty or the build has no rows to rewrite in them.

    Raises:
        TrainingError: a model cannot be loaded, or memory ran out.
    """
    trained = [stage for stage in stages if stage.kind in ROWS]
    if not trained:
        return run
    systems = systems_of(stages)
    *_, before, after = systems
    evaluation = None
    if splits and count_of_build(build, splits):
        run, evaluation = _evaluated(run, stages, systems, build, output, splits, show)
    result = evaluation.results[0] if evaluation else None
    notes = evaluation.metrics if evaluation else ()
    verdict = judge_training(result, notes, before, after, signals_of(run, trained[-1]))
    return run.model_copy(
        update={
            "held_out": _record(result, splits) if result else None,
            "verdict": verdict,
            "recommended": {verdict.recommended: systems[verdict.recommended]},
        }
    )


def _evaluated(
    run: RunRecord,
    stages: Sequence[Stage],
    systems: Mapping[str, str],
    build: Path,
    output: Path,
    splits: Sequence[Split],
    show: Display,
) -> tuple[RunRecord, Evaluation]:
    run, gold, found = answers_of(run, stages, systems, build, output, splits, show)
    *_, before, after = systems
    evaluation = evaluate([(gold, found)], before)
    write_report(evaluation, output / FOLDER)
    with atomic_writer(output / FOLDER / "heldout.md") as file:
        table = held_out_table(evaluation.results[0], evaluation.metrics, before, after)
        file.write("\n".join(markdown_table(list(table))) + "\n")
    return run, evaluation


def answers_of(
    run: RunRecord,
    stages: Sequence[Stage],
    systems: Mapping[str, str],
    build: Path,
    output: Path,
    splits: Sequence[Split],
    show: Display,
) -> tuple[RunRecord, GoldSet, list[System]]:
    """Let ``systems`` answer the rows of ``splits``; an evaluation stage of the recipe may set ``answer_tokens``.

    Raises:
        TrainingError: a model cannot be loaded, or memory ran out.
    """
    own: Mapping[str, object] = next((stage.settings for stage in stages if stage.kind == "evaluate"), {})
    folder = output.resolve() / FOLDER
    job = HeldOutJob.model_validate(
        {
            "test": str(build.resolve()),
            "systems": systems,
            "splits": tuple(splits),
            "answer_tokens": own.get("answer_tokens"),
            "folder": str(folder),
        }
    )
    stage = Stage(
        FOLDER, stages[-1].trainer, "evaluate", job.model_dump(mode="json"), folder.with_suffix(".yaml"), folder
    )
    run = run_stage(run, stage, output, Limits(), show)
    return run, *answered(job)


def signals_of(run: RunRecord, stage: Stage) -> Signals:
    """What the training of a stage looked like."""
    record = run.stage(stage.name)
    logs = read_steps(steps_of(stage)).logs
    seen = [(step, logs[step][ACCURACY]) for step in sorted(logs) if ACCURACY in logs[step]]
    early = next((step for step, _ in seen if _recent(seen, step) >= HIGH_ACCURACY), None)
    return Signals(
        kind=stage.kind,
        settings=stage.settings,
        accuracy=round(_recent(seen, seen[-1][0]), 4) if seen else None,
        early=early,
        steps=record.steps if record else 0,
        drift=record.drift if record else None,
    )


def _recent(seen: Sequence[tuple[int, float]], step: int) -> float:
    """Mean accuracy of the last logged steps up to ``step``; 0 before there are enough."""
    values = [value for at, value in seen if at <= step][-SMOOTHED:]
    return sum(values) / len(values) if len(values) == min(SMOOTHED, len(seen)) else 0.0


def _record(result: SetResult, splits: Sequence[Split]) -> HeldOutRecord:
    shown = [one for one in result.figures if one.slice[0] == "all" and one.metric in SHOWN]
    return HeldOutRecord(
        splits=tuple(splits),
        rows=result.rows,
        dialogues=result.dialogues,
        sha256=result.sha256,
        figures={
            system.name: {one.metric: (one.value, one.low, one.high) for one in shown if one.system == system.name}
            for system in result.systems
        },
    )
