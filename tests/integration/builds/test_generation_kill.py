"""A build that is killed or interrupted: nothing goes on, nothing is paid twice, and the next run ends the same."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from generation_rows import answer, processes_about, wait_until

from pairwright.core.llm.ledger import Ledger
from pairwright.testing import FaultServer
from places import TESTS

COUNT = 120
IN_FLIGHT = 16
BUILD = f"""
import sys
from pathlib import Path
from generation_rows import build_config, tasks
from pairwright.core.files.storage import write_rows
from pairwright.pipelines.generation.candidate_generation import generate_candidates, plan_generation
work = Path(sys.argv[1])
config = build_config(sys.argv[2], work, endpoint={{"max_concurrency": {IN_FLIGHT}}})
rows = tasks({COUNT})
requests = plan_generation(config, lambda: rows)
write_rows(work / "candidates.jsonl", generate_candidates(requests, config, work / "ledger.sqlite", {{}}, work))
"""


class Build:
    """The main process of a build in ``work``."""

    def __init__(self, server: FaultServer, work: Path) -> None:
        self.work = work
        work.mkdir(exist_ok=True)
        self._command = [sys.executable, "-c", BUILD, str(work), server.base_url]

    def start(self) -> subprocess.Popen[bytes]:
        path = str(TESTS)
        return subprocess.Popen(self._command, env={**os.environ, "PYTHONPATH": path, "TEST_KEY": "sk-test"})

    def finish(self) -> bytes:
        assert self.start().wait(60) == 0
        return (self.work / "candidates.jsonl").read_bytes()

    def kill_when(self, ready: Callable[[], bool]) -> None:
        process = self.start()
        assert wait_until(ready, 60)
        process.kill()
        process.wait()
        assert wait_until(lambda: not processes_about(self.work), 30), "a process outlived its build"


@pytest.fixture
def server(openai_server: FaultServer) -> Iterator[FaultServer]:
    openai_server.answer, openai_server.latency = answer, 0.3
    return openai_server


def test_killed_at_three_points_a_build_pays_at_most_for_what_was_in_flight_and_ends_the_same(
    server: FaultServer, tmp_path: Path
) -> None:
    killed = Build(server, tmp_path / "killed")
    control = killed.work / "generation" / "control"
    killed.kill_when(lambda: any(control.glob("alive-*")))  # distilabel is being imported
    assert server.requests == 0
    killed.kill_when(lambda: server.requests >= COUNT // 3)
    arrived = server.requests
    time.sleep(1)
    assert server.requests == arrived, "someone went on asking"
    killed.kill_when(lambda: server.requests >= arrived + COUNT // 3)
    results = killed.finish()
    assert server.requests <= COUNT + 2 * IN_FLIGHT
    assert len(results.splitlines()) == COUNT

    requests = server.requests
    server.latency = 0.0
    untouched = Build(server, tmp_path / "untouched")
    assert untouched.finish() == results
    assert server.requests == requests + COUNT
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    assert untouched.finish() == results
    assert server.requests == requests + COUNT
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 4  # distilabel was not even imported


def test_control_c_stops_within_ten_seconds_and_keeps_every_answer(server: FaultServer, tmp_path: Path) -> None:
    server.latency = 2.0
    build = Build(server, tmp_path / "build")
    process = build.start()
    assert wait_until(lambda: server.requests >= IN_FLIGHT, 60)
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.wait(20)
    assert time.monotonic() - started < 10
    assert wait_until(lambda: not processes_about(build.work), 30)
    assert server.requests == IN_FLIGHT
    with Ledger(build.work / "ledger.sqlite") as ledger:
        assert ledger.usage().answers == IN_FLIGHT
    assert not (build.work / "candidates.jsonl").exists()
