"""What a person sees while a build runs: a live line per stage on a terminal, plain lines otherwise."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

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

from pairwright.core.ledger import Usage
from pairwright.core.records import StageCount

Poll = Callable[[], Usage]


class Silent:
    """Shows nothing; for library use and tests."""

    def begin(self, stage: str, unit: str, total: int | None) -> None:
        """Nothing to show."""

    def advance(self, stage: str) -> None:
        """Nothing to show."""

    def end(self, count: StageCount) -> None:
        """Nothing to show."""


class PlainLines:
    """One line when a stage ends and, during a long one, one every ten seconds; for logs and pipes."""

    def __init__(self, usage: Poll) -> None:
        self._usage = usage
        self._rows = 0
        self._last = time.monotonic()

    def begin(self, stage: str, unit: str, total: int | None) -> None:
        """Stages are lazy: several can be open at once, each says its own name."""

    def advance(self, stage: str) -> None:
        """Print at most one line every ten seconds."""
        self._rows += 1
        if time.monotonic() - self._last >= 10:
            self._last = time.monotonic()
            print(f"{stage}: working … {spent(self._usage())}", file=sys.stderr, flush=True)

    def end(self, count: StageCount) -> None:
        """Print the stage's books."""
        print(summary(count), file=sys.stderr, flush=True)


class LiveBars:
    """One bar per open stage, with what the endpoints were asked so far."""

    def __init__(self, usage: Poll, console: Console) -> None:
        self._usage = usage
        self._bars: dict[str, TaskID] = {}
        self._units: dict[str, str] = {}
        self._stop = threading.Event()
        self._progress = Progress(
            TextColumn("{task.description:<10}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[spent]}"),
            console=console,
            transient=True,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        threading.Thread(target=self._refresh, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._progress.stop()

    def _refresh(self) -> None:
        while not self._stop.wait(0.5):
            line = spent(self._usage())
            for bar in list(self._bars.values()):
                self._progress.update(bar, spent=line)

    def begin(self, stage: str, unit: str, total: int | None) -> None:
        """Open the stage's bar."""
        self._bars[stage] = self._progress.add_task(stage, total=total, unit=unit, spent="")

    def advance(self, stage: str) -> None:
        """Move the stage's bar."""
        self._progress.advance(self._bars[stage])

    def end(self, count: StageCount) -> None:
        """Replace the bar with the stage's books."""
        self._progress.remove_task(self._bars.pop(count.stage))
        self._progress.console.print(summary(count), highlight=False)


def spent(usage: Usage) -> str:
    """``120 requests, 51,200 tokens, cost 0.0123``, or nothing before the first request."""
    if not usage.requests:
        return ""
    tokens = usage.prompt_tokens + usage.completion_tokens
    return f"{usage.requests:,} requests, {tokens:,} tokens, cost {usage.cost:.4f}"


def summary(count: StageCount) -> str:
    """One stage's books in one line."""
    parts = [f"{count.kept:,} kept"]
    parts += [f"{number:,} dropped ({reason})" for reason, number in count.dropped.items()]
    parts += [f"{number:,} failed ({error})" for error, number in count.failed.items()]
    return f"{count.stage}: {count.rows_in:,} {count.unit} in {count.seconds:.1f} s: " + ", ".join(parts)
