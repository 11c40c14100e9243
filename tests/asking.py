"""One client of one endpoint, as tests ask with it, and a process that is killed while it asks."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pairwright.core.config.build_file import EndpointConfig, LimitsConfig
from pairwright.core.llm.client import Client
from pairwright.core.llm.ledger import Ledger, Usage
from pairwright.core.requests import Answer, ChatRequest, Message
from pairwright.testing import FaultServer

T = TypeVar("T")
FREE = LimitsConfig()


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


def die_asking(ledger: Path) -> None:
    """A process that begins the request ``h`` of seven tokens in ``ledger`` and is killed."""
    dying = (
        "import os, signal; from pathlib import Path; from pairwright.core.llm.ledger import Ledger;"
        "from pairwright.core.config.build_file import LimitsConfig;"
        f"Ledger(Path({str(ledger)!r})).__enter__().begin('h', 'a', 7, 0.0, LimitsConfig());"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", dying], check=False).returncode == -9
