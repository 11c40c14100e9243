"""``pairwright recipes``: the commands that show training recipes and copy them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

recipes = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="List, show and copy training recipes. They are plain files for LlamaFactory and TRL.",
)
RecipeName = Annotated[str, typer.Argument(help="A recipe's name, or the path of your own.", metavar="RECIPE")]


@recipes.command("list")
def recipes_list(
    words: Annotated[list[str] | None, typer.Argument(help="Only names with all of these words.")] = None,
) -> None:
    """List the recipes: name, trainer, stage and what each one is for."""
    from pairwright.cli.recipes_command import list_command

    list_command(words or [])


@recipes.command("show")
def recipes_show(name: RecipeName) -> None:
    """Print a recipe as its trainer reads it."""
    from pairwright.cli.recipes_command import show_command

    show_command(name)


@recipes.command("copy")
def recipes_copy(
    name: RecipeName,
    to: Annotated[Path, typer.Argument(help="File (.yaml) or folder to write.")] = Path("."),
) -> None:
    """Copy a recipe, to change it: it stays a file that its trainer reads."""
    from pairwright.cli.recipes_command import copy_command

    copy_command(name, to)
