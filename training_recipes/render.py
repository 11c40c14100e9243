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
from pairwright.core.records import Scalar
from pairwright.core.storage import atomic_writer
from pairwright.training_recipes.facts import BuildFacts, read_facts
from pairwright.training_recipes.filling import ROWS, fill
from pairwright.training_recipes.recipes import Kind, Recipe, Trainer, read_recipe


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

    ``overrides`` change keys of every stage that trains (``model_name_or_path`` of every stage that loads the
    recipe's student); a key written ``stage.key`` changes only that stage.

    Raises:
        ConfigError: an override names no stage of the recipe.
        TrainingError: there is no finished build.
    """
    facts = read_facts(build)
    output = output.resolve()
    moved: dict[str, str] = {}
    stages = []
    for name, one in _parts(recipe).items():
        settings = dict(one.settings)
        place = output / name
        moved[str(settings.get("export_dir") or settings.get("output_dir"))] = str(place)
        stages.append(_stage(name, one, settings, place, facts, moved))
    if "evaluate" in recipe.settings:
        stages.append(_evaluation(recipe, output, facts, moved))
    return _overridden(stages, recipe.student, overrides or {})


def write(stages: Sequence[Stage]) -> None:
    """Write every stage's settings to its ``config``.

    Raises:
        StorageError: a file cannot be written.
    """
    for stage in stages:
        with atomic_writer(stage.config) as file:
            yaml.safe_dump(dict(stage.settings), file, allow_unicode=True, sort_keys=False)


def _parts(recipe: Recipe) -> dict[str, Recipe]:
    """The recipes to run by the name of their stage: what each does."""
    if recipe.stage != "chain":
        return {recipe.stage: recipe}
    return {part.stage: part for part in map(read_recipe, recipe.chain)}


def _stage(
    name: str, recipe: Recipe, settings: dict[str, Any], place: Path, facts: BuildFacts, moved: Mapping[str, str]
) -> Stage:
    assert recipe.stage != "chain"
    settings = {key: moved.get(value, value) if isinstance(value, str) else value for key, value in settings.items()}
    if recipe.stage in ROWS:
        fill(settings, recipe.trainer, recipe.stage, facts)
    return Stage(name, recipe.trainer, recipe.stage, settings, place.parent / f"{name}.yaml", place)


def _evaluation(recipe: Recipe, output: Path, facts: BuildFacts, moved: Mapping[str, str]) -> Stage:
    systems = dict(recipe.settings["evaluate"])
    for name, system in systems.items():
        for before, now in moved.items():
            system = system.replace(before, now)
        systems[name] = system
    settings = {"test": str(facts.folder), "systems": systems}
    return Stage("evaluate", recipe.trainer, "evaluate", settings, output / "evaluate.yaml", output / "evaluate")


def _overridden(stages: Sequence[Stage], student: str, overrides: Mapping[str, Scalar]) -> tuple[Stage, ...]:
    names = [stage.name for stage in stages]
    wrong = [key for key in overrides if "." in key and key.partition(".")[0] not in names]
    if wrong:
        raise ConfigError([f"{key}: the recipe has no such stage; there are: {', '.join(names)}" for key in wrong])
    return tuple(stage._replace(settings=_changed(stage, student, overrides)) for stage in stages)


def _changed(stage: Stage, student: str, overrides: Mapping[str, Scalar]) -> dict[str, Any]:
    settings = dict(stage.settings)
    for key, value in overrides.items():
        of, _, inner = key.rpartition(".")
        if of == stage.name:
            settings[inner] = value
        elif not of and key == "model_name_or_path":
            _another_student(settings, student, str(value))
        elif not of and stage.kind in ROWS:
            settings[key] = value
    return settings


def _another_student(settings: dict[str, Any], student: str, other: str) -> None:
    if settings.get("model_name_or_path") == student:
        settings["model_name_or_path"] = other
    if "systems" in settings:
        settings["systems"] = {
            name: system.replace(f"hf:{student}", f"hf:{other}") for name, system in settings["systems"].items()
        }
