from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest

from pairwright.core.llm import connections
from pairwright.core.llm.connections import Connections, proxy_for
from pairwright.core.llm.transport import Transport, Trouble
from pairwright.testing import FaultServer


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def post(url: str, **settings: Any) -> httpx2.Response:
    async def run() -> httpx2.Response:
        connections = Connections(url, most=2)
        try:
            body = b'{"model": "m", "messages": []}'
            return await connections.send(connections.build_request("POST", url, content=body, headers=settings))
        finally:
            await connections.aclose()

    return asyncio.run(run())


def test_a_response_brings_status_body_and_retry_after(openai_server: FaultServer) -> None:
    url = f"{openai_server.base_url}/chat/completions"
    assert post(url).json()["choices"][0]["message"]["content"] == "an answer"
    openai_server.faults = {"429": 1.0}
    openai_server.retry_after = "3"
    refused = post(url)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "3")


def test_only_the_given_headers_carry_a_key(openai_server: FaultServer) -> None:
    openai_server.key = "k"
    url = f"{openai_server.base_url}/chat/completions"
    assert post(url).status_code == 401
    assert post(url, Authorization="Bearer k").status_code == 200


def test_a_broken_connection_is_an_error_of_the_transport(openai_server: FaultServer) -> None:
    openai_server.faults = {"reset": 1.0}
    with pytest.raises(httpx2.TransportError) as caught:
        post(f"{openai_server.base_url}/chat/completions")
    assert caught.value.__cause__ is not None


def test_proxies_of_the_environment_are_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost,.internal")
    assert proxy_for("https://api.openai.com/v1") == "http://proxy.example:3128"
    assert proxy_for("http://api.openai.com/v1") is None
    assert proxy_for("https://models.internal/v1") is None
    assert proxy_for("https://127.0.0.1:8000/v1") is None


def test_a_request_goes_through_the_proxy(openai_server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", openai_server.base_url.removesuffix("/v1"))
    assert post("http://nowhere.invalid/v1/chat/completions").status_code == 200


@contextmanager
def server(status: int, headers: dict[str, str], body: bytes = b"") -> Iterator[tuple[str, list[bytes]]]:
    """The base URL of a server that answers every request so, and the bodies that it was sent."""
    sent: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}/v1", sent
        running.shutdown()


def send(base_url: str, key: str = "sk-secret") -> bytes | Trouble:
    async def run() -> bytes | Trouble:
        transport = Transport("teacher", base_url, key, "KEY", timeout=30, connections=1)
        try:
            return await transport.send(b'{"messages": ["private"]}')
        finally:
            await transport.close()

    return asyncio.run(run())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_sends_nothing_to_another_address(status: int) -> None:
    with server(200, {}) as (other, arrived), server(status, {"Location": f"{other}?key=sk-1"}) as (first, sent):
        trouble = send(first)
    assert isinstance(trouble, Trouble)
    assert trouble.fatal
    assert f"redirects to {other}," in trouble.message
    assert "endpoints.teacher.base_url" in trouble.hint
    assert "sk-" not in str(trouble)
    assert (len(sent), arrived) == (1, [])


@pytest.mark.parametrize(
    "location",
    ["http://evil.example/{}/v1", "http://{}.example/v1", "http://evil.example/%20{}", "http://evil.example/private"],
)
def test_a_redirect_shows_neither_the_key_nor_the_request(location: str) -> None:
    key = "PlainSecretValue98765zyx"
    with server(307, {"Location": location.format(key)}) as (url, _):
        trouble = send(url, key)
    assert isinstance(trouble, Trouble)
    assert key[:10].lower() not in trouble.message.lower()


def test_a_body_with_the_key_in_it_is_trouble_and_goes_into_no_file() -> None:
    key = "plain-secret-value"
    with server(200, {}, b'{"model": "plain-secret-value", "choices": []}') as (url, _):
        trouble = send(url, key)
    assert isinstance(trouble, Trouble)
    assert (trouble.kind, trouble.billed) == ("malformed_body", True)
    assert key not in trouble.message
    with server(200, {}, b"what a word") as (url, _):  # short enough to be said by chance
        assert send(url, "word") == b"what a word"


@pytest.mark.parametrize("location", ["", "http://[::1", "http://host:port/", "\t\x85//x"])
def test_a_redirect_to_no_address_is_told_all_the_same(location: str) -> None:
    with server(307, {"Location": location}) as (url, _):
        trouble = send(url)
    assert isinstance(trouble, Trouble)
    assert "redirects to" in trouble.message
    assert trouble.message.isprintable()


def test_a_body_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_BYTES", 1000)
    with server(200, {}, b"x" * 5_000_000) as (url, _):
        assert send(url) == b"x" * 1000
