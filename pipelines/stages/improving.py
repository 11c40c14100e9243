"""Chosen answers are checked once more: some are left out, some replaced by better ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pairwright.core.bookkeeping import Dropped, Failed
from pairwright.core.components import Configured
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.errors import BuildError
from pairwright.core.improvement import Improvement
from pairwright.core.records import Candidate, SftRow
from pairwright.core.result import BuildResult, ReportSection
from pairwright.pipelines.artefacts import CHOSEN, REVIEWED
from pairwright.pipelines.judging.answer_improvement import (
    account_for_written,
    improve_answers,
    keep_answers,
    list_written,
)
from pairwright.pipelines.needs import Need, Outlook
from pairwright.pipelines.reporting.improvement_tables import improvement_lines
from pairwright.pipelines.run import Run
from pairwright.pipelines.stage import RowStage


class _WithImprover(RowStage):
    """What a build has only where its file says ``improve``."""

    per_row: ClassVar[bool] = True

    def wanted(self, config: BuildConfig) -> bool:
        return config.improve is not None


class Improve(_WithImprover):
    """The improver looks at every chosen answer, and may write a better one."""

    name: ClassVar[str] = "improve"
    unit: ClassVar[str] = "answers"
    reads = (CHOSEN,)

    def judges(self, config: BuildConfig) -> tuple[Configured, ...]:
        return () if config.improve is None else (config.improve, *config.judges)

    def inputs(self, run: Run, rows: Iterator[object]) -> Iterator[SftRow]:  # noqa: ARG002
        return run.read(CHOSEN)

    def outcomes(self, run: Run, rows: Iterator[SftRow]) -> Iterator[Improvement | Failed]:
        assert run.config.improve is not None
        return improve_answers(rows, run.config.improve, run.config.judges, run.access)

    def at_most(self, run: Run) -> int:
        return run.count(CHOSEN)

    def needs(self, outlook: Outlook) -> Iterator[Need]:
        """At most: every query has an answer, each is improved, and each improvement goes before every paid judge."""
        config = outlook.config
        if config.improve is not None:
            yield from outlook.asked(config.improve, config.improve.name, outlook.answered)
            for judge in config.judges:
                yield from outlook.asked(judge, f"{judge.name}, improved", outlook.answered)

    def report(self, result: BuildResult) -> Iterator[ReportSection]:
        if result.config.improve is not None:
            yield ReportSection("Improvement", tuple(improvement_lines(result, result.config.improve.name)), 20)


class CompareImproved(_WithImprover):
    """What became of the texts that were written."""

    name: ClassVar[str] = "compare"
    unit: ClassVar[str] = "improvements"
    reads = (REVIEWED,)

    def inputs(self, run: Run, rows: Iterator[object]) -> Iterator[tuple[Candidate, str]]:  # noqa: ARG002
        return list_written(run.read(REVIEWED))

    def outcomes(self, run: Run, rows: Iterator[tuple[Candidate, str]]) -> Iterator[Candidate | Dropped]:  # noqa: ARG002
        return account_for_written(rows)


class Keep(_WithImprover):
    """The answer to imitate, improved or as it was; queries that are not worth learning go."""

    name: ClassVar[str] = "keep"
    unit: ClassVar[str] = "answers"
    reads = (REVIEWED,)

    def inputs(self, run: Run, rows: Iterator[object]) -> Iterator[Improvement]:  # noqa: ARG002
        return run.read(REVIEWED)

    def outcomes(self, run: Run, rows: Iterator[Improvement]) -> Iterator[SftRow | Dropped]:  # noqa: ARG002
        return keep_answers(rows)

    def without_rows(self, run: Run) -> BuildError:
        assert run.config.improve is not None
        return BuildError(
            f"improve: {run.config.improve.name} kept no answer",
            f"{run.work / 'dropped.jsonl'} says why each one went; lower its thresholds, or use a stronger model.",
        )
