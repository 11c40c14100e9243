"""What the process of one stage is told: written by the parent as JSON, read by ``launcher.py``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pairwright.core.identity import Row
from pairwright.training_recipes.recipes.recipe_files import Kind, Trainer
from pairwright.training_recipes.runs.watchdog import WatchSettings


class StageJob(Row):
    """One stage to run. ``steps`` is the file of its step log, ``watch`` what to watch for, if anything."""

    parent: int
    trainer: Trainer
    kind: Kind
    settings: Mapping[str, Any]
    steps: str
    watch: WatchSettings | None = None
