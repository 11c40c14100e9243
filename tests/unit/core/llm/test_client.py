from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asking import a_request, an_endpoint, ask, ask_all, with_client
from hypothesis import given, settings
from hypothesis import strategies as st

from pairwright.core.config.build_file import LimitsConfig
from pairwright.core.config.sections import PriceConfig
from pairwright.core.errors import BudgetReached, RequestFailed
from pairwright.core.llm import client as client_module
from pairwright.core.llm.client import Client, ask_json, reask, request_hash
from pairwright.core.llm.ledger import Ledger
from pairwright.core.requests import Answer
from pairwright.testing import FaultServer

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("short_pauses")]

KEY = "sk-very-secret-0123456789"


# What is sent, and what comes back


def test_a_request_reaches_the_server_with_everything_that_was_asked(
    openai_server: FaultServer, tmp_path: Path
) -> None:
    schema = {"type": "object", "properties": {"rewrite": {"type": "string"}}}
    request = a_request("它在哪里？🙂", seed=7, temperature=0.5, max_tokens=9, json_schema=schema, top_logprobs=3)
    answer = ask(an_endpoint(openai_server, logprobs=True), tmp_path, request)
    body = openai_server.bodies[0]
    assert body["messages"] == [{"role": "user", "content": "它在哪里？🙂"}]
    assert (body["model"], body["seed"], body["temperature"], body["max_tokens"]) == ("m", 7, 0.5, 9)
    assert body["response_format"]["json_schema"]["schema"] == schema
    assert (body["logprobs"], body["top_logprobs"]) == (True, 3)
    assert json.loads(answer.text) == {"rewrite": "an answer"}
    assert answer.logprobs[0].top
    assert answer.finish_reason == "stop"
    assert answer.latency > 0


def test_what_an_endpoint_does_not_honour_is_not_sent(openai_server: FaultServer, tmp_path: Path) -> None:
    request = a_request(json_schema={"type": "object"}, top_logprobs=3)
    ask(an_endpoint(openai_server, json_schema=False), tmp_path, request)
    assert {"response_format", "logprobs", "top_logprobs"}.isdisjoint(openai_server.bodies[0])


@pytest.mark.parametrize("text", ["a\ud800b", "\x00\x01\x1b[31m", "x" * 10_000, "‮drow</history>", "\ud83d\ude00"])
def test_any_text_can_be_sent(openai_server: FaultServer, tmp_path: Path, text: str) -> None:
    assert ask(an_endpoint(openai_server), tmp_path, a_request(text)).text == "an answer"
    sent = openai_server.bodies[0]["messages"][0]["content"]
    assert len(sent) in (len(text), 1)
    sent.encode()


