"""A trainer that learns nothing and is done at once: what stands at the edge of a run's processes in tests.

It writes what real ones write: the step log, checkpoints, an adapter. Its learning rate alone decides how good the
model is and how far its chosen answers fall. ``FAKE_SCRIPT`` in the environment is Python that a training runs after its
fifth step, unless it goes on from a checkpoint.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from pairwright.evaluation.predictions import Prediction, write_predictions
from pairwright.training_recipes.runs.held_out import HeldOutJob, identity
from pairwright.training_recipes.runs.stage_job import StageJob
from pairwright.training_recipes.runs.step_log import StepWriter

QUALITY = {1e-4: 0.4, 1e-6: 0.7, 2e-6: 0.75, 5e-6: 1.0, 1e-5: 0.0}
"""The share of right answers by learning rate."""


def command(job: StageJob, path: Path, gpus: int) -> list[str]:
    """In place of :func:`pairwright.training_recipes.runs.stage_process.command_of`."""
    return [sys.executable, "-W", "ignore", __file__, str(path)]


def run_process(command: Sequence[str], log: Path, look: Callable[[], None]) -> int:
    """In place of :func:`pairwright.training_recipes.runs.stage_process.run_process`: a fork need not import anything again."""
    child = os.fork()
    if child == 0:
        sys.stdout = sys.stderr = log.open("a", encoding="utf-8")
        code = 1
        try:
            main(Path(command[-1]))
            code = 0
        finally:
            with contextlib.suppress(OSError):  # the disk may be full
                if code:
                    traceback.print_exc()
                sys.stderr.flush()
            os._exit(code)  # not an exception of the test's
    _, status = os.waitpid(child, 0)
    look()
    return os.waitstatus_to_exitcode(status)


def main(path: Path) -> None:
    """Run the job in ``path``."""
    job = StageJob.model_validate_json(path.read_text(encoding="utf-8"))
    steps = StepWriter(Path(job.steps))
    if job.kind == "evaluate":
        answer(HeldOutJob.model_validate(job.settings))
    elif job.kind == "merge":
        merge(job)
    else:
        train(job, steps)
    steps.write("done", facts={"peak_memory_gib": 1.0})


def train(job: StageJob, steps: StepWriter) -> None:
    """Ten steps with a checkpoint at every second one; a step's loss and log-probabilities depend on the rate."""
    output, rate = Path(job.settings["output_dir"]), float(job.settings["learning_rate"])
    checkpoint = job.settings.get("resume_from_checkpoint")
    first = int(Path(checkpoint).name.removeprefix("checkpoint-")) if checkpoint else 0
    steps.write("begin", step=first, total=10, facts={})
    for step in range(first + 1, 11):
        if step == 6 and not checkpoint:
            exec(os.environ.get("FAKE_SCRIPT", ""))
        metrics = {"loss": 1 / step}
        if job.kind != "sft":
            fall = rate * 1e6 * step
            metrics |= {"rewards/accuracies": min(1.0, 0.5 + step / 10), "rewards/margins": step / 10}
            metrics |= {"rewards/chosen": -0.1 * fall, "logps/chosen": -6.0 - fall, "logps/rejected": -9.0 - 2 * fall}
        steps.write("log", step=step, metrics=metrics)
        steps.write("step", step=step)
        if step % 2 == 0:
            save(output / f"checkpoint-{step}")
    save(output)
    (output / "quality.json").write_text(json.dumps(QUALITY[rate]))


def merge(job: StageJob) -> None:
    """The merged model is as good as the adapter."""
    target = Path(job.settings["export_dir"])
    target.mkdir(parents=True)
    (target / "quality.json").write_bytes((Path(job.settings["adapter_name_or_path"]) / "quality.json").read_bytes())


def save(folder: Path) -> None:
    """What trainers leave."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("adapter_model.safetensors", "optimizer.pt"):
        (folder / name).write_text("weights")
    (folder / "trainer_state.json").write_text("{}")


def answer(job: HeldOutJob) -> None:
    """As many right answers as the last adapter's ``quality.json`` says; all others are the query."""
    gold = job.gold()
    for spec in job.specs():
        note = Path(spec.target.split("+")[-1]) / "quality.json"
        share = json.loads(note.read_text()) if note.is_file() else 0.0
        right = round(share * len(gold.rows))
        rows = [
            Prediction(id=row.id, rewrite=row.reference if at < right else row.query)
            for at, row in enumerate(gold.rows)
        ]
        write_predictions(job.predictions(spec.name), rows)
        job.note(spec.name).write_text(json.dumps({"of": identity(job, spec, gold), "details": {}}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
