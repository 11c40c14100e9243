"""Asking while the disk fills up: no answer that came is lost, and what went wrong is told in its own words."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pairwright.core.config.build_file import EndpointConfig, LimitsConfig
from pairwright.core.errors import StorageError
from pairwright.core.llm.client import Client
from pairwright.core.llm.ledger import Ledger
from pairwright.core.requests import ChatRequest, Message
from pairwright.testing import FaultServer

pytestmark = pytest.mark.slow
IN_FLIGHT = 8
ASKED = 120


def can_mount() -> bool:
    return subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode == 0


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def ask_many(ledger: Path, server: FaultServer) -> str:
    """Ask :data:`ASKED` different questions at once; what the error says, if any."""

    async def ask() -> None:
        config = EndpointConfig(base_url=server.base_url, model="m", max_concurrency=IN_FLIGHT)
        with Ledger(ledger) as opened:
            async with Client({"a": config}, opened, LimitsConfig()) as client, asyncio.TaskGroup() as group:
                for number in range(ASKED):
                    message = Message(role="user", content=f"第{number}个问题是什么？")
                    group.create_task(client("a", ChatRequest(messages=(message,))))

    said = ""
    try:
        asyncio.run(ask())
    except* StorageError as errors:
        said = str(errors.exceptions[0])
    return said


def answers_in(ledger: Path) -> int:
    with Ledger(ledger) as opened:
        return opened.usage().answers


def long_answer(body: object) -> str:
    return "答案很长。" * 200


MOUNTED = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_full_disk import *
where, sizes = Path(sys.argv[1]), sys.argv[2:]
for size in sizes:
    with FaultServer(latency=0.03, answer=long_answer) as server, small_disk(where / size, size + "k") as disk:
        said = ask_many(disk / "ledger.sqlite", server)
        came, kept = sum(server.answered.values()), 0
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        kept = answers_in(disk / "ledger.sqlite")
        again = ask_many(disk / "ledger.sqlite", server)
        print(size, came, kept, server.asked_twice, again or "fine", said.replace(chr(10), " "), sep="|", flush=True)
"""


@pytest.mark.skipif(not can_mount(), reason="this machine lets nobody mount a disk")
def test_on_a_disk_that_fills_up_every_answer_is_kept_and_nothing_is_paid_twice(tmp_path: Path) -> None:
    sizes = ["8", "64", "256", "512", "700", "900", "1200", "1600"]
    command = ["unshare", "-rm", sys.executable, "-c", MOUNTED, str(tmp_path), *sizes]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    some = False
    for line in done.stdout.splitlines():
        _, came, kept, twice, again, said = line.split("|")
        assert (kept, twice, again) == (came, "0", "fine"), line
        # How much fits on the largest disks depends on how many answers the machine has on their way at once.
        assert "No space left on device Free some space" in said or (said, int(came)) == ("", ASKED), line
        some = some or 0 < int(came) < ASKED
    assert some, f"the sizes are all too small, or all large enough:\n{done.stdout}"


LIMITED = f"""
import resource, sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_full_disk import *
with FaultServer(latency=0.03, answer=long_answer) as server:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
    said = ask_many(Path(sys.argv[1]), server)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(sum(server.answered.values()), answers_in(Path(sys.argv[1])), said.replace(chr(10), " "), sep="|")
"""


@pytest.mark.parametrize("kilobytes", [300, 500])
def test_where_files_may_only_be_so_large_every_answer_is_kept(tmp_path: Path, kilobytes: int) -> None:
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "l"), str(kilobytes * 1024)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    came, kept, said = done.stdout.strip().split("|")
    assert 0 < int(came) < ASKED
    assert kept == came
    assert "File too large ulimit -f" in said
