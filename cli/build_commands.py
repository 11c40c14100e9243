"""What the commands do, beyond reading their options."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path

from rich.console import Console

from pairwright.cli.progress import LiveBars, PlainLines
from pairwright.cli.tables import print_table
from pairwright.core.config.build_file import BuildConfig, read_build
from pairwright.core.config.model_families import family_warnings
from pairwright.core.errors import ConfigError, ExportError, Interrupted
from pairwright.core.llm.ledger import Ledger
from pairwright.core.storage import atomic_writer, manifest_of
from pairwright.pipelines.books import Silent
from pairwright.pipelines.build import ledger_path, run_build
from pairwright.pipelines.catalogues import CATALOGUES
from pairwright.pipelines.forecast import check_needs, forecast_build, needs_table
from pairwright.pipelines.reporting.report import funnel_table
from pairwright.pipelines.schema import build_file_page, build_file_schema, one_line


def build_command(file: Path, output: Path | None, quiet: bool, allow_licence: bool = False) -> None:
    """Run a build and print its funnel and the SHA-256 of every exported file."""
    config = _configured(file, output)
    if allow_licence:
        config = config.model_copy(update={"allow_licences": True})
    before: list[int] = []
    with ExitStack() as stack:

        def watch(ledger: Ledger) -> Silent | LiveBars | PlainLines:
            before.append(ledger.usage().requests)
            if quiet:
                return Silent()
            console = Console(stderr=True)
            if console.is_terminal:
                return stack.enter_context(LiveBars(ledger.usage, console))
            return stack.enter_context(PlainLines(ledger.usage))

        try:
            result = run_build(config, watch)
        except KeyboardInterrupt:
            raise Interrupted(
                "stopped by Ctrl-C", "Everything paid for is kept; run the same command again to go on."
            ) from None
    with Ledger(ledger_path(config)) as ledger:
        sent = ledger.usage().requests - before[0] if before else 0
    print(f"{sent:,} requests were sent in this run; all other answers came from the ledger.", file=sys.stderr)
    print_table("Funnel: in = kept + dropped + failed", funnel_table(result.counts))
    folder = Path(config.output)
    for name, digest in manifest_of(folder, [p for p in (folder / "exports").rglob("*") if p.is_file()]).items():
        print(f"{digest}  {name}")
    print(f"build {result.build_id} is in {folder}; read {folder / 'report.md'}, look: pairwright show {folder}")


def _configured(file: Path, output: Path | None = None) -> BuildConfig:
    config = read_build(file, CATALOGUES)
    return config.model_copy(update={"output": str(output)}) if output else config


def check_command(file: Path) -> None:
    """Check the build file and all that it needs; the first thing that is missing is an error."""
    config = _configured(file)
    for line in check_needs(config):
        print(line)
    found = forecast_build(config)
    print_table("Rows", funnel_table(found.counts))
    print(f"{file}: fine, {found.queries} queries, {found.references} of them with a reference rewrite")


def plan_command(file: Path) -> None:
    """Print the rows, requests, tokens and cost to expect."""
    config = _configured(file)
    found = forecast_build(config)
    for warning in family_warnings(config):
        print(warning)
    print_table("Rows", funnel_table(found.counts))
    print_table(
        "Requests still to send; retries, answers asked again and replacements of refused pairs come on top",
        needs_table(found.needs),
    )


def list_command(kind: str | None) -> None:
    """Print the catalogue."""
    for each, catalogue in CATALOGUES.items():
        if kind in (None, each):
            print_table(
                each, [("use", "what it does"), *((name, one_line(cls)) for name, cls in sorted(catalogue.items()))]
            )


def schema_command(page: bool) -> None:
    """Print the JSON schema of build files, or the page about them."""
    if page:
        print(build_file_page(), end="")
    else:
        print(json.dumps(build_file_schema(), ensure_ascii=False, indent=2))


def init_command(path: Path) -> None:
    """Write the commented template; never over an existing file."""
    if path.exists():
        raise ConfigError([f"{path}: exists already"], "Give another file name: pairwright init other.yaml")
    with atomic_writer(path) as target:
        target.write(files("pairwright.cli").joinpath("template.yaml").read_text(encoding="utf-8"))
    print(f"wrote {path}: set the path of your dialogues and an endpoint, then run: pairwright check {path}")


def gate_command(text: str, history: Sequence[str], user_turns: bool, use: str, build: Path | None) -> None:
    """Print what a gate says of one query."""
    from pairwright.pipelines import gate_preview

    task = gate_preview.task_of(text, gate_preview.turns_of(history, user_only=user_turns))
    found = gate_preview.by_build(_configured(build), task) if build else gate_preview.by_name(use, task)
    print_table("Gate", gate_preview.decision_table(found))


def verify_command(folder: Path, tokenizer: str, cutoff_len: int) -> None:
    """Print what the trainers' own loaders made of the exports; rows that arrived otherwise are an error."""
    from pairwright.exports.verification.trainer_loads import verify_exports

    found = verify_exports(folder / "exports", tokenizer, cutoff_len=cutoff_len)
    rows = [
        (one.trainer, one.name, one.template, one.rows, one.longest, one.skipped or "; ".join(one.problems) or "none")
        for one in found
    ]
    print_table(
        "Loaded by the trainers", [("trainer", "set", "template", "rows", "longest, tokens", "problems"), *rows]
    )
    if broken := [one.name for one in found if one.problems]:
        raise ExportError(f"not loaded as written: {', '.join(broken)}", "The table says what is wrong with each.")


def publish_command(
    folder: Path,
    repo: str,
    private: bool,
    revision: str,
    tag: str | None,
    endpoint: str | None,
    licence: bool,
    personal: Sequence[str],
    dry_run: bool,
) -> None:
    """Publish and print the address and the lines that load the data set; or list what would go."""
    from pairwright.exports.publishing.hub import listing, publish

    done = publish(
        folder,
        repo,
        private=private,
        revision=revision,
        tag=tag,
        endpoint=endpoint,
        allow_licences=licence,
        allow_personal_data=personal,
        dry_run=dry_run,
    )
    print(*listing(done), sep="\n")
    print("nothing was sent" if dry_run else f"{done.url}\n{done.loading(repo)}")
