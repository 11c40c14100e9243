"""Raw rows become tasks: read, windowed, without duplicates, without what copies a test set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import ClassVar

from pairwright.core.bookkeeping import Dropped, Failed
from pairwright.core.component_calls import read_source
from pairwright.core.components import NamedSource
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.errors import BuildError
from pairwright.core.records import Conversation, Task
from pairwright.core.result import BuildResult, HeldOutSet, ReportSection
from pairwright.exports.card.proof_sections import held_out_section
from pairwright.pipelines.artefacts import LEAKS_FOUND
from pairwright.pipelines.dedup.deduplication import deduplicate
from pairwright.pipelines.dedup.earlier_builds import require_earlier
from pairwright.pipelines.ingest.contexts import QueryPosition
from pairwright.pipelines.ingest.windows import WINDOWS
from pairwright.pipelines.licence_check import require_combinable
from pairwright.pipelines.reporting.leak_tables import leak_lines
from pairwright.pipelines.run import Run
from pairwright.pipelines.stage import RowStage


class Read(RowStage):
    """One dialogue per raw row of every source, in the order of the build file."""

    name: ClassVar[str] = "read"
    unit: ClassVar[str] = "rows"
    per_row: ClassVar[bool] = True

    def require(self, config: BuildConfig) -> None:
        """The licences of the sources can be combined."""
        require_combinable(config)

    def inputs(self, run: Run, rows: Iterator[object]) -> Iterator[Conversation | Failed]:  # noqa: ARG002
        return WINDOWS[run.config.task].check(read_sources(run.config))

    def outcomes(self, run: Run, rows: Iterator[Conversation | Failed]) -> Iterator[Conversation | Failed]:  # noqa: ARG002
        return rows


def read_sources(config: BuildConfig) -> Iterator[Conversation | Failed]:
    """One outcome per raw row of every source, in the order of the build file."""
    for source in config.sources:
        yield from islice(read_source(source), config.limits.max_rows)


class Window(RowStage):
    """One task per query, with the history and the examples that models will see."""

    name: ClassVar[str] = "window"
    unit: ClassVar[str] = "queries"
    per_row: ClassVar[bool] = True

    def require(self, config: BuildConfig) -> None:
        """The few-shot examples can be read."""
        WINDOWS[config.task].windower(config)

    def inputs(self, run: Run, rows: Iterator[Conversation]) -> Iterator[QueryPosition]:
        return WINDOWS[run.config.task].find(rows, run.config.context)

    def outcomes(self, run: Run, rows: Iterator[QueryPosition]) -> Iterator[Task | Dropped]:
        return WINDOWS[run.config.task].windower(run.config)(rows)


class _LeavesTasks(RowStage):
    """What may be the last stage before the tasks are there."""

    unit: ClassVar[str] = "queries"

    def without_rows(self, run: Run) -> BuildError:
        failed = run.books.first_failure()
        if failed:
            failed = f"Rows failed: {run.work / 'failed.jsonl'} has them. {failed}"
        return BuildError(
            "no query is left after reading, windowing and removing duplicates",
            f"{failed}{run.work / 'dropped.jsonl'} says why each one went; check the sources' mapping and context.languages.",
        )


class Deduplicate(_LeavesTasks):
    """Exact and near duplicates go, and what an earlier build has."""

    name: ClassVar[str] = "dedup"

    def require(self, config: BuildConfig) -> None:
        """The earlier builds are there."""
        require_earlier(config)

    def outcomes(self, run: Run, rows: Iterator[Task]) -> Iterator[Task | Dropped]:
        return deduplicate(rows, run.config.dedup)


class Decontaminate(_LeavesTasks):
    """What copies a row of the test sets in ``evaluations`` goes, or is flagged."""

    name: ClassVar[str] = "decontaminate"
    writes = (LEAKS_FOUND,)

    def wanted(self, config: BuildConfig) -> bool:
        return bool(config.evaluations)

    def outcomes(self, run: Run, rows: Iterator[Task]) -> Iterator[Task | Dropped]:
        from pairwright.pipelines.dedup.decontamination import decontaminate

        config = run.config
        tests = {
            source.source if isinstance(source, NamedSource) else source.name: read_source(source)
            for source in config.evaluations
        }
        listed = {name: WINDOWS[config.task].list_tests(found) for name, found in tests.items()}

        def tell(found: Sequence[HeldOutSet]) -> None:
            LEAKS_FOUND.write(run.work, [one.model_dump() for one in found])

        return decontaminate(rows, listed, config.decontamination, tell)

    def report(self, result: BuildResult) -> Iterator[ReportSection]:
        if held_out := result.held_out():
            lines = leak_lines(held_out, result.config.decontamination.action)
            yield ReportSection("Test sets kept out", tuple(lines), 70)

    def card(self, result: BuildResult) -> Iterator[ReportSection]:
        yield ReportSection("Test sets kept out", tuple(held_out_section(result)), 20)
