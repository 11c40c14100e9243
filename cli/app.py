"""The command line. Each command reads its options and calls one function; heavy imports wait until then."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from pairwright import __version__
from pairwright.cli.error_text import error_text
from pairwright.cli.recipes_app import RecipeName, recipes
from pairwright.cli.standard_streams import standard_streams
from pairwright.cli.stopping import Stoppable, stoppable
from pairwright.core.errors import PairwrightError, StorageError
from pairwright.core.files.file_errors import file_errors
from pairwright.core.interruption import INTERRUPTION

ComponentKind = Literal["sources", "gates", "judges", "comparison", "improve", "perturbers", "exports"]
"""The kinds of :data:`~pairwright.pipelines.catalogues.CATALOGUES`, spelled out so that ``--help`` need not load them."""

app = typer.Typer(
    cls=Stoppable,
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # typer's decorated help loads all of rich: three times the time of ours
    help="Turn raw multi-turn dialogues into SFT and preference data that make a small model better.",
)
BuildFile = Annotated[Path, typer.Argument(help="The build file (YAML).", metavar="BUILD.yaml")]
NoCode = Annotated[bool, typer.Option("--no-code", help="Refuse a file that runs code of others (use: module:Class).")]
BuildFolder = Annotated[Path, typer.Argument(help="The folder of a finished build.", metavar="FOLDER")]


def _print_version(asked: bool) -> None:
    if asked:
        print(f"pairwright {__version__}")
        raise typer.Exit


@app.callback()
def common_options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """What every command has."""


@app.command()
def build(
    file: BuildFile,
    output: Annotated[Path | None, typer.Option(help="Put the build here instead of the file's 'output'.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
    allow_licence: Annotated[
        bool, typer.Option("--allow-licence", help="Build although the licences cannot be combined; recorded.")
    ] = False,
    until: Annotated[
        str | None, typer.Option(help="Stop after this stage; its rows are in OUTPUT/unfinished.", metavar="STAGE")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace a build of another name, or one with edited files.")
    ] = False,
    no_code: NoCode = False,
) -> None:
    """Build the data set. It reads, generates, judges, makes worse variants, pairs, splits and exports."""
    from pairwright.cli.build_commands import build_command

    build_command(file, output, quiet, allow_licence, until, replace, not no_code)


@app.command()
def check(file: BuildFile, no_code: NoCode = False) -> None:
    """Check a build file and what it needs; send nothing. It looks at sources, and at what endpoints need to be asked."""
    from pairwright.cli.build_commands import check_command

    check_command(file, not no_code)


@app.command()
def plan(file: BuildFile, no_code: NoCode = False) -> None:
    """Print the requests and cost to expect; send nothing. Also rows per stage, and tokens."""
    from pairwright.cli.build_commands import plan_command

    plan_command(file, not no_code)


@app.command()
def preview(
    file: BuildFile,
    queries: Annotated[int, typer.Option("-n", "--queries", min=1, help="How many queries.")] = 5,
    ask: Annotated[
        bool, typer.Option("--ask", help="Ask the endpoints about them; the build reuses the answers.")
    ] = False,
    no_code: NoCode = False,
) -> None:
    """Show what the first few queries become. It asks no endpoint unless told to, and writes no build."""
    from pairwright.cli.build_commands import preview_command

    preview_command(file, queries, ask, not no_code)


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
    """Print pairs with their difference marked."""
    from pairwright.cli.show_command import show_command

    show_command(folder, defect, language, limit, row)


@app.command("list")
def list_(
    kind: Annotated[ComponentKind | None, typer.Argument(help="Only components of this kind.")] = None,
) -> None:
    """List the components that a build file can name. With what each one does."""
    from pairwright.cli.build_file_commands import list_command

    list_command(kind)


@app.command()
def schema(page: Annotated[bool, typer.Option("--page", help="As a page to read, in Markdown.")] = False) -> None:
    """Print every key of build files. As JSON schema for editors."""
    from pairwright.cli.build_file_commands import schema_command

    schema_command(page)


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="File to write.")] = Path("pairwright.yaml"),
) -> None:
    """Write a commented build file for your own dialogues."""
    from pairwright.cli.build_file_commands import init_command

    init_command(path)


@app.command()
def perturb(
    query: Annotated[str, typer.Option(help="The query that is rewritten or answered.")],
    text: Annotated[str | None, typer.Option(help="A good rewrite.")] = None,
    answer: Annotated[str | None, typer.Option(help="A good answer instead: words, or a JSON array of calls.")] = None,
    history: Annotated[
        list[str] | None, typer.Option(help="One turn, oldest first; repeat it. User speaks first.")
    ] = None,
    tools: Annotated[str | None, typer.Option(help="With --answer: a JSON array of tools, or a file with one.")] = None,
    result: Annotated[
        list[str] | None, typer.Option(help="With --answer: what a tool said since the query; repeat it.")
    ] = None,
) -> None:
    """Show what every perturber makes of one good text. It is a rewrite or an answer."""
    from pairwright.cli.perturb_command import perturb_command

    perturb_command(query, text, answer, history or [], tools or "", result or [])


@app.command()
def gate(
    text: Annotated[str, typer.Option(help="The query.")],
    history: Annotated[
        list[str] | None, typer.Option(help="One turn, oldest first; repeat it. User speaks first.")
    ] = None,
    user_turns: Annotated[
        bool, typer.Option("--user-turns", help="The history holds user turns only: no answer is known.")
    ] = False,
    use: Annotated[str, typer.Option(help="A gate that asks no model.")] = "rules",
    build: Annotated[Path | None, typer.Option(help="Take the gate of this build file instead, model and all.")] = None,
) -> None:
    """Show whether one query needs a rewrite. Also whether what it lacks stands in a missing answer."""
    from pairwright.cli.gate_command import gate_command

    gate_command(text, history or [], user_turns, use, build)


SYSTEM = "[NAME=]FILE, URL#MODEL, gguf[:FILE] or hf:FOLDER[+ADAPTER]."
TEST = "Test set: FILE, FORMAT:FILE, or the folder of a build."
Seed = Annotated[int, typer.Option(min=0, help="Seed of intervals and tests.")]
KeyEnv = Annotated[str | None, typer.Option(help="Environment variable with the endpoints' key.")]
PromptOf = Annotated[Path | None, typer.Option("--build", help="Ask models with the prompt of this build.")]


@app.command()
def evaluate(
    test: Annotated[list[str], typer.Option(help=f"{TEST} Repeatable.")],
    system: Annotated[list[str] | None, typer.Option(help=f"{SYSTEM} Repeatable.")] = None,
    base: Annotated[str | None, typer.Option(help="The untrained model, to compare with.")] = None,
    against: Annotated[str | None, typer.Option(help="Take differences from this system.")] = None,
    output: Annotated[Path, typer.Option(help="Folder for report, predictions, ledger.")] = Path("evaluation-report"),
    leaderboard: Annotated[Path | None, typer.Option(help="Folder that collects the results of many runs.")] = None,
    build: PromptOf = None,
    api_key_env: KeyEnv = None,
    cosine: Annotated[
        str | None, typer.Option(help="Also embedding cosine: 'packaged' or an encoder's folder.")
    ] = None,
    bertscore: Annotated[str | None, typer.Option(help="Also BERTScore: an encoder's FOLDER[@LAYER].")] = None,
    perplexity: Annotated[str | None, typer.Option(help="Also perplexity: a causal model's folder.")] = None,
    passages: Annotated[Path | None, typer.Option(help="Also retrieval over this collection.")] = None,
    judge: Annotated[str | None, typer.Option(help="Also a judge's win rate: URL#MODEL or gguf[:FILE].")] = None,
    seed: Seed = 0,
) -> None:
    """Measure systems on test sets. With intervals and paired tests, beside the baselines."""
    from pairwright.cli.evaluate_command import evaluate_command
    from pairwright.evaluation.model_metrics.catalogue import Extras
    from pairwright.evaluation.systems.student_requests import RequestOptions

    options = RequestOptions(ledger=output / "evaluation.ledger.sqlite", api_key_env=api_key_env)
    extras = Extras(cosine=cosine, bertscore=bertscore, perplexity=perplexity, passages=passages, judge=judge)
    evaluate_command(
        system or [],
        test,
        output,
        base=base,
        against=against,
        leaderboard=leaderboard,
        options=options,
        build=build,
        extras=extras,
        seed=seed,
    )


@app.command()
def compare(
    first: Annotated[str, typer.Argument(help=SYSTEM)],
    second: Annotated[str, typer.Argument(help="The other system.")],
    test: Annotated[str, typer.Option(help=TEST)],
    output: Annotated[Path, typer.Option(help="Folder for the comparison.")] = Path("comparison"),
    build: PromptOf = None,
    api_key_env: KeyEnv = None,
    seed: Seed = 0,
) -> None:
    """Compare two systems. Where each wins, examples, and a verdict that the numbers support."""
    from pairwright.cli.evaluate_command import compare_command
    from pairwright.evaluation.systems.student_requests import RequestOptions

    options = RequestOptions(ledger=output / "evaluation.ledger.sqlite", api_key_env=api_key_env)
    compare_command(first, second, test, output, options=options, build=build, seed=seed)


@app.command("evaluate-dialogues")
def evaluate_dialogues(
    test: Annotated[Path, typer.Option(help="Dialogues with what is expected of each turn.")],
    system: Annotated[list[str], typer.Option(help="[NAME=]PREDICTIONS.jsonl. Repeatable.")],
    against: Annotated[str | None, typer.Option(help="Take differences from this system.")] = None,
    output: Annotated[Path, typer.Option(help="Folder for the report.")] = Path("evaluation-report"),
    seed: Seed = 0,
) -> None:
    """Measure answers over many turns. Behaviour, tools, slots, support, task success."""
    from pairwright.cli.evaluate_command import evaluate_dialogues_command

    evaluate_dialogues_command(system, test, output, against=against, seed=seed)


@app.command()
def verify(
    folder: BuildFolder,
    tokenizer: Annotated[str, typer.Option(help="The student's tokenizer: a local folder or a model name.")],
    cutoff_len: Annotated[int, typer.Option(min=16, help="The recipe's cutoff_len, in tokens.")] = 2048,
) -> None:
    """Check exports with the trainers' own code. Every row is loaded and compared; needs the 'train' extra."""
    from pairwright.cli.publish_commands import verify_command

    verify_command(folder, tokenizer, cutoff_len)


