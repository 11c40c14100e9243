"""Chats in every form: nothing is lost on the way there and back, and what a form cannot hold is said."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import answers
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pairwright.core.components import Component
from pairwright.core.config.build_file import PromptConfig
from pairwright.core.errors import ExportError
from pairwright.core.prompts.answering import Chat
from pairwright.core.records import PreferencePair, SftRow, Task, ToolCall, Turn
from pairwright.core.result import BuildResult
from pairwright.core.tool_calls import calls_text
from pairwright.exports.forms.arrow_columns import Columns
from pairwright.exports.forms.llamafactory import LlamaFactoryExporter
from pairwright.exports.forms.openai import OpenAIExporter
from pairwright.exports.forms.parquet import ParquetExporter
from pairwright.exports.forms.trl import TrlExporter
from pairwright.exports.rows.chat_readers import read_chat_rows
from pairwright.exports.rows.chat_rows import ChatRow, ChatRows
from pairwright.exports.rows.rendering import Budget, Tally, rendered, rows_of
from pairwright.exports.verification.chat_comparison import arrived
from pairwright.exports.verification.trainer_loads import require_current_prompt
from pairwright.testing import factories

EXPORTERS: dict[str, Component] = {
    "llamafactory": LlamaFactoryExporter(kto=True, form="sharegpt"),
    "trl": TrlExporter(kto=True),
    "openai": OpenAIExporter(),
    "parquet": ParquetExporter(),
}


def build(folder: Path, sft: list[SftRow], pairs: list[PreferencePair], tools: str = "native") -> BuildResult:
    return factories.build_result(folder, sft, pairs, task="answer", prompt={"tools": tools})


def exported(folder: Path, exporter: Component, tools: str = "native") -> Path:
    exporter.export(build(folder, *answers.rows(), tools), folder)  # type: ignore[attr-defined]
    return folder / exporter.name


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def same(row: ChatRow) -> ChatRow:
    """As files hold it: without its tokens; the key order of tools and arguments does not count."""
    return row._replace(tokens=0)


@pytest.mark.parametrize("tools", ["native", "text"])
@pytest.mark.parametrize("name", EXPORTERS)
def test_every_form_reads_back_as_the_chats_that_were_written(tmp_path: Path, name: str, tools: str) -> None:
    exporter = EXPORTERS[name]
    folder = exported(tmp_path, exporter, tools)
    whole = build(tmp_path / "again", *answers.rows(), tools)
    summary = json.loads((folder / "export.json").read_text())
    assert summary["task"] == "answer"
    for kind, content in summary["files"].items():
        expected = [same(row) for row in rows_of(ChatRows(), whole, kind, Budget(99999), Tally())]
        left_out = sum(content["left_out"].values())
        (path,) = (folder / file for file in content["rows"])
        found = list(read_chat_rows(path))
        assert len(found) + left_out == len(expected)
        assert [row for row in expected if row in found] == found
        assert left_out == 0 or tools == "native"
    assert require_current_prompt(folder / "export.json") == PromptConfig.model_validate({"tools": tools})


def test_alpaca_reads_back_too_and_has_no_room_for_tools(tmp_path: Path) -> None:
    folder = exported(tmp_path, LlamaFactoryExporter(kto=True), "text")
    for kind in ("sft", "dpo", "kto"):
        found = list(read_chat_rows(folder / f"demo_{kind}_train.jsonl"))
        expected = rows_of(ChatRows(), build(tmp_path / "b", *answers.rows(), "text"), kind, Budget(99999), Tally())  # type: ignore[arg-type]
        assert found == [same(row) for row in expected]
    with pytest.raises(ExportError, match="the alpaca form has no room for tools") as caught:
        exported(tmp_path / "native", LlamaFactoryExporter())
    assert "form: sharegpt" in caught.value.hint


def test_sharegpt_rows_alternate_and_every_call_is_json(tmp_path: Path) -> None:
    folder = exported(tmp_path, EXPORTERS["llamafactory"])
    info = json.loads((folder / "dataset_info.json").read_text())["demo_dpo_train"]
    assert info["columns"] == {
        "messages": "conversations",
        "system": "system",
        "tools": "tools",
        "chosen": "chosen",
        "rejected": "rejected",
    }
    for record in [*records(folder / "demo_sft_train.jsonl"), *records(folder / "demo_dpo_train.jsonl")]:
        turns = record["conversations"]
        for at, turn in enumerate(turns):
            assert turn["from"] in (("human", "observation"), ("gpt", "function_call"))[at % 2]
        for turn in [*turns, *(record[side] for side in ("chosen", "rejected") if side in record)]:
            if turn["from"] == "function_call":
                assert all(call.keys() == {"name", "arguments"} for call in json.loads(turn["value"]))
        assert record["tools"] == "" or json.loads(record["tools"])
    broken = [record for record in records(folder / "demo_dpo_train.jsonl") if '"Both?"' in json.dumps(record)]
    assert {record["rejected"]["from"] for record in broken} == {"gpt", "function_call"}, "broken JSON is words"


def test_openai_rows_train_the_last_answer_alone_and_every_call_is_answered(tmp_path: Path) -> None:
    folder = exported(tmp_path, EXPORTERS["openai"])
    assert json.loads((folder / "export.json").read_text())["files"]["sft"]["left_out"] == {}
    for record in records(folder / "demo_sft_train.jsonl"):
        *before, last = record["messages"]
        assert last["role"] == "assistant"
        assert "weight" not in last
        assert {message["weight"] for message in before if message["role"] == "assistant"} <= {0}
        asked = [call["id"] for message in before for call in message.get("tool_calls", ())]
        told = [message["tool_call_id"] for message in before if message["role"] == "tool"]
        assert asked == told
        assert ("tools" in record) == ("parallel_tool_calls" in record)


def test_one_result_for_several_calls_still_answers_each_of_them() -> None:
    from pairwright.core.llm.wire import chat_messages

    said = chat_messages([answers.calling(answers.BERLIN, answers.PARIS), answers.result("both rain")])
    assert [(one["content"], one.get("tool_call_id")) for one in said[1:]] == [
        ("both rain", "call_0_0"),
        ("", "call_0_1"),
    ]


def test_names_that_openai_refuses_are_left_out(tmp_path: Path) -> None:
    row = factories.sft_row(answers.task("x"), '[{"name": "Navigation.find", "arguments": {}}]')
    with pytest.raises(ExportError, match="no row can be exported: tool_name 1") as caught:
        OpenAIExporter().export(build(tmp_path, [row], []), tmp_path)
    assert "prompt.tools: text" in caught.value.hint


def test_trl_pairs_with_tools_are_left_out_with_their_reason(tmp_path: Path) -> None:
    folder = exported(tmp_path, EXPORTERS["trl"])
    files = json.loads((folder / "export.json").read_text())["files"]
    assert files["dpo"]["left_out"] == {"tools_in_preference": 6}
    assert files["sft"]["left_out"] == {"null_argument": 1}
    assert all("tools" not in record for record in records(folder / "demo_dpo_train.jsonl"))
    only = [pair for pair in answers.rows()[1] if pair.task.tools]
    with pytest.raises(ExportError, match="tools_in_preference 6") as caught:
        TrlExporter().export(build(tmp_path / "only", [], only), tmp_path / "only")
    assert "prompt.tools: text" in caught.value.hint


def test_arguments_that_no_table_can_hold_are_an_error_that_names_them(tmp_path: Path) -> None:
    rows = [
        factories.sft_row(answers.task(f"q{value}"), calls_text([answers.call("f", x=value)]))
        for value in (1, 2.5, "a")
    ]
    with pytest.raises(ExportError, match=r"arguments\.x is (integer|number) in one row and text in another"):
        TrlExporter().export(build(tmp_path, rows, []), tmp_path)


def test_columns_that_come_after_the_first_block_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pairwright.exports.forms.arrow_columns._BLOCK", 100)
    columns = Columns()
    columns.add({"tools": ["x" * 200]})
    columns.add({"tools": []})
    with pytest.raises(ExportError, match="late first occurs after 10 MiB"):
        columns.add({"late": 1})


def test_a_long_chat_loses_whole_exchanges_and_never_query_steps_system_or_tools() -> None:
    turns = [
        turn
        for at in range(6)
        for turn in (
            Turn(role="user", content=f"question {at} " + "word " * 20),
            answers.calling(answers.BERLIN),
            answers.result("result " * 20),
            Turn(role="assistant", content="answer " * 20),
        )
    ]
    steps = (answers.calling(answers.PARIS), answers.result("sun"))
    task = answers.task("the query", history_turns=turns, steps=steps, tools=answers.TOOLS, system="told")
    row = factories.sft_row(task, "It is sunny.")
    seen = set()
    for limit in range(300, 1600, 40):
        tally = Tally()
        for _, chat in rendered(ChatRows(), [row], PromptConfig(), Budget(limit), tally):
            said = chat.chat.turns
            assert chat.tokens <= limit
            assert said[-3:] == (Turn(role="user", content="the query"), *steps)
            assert said[0].role == "user"
            assert (chat.chat.system, chat.chat.tools) == ("told", answers.TOOLS)
            for before, after in pairwise(said):
                assert (after.role == "tool") == bool(before.calls)
            seen.add(len(said))
        assert tally.left_out in ({}, {"too_long": 1})
    assert seen == {3, 7, 11, 15, 19, 23, 27}


@pytest.mark.parametrize(
    ("chosen", "rejected", "reason"),
    [
        (" ", "b", "empty_answer"),
        ("a", "a ", "identical"),
        ("a<|im_end|>", "b", "control_token"),
        ("a", "<tool_call>x", "control_token"),
        ('[{"name": "f", "arguments": {"x": "\\u003c|im_end|>"}}]', "b", "control_token"),
        ('[{"name": "f", "arguments": {}}]', '[{"name":"f","arguments":{}}]', "identical"),
    ],
)
def test_answers_that_no_trainer_could_use_are_left_out(chosen: str, rejected: str, reason: str) -> None:
    tally = Tally()
    pair = factories.pair(answers.task("q"), chosen, factories.rejected(rejected))
    assert list(rendered(ChatRows(), [pair], PromptConfig(), Budget(2048), tally)) == []
    assert tally.left_out == {reason: 1}


TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\t\"'\\中文😀<|[{"), min_size=1, max_size=20
)
WORDS = TEXT.filter(lambda text: bool(text.strip()))
CALLS = st.lists(
    st.builds(
        lambda name, arguments: ToolCall(name=name, arguments=json.dumps(arguments, ensure_ascii=False)),
        st.sampled_from(["find", "get_it"]),
        st.dictionaries(st.sampled_from("abc"), TEXT, max_size=2),
    ),
    min_size=1,
    max_size=2,
).map(tuple)


@st.composite
def rounds(draw: st.DrawFn) -> list[Turn]:
    """Calls with their results, none to two times."""
    turns = []
    for calls in draw(st.lists(CALLS, max_size=2)):
        turns += [answers.calling(*calls), *(answers.result(draw(TEXT)) for _ in calls)]
    return turns


@st.composite
def tasks(draw: st.DrawFn) -> Task:
    history = []
    for _ in range(draw(st.integers(0, 2))):
        history += [
            Turn(role="user", content=draw(WORDS)),
            *draw(rounds()),
            Turn(role="assistant", content=draw(WORDS)),
        ]
    fields = {"system": draw(TEXT), "tools": draw(st.sampled_from(["", answers.TOOLS]))}
    return answers.task(draw(WORDS), history_turns=tuple(history), steps=tuple(draw(rounds())), **fields)


@pytest.mark.parametrize("name", EXPORTERS)
@given(task=tasks(), good=WORDS | CALLS.map(calls_text), bad=WORDS | CALLS.map(calls_text))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_chat_survives_the_way_to_a_file_and_back(
    tmp_path_factory: pytest.TempPathFactory, name: str, task: Task, good: str, bad: str
) -> None:
    folder = tmp_path_factory.mktemp("round")
    pair = factories.pair(task, good, factories.rejected(bad))
    plain = factories.pair(answers.task("q"), "a", factories.rejected("b"))  # a set of rows left out is an error
    sft = [factories.sft_row(task, good), factories.sft_row(plain.task, "a")]
    whole = build(folder, sft, [pair, plain])
    EXPORTERS[name].export(whole, folder)  # type: ignore[attr-defined]
    for kind, content in json.loads((folder / name / "export.json").read_text())["files"].items():
        fits = list(rows_of(ChatRows(), whole, kind, Budget(99999), Tally()))
        found = [row for file in content["rows"] for row in read_chat_rows(folder / name / file)]
        assert found == [same(row) for row in fits if same(row) in found]
        assert len(found) == len(fits) or content["left_out"]


def test_the_prompt_of_a_chat_is_complete_whatever_the_order_of_a_calls_arguments() -> None:
    turns = (Turn(role="user", content="Rain?"), answers.calling(answers.call("f", a="x", b=["y", {"c": 1}])))
    row = ChatRow("train", Chat("sys", "", turns), answers.result("r"), None, 0)
    assert list(arrived('sys Rain? f {"b": ["y", {"c": 1}], "a": "x"}', row)) == []
    cut = "the prompt was cut: the query, a turn or a call may be lost"
    assert list(arrived('sys Rain? f {"b": ["y", {"c": 1}]}', row)) == [cut]
    assert list(arrived('sys f {"a": "x", "b": ["y", {"c": 1}]} Rain?', row)) == [cut]
