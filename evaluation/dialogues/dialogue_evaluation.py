"""Dialogues: systems' turns in, the same report as for rewrites out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from pairwright.core.errors import ConfigError
from pairwright.core.identity import content_id, row_rng
from pairwright.evaluation.dialogues.behaviour import CLARIFY_FIRST, NEEDLESS_QUESTION, OVER_REFUSAL, SAFE_REFUSAL
from pairwright.evaluation.dialogues.context_support import CONTEXT_SUPPORT
from pairwright.evaluation.dialogues.dialogue_benchmarks import open_dialogues
from pairwright.evaluation.dialogues.dialogue_rows import DialogueCase, DialogueSet, read_dialogue_predictions
from pairwright.evaluation.dialogues.json_answer import PARSABLE_JSON
from pairwright.evaluation.dialogues.slot_accuracy import SLOT_ACCURACY
from pairwright.evaluation.dialogues.tool_calls import TOOL_ARGUMENTS, TOOL_NAME
from pairwright.evaluation.dialogues.whole_dialogues import dialogue_metrics
from pairwright.evaluation.evaluation import Evaluation, MetricNote, SetResult, Shown, SystemNote
from pairwright.evaluation.metrics.metric import Metric
from pairwright.evaluation.scores import Sample, differences, figures, measure
from pairwright.evaluation.slices import SMALLEST, Slice

TURN_METRICS: tuple[Metric[DialogueCase], ...] = (
    SAFE_REFUSAL,
    OVER_REFUSAL,
    CLARIFY_FIRST,
    NEEDLESS_QUESTION,
    PARSABLE_JSON,
    TOOL_NAME,
    TOOL_ARGUMENTS,
    SLOT_ACCURACY,
    CONTEXT_SUPPORT,
)


def evaluate_dialogues(
    test: str | Path, predictions: Mapping[str, Path], against: str | None = None, seed: int = 0
) -> Evaluation:
    """Measure systems by their files of predictions on one test set of turns, ``[READER:]PATH[,PATH]``.

    Raises:
        ConfigError: ``against`` is none of the systems, or there is none.
        SourceError: a file cannot be used.
    """
    if not predictions or (against is not None and against not in predictions):
        raise ConfigError([f"--against: no system is called {against!r}; there are: {', '.join(predictions)}"])
    tests = open_dialogues(str(test))
    systems = {name: read_dialogue_predictions(file, tests) for name, file in predictions.items()}
    metrics = (*TURN_METRICS, *dialogue_metrics(list(systems.values())))
    measured = [measure(name, cases, metrics) for name, cases in systems.items()]
    sample = Sample([row.dialogue for row in tests.rows], _slices(tests))
    base = next(one for one in measured if one.system == (against or next(iter(predictions))))
    found = figures(measured, sample, metrics, seed)
    used = {one.metric for one in found if one.rows}
    result = SetResult(
        test=tests.name,
        sha256=tests.sha256,
        rows=len(tests.rows),
        dialogues=len(set(sample.dialogues)),
        languages=dict(sorted(Counter(row.language for row in tests.rows).items())),
        systems=tuple(
            SystemNote(
                name=name,
                kind="file",
                predictions=content_id([case.prediction for case in cases]),
                details={"file": str(predictions[name])},
            )
            for name, cases in systems.items()
        ),
        figures=tuple(found),
        against=base.system,
        differences=tuple(
            one for other in measured if other is not base for one in differences(base, other, sample, metrics, seed)
        ),
        shown=_shown(tests, systems, seed),
    )
    return Evaluation(
        seed=seed,
        metrics=tuple(MetricNote.of(metric) for metric in metrics if metric.name in used),
        not_measured={metric.name: "no turn expects it" for metric in metrics if metric.name not in used},
        results=(result,),
    )


def _slices(tests: DialogueSet) -> tuple[Slice, ...]:
    parts: dict[tuple[str, str], list[int]] = {}
    for index, row in enumerate(tests.rows):
        turns = sum(turn.role == "user" for turn in row.history) + 1
        parts.setdefault(("language", row.language), []).append(index)
        parts.setdefault(("turn", f"{turns}" if turns < 4 else "4 and later"), []).append(index)
        parts.setdefault(("expected", row.expected.behaviour or "unspecified"), []).append(index)
    return tuple(
        Slice(kind, value, tuple(rows))
        for (kind, value), rows in sorted(parts.items())
        if SMALLEST <= len(rows) < len(tests.rows)
    )


def _shown(tests: DialogueSet, systems: Mapping[str, Sequence[DialogueCase]], seed: int) -> tuple[Shown, ...]:
    drawn = row_rng(seed, "evaluation.shown", tests.sha256).sample(range(len(tests.rows)), min(12, len(tests.rows)))
    return tuple(
        Shown(
            id=row.id,
            language=row.language,
            history=tuple(f"{turn.role}: {turn.content}" for turn in row.history[-4:]),
            query=row.query,
            reference=row.expected.model_dump_json(exclude_none=True),
            rewrites={name: _summary(cases[index]) for name, cases in systems.items()},
        )
        for index, row in ((index, tests.rows[index]) for index in sorted(drawn))
    )


def _summary(case: DialogueCase) -> str:
    calls = [f"{call.name}({dict(call.arguments)})" for call in case.prediction.tool_calls]
    slots = [f"{name}={value}" for name, value in case.prediction.slots.items()]
    return " · ".join(part for part in (case.prediction.answer, *calls, *slots) if part)