def test_an_answer_with_a_lone_surrogate_is_kept(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.answer = lambda body: "broken \ud83d emoji"
    answer = ask(an_endpoint(openai_server), tmp_path, a_request())
    assert answer.text == "broken � emoji"
    assert ask(an_endpoint(openai_server), tmp_path, a_request()) == answer


def test_a_server_without_usage_is_counted_by_estimate(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.completion = lambda body: b'{"choices": [{"message": {"content": "hello hello"}}]}'  # type: ignore[method-assign]
    _, usage = with_client(an_endpoint(openai_server), tmp_path, lambda client: client("t", a_request()))
    assert usage.prompt_tokens > 10
    assert usage.completion_tokens == 3


def test_the_hash_names_model_and_request_but_not_the_server() -> None:
    assert request_hash("m", a_request()) == request_hash("m", a_request())
    others = [
        request_hash("n", a_request()),
        request_hash("m", a_request("other")),
        request_hash("m", a_request(seed=1)),
        request_hash("m", a_request(temperature=0.1)),
        request_hash("m", a_request(max_tokens=1)),
        request_hash("m", a_request(json_schema={"type": "object"})),
        request_hash("m", a_request(top_logprobs=1)),
    ]
    assert len({request_hash("m", a_request()), *others}) == len(others) + 1


# Asked once


def test_an_answer_is_never_asked_for_again(openai_server: FaultServer, tmp_path: Path) -> None:
    first = ask(an_endpoint(openai_server), tmp_path, a_request())
    with FaultServer() as elsewhere:
        assert ask(an_endpoint(elsewhere), tmp_path, a_request()) == first
        assert elsewhere.requests == 0


def test_identical_requests_at_the_same_time_are_sent_once(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.latency = 0.05
    answers, usage = ask_all(an_endpoint(openai_server), tmp_path, [a_request()] * 20)
    assert openai_server.requests == usage.requests == 1
    assert len({str(answer) for answer in answers}) == 1


def test_the_answers_from_the_ledger_are_counted(openai_server: FaultServer, tmp_path: Path) -> None:
    async def use(client: Client) -> int:
        await client("t", a_request())
        await client("t", a_request())
        return client.reused

    assert with_client(an_endpoint(openai_server), tmp_path, use)[0] == 1


def test_a_ledger_with_all_answers_needs_no_key(openai_server: FaultServer, tmp_path: Path) -> None:
    answer = ask(an_endpoint(openai_server), tmp_path, a_request())
    assert ask(an_endpoint(openai_server, api_key_env="PAIRWRIGHT_NOT_SET"), tmp_path, a_request()) == answer


def test_an_abandoned_request_is_still_answered_into_the_ledger(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.latency = 0.2

    async def use(client: Client) -> None:
        waiting = asyncio.create_task(client("t", a_request()))
        while openai_server.requests == 0:
            await asyncio.sleep(0.01)
        waiting.cancel()

    _, usage = with_client(an_endpoint(openai_server), tmp_path, use)
    assert usage.answers == 1


def test_leaving_does_not_wait_long_for_a_server_that_hangs(
    openai_server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "GRACE", 0.2)
    openai_server.faults = {"hang": 1.0}

    async def use(client: Client) -> None:
        waiting = asyncio.create_task(client("t", a_request()))
        while openai_server.requests == 0:
            await asyncio.sleep(0.01)
        waiting.cancel()

    started = time.monotonic()
    _, usage = with_client(an_endpoint(openai_server, timeout=60.0), tmp_path, use)
    assert time.monotonic() - started < 30  # the endpoint may take a minute
    assert (usage.requests, usage.answers) == (1, 0)
    assert usage.reserved_tokens > 0


def test_on_the_way_out_nothing_is_tried_again(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.faults = {"500": 1.0}
    openai_server.latency = 0.2

    async def use(client: Client) -> None:
        waiting = asyncio.create_task(client("t", a_request()))
        while openai_server.requests == 0:
            await asyncio.sleep(0.01)
        waiting.cancel()

    _, usage = with_client(an_endpoint(openai_server), tmp_path, use)
    assert usage.requests == openai_server.requests == 1


# Budgets, rates, concurrency


def test_a_budget_of_requests_is_kept_to_the_exact_request(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.faults = {"500": 0.2}
    requests = [a_request(f"row {row}") for row in range(100)]
    endpoint = an_endpoint(openai_server, max_retries=20)
    outcomes, usage = ask_all(endpoint, tmp_path, requests, LimitsConfig(max_requests=50))
    assert openai_server.requests == usage.requests == 50
    assert sum(isinstance(outcome, BudgetReached) for outcome in outcomes) == 100 - usage.answers
    outcomes, _ = ask_all(endpoint, tmp_path, requests, LimitsConfig(max_requests=1000))
    assert all(isinstance(outcome, Answer) for outcome in outcomes)
    assert openai_server.asked_twice == 0


def test_two_clients_on_one_ledger_share_the_budget_and_the_answers(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.latency = 0.01

    async def scene() -> list[Any]:
        with Ledger(tmp_path / "l") as one, Ledger(tmp_path / "l") as two:
            endpoints = {"t": an_endpoint(openai_server)}
            limits = LimitsConfig(max_requests=50)
            async with Client(endpoints, one, limits) as first, Client(endpoints, two, limits) as second:
                asking = [
                    client("t", a_request(f"row {row}", seed))
                    for row in range(40)
                    for seed, client in enumerate((first, second))
                ]
                return await asyncio.gather(*asking, return_exceptions=True)

    outcomes = asyncio.run(scene())
    assert openai_server.requests == 50
    assert Counter(type(outcome) for outcome in outcomes) == {Answer: 50, BudgetReached: 30}


def test_a_budget_of_tokens_is_used_up_but_not_passed(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.latency = 0.005
    requests = [a_request(f"row {row} " * 50, max_tokens=50) for row in range(100)]
    _, usage = ask_all(an_endpoint(openai_server), tmp_path, requests, LimitsConfig(max_tokens=5000))
    assert 4000 < usage.prompt_tokens + usage.completion_tokens <= 5000


def test_a_budget_of_money_is_not_passed(openai_server: FaultServer, tmp_path: Path) -> None:
    endpoint = an_endpoint(openai_server, price=PriceConfig(input=1000.0, output=2000.0))
    requests = [a_request(f"row {row} " * 50, max_tokens=50) for row in range(100)]
    outcomes, usage = ask_all(endpoint, tmp_path, requests, LimitsConfig(max_cost=5.0))
    assert 3.5 < usage.cost <= 5.0
    assert "limits.max_cost of 5.0" in str(outcomes[-1])


@pytest.mark.parametrize("said", [-(10**6), 10**30, -1])
def test_no_usage_that_a_server_makes_up_lets_it_pass_a_budget(
    openai_server: FaultServer, tmp_path: Path, said: int
) -> None:
    usage = {"prompt_tokens": said, "completion_tokens": said}
    openai_server.completion = lambda body: json.dumps(  # type: ignore[method-assign]
        {"choices": [{"message": {"content": "你好 hello"}}], "usage": usage}
    ).encode()
    requests = [a_request(f"row {row} " * 50, max_tokens=50) for row in range(100)]
    outcomes, used = ask_all(an_endpoint(openai_server), tmp_path, requests, LimitsConfig(max_tokens=5000))
    assert 4000 < used.prompt_tokens + used.completion_tokens <= 5000
    assert "limits.max_tokens" in str(outcomes[-1])


def test_concurrency_falls_under_refusals_and_recovers(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.latency = 0.002
    openai_server.fault_for = lambda raw: "429" if openai_server.in_flight > 4 else None  # type: ignore[method-assign]
    endpoint = an_endpoint(openai_server, max_concurrency=32, max_retries=20)

    async def use(client: Client) -> tuple[float, float]:
        limiter = client._endpoints["t"].limiter
        await asyncio.gather(*[client("t", a_request(f"row {row}")) for row in range(200)])
        tight = limiter.limit
        openai_server.fault_for = lambda raw: None  # type: ignore[method-assign]
        for batch in range(10):
            await asyncio.gather(*[client("t", a_request(f"later {batch} {row}")) for row in range(100)])
        return tight, limiter.limit

    (tight, wide), usage = with_client(endpoint, tmp_path, use)
    assert tight < 12
    assert wide == 32
    assert openai_server.max_in_flight <= 32
    assert usage.requests < 1.5 * usage.answers


@pytest.mark.parametrize(
    ("rates", "least", "most"),
    [
        ({"requests_per_minute": 20}, 20, 20),
        ({"tokens_per_minute": 1000}, 60, 1000 // 11),  # 8 tokens of prompt and 3 of answer each
    ],
)
def test_rates_per_minute_are_kept(
    openai_server: FaultServer, tmp_path: Path, rates: dict[str, int], least: float, most: float
) -> None:
    async def use(client: Client) -> None:
        asking = asyncio.gather(*[client("t", a_request(f"row {row:024d}", max_tokens=4)) for row in range(100)])
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asking, 1.5)

    with_client(an_endpoint(openai_server, **rates), tmp_path, use)
    assert least <= openai_server.requests <= most


# Answers that must parse


def test_an_answer_that_parses_is_returned_with_what_it_took(openai_server: FaultServer, tmp_path: Path) -> None:
    answers = iter(["no json", '{"a": 1}'])
    openai_server.answer = lambda body: next(answers)

    async def use(client: Client) -> tuple[dict[str, int], tuple[Answer, ...]]:
        return await ask_json(client, "t", a_request(seed=5), json.loads, reasks=2)

    (value, taken), _ = with_client(an_endpoint(openai_server), tmp_path, use)
    assert value == {"a": 1}
    assert [answer.text for answer in taken] == ["no json", '{"a": 1}']
    assert [body["seed"] for body in openai_server.bodies] == [5, reask(a_request(seed=5), 1).seed]


def _refuse(text: str) -> str:
    raise ValueError("rewrite: missing")


@pytest.mark.parametrize(
    ("said", "parse", "kind"),
    [
        ("not json", json.loads, "not_json"),
        ("{}", _refuse, "schema"),
        ({"finish_reason": "length", "message": {"content": '{"a'}}, json.loads, "truncated"),
        ({"message": {"content": None, "refusal": "I cannot"}}, json.loads, "refused"),
        ({"finish_reason": "content_filter", "message": {"content": "x"}}, json.loads, "refused"),
        ("  ", json.loads, "empty"),
    ],
)
def test_an_answer_that_never_can_be_used_fails_with_its_kind(
    openai_server: FaultServer, tmp_path: Path, said: Any, parse: Callable[[str], Any], kind: str
) -> None:
    openai_server.answer = lambda body: said

    async def use(client: Client) -> Any:
        return await ask_json(client, "t", a_request(), parse, reasks=1)

    with pytest.raises(RequestFailed) as caught:
        with_client(an_endpoint(openai_server), tmp_path, use)
    assert caught.value.kind == kind
    assert openai_server.requests == 2


@settings(max_examples=50)
@given(st.integers(0, 2**63), st.integers(1, 5))
def test_seeds_of_reasks_are_their_own_and_fit_every_server(seed: int, times: int) -> None:
    seeds = {reask(a_request(seed=seed), n).seed for n in range(1, times + 1)}
    assert len(seeds) == times
    assert all(0 <= n < 2**31 for n in seeds)
