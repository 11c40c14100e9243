from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar

import pytest

from pairwright.core.bookkeeping import Failed
from pairwright.core.components import Component
from pairwright.core.errors import RequestFailed
from pairwright.core.execution.coroutines import CoroutineRunner
from pairwright.core.records import Candidate, JudgedCandidate, Task, Verdict
from pairwright.core.requests import Answer, Ask, ChatRequest
from pairwright.pipelines.judging import candidate_judging
from pairwright.pipelines.judging.endpoint_access import EndpointAccess, UsageCounter
from pairwright.testing.factories import candidate, task, verdict


class Fixed(Component):
    """Passes or refuses everything, and counts what it saw."""

    name: ClassVar[str] = "fixed"
    passes: bool = True
    seen: list[str] = []

    async def judge(self, task: Task, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
        self.seen.extend(one.text for one in candidates)
        return [
            verdict(judge=self.name, passed=self.passes, defect=None if self.passes else "fixed") for _ in candidates
        ]


class Paid(Fixed):
    """The same, asking an endpoint."""

    name: ClassVar[str] = "paid"
    paid: ClassVar[bool] = True


class Broken(Component):
    """Never gets an answer."""

    name: ClassVar[str] = "broken"

    async def judge(self, task: Task, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
        raise RequestFailed("timeout", "no answer in 2 s")


async def no_endpoint(endpoint: str, request: ChatRequest) -> Answer:
    raise AssertionError("nothing may be asked")


def judged(pairs: Sequence[candidate_judging.Pair], *judges: Component) -> list[JudgedCandidate | Failed]:
    with CoroutineRunner() as runner:
        return list(
            candidate_judging.judge_candidates(pairs, judges, EndpointAccess(no_endpoint, runner, 4, UsageCounter()))
        )


def test_the_sources_rewrite_comes_first_and_every_candidate_stands_beside_its_task() -> None:
    tasks = [task(f"query {n}?", reference=f"gold {n}" if n % 2 else None) for n in range(4)]
    generated = [
        candidate("a", tasks[0], origin="teacher"),
        candidate("b", tasks[1], origin="weak"),
        candidate("c", tasks[1], origin="weak"),
    ]
    found = [(one.query, proposal.text) for one, proposal in candidate_judging.list_candidates(tasks, generated)]
    assert found == [
        ("query 0?", "a"),
        ("query 1?", "gold 1"),
        ("query 1?", "b"),
        ("query 1?", "c"),
        ("query 3?", "gold 3"),
    ]


def test_paid_judges_come_last_and_see_neither_the_refused_nor_the_weak() -> None:
    one = task()
    paid, free = Paid(seen=[]), Fixed(seen=[], passes=True)
    pairs = [(one, candidate("good", one, origin="teacher")), (one, candidate("weak", one, origin="weak"))]
    rows = judged(pairs, paid, free)
    assert paid.seen == ["good"]
    assert free.seen == ["good", "weak"]
    assert [[found.judge for found in row.verdicts] for row in rows if isinstance(row, JudgedCandidate)] == [
        ["fixed", "paid"],
        ["fixed"],
    ]
    refused = Paid(seen=[])
    judged(pairs, refused, Fixed(seen=[], passes=False))
    assert refused.seen == []


def test_a_judge_that_gets_no_answer_fails_its_row_and_no_other() -> None:
    one = task()
    (row,) = judged([(one, candidate("a", one))], Broken())
    assert isinstance(row, Failed)
    assert (row.error, row.stage) == ("timeout", "judge")


def test_results_keep_the_order_of_the_items_and_a_slow_one_does_not_hold_up_the_start_of_others() -> None:
    started: list[int] = []

    async def work(number: int) -> int:
        started.append(number)
        await asyncio.sleep(0.05 if number == 0 else 0)
        return number

    with CoroutineRunner() as runner:
        results = candidate_judging.ordered_map(work, range(10), 4, runner)
        assert next(results) == 0
        assert started == [0, 1, 2, 3]
        assert list(results) == list(range(1, 10))


def test_an_error_ends_the_map() -> None:
    async def work(number: int) -> int:
        if number == 3:
            raise ZeroDivisionError
        return number

    with CoroutineRunner() as runner, pytest.raises(ZeroDivisionError):
        list(candidate_judging.ordered_map(work, range(10), 4, runner))
