"""What ``pairwright build``, ``check`` and ``plan`` do."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from pairwright.cli.progress import LiveBars, PlainLines
from pairwright.cli.tables import print_table
from pairwright.core.config.build_file import BuildConfig, read_build
from pairwright.core.config.model_families import family_warnings
from pairwright.core.errors import Interrupted
from pairwright.core.llm.ledger import Ledger
from pairwright.core.result import BuildResult
from pairwright.core.storage import manifest_of
from pairwright.pipelines.books import Silent
from pairwright.pipelines.build import ledger_path, prepare, run_build, run_until
from pairwright.pipelines.build_folder import UNFINISHED
from pairwright.pipelines.catalogues import CATALOGUES
from pairwright.pipelines.forecast import forecast_build, needs_table
from pairwright.pipelines.preflight import check_endpoints
from pairwright.pipelines.reporting.funnel import funnel_table


def build_command(
    file: Path, output: Path | None, quiet: bool, allow_licence: bool = False, until: str | None = None
) -> None:
    """Run a build and print its funnel and the SHA-256 of every exported file; or run it as far as one stage."""
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
            done = run_build(config, watch) if until is None else run_until(config, until, watch)
        except KeyboardInterrupt:
            raise Interrupted(
                "stopped by Ctrl-C", "Everything paid for is kept; run the same command again to go on."
            ) from None
    with Ledger(ledger_path(config)) as ledger:
        sent = ledger.usage().requests - before[0] if before else 0
    print(f"{sent:,} requests were sent in this run; all other answers came from the ledger.", file=sys.stderr)
    counts = done.counts if isinstance(done, BuildResult) else done
    print_table("Funnel: in = kept + dropped + failed", funnel_table(counts))
    if isinstance(done, BuildResult):
        _print_result(done, Path(config.output))
    else:
        print(f"stopped after stage {until}; its rows are in {Path(config.output) / UNFINISHED}")


def _print_result(result: BuildResult, folder: Path) -> None:
    for name, digest in manifest_of(folder, [p for p in (folder / "exports").rglob("*") if p.is_file()]).items():
        print(f"{digest}  {name}")
    print(f"build {result.build_id} is in {folder}; read {folder / 'report.md'}, look: pairwright show {folder}")


def _configured(file: Path, output: Path | None = None) -> BuildConfig:
    config = read_build(file, CATALOGUES)
    return config.model_copy(update={"output": str(output)}) if output else config


def check_command(file: Path) -> None:
    """Check the build file and all that it needs; the first thing that is missing is an error."""
    config = prepare(_configured(file))
    for line in check_endpoints(config):
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
