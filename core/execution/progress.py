"""What a person sees while a build runs: a live line per stage on a terminal, plain lines otherwise.

Beside ``cli`` the only module that prints: a build that is run from a notebook shows the same as one from a shell.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import IO, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from pairwright.core.bookkeeping import StageCount
from pairwright.core.llm.ledger import Usage
from pairwright.core.pages.printable import one_line
from pairwright.core.pages.terminal import Terminal, screen_live_output

Poll = Callable[[], Usage]


class Meter:
    """What the endpoints were asked since a build began: requests, how fast, tokens, cost."""

    def __init__(self, usage: Poll) -> None:
        self._usage = usage
        self._first = usage()
        self._began = time.monotonic()

    def answers(self) -> int:
        """Answers that came in since the build began."""
        return self._usage().answers - self._first.answers

    def line(self) -> str:
        """``120 requests (4.1/s), 51,200 tokens, cost 0.0123``, or nothing before the first request."""
        now = self._usage()
        requests = now.requests - self._first.requests
        if not requests:
            return ""
        tokens = now.prompt_tokens + now.completion_tokens - self._first.prompt_tokens - self._first.completion_tokens
        rate = requests / max(time.monotonic() - self._began, 1e-9)
        return f"{requests:,} requests ({rate:.1f}/s), {tokens:,} tokens, cost {now.cost - self._first.cost:.4f}"


def open_display(usage: Poll) -> AbstractContextManager[LiveBars | PlainLines]:
    """The display that fits where the program runs: bars on a terminal, else lines; a notebook's cell gets them as output."""
    console = Terminal(stderr=True)
    if console.is_terminal:
        return LiveBars(usage, console)
    return PlainLines(usage, sys.stdout if console.is_jupyter else sys.stderr)


class PlainLines:
    """One line when a stage ends and one every ten seconds in between; for logs, pipes and notebooks."""

    def __init__(self, usage: Poll, file: IO[str]) -> None:
        self._file = file
        self._meter = Meter(usage)
        self._stop = threading.Event()
        self._stage = "start"

    def __enter__(self) -> Self:
        threading.Thread(target=self._tick, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()

    def _tick(self) -> None:
        while not self._stop.wait(10):
            print(f"{self._stage}: working {self._meter.line()}".rstrip(), file=self._file, flush=True)

    def begin(self, stage: str, unit: str, total: int | None) -> None:
        """Say what is to be expected, where it is known."""
        self._stage = stage
        if total is not None:
            print(f"{stage}: {total:,} {unit} to go", file=self._file, flush=True)

    def advance(self, stage: str) -> None:
        """Remember what is being worked on."""
        self._stage = stage

    def end(self, count: StageCount) -> None:
        """Print the stage's books."""
        print(summary(count), file=self._file, flush=True)


class LiveBars:
    """One bar per open stage, with what the endpoints were asked so far."""

    def __init__(self, usage: Poll, console: Console) -> None:
        self._meter = Meter(usage)
        self._bars: dict[str, TaskID] = {}
        self._stop = threading.Event()
        self._progress = Progress(
            TextColumn("{task.description:<10}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"),
            TimeElapsedColumn(),
            TextColumn("eta"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[spent]}"),
            console=console,
            transient=True,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        screen_live_output()
        threading.Thread(target=self._refresh, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._progress.stop()

    def _refresh(self) -> None:
        while not self._stop.wait(0.5):
            line, answers = self._meter.line(), self._meter.answers()
            # A copy: this is another thread than the one in which stages begin and end.
            for stage, bar in list(self._bars.items()):
                self._progress.update(bar, spent=line)
                # Generated rows come out together at the end of the stage; until then the answers show how far it is.
                if stage == "generate" and answers > self._progress.tasks[self._index(bar)].completed:
                    self._progress.update(bar, completed=answers)

    def _index(self, bar: TaskID) -> int:
        return next(at for at, task in enumerate(self._progress.tasks) if task.id == bar)

    def begin(self, stage: str, unit: str, total: int | None) -> None:
        """Open the stage's bar."""
        self._bars[stage] = self._progress.add_task(stage, total=total, unit=unit, spent="")

    def advance(self, stage: str) -> None:
        """Move the stage's bar."""
        if stage != "generate":
            self._progress.advance(self._bars[stage])

    def end(self, count: StageCount) -> None:
        """Replace the bar with the stage's books."""
        self._progress.remove_task(self._bars.pop(count.stage))
        # Reasons and errors come from rows: nothing in them is markup.
        self._progress.console.print(summary(count), highlight=False, markup=False)


def summary(count: StageCount) -> str:
    """One stage's books in one line."""
    parts = [f"{count.kept:,} kept"]
    parts += [f"{number:,} dropped ({reason})" for reason, number in count.dropped.items()]
    parts += [f"{number:,} failed ({error})" for error, number in count.failed.items()]
    return one_line(f"{count.stage}: {count.rows_in:,} {count.unit} in {count.seconds:.1f} s: " + ", ".join(parts))
