"""What a check finds, and what it looks at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from pairwright.training_recipes.checks.device import Device
from pairwright.training_recipes.recipes.build_facts import BuildFacts, Export
from pairwright.training_recipes.recipes.filling import ROWS
from pairwright.training_recipes.recipes.rendering import Stage


class Problem(NamedTuple):
    """One thing that is wrong and what to do about it; a ``warning`` does not stop the run."""

    stage: str
    key: str
    message: str
    hint: str
    warning: bool = False

    def __str__(self) -> str:
        level = "warning: " if self.warning else ""
        return f"{level}{self.stage}.{self.key}: {self.message}\n  {self.hint}"


class CheckedStage(NamedTuple):
    """One stage with all that its checks may look at. ``earlier`` are the stages that run before it."""

    stage: Stage
    facts: BuildFacts
    device: Device | None
    earlier: Sequence[Stage]

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key of the stage's settings."""
        return self.stage.settings.get(key, default)

    def number(self, key: str, default: float) -> float:
        """The value of a key that holds a number; the default where it holds none, which ``key_values`` reports."""
        value = self.stage.settings.get(key, default)
        plain = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        return value if plain else default

    @property
    def export(self) -> Export | None:
        """The export that the stage's trainer reads."""
        return self.facts.exports.get(self.stage.trainer)

    @property
    def rows(self) -> str:
        """The kind of rows that the stage trains on: ``sft``, ``dpo`` or ``kto``."""
        return ROWS[self.stage.kind]

    def problem(self, key: str, message: str, hint: str) -> Problem:
        """An error about one key."""
        return Problem(self.stage.name, key, message, hint)

    def warning(self, key: str, message: str, hint: str) -> Problem:
        """A problem that does not stop the run."""
        return Problem(self.stage.name, key, message, hint, warning=True)
