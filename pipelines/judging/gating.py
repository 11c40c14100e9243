"""The gate: which queries are rewritten, and which pass unchanged because nothing is missing or the answer is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from pairwright.core.bookkeeping import Failed
from pairwright.core.component_calls import ask_gate
from pairwright.core.components import Gate
from pairwright.core.errors import RequestFailed
from pairwright.core.execution.coroutines import CoroutineRunner
from pairwright.core.files.storage import open_log
from pairwright.core.records import Case, GateDecision, GateRow, KnownCase, Task
from pairwright.core.requests import Answer, Ask, ChatRequest
from pairwright.judges.rules.unchanged import needs_rewrite
from pairwright.pipelines.judging.candidate_judging import ordered_map

C = TypeVar("C", bound=KnownCase)


def gate_queries(cases: Iterable[C], gate: Gate, ask: Ask, width: int, runner: CoroutineRunner) -> Iterator[C | Failed]:
    """Each case with the gate's decision, in order; at most ``width`` are with the gate at once.

    A human rewrite knows better: the decision holds what it says, and follows it.
    """

    async def one(case: C) -> C | Failed:
        try:
            decision = await ask_gate(gate, case, ask)
        except RequestFailed as exc:
            return Failed(stage="gate", row=case.id, error=exc.kind, message=str(exc))
        known = None if case.reference is None else needs_rewrite(case)
        return case.model_copy(update={"gate": decision.model_copy(update={"reference_needs_rewrite": known})})

    return ordered_map(one, cases, width, runner)


def log_decisions(rows: Iterable[Task | Failed], path: Path) -> Iterator[Task | Failed]:
    """The rows as they are; the gate's decision on each task is written to ``path``.

    Raises:
        StorageError: the file cannot be written.
    """
    with open_log(path) as write:
        for row in rows:
            if not isinstance(row, Failed) and row.gate is not None:
                write(decision_row(row, row.gate))
            yield row


def decision_row(task: Task, decision: GateDecision) -> GateRow:
    """A decision in the books of the gate."""
    return GateRow(task=task.id, language=task.language, query=task.query, decision=decision, origin=task.origin)


def decide_now(cases: Iterable[Case], gate: Gate) -> list[GateDecision]:
    """The decisions of a gate that asks nobody."""
    assert not gate.paid
    with CoroutineRunner() as runner:
        return [runner.run(ask_gate(gate, case, ask_nobody)) for case in cases]


async def ask_nobody(endpoint: str, request: ChatRequest) -> Answer:
    """What gates that ask no model are given to ask."""
    raise AssertionError(f"a gate that asks nobody asked {endpoint!r} {request.schema_name}")
