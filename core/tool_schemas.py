"""Whether a call fits the definition of its tool.

The part of JSON Schema that tool definitions use: ``type``, ``enum``, ``properties``, ``required``, ``items``,
``anyOf``/``oneOf``. Other keywords are not looked at. Unlike JSON Schema, a definition that lists properties allows no
others, unless it says ``additionalProperties``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from pairwright.core.records import ToolCall
from pairwright.core.tool_calls import strict_json


@lru_cache(maxsize=256)
def parameters_of(tools: str) -> Mapping[str, Mapping[str, Any]]:
    """The JSON schema of each tool's arguments, by the tool's name; ``tools`` as in a ``Task``."""
    functions = [one["function"] for one in strict_json(tools)] if tools else []
    return {function["name"]: function.get("parameters", {}) for function in functions}


def call_problem(call: ToolCall, tools: str) -> tuple[str, str] | None:
    """What is wrong with a call, as ``(defect, evidence)``: ``unknown_tool`` or ``wrong_argument``; None where it fits."""
    schemas = parameters_of(tools)
    if call.name not in schemas:
        return "unknown_tool", call.name
    problem = next(_problems(strict_json(call.arguments), schemas[call.name], ""), None)
    return None if problem is None else ("wrong_argument", f"{call.name}: {problem}")


def _problems(value: Any, schema: Any, place: str) -> Iterator[str]:
    if not isinstance(schema, Mapping):
        return
    for keyword in ("anyOf", "oneOf"):
        choices = schema.get(keyword)
        if isinstance(choices, list) and choices and all(next(_problems(value, one, place), None) for one in choices):
            yield f"{place or 'arguments'}: {value!r} is none of what is allowed"
            return
    names = schema.get("type")
    kinds = [names] if isinstance(names, str) else names if isinstance(names, list) else []
    known = [name for name in kinds if name in _TYPES]
    if known and not any(_TYPES[name](value) for name in known):
        yield f"{place or 'arguments'}: {value!r} is no {' or '.join(known)}"
        return
    if isinstance(schema.get("enum"), list) and value not in schema["enum"]:
        yield f"{place}: {value!r} is not one of {', '.join(map(repr, schema['enum']))}"
    if isinstance(value, Mapping):
        yield from _object_problems(value, schema, place)
    if isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            yield from _problems(item, schema["items"], f"{place}[{number}]")


def _object_problems(value: Mapping[str, Any], schema: Mapping[str, Any], place: str) -> Iterator[str]:
    properties = schema.get("properties")
    required = schema.get("required")
    for name in required if isinstance(required, Sequence) and not isinstance(required, str) else ():
        if name not in value:
            yield f"{_inside(place, str(name))} is missing"
    if not isinstance(properties, Mapping):
        return
    for name, item in value.items():
        if name in properties:
            yield from _problems(item, properties[name], _inside(place, name))
        elif properties and not schema.get("additionalProperties"):
            yield f"{_inside(place, name)} is no argument of it"
    # A tool without parameters takes none; an object further down that lists no properties may hold anything.
    if not properties and value and place == "" and not schema.get("additionalProperties"):
        yield f"{next(iter(value))} is no argument of it"


def _inside(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": _is_number,
    "integer": lambda value: _is_number(value) and value == int(value),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, Mapping),
    "null": lambda value: value is None,
}
