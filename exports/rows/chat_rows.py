"""Answers and pairs of an answering build as the chats that a trainer reads; the counterpart of ``rewrite_rows.py``.

A row over the budget loses its oldest exchanges (a user turn with all that follows it), never its query, the calls
since then, the system prompt or the tools.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pairwright.core.config.build_file import PromptConfig
from pairwright.core.prompts.answering import Chat, student_chat, student_turn
from pairwright.core.prompts.control_tokens import holds_control_token
from pairwright.core.records import PreferencePair, Split, Task, Turn
from pairwright.core.tool_calls import calls_text, compact
from pairwright.exports.rows.rendering import MARGIN, Budget, LeftOut, Rendered, Source, shared_tokens

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

    def to_avoid(self) -> ChatRow:
        """Of a pair: the rejected side alone, as an answer to avoid."""
        assert self.rejected is not None
        return self._replace(chosen=self.rejected, rejected=None, desirable=False)


class ChatRows:
    """Makes the rows of a build whose student learns to answer."""

    def render(self, source: Source, config: PromptConfig, budget: Budget) -> Rendered[ChatRow] | LeftOut:
        """See :class:`~pairwright.exports.rows.rendering.RowRenderer`."""
        chosen = student_turn(source.chosen, config)
        rejected = student_turn(source.rejected, config) if isinstance(source, PreferencePair) else None
        sides = (chosen,) if rejected is None else (chosen, rejected)
        if problem := _problem(sides):
            return LeftOut(problem)
        fitted = _fitted(source.task, config, budget, max(_tokens(budget.count, side) for side in sides))
        if fitted is None:
            return LeftOut("too_long")
        chat, tokens, cut = fitted
        return Rendered(ChatRow(source.split, chat, chosen, rejected, tokens), cut)


def answer_of(turn: Turn) -> str:
    """A turn as one text: its calls as JSON, or its words."""
    return calls_text(turn.calls) if turn.calls else turn.content


def _problem(sides: tuple[Turn, ...]) -> str:
    texts = [answer_of(side) for side in sides]
    if not all(text.strip() for text in texts):
        return "empty_answer"
    if any(map(holds_control_token, texts)):
        return "control_token"
    return "identical" if len(texts) == 2 and texts[0].strip() == texts[1].strip() else ""


def _fitted(task: Task, config: PromptConfig, budget: Budget, answer: int) -> tuple[Chat, int, bool] | None:
    """The chat with as many of the newest exchanges as fit beside the answer, the row's tokens, whether any went."""
    history = task.history
    starts = [at for at, turn in enumerate(history) if turn.role == "user"] or [0]
    for start in [*starts, len(history)]:
        chat = student_chat(task.model_copy(update={"history": history[start:]}) if start else task, config)
        tokens = MARGIN + answer + shared_tokens(budget.count, chat.system) + shared_tokens(budget.count, chat.tools)
        tokens += (_TOOLS if chat.tools else 0) + sum(_tokens(budget.count, turn) for turn in chat.turns)
        if tokens <= budget.max_tokens:
            return chat, tokens, start > 0
    return None


def _tokens(count: Callable[[str], int], turn: Turn) -> int:
    extra = _CALL * (len(turn.calls) + (turn.role == "tool"))
    called = sum(count(compact(call.name)) + count(call.arguments) for call in turn.calls)
    return _MESSAGE + count(turn.content) + called + extra
