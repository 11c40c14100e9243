"""What ``pairwright recipes`` does."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path

from pairwright.cli.tables import print_table
from pairwright.core.errors import ConfigError
from pairwright.core.files.storage import atomic_writer
from pairwright.training_recipes.recipes.recipe_files import Recipe, read_recipe, recipes


def list_command(words: Sequence[str]) -> None:
    """Print name, trainer, stage and summary of the recipes with all ``words`` in their names, else in their comments.

    Raises:
        ConfigError: no recipe has them.
    """
    known = recipes().values()
    found = _with(words, {recipe.name: recipe for recipe in known}) or _with(
        words, {_comment(recipe): recipe for recipe in known}
    )
    if not found:
        raise ConfigError(
            [f"no recipe has {' and '.join(map(repr, words))} in its name or its opening comment"],
            "'pairwright recipes list' prints all.",
        )
    rows = [(recipe.name, recipe.trainer, recipe.stage, recipe.summary) for recipe in found]
    print_table("", [("recipe", "trainer", "stage", "what it is for"), *rows], width=160, light=True)


def _with(words: Sequence[str], texts: Mapping[str, Recipe]) -> list[Recipe]:
    return [recipe for text, recipe in texts.items() if all(word.lower() in text.lower() for word in words)]


def _comment(recipe: Recipe) -> str:
    lines = recipe.path.read_text(encoding="utf-8").splitlines()
    return " ".join(takewhile(lambda line: line.startswith("#"), lines))


def show_command(name: str) -> None:
    """Print a recipe file."""
    print(read_recipe(name).path.read_text(encoding="utf-8"), end="")


def copy_command(name: str, to: Path) -> None:
    """Write a copy whose command names the copy; a file that the recipe names goes beside it. Never over a file."""
    recipe = read_recipe(name)
    # A name without an ending that is not there yet is a folder to make: recipes end in .yaml.
    target = to / recipe.path.name if to.is_dir() or not (to.suffix or os.path.lexists(to)) else to
    text = recipe.path.read_text(encoding="utf-8")
    command, _, rest = text.partition("\n")
    for old in (f"training_recipes/configs/{recipe.path.name}", f"train {recipe.name} "):
        command = command.replace(old, f"train {target} " if old.startswith("train ") else str(target))
    beside = Path(str(recipe.settings.get("deepspeed", ""))).name
    copies = [target, target.with_name(beside)] if beside else [target]
    if there := [path for path in copies if os.path.lexists(path)]:
        raise ConfigError([f"{path}: exists already" for path in there], "Name another file or folder.")
    if beside:
        rest = rest.replace(str(recipe.settings["deepspeed"]), str(copies[1]))
    with atomic_writer(target) as file:
        file.write(f"{command}\n{rest}")
    if beside:
        shutil.copyfile(recipe.path.with_name(beside), copies[1])
    print(f"wrote {', '.join(map(str, copies))}; run it: {command.removeprefix('# ')}")
