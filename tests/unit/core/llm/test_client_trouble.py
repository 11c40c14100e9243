from __future__ import annotations

import asyncio
import json
import logging
import time
from email.utils import formatdate
from pathlib import Path

import pytest
from asking import a_request, an_endpoint, ask, ask_all, with_client

from pairwright.core.errors import ModelError, RequestFailed
from pairwright.core.llm.client import Client
from pairwright.testing import FaultServer

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("short_pauses")]

KEY = "sk-very-secret-0123456789"


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
