"""Calls and results of tools as JSON: what a model was told, what it asked for and what came back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pairwright.core.records import Case
from pairwright.core.tool_calls import calls_of, compact, strict_json
from pairwright.core.tool_schemas import parameters_of
from pairwright.perturbers.text.answer_text import turns


class Tool(NamedTuple):
    """A function that may be called: ``properties`` are the JSON schemas of its arguments."""

    name: str
    properties: Mapping[str, Mapping[str, Any]]
    required: frozenset[str]


class Leaf(NamedTuple):
    """One value of a result and the key that it stands under."""

    key: str
    text: str


def read_tools(case: Case) -> Mapping[str, Tool]:
    """The functions that the assistant may call, by name."""
    found = {}
    for name, schema in parameters_of(case.tools).items():
        properties, required = schema.get("properties"), schema.get("required")
        found[name] = Tool(
            name,
            {key: one for key, one in properties.items() if isinstance(one, Mapping)}
            if isinstance(properties, Mapping)
            else {},
            frozenset(map(str, required)) if isinstance(required, list) else frozenset(),
        )
    return found


def read_calls(answer: str) -> list[dict[str, Any]]:
    """The calls of an answer with their arguments as values; none for an answer in words."""
    return [{"name": call.name, "arguments": strict_json(call.arguments)} for call in calls_of(answer)]


def result_leaves(case: Case) -> Iterator[Leaf]:
    """The values that the tools of the dialogue gave back, in order."""
    for turn in turns(case):
        if turn.role == "tool":
            yield from _leaves("", parsed(turn.content))


def parsed(text: str) -> Any:
    """The JSON value of a text; None for a text that is none."""
    try:
        return strict_json(text)
    except ValueError:
        return None


def _leaves(key: str, value: Any) -> Iterator[Leaf]:
    if isinstance(value, dict):
        for inner, one in value.items():
            yield from _leaves(inner, one)
    elif isinstance(value, list):
        for one in value:
            yield from _leaves(key, one)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield Leaf(key, str(value))


def in_the_style_of(value: Any, text: str) -> str:
    """``value`` as JSON, laid out like the JSON ``text``: on one line or several, with or without spaces."""
    lines = text.strip().split("\n")
    if len(lines) > 1:
        return json.dumps(value, ensure_ascii=False, indent=len(lines[1]) - len(lines[1].lstrip()) or 2)
    tight = '":' in text and '": ' not in text
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if tight else compact(value)
