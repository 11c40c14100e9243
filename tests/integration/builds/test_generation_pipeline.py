"""The generation stage with a real distilabel pool, against a server that misbehaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from generation_rows import TEACHER, answer, build_config, number_in, processes_about, tasks, wait_until

from pairwright.core.bookkeeping import Failed
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.errors import BudgetReached, BuildError, ModelError
from pairwright.core.llm.ledger import Ledger
from pairwright.core.records import Candidate
from pairwright.pipelines.generation.candidate_generation import generate_candidates, plan_generation
from pairwright.testing import FaultServer

WEAK = {"role": "weak", "endpoint": "weak", "temperatures": [0.7, 1.0], "sample": 5}
KEY = "sk-do-not-write-me-down"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)


def run(config: BuildConfig, count: int, work: Path) -> list[Candidate | Failed]:
    rows = tasks(count)
    return list(generate_candidates(plan_generation(config, lambda: rows), config, work / "ledger.sqlite", {}, work))


def files_with(text: str, folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def test_a_failed_row_costs_only_itself_and_every_request_has_one_outcome_in_order(
    openai_server: FaultServer, tmp_path: Path
) -> None:
    """Stock distilabel blanks the whole batch here."""
    refused, malformed = {3, 33, 69}, {10, 50}

    def sometimes_malformed(body: dict[str, Any]) -> str:
        return "{" if body["model"] == "m" and number_in(body) in malformed else answer(body)

    def sometimes_refused(body: dict[str, Any]) -> tuple[int, str] | None:
        return (400, "content policy") if body["model"] == "m" and number_in(body) in refused else None

    openai_server.answer, openai_server.refuse = sometimes_malformed, sometimes_refused
    config = build_config(openai_server.base_url, tmp_path, generation=[TEACHER, WEAK])
    outcomes = run(config, 70, tmp_path)
    requests = list(plan_generation(config, lambda: tasks(70)))
    assert len(outcomes) == len(requests) == 80
    for request, outcome in zip(requests, outcomes, strict=True):
        number = int(request.task.query.split()[-1].rstrip("?"))
        if isinstance(outcome, Failed):
            assert (outcome.row, number in refused | malformed) == (request.name, True)
        else:
            assert (outcome.task, outcome.origin) == (request.task.id, request.setting.role)
            assert outcome.text == f"What about number {number} at seed {request.seed}?"
    errors = Counter(outcome.error for outcome in outcomes if isinstance(outcome, Failed))
    assert errors == {"http_400": 3, "schema": 2}


def test_a_model_that_never_answers_well_is_not_asked_to_the_end(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.answer = lambda body: "{" if number_in(body) % 2 else answer(body)
    config = build_config(openai_server.base_url, tmp_path, limits={"max_failure_rate": 0.05})
    with pytest.raises(
        BuildError, match=r"41 of \d+ requests failed at endpoint 'teacher' already \(41 schema\)"
    ) as caught:
        run(config, 800, tmp_path)
    assert "max_failure_rate = 0.05" in caught.value.message
    assert openai_server.stats()["requests"] < 400
    assert processes_about(tmp_path) == []


def test_a_bad_server_costs_no_row(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.faults = {
        "429": 0.10,
        "500": 0.05,
        "hang": 0.03,
        "malformed": 0.03,
        "html": 0.01,
        "reset": 0.01,
    }
    openai_server.answer = answer
    config = build_config(openai_server.base_url, tmp_path, endpoint={"timeout": 1.0, "max_concurrency": 64})
    outcomes = run(config, 300, tmp_path)
    assert len(outcomes) == 300
    assert sum(isinstance(outcome, Candidate) for outcome in outcomes) >= 297
    assert openai_server.asked_twice == 0


def test_a_refused_key_is_the_error_that_it_was_and_the_key_is_in_no_file(
    openai_server: FaultServer, tmp_path: Path
) -> None:
    openai_server.key = "another"
    config = build_config(openai_server.base_url, tmp_path)
    with pytest.raises(ModelError, match="TEST_KEY") as raised:
        run(config, 50, tmp_path)
    assert type(raised.value) is ModelError
    assert KEY not in str(raised.value)
    assert not files_with(KEY, tmp_path)
    assert wait_until(lambda: not processes_about(tmp_path), 30)


def test_the_budget_stops_the_stage_and_raising_it_goes_on(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.answer = answer
    openai_server.latency = 0.02
    with pytest.raises(BudgetReached, match=r"limits\.max_requests of 50") as raised:
        run(build_config(openai_server.base_url, tmp_path, limits={"max_requests": 50}), 70, tmp_path)
    assert raised.value.exit_code == 3
    assert openai_server.requests == 50
    outcomes = run(build_config(openai_server.base_url, tmp_path, limits={"max_requests": 70}), 70, tmp_path)
    assert openai_server.requests == 70
    assert all(isinstance(outcome, Candidate) for outcome in outcomes)


@pytest.mark.parametrize("victim", ["manager", "asker"])
def test_a_killed_worker_ends_the_stage_instead_of_hanging_it(
    openai_server: FaultServer, tmp_path: Path, victim: str
) -> None:
    openai_server.answer, openai_server.latency = answer, 1.0
    config = build_config(openai_server.base_url, tmp_path)

    def kill() -> None:
        assert wait_until(lambda: openai_server.requests >= 16, 60)
        _, manager, *_ = processes_about(tmp_path)
        (asking,) = (tmp_path / "generation" / "control").glob("asking-*")
        asker = int(asking.name.removeprefix("asking-"))
        os.kill({"manager": manager, "asker": asker}[victim], signal.SIGKILL)
        killed.append(time.monotonic())

    killed: list[float] = []
    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(BuildError, match="was killed|ended with exit code"):
        run(config, 200, tmp_path)
    killer.join()
    assert time.monotonic() - killed[0] < 10
    assert wait_until(lambda: not processes_about(tmp_path), 30)
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        assert 0 <= openai_server.requests - ledger.usage().answers <= 16


STOCK_PIPELINE = """
import sys
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts
from pairwright.core.config.build_file import EndpointConfig
from pairwright.judges import JUDGES
from pairwright.perturbers import PERTURBERS
from pairwright.pipelines.distilabel_steps.rewrite_steps import JudgeCandidates, LedgerLLM, PerturbRewrites, RewriteQuery
url, folder = sys.argv[1:]
history = [{"role": "user", "content": "周杰伦最有名的专辑是什么？"}]
row = {"language": "zh", "history": history, "query": "他哪年出生的？"}
llm = LedgerLLM(name="t", endpoint=EndpointConfig(base_url=url, model="m"), ledger=folder + "/ledger.sqlite")
with Pipeline(name="stock", cache_dir=folder + "/cache") as pipeline:
    load = LoadDataFromDicts(data=[row])
    judge = JudgeCandidates(judges=[JUDGES["leftover_reference"](), JUDGES["length_ratio"]()])
    load >> RewriteQuery(llm=llm) >> judge >> PerturbRewrites(perturbers=[PERTURBERS["entity_deletion"]()])
if __name__ == "__main__":
    (found,) = pipeline.run(use_cache=False)["default"]["train"]
    print(found["rewrite"], found["accepted"], "missing_entity" in found["rejected"])
"""


def test_our_steps_run_in_a_stock_pipeline(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.answer = lambda body: json.dumps(
        {"analysis": "他指周杰伦。", "needs_rewrite": True, "rewrite": "周杰伦哪年出生的？"}
    )
    ran = subprocess.run(
        [sys.executable, "-c", STOCK_PIPELINE, openai_server.base_url, str(tmp_path)],
        env={**os.environ, "HF_DATASETS_CACHE": str(tmp_path / "datasets")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert ran.stdout.splitlines()[-1] == "周杰伦哪年出生的？ True True", ran.stdout[-3000:]
    assert openai_server.requests == 1
