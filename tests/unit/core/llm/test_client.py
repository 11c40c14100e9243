from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from email.utils import formatdate
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairwright.core.config.build_file import EndpointConfig, LimitsConfig
from pairwright.core.config.sections import PriceConfig
from pairwright.core.errors import BudgetReached, ModelError, RequestFailed
from pairwright.core.llm import client as client_module
from pairwright.core.llm import rate_limits as limits_module
from pairwright.core.llm.client import Client, ask_json, reask, request_hash
from pairwright.core.llm.ledger import Ledger, Usage
from pairwright.core.requests import Answer, ChatRequest, Message
from pairwright.testing import FaultServer

pytestmark = pytest.mark.slow

T = TypeVar("T")
KEY = "sk-very-secret-0123456789"
FREE = LimitsConfig()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits_module, "BACKOFF_BASE", 0.01)
    monkeypatch.setattr(limits_module, "BACKOFF_CAP", 0.05)


def a_request(text: str = "Where is it?", seed: int = 0, **settings: Any) -> ChatRequest:
    return ChatRequest(messages=(Message(role="user", content=text),), seed=seed, **settings)


def an_endpoint(server: FaultServer, **settings: Any) -> EndpointConfig:
    return EndpointConfig(**({"base_url": server.base_url, "model": "m", "timeout": 5.0} | settings))


def with_client(
    endpoint: EndpointConfig, path: Path, use: Callable[[Client], Awaitable[T]], limits: LimitsConfig = FREE
) -> tuple[T, Usage]:
    """Run ``use`` with a client of one endpoint, ``t``; also return what the ledger then says."""

    async def run() -> tuple[T, Usage]:
        with Ledger(path / "ledger.sqlite") as ledger:
            async with Client({"t": endpoint}, ledger, limits) as client:
                result = await use(client)
            return result, ledger.usage()

    return asyncio.run(run())


def ask(endpoint: EndpointConfig, path: Path, request: ChatRequest, limits: LimitsConfig = FREE) -> Answer:
    return with_client(endpoint, path, lambda client: client("t", request), limits)[0]


def ask_all(
    endpoint: EndpointConfig, path: Path, requests: Sequence[ChatRequest], limits: LimitsConfig = FREE
) -> tuple[list[Answer | BaseException], Usage]:
    async def use(client: Client) -> list[Answer | BaseException]:
        return await asyncio.gather(*[client("t", request) for request in requests], return_exceptions=True)

    return with_client(endpoint, path, use, limits)


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


# Trouble with one request


def test_under_a_mix_of_faults_nearly_all_are_answered_and_the_rest_say_why(
    openai_server: FaultServer, tmp_path: Path
) -> None:
    openai_server.faults = {"429": 0.1, "500": 0.05, "hang": 0.03, "malformed": 0.03, "html": 0.01, "reset": 0.01}
    openai_server.latency = 0.005
    endpoint = an_endpoint(openai_server, max_concurrency=32, timeout=1.0, max_retries=4)
    outcomes, usage = ask_all(endpoint, tmp_path, [a_request(f"row {row}") for row in range(400)])
    failed = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert len(outcomes) - len(failed) >= 0.99 * 400
    assert all(isinstance(outcome, RequestFailed) for outcome in failed)
    assert openai_server.asked_twice == 0
    assert usage.requests >= openai_server.requests > 400
    assert set(openai_server.statuses) == {"200", "429", "500", "hang", "malformed", "html", "reset"}


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("429", "rate_limited"),
        ("500", "http_500"),
        ("503", "http_503"),
        ("408", "http_408"),
        ("409", "http_409"),
        ("hang", "timeout"),
        ("malformed", "malformed_body"),
        ("html", "malformed_body"),
        ("reset", "connection"),
    ],
)
def test_a_request_that_never_works_fails_with_its_true_kind(
    openai_server: FaultServer, tmp_path: Path, fault: str, kind: str
) -> None:
    endpoint = an_endpoint(openai_server, timeout=0.3, max_retries=2)

    async def use(client: Client) -> str:
        background = asyncio.create_task(keep_asking(client))
        await client("t", a_request("the server works"))
        openai_server.refuse = lambda body: None
        openai_server.fault_for = lambda raw: fault if b"doomed" in raw else None  # type: ignore[method-assign]
        try:
            with pytest.raises(RequestFailed) as caught:
                await client("t", a_request("doomed"))
        finally:
            background.cancel()
        return caught.value.kind

    async def keep_asking(client: Client) -> None:
        for row in range(10_000):
            await client("t", a_request(f"other row {row}"))
            await asyncio.sleep(0.002)

    assert with_client(endpoint, tmp_path, use)[0] == kind
    assert sum(b"doomed" in json.dumps(body).encode() for body in openai_server.bodies) == 3


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_row_is_not_tried_again(openai_server: FaultServer, tmp_path: Path, status: int) -> None:
    openai_server.refuse = lambda body: (status, "max_tokens is too large: 512")
    with pytest.raises(RequestFailed, match="max_tokens is too large") as caught:
        ask(an_endpoint(openai_server), tmp_path, a_request())
    assert caught.value.kind == f"http_{status}"
    assert openai_server.requests == 1


def test_a_body_without_choices_is_tried_again(openai_server: FaultServer, tmp_path: Path) -> None:
    good = openai_server.completion
    bodies = iter([b"{}", b'{"choices": []}', b'{"choices": [{"message": null}]}', b"[1]", b'{"error": {"code": 502}}'])
    openai_server.completion = lambda body: next(bodies, None) or good(body)  # type: ignore[method-assign]
    assert ask(an_endpoint(openai_server), tmp_path, a_request()).text == "an answer"
    assert openai_server.requests == 6


