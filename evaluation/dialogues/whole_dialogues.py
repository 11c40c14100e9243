"""Figures of whole dialogues: task success, turns used, and stability under paraphrase.

- ``task_success``: the share of dialogues in which every checked turn is right: behaviour, tools and arguments, slots,
  JSON. A dialogue with nothing to check does not count. (BFCL's multi-turn score is strict in the same way.)
- ``turns_used``: mean number of assistant turns up to the last right tool call or slot filled, of the dialogues that
  succeed.
- ``paraphrase_change``: of the turns asked again in other words, the share whose outcome (right or wrong) changes.
  Up to 3 per cent counts as stable (:data:`STABLE`).
"""

from __future__ import annotations

from collections.abc import Sequence

from pairwright.evaluation.dialogues.behaviour import CLARIFY_FIRST, NEEDLESS_QUESTION, OVER_REFUSAL, SAFE_REFUSAL
from pairwright.evaluation.dialogues.dialogue_rows import DialogueCase
from pairwright.evaluation.dialogues.json_answer import PARSABLE_JSON
from pairwright.evaluation.dialogues.slot_accuracy import slots_right
from pairwright.evaluation.dialogues.tool_calls import calls_right
from pairwright.evaluation.metrics.metric import Metric, Sums, share

STABLE = 0.03


def turn_right(case: DialogueCase) -> bool | None:
    """Whether everything that the row checks is right; None where it checks nothing."""
    checks = [
        *(_passed(metric, case) for metric in (SAFE_REFUSAL, CLARIFY_FIRST, PARSABLE_JSON)),
        *(_absent(metric, case) for metric in (OVER_REFUSAL, NEEDLESS_QUESTION)),
        calls_right(case) if case.row.expected.tool_calls is not None else None,
        slots_right(case) if case.row.expected.slots is not None else None,
    ]
    found = [one for one in checks if one is not None]
    return all(found) if found else None


def dialogue_metrics(systems: Sequence[Sequence[DialogueCase]]) -> tuple[Metric[DialogueCase], ...]:
    """The three metrics for these systems' cases. Success is counted at the last turn of each dialogue.

    Turns that are paraphrases belong to stability only.
    """
    outcomes = {_key(case): turn_right(case) for cases in systems for case in cases}
    dialogues: dict[tuple[int, str], list[DialogueCase]] = {}
    for number, cases in enumerate(systems):
        for case in cases:
            if case.row.paraphrase_of is None:
                dialogues.setdefault((number, case.row.dialogue), []).append(case)
    ends = {_key(found[-1]): found for found in dialogues.values()}
    originals = {(number, case.row.id): case for number, cases in enumerate(systems) for case in cases}
    number_of = {_key(case): number for number, cases in enumerate(systems) for case in cases}

    def success(case: DialogueCase) -> Sums | None:
        checked = [outcomes[_key(one)] for one in ends.get(_key(case), [])]
        known = [one for one in checked if one is not None]
        return share(all(known)) if known else None

    def turns(case: DialogueCase) -> Sums | None:
        found = ends.get(_key(case), [])
        acting = [n for n, one in enumerate(found, start=1) if one.row.expected.tool_calls or one.row.expected.slots]
        return (float(acting[-1]), 1.0) if acting and success(case) == share(True) else None

    def change(case: DialogueCase) -> Sums | None:
        if case.row.paraphrase_of is None or outcomes[_key(case)] is None:
            return None
        original = originals[number_of[_key(case)], case.row.paraphrase_of]
        return share(outcomes[_key(case)] != outcomes[_key(original)])

    return (
        Metric("task_success", "dialogues in which every checked turn is right", "higher", success),
        Metric("turns_used", "assistant turns until the task is done", "lower", turns, percent=False),
        Metric("paraphrase_change", "outcomes that change when the turn is asked in other words", "lower", change),
    )


def _key(case: DialogueCase) -> int:
    # Two systems may have done the same at a turn: equal cases, but not the same one.
    return id(case)


def _passed(metric: Metric[DialogueCase], case: DialogueCase) -> bool | None:
    sums = metric.measure(case)
    return None if sums is None else sums[0] == sums[1]


def _absent(metric: Metric[DialogueCase], case: DialogueCase) -> bool | None:
    sums = metric.measure(case)
    return None if sums is None else sums[0] == 0
