"""Tool name and argument accuracy.

- ``tool_name``: the share of turns where exactly the right tools are called, in order (none, where none is right).
- ``tool_arguments``: of the arguments of the expected calls and of the calls made, the share that is in both with the
  same value: Σ right / Σ max(expected, given) per call. Calls are matched by position and name; a missing call has
  given nothing, a call too many counts all its arguments. Values are compared as JSON; texts after normalisation
  (Unicode form, width, case, punctuation), and "2" equals 2.
"""

from __future__ import annotations

import json
from itertools import zip_longest
from typing import Any

from pairwright.core.language.text_analysis import normalise
from pairwright.evaluation.dialogues.dialogue_rows import DialogueCall, DialogueCase
from pairwright.evaluation.metrics.metric import Metric, Sums, share


def same_value(one: Any, other: Any) -> bool:
    """Equality of argument values."""
    return _plain(one) == _plain(other)


def calls_right(case: DialogueCase) -> bool:
    """True when names and all arguments are right."""
    sums = _arguments(case)
    return bool(_name(case) == share(True) and (sums is None or sums[0] == sums[1]))


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return normalise(value) or value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return normalise(f"{value:g}")


def _name(case: DialogueCase) -> Sums | None:
    wanted = case.row.expected.tool_calls
    if wanted is None:
        return None
    return share([call.name for call in wanted] == [call.name for call in case.prediction.tool_calls])


def _arguments(case: DialogueCase) -> Sums | None:
    wanted = case.row.expected.tool_calls
    if wanted is None:
        return None
    right, total = 0, 0
    for expected, given in zip_longest(wanted, case.prediction.tool_calls):
        right += _right(expected, given)
        total += max(len(call.arguments) if call is not None else 0 for call in (expected, given))
    return (float(right), float(total)) if total else None


def _right(expected: DialogueCall | None, given: DialogueCall | None) -> int:
    if expected is None or given is None or expected.name != given.name:
        return 0
    return sum(
        name in given.arguments and same_value(value, given.arguments[name])
        for name, value in expected.arguments.items()
    )


TOOL_NAME = Metric("tool_name", "exactly the right tools are called", "higher", _name)
TOOL_ARGUMENTS = Metric("tool_arguments", "arguments of the calls that are right", "higher", _arguments)
