"""How much of a dialogue a model sees: the same window when data is built and when a student is asked."""

from __future__ import annotations

from collections.abc import Sequence

from pairwright.core.language.text_analysis import estimate_tokens
from pairwright.core.records import Turn


def window(turns: Sequence[Turn], user_turns: int, max_tokens: int, used: int) -> tuple[tuple[Turn, ...], int, int]:
    """The newest part of ``turns`` that may stay, how many turns that cuts off, and the tokens with ``used``.

    At most ``user_turns`` user turns stay, with the answers after them (and an opening before the first, where all
    user turns stay); then the oldest turns go, one by one, until the estimate fits ``max_tokens``. System prompts
    instruct another model than ours, and calls without words say nothing: they are never part of the window, and are
    not counted as cut.
    """
    said = (turn for turn in turns if turn.role != "system" and turn.content)
    spoken = [turn.model_copy(update={"calls": ()}) if turn.calls else turn for turn in said]
    users = [position for position, turn in enumerate(spoken) if turn.role == "user"]
    start = len(spoken) if user_turns == 0 else users[-user_turns] if len(users) > user_turns else 0
    first = len(spoken)
    while first > start and used + (tokens := estimate_tokens(spoken[first - 1].content)) <= max_tokens:
        first, used = first - 1, used + tokens
    return tuple(spoken[first:]), first, used
