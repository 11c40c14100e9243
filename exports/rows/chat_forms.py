"""Chats in the forms of the trainers. What each form can hold, and what its loader would spoil, is said at its layout."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pairwright.core.errors import ExportError
from pairwright.core.llm.wire import chat_messages
from pairwright.core.records import ToolCall, Turn
from pairwright.exports.rows.chat_rows import ChatRow, answer_of

# Joins the results of parallel calls in one observation, as LlamaFactory's own converter for OpenAI rows does; Qwen's
# templates write the same between two messages of tools. No text that we export contains it.
RESULTS = "\n</tool_response>\n<tool_response>\n"
OPENAI_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_REMEDY = "Set prompt.tools: text, which describes tools in the system prompt and writes calls as JSON text"


def alpaca_chat(row: ChatRow) -> dict[str, Any]:
    """LlamaFactory's alpaca: the last user turn, and the exchanges before it as pairs.

    Raises:
        ExportError: the row has tools, for which the form has no room.
    """
    if row.uses_tools:
        raise ExportError("llamafactory: the alpaca form has no room for tools", f"{_REMEDY}, or form: sharegpt.")
    *before, last = row.chat.turns
    pairs = [[asked.content, said.content] for asked, said in zip(before[::2], before[1::2], strict=True)]
    return {"instruction": last.content, "input": "", "system": row.chat.system, "history": pairs}


def sharegpt_chat(row: ChatRow) -> dict[str, Any]:
    """LlamaFactory's sharegpt: user or observation, then gpt or function_call, in turns; tools as JSON text."""
    turns = list(_sharegpt_turns(row.chat.turns))
    return {"conversations": turns, "system": row.chat.system, "tools": row.chat.tools}


def sharegpt_answer(turn: Turn | None) -> dict[str, Any]:
    """An answer. The loader stops at a function_call that is no JSON; a broken one is a text like any other."""
    assert turn is not None
    return {"from": "function_call" if turn.calls else "gpt", "value": answer_of(turn)}


def sharegpt_answered(row: ChatRow) -> dict[str, Any]:
    """The chat with its answer as last turn."""
    content = sharegpt_chat(row)
    return {**content, "conversations": [*content["conversations"], sharegpt_answer(row.chosen)]}


def _sharegpt_turns(turns: Iterable[Turn]) -> Iterable[dict[str, Any]]:
    results: list[str] = []
    for turn in turns:
        if turn.role == "tool":
            results.append(turn.content)
            continue
        if results:
            yield {"from": "observation", "value": RESULTS.join(results)}
            results = []
        yield {"from": "human", "value": turn.content} if turn.role == "user" else sharegpt_answer(turn)
    if results:
        yield {"from": "observation", "value": RESULTS.join(results)}


def trl_messages(turns: Iterable[Turn]) -> list[dict[str, Any]]:
    """Messages whose calls have their arguments as objects: what chat templates print as JSON."""
    return [
        {"role": turn.role, "content": turn.content, "tool_calls": [_trl_call(call) for call in turn.calls]}
        if turn.calls
        else {"role": turn.role, "content": turn.content}
        for turn in turns
    ]


def _trl_call(call: ToolCall) -> dict[str, Any]:
    return {"type": "function", "function": {"name": call.name, "arguments": json.loads(call.arguments)}}


def trl_prompt(row: ChatRow) -> list[dict[str, Any]]:
    """System prompt and turns."""
    return [{"role": "system", "content": row.chat.system}, *trl_messages(row.chat.turns)]


def trl_chat_sft(row: ChatRow) -> dict[str, Any]:
    """A row for ``SFTTrainer``; its chat template gets ``tools``."""
    content = {"prompt": trl_prompt(row), "completion": trl_messages([row.chosen])}
    return {**content, "tools": json.loads(row.chat.tools)} if row.chat.tools else content


def trl_chat_pair(row: ChatRow) -> dict[str, Any]:
    """A row for ``DPOTrainer``, which takes no tools from a row."""
    assert row.rejected is not None
    sides = {"chosen": trl_messages([row.chosen]), "rejected": trl_messages([row.rejected])}
    return {"prompt": trl_prompt(row), **sides}


def openai_chat(row: ChatRow) -> dict[str, Any]:
    """The chat as OpenAI takes it, with tools where there are some."""
    messages = chat_messages([Turn(role="system", content=row.chat.system), *row.chat.turns])
    content: dict[str, Any] = {"messages": messages}
    if row.chat.tools:
        content |= {"tools": json.loads(row.chat.tools), "parallel_tool_calls": True}
    return content


def openai_chat_sft(row: ChatRow) -> dict[str, Any]:
    """A supervised row: ``weight`` 0 keeps the answers of the history out of the loss."""
    content = openai_chat(row)
    earlier = [{**one, "weight": 0} if one["role"] == "assistant" else one for one in content["messages"]]
    return {**content, "messages": [*earlier, *chat_messages([row.chosen])]}


def openai_chat_pair(row: ChatRow) -> dict[str, Any]:
    """A preference row."""
    assert row.rejected is not None
    asked = {"tools": [], "parallel_tool_calls": True, **openai_chat(row)}
    sides = [chat_messages([side]) for side in (row.chosen, row.rejected)]
    return {"input": asked, "preferred_output": sides[0], "non_preferred_output": sides[1]}


def openai_name_problem(row: ChatRow) -> str:
    """``tool_name`` where OpenAI would refuse the name of a tool, else empty."""
    tools: list[Mapping[str, Any]] = json.loads(row.chat.tools or "[]")
    names = [one["function"]["name"] for one in tools]
    sides = (row.chosen, *([row.rejected] if row.rejected else []))
    names += [call.name for turn in (*row.chat.turns, *sides) for call in turn.calls]
    return "" if all(OPENAI_NAME.fullmatch(name) for name in names) else "tool_name"


def trl_answer_problem(row: ChatRow) -> str:
    """``null_argument`` where a call or a tool says null: a table cannot tell it from a key that is not there."""
    turns = (*row.chat.turns, row.chosen)
    values = [
        json.loads(row.chat.tools or "[]"),
        *(json.loads(call.arguments) for turn in turns for call in turn.calls),
    ]
    return "null_argument" if any(map(_has_null, values)) else ""


def _has_null(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(_has_null, value.values() if isinstance(value, dict) else value))
    return value is None


def trl_pair_problem(row: ChatRow) -> str:
    """``tools_in_preference`` where TRL's DPO and KTO trainers would lose the tools of a row, or stop at it, else empty."""
    return "tools_in_preference" if row.uses_tools else ""
