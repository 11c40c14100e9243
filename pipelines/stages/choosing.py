"""From judged candidates to the answer to imitate of every query."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pairwright.core.bookkeeping import Dropped, Failed
from pairwright.core.components import Configured
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.errors import BuildError
from pairwright.core.records import JudgedCandidate, SftRow
from pairwright.pipelines.artefacts import CHOICES, JUDGED, QUERIES
from pairwright.pipelines.judging.answer_improvement import add_refused
from pairwright.pipelines.judging.candidate_judging import accept_candidates
from pairwright.pipelines.needs import Need, Outlook
from pairwright.pipelines.pairing.best_of_n import choose_best_of_n
from pairwright.pipelines.pairing.preference_pairs import Contenders, choose_answers, list_contenders
from pairwright.pipelines.run import Run
from pairwright.pipelines.stage import RowStage


class Accept(RowStage):
    """What a judge refused goes, under the first defect that was named."""

    name: ClassVar[str] = "accept"
    unit: ClassVar[str] = "candidates"
    per_row: ClassVar[bool] = True
    reads = (JUDGED,)

    def inputs(self, run: Run, rows: Iterator[object]) -> Iterator[JudgedCandidate]:  # noqa: ARG002
        return run.read(JUDGED)

    def outcomes(self, run: Run, rows: Iterator[JudgedCandidate]) -> Iterator[JudgedCandidate | Dropped]:  # noqa: ARG002
        return accept_candidates(rows)


class Choose(RowStage):
    """The best accepted answer of every query, or the best refused one where it may be improved."""

    name: ClassVar[str] = "choose"
    unit: ClassVar[str] = "queries"
    per_row: ClassVar[bool] = True
    reads = (QUERIES, JUDGED)
    writes = (CHOICES,)

    def judges(self, config: BuildConfig) -> tuple[Configured, ...]:
        return () if config.comparison is None or config.pairing.choose == "scores" else (config.comparison,)

    def inputs(self, run: Run, rows: Iterator[JudgedCandidate]) -> Iterator[Contenders]:
        accepted = rows if run.config.improve is None else add_refused(rows, run.read(JUDGED))
        return list_contenders(run.read(QUERIES), accepted)

    def outcomes(self, run: Run, rows: Iterator[Contenders]) -> Iterator[SftRow | Dropped | Failed]:
        pairing, comparison = run.config.pairing, run.config.comparison
        if comparison is None or pairing.choose == "scores":
            return choose_answers(rows)
        return choose_best_of_n(rows, pairing, comparison, run.access, CHOICES.path(run.work))

    def at_most(self, run: Run) -> int:
        return run.count(QUERIES)

    def without_rows(self, run: Run) -> BuildError:
        return BuildError(
            "no query has an accepted answer",
            f"{run.work / 'dropped.jsonl'} says what the judges found; a stronger teacher or other judges may help.",
        )

    def needs(self, outlook: Outlook) -> Iterator[Need]:
        """The bouts among the teachers' candidates of every query without a reference."""
        config = outlook.config
        rivals = sum(len(one.temperatures) for one in config.generation if one.role == "teacher")
        bouts = {"scores": 0, "knockout": rivals - 1, "all_pairs": rivals * (rivals - 1) // 2}[config.pairing.choose]
        if config.comparison is not None and bouts > 0:
            yield from outlook.asked(config.comparison, self.name, bouts * (outlook.queries - outlook.references))
