"""What the tests of the generation stage share: a build file, distinct queries, answers that depend on the query."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pairwright.core.config.build_file import BuildConfig
from pairwright.core.records import Task
from pairwright.testing.factories import task

TEACHER = {"role": "teacher", "endpoint": "teacher", "temperatures": [0.7], "reasks": 1}


def build_config(base_url: str, work: Path, **fields: Any) -> BuildConfig:
    """A build file with the endpoints ``teacher`` and ``weak`` at one server."""
    endpoint = {
        "base_url": base_url,
        "model": "m",
        "api_key_env": "TEST_KEY",
        "max_concurrency": 16,
        "timeout": 5.0,
        **fields.pop("endpoint", {}),
    }
    source = {"use": "pairwright.pipelines.ingest.sources:FileSource", "source": "s", "path": "unread.jsonl"}
    plain = {
        "name": "test",
        "output": str(work),
        "sources": [source],
        "endpoints": {"teacher": endpoint, "weak": {**endpoint, "model": "w"}},
        "generation": [TEACHER],
        # Failures are what many of these tests are about.
        "limits": {"max_failure_rate": 1.0, **fields.pop("limits", {})},
    }
    return BuildConfig.model_validate({**plain, **fields})


def tasks(count: int) -> list[Task]:
    return [task(query=f"What about number {number}?") for number in range(count)]


def number_in(body: dict[str, Any]) -> int:
    """Which of :func:`tasks` a request is about."""
    return int(re.findall(r"What about number (\d+)\?", body["messages"][-1]["content"])[-1])


def answer(body: dict[str, Any]) -> str:
    """What a good model says."""
    number = number_in(body)
    rewrite = f"What about number {number} at seed {body['seed']}?"
    return json.dumps({"analysis": f"It is {number}.", "needs_rewrite": True, "rewrite": rewrite})


def processes_about(folder: Path) -> list[int]:
    """Ids of the living processes, this one aside, whose command line names ``folder``."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(folder).encode() in command:
                found.append(int(entry.name))
    return sorted(found)


def wait_until(true: Callable[[], bool], seconds: float) -> bool:
    """Whether ``true`` came true in time."""
    return any(true() for _ in _ticks(seconds))


def _ticks(seconds: float) -> Iterator[None]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(0.02)
