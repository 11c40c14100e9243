"""Calls of tools and their results in the forms that logs have: whole, and each result with its call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from reading import one, write_lines

from pairwright.core.records import Conversation
from pairwright.pipelines.ingest.answer_dialogues import well_formed
from pairwright.pipelines.ingest.row_values import RowError, result_of


def read_turns(tmp_path: Path, *turns: dict[str, Any]) -> Conversation:
    return one(write_lines(tmp_path / "a.jsonl", {"messages": [{"role": "user", "content": "?"}, *turns]}))


def call(identity: str, place: str) -> dict[str, Any]:
    return {"id": identity, "type": "function", "function": {"name": "w", "arguments": json.dumps({"at": place})}}


def test_ids_that_begin_anew_in_every_turn_still_say_which_result_is_whose(tmp_path: Path) -> None:
    turns: list[dict[str, Any]] = []
    for first, second in (("north", "south"), ("east", "west")):
        turns += [
            {"role": "assistant", "content": None, "tool_calls": [call("call_0", first), call("call_1", second)]},
            {"role": "tool", "tool_call_id": "call_1", "content": second.upper()},
            {"role": "tool", "tool_call_id": "call_0", "content": first.upper()},
            {"role": "assistant", "content": "Done."},
            {"role": "user", "content": "And now?"},
        ]
    found = read_turns(tmp_path, *turns)
    assert [turn.content for turn in found.turns if turn.role == "tool"] == ["NORTH", "SOUTH", "EAST", "WEST"]


def test_calls_in_turns_of_their_own_have_one_order(tmp_path: Path) -> None:
    made = [{"role": "assistant", "content": None, "tool_calls": [call(name, name)]} for name in ("a", "b")]
    results = [{"role": "tool", "tool_call_id": name, "content": name.upper()} for name in ("b", "a")]
    found = well_formed(read_turns(tmp_path, *made, *results).turns)
    assert [turn.content for turn in found if turn.role == "tool"] == ["A", "B"]


@pytest.mark.parametrize(
    "turn",
    [
        {"role": "assistant", "content": None, "tool_calls": [{"name": "w", "args": {"at": "x"}, "id": "1"}]},
        {
            "role": "assistant",
            "tool_calls": [{"function": {"name": "w", "arguments": None, "parameters": {"at": "x"}}}],
        },
        {"role": "assistant", "tool_calls": json.dumps([call("1", "x")])},
        {"role": "assistant", "tool_calls": [{"function": None, "name": "w", "arguments": {"at": "x"}, "more": None}]},
        {"role": "assistant", "tool_call": {"name": "w", "arguments": {"at": "x"}}},
        {"role": "assistant", "function_call": {"name": "w", "arguments": '{"at": "x"}'}},
        {"from": "function_call", "value": '{"name": "w", "input": {"at": "x"}}'},
        {"from": "Function_Call", "value": {"name": "w", "arguments": {"at": "x"}}},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "w", "input": {"at": "x"}}]},
    ],
    ids=lambda turn: json.dumps(turn)[:60],
)
def test_arguments_arrive_under_each_name(tmp_path: Path, turn: dict[str, Any]) -> None:
    found = read_turns(tmp_path, turn)
    ((made,),) = (turn.calls for turn in well_formed(found.turns) if turn.calls)
    assert (made.name, json.loads(made.arguments)) == ("w", {"at": "x"})


@pytest.mark.parametrize(
    "made",
    [
        {"name": "w", "where": {"at": "x"}},
        {"name": "\u200b", "arguments": {}},
        {"name": "w", "arguments": '{"at": 1, "at": 2}'},
        {"name": "w", "arguments": "[1]"},
    ],
)
def test_a_call_that_is_not_understood_is_no_call_without_arguments(tmp_path: Path, made: dict[str, Any]) -> None:
    found = read_turns(tmp_path, {"role": "assistant", "content": None, "tool_calls": [made]})
    with pytest.raises(RowError) as caught:
        well_formed(found.turns)
    assert caught.value.error == "bad_tool_call"


def test_calls_and_results_among_the_parts_of_a_content_are_turns(tmp_path: Path) -> None:
    use = [{"type": "tool_use", "id": one, "name": "w", "input": {"at": one}} for one in ("a", "b")]
    results = [
        {"type": "tool_result", "tool_use_id": "b", "content": [{"type": "text", "text": "20C"}]},
        {"type": "tool_result", "tool_use_id": "a", "content": "10C"},
    ]
    found = read_turns(
        tmp_path,
        {"role": "assistant", "content": [{"type": "text", "text": "Let me see."}, *use]},
        {"role": "user", "content": results},
        {"role": "assistant", "content": "It is 10."},
        {"role": "user", "content": [{"type": "text", "text": "Thanks."}]},
    )
    assert [(turn.role, turn.content, len(turn.calls)) for turn in well_formed(found.turns)] == [
        ("user", "?", 0),
        ("assistant", "Let me see.", 2),
        ("tool", "10C", 0),
        ("tool", "20C", 0),
        ("assistant", "It is 10.", 0),
        ("user", "Thanks.", 0),
    ]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("20C", "20C"),
        (None, ""),
        ([], ""),
        ([{"t": 20}], '[{"t": 20}]'),
        ([{"type": "hotel", "text": "甲", "price": 5}], '[{"type": "hotel", "text": "甲", "price": 5}]'),
        ({"t": 20}, '{"t": 20}'),
        ([1, 2], "[1, 2]"),
        (20.5, "20.5"),
        ([{"text": "20C"}], "20C"),
        ([{"type": "Text", "text": "20C"}, None, {"type": "image_url", "image_url": {"url": "data:,x"}}], "20C"),
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "a\nb"),
    ],
)
def test_what_a_tool_said_arrives_whole(tmp_path: Path, content: Any, text: str) -> None:
    made = {"role": "assistant", "content": None, "tool_calls": [call("1", "x")]}
    found = read_turns(tmp_path, made, {"role": "tool", "content": content})
    assert [turn.content for turn in found.turns if turn.role == "tool"] == [text]
    if content not in (None, []):
        found = read_turns(tmp_path, made, {"role": "tool", "name": "w", "content": None, "result": content})
        assert [turn.content for turn in found.turns if turn.role == "tool"] == [text]


def test_definitions_of_tools_in_anthropics_form_keep_their_schema(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"at": {"type": "string"}}}
    row = {"messages": [{"role": "user", "content": "?"}], "tools": [{"name": "w", "input_schema": schema}]}
    found = one(write_lines(tmp_path / "a.jsonl", row))
    assert json.loads(found.tools) == [{"type": "function", "function": {"name": "w", "parameters": schema}}]


def test_the_words_of_a_history_are_read_beside_its_calls(tmp_path: Path) -> None:
    parts = [{"type": "text", "text": "Let me see."}, {"type": "tool_use", "id": "1", "name": "w", "input": {}}]
    row = {"query": "And now?", "history": [{"role": "user", "content": "?"}, {"role": "assistant", "content": parts}]}
    found = one(write_lines(tmp_path / "a.jsonl", row))
    assert [turn.content for turn in found.turns] == ["?", "Let me see.", "And now?"]


@pytest.mark.parametrize(
    ("mapping", "role", "content"), [({}, "from", "value"), ({"role": "who", "content": "what"}, "who", "what")]
)
def test_parts_are_read_under_other_keys(tmp_path: Path, mapping: dict[str, str], role: str, content: str) -> None:
    use = {"type": "tool_use", "id": "1", "name": "w", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "1", "content": "20C"}
    turns = [{role: "user", content: "?"}, {role: "assistant", content: [use, result, {"type": "text", "text": "20."}]}]
    found = one(write_lines(tmp_path / "a.jsonl", {"messages": turns}), mapping=mapping)
    assert [(turn.role, turn.content, len(turn.calls)) for turn in well_formed(found.turns)] == [
        ("user", "?", 0),
        ("assistant", "", 1),
        ("tool", "20C", 0),
        ("assistant", "20.", 0),
    ]


def test_a_flag_is_no_call(tmp_path: Path) -> None:
    turns = {"role": "assistant", "content": "Hi", "tool_call": True, "function_call": ""}
    assert [turn.calls for turn in read_turns(tmp_path, turns).turns] == [(), ()]


def test_a_result_that_is_no_value_of_json_fails() -> None:
    with pytest.raises(RowError, match="no value of JSON"):
        result_of({}, {(1, 2): 3})
