"""How much of a dialogue a model sees: the same window when data is built and when a student is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

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


def exchanges(turns: Sequence[Turn], most: int, max_tokens: int, used: int) -> tuple[tuple[Turn, ...], int]:
    """The newest exchanges of ``turns`` that may stay, and the tokens with ``used``.

    An exchange is a user turn with all that follows it up to the next one. At most ``most`` of them stay, and as many
    as fit into ``max_tokens``; what an assistant says before the first user turn never stays.
    """
    starts = [at for at, turn in enumerate(turns) if turn.role == "user"]
    first = len(turns)
    for start in reversed(starts[len(starts) - min(most, len(starts)) :]):
        tokens = sum(map(turn_tokens, turns[start:first]))
        if used + tokens > max_tokens:
            break
        first, used = start, used + tokens
    return tuple(turns[first:]), used


def join_system(turns: Iterable[Turn]) -> str:
    """The system prompts among ``turns`` as one."""
    return "\n\n".join(turn.content for turn in turns if turn.role == "system")


def fixed_tokens(system: str, tools: str, asked: Iterable[Turn]) -> int:
    """Estimated tokens of what no window leaves out: system prompt, tools, and ``asked``, the turns from the query on."""
    return _tokens(system) + _tokens(tools) + sum(map(turn_tokens, asked))


def turn_tokens(turn: Turn) -> int:
    """Estimated tokens of a turn with its calls."""
    return estimate_tokens(turn.content) + sum(_tokens(call.name) + _tokens(call.arguments) for call in turn.calls)


@lru_cache(maxsize=1024)  # system prompts and tools repeat from row to row
def _tokens(text: str) -> int:
    return estimate_tokens(text)
