"""What ``pairwright train`` does and prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pairwright.cli.tables import print_table
from pairwright.cli.train_check_command import Checking, check_command
from pairwright.cli.training_display import display
from pairwright.core.pages.cells import format_share, format_value
from pairwright.evaluation.evaluation import Evaluation
from pairwright.training_recipes.outcomes.held_out_table import held_out_table, interval
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
    names = (found.primary, "behind the best", *SWEPT, "reward accuracy", "drift, nats")
    head = ("point", *(name.replace("_", " ") for name in names))  # long names wrap between words
    rows = [tuple(_sweep_row(point, found.primary)) for point in found.points]
    print_table(title, [head, *rows], width=180, first_whole=True)
    print(found.verdict)
    print(folder / "sweep.json")


def _sweep_row(point: Point, primary: str) -> Iterator[str]:
    yield point.name
    yield interval(*point.figures[primary])
    yield "best" if point.behind is None else interval(*point.behind) + (" (noise)" if point.noise else "")
    for metric in SWEPT:
        yield format_share(point.figures[metric][0] if metric in point.figures else None)
    yield format_value(point.accuracy)
    yield format_value(point.drift, "+.1f")


def _print_run(run: RunRecord, folder: Path) -> None:
    if run.held_out and run.verdict:
        found = Evaluation.model_validate_json((folder / "evaluate" / "evaluation.json").read_bytes())
        table = held_out_table(found.results[0], found.metrics, run.verdict.before, run.verdict.after)
        print_table(f"{run.held_out.rows} held-out rows; per cent, 95 % intervals", list(table), width=160)
    if run.verdict:
        print(run.verdict.summary)
        for line in run.verdict.advice:
            print(f"- {line}")
    for name, system in run.recommended.items():
        print(f"use {name}: {system}")
    print(folder / "run.json")
