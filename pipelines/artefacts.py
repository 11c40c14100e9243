"""What the stages of a build hand to each other: files in the build's work folder, each written by one stage.

The list of all of them, with who writes and who reads them, is made from the stages: see ``pipelines/build.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pairwright.core.files.storage import atomic_path, open_log, read_rows, write_json, write_rows
from pairwright.core.identity import Row
from pairwright.core.improvement import Improvement
from pairwright.core.judge_usage import JudgeUse
from pairwright.core.records import (
    Candidate,
    Compared,
    GateRow,
    JudgedCandidate,
    PreferencePair,
    Rejected,
    SftRow,
    Task,
)
from pairwright.core.result import (
    AUDIT,
    CALIBRATION,
    COMPARISONS,
    DIVERSITY,
    GATE,
    IMPROVEMENTS,
    INDEX,
    JUDGING,
    LEAKS,
    SPARSE_REGIONS,
    SPLIT,
)
from pairwright.pipelines.dedup.outline import Outlined, outline

R = TypeVar("R", bound=Row)
A = TypeVar("A", bound="Artefact", covariant=True)


class Variants(Row):
    """One chosen answer with the worse ones that were made of it, in the order in which they may be chosen."""

    row: SftRow
    rejected: tuple[Rejected, ...]


@dataclass(frozen=True)
class Artefact:
    """A file in the work folder. ``kept_as`` is its name in ``rows/`` of the finished build; without one it goes.

    Of two that are kept under one name the later one in the list of stages is the one that stays.
    """

    file: str
    kept_as: str = ""

    def path(self, work: Path) -> Path:
        """Where it lies."""
        return work / self.file


@dataclass(frozen=True)
class Rows(Artefact, Generic[R]):
    """A JSONL file of rows of one type. One that is ``optional`` is there only if its stage runs, others always."""

    row_type: type[R] = Row  # type: ignore[assignment]
    optional: bool = False

    def read(self, work: Path) -> Iterator[R]:
        """The rows, in order.

        Raises:
            StorageError: the file cannot be read.
        """
        return read_rows(self.path(work), self.row_type)

    def write(self, work: Path, rows: Iterable[R]) -> int:
        """Write the file once all rows are through; return how many there are.

        Raises:
            StorageError: the file cannot be written.
        """
        return write_rows(self.path(work), rows)


@dataclass(frozen=True)
class Answers(Rows[SftRow]):
    """The answers to imitate, with their outline beside them."""

    def write(self, work: Path, rows: Iterable[SftRow]) -> int:
        with open_log(self._outline(work)) as note:

            def noted() -> Iterator[SftRow]:
                for row in rows:
                    note(outline(row.task))
                    yield row

            return super().write(work, noted())

    def outline(self, work: Path) -> Iterator[Outlined]:
        """What later stages must know of all answers, in order."""
        return read_rows(self._outline(work), Outlined)

    def _outline(self, work: Path) -> Path:
        return self.path(work).with_suffix(".outline.jsonl")


@dataclass(frozen=True)
class Document(Artefact):
    """A file that is one thing: figures as JSON, a table, a log that grows."""

    def write(self, work: Path, content: object) -> None:
        """Write it as JSON.

        Raises:
            StorageError: the file cannot be written.
        """
        write_json(self.path(work), content)


@dataclass(frozen=True)
class Codes(Artefact):
    """One byte per row of another artefact."""

    def write(self, work: Path, codes: bytes | bytearray) -> None:
        """Write the file.

        Raises:
            StorageError: it cannot be written.
        """
        with atomic_path(self.path(work)) as partial:
            partial.write_bytes(codes)

    def read(self, work: Path) -> bytes:
        """The codes."""
        return self.path(work).read_bytes()


@dataclass(frozen=True)
class Latest(Generic[A]):
    """Whichever of several files the stages of this build wrote last: later stages need not know which one it is."""

    files: tuple[A, ...]

    def of(self, work: Path) -> A:
        """The last one that is there."""
        return next((one for one in reversed(self.files) if one.path(work).exists()), self.files[0])


def _kept(file: str) -> Document:
    return Document(file, kept_as=file)


DROPPED, FAILED = _kept("dropped.jsonl"), _kept("failed.jsonl")

TASKS = Rows("tasks.jsonl", "tasks.jsonl", Task)
GATED = Rows("gated.jsonl", "tasks.jsonl", Task, optional=True)
QUERIES = Latest((TASKS, GATED))
"""The queries of the build, with the decisions of its gate where it has one."""

CANDIDATES = Rows("candidates.jsonl", "candidates.jsonl", Candidate)
JUDGED = Rows("judged.jsonl", "judged.jsonl", JudgedCandidate)

CHOSEN = Answers("chosen.jsonl", "", SftRow)
IMPROVED = Answers("improved.jsonl", "", SftRow, optional=True)
DIVERSE = Answers("diverse.jsonl", "", SftRow, optional=True)
ANSWERS = Latest((CHOSEN, IMPROVED, DIVERSE))
"""The answers to imitate, before the split."""

REVIEWED = Rows(IMPROVEMENTS, IMPROVEMENTS, Improvement, optional=True)
VARIANTS = Rows("variants.jsonl", "", Variants)
BALANCED = Rows("balanced.jsonl", "", PreferencePair)
SFT, PAIRS = Rows("sft.jsonl", "sft.jsonl", SftRow), Rows("pairs.jsonl", "pairs.jsonl", PreferencePair)

DECISIONS = Rows(GATE, GATE, GateRow, optional=True)
CHOICES = Rows("choices.jsonl", "", Compared, optional=True)
VERIFICATIONS = Rows("verifications.jsonl", "", Compared, optional=True)
VERIFIED, PICKS, KEEPS = Codes("verified.bin"), Codes("picks.bin"), Codes("keeps.bin")
COMPARED = Rows(COMPARISONS, COMPARISONS, Compared, optional=True)
USES = Rows(JUDGING, JUDGING, JudgeUse, optional=True)
LEAKS_FOUND, SPARSE, FIGURES = _kept(LEAKS), _kept(SPARSE_REGIONS), _kept(DIVERSITY)
PROOF, QUERY_INDEX, FINDINGS, MEASURED = _kept(SPLIT), _kept(INDEX), _kept(AUDIT), _kept(CALIBRATION)
