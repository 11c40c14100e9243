from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from generation_rows import answer, number_in, tasks

from pairwright.core.config.build_file import EndpointConfig, LimitsConfig
from pairwright.core.errors import BudgetReached, JudgeError, ModelError
from pairwright.core.llm.ledger import Ledger
from pairwright.judges.llm.rubric import Rubric
from pairwright.judges.rules.leftover_reference import LeftoverReference
from pairwright.judges.rules.length_ratio import LengthRatio
from pairwright.perturbers.answers.broken_json import BrokenJson
from pairwright.perturbers.rewrites.entity_deletion import EntityDeletion
from pairwright.perturbers.rewrites.made_ambiguous import MadeAmbiguous
from pairwright.pipelines.distilabel_steps.ledger_llm import Stopped
from pairwright.pipelines.distilabel_steps.rewrite_steps import (
    JudgeCandidates,
    LedgerLLM,
    PerturbRewrites,
    RewriteQuery,
)
from pairwright.testing import FaultServer

Row = dict[str, Any]


def rows(count: int) -> list[Row]:
    return [row.model_dump(mode="json", include={"language", "history", "query", "examples"}) for row in tasks(count)]


@contextmanager
def rewriting(server: FaultServer, folder: Path, **fields: Any) -> Iterator[RewriteQuery]:
    """A loaded task as anybody would use it, without a pool."""
    endpoint = EndpointConfig(base_url=server.base_url, model="m", max_concurrency=32, max_retries=0)
    llm = LedgerLLM(name="teacher", endpoint=endpoint, ledger=str(folder / "ledger.sqlite"), **fields)
    step = RewriteQuery(llm=llm, style="concise")
    step.load()
    yield step
    step.unload()


