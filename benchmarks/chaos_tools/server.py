"""The server of a round: a model made of rules whose connection fails in every way that the world knows.

What the *model* says wrongly (an answer that is empty, refused, cut off or half of its JSON) follows from the body
alone, so an undisturbed build gets the same. What the *server* does wrongly follows from the round's seed and from how
often the body came before.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any, Self

from chaos_tools.scripted_model import answer
from chaos_tools.shapes import TIMEOUT
from pairwright.testing import FaultServer

FAULTS = (
    "429", "500", "503", "hang", "slow", "drip", "cut", "reset", "malformed", "html", "huge", "deep", "empty_body",
    "odd_type", "padded",
)  # fmt: skip
"""All that can happen to a request. The answer to ``slow``, ``drip``, ``odd_type`` and ``padded`` arrives whole."""
_WHOLE = ("slow", "drip", "odd_type", "padded")


def say(body: dict[str, Any]) -> str | Mapping[str, Any]:
    """What the model answers: mostly well, in one of fifteen requests not."""
    said = answer(body)
    draw = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()[5]
    if draw < 4:
        return {"finish_reason": "length", "message": {"role": "assistant", "content": said[: len(said) // 2]}}
    if draw < 8:
        return {"message": {"role": "assistant", "content": ""}}
    if draw < 12:
        return said[: len(said) // 2]
    if draw < 16:
        return {"message": {"role": "assistant", "content": None, "refusal": "I cannot help with that."}}
    return said


class Sent:
    """One answer that went out whole: which body, on which connection, when it arrived and when it was gone (seconds)."""

    def __init__(self, body: str, line: Line, arrived: float) -> None:
        self.body, self.line, self.arrived, self.done = body, line, arrived, time.monotonic()

    @property
    def last(self) -> bool:
        """Whether nothing was asked on its connection afterwards: its client may not have seen it."""
        return self.line.sent[-1] is self and self.line.begun == self.line.ended


class ChaosServer:
    """Runs on a thread of its own; may go away and come back on its port. ``key`` is the only key that it lets in."""

    def __init__(self, seed: int, key: str, faults: Mapping[str, float], latency: float) -> None:
        self.key, self.seed, self.latency = key, seed, latency
        self.faults: Mapping[str, float] = faults
        self.arrived = 0
        self.sent: list[Sent] = []
        self.met: Counter[str] = Counter()
        self.model = FaultServer(answer=say)
        self._seen: Counter[bytes] = Counter()
        self._lines: set[Line] = set()
        self._listening: asyncio.Server | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """What a build file gives as ``base_url``."""
        return f"http://127.0.0.1:{self._port}/v1"

    def calm(self) -> None:
        """No more trouble from now on."""
        self.faults, self.latency = {}, min(self.latency, 0.02)

    def times_answered(self) -> Counter[str]:
        """How often each body was answered whole."""
        return Counter(one.body for one in self.sent)

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.come_back()
        return self

    def __exit__(self, *exc: object) -> None:
        self.go_away()
        self._call(self._cancel())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def come_back(self) -> None:
        """Listen again, on the same port."""
        self._call(self._listen())

    def go_away(self) -> None:
        """Listen no more and cut all connections."""
        self._call(self._leave())

    def _call(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _listen(self) -> None:
        make = asyncio.get_running_loop().create_server
        self._listening = await make(lambda: Line(self), "127.0.0.1", self._port, backlog=512, reuse_address=True)
        self._port = self._listening.sockets[0].getsockname()[1]

    async def _leave(self) -> None:
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        for line in tuple(self._lines):
            line.cut()

    async def _cancel(self) -> None:
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    def fault_for(self, raw: bytes) -> str | None:
        """What happens to this arrival of the body."""
        self._seen[raw] += 1
        digest = hashlib.sha256(b"%d:%d:%s" % (self.seed, self._seen[raw], raw)).digest()
        draw = random.Random(digest).random()
        for fault, share in self.faults.items():
            if draw < share:
                return fault
            draw -= share
        return None


class Line(asyncio.Protocol):
    """One connection. ``closed`` is when it ended; ``cut_by_us`` that the server did it."""

    def __init__(self, server: ChaosServer) -> None:
        self._server = server
        self._buffer = b""
        self._task: asyncio.Task[None] | None = None
        self.sent: list[Sent] = []
        self.begun = self.ended = 0
        self.closed: float | None = None
        self.cut_by_us = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server._lines.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.closed = time.monotonic()
        self._server._lines.discard(self)
        if self._task is not None:
            self._task.cancel()

    def cut(self, reset: bool = False) -> None:
        """End the connection as a server that dies does."""
        self.cut_by_us = True
        if reset:
            linger = struct.pack("ii", 1, 0)
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, split, rest = self._buffer.partition(b"\r\n\r\n")
        if not split:
            return
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in head.split(b"\r\n")[1:])
        }
        length = int(headers.get(b"content-length", b"0"))
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        self.begun += 1
        self._server.arrived += 1
        self._task = asyncio.ensure_future(self._respond(headers, rest[:length]))

    async def _respond(self, headers: Mapping[bytes, bytes], raw: bytes) -> None:
        server, arrived = self._server, time.monotonic()
        given = headers.get(b"authorization", b"").decode()
        if given != f"Bearer {server.key}":
            self._error(401, f"wrong key {given}")
            return
        fault = server.fault_for(raw)
        server.met[fault or "none"] += 1
        rng = random.Random(raw)
        if fault == "hang":
            await asyncio.sleep(3600)
        # Well below the time-out of the build or not at all: between the two nobody could say whose fault it is.
        await asyncio.sleep(rng.uniform(0.8, 2.4) if fault == "slow" else server.latency)
        body = server.model.completion(json.loads(raw))
        if fault is None or fault in _WHOLE:
            await self._send_whole(body, fault)
            self.sent.append(Sent(hashlib.sha256(raw).hexdigest(), self, arrived))
            server.sent.append(self.sent[-1])
            self.ended += 1
        else:
            await self._fail(fault, body, given, rng)

    async def _send_whole(self, body: bytes, fault: str | None) -> None:
        if fault == "padded":
            body = body[:-1] + b', "padding": "' + b"x" * 200_000 + b'"}'
        kind = (
            "Content-Type: text/plain; charset=gbk\r\n" if fault == "odd_type" else "Content-Type: application/json\r\n"
        )
        head = f"HTTP/1.1 200 OK\r\n{kind}Content-Length: {len(body)}\r\n\r\n".encode()
        if fault == "drip":
            for at in range(0, len(body), len(body) // 8 + 1):
                if at:  # not after the last piece: whoever goes away then has the whole answer
                    await asyncio.sleep(0.15)
                self._transport.write(head + body[at : at + len(body) // 8 + 1])
                head = b""
            return
        self._transport.write(head + body)

    async def _fail(self, fault: str, body: bytes, given: str, rng: random.Random) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        if fault == "cut":
            self._transport.write(head + body[: rng.randrange(1, len(body) - 1)])
            await asyncio.sleep(0.02)
            self.cut()
        elif fault == "reset":
            self.cut(reset=True)
        elif fault in ("malformed", "html", "huge", "deep", "empty_body"):
            said = {
                "malformed": body[: len(body) // 2],
                "html": b"<!DOCTYPE html><html>Bad gateway</html>",
                "huge": b'{"id": "' + b"x" * 8_000_000,
                "deep": b"[" * 200_000,
                "empty_body": b"",
            }[fault]
            self._transport.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(said)}\r\n\r\n".encode() + said)
            self.ended += 1
        else:
            # Some servers quote what they were sent, the key too.
            self._error(int(fault), f"failed for {given}", f"Retry-After: {rng.choice(('0', '1', '2'))}\r\n")

    def _error(self, status: int, message: str, headers: str = "") -> None:
        body = json.dumps({"error": {"message": message, "type": "error", "code": None}}).encode()
        self._transport.write(f"HTTP/1.1 {status} X\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        self.ended += 1


def cuts_off(sent: Sent) -> bool:
    """Whether the server itself may have kept an answer from its client: it cut the line, or took nearly the time-out."""
    return (sent.last and sent.line.cut_by_us) or sent.done - sent.arrived > 0.6 * TIMEOUT
