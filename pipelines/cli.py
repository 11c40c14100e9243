"""The command line. Each command reads its options and calls one function; heavy imports wait until then."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from pairwright.core.errors import PairwrightError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Turn raw multi-turn dialogues into SFT and preference data that make a small model better.",
)
BuildFile = Annotated[Path, typer.Argument(help="The build file (YAML).", metavar="BUILD.yaml")]
BuildFolder = Annotated[Path, typer.Argument(help="The folder of a finished build.", metavar="FOLDER")]


@app.command()
def build(
    file: BuildFile,
    output: Annotated[Path | None, typer.Option(help="Put the build here instead of the file's 'output'.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
) -> None:
    """Build the data set: read, generate, judge, make worse variants, pair, split, export."""
    from pairwright.pipelines.commands import build_command

    build_command(file, output, quiet)


@app.command()
def check(file: BuildFile) -> None:
    """Check a build file, its sources, and that its endpoints could be asked; send nothing."""
    from pairwright.pipelines.commands import check_command

    check_command(file)


@app.command()
def plan(file: BuildFile) -> None:
    """Print what a build would do: rows per stage, requests, tokens and cost to expect; send nothing."""
    from pairwright.pipelines.commands import plan_command

    plan_command(file)


@app.command()
def show(
    folder: BuildFolder,
    defect: Annotated[str | None, typer.Option(help="Only pairs with this defect.")] = None,
    language: Annotated[str | None, typer.Option(help="Only pairs in this language: zh or en.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many pairs.")] = 5,
    row: Annotated[
        str | None, typer.Option(help="Everything about one row, by its id (pair, query or candidate).")
    ] = None,
) -> None:
    """Print pairs with the difference between chosen and rejected marked."""
    from pairwright.pipelines.show import show_command

    show_command(folder, defect, language, limit, row)


@app.command("list")
def list_(
    kind: Annotated[Literal["sources", "judges", "perturbers", "exports"] | None, typer.Argument()] = None,
) -> None:
    """List the components that a build file can name, with what each one does."""
    from pairwright.pipelines.commands import list_command

    list_command(kind)


@app.command()
def schema(page: Annotated[bool, typer.Option("--page", help="As a page to read, in Markdown.")] = False) -> None:
    """Print every key of build files, as JSON schema for editors."""
    from pairwright.pipelines.commands import schema_command

    schema_command(page)


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="File to write.")] = Path("pairwright.yaml"),
) -> None:
    """Write a commented build file for your own dialogues."""
    from pairwright.pipelines.commands import init_command

    init_command(path)


def main() -> None:
    """Entry point: known errors become one paragraph and their exit code, bugs keep their traceback."""
    try:
        app()
    except PairwrightError as exc:
        print(f"error: {exc}", file=sys.stderr)
        sys.exit(exc.exit_code)
    except KeyboardInterrupt:
        print("stopped. Everything paid for is kept; run the same command again to go on.", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
