"""What ``pairwright train`` does and prints."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pairwright.cli.train_check_command import Checking, check_command
from pairwright.cli.training_display import display
from pairwright.evaluation.evaluation import Evaluation
from pairwright.training_recipes.outcomes.held_out_table import interval
from pairwright.training_recipes.outcomes.held_out_table import table as table_of
from pairwright.training_recipes.recipes.recipe_files import Recipe, read_recipe
from pairwright.training_recipes.recipes.rendering import render
from pairwright.training_recipes.runs.opening import Wishes
from pairwright.training_recipes.runs.options import scalar
from pairwright.training_recipes.runs.run_record import RunRecord
from pairwright.training_recipes.sweep import Point, grid
from pairwright.training_recipes.sweep import sweep as run_sweep
from pairwright.training_recipes.train import train

SWEPT = ("exact_match_normalised", "rouge_l", "entity_retention", "example_leak", "unchanged")


def train_command(
    name: str,
    build: Path,
    output: Path | None,
    wishes: Wishes,
    sweep: Sequence[str],
    checking: Checking | None,
    quiet: bool,
) -> None:
    """Run a recipe or a grid of its settings, or only check it, and say what came out."""
    recipe = read_recipe(name)
    folder = output or Path("runs") / recipe.name
    if checking:
        stages = render(recipe, build, folder, wishes.overrides)
        check_command(recipe.name, stages, build, checking.device, checking.deep)
        return
    if sweep:
        _sweep(recipe, build, output or Path("runs") / f"{recipe.name}.sweep", wishes, sweep, quiet)
        return
    with display(quiet) as show:
        run = train(recipe, build, folder, wishes, show)
    _print_run(run, folder)


def _sweep(recipe: Recipe, build: Path, folder: Path, wishes: Wishes, words: Sequence[str], quiet: bool) -> None:
    with display(quiet) as show:
        found = run_sweep(recipe, build, folder, grid(words, scalar), wishes, show)
    title = f"{len(found.points)} points on {found.rows} validation rows; per cent, 95 % intervals"
    table = Table(title=title, title_justify="left")
    table.add_column("point", no_wrap=True)
    for name in (found.primary, "behind the best", *SWEPT, "reward accuracy", "drift, nats"):
        table.add_column(Text(name.replace("_", " ")))  # long names wrap between words
    for point in found.points:
        table.add_row(*map(Text, _sweep_row(point, found.primary)))
    Console(width=None if sys.stdout.isatty() else 180).print(table)
    print(found.verdict)
    print(folder / "sweep.json")


def _sweep_row(point: Point, primary: str) -> Iterator[str]:
    yield point.name
    yield interval(*point.figures[primary])
    yield "best" if point.behind is None else interval(*point.behind) + (" (noise)" if point.noise else "")
    for metric in SWEPT:
        yield interval(point.figures[metric][0]) if metric in point.figures else "–"
    yield "–" if point.accuracy is None else f"{point.accuracy:.2f}"
    yield "–" if point.drift is None else f"{point.drift:+.1f}"


def _print_run(run: RunRecord, folder: Path) -> None:
    console = Console(width=None if sys.stdout.isatty() else 160)
    if run.held_out and run.verdict:
        found = Evaluation.model_validate_json((folder / "evaluate" / "evaluation.json").read_bytes())
        head, *rows = table_of(found.results[0], found.metrics, run.verdict.before, run.verdict.after)
        table = Table(title=f"{run.held_out.rows} held-out rows; per cent, 95 % intervals", title_justify="left")
        for name in head:
            table.add_column(Text(name))
        for row in rows:
            table.add_row(*map(Text, row))
        console.print(table)
    if run.verdict:
        print(run.verdict.summary)
        for line in run.verdict.advice:
            print(f"- {line}")
    for name, system in run.recommended.items():
        print(f"use {name}: {system}")
    print(folder / "run.json")
