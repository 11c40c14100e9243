"""Judging: every candidate before every judge, the free judges first, the paid ones only on what is left."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import Any, TypeVar

from pairwright.core.bookkeeping import Dropped, Failed
from pairwright.core.component_calls import ask_judge
from pairwright.core.components import Judge
from pairwright.core.errors import RequestFailed
from pairwright.core.execution.coroutines import CoroutineRunner
from pairwright.core.records import Candidate, JudgedCandidate, Task, Verdict
from pairwright.core.requests import Ask
from pairwright.pipelines.judging.endpoint_access import EndpointAccess

I = TypeVar("I")  # noqa: E741
O = TypeVar("O")  # noqa: E741
Pair = tuple[Task, Candidate]


def list_candidates(tasks: Iterable[Task], generated: Iterable[Candidate]) -> Iterator[Pair]:
    """Every candidate beside its task: the source's own rewrite first, then the generated ones.

    A query that passes the gate and has no rewrite of the source is its own candidate.

    ``generated`` must be in the order of ``tasks``, as the generation stage leaves it.
    """
    groups = groupby(generated, key=lambda candidate: candidate.task)
    key, group = next(groups, ("", iter(())))
    for task in tasks:
        if task.reference is not None:
            yield task, Candidate.create(task=task.id, origin="reference", text=task.reference)
        elif task.passes:
            yield task, Candidate.create(task=task.id, origin="gate", text=task.query)
        if key == task.id:
            for candidate in group:
                yield task, candidate
            key, group = next(groups, ("", iter(())))


def judge_candidates(
    pairs: Iterable[Pair], judges: Sequence[Judge], access: EndpointAccess
) -> Iterator[JudgedCandidate | Failed]:
    """One outcome per candidate, in order; the judges that ask an endpoint come last, else they are asked as given."""
    ordered = sorted(judges, key=lambda judge: judge.paid)  # sorted is stable
    asks = [(judge, access.usage.count_answers("judge", judge.name, access.ask)) for judge in ordered]

    async def one(pair: Pair) -> JudgedCandidate | Failed:
        task, candidate = pair
        access.usage.expect("judge", candidate.origin != "weak")
        try:
            verdicts = await collect_verdicts(task, candidate, asks)
        except RequestFailed as exc:
            return Failed(stage="judge", row=candidate.id, error=exc.kind, message=str(exc))
        return JudgedCandidate(task=task, candidate=candidate, verdicts=verdicts)

    return ordered_map(one, pairs, access.width, access.runner)


async def collect_verdicts(task: Task, candidate: Candidate, asks: Sequence[tuple[Judge, Ask]]) -> tuple[Verdict, ...]:
    """The verdicts on one candidate, in the order of the judges in ``asks``.

    Raises:
        RequestFailed: a judge got no usable answer.
    """
    verdicts: list[Verdict] = []
    for judge, ask in asks:
        # What is refused already, or can only ever be rejected, is not worth a paid opinion.
        if judge.paid and (candidate.origin == "weak" or not all(verdict.passed for verdict in verdicts)):
            continue
        verdicts.extend(await ask_judge(judge, task, [candidate], ask))
    return tuple(verdicts)


def accept_candidates(rows: Iterable[JudgedCandidate]) -> Iterator[JudgedCandidate | Dropped]:
    """The candidates that may be chosen; a refused one is dropped under the first defect that a judge named."""
    for row in rows:
        refusal = next((verdict for verdict in row.verdicts if not verdict.passed), None)
        if refusal:
            reason, detail = refusal.defect or refusal.judge, refusal.evidence
        elif row.candidate.origin == "weak":
            reason, detail = "weak_without_defect", ""
        else:
            yield row
            continue
        yield Dropped(stage="accept", row=row.candidate.id, reason=reason, detail=detail)


def ordered_map(
    work: Callable[[I], Coroutine[Any, Any, O]], items: Iterable[I], width: int, runner: CoroutineRunner
) -> Iterator[O]:
    """Run ``work`` on ``items``, at most ``width`` at once, and yield the results in the order of the items.

    A slow item does not hold up the start of later ones until ``width`` results wait behind it.
    """
    source = iter(items)
    running: deque[asyncio.Task[O]] = deque()

    async def ready() -> list[O]:
        running.extend(asyncio.ensure_future(work(item)) for item in islice(source, width - len(running)))
        results = [await running.popleft()] if running else []
        while running and running[0].done():
            results.append(running.popleft().result())
        return results

    try:
        while results := runner.run(ready()):
            yield from results
    finally:
        for task in running:
            task.cancel()
