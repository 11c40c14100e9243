"""The held-out figures of a run as a table: one line per metric, one column per model, and the last step's difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pairwright.core.pages.cells import NOTHING, format_share
from pairwright.evaluation.evaluation import MetricNote, SetResult, shown_as
from pairwright.evaluation.scores import Difference, MetricFigure
from pairwright.training_recipes.runs.guard import GUARDED

SHOWN = ("exact_match", *GUARDED, "over_edit")


def held_out_table(
    result: SetResult, notes: Sequence[MetricNote], before: str, after: str
) -> Iterator[tuple[str, ...]]:
    """Head and rows. Figures in per cent with 95 % intervals, the difference from the paired bootstrap."""
    names = [system.name for system in result.systems]
    yield ("metric", "better", *names, f"{after} − {before}")
    by_name = {note.name: note for note in notes}
    for metric in SHOWN:
        if note := by_name.get(metric):
            cells = [_cell(note, result.figure(name, metric)) for name in names]
            yield metric, note.better, *cells, _gap(note, difference(result, metric, before, after))


def difference(result: SetResult, metric: str, before: str, after: str) -> Difference | None:
    """The paired difference of one metric, None where it does not apply."""
    return next(
        (one for one in result.differences if (one.metric, one.first, one.second) == (metric, before, after)), None
    )


def _cell(note: MetricNote, figure: MetricFigure | None) -> str:
    if figure is None or figure.value is None:
        return NOTHING
    return f"{shown_as(note, figure.value)} ({shown_as(note, figure.low)} to {shown_as(note, figure.high)})"


def _gap(note: MetricNote, one: Difference | None) -> str:
    if one is None or one.value is None or one.low is None or one.high is None:
        return NOTHING
    scale = 100 if note.percent else 1
    sign = ""
    if one.low > 0 or one.high < 0:
        sign = " better" if (one.low > 0) == (note.better == "higher") else " worse"
    return f"{scale * one.value:+.1f} ({scale * one.low:+.1f} to {scale * one.high:+.1f}){sign}"


def interval(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """A share in per cent, with its interval where there is one."""
    return format_share(value) + (
        "" if low is None or high is None else f" ({format_share(low)} to {format_share(high)})"
    )
