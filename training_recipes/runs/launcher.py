"""The process that trains, merges or generates: started by ``stage_process.py`` with the path of a :class:`StageJob`, never imported by users.

It runs the trainer's own code in this process, so that figures can be read at every step and training can be stopped
between two of them. ``llamafactory-cli`` does the same with the same file.
"""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

from pairwright.core.errors import PairwrightError, TrainingError
from pairwright.core.execution.processes import end_with_parent
from pairwright.training_recipes.runs.stage_job import StageJob
from pairwright.training_recipes.runs.step_log import StepWriter


def main() -> None:
    """Run the job whose path is the first argument; what goes wrong is in the step log or in this process's output."""
    job = StageJob.model_validate_json(Path(sys.argv[1]).read_text(encoding="utf-8"))
    # torchrun may stand between us and the parent; it is bound to the parent as well.
    end_with_parent(os.getppid() if "TORCHELASTIC_RUN_ID" in os.environ else job.parent)
    steps = StepWriter(Path(job.steps))
    try:
        run(job, steps)
    except PairwrightError as exc:
        steps.write("error", message=exc.message, hint=exc.hint)
        sys.exit(1)
    if os.environ.get("RANK", "0") == "0":  # torchrun's name for the process among others
        steps.write("done", facts=_costs())


def run(job: StageJob, steps: StepWriter) -> None:
    """Run one stage.

    Raises:
        TrainingError: there is no GPU for a job that needs one, or the loss is no number any more.
    """
    if job.kind == "evaluate":
        from pairwright.training_recipes.runs.held_out import generate

        generate(job.settings, steps)
        return
    _require_device(job)
    if job.kind == "merge":
        _merge(job)
        return
    from pairwright.training_recipes.runs.step_callback import StepCallback

    callback = StepCallback(steps, job.watch)
    if job.trainer == "llamafactory":
        from llamafactory.train.tuner import run_exp

        run_exp(dict(job.settings), [callback])
    else:
        from pairwright.training_recipes.runs.trl_launcher import train

        train(job.kind, job.settings, callback)


def _merge(job: StageJob) -> None:
    if job.trainer == "llamafactory":
        from llamafactory.train.tuner import export_model

        export_model(dict(job.settings))
    else:
        from pairwright.training_recipes.runs.trl_launcher import merge

        merge(job.settings)


def _costs() -> dict[str, float]:
    """What this process took: the most memory in GiB, and the CPU's seconds."""
    import torch

    used = resource.getrusage(resource.RUSAGE_SELF)
    gpus = [torch.cuda.max_memory_allocated(index) for index in range(torch.cuda.device_count())]
    return {
        "peak_memory_gib": round(used.ru_maxrss / 2**20, 2),  # bytes on macOS, which is no place to train
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        **({"peak_gpu_memory_gib": round(max(gpus) / 2**30, 2)} if gpus else {}),
    }


def _require_device(job: StageJob) -> None:
    import torch

    if job.kind != "merge" and not job.settings.get("use_cpu") and not torch.accelerator.is_available():
        raise TrainingError(
            "this recipe trains on a GPU, and PyTorch sees none",
            "Run it where 'nvidia-smi' lists a GPU (and CUDA_VISIBLE_DEVICES does not hide it), take a recipe for the "
            "CPU ('pairwright recipes list cpu'), or train slowly: --set use_cpu=true --set bf16=false",
        )


if __name__ == "__main__":
    main()
