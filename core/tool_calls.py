"""Answers that call tools, as text and as calls.

The text is a JSON array, ``[{"name": "search", "arguments": {"city": "北京"}}, …]``: what the candidates of an answering
task hold, what judges read, and what a student without a tool format of its own is taught to write.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pairwright.core.records import ToolCall
from pairwright.core.untrusted_json import read_json, unambiguous


def calls_of(answer: str) -> tuple[ToolCall, ...]:
    """The calls that an answer makes; none for an answer in words, and none for JSON that is broken in any way."""
    # Most answers are words: parsing them would only cost time.
    if not answer.lstrip().startswith("["):
        return ()
    try:
        found = strict_json(answer)
        return tuple(_call(item) for item in found) if isinstance(found, list) else ()
    except ValueError:
        return ()


def calls_text(calls: Iterable[ToolCall]) -> str:
    """The answer that makes ``calls``; ``calls_of`` reads it back."""
    return compact([{"name": call.name, "arguments": json.loads(call.arguments)} for call in calls])


def strict_json(text: str) -> Any:
    """What a JSON text says. ``NaN``, infinities, nesting beyond reason and a key with two values are no JSON.

    Raises:
        ValueError: it is none; the message says why, in one line.
    """
    found = read_json(text, unambiguous)
    # It takes NaN and infinities; writing them is what refuses them.
    json.dumps(found, allow_nan=False)
    return found


def compact(value: object) -> str:
    """A JSON value as one line of text, unescaped: the one spelling that all exports share."""
    return json.dumps(value, ensure_ascii=False)


def argument_text(arguments: object) -> str:
    """The arguments of a call in their one spelling; an object, or the text of one (empty text is no arguments).

    Raises:
        ValueError: they are no JSON object.
    """
    if isinstance(arguments, str):
        arguments = strict_json(arguments) if arguments.strip() else {}
    elif arguments is None:
        arguments = {}
    if not isinstance(arguments, Mapping):
        raise ValueError(f"arguments must be a JSON object, not {type(arguments).__name__}")
    # datasets 4.0 makes dates of texts that look like ISO dates: they become texts again.
    return json.dumps(arguments, ensure_ascii=False, allow_nan=False, default=str)


def _call(item: object) -> ToolCall:
    if not (isinstance(item, dict) and item.keys() == {"name", "arguments"}):
        raise ValueError("no call")
    name, arguments = item["name"], item["arguments"]
    if not (isinstance(name, str) and name.strip() and isinstance(arguments, dict)):
        raise ValueError("no call")
    return ToolCall(name=name, arguments=compact(arguments))