def test_each_row_comes_back_in_its_place_with_its_rewrite(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.answer = answer
    with rewriting(openai_server, tmp_path) as step:
        found = next(step.process(rows(20)))
    assert [row["rewrite"] for row in found] == [f"What about number {number} at seed 0?" for number in range(20)]
    assert all(row["needs_rewrite"] is True and row["error"] == "" for row in found)
    assert {row["model"] for row in found} == {"m"}
    assert len({row["request_hash"] for row in found}) == 20
    assert not [column for column in found[0] if column.startswith("llm_")]


def test_rows_that_fail_cost_only_themselves(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.answer = lambda body: "no JSON" if number_in(body) == 3 else answer(body)
    openai_server.refuse = lambda body: (400, "content policy") if number_in(body) == 5 else None
    given = [*rows(10), {"language": "en", "history": [], "query": ""}]
    with rewriting(openai_server, tmp_path) as step:
        found = next(step.process(given))
    assert len(found) == 11
    assert [place for place, row in enumerate(found) if row["rewrite"] is None] == [3, 5, 10]
    assert [found[place]["error"] for place in (3, 10)] == ["schema", "bad_row"]
    assert "400" in found[5]["error"]
    assert "content policy" in found[5]["message"]


def test_the_same_rows_again_cost_nothing(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.answer = answer
    with rewriting(openai_server, tmp_path) as step:
        first = next(step.process(rows(5)))
    with rewriting(openai_server, tmp_path) as step:
        assert next(step.process(rows(5))) == first
    assert openai_server.requests == 5


def test_a_row_brings_its_own_sampling(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.answer = answer
    given = [{**rows(1)[0], "temperature": temperature, "seed": 9, "max_tokens": 77} for temperature in (0.1, 1.5)]
    with rewriting(openai_server, tmp_path) as step:
        next(step.process(given))
    assert sorted(body["temperature"] for body in openai_server.bodies) == [0.1, 1.5]
    assert {(body["seed"], body["max_tokens"]) for body in openai_server.bodies} == {(9, 77)}


def test_several_generations_of_one_row_are_different_requests(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.answer = answer
    with rewriting(openai_server, tmp_path) as step:
        step.num_generations = 3
        found = next(step.process(rows(2)))
    assert len(found) == 6
    assert len({row["rewrite"] for row in found}) == 6


def test_an_exhausted_budget_is_raised_and_what_was_paid_for_stays(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.answer = answer
    with rewriting(openai_server, tmp_path, limits=LimitsConfig(max_requests=5)) as step:
        with pytest.raises(BudgetReached):
            next(step.process(rows(20)))
        with pytest.raises(BudgetReached):  # and it stays raised for the batches that follow
            next(step.process(rows(20)))
    assert openai_server.requests == 5
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        assert ledger.usage().answers == 5


def test_a_refused_key_is_raised(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.key = "another"
    with rewriting(openai_server, tmp_path) as step, pytest.raises(ModelError, match="teacher"):
        next(step.process(rows(100)))
    assert openai_server.requests <= 32


@pytest.mark.slow
def test_a_build_that_stops_keeps_what_was_on_its_way(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.latency = 0.5

    def stop_then_answer(body: Row) -> str:
        (tmp_path / "stop").touch()
        return answer(body)

    openai_server.answer = stop_then_answer
    with rewriting(openai_server, tmp_path, control=str(tmp_path)) as step, pytest.raises(Stopped):
        next(step.process(rows(300)))
    assert not list(tmp_path.glob("asking-*"))
    assert 32 <= openai_server.requests <= 96
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        assert ledger.usage().answers == openai_server.requests


def test_any_distilabel_task_can_stand_on_the_ledger(openai_server: FaultServer, tmp_path: Path) -> None:
    from distilabel.steps.tasks import TextGeneration

    endpoint = EndpointConfig(base_url=openai_server.base_url, model="m")
    for _ in range(2):
        llm = LedgerLLM(name="any", endpoint=endpoint, ledger=str(tmp_path / "ledger.sqlite"))
        step = TextGeneration(llm=llm)
        step.load()
        (row,) = next(step.process([{"instruction": "Say something."}]))
        step.unload()
        assert row["generation"] == "an answer"
    assert openai_server.requests == 1


def test_any_distilabel_llm_can_rewrite(tmp_path: Path) -> None:
    from distilabel.models.llms.base import LLM

    class Fixed(LLM):  # type: ignore[misc]
        @property
        def model_name(self) -> str:
            return "fixed"

        def generate(self, inputs: list[Any], num_generations: int = 1, **kwargs: Any) -> list[Row]:
            texts = [json.dumps({"analysis": "a", "needs_rewrite": False, "rewrite": "r"}), "no JSON", None]
            return [{"generations": [text], "statistics": {}} for text in texts]

    step = RewriteQuery(llm=Fixed())
    step.load()
    found = next(step.process(rows(3)))
    assert [row["rewrite"] for row in found] == ["r", None, None]
    assert [row["error"] for row in found] == ["", "schema", "empty"]


def test_the_key_is_in_no_dump_of_a_step(
    openai_server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", "sk-secret")
    endpoint = EndpointConfig(base_url=openai_server.base_url, model="m", api_key_env="TEST_KEY")
    step = RewriteQuery(llm=LedgerLLM(name="any", endpoint=endpoint, ledger=str(tmp_path / "ledger.sqlite")))
    openai_server.key = "sk-secret"
    step.load()
    next(step.process(rows(1)))
    step.unload()
    assert "sk-secret" not in json.dumps(step.dump())
    assert not [path for path in tmp_path.iterdir() if b"sk-secret" in path.read_bytes()]


def judging(**fields: Any) -> JudgeCandidates:
    step = JudgeCandidates(**fields)
    step.load()
    return step


def test_judges_are_a_step() -> None:
    given = [
        {**row, "rewrite": rewrite, "analysis": None, "kept": 1}
        for row, rewrite in zip(rows(3), ["When was Ada Lindqvist born?", "When was she born?", None], strict=True)
    ]
    step = judging(judges=[LeftoverReference(), LengthRatio()])
    good, bad, failed = next(step.process(given))
    step.unload()
    assert (good["accepted"], good["defects"], good["kept"]) == (True, [], 1)
    assert good["score"] is None, "neither judge gives scores"
    assert bad["accepted"] is False
    assert bad["defects"] == ["leftover_reference"]
    assert "she" in json.loads(bad["verdicts"])[0]["evidence"]
    assert (failed["accepted"], failed["judge_error"]) == (None, "")


def test_a_paid_judge_asks_through_the_ledger_and_a_refused_request_costs_its_row(
    openai_server: FaultServer, tmp_path: Path
) -> None:
    openai_server.answer = lambda body: json.dumps({"explanation": "Good.", "score": 5})
    openai_server.refuse = lambda body: (400, "content policy") if "number 1?" in str(body) else None
    endpoints = {"judge": EndpointConfig(base_url=openai_server.base_url, model="j", max_retries=0)}
    given = [{**row, "rewrite": row["query"]} for row in rows(3)]
    for _ in range(2):
        ledger = str(tmp_path / "ledger.sqlite")
        step = judging(judges=[Rubric(endpoint="judge")], endpoints=endpoints, ledger=ledger)
        found = next(step.process(given))
        step.unload()
        assert [row["accepted"] for row in found] == [True, None, True]
        assert found[0]["score"] == 1.0
        assert found[1]["judge_error"].startswith("http_400: ")
    assert openai_server.asked_twice == 0


def test_a_judge_without_its_endpoint_says_so_when_it_is_loaded() -> None:
    with pytest.raises(JudgeError, match="rubric"):
        judging(judges=[Rubric(endpoint="judge")])


def test_perturbers_are_a_step_whose_results_depend_on_nothing_but_row_and_seed() -> None:
    history = [{"role": "user", "content": "周杰伦最有名的专辑是什么？"}]
    zh = {"language": "zh", "history": history, "query": "他哪年出生的？", "rewrite": "周杰伦哪年出生的？"}
    given = [zh, {**zh, "rewrite": None}]
    step = PerturbRewrites(perturbers=[EntityDeletion(), MadeAmbiguous()], seed=7)
    step.load()
    first, nothing = next(step.process(given))
    assert next(step.process(given[::-1])) == [nothing, first]
    made = json.loads(first["rejected"])
    assert {one["maker"] for one in made} == {"entity_deletion", "made_ambiguous"}
    assert not [one for one in made if "周杰伦" in one["text"]]
    assert (json.loads(nothing["rejected"]), json.loads(nothing["not_made"])) == ([], [])


def test_answers_and_calls_are_perturbed_by_what_is_made_for_them() -> None:
    tools = json.dumps([{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}])
    row = {
        "language": "en",
        "history": [],
        "query": "Call f.",
        "rewrite": '[{"name": "f", "arguments": {}}]',
        "kind": "answer",
        "tools": tools,
        "system": "Use tools.",
        "steps": [{"role": "tool", "content": "3"}],
    }
    step = PerturbRewrites(perturbers=[EntityDeletion(), BrokenJson(variants=1)], seed=7)
    step.load()
    (found,) = next(step.process([row]))
    assert [one["maker"] for one in json.loads(found["rejected"])] == ["broken_json"]
    assert json.loads(found["not_made"]) == []


def test_the_steps_work_in_a_cell_of_a_notebook(openai_server: FaultServer, tmp_path: Path) -> None:
    """Its loop runs already; loading, asking, judging and unloading may be four cells."""
    openai_server.answer = answer
    found: list[Row] = []

    async def cells() -> None:
        with rewriting(openai_server, tmp_path) as step:
            found.extend(next(step.process(rows(3))))
        judging = JudgeCandidates(judges=[LengthRatio()])
        judging.load()
        found[:] = next(judging.process(found))
        judging.unload()

    asyncio.run(cells())
    assert [row["rewrite"] for row in found] == [f"What about number {number} at seed 0?" for number in range(3)]
    assert [row["judge_error"] for row in found] == [""] * 3
    assert all(row["accepted"] is not None for row in found)


def test_a_budget_that_is_reached_in_a_notebook_ends_the_cell_and_a_new_load_goes_on(
    openai_server: FaultServer, tmp_path: Path
) -> None:
    openai_server.answer = answer

    async def cell(limits: LimitsConfig) -> list[Row]:
        with rewriting(openai_server, tmp_path, limits=limits) as step:
            return list(next(step.process(rows(4))))

    with pytest.raises(BudgetReached):
        asyncio.run(cell(LimitsConfig(max_requests=2)))
    assert len(asyncio.run(cell(LimitsConfig()))) == 4
    assert openai_server.asked_twice == 0
