"""What is said of finished rows: what judging took, which split they are in, and whether chosen can be told from rejected."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import ClassVar, TypeVar

from pairwright.core.calibration import read_calibration
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.pages.markdown import markdown_table
from pairwright.core.records import PreferencePair, SftRow
from pairwright.core.result import BuildResult, ReportSection
from pairwright.exports.calibration_section import calibration_section
from pairwright.exports.card.audit_section import audit_section
from pairwright.exports.card.proof_sections import split_section
from pairwright.pipelines.artefacts import (
    ANSWERS,
    BALANCED,
    CHOICES,
    COMPARED,
    FINDINGS,
    MEASURED,
    PAIRS,
    PROOF,
    QUERY_INDEX,
    SFT,
    USES,
    VERIFICATIONS,
)
from pairwright.pipelines.audit.probe import require_probe
from pairwright.pipelines.dedup.deduplication import link_dialogues
from pairwright.pipelines.dedup.earlier_builds import write_index
from pairwright.pipelines.pairing.splits import assign_splits, defect_labels, verify_splits
from pairwright.pipelines.reporting.audit_tables import audit_lines
from pairwright.pipelines.reporting.judging_section import judging_lines
from pairwright.pipelines.reporting.split_tables import pair_table, sft_table, split_lines
from pairwright.pipelines.run import Run
from pairwright.pipelines.stage import SummaryStage

Placed = TypeVar("Placed", SftRow, PreferencePair)


class NoteJudging(SummaryStage):
    """What the judges that ask a model said and took."""

    name: ClassVar[str] = "judging"
    reads = (CHOICES, VERIFICATIONS)
    writes = (COMPARED, USES)

    def make(self, run: Run) -> None:
        logs = [log for log in (CHOICES, VERIFICATIONS) if log.path(run.work).exists()]
        if logs:
            run.write(COMPARED, chain.from_iterable(run.read(log) for log in logs))
        if uses := run.access.usage.uses(run.judges, run.config.endpoints, run.config.task):
            run.write(USES, uses)

    def report(self, result: BuildResult) -> Iterator[ReportSection]:
        if lines := tuple(judging_lines(result)):
            yield ReportSection("Judges that ask a model", lines, 90)


class NoteCalibration(SummaryStage):
    """What the judges of the build were measured at."""

    name: ClassVar[str] = "calibration"
    writes = (MEASURED,)

    def wanted(self, config: BuildConfig) -> bool:
        return config.calibration is not None

    def make(self, run: Run) -> None:
        assert run.config.calibration is not None
        MEASURED.write(run.work, read_calibration(Path(run.config.calibration)).model_dump(mode="json"))

    def report(self, result: BuildResult) -> Iterator[ReportSection]:
        if lines := tuple(calibration_section(result)):
            yield ReportSection("Judges against gold", lines, 100)

    def card(self, result: BuildResult) -> Iterator[ReportSection]:
        if lines := tuple(calibration_section(result)):
            yield ReportSection("Judges against gold", lines, 40)


class Split(SummaryStage):
    """Whole dialogues, and dialogues that share a duplicate together, go to train, validation and test; with what proves it."""

    name: ClassVar[str] = "split"
    reads = (ANSWERS, BALANCED)
    writes = (SFT, PAIRS, PROOF, QUERY_INDEX)

    def make(self, run: Run) -> None:
        config, outline = run.config, ANSWERS.of(run.work).outline
        links = link_dialogues(outline(run.work), config.dedup)
        labels = defect_labels(run.read(BALANCED))
        splits = assign_splits(outline(run.work), config.split, config.seed, links, labels)

        def placed(rows: Iterator[Placed]) -> Iterator[Placed]:
            return (row.model_copy(update={"split": splits[row.task.dialogue]}) for row in rows)

        run.write(SFT, placed(run.read(ANSWERS)))
        run.write(PAIRS, placed(run.read(BALANCED)))
        # Read back from the files: what is proven has to be what is exported.
        final = chain(
            ((row.task, row.split) for row in run.read(SFT)), ((row.task, row.split) for row in run.read(PAIRS))
        )
        PROOF.write(run.work, verify_splits(final, links).model_dump())
        write_index(QUERY_INDEX.path(run.work), outline(run.work))

    def report(self, result: BuildResult) -> Iterator[ReportSection]:
        yield ReportSection("Answers to imitate (SFT)", tuple(markdown_table(sft_table(result))), 30)
        yield ReportSection("Preference pairs", tuple(markdown_table(pair_table(result))), 40)
        yield ReportSection("Splits", tuple(split_lines(result)), 80)

    def card(self, result: BuildResult) -> Iterator[ReportSection]:
        yield ReportSection("Splits", tuple(split_section(result)), 10)


class Audit(SummaryStage):
    """How well chosen can be told from rejected without the dialogue."""

    name: ClassVar[str] = "audit"
    reads = (PAIRS,)
    writes = (FINDINGS,)

    def wanted(self, config: BuildConfig) -> bool:
        return config.audit is not None

    def require(self, config: BuildConfig) -> None:  # noqa: ARG002
        """scikit-learn is installed."""
        require_probe()

    def make(self, run: Run) -> None:
        from pairwright.pipelines.audit.shortcut_audit import audit_pairs  # with its models

        assert run.config.audit is not None
        found = audit_pairs(run.read(PAIRS), run.config, run.config.audit)
        FINDINGS.write(run.work, found.model_dump(mode="json"))

    def report(self, result: BuildResult) -> Iterator[ReportSection]:
        if audit := result.audit():
            yield ReportSection("Shortcut audit", tuple(audit_lines(audit)), 110)

    def card(self, result: BuildResult) -> Iterator[ReportSection]:
        yield ReportSection("Shortcut audit", tuple(audit_section(result.audit())), 50)
