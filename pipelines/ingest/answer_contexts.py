"""Which turns of the assistant are answers to learn, and what each of them is answered from.

An answer is one assistant turn: words, or calls of tools. Its task holds the last user turn before it as ``query``, the
calls and results since then as ``steps``, and whole exchanges before it as ``history``: a window starts with a user
turn, and never keeps a tool's result without its call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pairwright.core.bookkeeping import Dropped, Failed
from pairwright.core.config.build_file import ContextConfig
from pairwright.core.prompts.history_window import exchanges, fixed_tokens, join_system
from pairwright.core.records import Conversation, Task, Turn
from pairwright.core.tool_calls import calls_text
from pairwright.pipelines.ingest.answer_dialogues import check_answerable
from pairwright.pipelines.ingest.contexts import STAGE, QueryPosition


def find_answers(conversations: Iterable[Conversation], config: ContextConfig) -> Iterator[QueryPosition]:
    """Yield the places of the answers: assistant turns after a user turn, and the end where the user has the last word.

    ``config.queries`` says whether every one of them is a task or only the last one of a dialogue.
    """
    for conversation in conversations:
        turns, asked = conversation.turns, False
        places = []
        for place, turn in enumerate(turns):
            asked = asked or turn.role == "user"
            if asked and turn.role == "assistant":
                places.append(place)
        if asked and turns[-1].role in ("user", "tool"):
            places.append(len(turns))
        for place in places if config.queries == "every" else places[-1:]:
            yield QueryPosition(conversation, place)


def window_answers(rows: Iterable[QueryPosition], config: ContextConfig) -> Iterator[Task | Dropped]:
    """Yield the task of each answer, or why it is left out: ``language``, ``context_too_long``."""
    for row in rows:
        yield _context(row.conversation, row.position, config)


def list_questions(rows: Iterable[Conversation | Failed]) -> Iterator[Conversation | Failed]:
    """What copies of test dialogues are looked for in: every user turn with the turn before it, and the last answer."""
    for row in rows:
        if isinstance(row, Failed):
            yield row
            continue
        # A test dialogue that cannot be learnt from is a test dialogue all the same, and is taken as it stands.
        (ordered,) = check_answerable([row])
        turns = ordered.turns if isinstance(ordered, Conversation) else row.turns
        spoken = [turn for turn in turns if turn.role != "system"]
        for place, turn in enumerate(spoken):
            if turn.role == "user" or place == len(spoken) - 1:
                start = max(place - 1, 0) if turn.role == "user" else place
                yield row.model_copy(update={"turns": tuple(spoken[start : place + 1]), "reference": None})


def _context(conversation: Conversation, place: int, config: ContextConfig) -> Task | Dropped:
    name = f"{conversation.id}#{place}"
    if conversation.language not in config.languages:
        return Dropped(stage=STAGE, row=name, reason="language", detail=conversation.language)
    spoken = [turn for turn in conversation.turns[:place] if turn.role != "system"]
    asked = max(at for at, turn in enumerate(spoken) if turn.role == "user")
    system = join_system(conversation.turns[:place])
    steps = tuple(spoken[asked + 1 :])
    needed = fixed_tokens(system, conversation.tools, spoken[asked:])
    if needed > config.max_tokens:
        detail = f"{needed} tokens without any history, {config.max_tokens} allowed"
        return Dropped(stage=STAGE, row=name, reason="context_too_long", detail=detail)
    history, tokens = exchanges(spoken[:asked], config.turns, config.max_tokens, needed)
    answer = conversation.turns[place] if place < len(conversation.turns) else None
    return Task.create(
        kind="answer",
        conversation=conversation.id,
        dialogue=conversation.dialogue,
        language=conversation.language,
        domain=conversation.domain,
        history=history,
        query=spoken[asked].content,
        steps=steps,
        reference=None if answer is None else answer_text(answer),
        system=system,
        tools=conversation.tools,
        cut_turns=asked - len(history),
        tokens=tokens,
        origin=conversation.origin,
    )


def answer_text(turn: Turn) -> str:
    """What a candidate says for an assistant turn: its calls where it makes some (words beside them go), else its words."""
    return calls_text(turn.calls) if turn.calls else turn.content
