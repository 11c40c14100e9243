"""Queries before the gate, candidates before the judges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pairwright.core.bookkeeping import Failed
from pairwright.core.components import Configured, EndpointUser
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.pages.markdown import code
from pairwright.core.records import JudgedCandidate, Task
from pairwright.core.result import BuildResult, ReportSection
from pairwright.pipelines.artefacts import CANDIDATES, DECISIONS, QUERIES, TASKS
from pairwright.pipelines.judging.candidate_judging import Pair, judge_candidates, list_candidates
from pairwright.pipelines.judging.endpoint_access import order_by_cost
from pairwright.pipelines.judging.gating import gate_queries, log_decisions
from pairwright.pipelines.needs import Need, Outlook, more, nothing
from pairwright.pipelines.reporting.gate_tables import gate_lines
from pairwright.pipelines.run import Run
from pairwright.pipelines.stage import RowStage

_GATE_PROMPT, _GATE_ANSWER = 900, 100  # tokens of one request of the gate


class Gate(RowStage):
    """Which queries are rewritten and which pass."""

    name: ClassVar[str] = "gate"
    unit: ClassVar[str] = "queries"
    per_row: ClassVar[bool] = True
    reads = (TASKS,)
    writes = (DECISIONS,)

    def wanted(self, config: BuildConfig) -> bool:
        return config.gate is not None

    def asks(self, config: BuildConfig) -> bool:
        return config.gate is not None and config.gate.paid

    def inputs(self, run: Run, rows: Iterator[object]) -> Iterator[Task]:  # noqa: ARG002
        return run.read(TASKS)

    def outcomes(self, run: Run, rows: Iterator[Task]) -> Iterator[Task | Failed]:
        assert run.config.gate is not None
        access = run.access
        decided = gate_queries(rows, run.config.gate, access.ask, access.width, access.runner)
        return log_decisions(decided, DECISIONS.path(run.work))

    def at_most(self, run: Run) -> int:
        return run.count(TASKS)

    def needs(self, outlook: Outlook) -> Iterator[Need]:
        """A gate that asks a model asks it about every query that has a history, nothing in the ledger."""
        gate = outlook.config.gate
        if gate is not None and isinstance(gate, EndpointUser):
            calls = outlook.dependent * gate.requests_per_candidate(outlook.config.task)
            endpoint = outlook.config.endpoints[gate.endpoint]
            yield more(endpoint, nothing(gate.endpoint, "gate"), calls, _GATE_PROMPT * calls, _GATE_ANSWER * calls)

    def report(self, result: BuildResult) -> Iterator[ReportSection]:
        if result.config.gate is not None:
            yield ReportSection(f"Gate ({code(result.config.gate.name)})", tuple(gate_lines(result)), 10)


class Judge(RowStage):
    """What models, the gate and the sources propose before every judge: the free ones first, the paid on what is left."""

    name: ClassVar[str] = "judge"
    unit: ClassVar[str] = "candidates"
    per_row: ClassVar[bool] = True
    reads = (QUERIES, CANDIDATES)

    def judges(self, config: BuildConfig) -> tuple[Configured, ...]:
        return config.judges

    def inputs(self, run: Run, rows: Iterator[object]) -> Iterator[Pair]:  # noqa: ARG002
        return list_candidates(run.read(QUERIES), run.read(CANDIDATES))

    def outcomes(self, run: Run, rows: Iterator[Pair]) -> Iterator[JudgedCandidate | Failed]:
        config = run.config
        return judge_candidates(rows, order_by_cost(config.judges, config.endpoints, config.task), run.access)

    def at_most(self, run: Run) -> int:
        return run.count(QUERIES) + run.count(CANDIDATES)

    def needs(self, outlook: Outlook) -> Iterator[Need]:
        """At most, with nothing in the ledger: every reference and every teacher's candidate before every paid judge."""
        for judge in outlook.config.judges:
            yield from outlook.asked(judge, judge.name, outlook.references + outlook.candidates)
