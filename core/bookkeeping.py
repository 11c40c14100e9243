"""What became of the rows of a stage: ``rows in = kept + dropped(reason) + failed(error)``."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from pairwright.core.identity import Row


class Dropped(Row):
    """A row that a stage left out on purpose. ``reason`` is a slug that the funnel counts."""

    stage: str
    row: str
    reason: str
    detail: str = ""


class Failed(Row):
    """A row that could not be worked on. ``error`` is a slug that the funnel counts."""

    stage: str
    row: str
    error: str
    message: str
    file: str | None = None
    line: int | None = None


class StageCount(Row):
    """The books of one stage: ``rows_in == kept + sum(dropped) + sum(failed)``; ``unit`` names what is counted."""

    stage: str
    unit: str
    rows_in: int
    kept: int
    dropped: Mapping[str, int] = {}
    failed: Mapping[str, int] = {}
    seconds: float = Field(default=0.0, exclude=True)

    def balances(self) -> bool:
        """True when every row that came in is accounted for."""
        return self.rows_in == self.kept + sum(self.dropped.values()) + sum(self.failed.values())
