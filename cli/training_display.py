"""What a person sees while a recipe runs: one line that moves on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from pairwright.core.pages.printable import printable
from pairwright.core.pages.terminal import Terminal, screen_live_output
from pairwright.training_recipes.runs.display import Display, Quiet, clock
from pairwright.training_recipes.runs.step_log import StepLog
from pairwright.training_recipes.runs.watchdog import ACCURACY, CHOSEN, MARGIN

EVERY_SECONDS = 30.0


FIGURES = (("loss", "loss", 3), ("accuracy", ACCURACY, 2), ("margin", MARGIN, 2), ("logps/chosen", CHOSEN, 1))


class LiveLine(Quiet):
    """One line at the bottom of a terminal, with the stage's pace and figures."""

    def __init__(self, console: Console) -> None:
        self._live = Live(Text(), console=console, transient=True, refresh_per_second=4)
        self._stage, self._notes = "", 0

    def __enter__(self) -> Self:
        self._live.start()
        screen_live_output()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def begin(self, stage: str) -> None:
        """Show the stage's name until it says something."""
        self._stage, self._notes = stage, 0
        self._live.update(Text(f"{stage}: starting the trainer"))

    def tell(self, log: StepLog) -> None:
        """Show pace and figures; notes stay."""
        for note in log.notes[self._notes :]:
            self.say(f"{self._stage}: {note}")
        self._notes = len(log.notes)
        if log.total:
            self._live.update(Text(line_of(self._stage, log), no_wrap=True))

    def say(self, text: str) -> None:
        """Print above the line."""
        self._live.console.print(printable(text), highlight=False, markup=False)


class PlainLines(Quiet):
    """For log files: a line when a stage starts and every half minute."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._stage, self._told, self._notes = "", 0.0, 0

    def begin(self, stage: str) -> None:
        """Print that the stage starts."""
        self._stage, self._told, self._notes = stage, time.monotonic(), 0
        self.say(f"{stage}: starting")

    def tell(self, log: StepLog) -> None:
        """Print figures now and then; notes at once."""
        for note in log.notes[self._notes :]:
            self.say(f"{self._stage}: {note}")
        self._notes = len(log.notes)
        if log.total and (log.done or time.monotonic() - self._told > EVERY_SECONDS):
            self._told = time.monotonic()
            self.say(line_of(self._stage, log))

    def say(self, text: str) -> None:
        """Print a line."""
        self._console.print(printable(text), highlight=False, markup=False, soft_wrap=True)


def line_of(stage: str, log: StepLog) -> str:
    """One line: step of steps, the figures that the trainer logs, and the time left."""
    parts = [f"{stage}: step {log.steps}/{log.total}"]
    latest = log.latest
    parts += [f"{label} {latest[name]:.{digits}f}" for label, name, digits in FIGURES if name in latest]
    left = log.seconds_left
    if left is not None and not log.done:
        parts.append(f"{clock(left)} left")
    return "  ".join(parts)


def display(quiet: bool) -> Display:
    """The display that fits standard error."""
    console = Terminal(stderr=True)
    if quiet:
        return Quiet()
    return LiveLine(console) if console.is_terminal else PlainLines(console)
