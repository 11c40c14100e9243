"""SIGTERM, SIGHUP and Ctrl-C end every command alike: answers on their way are kept, nothing else is left."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from generation_rows import processes_about, wait_until

from building import CLI, build_file, rows
from pairwright.core.llm.ledger import Ledger, Usage
from pairwright.testing import FaultServer

pytestmark = pytest.mark.slow

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
IN_FLIGHT = 16


def evaluation(folder: Path, server: FaultServer) -> list[str]:
    """A command that asks about 24 Chinese rows, 16 at once."""
    tests = folder / "tests.jsonl"
    found = [{**row, "id": f"r{number}"} for number, row in enumerate(rows("zh_gold.jsonl", 24))]
    tests.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found), encoding="utf-8")
    system, output = f"student={server.base_url}#m", str(folder / "out")
    return [*CLI, "evaluate", "--test", str(tests), "--system", system, "--output", output]


def usage(ledger: Path) -> Usage:
    with Ledger(ledger) as opened:
        return opened.usage()


def start(command: list[str], folder: Path, prepare: Callable[[], Any] | None = None) -> subprocess.Popen[str]:
    (folder / "tmp").mkdir(exist_ok=True)
    environment = {**os.environ, "TMPDIR": str(folder / "tmp"), "COLUMNS": "200"}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=prepare
    )


@pytest.mark.parametrize("number", CODES)
def test_a_signal_gives_requests_on_their_way_the_time_to_be_answered(tmp_path: Path, number: signal.Signals) -> None:
    with FaultServer(latency=1.0) as server:
        process = start(evaluation(tmp_path, server), tmp_path)
        assert wait_until(lambda: server.in_flight == IN_FLIGHT, 100)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
        assert process.returncode == CODES[number]
        assert "Traceback" not in said
        assert f"{IN_FLIGHT} requests were on their way: {IN_FLIGHT} answers came and are kept" in said
        assert "run the same command again" in said
        assert server.requests == usage(tmp_path / "out" / "evaluation.ledger.sqlite").answers == IN_FLIGHT
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    with FaultServer(latency=300.0) as server:
        process = start(evaluation(tmp_path, server), tmp_path)
        assert wait_until(lambda: server.in_flight == IN_FLIGHT, 100)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        sent = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
        assert time.monotonic() - sent < 8
        assert process.returncode == 143
        assert "Traceback" not in said


def test_a_signal_that_was_ignored_at_the_start_stays_ignored(tmp_path: Path) -> None:
    with FaultServer(latency=0.5) as server:
        command = evaluation(tmp_path, server)
        process = start(command, tmp_path, lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN) and None)
        assert wait_until(lambda: server.in_flight == IN_FLIGHT, 100)
        process.send_signal(signal.SIGHUP)
        _, said = process.communicate(timeout=100)
        assert process.returncode == 0, said


def test_a_terminal_that_goes_away_costs_nothing(tmp_path: Path) -> None:
    with FaultServer(latency=1.0) as server:
        command = evaluation(tmp_path, server)
        child, terminal = pty.fork()
        if child == 0:
            os.execv(command[0], command)
        assert wait_until(lambda: server.in_flight == IN_FLIGHT, 100)
        os.close(terminal)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 129
        assert usage(tmp_path / "out" / "evaluation.ledger.sqlite").answers == server.requests


@pytest.mark.timeout(400)
def test_a_signal_to_every_process_of_a_build_keeps_what_generation_asked(tmp_path: Path) -> None:
    with FaultServer(latency=1.0) as server:
        teacher = {"base_url": server.base_url, "model": "m", "max_concurrency": 8, "timeout": 60}
        file = build_file(tmp_path, server.base_url, endpoints={"teacher": teacher})
        process = start([*CLI, "build", str(file)], tmp_path)
        assert wait_until(lambda: server.in_flight >= 4 or process.poll() is not None, 200)
        assert process.poll() is None, process.communicate()
        for victim in {process.pid, *processes_about(tmp_path)}:
            os.kill(victim, signal.SIGTERM)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 143, said
        assert "are kept" in said
        assert "Traceback" not in said
        assert usage(tmp_path / "build" / "ledger.sqlite").answers == server.requests
    assert processes_about(tmp_path) == []
    assert list((tmp_path / "tmp").iterdir()) == []
