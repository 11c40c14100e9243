"""The forms in which raw rows hold tool definitions, calls of tools and what the tools said.

Known are OpenAI's ``tool_calls`` and ``function_call``, turns of ShareGPT's ``function_call`` whose text (or value)
is one call or a list of them, and Anthropic's ``tool_use`` and ``tool_result`` among the parts of a content. What cannot be
read is kept as it stands: whether that matters depends on the build.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pairwright.core.tool_calls import argument_text, strict_json

CALLING = frozenset({"function_call", "function call", "tool_call"})
_CALLS = ("tool_calls", "tool_call", "function_call")
_ARGUMENTS = ("arguments", "parameters", "args", "input")
CallFields = dict[str, str]


def calls_in(item: Mapping[str, Any], speaker: str, content: object) -> list[CallFields]:
    """The calls that one assistant turn of a raw row makes, with ``name`` and ``arguments`` as text.

    A call that is no JSON has an empty name and stands in its arguments as it is.
    """
    if is_calling(speaker):
        return [_call(one) for one in _each(_parsed(content))]
    # A flag of that name is no call.
    found = next((found for key in _CALLS if isinstance(found := item.get(key), Mapping | list | str) and found), None)
    return [_call(one) for one in _each(_parsed(found))] if found else []


def is_calling(speaker: str) -> bool:
    """Whether turns of that speaker are calls."""
    return speaker.strip().lower() in CALLING


def call_content(content: object) -> str:
    """The text of a turn that is a call: as it stands, or as JSON where the row holds the value itself."""
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, default=str)


def in_call_order(items: Sequence[Any]) -> Sequence[Any]:
    """``items`` with the results of parallel calls in the order of their calls, where ids say which is whose.

    Many logs number the calls of each turn anew, so an id means a call made since the last result.
    """
    if not any(isinstance(item, Mapping) and item.get("tool_call_id") for item in items):
        return items
    order: dict[str, int] = {}
    ordered, results, answered = list[Any](), list[Mapping[str, Any]](), False

    def put_results() -> None:
        ordered.extend(sorted(results, key=lambda one: order.get(str(one["tool_call_id"]), len(order))))
        results.clear()

    for item in items:
        if isinstance(item, Mapping) and item.get("tool_call_id"):
            results.append(item)
            answered = True
            continue
        put_results()
        if isinstance(item, Mapping) and (calls := _parsed(item.get("tool_calls"))):
            if answered:
                order, answered = {}, False
            for call in _each(calls):
                if isinstance(call, Mapping):
                    order[str(call.get("id"))] = len(order)
        ordered.append(item)
    put_results()
    return ordered


def with_own_turns(items: Sequence[Any], role: str, contents: Sequence[str]) -> Sequence[Any]:
    """``items`` with the calls among the parts of a content as ``tool_calls``, and the results there as turns of their own.

    ``role`` and ``contents`` are the keys under which a turn has its speaker, and what is said.
    """
    return [turn for item in items for turn in _apart(item, role, contents)]


def _apart(item: Any, role: str, contents: Sequence[str]) -> list[Any]:
    name = next((name for name in contents if isinstance(item, Mapping) and isinstance(item.get(name), list)), None)
    if name is None:
        return [item]
    kinds = [part.get("type") if isinstance(part, Mapping) else None for part in item[name]]
    if "tool_use" not in kinds and "tool_result" not in kinds:
        return [item]
    turns, rest, calls = list[Any](), list[Any](), list[Any]()
    for part, kind in zip(item[name], kinds, strict=True):
        if kind == "tool_use":
            calls.append(part)
        elif kind == "tool_result":
            if calls:
                turns.append({**item, name: rest, "tool_calls": calls})
                rest, calls = [], []
            turns.append({role: "tool", "tool_call_id": part.get("tool_use_id"), name: part.get("content")})
        else:
            rest.append(part)
    if calls:
        turns.append({**item, name: rest, "tool_calls": calls})
    elif rest:
        turns.append({**item, name: rest})
    return turns


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
        function = {key: item for key, item in value.items() if key != "type"}
        if "input_schema" in function and "parameters" not in function:
            function["parameters"] = function.pop("input_schema")  # Anthropic
        return {"type": "function", "function": function}
    return value


def _call(value: object) -> CallFields:
    found = (value.get("function") or value) if isinstance(value, Mapping) else value
    if not isinstance(found, Mapping) or not isinstance(found.get("name"), str):
        return {"name": "", "arguments": call_content(found)}
    if not set(_ARGUMENTS) & found.keys() and any(isinstance(one, Mapping) for one in found.values()):
        return {"name": "", "arguments": call_content(found)}
    arguments = next((found[key] for key in _ARGUMENTS if found.get(key) is not None), None)
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
