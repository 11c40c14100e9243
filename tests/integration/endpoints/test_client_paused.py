"""A process that is stopped (Ctrl-Z, a laptop that sleeps) longer than its time-out pays nothing twice when it goes on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pairwright.core.llm.ledger import Ledger
from pairwright.testing import FaultServer

pytestmark = pytest.mark.slow

TIMEOUT = 0.5
PAUSE = 1.8
ASK = f"""
import asyncio, sys
from pathlib import Path
from pairwright.core.llm.client import Client
from pairwright.core.config.build_file import EndpointConfig, LimitsConfig
from pairwright.core.llm.ledger import Ledger
from pairwright.core.requests import ChatRequest, Message
import openai, aiohttp, httpx2

endpoint = EndpointConfig(base_url=sys.argv[1], model="m", timeout={TIMEOUT})

async def main():
    with Ledger(Path(sys.argv[2])) as ledger:
        async with Client({{"t": endpoint}}, ledger, LimitsConfig()) as client:
            await client("t", ChatRequest(messages=(Message(role="user", content="它多少钱？"),)))

asyncio.run(main())
"""


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        yield server


def whole_request(connection: socket.socket) -> bytes:
    read = b""
    while b"}" not in read[-2:]:
        read += connection.recv(65536)
    return read


def response() -> bytes:
    body = FaultServer().completion({"model": "m", "messages": [{"content": "它多少钱？"}]})
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body


@pytest.mark.parametrize("moment", ["connected", "asked", "half the body read"])
def test_after_a_pause_what_lies_in_the_socket_is_read(listening: socket.socket, tmp_path: Path, moment: str) -> None:
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
    process = subprocess.Popen([sys.executable, "-c", ASK, url, str(tmp_path / "ledger")])
    try:
        connection, _ = listening.accept()
        with connection:
            connection.settimeout(60)
            answer = response()
            if moment != "connected":
                whole_request(connection)
            if moment == "half the body read":
                connection.sendall(answer[:-20])
                answer = answer[-20:]
                time.sleep(0.1)
            os.kill(process.pid, signal.SIGSTOP)
            if moment != "connected":
                connection.sendall(answer)
            time.sleep(PAUSE)
            os.kill(process.pid, signal.SIGCONT)
            if moment == "connected":
                whole_request(connection)
                connection.sendall(answer)
            assert process.wait(60) == 0
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()  # a second connection would be a second request
        with Ledger(tmp_path / "ledger") as ledger:
            assert (ledger.usage().requests, ledger.usage().answers) == (1, 1)
    finally:
        process.kill()
        process.wait()
