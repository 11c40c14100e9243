"""What a finished build hands to its exporters."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import NamedTuple, Protocol

from pydantic import Field

from pairwright.core.audit_result import Audit
from pairwright.core.bookkeeping import StageCount
from pairwright.core.calibration import Calibration, read_calibration
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.files.storage import read_rows
from pairwright.core.identity import Row
from pairwright.core.improvement import Improvement
from pairwright.core.judge_usage import JudgeUse
from pairwright.core.records import Compared, GateRow, JudgedCandidate, PreferencePair, SftRow

AUDIT = "audit.json"
CALIBRATION = "calibration.json"
COMPARISONS = "comparisons.jsonl"
JUDGING = "judging.jsonl"
SPLIT = "split.json"
INDEX = "index.parquet"
GATE = "gate.jsonl"
LEAKS = "leaks.json"
DIVERSITY = "diversity.json"
SPARSE_REGIONS = "thin_regions.jsonl"
IMPROVEMENTS = "improvements.jsonl"


class SplitProof(Row):
    """What was counted when the splits were checked: rows and dialogues of each split, and how many pairs of dialogues
    that share a duplicate were looked at."""

    rows: Mapping[str, int]
    dialogues: Mapping[str, int]
    links: int


class HeldOutSet(Row):
    """A test set that was kept out: how many rows it has, how many queries copy one, and by what they match."""

    name: str
    rows: int
    queries: int
    matched: Mapping[str, int]


class DiversityFigures(Row):
    """How diverse rows are: distinct n-grams as a share of all (words, in Chinese characters), mean cosine of all pairs,
    share of the ten most frequent openings (three words, in Chinese four characters), rows by language and domain."""

    rows: int
    distinct_1: float
    distinct_2: float
    mean_cosine: float
    top_openings: float
    domains: Mapping[str, int]


class Diversity(Row):
    """Accepted rows before and after the selection, and how many sparse regions were handed over."""

    before: DiversityFigures
    after: DiversityFigures
    sparse_regions: int = Field(alias="thin")


class ReportSection(NamedTuple):
    """A part of a report or card: ``lines`` of Markdown under a heading. Sections stand in the order of their ``place``."""

    title: str
    lines: tuple[str, ...]
    place: int = 1000


class Teller(Protocol):
    """A stage, as report and card know it: it tells what it did."""

    def report(self, result: BuildResult) -> Iterator[ReportSection]:
        """Its sections of the report."""
        ...

    def card(self, result: BuildResult) -> Iterator[ReportSection]:
        """Its sections of the data card."""
        ...


@dataclass(frozen=True)
class BuildResult:
    """A build whose rows are on disk; they are streamed, never all in memory.

    ``rows`` is the folder with the stages' JSONL files, ``counts`` the books of every stage in order,
    ``prompt_hashes`` what names the text of each prompt, ``tellers`` are the stages, for report and card.
    """

    config: BuildConfig
    build_id: str
    rows: Path
    counts: tuple[StageCount, ...]
    prompt_hashes: Mapping[str, str]
    tellers: tuple[Teller, ...] = ()

    def sft(self) -> Iterator[SftRow]:
        """The accepted answers, in the order of the sources."""
        return read_rows(self.rows / "sft.jsonl", SftRow)

    def pairs(self) -> Iterator[PreferencePair]:
        """The preference pairs, in the order of the sources."""
        return read_rows(self.rows / "pairs.jsonl", PreferencePair)

    def split_proof(self) -> SplitProof:
        """What shows that no dialogue and no cluster of duplicates is in two splits."""
        return SplitProof.model_validate_json((self.rows / SPLIT).read_bytes())

    def held_out(self) -> tuple[HeldOutSet, ...]:
        """The test sets that were kept out, in the order of the build file; none where it names none."""
        path = self.rows / LEAKS
        return tuple(map(HeldOutSet.model_validate, json.loads(path.read_bytes()))) if path.exists() else ()

    def flagged(self) -> int:
        """How many rows carry a flag, such as that they copy a test set."""
        return sum(bool(row.task.flags) for row in chain[SftRow | PreferencePair](self.sft(), self.pairs()))

    def diversity(self) -> Diversity | None:
        """What the selection of diverse rows did, None where the build file does not ask for it."""
        path = self.rows / DIVERSITY
        return Diversity.model_validate_json(path.read_bytes()) if path.exists() else None

    def improvements(self) -> Iterator[Improvement]:
        """What became of every chosen answer that an improver looked at; nothing without one."""
        path = self.rows / IMPROVEMENTS
        return read_rows(path, Improvement) if path.exists() else iter(())

    def audit(self) -> Audit | None:
        """What the shortcut audit found, None where the build file does not ask for it."""
        path = self.rows / AUDIT
        return Audit.model_validate_json(path.read_bytes()) if path.exists() else None

    def calibration(self) -> Calibration | None:
        """What the build's judges were measured at, None where the build file names no calibration."""
        path = self.rows / CALIBRATION
        return read_calibration(path) if path.exists() else None

    def gate(self) -> Iterator[GateRow]:
        """What the gate said of every query; none where the build file has no gate."""
        path = self.rows / GATE
        return read_rows(path, GateRow) if path.exists() else iter(())

    def judged(self) -> Iterator[JudgedCandidate]:
        """All candidates with their verdicts."""
        return read_rows(self.rows / "judged.jsonl", JudgedCandidate)

    def comparisons(self) -> Iterator[Compared]:
        """The comparisons that chose and verified; none where the build file asks for none."""
        path = self.rows / COMPARISONS
        return read_rows(path, Compared) if path.exists() else iter(())

    def judging(self) -> Sequence[JudgeUse]:
        """What the judges that ask a model took; empty where there are none."""
        path = self.rows / JUDGING
        return list(read_rows(path, JudgeUse)) if path.exists() else ()
