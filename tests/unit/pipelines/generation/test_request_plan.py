from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from generation_rows import TEACHER, answer, build_config, tasks
from hypothesis import given
from hypothesis import strategies as st

from pairwright.core.bookkeeping import Failed
from pairwright.core.errors import BuildError
from pairwright.core.records import Candidate
from pairwright.pipelines.generation import candidate_generation as stage
from pairwright.pipelines.generation.candidate_generation import count_planned, generate_candidates, plan_generation
from pairwright.testing import FaultServer

WEAK = {"role": "weak", "endpoint": "weak", "temperatures": [0.7, 1.0], "sample": 3}


def config(*generation: dict[str, Any], **fields: Any) -> Any:
    return build_config("http://127.0.0.1:9/v1", Path("unused"), generation=generation, **fields)


def test_one_request_per_query_generator_and_temperature_in_the_order_of_the_queries() -> None:
    rows = tasks(2)
    requests = list(
        plan_generation(config({**TEACHER, "temperatures": [0.2, 0.9]}, {**WEAK, "sample": None}), lambda: rows)
    )
    places = [(one.task.query, one.setting.role, one.setting.temperature) for one in requests]
    variants = [("teacher", 0.2), ("teacher", 0.9), ("weak", 0.7), ("weak", 1.0)]
    assert places == [(row.query, role, temperature) for row in rows for role, temperature in variants]
    assert [one.number for one in requests] == list(range(8))


def test_no_two_requests_of_a_plan_are_the_same_request() -> None:
    twice = {**TEACHER, "temperatures": [0.7, 0.7]}
    requests = list(plan_generation(config(twice, twice), lambda: tasks(5)))
    assert len({one.request().model_dump_json() for one in requests}) == len(requests) == 20
    assert len({one.name for one in requests}) == 20


@given(st.randoms(), st.integers(0, 12), st.integers(1, 12))
def test_seeds_and_the_draw_depend_on_the_query_alone(shuffler: random.Random, count: int, sample: int) -> None:
    rows = tasks(count)
    other = shuffler.sample(rows, count)
    settings = config(TEACHER, {**WEAK, "sample": sample})
    first = {one.name: (one.seed, one.request()) for one in plan_generation(settings, lambda: rows)}
    second = {one.name: (one.seed, one.request()) for one in plan_generation(settings, lambda: other)}
    assert first == second


@given(st.integers(0, 12), st.integers(1, 12))
def test_a_plan_knows_its_length(count: int, sample: int) -> None:
    settings = config(TEACHER, {**WEAK, "sample": sample})
    found = plan_generation(settings, lambda: tasks(count))
    assert len(found) == len(list(found)) == count_planned(settings, count) == count + 2 * min(sample, count)


def test_another_build_seed_draws_and_seeds_otherwise() -> None:
    rows = tasks(40)
    drawn = [
        [one.task.id for one in plan_generation(config(WEAK, seed=seed), lambda: rows) if one.setting.index == 0]
        for seed in (0, 1)
    ]
    seeds = [[one.seed for one in plan_generation(config(TEACHER, seed=seed), lambda: rows)] for seed in (0, 1)]
    assert len(drawn[0]) == 3
    assert drawn[0] != drawn[1]
    assert not set(seeds[0]) & set(seeds[1])


def test_a_larger_sample_contains_the_smaller_one() -> None:
    rows = tasks(40)
    small, large = (
        {one.task.id for one in plan_generation(config({**WEAK, "sample": n}), lambda: rows)} for n in (3, 9)
    )
    assert small < large


