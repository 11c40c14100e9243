"""The gate's stage: decisions beside tasks, what passes and what is asked, and the tables about it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

import pytest

from pairwright.core.bookkeeping import Failed
from pairwright.core.components import Component
from pairwright.core.errors import ConfigError, RequestFailed
from pairwright.core.execution.coroutines import CoroutineRunner
from pairwright.core.files.storage import read_rows
from pairwright.core.records import GateDecision, GateRow, Task
from pairwright.core.requests import Answer, Ask, ChatRequest
from pairwright.judges.rules.leftover_reference import leftover
from pairwright.judges.rules.over_edited import is_complete
from pairwright.judges.rules.unchanged import Unchanged
from pairwright.pipelines import gate_preview
from pairwright.pipelines.judging.candidate_judging import list_candidates
from pairwright.pipelines.judging.gating import decision_row, gate_queries, log_decisions
from pairwright.pipelines.reporting.gate_tables import confusion_table, ways_table
from pairwright.testing import factories


class Says(Component):
    """Answers by the query: ``open``, ``missing`` or anything else; fails for ``broken``."""

    name: ClassVar[str] = "says"

    async def decide(self, task: Task, ask: Ask) -> GateDecision:
        if task.query == "broken":
            raise RequestFailed("schema", "no usable answer")
        needs = task.query in ("open", "missing")
        return GateDecision(needs_rewrite=needs, missing_answer=task.query == "missing", method="answer")


async def nobody(endpoint: str, request: ChatRequest) -> Answer:
    raise AssertionError("nothing may be asked")


def through(*tasks: Task) -> list[Task | Failed]:
    with CoroutineRunner() as runner:
        return list(gate_queries(tasks, Says(), nobody, 4, runner))


def decided(query: str, reference: str | None = None) -> Task:
    (found,) = through(factories.task(query, reference=reference))
    assert isinstance(found, Task)
    return found


def test_tasks_keep_their_order_and_their_ids(tmp_path: Path) -> None:
    tasks = [factories.task(query) for query in ("open", "plain", "missing")]
    found = [one for one in through(*tasks) if isinstance(one, Task)]
    assert [one.id for one in found] == [one.id for one in tasks]
    assert [one.passes for one in found] == [False, True, True]
    path = tmp_path / "gate.jsonl"
    assert list(log_decisions(found, path)) == found
    assert [row.query for row in read_rows(path, GateRow)] == ["open", "plain", "missing"]


def test_a_query_without_a_usable_answer_fails_alone() -> None:
    broken, fine = through(factories.task("broken"), factories.task("plain"))
    assert isinstance(broken, Failed)
    assert (broken.stage, broken.error) == ("gate", "schema")
    assert isinstance(fine, Task)


def test_a_human_rewrite_decides_whatever_the_gate_says() -> None:
    kept = decided("open", reference="open")
    assert kept.passes
    assert kept.gate is not None
    assert kept.gate.needs_rewrite
    assert not decided("plain", reference="Who wrote The Glass Orchard?").passes
    assert not decided("missing", reference="When was Ada Lindqvist born?").passes


def test_a_query_that_passes_is_its_own_candidate_unless_its_source_has_a_rewrite() -> None:
    tasks = [decided("plain"), decided("open"), decided("missing"), decided("plain", reference="plain")]
    found = [(one.query, proposal.origin, proposal.text) for one, proposal in list_candidates(tasks, [])]
    assert found == [("plain", "gate", "plain"), ("missing", "gate", "missing"), ("plain", "reference", "plain")]


def test_a_dependent_query_whose_answer_is_missing_may_be_copied() -> None:
    told = GateDecision(needs_rewrite=True, missing_answer=True, method="rule")
    task = factories.task("When was she born?", [("user", "Who wrote The Glass Orchard?")])
    passing = task.model_copy(update={"gate": told})
    for one, refused in ((task, True), (passing, False)):
        copy = factories.candidate(one.query, one)
        (verdict,) = asyncio.run(Unchanged().judge(one, [copy], nobody))
        assert verdict.passed is not refused
        assert (leftover(one, one.query) is not None) is refused
        assert is_complete(one) is not refused
    assert leftover(passing, "Was she born in 1911?") == "she"


def test_the_report_counts_ways_and_disagreements() -> None:
    tasks = [decided("open"), decided("missing"), decided("plain"), decided("plain", "plain"), decided("open", "x y")]
    rows = [decision_row(task, task.gate) for task in tasks if task.gate is not None]
    assert ways_table(rows)[1:] == [
        ("en", "rewritten", 2),
        ("en", "passes: complete", 1),
        ("en", "passes: an answer is missing", 1),
        ("en", "passes: its human rewrite is a copy", 1),
    ]
    assert confusion_table(rows)[1:] == [("en", 1, 1, 0, 0, "100.0%", "0.0%")]


def test_the_preview_names_the_free_gates() -> None:
    task = gate_preview.case_of("它多少钱？", gate_preview.turns_of(["推荐酒店", "戴斯酒店不错"], user_only=False))
    assert [turn.role for turn in task.history] == ["user", "assistant"]
    assert ("so the query", "is rewritten") in gate_preview.decision_table(gate_preview.by_name("rules", task))
    with pytest.raises(ConfigError, match="there are: .*rules"):
        gate_preview.by_name("guess", task)
