"""Parsable-JSON rate: of the answers that must be a JSON object, the share that is one, with the keys asked for.

Nothing may stand around the object, not even a code fence: a program reads it.
"""

from __future__ import annotations

from pairwright.core.untrusted_json import read_json
from pairwright.evaluation.dialogues.dialogue_rows import DialogueCase
from pairwright.evaluation.metrics.metric import Metric, Sums, share


def _parses(case: DialogueCase) -> Sums | None:
    wanted = case.row.expected.json_keys
    if wanted is None or wanted is False:
        return None
    try:
        found = read_json(case.prediction.answer)
    except ValueError:
        return share(False)
    keys = () if wanted is True else wanted
    return share(isinstance(found, dict) and set(keys) <= set(found))


PARSABLE_JSON = Metric("parsable_json", "the answer is the JSON object asked for", "higher", _parses)
