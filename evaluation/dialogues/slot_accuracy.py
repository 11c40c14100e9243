"""Slot accuracy: of the slots expected or given, the share with the right value (Σ right / Σ union).

A slot that is missing, wrong or too many is an error; values are compared after normalisation.
"""

from __future__ import annotations

from pairwright.core.language.text_analysis import normalise
from pairwright.evaluation.dialogues.dialogue_rows import DialogueCase
from pairwright.evaluation.metrics.metric import Metric, Sums


def slots_right(case: DialogueCase) -> bool:
    """True when the slots are exactly the expected ones (joint goal accuracy)."""
    sums = _slots(case)
    return sums is None or sums[0] == sums[1]


def _slots(case: DialogueCase) -> Sums | None:
    wanted, given = case.row.expected.slots, case.prediction.slots
    if wanted is None:
        return None
    right = sum(name in given and normalise(given[name]) == normalise(value) for name, value in wanted.items())
    union = len(set(wanted) | set(given))
    return (float(right), float(union)) if union else None


SLOT_ACCURACY = Metric("slot_accuracy", "slots with the right value", "higher", _slots)
