"""What a person sees while a recipe runs: one line that moves on a terminal, a line now and then elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from pairwright.training_recipes.runs.step_log import StepLog


class Display(Protocol):
    """Where progress goes."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def begin(self, stage: str) -> None:
        """A stage starts."""
        ...

    def tell(self, log: StepLog) -> None:
        """Something new in the stage's step log."""
        ...

    def say(self, text: str) -> None:
        """A line that stays."""
        ...


class Quiet:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def begin(self, stage: str) -> None:
        """Nothing."""

    def tell(self, log: StepLog) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Nothing."""


def clock(seconds: float) -> str:
    """Seconds as ``m:ss`` or ``h:mm:ss``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
