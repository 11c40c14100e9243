"""Of the answers to imitate those that cover the data best."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pairwright.core.bookkeeping import Dropped
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.files.storage import write_rows
from pairwright.core.records import SftRow
from pairwright.core.result import BuildResult, ReportSection
from pairwright.pipelines.artefacts import CHOSEN, FIGURES, IMPROVED, SPARSE, Latest
from pairwright.pipelines.diversity.embedding import require_embedding
from pairwright.pipelines.reporting.diversity_tables import diversity_lines
from pairwright.pipelines.run import Run
from pairwright.pipelines.stage import RowStage

_ANSWERS = Latest((CHOSEN, IMPROVED))


class Diversify(RowStage):
    """Keep the share of each language and domain that covers it best, and hand over what stays sparse."""

    name: ClassVar[str] = "diversity"
    unit: ClassVar[str] = "queries"
    reads = (_ANSWERS,)
    writes = (FIGURES, SPARSE)

    def wanted(self, config: BuildConfig) -> bool:
        return config.diversity is not None

    def require(self, config: BuildConfig) -> None:
        """The embedding can be computed."""
        require_embedding(config)

    def inputs(self, run: Run, rows: Iterator[object]) -> Iterator[SftRow]:  # noqa: ARG002
        return run.read(_ANSWERS)

    def outcomes(self, run: Run, rows: Iterator[SftRow]) -> Iterator[SftRow | Dropped]:
        from pairwright.pipelines.diversity.diverse_selection import select_diverse

        assert run.config.diversity is not None
        selection = select_diverse(lambda: run.read(_ANSWERS), run.config.diversity)
        FIGURES.write(run.work, selection.diversity.model_dump())
        write_rows(SPARSE.path(run.work), selection.sparse_regions(run.read(_ANSWERS)))
        return selection.outcomes(rows)

    def report(self, result: BuildResult) -> Iterator[ReportSection]:
        if diversity := result.diversity():
            yield ReportSection("Diversity", tuple(diversity_lines(diversity)), 60)
