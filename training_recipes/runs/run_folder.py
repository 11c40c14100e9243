"""Whose files lie in the folder of a run: a run writes, and ``--fresh`` removes, only what runs made there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pairwright.core.errors import ConfigError
from pairwright.core.files.owned_folder import Mark, kind_of, read_mark, require_folder, write_mark
from pairwright.training_recipes.recipes.rendering import Stage
from pairwright.training_recipes.runs.run_record import RUN

KIND = "run"


def names_of(stages: Iterable[str]) -> frozenset[str]:
    """The names of all that a run with these stages makes in its folder."""
    endings = ("", ".yaml", ".log", ".steps.jsonl", ".png")
    each = [f"{stage}{ending}" for stage in (*stages, "evaluate") for ending in endings]
    return frozenset([*each, "cache", "heldout.png", RUN])


def claim_run(output: Path, stages: Sequence[Stage]) -> None:
    """Say that a run of ``stages`` writes in ``output``; before anything is written.

    Raises:
        ConfigError: something is there that no run made, or a link.
        StorageError: the folder cannot be written.
    """
    require_folder(output)
    names, mark = names_of(stage.name for stage in stages), read_mark(output, KIND)
    known = set(mark.scratch) if mark else _earlier(output, stages)
    there = [name for name in sorted(names) if kind_of(output / name)]
    if foreign := [name for name in there if name not in known or kind_of(output / name) in ("link", "other")]:
        raise ConfigError(
            [f"{output / name}: exists already, and no run made it" for name in foreign],
            "Give another --output, or move these elsewhere; nothing was removed.",
        )
    claimed = Mark(kind=KIND, scratch=tuple(sorted(names | known)))
    # A run that goes on has it already, and its half of a checkpoint may have left no room to write.
    if claimed != mark:
        write_mark(output, claimed)


def _earlier(output: Path, stages: Sequence[Stage]) -> set[str]:
    """What a run of a version without marks made: its record names the stages that began, their settings come before."""
    if not (record := _record(output)):
        return set()
    begun = [str(one.get("name")) for one in record["stages"] if isinstance(one, dict)]
    return {*names_of(begun), *(f"{stage.name}.yaml" for stage in stages)}


def _record(output: Path) -> dict[str, Any]:
    """``run.json`` as far as it is a record of any version; empty for another file of that name."""
    try:
        content = json.loads((output / RUN).read_bytes())
    except (OSError, ValueError):
        return {}
    fits = isinstance(content, dict) and "recipe" in content and isinstance(content.get("stages"), list)
    return content if fits else {}
