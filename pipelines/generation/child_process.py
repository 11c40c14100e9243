"""The process that runs distilabel: started with the path of a :class:`GenerationJob`, never imported by users.

distilabel is imported only after this process and all that it forks are bound to the life of the build.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pairwright.core.config.build_file import BuildConfig, EndpointConfig, LimitsConfig
from pairwright.core.errors import BuildError
from pairwright.core.execution.processes import end_with_parent
from pairwright.core.execution.supervision import Control, bind_forks, leave_signals_to_build
from pairwright.core.files.file_errors import file_trouble, full_disk
from pairwright.core.files.storage import text_file
from pairwright.core.identity import Row
from pairwright.core.records import TaskKind
from pairwright.pipelines.failure_limit import FailureLimit

if TYPE_CHECKING:
    from distilabel.distiset import Distiset

# A batch waits for its slowest request, and costs the main process a fixed time: large ones waste little of both.
BATCH = 2000


class Queue(Row):
    """The requests to one endpoint: files of planned requests and, in the same order, of their outcomes."""

    endpoint: str
    settings: EndpointConfig
    base_url: str | None
    requests: str
    outcomes: str

    @classmethod
    def of(cls, config: BuildConfig, endpoint: str, base_url: str | None, folder: Path, number: int) -> Self:
        """The ``number``-th queue, with its files in ``folder``."""
        return cls(
            endpoint=endpoint,
            settings=config.endpoints[endpoint],
            base_url=base_url,
            requests=str(folder / f"requests-{number}.jsonl"),
            outcomes=str(folder / f"outcomes-{number}.jsonl"),
        )


class GenerationJob(Row):
    """All that the process needs to know. Keys are not in here: it inherits the environment."""

    parent: int
    folder: str
    ledger: str
    limits: LimitsConfig
    queues: tuple[Queue, ...]
    task: TaskKind = "rewrite"
    failures: FailureLimit

    @classmethod
    def of(
        cls, config: BuildConfig, ledger: Path, folder: Path, queues: Sequence[Queue], failures: FailureLimit
    ) -> Self:
        """The job for the process that calls this."""
        return cls(
            parent=os.getpid(),
            folder=str(folder),
            ledger=str(ledger),
            limits=config.limits,
            queues=tuple(queues),
            task=config.task,
            failures=failures,
        )

    @property
    def control(self) -> str:
        """Folder of the :class:`Control`."""
        return str(Path(self.folder) / "control")

    @property
    def log(self) -> str:
        """What the process prints."""
        return str(Path(self.folder) / "distilabel.log")


def main() -> None:
    """Run the job whose path is the first argument."""
    job = GenerationJob.model_validate_json(Path(sys.argv[1]).read_text(encoding="utf-8"))
    control = Control(Path(job.control))
    leave_signals_to_build(control)
    end_with_parent(job.parent)
    control.join()
    bind_forks(control)
    # bind_forks reaches processes that are forked, no others.
    multiprocessing.set_start_method("fork")
    try:
        write_outcomes(run_pipeline(job, control), job)
    except BaseException as exc:
        if control.fatal() is None and (told := file_trouble(exc, job.folder) or full_disk(Path(job.folder))):
            control.report(told)
        # Those that ask are forks, and end with this process.
        control.drain()
        raise


def run_pipeline(job: GenerationJob, control: Control) -> Distiset:
    """Run one distilabel pipeline with a chain of steps per endpoint: read and rewrite."""
    from distilabel.pipeline import Pipeline

    from pairwright.pipelines.distilabel_steps.rewrite_steps import LedgerLLM
    from pairwright.pipelines.generation.planned_steps import ReadRequests, RewritePlanned

    # distilabel makes every traceback show all local variables: prompts, and whatever else is around.
    sys.excepthook = sys.__excepthook__

    class Uncached(Pipeline):  # type: ignore[misc]
        def _cache(self) -> None:
            """Write no state: it is never read, and it would put every prompt on disk in clear."""

        def _error_callback(self, e: BaseException) -> None:
            # distilabel waits for ever after some of these.
            if control.fatal() is None:
                told = file_trouble(e, job.folder) or full_disk(Path(job.folder))
                control.report(told or BuildError(f"a generation step failed: {e}", f"The whole log is {job.log}."))

        def _handle_keyboard_interrupt(self) -> None:
            """Ctrl-C is for the build; distilabel would stop here without its answers."""

        def _teardown(self) -> None:
            control.finish()
            if self._pool:
                kill_when_terminated(self._pool)
            super()._teardown()

    with Uncached(name="generate", cache_dir=Path(job.folder) / "distilabel") as pipeline:
        for number, queue in enumerate(job.queues):
            llm = LedgerLLM(
                name=queue.endpoint,
                endpoint=queue.settings,
                ledger=job.ledger,
                limits=job.limits,
                base_url=queue.base_url,
                control=job.control,
                failures=job.failures,
            )
            read = ReadRequests(name=f"read_{number}", path=queue.requests, batch_size=BATCH)
            read >> RewritePlanned(name=f"rewrite_{number}", llm=llm, kind=job.task, input_batch_size=BATCH)
    # The cache would not see that the input data or the code have changed.
    return pipeline.run(use_cache=False)


def kill_when_terminated(pool: Any) -> None:
    """Let ``pool.terminate()`` end its workers with SIGKILL, once nothing in them is worth keeping.

    SIGTERM waits until a worker's main thread runs Python, and the pool then waits for the worker: one that stands in a lock
    kept a whole build waiting for ever.
    """
    for worker in pool._pool:
        worker.terminate = worker.kill


def write_outcomes(distiset: Distiset, job: GenerationJob) -> None:
    """Write each queue's outcomes, as lines of number, tab and JSON (null for a row that distilabel blanked)."""
    for number, queue in enumerate(job.queues):
        # distilabel calls the only leaf of a pipeline "default".
        rows = distiset["default" if len(job.queues) == 1 else f"rewrite_{number}"]["train"]
        with text_file(Path(queue.outcomes)) as file:
            for row in rows:
                file.write(f"{row['number']}\t{row['outcome'] or 'null'}\n")
