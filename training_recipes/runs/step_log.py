"""What a running trainer reports: one JSON object per line in ``STAGE.steps.jsonl``, written by the trainer's process.

Both trainers keep margins and log-probabilities to themselves until they save; this file has them at every logged
step, survives ``kill -9``, and goes on after a resume. A step that is trained again after a resume counts once, as it
was the last time.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Event = Literal["begin", "step", "log", "note", "error", "done"]
Metrics = dict[str, float]


class StepWriter:
    """Appends events to a step log."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, event: Event, **fields: Any) -> None:
        """Append one line; a line that a killed process left unfinished is ended first."""
        line = json.dumps({"event": event, "time": round(time.time(), 3), **fields}, ensure_ascii=False)
        with self._path.open("ab+") as file:
            if file.tell() and _last_byte(file.fileno()) != b"\n":
                line = "\n" + line
            file.write(f"{line}\n".encode())


def _last_byte(descriptor: int) -> bytes:
    return os.pread(descriptor, 1, os.fstat(descriptor).st_size - 1)


@dataclass
class StepLog:
    """The step log of one stage, read as it grows.

    ``logs`` are the trainer's figures of training by step, ``evaluations`` those of its own evaluation (loss and
    rewards on the validation split), ``summary`` those of the whole training. ``steps`` and ``total`` count optimiser
    steps; ``facts`` is what the process said of itself when it began and ended, ``notes`` what it warned of.
    """

    path: Path
    steps: int = 0
    total: int = 0
    began: float = 0.0
    first_step: int = 0
    last: float = 0.0
    logs: dict[int, Metrics] = field(default_factory=dict)
    evaluations: dict[int, Metrics] = field(default_factory=dict)
    summary: Metrics = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    error: tuple[str, str] | None = None
    done: bool = False
    _offset: int = 0

    def read(self) -> bool:
        """Take in what was written since the last call; True when there was something."""
        before = self._offset
        for event in self._events():
            self._take(event)
        return self._offset > before

    @property
    def seconds_left(self) -> float | None:
        """How long the remaining steps take at the pace so far; None before there is a pace."""
        walked = self.steps - self.first_step
        if not walked or not self.total:
            return None
        return (self.last - self.began) / walked * (self.total - self.steps)

    @property
    def latest(self) -> Metrics:
        """The figures of the last logged step."""
        return self.logs[max(self.logs)] if self.logs else {}

    def _events(self) -> Iterator[dict[str, Any]]:
        if not self.path.is_file():
            return
        with self.path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                try:
                    yield json.loads(line)
                except ValueError:
                    continue  # the process was killed while it wrote this line

    def _take(self, event: dict[str, Any]) -> None:
        kind, self.last = event["event"], event["time"]
        if kind == "begin":
            self.steps = self.first_step = event["step"]
            self.total, self.began, self.facts = event["total"], event["time"], event["facts"]
            self.error, self.done = None, False
            self._forget_after(self.steps)
        elif kind == "step":
            self.steps = event["step"]
        elif kind == "log":
            self._keep(event["step"], event["metrics"])
        elif kind == "note":
            self.notes.append(event["text"])
        elif kind == "error":
            self.error = (event["message"], event["hint"])
        elif kind == "done":
            self.done = True
            self.facts = {**self.facts, **event["facts"]}

    def _keep(self, step: int, metrics: Metrics) -> None:
        if "train_runtime" in metrics:
            self.summary = metrics
        elif any(name.startswith("eval_") for name in metrics):
            self.evaluations[step] = metrics
        else:
            self.logs[step] = metrics

    def _forget_after(self, step: int) -> None:
        for known in (self.logs, self.evaluations):
            for later in [one for one in known if one > step]:
                del known[later]


def read_steps(path: Path) -> StepLog:
    """The whole step log of a stage."""
    log = StepLog(path)
    log.read()
    return log