def ask_in_this_process(job: Any) -> None:
    """Do the child's work without a pool: distilabel's Task in this process."""
    from pairwright.pipelines.distilabel_steps.rewrite_steps import LedgerLLM
    from pairwright.pipelines.generation.planned_steps import ReadRequests, RewritePlanned

    for queue in job.queues:
        llm = LedgerLLM(name=queue.endpoint, endpoint=queue.settings, ledger=job.ledger, limits=job.limits)
        read, rewrite = ReadRequests(path=queue.requests, batch_size=7), RewritePlanned(llm=llm)
        read.load()
        rewrite.load()
        with open(queue.outcomes, "w", encoding="utf-8") as file:
            for batch, _ in read.process():
                for row in next(rewrite.process(batch)):
                    file.write(f"{row['number']}\t{row['outcome']}\n")
        rewrite.unload()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The jobs that would have started a distilabel pipeline."""
    jobs: list[Any] = []

    def run(job: Any) -> None:
        jobs.append(job)
        ask_in_this_process(job)

    monkeypatch.setenv("TEST_KEY", "sk-test")
    monkeypatch.setattr(stage, "_run", run)
    return jobs


def test_what_the_ledger_holds_is_neither_asked_again_nor_given_to_distilabel(
    openai_server: FaultServer, asked: list[Any], tmp_path: Path
) -> None:
    openai_server.answer = answer
    settings = build_config(openai_server.base_url, tmp_path)
    rows = tasks(30)

    def run(count: int) -> list[Candidate | Failed]:
        found = plan_generation(settings, lambda: rows[:count])
        return list(generate_candidates(found, settings, tmp_path / "ledger.sqlite", {}, tmp_path))

    some, more, again = run(20), run(30), run(30)
    assert openai_server.requests == 30
    assert len(asked) == 2
    assert more == again
    assert more[:20] == some
    assert [row.task for row in more if isinstance(row, Candidate)] == [row.id for row in rows]
    assert not (tmp_path / "generation").exists()


def test_an_answer_that_never_parses_is_asked_again_then_failed_and_not_paid_again(
    openai_server: FaultServer, asked: list[Any], tmp_path: Path
) -> None:
    openai_server.answer = lambda body: '{"analysis": "cut'
    settings = build_config(openai_server.base_url, tmp_path, generation=[{**TEACHER, "reasks": 2}])
    found = plan_generation(settings, lambda: tasks(1))
    first = list(generate_candidates(found, settings, tmp_path / "ledger.sqlite", {}, tmp_path))
    again = list(generate_candidates(found, settings, tmp_path / "ledger.sqlite", {}, tmp_path))
    assert openai_server.requests == 3
    assert first == again
    (failed,) = first
    assert isinstance(failed, Failed)
    assert (failed.stage, failed.error) == ("generate", "schema")
    assert failed.row == next(iter(found)).name
    assert len(asked) == 1


def test_a_candidate_names_how_it_was_sampled(openai_server: FaultServer, asked: list[Any], tmp_path: Path) -> None:
    def second_time_lucky(body: dict[str, Any]) -> str:
        return answer(body) if openai_server.requests > 1 else "no JSON"

    openai_server.answer = second_time_lucky
    settings = build_config(openai_server.base_url, tmp_path)
    found = plan_generation(settings, lambda: tasks(1))
    (candidate,) = generate_candidates(found, settings, tmp_path / "ledger.sqlite", {}, tmp_path)
    assert isinstance(candidate, Candidate)
    sampled = candidate.generation
    assert sampled is not None
    assert (sampled.endpoint, sampled.model, sampled.temperature) == ("teacher", "m", 0.7)
    assert sampled.seed == openai_server.bodies[1]["seed"] != openai_server.bodies[0]["seed"]
    assert f"seed {sampled.seed}" in candidate.text
    assert sampled.prompt_hash == next(iter(found)).request().prompt_hash


@pytest.mark.parametrize("damage", ["lost", "blanked", "swapped", "doubled"])
def test_rows_that_distilabel_lost_or_mixed_up_are_an_error(
    openai_server: FaultServer, asked: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    def run(job: Any) -> None:
        ask_in_this_process(job)
        (queue,) = job.queues
        first, second, third = Path(queue.outcomes).read_text(encoding="utf-8").splitlines(keepends=True)
        lines = {
            "lost": [first, second],
            "blanked": [first, "1\tnull\n", third],
            "swapped": [second, first, third],
            "doubled": [first, second, third, third],
        }[damage]
        Path(queue.outcomes).write_text("".join(lines), encoding="utf-8")
        Path(job.log).touch()

    monkeypatch.setattr(stage, "_run", run)
    openai_server.answer = answer
    settings = build_config(openai_server.base_url, tmp_path)
    found = plan_generation(settings, lambda: tasks(3))
    with pytest.raises(BuildError, match="distilabel lost, blanked or invented rows"):
        list(generate_candidates(found, settings, tmp_path / "ledger.sqlite", {}, tmp_path))
