"""An OpenAI-compatible server that misbehaves on purpose, for tests and benchmarks.

In a test::

    with FaultServer(faults={"429": 0.1}, answer=lambda body: "When was Ada Lindqvist born?") as server:
        ...  # base_url: server.base_url

or with the fixture ``openai_server`` of ``pairwright.testing.fixtures``. As its own process::

    python -m pairwright.testing.fault_server --port 0 --latency 0.05 --faults '{"429": 0.1}' --answer my_answers.py:function

prints its URL as the first line and runs until it is killed; ``GET /stats`` (beside ``/v1``) returns the counts as JSON.

Faults are shares between 0 and 1: ``429`` (with Retry-After), ``500``, ``hang`` (no answer at all), ``malformed``
(cut JSON), ``html`` (HTML with status 200), ``reset`` (connection reset), ``slow`` (answered ``slow_seconds`` late). What
happens to a request depends only on the seed, its body and how often that body came before.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import importlib.util
import json
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Self

Body = dict[str, Any]
"""A chat completion request as JSON."""

Behaviour = Callable[[Body], str | Mapping[str, Any]]
"""What a model says to a request: the text, or a mapping that is merged over the choice of the response."""


def example_of(schema: Mapping[str, Any]) -> Any:
    """A small value that satisfies a JSON schema: the default answer to requests with one."""
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return {name: example_of(part) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        return [example_of(schema["items"])] * int(schema.get("minItems", 0))
    return {
        "string": "an answer",
        "integer": schema.get("minimum", 1),
        "number": schema.get("minimum", 1),
        "boolean": True,
    }.get(str(kind))


def default_answer(body: Body) -> str:
    """An example of the asked schema, else ``an answer``."""
    schema = body.get("response_format", {}).get("json_schema", {}).get("schema")
    return json.dumps(example_of(schema)) if schema else "an answer"


class FaultServer:
    """A server on its own thread, from ``with`` to the end of the block; every attribute may be changed while it runs.

    ``latency`` is in seconds, ``faults`` are shares by name (see the module). ``answer(body)`` returns the text, or a mapping
    that is merged over the choice (``message``, ``logprobs``, ``finish_reason``). ``requests`` counts all that arrived,
    ``answered`` the good answers by body; ``bodies`` keeps what was asked unless ``keep_bodies`` is false. ``key`` is the
    only API key that is let in (any, when None). ``refuse(body)`` may give a ``(status, error message)`` to answer with.

    >>> with FaultServer(answer=lambda body: "yes") as server:
    ...     endpoint = {"base_url": server.base_url, "model": "any"}  # under ``endpoints`` of a build file
    """

    def __init__(
        self,
        *,
        latency: float = 0.0,
        faults: Mapping[str, float] | None = None,
        answer: Behaviour = default_answer,
        keep_bodies: bool = True,
    ) -> None:
        self.latency = latency
        self.faults: Mapping[str, float] = faults or {}
        self.answer: Behaviour = answer
        self.refuse: Callable[[Body], tuple[int, str] | None] = lambda body: None
        self.key: str | None = None
        self.retry_after = "0"
        self.slow_seconds = 2.0
        self.seed = 0
        self.keep_bodies = keep_bodies
        self.requests = 0
        self.in_flight = 0
        self.max_in_flight = 0
        self.statuses: Counter[str] = Counter()
        self.answered: Counter[bytes] = Counter()
        self.bodies: list[Body] = []
        self.arrivals: list[float] = []
        self._seen: Counter[bytes] = Counter()
        self._connections: set[asyncio.Transport] = set()
        self.port = 0

    @property
    def base_url(self) -> str:
        """What a build file gives an endpoint as ``base_url``."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def asked_twice(self) -> int:
        """How many good answers went out for a body that already had one."""
        return sum(count - 1 for count in self.answered.values())

    def stats(self) -> dict[str, Any]:
        """The counts as JSON, also at ``GET /stats``."""
        return {
            "requests": self.requests,
            "in_flight": self.in_flight,
            "max_in_flight": self.max_in_flight,
            "answered": len(self.answered),
            "asked_twice": self.asked_twice,
            "statuses": dict(self.statuses),
        }

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_until_complete, args=(self._until_stopped(ready),), daemon=True
        )
        self._thread.start()
        ready.wait()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop listening and cut all connections; may be called twice."""
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    async def _until_stopped(self, ready: threading.Event) -> None:
        self._stop = asyncio.Event()
        server = await self.start(0)
        ready.set()
        await self._stop.wait()
        server.close()
        for connection in tuple(self._connections):
            connection.abort()
        await asyncio.sleep(0)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def start(self, port: int) -> asyncio.Server:
        """Listen on loopback; port 0 takes a free one."""
        server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(self), "127.0.0.1", port, backlog=1024
        )
        self.port = server.sockets[0].getsockname()[1]
        return server

    def fault_for(self, raw: bytes) -> str | None:
        """Which fault this arrival of the body meets."""
        if not self.faults:
            return None
        self._seen[raw] += 1
        digest = hashlib.sha256(b"%d:%d:%s" % (self.seed, self._seen[raw], raw)).digest()
        draw = random.Random(digest).random()
        for fault, share in self.faults.items():
            if draw < share:
                return fault
            draw -= share
        return None

    def completion(self, body: Body) -> bytes:
        """The good response to ``body``."""
        said = self.answer(body)
        changes: Mapping[str, Any] = (
            {"message": {"role": "assistant", "content": said}} if isinstance(said, str) else said
        )
        choice: dict[str, Any] = {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": ""},
        } | dict(changes)
        text = choice["message"].get("content") or ""
        if body.get("logprobs") and "logprobs" not in choice:
            token = {"token": text, "logprob": -0.1, "top_logprobs": [{"token": text, "logprob": -0.1}]}
            choice["logprobs"] = {"content": [token]}
        prompt = sum(len(message["content"]) for message in body["messages"]) // 4 + 1
        written = len(text) // 4 + 1
        usage = {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}
        return json.dumps(
            {
                "id": "1",
                "object": "chat.completion",
                "created": 0,
                "model": body["model"],
                "choices": [choice],
                "usage": usage,
            }
        ).encode()


class _Connection(asyncio.Protocol):
    """One keep-alive HTTP/1.1 connection; as little work per request as Python allows."""

    def __init__(self, server: FaultServer) -> None:
        self._server = server
        self._buffer = b""
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server._connections.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server._connections.discard(self._transport)
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, split, rest = self._buffer.partition(b"\r\n\r\n")
        if not split:
            return
        lines = head.split(b"\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines[1:])}
        length = int(headers.get(b"content-length", b"0"))
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        if lines[0].startswith(b"GET"):
            self._send(200, json.dumps(self._server.stats()).encode())
            return
        self._task = asyncio.ensure_future(self._handle(headers, rest[:length]))

    async def _handle(self, headers: Mapping[bytes, bytes], raw: bytes) -> None:
        server = self._server
        server.requests += 1
        server.arrivals.append(asyncio.get_running_loop().time())
        server.in_flight += 1
        server.max_in_flight = max(server.max_in_flight, server.in_flight)
        try:
            await self._respond(headers, raw, server.fault_for(raw))
        finally:
            server.in_flight -= 1

    async def _respond(self, headers: Mapping[bytes, bytes], raw: bytes, fault: str | None) -> None:
        server = self._server
        body = json.loads(raw)
        if server.keep_bodies:
            server.bodies.append(body)
        key = headers.get(b"authorization", b"").decode().removeprefix("Bearer ")
        if server.key is not None and key != server.key:
            self._error(401, f"Incorrect API key provided: {key}.")
            return
        if (refusal := server.refuse(body)) is not None:
            self._error(*refusal)
            return
        if fault == "hang":
            server.statuses["hang"] += 1
            await asyncio.sleep(3600)
        await asyncio.sleep(server.slow_seconds if fault == "slow" else server.latency)
        if fault in (None, "slow"):
            server.answered[raw] += 1
            self._send(200, server.completion(body))
        else:
            self._fail(fault, body)

    def _fail(self, fault: str, body: Body) -> None:
        if fault == "429":
            self._error(429, "Rate limit reached", f"Retry-After: {self._server.retry_after}\r\n")
        elif fault == "malformed":
            self._send(200, self._server.completion(body)[:40], note="malformed")
        elif fault == "html":
            self._send(200, b"<!DOCTYPE html><html><body>Bad gateway</body></html>", note="html")
        elif fault == "reset":
            self._server.statuses["reset"] += 1
            self._transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            self._transport.abort()
        else:
            self._error(int(fault), "The server had an error")

    def _error(self, status: int, message: str, headers: str = "") -> None:
        self._send(status, json.dumps({"error": {"message": message, "type": "error", "code": None}}).encode(), headers)

    def _send(self, status: int, body: bytes, headers: str = "", note: str = "") -> None:
        self._server.statuses[note or str(status)] += 1
        kind = "text/html" if note == "html" else "application/json"
        head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        self._transport.write(head.encode() + body)


def _load(reference: str) -> Behaviour:
    file, _, function = reference.partition(":")
    spec = importlib.util.spec_from_file_location("answers", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Behaviour = vars(module)[function]
    return found


async def _serve(arguments: argparse.Namespace) -> None:
    answer = _load(arguments.answer) if arguments.answer else default_answer
    server = FaultServer(
        latency=arguments.latency, faults=json.loads(arguments.faults), answer=answer, keep_bodies=False
    )
    server.slow_seconds = arguments.slow_seconds
    server.retry_after = arguments.retry_after
    server.seed = arguments.seed
    listening = await server.start(arguments.port)
    print(server.base_url, flush=True)
    await listening.serve_forever()


def main() -> None:
    """Serve as a process of its own; see the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds")
    parser.add_argument("--faults", default="{}", help="JSON object of shares")
    parser.add_argument("--slow-seconds", type=float, default=2.0)
    parser.add_argument("--retry-after", default="0")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--answer", help="FILE.py:FUNCTION that makes the text from the request's body")
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