app.add_typer(recipes, name="recipes")


@app.command()
def train(
    name: RecipeName,
    build: Annotated[Path, typer.Argument(help="The folder of a finished build.", metavar="BUILD")],
    output: Annotated[Path | None, typer.Option(help="Folder of the run (default: runs/RECIPE).")] = None,
    model: Annotated[str | None, typer.Option(help="Another student: a model's folder or its name on the Hub.")] = None,
    change: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE or STAGE.KEY=VALUE of the recipe. Repeatable.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only say what is wrong; start nothing.")] = False,
    device: Annotated[str | None, typer.Option(help="With --check: a card such as 2080ti, 24gb or 4xa100.")] = None,
    deep: Annotated[bool, typer.Option("--deep", help="With --check: ask the installed trainer as well.")] = False,
    sweep: Annotated[
        list[str] | None, typer.Option(help="KEY=VALUE,VALUE …: train every combination, judge on validation rows.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Remove what an earlier run left here, begin again.")] = False,
    stop: Annotated[
        bool, typer.Option("--stop-when-fallen", help="Stop a preference stage whose chosen answers fall.")
    ] = False,
    held_out: Annotated[
        Literal["test", "validation", "both", "none"], typer.Option(help="Splits that the models are compared on.")
    ] = "test",
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
) -> None:
    """Run a recipe on a build. Checks, trains, evaluates on held-out rows, records. Run again to go on."""
    from pairwright.cli.train_check_command import wanted
    from pairwright.cli.train_command import train_command
    from pairwright.training_recipes.runs.options import asked

    wishes = asked(model, change or [], fresh, stop, held_out)
    train_command(name, build, output, wishes, sweep or [], wanted(check, device, deep), quiet)


