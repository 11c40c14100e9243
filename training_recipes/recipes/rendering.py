"""Puts a recipe onto a build: the stages to run, with data sets, lengths, seed and folders filled in.

Paths connect the recipes of a chain: where an earlier recipe writes to ``saves/x/sft`` and a later one reads
``saves/x/sft``, both mean the same folder below the output, whatever it is called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from pairwright.core.errors import ConfigError
from pairwright.core.files.storage import atomic_writer
from pairwright.core.records import Scalar
from pairwright.training_recipes.recipes.build_facts import BuildFacts, read_facts
from pairwright.training_recipes.recipes.filling import ROWS, fill
from pairwright.training_recipes.recipes.recipe_files import Kind, Recipe, Trainer, llamafactory_kind, read_recipe


class Stage(NamedTuple):
    """One thing to run: ``settings`` are written to ``config`` for the trainer; it writes to ``output``."""

    name: str
    trainer: Trainer
    kind: Kind
    settings: Mapping[str, Any]
    config: Path
    output: Path


def render(
    recipe: Recipe, build: Path, output: Path, overrides: Mapping[str, Scalar] | None = None
) -> tuple[Stage, ...]:
    """The stages of ``recipe`` on ``build``, each with a folder of its own below ``output``.

    ``overrides`` change a key in the stages that have it, or where none has it in all that train;
    ``model_name_or_path`` replaces the recipe's student. A key written ``stage.key`` changes only that stage.

    Raises:
        ConfigError: an override names no stage of the recipe.
        TrainingError: there is no finished build.
    """
    facts = read_facts(build)
    output = output.resolve()
    parts = _parts(recipe)
    changes = _changes(recipe, parts, overrides or {})
    moved: dict[str, str] = {}
    stages = []
    for name, one in parts.items():
        moved[one.writes_to] = str(output / name)
        stages.append(_stage(one, output / name, changes[name], facts, moved))
    if "evaluate" in recipe.settings:
        stages.append(_evaluation(recipe, output, changes["evaluate"], facts, moved))
    return tuple(stages)


def write(stages: Sequence[Stage]) -> None:
    """Write every stage's settings to its ``config``.

    Raises:
        StorageError: a file cannot be written.
    """
    for stage in stages:
        with atomic_writer(stage.config) as file:
            yaml.safe_dump(dict(stage.settings), file, allow_unicode=True, sort_keys=False)


def _parts(recipe: Recipe) -> dict[str, Recipe]:
    """The recipes to run by the name of their stage: what each does, numbered from the second of a kind."""
    parts: dict[str, Recipe] = {}
    for part in map(read_recipe, recipe.chain) if recipe.stage == "chain" else (recipe,):
        before = sum(other.stage == part.stage for other in parts.values())
        parts[f"{part.stage}-{before + 1}" if before else part.stage] = part
    return parts


def _changes(
    recipe: Recipe, parts: Mapping[str, Recipe], overrides: Mapping[str, Scalar]
) -> dict[str, dict[str, Scalar]]:
    """The overrides of each stage."""
    names = [*parts, *(["evaluate"] if "evaluate" in recipe.settings else [])]
    if wrong := [key for key in overrides if "." in key and key.partition(".")[0] not in names]:
        raise ConfigError([f"{key}: the recipe has no such stage; there are: {', '.join(names)}" for key in wrong])
    changes: dict[str, dict[str, Scalar]] = {name: {} for name in names}
    for key, value in overrides.items():
        of, _, inner = key.rpartition(".")
        for name in [of] if of else _holders(key, recipe, parts):
            changes[name][inner] = value
    return changes


def _holders(key: str, recipe: Recipe, parts: Mapping[str, Recipe]) -> list[str]:
    """The stages that an override without a stage's name is for."""
    if key == "model_name_or_path":
        students = [name for name, part in parts.items() if part.student == recipe.student]
        return [*students, *(["evaluate"] if "evaluate" in recipe.settings else [])]
    return [name for name, part in parts.items() if key in part.settings] or [
        name for name, part in parts.items() if part.stage in ROWS
    ]


def _stage(
    recipe: Recipe, place: Path, changes: Mapping[str, Scalar], facts: BuildFacts, moved: Mapping[str, str]
) -> Stage:
    assert recipe.stage != "chain"
    settings = {**recipe.settings, **changes}
    kind = recipe.stage
    if kind in ROWS:
        kind = llamafactory_kind(settings) if recipe.trainer == "llamafactory" else kind
        fill(settings, recipe.trainer, kind, facts)
    if isinstance(recipe.settings.get("deepspeed"), str):  # its file lies beside the recipe
        settings["deepspeed"] = str(recipe.path.parent / Path(recipe.settings["deepspeed"]).name)
    settings = {key: moved.get(value, value) if isinstance(value, str) else value for key, value in settings.items()}
    # Overrides once more: they win over what was filled in and over the folders of this run, too.
    return Stage(
        place.name, recipe.trainer, kind, {**settings, **changes}, place.with_name(f"{place.name}.yaml"), place
    )


def _evaluation(
    recipe: Recipe, output: Path, changes: Mapping[str, Scalar], facts: BuildFacts, moved: Mapping[str, str]
) -> Stage:
    moved = {**moved, recipe.student: str(changes.get("model_name_or_path", recipe.student))}
    systems = dict(recipe.settings["evaluate"])
    for name, system in systems.items():
        kind, _, folders = system.partition(":")
        systems[name] = f"{kind}:{'+'.join(moved.get(folder, folder) for folder in folders.split('+'))}"
    others = {key: value for key, value in changes.items() if key != "model_name_or_path"}
    settings = {"test": str(facts.folder), "systems": systems, **others}
    return Stage("evaluate", recipe.trainer, "evaluate", settings, output / "evaluate.yaml", output / "evaluate")
