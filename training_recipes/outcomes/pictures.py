"""Pictures of a run: what training looked like, and what came out on held-out rows. They are drawn from files, again at every call.

matplotlib comes with LlamaFactory (extra ``train``); nothing else here needs it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pairwright.core.files.storage import atomic_path
from pairwright.evaluation.evaluation import MetricNote, SetResult
from pairwright.training_recipes.runs.guard import HIGH_ACCURACY, QUALITY
from pairwright.training_recipes.runs.step_log import Metrics, StepLog
from pairwright.training_recipes.runs.watchdog import ACCURACY, CHOSEN, MARGIN, REWARD

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REJECTED = "logps/rejected"
BARS = (*QUALITY, "example_leak", "unchanged")
COLOURS = ("#8a8f98", "#2a6fb0", "#c8642c", "#4f8f4f", "#8a5fa8")
SMOOTH = 5
FEW = 40  # logged steps below which a mean of the last few would lag behind more than it smooths


class Curve(NamedTuple):
    """A line of a panel: a figure of the log, its label and colour."""

    name: str
    label: str
    colour: str


class Subplot(NamedTuple):
    """One panel; ``level`` is a line drawn across it."""

    title: str
    curves: tuple[Curve, ...]
    level: float | None = None


PANELS = (
    Subplot("loss", (Curve("loss", "training", COLOURS[1]), Curve("eval_loss", "validation", COLOURS[2]))),
    Subplot(
        "reward accuracy",
        (Curve(ACCURACY, "training", COLOURS[1]), Curve(f"eval_{ACCURACY}", "validation", COLOURS[2])),
        HIGH_ACCURACY,
    ),
    Subplot(
        "reward margin",
        (Curve(MARGIN, "training", COLOURS[1]), Curve(f"eval_{MARGIN}", "validation", COLOURS[2])),
        0.0,
    ),
    Subplot(
        "rewards (in DPO: beta times the drift in nats)",
        (Curve(REWARD, "chosen", COLOURS[1]), Curve("rewards/rejected", "rejected", COLOURS[2])),
        0.0,
    ),
    Subplot(
        "log-probability of the answers, nats",
        (Curve(CHOSEN, "chosen", COLOURS[1]), Curve(REJECTED, "rejected", COLOURS[2])),
    ),
)


def draw_training(log: StepLog, title: str, path: Path) -> bool:
    """Draw the panels that the log has figures for; False, and no file, where it has none."""
    found = [panel for panel in PANELS if any(_points(log, curve.name) for curve in panel.curves)]
    if not found:
        return False
    columns = 2 if len(found) > 1 else 1
    rows = -(-len(found) // columns)
    figure = _figure(5.6 * columns, 3.1 * rows)
    for at, panel in enumerate(found):
        _draw_panel(figure.add_subplot(rows, columns, at + 1), panel, log)
    figure.suptitle(title, fontsize=11)
    _save(figure, path)
    return True


def draw_heldout(result: SetResult, notes: Sequence[MetricNote], path: Path) -> None:
    """Draw every model's held-out figures side by side, with their 95 % intervals."""
    known = {note.name: note for note in notes}
    metrics = [metric for metric in BARS if metric in known]
    names = [system.name for system in result.systems]
    figure = _figure(1.5 + 1.35 * len(metrics), 3.8)
    axes = figure.add_subplot(1, 1, 1)
    width = 0.8 / len(names)
    for at, name in enumerate(names):
        places = [index + (at - (len(names) - 1) / 2) * width for index in range(len(metrics))]
        _draw_bars(axes, result, name, metrics, places, width * 0.92, COLOURS[at % len(COLOURS)])
    arrows = {"higher": "↑", "lower": "↓", "neither": ""}
    axes.set_xticks(range(len(metrics)), [f"{_spoken(metric)}\n{arrows[known[metric].better]}" for metric in metrics])
    axes.tick_params(axis="x", labelsize=8)
    axes.set_ylabel("per cent")
    axes.set_ylim(0, 105)
    axes.legend(ncols=len(names), fontsize=8, frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.12))
    figure.suptitle(f"{result.rows} held-out rows, 95 % intervals (↑ higher is better, ↓ lower)", fontsize=10)
    _save(figure, path)


def _spoken(metric: str) -> str:
    return {"rouge_l": "ROUGE-L", "restoration_f1": "restoration F1"}.get(metric, metric.replace("_", " "))


def _draw_bars(
    axes: Axes,
    result: SetResult,
    name: str,
    metrics: Sequence[str],
    places: Sequence[float],
    width: float,
    colour: str,
) -> None:
    label = name
    for metric, place in zip(metrics, places, strict=True):
        one = result.figure(name, metric)
        if one is None or one.value is None or one.low is None or one.high is None:
            continue
        low, high = max(0.0, one.value - one.low), max(0.0, one.high - one.value)
        axes.bar(place, 100 * one.value, width, color=colour, label=label)
        axes.errorbar(place, 100 * one.value, [[100 * low], [100 * high]], color="#222222", capsize=2, linewidth=0.9)
        label = "_"  # the legend names each model once


def _draw_panel(axes: Axes, panel: Subplot, log: StepLog) -> None:
    for curve in panel.curves:
        points = _points(log, curve.name)
        if not points:
            continue
        steps, values = zip(*points, strict=True)
        marked = "o" if len(points) < 12 else None
        if curve.name.startswith("eval_") or len(points) < FEW:
            axes.plot(steps, values, color=curve.colour, label=curve.label, marker=marked, markersize=3)
        else:
            axes.plot(steps, values, color=curve.colour, alpha=0.25, linewidth=0.8)
            axes.plot(steps, _smoothed(values), color=curve.colour, label=curve.label)
    if panel.level is not None:
        axes.axhline(panel.level, color="#999999", linewidth=0.8, linestyle=":")
    axes.set_title(panel.title, fontsize=9)
    axes.set_xlabel("step", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.25, linewidth=0.5)
    axes.legend(fontsize=8, frameon=False)


def _points(log: StepLog, name: str) -> list[tuple[int, float]]:
    source: Mapping[int, Metrics] = log.evaluations if name.startswith("eval_") else log.logs
    return [(step, source[step][name]) for step in sorted(source) if name in source[step]]


def _smoothed(values: Sequence[float]) -> list[float]:
    """Mean of the last :data:`SMOOTH` logged values."""
    return [sum(part) / len(part) for at in range(len(values)) for part in [values[max(0, at - SMOOTH + 1) : at + 1]]]


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=130, layout="constrained")


def _save(figure: Figure, path: Path) -> None:
    # Without the version of matplotlib in it, the same figures give the same bytes.
    with atomic_path(path) as partial:
        figure.savefig(partial, format="png", metadata={"Software": None})