def test_retry_after_is_kept(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.retry_after = "0.4"
    openai_server.fault_for = lambda raw: "429" if openai_server.requests == 1 else None  # type: ignore[method-assign]
    ask(an_endpoint(openai_server), tmp_path, a_request())
    assert openai_server.arrivals[1] - openai_server.arrivals[0] >= 0.4


def test_a_date_to_come_back_at_is_read_by_the_clock_of_the_server(openai_server: FaultServer, tmp_path: Path) -> None:
    later = formatdate(time.time() + 7200, usegmt=True)
    openai_server.retry_after = f"{later}\r\nDate: {later}"
    openai_server.fault_for = lambda raw: "429" if openai_server.requests == 1 else None  # type: ignore[method-assign]
    ask(an_endpoint(openai_server), tmp_path, a_request())


# Trouble with the whole endpoint


def test_a_wrong_key_ends_the_build_without_showing_it(
    openai_server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    openai_server.key = "another"
    with pytest.raises(ModelError, match="refused the key") as caught:
        ask(an_endpoint(openai_server, api_key_env="MY_KEY"), tmp_path, a_request())
    assert "MY_KEY" in caught.value.hint
    assert KEY[-6:] not in f"{caught.value!s}{caught.value.__cause__}"
    assert openai_server.requests == 1


def test_after_a_wrong_key_nothing_more_is_sent(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.key = "another"
    requests = [a_request(f"row {row}") for row in range(50)]
    outcomes, _ = ask_all(an_endpoint(openai_server, max_concurrency=4), tmp_path, requests)
    assert all(type(outcome) is ModelError for outcome in outcomes)
    assert openai_server.requests <= 4


def test_a_key_that_is_not_set_ends_the_build_before_anything_is_sent(
    openai_server: FaultServer, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="PAIRWRIGHT_NOT_SET"):
        ask(an_endpoint(openai_server, api_key_env="PAIRWRIGHT_NOT_SET"), tmp_path, a_request())
    assert openai_server.requests == 0


def test_the_key_is_sent_and_never_written(
    openai_server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("MY_KEY", KEY)
    openai_server.key = KEY
    endpoint = an_endpoint(openai_server, api_key_env="MY_KEY", max_retries=1)
    ask(endpoint, tmp_path, a_request("private words of a user"))
    openai_server.refuse = lambda body: (500, f"cannot serve {KEY} asking 'private words of a user'")
    with pytest.raises(RequestFailed) as caught:
        ask(endpoint, tmp_path, a_request("private words of a user", seed=1))
    for text in (str(caught.value), caplog.text):
        assert "secret" not in text
        assert "private words" not in text
    for file in tmp_path.iterdir():
        assert b"secret" not in file.read_bytes()


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (404, "The model `m` does not exist"),
        (400, "Model Not Exist"),
        (404, "model 'm' not found, try pulling it first"),
    ],
)
def test_an_unknown_model_ends_the_build(openai_server: FaultServer, tmp_path: Path, status: int, message: str) -> None:
    openai_server.refuse = lambda body: (status, message)
    with pytest.raises(ModelError, match="does not know the model") as caught:
        ask(an_endpoint(openai_server), tmp_path, a_request())
    assert "endpoints.t.model" in caught.value.hint


def test_a_url_without_a_chat_api_ends_the_build(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.refuse = lambda body: (404, "Not Found")
    with pytest.raises(ModelError, match="404") as caught:
        ask(an_endpoint(openai_server), tmp_path, a_request())
    assert "/v1" in caught.value.hint


def test_a_page_instead_of_an_api_ends_the_build(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.faults = {"html": 1.0}
    with pytest.raises(ModelError, match="HTML") as caught:
        ask(an_endpoint(openai_server, max_retries=1), tmp_path, a_request())
    assert "/v1" in caught.value.hint


def test_a_server_that_is_not_there_ends_the_build_soon(tmp_path: Path) -> None:
    with FaultServer() as gone:
        endpoint = an_endpoint(gone, max_retries=50)
    with pytest.raises(ModelError, match="no connection") as caught:
        ask(endpoint, tmp_path, a_request())
    assert "endpoints.t.base_url" in caught.value.hint


def test_a_server_that_never_answers_ends_the_build(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.faults = {"hang": 1.0}
    with pytest.raises(ModelError, match=r"no answer in 0.1 s") as caught:
        ask(an_endpoint(openai_server, timeout=0.1, max_retries=2), tmp_path, a_request())
    assert "endpoints.t.timeout" in caught.value.hint


def test_a_server_that_dies_on_the_way_ends_the_build(openai_server: FaultServer, tmp_path: Path) -> None:
    async def use(client: Client) -> ModelError:
        await client("t", a_request("first"))
        openai_server.stop()
        with pytest.raises(ModelError, match="no connection") as caught:
            await client("t", a_request("second"))
        return caught.value

    error, _ = with_client(an_endpoint(openai_server, max_retries=2), tmp_path, use)
    assert "is gone" in error.hint


def test_a_pause_of_hours_ends_the_build(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.faults = {"429": 1.0}
    openai_server.retry_after = "7200"
    with pytest.raises(ModelError, match="wait 7200 s"):
        ask(an_endpoint(openai_server), tmp_path, a_request())


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
