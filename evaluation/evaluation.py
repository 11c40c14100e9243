"""The result of an evaluation as data: what ``evaluation.json`` holds and every report is rendered from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from pairwright.core.identity import Row
from pairwright.core.pages.cells import format_share, format_value
from pairwright.evaluation.metrics.metric import C, Metric
from pairwright.evaluation.predictions import System
from pairwright.evaluation.scores import Difference, MetricFigure

QUALITY = ("exact_match_normalised", "restoration_f1", "entity_retention")
HEADLINES = (
    *QUALITY,
    "unchanged",
    "over_edit",
    "leftover_reference",
    "invented_entity",
    "example_leak",
    "answer_instead",
    "format_validity",
    "task_success",
    "turns_used",
    "paraphrase_change",
    "safe_refusal",
    "clarify_first",
    "parsable_json",
    "tool_name",
    "tool_arguments",
    "slot_accuracy",
    "context_support",
)


class MetricNote(Row):
    """What a report says of a metric; ``better`` is ``higher``, ``lower`` or ``neither``."""

    name: str
    what: str
    better: str
    percent: bool

    @classmethod
    def of(cls, metric: Metric[C]) -> MetricNote:
        """The note of a metric."""
        return cls(name=metric.name, what=metric.what, better=metric.better, percent=metric.percent)


class SystemNote(Row):
    """Which system was measured; ``predictions`` is the hash of its answers."""

    name: str
    kind: str
    predictions: str
    details: Mapping[str, str]


class Shown(Row):
    """One row with every system's rewrite, for a reader to look at."""

    id: str
    language: str
    history: tuple[str, ...]
    query: str
    reference: str
    rewrites: Mapping[str, str]


class SetResult(Row):
    """All figures of one test set. ``against`` is the system that the differences are taken from."""

    test: str
    sha256: str
    rows: int
    dialogues: int
    languages: Mapping[str, int]
    systems: tuple[SystemNote, ...]
    figures: tuple[MetricFigure, ...]
    against: str
    differences: tuple[Difference, ...]
    shown: tuple[Shown, ...]

    def figure(self, system: str, metric: str, part: tuple[str, str] = ("all", "all rows")) -> MetricFigure | None:
        """One figure, None where it was not measured."""
        return self._by_name.get((system, metric, part))

    @cached_property
    def _by_name(self) -> dict[tuple[str, str, tuple[str, str]], MetricFigure]:
        return {(one.system, one.metric, one.slice): one for one in self.figures}


class Evaluation(Row):
    """One run of ``pairwright evaluate``: one result per test set, one note per metric and one reason per metric left out."""

    seed: int
    metrics: tuple[MetricNote, ...]
    not_measured: Mapping[str, str]
    results: tuple[SetResult, ...]


def shown_as(note: MetricNote, value: float | None) -> str:
    """A figure as reports print it: per cent with one decimal, or two decimals; a dash where there is none."""
    return format_share(value) if note.percent else format_value(value)


def system_note(system: System, digest: str) -> SystemNote:
    """The note of a system."""
    return SystemNote(name=system.name, kind=system.kind, predictions=digest, details=system.details)
