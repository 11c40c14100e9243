"""Answers and pairs of an answering build as the chats that a trainer reads; the counterpart of ``rendering.py``.

A row over the budget loses its oldest exchanges (a user turn with all that follows it), never its query, the calls
since then, the system prompt or the tools.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from pairwright.core.config.build_file import PromptConfig
from pairwright.core.prompts.answering import CONTROL, Chat, student_chat, student_turn
from pairwright.core.records import PreferencePair, SftRow, Split, Task, Turn
from pairwright.core.result import BuildResult
from pairwright.core.tool_calls import calls_text, compact
from pairwright.exports.rows.rendering import BUCKET, MARGIN, Budget, Kind, Tally, by_rank

# Tokens that chat templates add, rounded up: to a message, to a call or its result, to a list of tools.
_MESSAGE, _CALL, _TOOLS = 6, 16, 160


class ChatRow(NamedTuple):
    """One chat with an answer and, for a pair, the answer to avoid.

    ``tokens`` is the counted or estimated length of the whole row. Only rows for KTO can have ``desirable=False``: then
    ``chosen`` is an answer to avoid.
    """

    split: Split
    chat: Chat
    chosen: Turn
    rejected: Turn | None
    tokens: int
    desirable: bool = True

    @property
    def uses_tools(self) -> bool:
        """Whether a template must know tools to write this row."""
        sides = (self.chosen, *([self.rejected] if self.rejected else []))
        return bool(self.chat.tools) or any(turn.calls or turn.role == "tool" for turn in (*self.chat.turns, *sides))


Unfit = Callable[[ChatRow], str]


def chat_rendered(
    rows: Iterable[SftRow | PreferencePair],
    config: PromptConfig,
    budget: Budget,
    tally: Tally,
    unfit: Unfit | None = None,
) -> Iterator[tuple[SftRow | PreferencePair, ChatRow]]:
    """The rows that can be trained on, in order, each as a chat; the others are counted in ``tally``.

    ``unfit`` gives the reason why a form cannot hold a chat, else nothing; without it the form holds every chat.
    """
    for row in rows:
        chosen = student_turn(row.chosen, config)
        rejected = student_turn(row.rejected, config) if isinstance(row, PreferencePair) else None
        sides = (chosen,) if rejected is None else (chosen, rejected)
        if problem := _problem(sides):
            tally.left_out[problem] += 1
            continue
        fitted = _fitted(row.task, config, budget, max(_tokens(budget.count, side) for side in sides))
        if fitted is None:
            tally.left_out["too_long"] += 1
            continue
        chat, tokens, cut = fitted
        ready = ChatRow(row.split, chat, chosen, rejected, tokens)
        if unfit is not None and (problem := unfit(ready)):
            tally.left_out[problem] += 1
            continue
        tally.shortened += cut
        tally.lengths[(tokens - 1) // BUCKET] += 1
        yield row, ready


def chat_rows_of(
    build: BuildResult, kind: Kind, budget: Budget, tally: Tally, unfit: Unfit | None = None
) -> Iterator[ChatRow]:
    """The rows of one kind of training set: answers to imitate, pairs, or single answers with a label."""
    rest = build.config.prompt, budget, tally, unfit
    if kind == "dpo":
        yield from (chat for _, chat in chat_rendered(build.pairs(), *rest))
        return
    yield from (chat for _, chat in chat_rendered(build.sft(), *rest))
    if kind == "kto":
        for _, chat in chat_rendered(by_rank(build.pairs), *rest):
            assert chat.rejected is not None
            yield chat._replace(chosen=chat.rejected, rejected=None, desirable=False)


def answer_of(turn: Turn) -> str:
    """A turn as one text: its calls as JSON, or its words."""
    return calls_text(turn.calls) if turn.calls else turn.content


def _problem(sides: tuple[Turn, ...]) -> str:
    texts = [answer_of(side) for side in sides]
    if not all(text.strip() for text in texts):
        return "empty_answer"
    if any(CONTROL.search(text) for text in texts):
        return "control_token"
    return "identical" if len(texts) == 2 and texts[0].strip() == texts[1].strip() else ""


def _fitted(task: Task, config: PromptConfig, budget: Budget, answer: int) -> tuple[Chat, int, bool] | None:
    """The chat with as many of the newest exchanges as fit beside the answer, the row's tokens, whether any went."""
    history = task.history
    starts = [at for at, turn in enumerate(history) if turn.role == "user"] or [0]
    for start in [*starts, len(history)]:
        chat = student_chat(task.model_copy(update={"history": history[start:]}) if start else task, config)
        tokens = MARGIN + answer + _shared(budget.count, chat.system) + _shared(budget.count, chat.tools)
        tokens += (_TOOLS if chat.tools else 0) + sum(_tokens(budget.count, turn) for turn in chat.turns)
        if tokens <= budget.max_tokens:
            return chat, tokens, start > 0
    return None


def _tokens(count: Callable[[str], int], turn: Turn) -> int:
    extra = _CALL * (len(turn.calls) + (turn.role == "tool"))
    called = sum(count(compact(call.name)) + count(call.arguments) for call in turn.calls)
    return _MESSAGE + count(turn.content) + called + extra


@lru_cache(maxsize=4096)
def _shared(count: Callable[[str], int], text: str) -> int:
    """Tokens of a part that many rows share: the system prompt, the tools."""
    return count(text)
