"""Does what a query lacks stand in an answer of the assistant that the history does not have?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pairwright.core.language import mentions
from pairwright.core.records import RewriteTask, Turn
from pairwright.judges.gate_signals import Signal


def unanswered(history: Sequence[Turn]) -> bool:
    """True when some user turn is followed by the next one without an answer between them."""
    roles = [turn.role for turn in history] + ["user"]
    return any(first == second == "user" for first, second in pairwise(roles))


def missing_answer(task: RewriteTask, found: Sequence[Signal]) -> str | None:
    """Why the user's own turns cannot hold what the query lacks, or None where they may."""
    if not unanswered(task.history):
        return None
    named = [signal for signal in found if signal.name == "pointing"]
    if named:
        return f"points at an answer: {named[0].evidence!r}"
    texts = [turn.content for turn in task.history]
    if not any(one.kind in {"entity", "noun"} for text in texts for one in mentions(text, task.language)):
        return "nothing is named in the turns that are there"
    return None
