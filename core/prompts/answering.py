"""The prompts for answering: the dialogue as chat messages, for student and teacher.

The exported rows and the :class:`~pairwright.core.prompts.student.Student` that is asked later both call
:func:`student_chat`; :func:`answer_prompt_hashes` names its text. A chat is a system prompt, tool definitions and the turns
so far. With ``prompt.tools: text`` the definitions stand in the system prompt, calls are JSON text and results are user
messages: such a chat needs no template that knows tools.

Dialogue text is data here as well: control tokens of chat templates in it are broken up, so that it can neither end
its message nor speak for somebody else. Angle brackets that mean nothing to a template stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from string import Template
from typing import Literal, NamedTuple, get_args

from pairwright.core.config.build_file import PromptConfig
from pairwright.core.identity import content_id
from pairwright.core.prompts.escaping import defuse_turns
from pairwright.core.prompts.fenced_json import json_text
from pairwright.core.prompts.reply import Reply
from pairwright.core.records import Candidate, Case, Language, Rejected, ToolCall, Turn
from pairwright.core.requests import Message
from pairwright.core.tool_calls import calls_of, calls_text, compact, strict_json

# How Qwen and Hermes write a call where the server leaves it in the text.
_WRITTEN_CALL = re.compile(r"<tool_call>\s*(\{.*?\})\s*</tool_call>", re.DOTALL)
_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)


class Chat(NamedTuple):
    """What a model sees before it answers. ``tools`` is empty where there are none, or where ``system`` names them.

    ``turns`` begin and, calls with their results aside, alternate with the user; they end with a user turn or results.
    """

    system: str
    tools: str
    turns: tuple[Turn, ...]


def student_chat(case: Case, config: PromptConfig) -> Chat:
    """The chat that a student answers: the same for training, serving and evaluation."""
    return _chat(case, config.tools == "text")


def student_turn(answer: Candidate | Rejected | str, config: PromptConfig) -> Turn:
    """The turn that the student learns to give (or to avoid): calls where the answer is calls, else its text."""
    if not isinstance(answer, str):
        answer = answer.text
    calls = () if config.tools == "text" else calls_of(answer)
    return Turn(role="assistant", content="" if calls else answer, calls=calls)


def teacher_chat(case: Case, native_tools: bool) -> tuple[tuple[Message, ...], str]:
    """The messages that ask a teacher or weak model for an answer, and the tool definitions to send beside them.

    ``native_tools`` says that the endpoint takes definitions and gives calls; else both are text.
    """
    chat = _chat(case, not native_tools)
    system = f"{chat.system}\n\n{_text('chat_teacher', case.language)}"
    said = (Message(role=turn.role, content=turn.content, calls=turn.calls) for turn in chat.turns)
    return (Message(role="system", content=system), *said), chat.tools


def parse_dialogue_answer(text: str) -> Reply:
    """What a model answered, without thoughts; calls in their one spelling, also fenced ones and ``<tool_call>`` blocks.

    Raises:
        ValueError: it is empty.
    """
    text = _THOUGHT.sub("", text).strip()
    if not text:
        raise ValueError("the answer is empty")
    bare, written = _without_fence(text), _WRITTEN_CALL.findall(text)
    # An array of calls, one call without its brackets, calls in blocks.
    for attempt in (bare, f"[{bare}]", f"[{','.join(written)}]"):
        if calls := calls_of(attempt):
            return Reply(text=calls_text(calls))
    return Reply(text=text)


def _without_fence(text: str) -> str:
    try:
        return json_text(text)
    except ValueError:  # words that begin with code
        return text


def answer_prompt_hashes(config: PromptConfig) -> dict[str, str]:
    """Hashes that name the text of each prompt, as ``{"teacher.zh": "…", "student.zh": "…", …}``."""
    found = {}
    for language in get_args(Language):
        probe = _probe(language)
        teacher = [teacher_chat(probe, native_tools) for native_tools in (False, True)]
        found[f"teacher.{language}"] = content_id([[*messages, tools] for messages, tools in teacher])
        found[f"student.{language}"] = content_id(list(student_chat(probe, config)))
    return found


def _chat(case: Case, as_text: bool) -> Chat:
    system = case.system or _text("chat", case.language)
    turns = merge_messages((*case.history, Turn(role="user", content=case.query), *case.steps))
    clean = tuple(_defused_turn(turn) for turn in turns)
    system, tools = defuse_turns(system), _defused_json(case.tools) if case.tools else ""
    if not as_text:
        return Chat(system, tools, clean)
    if tools:
        lines = "\n".join(compact(one["function"]) for one in strict_json(tools))
        system = f"{system}\n\n{Template(_text('chat_tools', case.language)).substitute(tools=lines)}"
    return Chat(system, "", tuple(_spelled_out(clean)))


def merge_messages(turns: Iterable[Turn]) -> list[Turn]:
    """The turns with those of one speaker joined, and without what is said beside a call: no template has room for it."""
    found: list[Turn] = []
    for turn in turns:
        before = found[-1] if found else None
        if turn.calls:
            turn = Turn(role=turn.role, content="", calls=turn.calls)
        if before is not None and before.role == turn.role != "tool" and not before.calls and not turn.calls:
            found[-1] = Turn(role=turn.role, content=f"{before.content}\n{turn.content}")
        else:
            found.append(turn)
    return found


def _defused_turn(turn: Turn) -> Turn:
    calls = tuple(
        ToolCall(name=defuse_turns(call.name), arguments=_defused_json(call.arguments)) for call in turn.calls
    )
    return Turn(role=turn.role, content=defuse_turns(turn.content), calls=calls)


@lru_cache(maxsize=1024)
def _defused_json(text: str) -> str:
    """JSON text in its one spelling: a token that hides behind escapes would come back when a trainer prints it."""
    return defuse_turns(compact(strict_json(text)))


def _spelled_out(turns: Sequence[Turn]) -> list[Turn]:
    """Calls as JSON text of the assistant, the results of one round as one user turn."""
    found: list[Turn] = []
    for at, turn in enumerate(turns):
        if turn.role != "tool":
            content = calls_text(turn.calls) if turn.calls else turn.content
            found.append(Turn(role=turn.role, content=content))
            continue
        result = f"<tool_result>\n{turn.content}\n</tool_result>"
        if turns[at - 1].role == "tool":
            found[-1] = Turn(role="user", content=f"{found[-1].content}\n{result}")
        else:
            found.append(Turn(role="user", content=result))
    return found


@cache
def _text(name: Literal["chat", "chat_teacher", "chat_tools"], language: Language) -> str:
    return files("pairwright.core.prompts").joinpath(f"{name}.{language}.txt").read_text(encoding="utf-8").rstrip("\n")


def _probe(language: Language) -> Case:
    call = ToolCall(name="1", arguments='{"2": 3}')
    steps = (Turn(role="assistant", content="", calls=(call,)), Turn(role="tool", content="4"))
    return Case(
        id="",
        kind="answer",
        language=language,
        history=(Turn(role="user", content="5"), Turn(role="assistant", content="6")),
        query="7",
        steps=steps,
        tools=compact([{"type": "function", "function": {"name": "1", "parameters": {}}}]),
    )