@app.command()
def calibrate(
    file: BuildFile,
    marked: Annotated[
        list[Path] | None,
        typer.Option(
            help="JSONL of marked texts (history, query, text, good) instead of the sources' rewrites. Repeatable."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Gold rows per language, drawn by seed.")] = 200,
    variants: Annotated[int, typer.Option(min=1, help="Bad variants of each gold row.")] = 2,
    precision: Annotated[float, typer.Option(min=0.5, max=1.0, help="Precision that thresholds should give.")] = 0.9,
    output: Annotated[Path | None, typer.Option(help="Folder for the results (default: OUTPUT/calibration).")] = None,
    no_code: NoCode = False,
) -> None:
    """Measure judges against gold, and choose thresholds. The judges are those of the build file."""
    from pairwright.cli.calibrate_command import calibrate_command

    calibrate_command(file, marked or [], limit, variants, precision, output, not no_code)


@app.command()
def publish(
    folder: BuildFolder,
    repo: Annotated[str, typer.Argument(help="Data set on the Hub: OWNER/NAME; made if it is not there.")],
    public: Annotated[bool, typer.Option("--public", help="Make it public; private without this.")] = False,
    revision: Annotated[str, typer.Option(help="Branch to commit to.")] = "main",
    tag: Annotated[str | None, typer.Option(help="Tag the commit.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="Hub to use, else HF_ENDPOINT, else the public one.")] = None,
    allow_licence: Annotated[
        bool, typer.Option("--allow-licence", help="Publish in spite of what the licences say.")
    ] = False,
    allow_personal_data: Annotated[
        list[str] | None,
        typer.Option(
            help="Publish rows with: email, mobile_number, identity_number, payment_card or api_key. Repeatable."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would go; send nothing.")] = False,
) -> None:
    """Publish a build to the Hugging Face Hub. Its exports, card, report and build file go in one commit."""
    from pairwright.cli.publish_commands import publish_command

    publish_command(
        folder, repo, not public, revision, tag, endpoint, allow_licence, allow_personal_data or [], dry_run
    )


def _require_working_directory() -> None:
    try:
        os.getcwd()
    except FileNotFoundError:
        raise StorageError("the working directory is not there any more", "Change to a folder that is.") from None


def main() -> None:
    """Entry point: known errors become one paragraph and their exit code, bugs keep their traceback."""
    try:
        # Outermost: a signal may come while the streams are being replaced.
        with stoppable():
            INTERRUPTION.handle_signals()
            with standard_streams(), file_errors("the file system"):
                _require_working_directory()
                app()
    except PairwrightError as exc:
        INTERRUPTION.ignore_signals()
        print(f"error: {error_text(exc)}", file=sys.stderr)
        sys.exit(exc.exit_code)
    finally:
        INTERRUPTION.ignore_signals()


if __name__ == "__main__":
    main()
