"""From test sets and systems to an :class:`~pairwright.evaluation.evaluation.Evaluation`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from pairwright.core.errors import ConfigError
from pairwright.core.identity import content_id, row_rng
from pairwright.evaluation.evaluation import Evaluation, MetricNote, SetResult, Shown, system_note
from pairwright.evaluation.gold_rows import GoldSet
from pairwright.evaluation.metrics.catalogue import available
from pairwright.evaluation.metrics.metric import Metric, MetricCase
from pairwright.evaluation.predictions import System
from pairwright.evaluation.scores import Measured, differences, figures, measure, sample_of, warm_up

SHOWN_ROWS = 12


def evaluate(
    sets: Sequence[tuple[GoldSet, Sequence[System]]],
    against: str,
    seed: int = 0,
    extra: Callable[[GoldSet, Sequence[System]], Sequence[Metric]] | None = None,
) -> Evaluation:
    """Measure every system on every test set. Differences are taken from the system called ``against``.

    ``extra`` makes further metrics for a test set and its systems (see ``model_metrics/catalogue.py``).

    Raises:
        ConfigError: two systems have one name, or none is called ``against``.
    """
    own, missing = available()
    for _, systems in sets:
        _check_names([system.name for system in systems], against)
    by_set = [(gold, systems, (*own, *(extra(gold, systems) if extra else ()))) for gold, systems in sets]
    metrics = {metric.name: metric for _, _, found in by_set for metric in found}.values()
    results = tuple(_set_result(gold, systems, found, against, seed) for gold, systems, found in by_set)
    applied = {one.metric for result in results for one in result.figures if one.rows}
    idle = {
        metric.name: "no row of the test sets has what it needs" for metric in metrics if metric.name not in applied
    }
    return Evaluation(
        seed=seed,
        metrics=tuple(MetricNote.of(metric) for metric in metrics if metric.name in applied),
        not_measured=missing | idle,
        results=results,
    )


def measure_all(gold: GoldSet, systems: Sequence[System], metrics: Sequence[Metric]) -> list[Measured]:
    """Measure the systems on one test set, parsing their texts in batches first."""
    warm_up(gold, systems)
    return [
        measure(system.name, [MetricCase(*pair) for pair in zip(gold.rows, system.predictions, strict=True)], metrics)
        for system in systems
    ]


def _check_names(names: Sequence[str], against: str) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ConfigError([f"--system: the name {name!r} is used twice" for name in twice])
    if against not in names:
        raise ConfigError([f"--against: no system is called {against!r}; there are: {', '.join(names)}"])


def _set_result(
    gold: GoldSet, systems: Sequence[System], metrics: Sequence[Metric], against: str, seed: int
) -> SetResult:
    measured = measure_all(gold, systems, metrics)
    base = next(one for one in measured if one.system == against)
    sample = sample_of(gold)
    return SetResult(
        test=gold.name,
        sha256=gold.sha256,
        rows=len(gold.rows),
        dialogues=len({row.dialogue for row in gold.rows}),
        languages=dict(sorted(Counter(row.language for row in gold.rows).items())),
        systems=tuple(system_note(system, content_id(system.predictions)) for system in systems),
        figures=tuple(figures(measured, sample, metrics, seed)),
        against=against,
        differences=tuple(
            one for other in measured if other is not base for one in differences(base, other, sample, metrics, seed)
        ),
        shown=shown_rows(gold, systems, seed),
    )


def shown_rows(gold: GoldSet, systems: Sequence[System], seed: int, count: int = SHOWN_ROWS) -> tuple[Shown, ...]:
    """Rows drawn by seed, of those on which the systems disagree; of all rows where they never do."""
    differing = [
        index for index in range(len(gold.rows)) if len({system.predictions[index].rewrite for system in systems}) > 1
    ]
    pool = differing or list(range(len(gold.rows)))
    drawn = row_rng(seed, "evaluation.shown", gold.sha256).sample(pool, min(count, len(pool)))
    return tuple(shown(gold, systems, index) for index in sorted(drawn))


def shown(gold: GoldSet, systems: Sequence[System], index: int) -> Shown:
    """One row with all rewrites."""
    row = gold.rows[index]
    return Shown(
        id=row.id,
        language=row.language,
        history=tuple(f"{turn.role}: {turn.content}" for turn in row.history[-4:]),
        query=row.query,
        reference=row.reference,
        rewrites={system.name: system.predictions[index].rewrite for system in systems},
    )
