"""Generation: every planned request becomes a candidate or a failed row, in the order of the plan.

Answers that the ledger holds are read at once. Only for the rest a distilabel pipeline is started, in a process group
that cannot outlive the build (supervision.py) and without distilabel's own cache: what was paid for is in the ledger,
and a build that was interrupted finds it there. Results depend neither on which way an answer took, nor on
concurrency or batches.
"""

from __future__ import annotations

import heapq
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from itertools import islice, zip_longest
from operator import itemgetter
from pathlib import Path
from typing import IO

from pydantic import TypeAdapter

from pairwright.core.bookkeeping import Failed
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.errors import RequestFailed
from pairwright.core.execution.coroutines import CoroutineRunner
from pairwright.core.execution.scratch import scratch_folder
from pairwright.core.execution.supervision import Control, crash, supervise
from pairwright.core.files.file_errors import storage_error
from pairwright.core.files.storage import text_file
from pairwright.core.llm.client import Client, ask_json
from pairwright.core.llm.ledger import Ledger
from pairwright.core.prompts.kinds import KINDS, provenance
from pairwright.core.records import Candidate
from pairwright.core.requests import Answer, ChatRequest
from pairwright.pipelines.failure_limit import FailureLimit
from pairwright.pipelines.generation.child_process import GenerationJob, Queue
from pairwright.pipelines.request_plan import (
    GenerationPlan,
    Outcome,
    PlannedRequest,
    count_planned,
    plan_generation,
)

__all__ = ["GenerationPlan", "Outcome", "PlannedRequest", "count_planned", "generate_candidates", "plan_generation"]

_LONGEST = 70  # bytes of the folder of sockets: multiprocessing adds 32, and macOS takes 103
_CHUNK = 1000  # requests that are looked up in the ledger at once
_RESULT: TypeAdapter[Candidate | Failed] = TypeAdapter(Candidate | Failed)
Numbered = Iterator[tuple[int, Candidate | Failed]]


class _Unasked(Exception):
    """The ledger does not have an answer that is needed."""


def generate_candidates(
    requests: Iterable[PlannedRequest], config: BuildConfig, ledger: Path, base_urls: Mapping[str, str], work: Path
) -> Iterator[Candidate | Failed]:
    """Yield one outcome per request, in order. ``base_urls`` are those of embedded endpoints that run already.

    Everything happens at the first row that is asked for; ``work``/generation holds what is on its way until then.

    Raises:
        BudgetReached: the budget of the build file is used up.
        ModelError: an endpoint cannot be used at all.
        BuildError: a process of the stage died, rows were lost, or too many requests fail to go on asking.
        StorageError: the ledger or ``work`` cannot be written.
    """
    folder = work / "generation"
    try:
        if (folder / "known.jsonl").is_file():  # a try that was broken off
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        queues, limit = _sort_out(requests, config, ledger, base_urls, folder)
        if queues:
            _run(GenerationJob.of(config, ledger, folder, queues, limit))
    except OSError as exc:
        raise storage_error(exc, folder) from exc
    streams = [_known(folder), *(_answered(queue, folder) for queue in queues)]
    for _, row in heapq.merge(*streams, key=itemgetter(0)):
        yield row
    shutil.rmtree(folder)


def _sort_out(
    requests: Iterable[PlannedRequest], config: BuildConfig, ledger: Path, base_urls: Mapping[str, str], folder: Path
) -> tuple[list[Queue], FailureLimit]:
    """Write down what the ledger answers already, and queue the rest by endpoint; how many of all may fail."""
    queues: dict[str, Queue] = {}
    rows = 0
    files: dict[str, IO[str]] = {}
    source = iter(requests)
    with ExitStack() as stack:
        client = Client(config.endpoints, stack.enter_context(Ledger(ledger)), config.limits, base_urls)
        known = stack.enter_context(text_file(folder / "known.jsonl"))
        runner = stack.enter_context(CoroutineRunner())
        while chunk := list(islice(source, _CHUNK)):
            for request, row in zip(chunk, runner.run(_stored(client, chunk)), strict=True):
                rows += 1
                if row is not None:
                    known.write(f"{request.number}\t{row.model_dump_json()}\n")
                    continue
                name = request.setting.endpoint
                if name not in queues:
                    queues[name] = Queue.of(config, name, base_urls.get(name), folder, len(queues))
                    files[name] = stack.enter_context(text_file(Path(queues[name].requests)))
                files[name].write(request.model_dump_json() + "\n")
    limit = FailureLimit(stage="generate", unit="requests", rate=config.limits.max_failure_rate, rows=rows)
    return list(queues.values()), limit


async def _stored(client: Client, chunk: Iterable[PlannedRequest]) -> list[Candidate | Failed | None]:
    async def ask(endpoint: str, request: ChatRequest) -> Answer:
        if (answer := client.stored(endpoint, request)) is None:
            raise _Unasked
        return answer

    async def one(planned: PlannedRequest) -> Candidate | Failed | None:
        setting, request = planned.setting, planned.request()
        try:
            parse = KINDS[planned.task.kind].read_teacher
            answer, answers = await ask_json(ask, setting.endpoint, request, parse, setting.reasks)
        except _Unasked:
            return None
        except RequestFailed as exc:
            return planned.result(Outcome(error=exc.kind, message=exc.message))
        parts = {**answer.model_dump(), **provenance(request, answers)}
        return planned.result(Outcome(**parts, error="", message=""))

    return [await one(planned) for planned in chunk]


def _run(job: GenerationJob) -> None:
    control = Control(Path(job.control))
    control.prepare()
    description = Path(job.folder) / "job.json"
    description.write_text(job.model_dump_json(), encoding="utf-8")
    run = "from pairwright.pipelines.generation.child_process import main; main()"
    # -P: the working directory is the user's; a file called queue.py there is none of our business.
    command = [sys.executable, "-P", "-c", run, str(description)]
    with scratch_folder("sockets", Path(job.folder), _LONGEST) as sockets:
        supervise(command, control, Path(job.log), _environment(job, str(sockets)))


def _environment(job: GenerationJob, sockets: str) -> dict[str, str]:
    return {
        **os.environ,
        "DISTILABEL_LOG_LEVEL": "WARNING",
        # distilabel makes a data set of its result: it goes with the job's folder.
        "HF_DATASETS_CACHE": str(Path(job.folder) / "datasets"),
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        # Nothing that this process needs is on the Hub.
        "HF_HUB_OFFLINE": "1",
        # multiprocessing leaves the sockets of a process that is killed where they are: they go with this folder.
        "TMPDIR": sockets,
    }


def _known(folder: Path) -> Numbered:
    with (folder / "known.jsonl").open(encoding="utf-8") as file:
        for line in file:
            number, _, row = line.partition("\t")
            yield int(number), _RESULT.validate_json(row)


def _answered(queue: Queue, folder: Path) -> Numbered:
    """The outcomes of one queue beside its requests: the same ones, all of them, in the same order."""
    with open(queue.requests, encoding="utf-8") as asked, open(queue.outcomes, encoding="utf-8") as came:
        for place, (line, outcome) in enumerate(zip_longest(asked, came)):
            number, _, row = (outcome or "").partition("\t")
            # After one exception distilabel blanks a whole batch, and still ends well.
            if line is None or number != str(place) or row == "null\n":
                raise crash("distilabel lost, blanked or invented rows", folder / "distilabel.log")
            planned = PlannedRequest.model_validate_json(line)
            yield planned.number, planned.result(Outcome.model_validate_json(row))
