"""The forms in which raw rows hold tool definitions, calls of tools and what the tools said.

Known are OpenAI's ``tool_calls`` and ``function_call``, and turns of ShareGPT's ``function_call`` whose text (or value)
is one call or a list of them. What cannot be read is kept as it stands: whether that matters depends on the build.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pairwright.core.tool_calls import argument_text, strict_json

CALLING = frozenset({"function_call", "function call", "tool_call"})
CallFields = dict[str, str]


def calls_in(item: Mapping[str, Any], speaker: str, content: object) -> list[CallFields]:
    """The calls that one assistant turn of a raw row makes, with ``name`` and ``arguments`` as text.

    A call that is no JSON has an empty name and stands in its arguments as it is.
    """
    if speaker in CALLING:
        return [_call(one) for one in _each(_parsed(content))]
    if found := item.get("tool_calls"):
        return [_call(one) for one in _each(found)]
    return [_call(found)] if (found := item.get("function_call")) else []


def call_content(content: object) -> str:
    """The text of a turn that is a call: as it stands, or as JSON where the row holds the value itself."""
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, default=str)


def in_call_order(items: Sequence[Any]) -> Sequence[Any]:
    """``items`` with the results of parallel calls in the order of their calls, where ids say which is whose."""
    if not any(isinstance(item, Mapping) and item.get("tool_call_id") for item in items):
        return items
    order: dict[str, int] = {}
    for item in items:
        for call in _each(item.get("tool_calls") or []) if isinstance(item, Mapping) else []:
            if isinstance(call, Mapping):
                order[str(call.get("id"))] = len(order)
    ordered = list(items)
    start = 0
    while start < len(ordered):
        end = start
        while end < len(ordered) and isinstance(ordered[end], Mapping) and ordered[end].get("tool_call_id"):
            end += 1
        ordered[start:end] = sorted(ordered[start:end], key=lambda item: order.get(str(item["tool_call_id"]), 0))
        start = max(end, start + 1)
    return ordered


def tools_text(value: object) -> str:
    """Tool definitions as the text that a ``Conversation`` keeps; empty where there are none.

    Definitions without their ``{"type": "function", "function": …}`` get it. Text that is no JSON stays as it is.
    """
    if isinstance(value, str):
        try:
            value = strict_json(value)
        except ValueError:
            return str(value).strip()
    found = [_definition(_parsed(one)) for one in _each(value)] if value else []
    return json.dumps(found, ensure_ascii=False, default=str) if found else ""


def _definition(value: object) -> object:
    if isinstance(value, Mapping) and "function" not in value and "name" in value:
        return {"type": "function", "function": {key: item for key, item in value.items() if key != "type"}}
    return value


def _call(value: object) -> CallFields:
    found = value.get("function", value) if isinstance(value, Mapping) else value
    if not isinstance(found, Mapping) or not isinstance(found.get("name"), str):
        return {"name": "", "arguments": call_content(found)}
    arguments = found.get("arguments", found.get("parameters"))
    try:
        return {"name": found["name"].strip(), "arguments": argument_text(arguments)}
    except ValueError:
        return {"name": found["name"].strip(), "arguments": call_content(arguments)}


def _each(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _parsed(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return strict_json(value)
    except ValueError:
        return value
