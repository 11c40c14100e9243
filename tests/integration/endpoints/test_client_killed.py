"""What a killed process leaves behind, and two processes on one ledger."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pairwright.core.llm.ledger import Ledger
from pairwright.testing import FaultServer

ASK = """
import asyncio, os, signal, sys
from pathlib import Path
from pairwright.core.llm.client import Client
from pairwright.core.config.build_file import EndpointConfig, LimitsConfig
from pairwright.core.llm.ledger import Ledger
from pairwright.core.requests import ChatRequest, Message

url, path, rows, die_after = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
answered = 0

async def ask(client, row):
    global answered
    await client("t", ChatRequest(messages=(Message(role="user", content=f"row {row}"),)))
    answered += 1
    if answered == die_after:
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    with Ledger(path) as ledger:
        async with Client({"t": EndpointConfig(base_url=url, model="m", max_concurrency=8)}, ledger, LimitsConfig()) as client:
            await asyncio.gather(*[ask(client, row) for row in range(rows)])

asyncio.run(main())
"""


def asking(server: FaultServer, ledger: Path, rows: int, die_after: int = -1) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", ASK, server.base_url, str(ledger), str(rows), str(die_after)])


@pytest.mark.parametrize("die_after", [1, 20])
def test_after_a_kill_only_what_was_on_its_way_is_asked_again(
    openai_server: FaultServer, tmp_path: Path, die_after: int
) -> None:
    openai_server.latency = 0.01
    assert asking(openai_server, tmp_path / "l", 40, die_after).wait() == -9
    with Ledger(tmp_path / "l") as ledger:
        kept = ledger.usage()
    assert kept.answers >= die_after
    assert asking(openai_server, tmp_path / "l", 40).wait() == 0
    assert openai_server.requests <= 40 + 8
    with Ledger(tmp_path / "l") as ledger:
        assert ledger.usage().answers == 40
        assert openai_server.requests <= ledger.usage().requests <= 40 + 8


def test_two_processes_share_one_ledger(openai_server: FaultServer, tmp_path: Path) -> None:
    first = asking(openai_server, tmp_path / "l", 60)
    second = asking(openai_server, tmp_path / "l", 60)
    assert (first.wait(), second.wait()) == (0, 0)
    with Ledger(tmp_path / "l") as ledger:
        usage = ledger.usage()
    assert usage.requests == openai_server.requests
    assert usage.reserved_tokens == 0
    assert usage.answers == 60
