"""What ``pairwright recipes`` does."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from pairwright.core.errors import ConfigError
from pairwright.core.storage import atomic_writer
from pairwright.training_recipes.recipes import read_recipe, recipes


def list_command(words: Sequence[str]) -> None:
    """Print name, trainer, stage and summary of the recipes whose names hold all ``words``."""
    table = Table("recipe", "trainer", "stage", "what it is for")
    for name, recipe in recipes().items():
        if all(word.lower() in name for word in words):
            table.add_row(name, recipe.trainer, recipe.stage, recipe.summary)
    Console().print(table)


def show_command(name: str) -> None:
    """Print a recipe file."""
    print(read_recipe(name).path.read_text(encoding="utf-8"), end="")


def copy_command(name: str, to: Path) -> None:
    """Write a copy whose command names the copy; a file that the recipe names goes beside it. Never over a file."""
    recipe = read_recipe(name)
    target = to / recipe.path.name if to.is_dir() else to
    text = recipe.path.read_text(encoding="utf-8")
    command, _, rest = text.partition("\n")
    for old in (f"training_recipes/configs/{recipe.path.name}", f"train {recipe.name} "):
        command = command.replace(old, f"train {target} " if old.startswith("train ") else str(target))
    beside = Path(str(recipe.settings.get("deepspeed", ""))).name
    copies = [target, target.with_name(beside)] if beside else [target]
    if there := [path for path in copies if path.exists()]:
        raise ConfigError([f"{path}: exists already" for path in there], "Name another file or folder.")
    if beside:
        rest = rest.replace(str(recipe.settings["deepspeed"]), str(copies[1]))
    with atomic_writer(target) as file:
        file.write(f"{command}\n{rest}")
    if beside:
        shutil.copyfile(recipe.path.with_name(beside), copies[1])
    print(f"wrote {', '.join(map(str, copies))}; run it: {command.removeprefix('# ')}")
