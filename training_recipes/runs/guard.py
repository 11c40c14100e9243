"""Is the trained model better than what it started from? What the held-out rows say, beside what training looked like.

A preference training is judged strictly: where any guarded figure is worse than before, the model before stays the
recommended one, however well the training went; and so it does where the chosen answers fell in training and no figure
is better. "Worse" means that the 95 % interval of the paired bootstrap (whole dialogues) lies on the bad side of zero.
Other trainings are recommended unless a figure of quality is worse and none is better.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pairwright.core.identity import Row
from pairwright.evaluation.evaluation import MetricNote, SetResult
from pairwright.evaluation.scores import Difference
from pairwright.training_recipes.runs.run_systems import PREFERENCE
from pairwright.training_recipes.runs.watchdog import Drift

QUALITY = ("exact_match_normalised", "restoration_f1", "rouge_l", "entity_retention")
FAULTS = (
    "example_leak",
    "unchanged",
    "leftover_reference",
    "invented_entity",
    "answer_instead",
    "format_validity",
)
GUARDED = (*QUALITY, *FAULTS)
HIGH_ACCURACY = 0.95


class MetricChange(Row):
    """One figure, ``after`` minus ``before``, with its 95 % interval."""

    metric: str
    value: float
    low: float
    high: float


class Signals(Row):
    """What the training looked like. ``early`` is the first step whose reward accuracy passed 0.95, of ``steps``."""

    kind: str
    settings: Mapping[str, Any]
    accuracy: float | None = None
    early: int | None = None
    steps: int = 0
    drift: Drift | None = None

    @property
    def fallen(self) -> bool:
        """True when the chosen answers have become much less likely."""
        return self.drift is not None and self.drift.fallen


class TrainingVerdict(Row):
    """Which model to use, and why. ``recommended`` is ``before`` or ``after``; ``advice`` is what to change."""

    before: str
    after: str
    recommended: str
    worse: tuple[MetricChange, ...]
    better: tuple[MetricChange, ...]
    summary: str
    advice: tuple[str, ...]


def judge_training(
    result: SetResult | None, notes: Sequence[MetricNote], before: str, after: str, signals: Signals
) -> TrainingVerdict:
    """Compare ``after`` with ``before``; without held-out rows only what the training looked like can speak."""
    worse, better = _moved(result, {note.name: note for note in notes}, before, after) if result else ((), ())
    strict = signals.kind in PREFERENCE
    if strict:
        kept = bool(worse) or (signals.fallen and not better)
    else:
        kept = any(one.metric in QUALITY for one in worse) and not any(one.metric in QUALITY for one in better)
    return TrainingVerdict(
        before=before,
        after=after,
        recommended=before if kept else after,
        worse=worse,
        better=better,
        summary=_summary(result, before, after, worse, better, signals, kept),
        advice=tuple(_advice(worse, signals)) if kept or signals.fallen else (),
    )


def _moved(
    result: SetResult, notes: Mapping[str, MetricNote], before: str, after: str
) -> tuple[tuple[MetricChange, ...], tuple[MetricChange, ...]]:
    worse: list[MetricChange] = []
    better: list[MetricChange] = []
    for one in result.differences:
        change = _change(one)
        if change is None or one.metric not in GUARDED or {one.first, one.second} != {before, after}:
            continue
        up = notes[one.metric].better == "higher"
        if change.low > 0 or change.high < 0:
            (better if (change.low > 0) == up else worse).append(change)
    return tuple(worse), tuple(better)


def _change(one: Difference) -> MetricChange | None:
    if one.value is None or one.low is None or one.high is None:
        return None
    return MetricChange(metric=one.metric, value=one.value, low=one.low, high=one.high)


def _summary(
    result: SetResult | None,
    before: str,
    after: str,
    worse: Sequence[MetricChange],
    better: Sequence[MetricChange],
    signals: Signals,
    kept: bool,
) -> str:
    if result is None:
        found = "No held-out rows: nothing is known of how well the models rewrite"
    elif not worse and not better:
        found = f"No difference between {after} and {before} is shown on {result.rows} held-out rows"
    else:
        said = [
            f"{after} is {word} than {before} on {', '.join(map(in_words, changes))}"
            for word, changes in (("worse", worse), ("better", better))
            if changes
        ]
        found = "; ".join(said) + f" ({result.rows} held-out rows)"
    return f"{found}. {_training(signals)}Use {before if kept else after}."


def _training(signals: Signals) -> str:
    parts = []
    if signals.accuracy is not None:
        parts.append(f"reward accuracy ended at {signals.accuracy:.2f}")
    if signals.drift is not None:
        way = "less" if signals.drift.nats < 0 else "more"
        moved = f"became {abs(signals.drift.nats):.1f} nats {way} likely"
        parts.append(
            f"the chosen answers {moved if abs(signals.drift.nats) >= 0.05 else 'stayed as likely as they were'}"
        )
    return f"In training, {' and '.join(parts)}. " if parts else ""


def in_words(one: MetricChange) -> str:
    """A change in points of per cent with its interval."""
    return f"{one.metric} {100 * one.value:+.1f} ({100 * one.low:+.1f} to {100 * one.high:+.1f})"


def _advice(worse: Sequence[MetricChange], signals: Signals) -> Iterator[str]:
    settings, names = signals.settings, {one.metric for one in worse}
    if signals.kind in PREFERENCE:
        rate = settings.get("learning_rate")
        yield "lower learning_rate" + (f" ({float(rate):g} now; try {float(rate) / 5:g})" if rate else "")
        yield _more_sft(signals)
        if signals.early is not None and signals.early < signals.steps:
            yield (
                f"fewer steps: reward accuracy passed {HIGH_ACCURACY} at step {signals.early} of {signals.steps} "
                "(num_train_epochs, max_steps)"
            )
        if signals.accuracy is not None and signals.accuracy >= HIGH_ACCURACY and not signals.fallen:
            yield "audit the data: 'audit: {}' in the build file shows whether chosen can be told without the dialogue"
    else:
        yield "lower learning_rate or num_train_epochs, and look at the rows: pairwright show BUILD"
    if "example_leak" in names:
        yield "more pairs of the perturber leaked_example"
    if names & {"unchanged", "leftover_reference"}:
        yield "more pairs of the perturbers unchanged_copy and made_ambiguous"


def _more_sft(signals: Signals) -> str:
    settings = signals.settings
    if "pref_ftx" in settings or "pref_beta" in settings or "pref_loss" in settings:
        now = float(settings.get("pref_ftx", 0.0))
        return f"mix in more of the SFT loss: pref_ftx ({now:g} now; try {max(0.2, 2 * now):g})"
    return (
        f"mix in more of the SFT loss: loss_type [sigmoid, sft] with loss_weights (now {settings.get('loss_weights')})"
    )
