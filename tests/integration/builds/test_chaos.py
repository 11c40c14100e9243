"""The chaos of benchmarks/chaos.py: one round of it, and that it would notice what it looks for."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pytest

from building import build_file, run
from pairwright.core.config.build_file import LimitsConfig
from pairwright.core.llm.ledger import Ledger
from pairwright.core.requests import Answer
from places import ROOT


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from chaos_tools import invariants, ledgers, runs, server

    found = ModuleType("tools")
    for module in (server, runs, ledgers, invariants):
        vars(found).update({name: value for name, value in vars(module).items() if not name.startswith("__")})
    return found


def kinds(findings: Any) -> list[str]:
    return [finding.kind for finding in findings]


@pytest.mark.slow
def test_a_build_that_is_killed_by_the_chaos_passes_all_that_it_checks() -> None:
    command = [sys.executable, "benchmarks/chaos.py", "--round", "134", "--only", "kill_all", "--shapes", "smallest"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| trouble: kill_all | 1 |" in done.stdout, "it was not killed at all"
    assert "| runs | 2 |" in done.stdout


@pytest.mark.slow
def test_a_finished_build_that_was_touched_is_noticed(tmp_path: Path, tools: Any) -> None:
    assert run("build", build_file(tmp_path, perturbers=[])).returncode == 0
    output = tmp_path / "build"
    expected = tools.files_of(output)
    assert [*tools.check_folder(output), *tools.check_bytes(expected, output)] == []
    (output / "unfinished").mkdir()
    assert kinds(tools.check_bytes(expected, output)) == ["leftovers"]
    (output / "unfinished").rmdir()

    rows = output / "rows" / "sft.jsonl"
    whole = rows.read_bytes()
    rows.write_bytes(whole[:-1])
    assert kinds(tools.check_folder(output)) == kinds(tools.check_bytes(expected, output)) == ["bytes"]
    rows.write_bytes(whole)

    manifest = json.loads((output / "manifest.json").read_bytes())
    manifest["stages"][0]["kept"] -= 1
    (output / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert kinds(tools.check_folder(output)) == ["books"]

    assert kinds(tools.check_key("sk-secret", output)) == []
    (output / "rows" / "note.txt").write_text("Bearer sk-secret", encoding="utf-8")
    assert kinds(tools.check_key("sk-secret", output)) == ["key"]


def test_an_answer_that_left_the_ledger_and_books_that_do_not_balance_are_noticed(tmp_path: Path, tools: Any) -> None:
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as ledger:
        for name in ("one", "two"):
            attempt = ledger.begin(name, "teacher", 9, 0.0, LimitsConfig())
            answer = Answer(
                request_hash=name,
                model="m",
                text="yes",
                finish_reason="stop",
                prompt_tokens=1,
                completion_tokens=1,
                latency=0.1,
            )
            assert ledger.finish(attempt, "ok", answer=answer)
    before = tools.read_ledger(path, tmp_path / "spare")
    assert len(before.answers) == 2
    assert kinds(tools.check_ledger(before, before, arrived=2)) == []
    assert kinds(tools.check_ledger(before, before, arrived=3)) == ["books"]
    with sqlite3.connect(path) as file:
        file.execute("DELETE FROM answers WHERE request_hash = 'one'")
    file.close()
    now = tools.read_ledger(path, tmp_path / "spare")
    assert kinds(tools.check_ledger(before, now, arrived=2)) == ["lost", "books"]
    assert kinds(tools.check_ledger(before, tools.read_ledger(tmp_path / "none", tmp_path / "spare"), 0)) == ["lost"]


def ask(server: Any, connection: http.client.HTTPConnection) -> None:
    asked = len(server.sent)
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hello"}]})
    connection.request("POST", "/v1/chat/completions", body, {"Authorization": "Bearer key"})
    assert connection.getresponse().read()
    while len(server.sent) == asked:  # written down right after it went out
        time.sleep(0.01)


def test_what_is_paid_twice_is_noticed_and_only_what_was_on_its_way_is_excused(tools: Any) -> None:
    kept = tools.NOTHING._replace(answers={"hash": "answer"})
    with tools.ChaosServer(0, "key", {}, 0.0) as server:
        address = urlsplit(server.url).netloc
        with closing(http.client.HTTPConnection(address)) as connection:
            ask(server, connection)
            assert kinds(tools.check_payments(server.sent, tools.Times(), kept, False)) == []
            assert kinds(tools.check_payments(server.sent, tools.Times(), tools.NOTHING, False)) == ["lost"]
            ask(server, connection)
            # The client went on with the connection: it has seen the first answer, killed or not.
            killed = tools.Times(kills=[time.monotonic()])
            assert tools.paid_twice(server.sent, killed) == {"for nothing": 1}
            assert kinds(tools.check_payments(server.sent, killed, kept, False)) == ["paid twice"]
        while server.sent[-1].line.closed is None:
            time.sleep(0.01)
        killed = tools.Times(kills=[server.sent[-1].line.closed])
        with closing(http.client.HTTPConnection(address)) as connection:
            ask(server, connection)
        assert tools.paid_twice(server.sent, killed) == {"for nothing": 1, "at a kill -9": 1}
        assert tools.paid_twice(server.sent, tools.Times()) == {"for nothing": 2}
        # The ledger knows of nothing that was on its way.
        assert kinds(tools.check_payments(server.sent, killed, kept, False)) == ["paid twice", "paid twice"]
        left = kept._replace(unfinished=1)
        assert kinds(tools.check_payments(server.sent, killed, left, False)) == ["paid twice"]


@pytest.mark.slow
def test_a_run_that_ends_as_nothing_explains_or_leaves_something_is_noticed(tmp_path: Path, tools: Any) -> None:
    place = tools.Place(tmp_path / "round", "key")
    # Nobody writes that build file: exit code 2, which no trouble explains.
    failed = place.start("none.yaml")
    assert failed.wait() == 2
    assert kinds(tools.check_run(failed)) == ["exit codes"]
    (failed.tmp / "forgotten").touch()
    failed.err.write_text("Traceback (most recent call last):\nValueError: no\n", encoding="utf-8")
    assert kinds(tools.check_run(failed)) == ["exit codes", "exit codes", "tracebacks", "leftovers"]
    failed.hung = True
    assert kinds(tools.check_run(failed)) == ["hangs"]

    stopped = place.start("none.yaml")
    stopped.troubles.add("term")
    stopped.hit("term", signal.SIGTERM)
    assert stopped.wait() == -15
    assert kinds(tools.check_run(stopped)) == []  # Python itself had not started
    stopped.began -= 3600
    assert kinds(tools.check_run(stopped)) == ["exit codes", "exit codes"]

    survivor = subprocess.Popen([shutil.which("sleep") or "sleep", "60"], env=place.environment(failed.tmp))
    assert "sleep 60" in place.settle(0.2)[0]
    assert survivor.wait(10) == -9
