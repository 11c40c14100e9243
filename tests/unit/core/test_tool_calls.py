"""Calls survive as text, and text that is not exactly calls stays text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairwright.core.records import ToolCall
from pairwright.core.tool_calls import argument_text, calls_of, calls_text, strict_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.slow
@given(st.lists(st.tuples(st.text().filter(str.strip), st.dictionaries(st.text(), VALUES, max_size=4)), min_size=1))
def test_calls_read_back_are_the_calls_written(content: list[tuple[str, dict[str, Any]]]) -> None:
    calls = tuple(ToolCall(name=name, arguments=argument_text(arguments)) for name, arguments in content)
    assert calls_of(calls_text(calls)) == calls
    assert [json.loads(call.arguments) for call in calls] == [arguments for _, arguments in content]


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "好的，我来查一下。",
        "[1] is the first source",
        "[]",
        '[{"name": "search", "arguments": {"city": "北京"}',
        '[{"name": "search", "arguments": "{}"}]',
        '[{"name": "", "arguments": {}}]',
        '[{"name": "search"}]',
        '[{"name": "search", "arguments": {}, "id": 1}]',
        '[{"name": "search", "arguments": {"n": NaN}}]',
        '{"name": "search", "arguments": {}}',
        "[" * 100_000,
    ],
)
def test_what_is_not_exactly_calls_is_words(answer: str) -> None:
    assert calls_of(answer) == ()


@pytest.mark.parametrize("arguments", ["[1]", "1", "{'a': 1}", "{", '{"n": 1e999}', [1], 7])
def test_arguments_that_are_no_object_are_refused(arguments: object) -> None:
    with pytest.raises(ValueError, match="JSON object|Expecting|Out of range"):
        argument_text(arguments)


@pytest.mark.parametrize("arguments", ["", None, {}, "{}", " {} "])
def test_no_arguments_are_an_empty_object(arguments: object) -> None:
    assert argument_text(arguments) == "{}"


def test_nesting_without_end_is_no_crash() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        strict_json("[" * 100_000)
