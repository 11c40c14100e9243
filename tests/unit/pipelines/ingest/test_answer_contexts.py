"""Dialogues with tools: which rows can be learnt from, which turns are answers, and what each answer sees."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairwright.core.bookkeeping import Dropped, Failed
from pairwright.core.config.build_file import ContextConfig
from pairwright.core.records import Conversation, Task, ToolCall, Turn
from pairwright.core.tool_calls import calls_of
from pairwright.pipelines.ingest.answer_contexts import find_answers, window_answers
from pairwright.pipelines.ingest.answer_dialogues import check_answerable
from pairwright.pipelines.ingest.sources import FileSource
from pairwright.testing.factories import origin

TOOL = {
    "type": "function",
    "function": {
        "name": "find_hotel",
        "description": "找酒店",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def called(number: int, name: str = "find_hotel", arguments: str = '{"city": "北京"}') -> dict[str, Any]:
    return {"id": f"c{number}", "type": "function", "function": {"name": name, "arguments": arguments}}


OPENAI = [
    {"role": "system", "content": "你是酒店助手。"},
    {"role": "assistant", "content": "您好！"},
    {"role": "user", "content": "帮我找北京的酒店"},
    {"role": "assistant", "content": None, "tool_calls": [called(1), called(2, arguments='{"city": "北京 海淀"}')]},
    {"role": "tool", "tool_call_id": "c2", "content": "海淀酒店"},
    {"role": "tool", "tool_call_id": "c1", "content": ""},
    {"role": "assistant", "content": "有海淀酒店。"},
    {"role": "user", "content": "多少钱？"},
    {"role": "assistant", "content": "500 元。"},
]


def read(tmp_path: Path, *rows: dict[str, Any], **settings: Any) -> list[Conversation | Failed]:
    import json

    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return list(check_answerable(FileSource(source="s", path=str(path), **settings).read()))


def one(tmp_path: Path, row: dict[str, Any], **settings: Any) -> Conversation:
    (found,) = read(tmp_path, row, **settings)
    assert isinstance(found, Conversation), found
    return found


def failure(tmp_path: Path, row: dict[str, Any]) -> Failed:
    (found,) = read(tmp_path, row)
    assert isinstance(found, Failed), found
    return found


def tasks(of: Conversation, **config: Any) -> list[Task | Dropped]:
    settings = ContextConfig(**{"queries": "every", "max_tokens": 4096, **config})
    return list(window_answers(find_answers([of], settings), settings))


def task(of: Conversation, place: int = -1, **config: Any) -> Task:
    found = tasks(of, **config)[place]
    assert isinstance(found, Task), found
    return found


def conversation(*said: Turn, tools: str = "") -> Conversation:
    more = {"tools": tools} if tools else {}
    return Conversation.create(dialogue="d", language="en", turns=said, origin=origin(), **more)


def test_openai_messages_are_read_with_calls_and_results_in_their_order(tmp_path: Path) -> None:
    found = one(tmp_path, {"messages": OPENAI, "tools": [TOOL]})
    calls = [call for turn in found.turns for call in turn.calls]
    assert calls == [
        ToolCall(name="find_hotel", arguments='{"city": "北京"}'),
        ToolCall(name="find_hotel", arguments='{"city": "北京 海淀"}'),
    ]
    assert [turn.content for turn in found.turns if turn.role == "tool"] == ["", "海淀酒店"], "by tool_call_id"
    assert "找酒店" in found.tools


def test_sharegpt_calls_and_observations_are_read(tmp_path: Path) -> None:
    row = {
        "system": "You book hotels.",
        "tools": '[{"name": "find_hotel", "description": "d", "parameters": {"type": "object"}}]',
        "conversations": [
            {"from": "human", "value": "A hotel in Berlin, please"},
            {"from": "function_call", "value": '{"name": "find_hotel", "arguments": {"city": "Berlin"}}'},
            {"from": "observation", "value": '{"hotels": ["Adlon"]}'},
            {"from": "gpt", "value": "The Adlon."},
        ],
    }
    found = one(tmp_path, row)
    assert [turn.role for turn in found.turns] == ["system", "user", "assistant", "tool", "assistant"]
    assert found.turns[2] == Turn(
        role="assistant", content="", calls=(ToolCall(name="find_hotel", arguments='{"city": "Berlin"}'),)
    )
    assert found.tools == (
        '[{"type": "function", "function": {"name": "find_hotel", "description": "d", '
        '"parameters": {"properties": {}, "type": "object"}}}]'
    )


def test_a_call_that_was_not_carried_out_gives_way_to_what_is_said(tmp_path: Path) -> None:
    call = {"name": "query", "arguments": {}}
    row = {
        "messages": [
            {"role": "user", "content": "Check my car's records"},
            {"role": "function call", "content": call},
            {"role": "assistant", "content": "In which city?"},
            {"role": "user", "content": "Berlin"},
            {"role": "function call", "content": {**call, "arguments": {"city": "Berlin"}}},
        ],
        "multiple_tools": [{"name": "query"}],
    }
    found = one(tmp_path, row, mapping={"tools": "multiple_tools"})
    first, last = task(found, 0), task(found)
    assert first.reference == "In which city?"
    assert last.reference == '[{"name": "query", "arguments": {"city": "Berlin"}}]'
    assert [turn.content for turn in last.history] == ["Check my car's records", "In which city?"]


def test_messages_per_user_turn_are_one_dialogue(tmp_path: Path) -> None:
    row = {"question": [[{"role": "user", "content": "a"}], [{"role": "user", "content": "b"}]]}
    assert [turn.content for turn in one(tmp_path, row, mapping={"conversation": "question"}).turns] == ["a\nb"]


@pytest.mark.parametrize(
    ("messages", "error"),
    [
        ([{"role": "assistant", "tool_calls": [called(1, arguments="{city: 北京}")]}], "bad_tool_call"),
        ([{"role": "assistant", "tool_calls": [called(1, arguments="[1]")]}], "bad_tool_call"),
        ([{"role": "assistant", "tool_calls": [called(1, name="")]}], "bad_tool_call"),
        ([{"role": "function_call", "content": "find_hotel(北京)"}], "bad_tool_call"),
        ([{"role": "tool", "content": "x"}], "orphan_tool_result"),
        ([{"role": "assistant", "content": "x"}, {"role": "tool", "content": "x"}], "orphan_tool_result"),
        (
            [{"role": "assistant", "tool_calls": [called(1)]}, *[{"role": "tool", "content": "x"}] * 2],
            "orphan_tool_result",
        ),
        (
            [{"role": "assistant", "tool_calls": [called(1), called(2), called(3)]}, *[{"role": "tool"}] * 2],
            "call_without_result",
        ),
        ([{"role": "assistant", "tool_calls": [called(1)]}, {"role": "user", "content": "x"}], "call_without_result"),
        (
            [
                {"role": "assistant", "tool_calls": [called(1)]},
                {"role": "tool", "content": "x"},
                {"role": "user", "content": "x"},
            ],
            "result_without_answer",
        ),
    ],
)
def test_a_dialogue_whose_calls_do_not_add_up_is_a_failed_row(
    tmp_path: Path, messages: list[dict[str, Any]], error: str
) -> None:
    found = failure(tmp_path, {"messages": [{"role": "user", "content": "q"}, *messages]})
    assert (found.stage, found.error, found.line) == ("read", error, 1)
    assert found.message


@pytest.mark.parametrize("tools", ["{", [{"description": "no name"}], [{"name": "a", "parameters": [1]}], [7]])
def test_tools_that_no_template_can_write_are_a_failed_row(tmp_path: Path, tools: Any) -> None:
    assert failure(tmp_path, {"messages": OPENAI, "tools": tools}).error == "bad_tools"


def test_every_assistant_turn_after_a_user_turn_is_an_answer(tmp_path: Path) -> None:
    found = tasks(one(tmp_path, {"messages": OPENAI, "tools": [TOOL]}))
    assert [each.reference for each in found if isinstance(each, Task)] == [
        '[{"name": "find_hotel", "arguments": {"city": "北京"}}, {"name": "find_hotel", "arguments": {"city": "北京 海淀"}}]',
        "有海淀酒店。",
        "500 元。",
    ]
    call, said, last = (each for each in found if isinstance(each, Task))
    assert (call.query, call.history, call.steps, call.cut_turns) == ("帮我找北京的酒店", (), (), 1)
    assert call.system == "你是酒店助手。"
    assert [turn.role for turn in said.steps] == ["assistant", "tool", "tool"], (
        "the calls since the query and their results"
    )
    assert said.query == call.query
    assert [turn.role for turn in last.history] == ["user", "assistant", "tool", "tool", "assistant"]
    assert last.steps == ()
    assert {call.kind, said.kind, last.kind} == {"answer"}


def test_last_means_the_last_answer(tmp_path: Path) -> None:
    found = one(tmp_path, {"messages": OPENAI})
    assert [each.reference for each in tasks(found, queries="last") if isinstance(each, Task)] == ["500 元。"]


@pytest.mark.parametrize("end", [8, 6])
def test_where_the_dialogue_ends_before_the_answer_there_is_a_task_without_reference(tmp_path: Path, end: int) -> None:
    found = task(one(tmp_path, {"messages": OPENAI[:end]}), queries="last")
    assert found.reference is None
    assert bool(found.steps) == (end == 6)


def test_a_window_starts_with_a_user_turn_and_never_cuts_a_result_from_its_call(tmp_path: Path) -> None:
    found = one(tmp_path, {"messages": OPENAI})
    whole = task(found)
    for limit in range(16, whole.tokens + 1):
        (kept,) = tasks(found, queries="last", max_tokens=limit)
        if isinstance(kept, Dropped):
            assert kept.reason == "context_too_long"
            continue
        assert kept.tokens <= limit
        assert [turn.role for turn in kept.history] in ([], [turn.role for turn in whole.history])
    assert task(found, turns=0).history == ()
    assert task(found, turns=0).cut_turns == 6


def test_the_whole_context_counts(tmp_path: Path) -> None:
    plain, told = ({"messages": OPENAI}, {"messages": OPENAI, "tools": [TOOL] * 40})
    assert task(one(tmp_path, told)).tokens > task(one(tmp_path, plain)).tokens + 500
    (found,) = tasks(one(tmp_path, told), queries="last", max_tokens=512)
    assert isinstance(found, Dropped)
    assert found.reason == "context_too_long"
    assert "without any history, 512 allowed" in found.detail


def test_turns_of_one_speaker_are_one_turn(tmp_path: Path) -> None:
    said = [("user", "a"), ("user", "b"), ("assistant", "c"), ("assistant", "d")]
    found = one(tmp_path, {"messages": [{"role": role, "content": text} for role, text in said]})
    assert [(turn.role, turn.content) for turn in found.turns] == [("user", "a\nb"), ("assistant", "c\nd")]


def test_rewriting_builds_read_the_same_rows_as_words_alone(tmp_path: Path) -> None:
    import json

    from pairwright.pipelines.ingest.contexts import find_queries, window_queries

    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"messages": [*OPENAI[:-1]]}), encoding="utf-8")
    rows = [row for row in FileSource(source="s", path=str(path)).read() if isinstance(row, Conversation)]
    (found,) = window_queries(find_queries(rows, ContextConfig()), ContextConfig(), (), 0)
    assert isinstance(found, Task)
    assert [turn.content for turn in found.history] == ["您好！", "帮我找北京的酒店", "海淀酒店", "有海淀酒店。"]
    assert not any(turn.calls for turn in found.history)


SPEECH = st.sampled_from(["user", "assistant", "call", "tool", "system"])


@given(st.lists(SPEECH, min_size=1, max_size=14), st.integers(0, 4), st.integers(16, 90))
def test_any_dialogue_fails_or_gives_chats_that_alternate(said: list[str], turns: int, tokens: int) -> None:
    made = []
    for number, who in enumerate(said):
        if who == "call":
            calls = (ToolCall(name="t", arguments=f'{{"n": {number}}}'),)
            made.append(Turn(role="assistant", content="", calls=calls))
        else:
            made.append(Turn.model_validate({"role": who, "content": f"{who} {number}"}))
    (found,) = check_answerable([conversation(*made)])
    if isinstance(found, Failed):
        assert {"tool", "call"} & set(said)
        return
    for each in tasks(found, turns=turns, max_tokens=tokens):
        if isinstance(each, Dropped):
            continue
        assert each.tokens <= tokens
        turns_seen = (*each.history, Turn(role="user", content=each.query), *each.steps)
        assert turns_seen[0].role == "user"
        for before, after in pairwise(turns_seen):
            allowed = {"user": ("assistant",), "tool": ("assistant", "tool")}
            calls = ("tool",) if before.calls else ("user",)
            assert after.role in allowed.get(before.role, calls)
        assert not turns_seen[-1].calls
        assert turns_seen[-1].role in ("user", "tool")
        assert each.reference is None or bool(calls_of(each.reference)) == each.reference.startswith("[")
