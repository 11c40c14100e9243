"""Two systems side by side: every figure, where each wins, rows gained and lost, and a verdict that the numbers support."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from pairwright.core.identity import Row
from pairwright.core.language.text_analysis import normalise
from pairwright.core.pages.cells import NOTHING
from pairwright.evaluation.evaluation import HEADLINES, QUALITY, MetricNote, Shown, shown_as
from pairwright.evaluation.gold_rows import GoldSet
from pairwright.evaluation.metrics.catalogue import available
from pairwright.evaluation.metrics.metric import Metric, MetricCase
from pairwright.evaluation.metrics.restoration import RESTORATION_F1
from pairwright.evaluation.predictions import System
from pairwright.evaluation.rewrite_evaluation import measure_all, shown
from pairwright.evaluation.scores import Difference, MetricFigure, differences, figures, sample_of, slice_differences

SIGNIFICANT = 0.05
EXAMPLES = 5
Winner = Literal["first", "second", "neither"]


class SystemComparison(Row):
    """``second`` against ``first`` on one test set. Differences are second minus first."""

    first: str
    second: str
    test: str
    sha256: str
    rows: int
    dialogues: int
    seed: int
    metrics: tuple[MetricNote, ...]
    figures: tuple[MetricFigure, ...]
    differences: tuple[Difference, ...]
    by_slice: tuple[Difference, ...]
    gains: tuple[Shown, ...]
    losses: tuple[Shown, ...]
    verdict: str

    def note(self, metric: str) -> MetricNote:
        """The note of a metric."""
        return next(one for one in self.metrics if one.name == metric)

    def winner(self, difference: Difference) -> Winner:
        """Who is significantly better by this difference."""
        return winner(difference, self.note(difference.metric))


def compare(gold: GoldSet, first: System, second: System, seed: int = 0) -> SystemComparison:
    """Compare two systems on the rows of one test set."""
    metrics, _ = available()
    measured = measure_all(gold, [first, second], metrics)
    sample = sample_of(gold)
    overall = differences(measured[0], measured[1], sample, metrics, seed)
    used = {one.metric for one in overall if one.rows}
    notes = tuple(MetricNote.of(metric) for metric in metrics if metric.name in used)
    parts = slice_differences(measured[0], measured[1], sample, [one for one in metrics if one.name in HEADLINES], seed)
    better, worse = _moved(gold, first, second)
    return SystemComparison(
        first=first.name,
        second=second.name,
        test=gold.name,
        sha256=gold.sha256,
        rows=len(gold.rows),
        dialogues=len({row.dialogue for row in gold.rows}),
        seed=seed,
        metrics=notes,
        figures=tuple(one for one in figures(measured, sample, metrics, seed) if one.slice[0] == "all" and one.rows),
        differences=tuple(one for one in overall if one.rows),
        by_slice=tuple(one for one in parts if one.rows),
        gains=tuple(shown(gold, [first, second], index) for index in better),
        losses=tuple(shown(gold, [first, second], index) for index in worse),
        verdict=verdict(first.name, second.name, gold, overall, notes),
    )


def winner(difference: Difference, note: MetricNote) -> Winner:
    """Who is significantly better: p below 0.05 after Holm's correction."""
    if difference.adjusted is None or difference.value is None or difference.adjusted >= SIGNIFICANT:
        return "neither"
    return "second" if (difference.value > 0) == (note.better == "higher") else "first"


def verdict(first: str, second: str, gold: GoldSet, overall: Sequence[Difference], notes: Sequence[MetricNote]) -> str:
    """What the headline figures allow to be said, in words.

    A system is better only if a figure of quality (``QUALITY``) is: faults alone can be avoided by other faults.
    """
    by_name = {note.name: note for note in notes}
    headline = [one for one in overall if one.metric in HEADLINES and one.metric in by_name]
    won: dict[Winner, list[Difference]] = {"first": [], "second": [], "neither": []}
    for one in headline:
        won[winner(one, by_name[one.metric])].append(one)
    on = f"on {len(gold.rows):,} rows of {gold.name}"
    if not won["first"] and not won["second"]:
        return f"No difference shown {on}: no headline figure differs significantly. {_resolution(headline, by_name)}"
    words = {side: ", ".join(_in_words(one, by_name[one.metric]) for one in found) for side, found in won.items()}
    if won["first"] and won["second"]:
        return (
            f"Neither is better {on}: {second} is better on {words['second']}, and {first} on {words['first']} "
            f"({second} minus {first}). Which counts more depends on the use."
        )
    side: Winner = "second" if won["second"] else "first"
    better, worse = (second, first) if side == "second" else (first, second)
    if any(one.metric in QUALITY for one in won[side]):
        return f"{better} is better than {worse} {on} ({second} minus {first}): {words[side]}. No headline figure speaks for {worse}."
    return (
        f"{better} makes fewer faults than {worse} {on} ({second} minus {first}): {words[side]}; "
        f"but no figure of quality ({', '.join(QUALITY)}) differs significantly."
    )


def _resolution(headline: Sequence[Difference], notes: dict[str, MetricNote]) -> str:
    """How large a difference this test set would have shown, by the half-widths of the intervals."""
    wide = [
        f"{one.metric} ±{shown_as(notes[one.metric], (one.high - one.low) / 2)}"
        for one in headline
        if one.low is not None and one.high is not None and one.high > one.low
    ]
    if not wide:
        return "The two give the same figures."
    return f"Smaller differences than these cannot be seen with so many rows: {', '.join(wide)}."


def _in_words(one: Difference, note: MetricNote) -> str:
    unit = " points" if note.percent else ""
    low, high = signed(note, one.low), signed(note, one.high)
    return f"{one.metric} {signed(note, one.value)}{unit} ({low} to {high})"


def signed(note: MetricNote, value: float | None) -> str:
    """A difference as reports print it, with its sign."""
    return NOTHING if value is None else ("+" if value >= 0 else "−") + shown_as(note, abs(value))


def _moved(gold: GoldSet, first: System, second: System) -> tuple[list[int], list[int]]:
    """The rows that ``second`` gained and lost most against ``first``."""
    gaps = np.array(
        [
            _quality(MetricCase(row, other)) - _quality(MetricCase(row, one))
            for row, one, other in zip(gold.rows, first.predictions, second.predictions, strict=True)
        ]
    )
    order = [int(index) for index in np.argsort(-gaps, kind="stable")]
    return (
        [index for index in order[:EXAMPLES] if gaps[index] > 0],
        [index for index in reversed(order[-EXAMPLES:]) if gaps[index] < 0],
    )


def _quality(case: MetricCase) -> float:
    """One row's quality: restoration F1 where something is to be restored, else whether the text is the reference."""
    if normalise(case.prediction.rewrite) == normalise(case.row.reference):
        return 1.0
    counts = _restoration(RESTORATION_F1, case)
    return 0.0 if counts is None else counts


def _restoration(metric: Metric, case: MetricCase) -> float | None:
    sums = metric.measure(case)
    return None if sums is None or not sums[0] else float(metric.combine(np.array(sums)))
