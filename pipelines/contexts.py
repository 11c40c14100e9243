"""Which turns of a dialogue become queries, and which history each query keeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pairwright.core.config import ContextConfig
from pairwright.core.language import estimate_tokens
from pairwright.core.records import Conversation, Dropped, Example, RewriteTask, Turn
from pairwright.pipelines.examples import ExampleIndex

STAGE = "window"


class Query(NamedTuple):
    """One user turn that is to be rewritten: what this stage counts as its inputs."""

    conversation: Conversation
    position: int


def queries(conversations: Iterable[Conversation], config: ContextConfig) -> Iterator[Query]:
    """Yield the turns that become queries.

    A conversation with a reference has one query, its last user turn: the reference belongs to no other.
    """
    for conversation in conversations:
        users = [position for position, turn in enumerate(conversation.turns) if turn.role == "user"]
        every = config.queries == "every" and conversation.reference is None
        for position in users if every else users[-1:]:
            yield Query(conversation, position)


def contexts(
    rows: Iterable[Query], config: ContextConfig, bank: Sequence[Example], per_prompt: int
) -> Iterator[RewriteTask | Dropped]:
    """Yield the task of each query, or why it is left out: ``language``, ``empty_query``, ``query_too_long``."""
    index = ExampleIndex(bank)
    for row in rows:
        yield _context(row.conversation, row.position, config, index, per_prompt)


def _context(
    conversation: Conversation, position: int, config: ContextConfig, index: ExampleIndex, per_prompt: int
) -> RewriteTask | Dropped:
    query = conversation.turns[position].content
    tokens = estimate_tokens(query)
    reason = _unfit(conversation, query, tokens, config)
    if reason:
        return Dropped(stage=STAGE, row=f"{conversation.id}#{position}", reason=reason[0], detail=reason[1])
    history, cut, tokens = window(conversation.turns[:position], config.turns, config.max_tokens, tokens)
    return RewriteTask.create(
        conversation=conversation.id,
        dialogue=conversation.dialogue,
        language=conversation.language,
        domain=conversation.domain,
        history=history,
        query=query,
        reference=conversation.reference,
        cut_turns=cut,
        tokens=tokens,
        examples=index.choose(query, history, conversation.language, per_prompt, conversation.reference),
        origin=conversation.origin,
    )


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


def _unfit(conversation: Conversation, query: str, tokens: int, config: ContextConfig) -> tuple[str, str] | None:
    if conversation.language not in config.languages:
        return "language", conversation.language
    if not query.strip():
        return "empty_query", ""
    if tokens > config.max_tokens:
        return "query_too_long", f"{tokens} tokens, {config.max_tokens} allowed"
    return None
