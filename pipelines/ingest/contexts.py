"""Which turns of a dialogue become queries, and which history each query keeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pairwright.core.bookkeeping import Dropped
from pairwright.core.config.build_file import ContextConfig
from pairwright.core.language.text_analysis import estimate_tokens
from pairwright.core.prompts.few_shot import ExampleIndex
from pairwright.core.prompts.history_window import window
from pairwright.core.records import Conversation, Example, Task

STAGE = "window"


class QueryPosition(NamedTuple):
    """One user turn that is to be rewritten: what this stage counts as its inputs."""

    conversation: Conversation
    position: int


def find_queries(conversations: Iterable[Conversation], config: ContextConfig) -> Iterator[QueryPosition]:
    """Yield the turns that become queries.

    A conversation with a reference has one query, its last user turn: the reference belongs to no other.
    """
    for conversation in conversations:
        users = [position for position, turn in enumerate(conversation.turns) if turn.role == "user"]
        every = config.queries == "every" and conversation.reference is None
        for position in users if every else users[-1:]:
            yield QueryPosition(conversation, position)


def window_queries(
    rows: Iterable[QueryPosition], config: ContextConfig, bank: Sequence[Example], per_prompt: int
) -> Iterator[Task | Dropped]:
    """Yield the task of each query, or why it is left out: ``language``, ``empty_query``, ``query_too_long``."""
    index = ExampleIndex(bank)
    for row in rows:
        yield _context(row.conversation, row.position, config, index, per_prompt)


def _context(
    conversation: Conversation, position: int, config: ContextConfig, index: ExampleIndex, per_prompt: int
) -> Task | Dropped:
    query = conversation.turns[position].content
    tokens = estimate_tokens(query)
    reason = _unfit(conversation, query, tokens, config)
    if reason:
        return Dropped(stage=STAGE, row=f"{conversation.id}#{position}", reason=reason[0], detail=reason[1])
    history, cut, tokens = window(conversation.turns[:position], config.turns, config.max_tokens, tokens)
    return Task.create(
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


def _unfit(conversation: Conversation, query: str, tokens: int, config: ContextConfig) -> tuple[str, str] | None:
    if conversation.language not in config.languages:
        return "language", conversation.language
    if not query.strip():
        return "empty_query", ""
    if tokens > config.max_tokens:
        return "query_too_long", f"{tokens} tokens, {config.max_tokens} allowed"
    return None
