"""The forms of raw rows: what is said in one arrives whole, or the row fails with its true reason."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from reading import DIALOGUE, REWRITING, failure, one, read, said, write_lines

from pairwright.core.records import Conversation


def test_a_rewriting_row_becomes_history_query_and_reference(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", REWRITING)
    row = one(path, licence="MIT")
    assert said(row) == [("user", "小汤山镇在哪？"), ("assistant", "在北京昌平。"), ("user", "门票多少？")]
    assert (row.reference, row.language) == ("小汤山镇门票多少？", "zh")
    assert row.origin.model_dump() == {"source": "s", "file": path.as_posix(), "line": 1, "key": "7", "licence": "MIT"}


@pytest.mark.parametrize("key", ["conversation", "messages", "conversations"])
@pytest.mark.parametrize(("role", "content"), [("role", "content"), ("from", "value")])
def test_dialogues_are_known_by_their_keys(tmp_path: Path, key: str, role: str, content: str) -> None:
    turns = [{role: "human", content: "Hi"}, {role: "gpt", content: "Hello"}, {role: "observation", content: "{}"}]
    row = one(write_lines(tmp_path / "a.jsonl", {"id": "1", key: turns, "metadata": {"x": 1}}))
    assert said(row) == [("user", "Hi"), ("assistant", "Hello"), ("tool", "{}")]
    assert row.reference is None


@pytest.mark.parametrize(
    ("name", "role"), [("system", "system"), ("function_call", "assistant"), ("客服", "assistant"), ("USER", "user")]
)
def test_common_speakers_are_known(tmp_path: Path, name: str, role: str) -> None:
    turns = [{"role": "user", "content": "Hi"}, {"role": name, "content": "x"}]
    assert said(one(write_lines(tmp_path / "a.jsonl", {"messages": turns})))[1] == (role, "x")


def test_history_may_be_strings_of_the_user_pairs_or_alternating_strings(tmp_path: Path) -> None:
    strings = write_lines(tmp_path / "s.jsonl", {"history": ["a", "b"], "query": "c", "rewrite": "c b"})
    pairs = write_lines(tmp_path / "p.jsonl", {"history": [["a", "b"], ["d", None]], "query": "c", "rewrite": "c b"})
    assert said(one(strings)) == [("user", "a"), ("user", "b"), ("user", "c")]
    assert said(one(strings, mapping={"strings": "alternating"})) == [("user", "a"), ("assistant", "b"), ("user", "c")]
    assert said(one(pairs)) == [("user", "a"), ("assistant", "b"), ("user", "d"), ("user", "c")]


def test_a_mapping_names_other_keys_also_nested_ones_and_other_speakers(tmp_path: Path) -> None:
    row = {
        "log": {"turns": [{"who": "customer", "text": "Hi"}, {"who": "agent", "text": "Yes?"}]},
        "nr": 5,
        "meta": {"topic": "bank"},
    }
    mapping = {
        "conversation": "log.turns",
        "role": "who",
        "content": "text",
        "id": "nr",
        "domain": "meta.topic",
        "roles": {"customer": "user", "agent": "assistant"},
    }
    found = one(write_lines(tmp_path / "a.jsonl", row), mapping=mapping)
    assert said(found) == [("user", "Hi"), ("assistant", "Yes?")]
    assert (found.origin.key, found.domain) == ("5", "bank")


def test_content_parts_are_joined_and_turns_without_text_left_out(tmp_path: Path) -> None:
    turns = [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url"}]},
        {"role": "assistant", "content": None, "tool_calls": []},
    ]
    assert said(one(write_lines(tmp_path / "a.jsonl", {"messages": turns}))) == [("user", "a")]


def test_rows_of_one_dialogue_share_its_group(tmp_path: Path) -> None:
    first = {"history": [], "query": "Who is  Ann?", "rewrite": "Who is Ann?"}
    second = {"history": [{"role": "user", "content": "who is Ann?"}], "query": "And Bob?", "rewrite": "Who is Bob?"}
    other = {"history": [], "query": "Who is Bob?", "rewrite": "Who is Bob?"}
    groups = [
        row.dialogue
        for row in read(write_lines(tmp_path / "a.jsonl", first, second, other))
        if isinstance(row, Conversation)
    ]
    assert groups[0] == groups[1] != groups[2]


@pytest.mark.parametrize(
    "row", [{**REWRITING, "meta": {"dialogue": "x"}}, {**DIALOGUE, "dialogue_id": "x"}, {**DIALOGUE, "id": "x"}]
)
def test_a_given_dialogue_key_is_the_group_within_its_source(tmp_path: Path, row: Any) -> None:
    assert one(write_lines(tmp_path / "a.jsonl", row)).dialogue == "s:x"


def test_the_id_depends_on_the_content_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = set()
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        monkeypatch.chdir(tmp_path / folder)
        write_lines(Path("a.jsonl"), REWRITING)
        ids.add(one("a.jsonl").id)
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("row", "error", "words"),
    [
        ('{"query": ', "not_json", "column"),
        ("[" * 100_000, "not_json", ""),
        ("[1, 2]", "not_an_object", "list"),
        ({"text": "x"}, "missing_key", "the row has: text"),
        ({**REWRITING, "query": " \n"}, "empty_query", "'query'"),
        ({**REWRITING, "query": None}, "empty_query", ""),
        ({**REWRITING, "query": 5}, "wrong_type", "int"),
        ({**REWRITING, "rewrite": ""}, "empty_rewrite", "'rewrite'"),
        ({**REWRITING, "rewrite": ["x"]}, "wrong_type", "list"),
        ({**REWRITING, "history": "user: hi"}, "wrong_type", "'history'"),
        ({**REWRITING, "history": ["a", {"role": "user", "content": "b"}]}, "wrong_type", "turn"),
        ({"messages": [{"role": "narrator", "content": "x"}]}, "unknown_role", "narrator"),
        ({"messages": [{"role": ["user"], "content": "x"}]}, "unknown_role", ""),
        ({"messages": [{"role": "user", "content": 1}]}, "wrong_type", "content"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "no_user_turn", ""),
        ({"messages": []}, "no_user_turn", ""),
        ({**REWRITING, "lang": "fr"}, "unsupported_language", "fr"),
        (
            {"messages": [{"role": "user", "text": "x"}]},
            "missing_key",
            "nothing in 'content' or 'value'; it has: role, text",
        ),
        ({"messages": [{"role": "bot", "name": "f", "result": "x"}]}, "missing_key", "mapping.content"),
        (
            {"messages": [{"role": "user", "content": [1]}]},
            "wrong_type",
            "a part of 'content' must be text or an object",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": 1}]}]},
            "wrong_type",
            "is neither text nor",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "poem", "lines": ["x"]}]}]},
            "wrong_type",
            "it has: type, lines",
        ),
        ({"messages": [{"role": "user", "content": "", "text": "x"}]}, "missing_key", "it has: role, content, text"),
        ({"messages": [{"role": "user", "content": None, "parts": [{"text": "x"}]}]}, "missing_key", "parts"),
        ({"messages": [{"role": "tool", "said": "20"}]}, "missing_key", "it has: role, said"),
        ({**REWRITING, "history": [["user", "a"], ["narrator", "b"]]}, "unknown_role", "narrator"),
        ({**REWRITING, "history": [[{"a": 1}, "b"]]}, "wrong_type", ""),
        ({"system": {"os": "linux"}, **DIALOGUE}, "wrong_type", "'system' must be text"),
        ({"messages": None}, "wrong_type", "'messages' must be a list"),
    ],
)
def test_a_bad_row_fails_with_its_true_reason(tmp_path: Path, row: Any, error: str, words: str) -> None:
    found = failure(tmp_path, row)
    assert found.error == error
    assert words in found.message


def test_turns_of_two_forms_in_one_table_keep_their_words(tmp_path: Path) -> None:
    table = [
        {"role": None, "content": None, "from": "human", "value": "甲"},
        {"role": None, "content": "", "from": "gpt", "value": "乙"},
        {"role": "user", "content": "丙", "from": None, "value": None},
        {"role": "user", "content": [], "from": None, "value": "丁"},
    ]
    found = one(write_lines(tmp_path / "a.jsonl", {"messages": table}))
    assert said(found) == [("user", "甲"), ("assistant", "乙"), ("user", "丙"), ("user", "丁")]


@pytest.mark.parametrize("suffix", ["jsonl", "parquet", "csv"])
def test_rows_of_both_forms_in_one_table_are_read(tmp_path: Path, suffix: str) -> None:
    both = [
        {"query": "门票多少？", "history": ["小汤山"], "messages": None, "conversation": None},
        {"query": None, "history": None, "messages": [{"role": "user", "content": "Hi"}], "conversation": None},
    ]
    path = tmp_path / f"a.{suffix}"
    if suffix == "jsonl":
        write_lines(path, *both)
    elif suffix == "parquet":
        pq.write_table(pa.Table.from_pylist(both), path)
    else:
        cells = [
            [cell if isinstance(cell, str) else cell and json.dumps(cell) for cell in row.values()] for row in both
        ]
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([list(both[0]), *cells])
    first, second = (row for row in read(path) if isinstance(row, Conversation))
    assert said(first) == [("user", "小汤山"), ("user", "门票多少？")]
    assert said(second) == [("user", "Hi")]


@pytest.mark.parametrize(
    "content",
    [
        ["Hi there"],
        [{"type": "text", "text": {"value": "Hi there", "annotations": []}}],
        [{"type": "text", "content": "Hi there"}],
        [{"type": "Text", "value": "Hi there"}],
        [{"type": "refusal", "refusal": "Hi there"}],
        [{"type": "input_text", "text": "Hi there"}, {"type": "input_image", "image_url": "x"}, None],
        [{"type": "text", "text": "Hi there"}, {"type": "image_url", "text": None}],
    ],
)
def test_no_form_of_content_loses_its_words(tmp_path: Path, content: Any) -> None:
    turns = [{"role": "user", "content": content}, {"role": "user", "content": "b"}]
    assert said(one(write_lines(tmp_path / "a.jsonl", {"messages": turns}))) == [("user", "Hi there"), ("user", "b")]
    prompted = {"system": content, "messages": turns[1:]}
    assert said(one(write_lines(tmp_path / "b.jsonl", prompted))) == [("system", "Hi there"), ("user", "b")]


def test_what_people_type_names_no_speaker(tmp_path: Path) -> None:
    history = [["human", "Human beings are …"], ["who made them?", "Nobody knows."]]
    assert len(one(write_lines(tmp_path / "a.jsonl", {**REWRITING, "history": history})).turns) == 5
    history = [["User", "Hi"], ["Assistant", "Hello"]]
    found = one(write_lines(tmp_path / "b.jsonl", {**REWRITING, "history": history}))
    assert said(found)[:2] == [("user", "Hi"), ("assistant", "Hello")]


@pytest.mark.parametrize("mapping", [{}, {"role": "who", "content": "what"}])
def test_pairs_of_speaker_and_text_are_no_pairs_of_user_and_assistant(tmp_path: Path, mapping: dict[str, str]) -> None:
    history = [["user", "你好"], ["客服", "您好"]]
    found = one(write_lines(tmp_path / "a.jsonl", {**REWRITING, "history": history}), mapping=mapping)
    assert said(found)[:2] == [("user", "你好"), ("assistant", "您好")]


@pytest.mark.parametrize("typed", ["客服", "Model", "bot", "人工"])
def test_a_user_may_type_what_others_call_a_speaker(tmp_path: Path, typed: str) -> None:
    found = one(write_lines(tmp_path / "a.jsonl", {**REWRITING, "history": [[typed, "您好"]]}))
    assert said(found)[:2] == [("user", typed), ("assistant", "您好")]


@pytest.mark.parametrize(
    "turn",
    [
        {"content": "", "name": "x", "timestamp": "2024"},
        {"status": "typing"},
        {"finish_reason": "stop", "model": "m"},
        {"content": None, "reasoning_content": "Hm"},
        {"content": "", "text": "  ", "response": False, "value": 0.3},
        {"function_name": "w", "tool_calls": "[]", "author": "bob"},
        {
            "content": [
                {"type": "image_url", "image_url": {"url": "x"}},
                {"image": "x"},
                {"type": "image", "value": "AAAA"},
            ]
        },
        {
            "content": [
                {"type": "thinking", "thinking": "Hm"},
                {"type": "text", "text": None},
                {"text": None, "type": None},
            ]
        },
    ],
)
def test_a_turn_in_which_nothing_is_said_is_left_out(tmp_path: Path, turn: dict[str, Any]) -> None:
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", **turn}, {"role": "user", "content": "b"}]
    found = one(write_lines(tmp_path / "a.jsonl", {"messages": turns, "system": False}))
    assert said(found) == [("user", "Hi"), ("user", "b")]


@pytest.mark.parametrize(
    ("mapping", "turn"),
    [
        ({"content": "msg.text"}, {"role": "assistant", "msg": {"text": ""}, "by": "bob"}),
        ({"role": "who", "content": "what"}, {"who": "assistant"}),
    ],
)
def test_a_mapped_turn_may_say_nothing(tmp_path: Path, mapping: dict[str, str], turn: dict[str, Any]) -> None:
    first = {"role": "user", "who": "user", "msg": {"text": "Hi"}, "what": "Hi"}
    assert said(one(write_lines(tmp_path / "a.jsonl", {"messages": [first, turn]}), mapping=mapping)) == [
        ("user", "Hi")
    ]


@pytest.mark.parametrize(
    ("fields", "group"),
    [
        ({"dialogue_id": 12.0}, "s:12"),
        ({"dialogue_id": 12}, "s:12"),
        ({"dialogue_id": 1.5}, "s:1.5"),
        ({"dialogue_id": "", "conversation_id": "c9"}, "s:c9"),
        ({"dialogue_id": None, "meta": {"dialogue": "x"}}, "s:x"),
        ({"dialogue_id": math.nan, "conversation_id": 7}, "s:7"),
    ],
)
def test_keys_of_dialogues_are_found_in_tables_with_gaps(tmp_path: Path, fields: Any, group: str) -> None:
    assert one(write_lines(tmp_path / "a.jsonl", {**REWRITING, **fields})).dialogue == group
