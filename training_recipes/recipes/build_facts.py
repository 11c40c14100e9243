"""What a recipe needs to know of a finished build: its data sets with their lengths, its seed, its prompts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from pairwright.core.errors import TrainingError
from pairwright.core.records import TaskKind
from pairwright.training_recipes.recipes.recipe_files import Trainer


class Export(NamedTuple):
    """One export folder. ``rows`` counts by data set (``demo_sft_train``); ``tokens`` is a histogram by kind.

    ``task`` is what the student learns: ``rewrite`` or ``answer``. A histogram's keys are the upper ends of its bars, in tokens; ``counted`` is False where they are estimates.
    """

    folder: Path
    task: TaskKind
    rows: Mapping[str, int]
    tokens: Mapping[str, Mapping[int, int]]
    counted: bool
    max_tokens: int
    build: str
    prompt_hashes: Mapping[str, str]
    prompt: Mapping[str, Any]
    registered: Mapping[str, Mapping[str, Any]]

    def longest(self, kind: str) -> int:
        """Tokens of the longest row of ``sft``, ``dpo`` or ``kto`` rows; 0 without rows."""
        return max(self.tokens.get(kind, {}), default=0)


class BuildFacts(NamedTuple):
    """A finished build as recipes see it."""

    folder: Path
    name: str
    build: str
    seed: int
    prompt_hashes: Mapping[str, str]
    exports: Mapping[Trainer, Export]


def read_facts(build: Path) -> BuildFacts:
    """Read the build in a folder.

    Raises:
        TrainingError: there is no finished build.
    """
    if not (build / "manifest.json").is_file():
        raise TrainingError(
            f"{build}: no finished build here", "Name the folder of a build, made by: pairwright build BUILD.yaml"
        )
    try:
        return _facts(build)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError, yaml.YAMLError) as exc:
        raise TrainingError(
            f"{build}: its manifest, build file or exports cannot be read: {type(exc).__name__}", "Run the build again."
        ) from exc


def _facts(build: Path) -> BuildFacts:
    manifest = _json(build / "manifest.json")
    config = yaml.safe_load((build / "build.yaml").read_text(encoding="utf-8"))
    trainers: tuple[Trainer, ...] = ("llamafactory", "trl")
    exports = {trainer: _export(build.resolve() / "exports" / trainer) for trainer in trainers}
    return BuildFacts(
        folder=build.resolve(),
        name=manifest["name"],
        build=manifest["build"],
        seed=config["seed"],
        prompt_hashes=manifest["prompts"],
        exports={trainer: found for trainer, found in exports.items() if found},
    )


def _export(folder: Path) -> Export | None:
    if not (folder / "export.json").is_file():
        return None
    content = _json(folder / "export.json")
    kinds = content["files"]
    info = folder / "dataset_info.json"
    return Export(
        folder=folder,
        task=content.get("task", "rewrite"),
        rows={Path(name).stem: rows for kind in kinds.values() for name, rows in kind["rows"].items()},
        tokens={kind: {int(end): rows for end, rows in found["tokens"].items()} for kind, found in kinds.items()},
        counted=content["counted_by"] != "estimate",
        max_tokens=content["max_tokens"],
        build=content["build"],
        prompt_hashes=content["prompt_hashes"],
        prompt=content["prompt"],
        registered=_json(info) if info.is_file() else {},
    )


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
