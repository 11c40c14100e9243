"""Runs one stage in a process group of its own, watches its step log, and leaves nothing of it behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from pairwright.core.awake import awake_steps
from pairwright.core.errors import TrainingError
from pairwright.core.execution.scratch import scratch_folder
from pairwright.core.files.storage import refuse_link
from pairwright.core.interruption import INTERRUPTION
from pairwright.training_recipes.recipes.filling import ROWS
from pairwright.training_recipes.runs.failures import failure
from pairwright.training_recipes.runs.stage_job import StageJob
from pairwright.training_recipes.runs.step_log import StepLog

# Between two looks at the step log, and between asking a group to end and ending it.
POLL_SECONDS = 0.2
END_SECONDS = 10.0
# Signals that a job scheduler sends to every process at once, and how long the last of them may take.
_ENDED = (-signal.SIGINT, -signal.SIGTERM, -signal.SIGHUP)
_SIGNAL_SECONDS = 0.5
Tell = Callable[[StepLog], None]


def run_job(job: StageJob, name: str, log: Path, gpus: int, tell: Tell) -> StepLog:
    """Run one stage until it is done; its output is appended to ``log``. ``tell`` is called whenever something is new.

    Raises:
        TrainingError: the process failed; the message says how, and what to do.
        Interrupted: Ctrl-C or another signal; the process has ended.
    """
    steps = StepLog(Path(job.steps))
    steps.read()
    steps.error, steps.done = None, False  # of an earlier try

    def look() -> None:
        if steps.read():
            tell(steps)

    begin = log.stat().st_size if log.is_file() else 0
    with _written(job) as path:
        code = run_process(command_of(job, path, gpus), log, look)
    look()
    if steps.error:
        raise TrainingError(f"stage {name}: {steps.error[0]}", steps.error[1])
    if code or not steps.done:
        raise failure(name, code, log, job.settings, begin)
    return steps


def command_of(job: StageJob, path: Path, gpus: int) -> list[str]:
    """The command that runs a job: this Python, under torchrun where there are several GPUs or DeepSpeed."""
    module = ["-m", "pairwright.training_recipes.runs.launcher", str(path)]
    processes = int(os.environ.get("NPROC_PER_NODE", gpus))
    if job.kind not in ROWS or (processes < 2 and "deepspeed" not in job.settings):
        return [sys.executable, *module]
    # torchrun does not end with its parent of its own accord.
    bound = [sys.executable, "-m", "pairwright.core.execution.processes", str(os.getpid())]
    torchrun = ["-m", "torch.distributed.run", "--nproc_per_node", str(max(processes, 1)), "--standalone"]
    return [*bound, sys.executable, *torchrun, *module]


def run_process(command: Sequence[str], log: Path, look: Callable[[], None]) -> int:
    """Run a command to its end and return its exit code, with ``look`` called five times a second.

    Raises:
        Interrupted: Ctrl-C or another signal; the whole process group has ended.
    """
    refuse_link(log)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=_environment(log.parent),
        )
    try:
        while process.poll() is None:
            look()
            time.sleep(POLL_SECONDS)
        if process.returncode in _ENDED:
            time.sleep(_SIGNAL_SECONDS)  # what reached it is on its way to us
    except KeyboardInterrupt:
        raise INTERRUPTION.told("Run the same command again to go on from the last checkpoint.") from None
    finally:
        _end(process)
    return process.returncode


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the whole group: kindly, then for certain."""
    try:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            for _ in awake_steps(END_SECONDS, POLL_SECONDS):
                if process.poll() is not None:
                    break
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _environment(folder: Path) -> Mapping[str, str]:
    """Ours, with the data sets' cache inside the run: prepared rows of another data set cannot come back."""
    return {
        "TOKENIZERS_PARALLELISM": "false",
        "OMP_WAIT_POLICY": "passive",  # threads that spin take the cores from each other on a busy machine
        # Whoever runs this may set the two above otherwise, not the two below.
        **os.environ,
        "HF_DATASETS_CACHE": str(folder / "cache"),
        "PYTHONUNBUFFERED": "1",
    }


@contextmanager
def _written(job: StageJob) -> Iterator[Path]:
    with scratch_folder("train", Path(job.steps)) as folder:
        path = folder / "job.json"
        path.write_text(job.model_dump_json(), encoding="utf-8")
        yield path
