"""What ``pairwright recipes`` does."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from pairwright.core.errors import ConfigError
from pairwright.core.storage import atomic_writer
from pairwright.training_recipes.check import check
from pairwright.training_recipes.display import display
from pairwright.training_recipes.hardware import this_device
from pairwright.training_recipes.recipes import read_recipe, recipes
from pairwright.training_recipes.render import render
from pairwright.training_recipes.train import Wishes, train


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
    """Write a copy whose command names the copy; files that the recipe names go beside it. Never over a file."""
    recipe = read_recipe(name)
    target = to / recipe.path.name if to.is_dir() else to
    text = recipe.path.read_text(encoding="utf-8").replace(f"training_recipes/configs/{recipe.path.name}", str(target))
    beside = recipe.path.parent / Path(str(recipe.settings.get("deepspeed", ""))).name
    copies = [target, *([target.parent / beside.name] if "deepspeed" in recipe.settings else [])]
    if there := [path for path in copies if path.exists()]:
        raise ConfigError([f"{path}: exists already" for path in there], "Name another file or folder.")
    if "deepspeed" in recipe.settings:
        text = text.replace(str(recipe.settings["deepspeed"]), str(copies[1]))
    with atomic_writer(target) as file:
        file.write(text)
    if "deepspeed" in recipe.settings:
        shutil.copyfile(beside, copies[1])
    print(f"wrote {', '.join(map(str, copies))}; run it: {text.splitlines()[0].removeprefix('# ')}")


def train_command(name: str, build: Path, output: Path | None, wishes: Wishes, only_check: bool, quiet: bool) -> None:
    """Run a recipe, or only check it, and say what came out."""
    recipe = read_recipe(name)
    folder = output or Path("runs") / recipe.name
    if only_check:
        found = check(render(recipe, build, folder, wishes.overrides), build, this_device())
        print(*found, sep="\n")
        if errors := [problem for problem in found if not problem.warning]:
            raise ConfigError([f"{len(errors)} of these would stop the run"])
        print(f"{recipe.name}: fine on {build}")
        return
    with display(quiet) as show:
        train(recipe, build, folder, wishes, show)
    print(f"{folder / 'run.json'}")
