"""What a build would do, found out without sending anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from pairwright.core.bookkeeping import StageCount
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.config.model_families import family_warnings
from pairwright.core.errors import BuildError
from pairwright.core.execution.scratch import scratch_folder
from pairwright.core.llm.ledger import Ledger
from pairwright.core.pages.cells import Table
from pairwright.core.pages.shown import Part, Shown
from pairwright.pipelines.artefacts import QUERIES
from pairwright.pipelines.books import Books, Silent
from pairwright.pipelines.build import STEPS
from pairwright.pipelines.folder_claim import UNFINISHED
from pairwright.pipelines.needs import Need, Outlook
from pairwright.pipelines.reporting.funnel import funnel_table
from pairwright.pipelines.run import Run
from pairwright.pipelines.runner import run_steps, wanted_stages
from pairwright.pipelines.stage import Flow, Step


@dataclass(frozen=True, repr=False)
class Forecast(Shown):
    """The rows that are there and the requests that they need: ``queries``, ``references`` of them with a human answer.

    ``counts`` are the books of the stages that ran, ``needs`` what each endpoint would be asked at most, and ``warnings``
    what speaks against the models that were chosen.
    """

    counts: Sequence[StageCount]
    queries: int
    references: int
    needs: Sequence[Need]
    warnings: tuple[str, ...] = ()

    def parts(self) -> Iterator[Part]:
        """Warnings, rows, requests."""
        yield Part(lines=self.warnings)
        yield Part("Rows", funnel_table(self.counts))
        title = "Requests still to send; retries, answers asked again and replacements of refused pairs come on top"
        yield Part(title, needs_table(self.needs))


def forecast_build(config: BuildConfig, steps: Sequence[Step] = STEPS) -> Forecast:
    """Read all sources, and let every stage work out what it would ask.

    Raises:
        SourceError: a source cannot be read.
        BuildError: no query is left, or too many rows failed.
    """
    with reading(config, steps) as run:
        outlook = Outlook.of(config, lambda: run.read(QUERIES), config.ledger_path)
        needs = [need for stage in wanted_stages(steps, config) for need in stage.needs(outlook)]
        counts, warnings = tuple(run.books.counts), tuple(family_warnings(config))
        return Forecast(counts, outlook.queries, outlook.references, needs, warnings)


@contextmanager
def reading(config: BuildConfig, steps: Sequence[Step] = STEPS) -> Iterator[Run]:
    """A run in a temporary folder that went as far as a build gets without asking anybody: its queries are there.

    Raises:
        SourceError, BuildError: see :func:`forecast_build`.
    """
    with (
        scratch_folder("plan", config.ledger_path) as work,
        Ledger(work / "unused.sqlite") as nothing,
        Books(work, config.limits.max_failure_rate, Silent()) as books,
        Run(config, work, books, nothing) as run,
    ):
        try:
            run_steps(list(_asking_nobody(steps, config)), run)
        except BuildError as exc:
            # What it says of files is true of a build only: this folder is gone when the message is read.
            hint = exc.hint.replace(str(work), str(Path(config.output) / UNFINISHED))
            raise BuildError(exc.message, f"{hint}\n'pairwright build' leaves these files.") from exc
        yield run


def _asking_nobody(steps: Sequence[Step], config: BuildConfig) -> Iterator[Flow]:
    """The flows that give the queries of a build, each as far as its first stage that asks: more there will not be."""
    for step in steps:
        if isinstance(step, Flow) and step.into in QUERIES.files:
            yield Flow(tuple(takewhile(lambda stage: not stage.asks(config), step.stages)), step.into)


def needs_table(needs: Sequence[Need]) -> Table:
    """Header, one row per endpoint and purpose, and the sum."""
    header = (
        "endpoint",
        "for",
        "requests",
        "already known",
        "prompt tokens",
        "answer tokens, at most",
        "cost, at most",
    )
    rows: list[tuple[object, ...]] = [(*need[:6], f"{need.cost:.4f}") for need in needs]
    sums = (sum(numbers) for numbers in zip(*(need[2:6] for need in needs), strict=True)) if needs else (0, 0, 0, 0)
    return [header, *rows, ("all", "", *sums, f"{sum(need.cost for need in needs):.4f}")]
