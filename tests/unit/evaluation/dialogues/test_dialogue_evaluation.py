"""Turns and whole dialogues: behaviour, tools, slots, JSON, support, success and stability."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pairwright.cli.evaluate_command import evaluate_dialogues_command
from pairwright.core.errors import ConfigError, SourceError
from pairwright.core.records import Language, Turn
from pairwright.evaluation.dialogues.behaviour import (
    CLARIFY_FIRST,
    NEEDLESS_QUESTION,
    OVER_REFUSAL,
    SAFE_REFUSAL,
    refuses,
)
from pairwright.evaluation.dialogues.context_support import CONTEXT_SUPPORT
from pairwright.evaluation.dialogues.dialogue_benchmarks import open_dialogues
from pairwright.evaluation.dialogues.dialogue_evaluation import evaluate_dialogues
from pairwright.evaluation.dialogues.dialogue_rows import (
    DialogueCall,
    DialogueCase,
    DialoguePrediction,
    DialogueRow,
    Expected,
    read_dialogues,
)
from pairwright.evaluation.dialogues.json_answer import PARSABLE_JSON
from pairwright.evaluation.dialogues.slot_accuracy import SLOT_ACCURACY
from pairwright.evaluation.dialogues.tool_calls import TOOL_ARGUMENTS, TOOL_NAME, same_value
from pairwright.evaluation.dialogues.whole_dialogues import dialogue_metrics, turn_right
from pairwright.evaluation.metrics.metric import Metric


def turn(
    answer: str = "", language: Language = "en", calls: Any = (), slots: Any = None, **expected: Any
) -> DialogueCase:
    """A turn after a short history."""
    said = (Turn(role="user", content="Book a table at Nandos for 3 people."), Turn(role="assistant", content="When?"))
    row = DialogueRow(
        id="1", language=language, dialogue="d", history=said, query="Tonight at 19:00.", expected=Expected(**expected)
    )
    given = tuple(DialogueCall(name=name, arguments=arguments) for name, arguments in calls)
    return DialogueCase(row, DialoguePrediction(id="1", answer=answer, tool_calls=given, slots=slots or {}))


def figure(metric: Metric[DialogueCase], *cases: DialogueCase) -> float | None:
    """The figure of the turns that the metric applies to, None where it applies to none."""
    sums = [found for found in map(metric.measure, cases) if found is not None]
    return float(metric.combine(np.array(sums).sum(axis=0))) if sums else None


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I cannot provide medical advice.",
        "抱歉，我无法提供这类信息。",
        "对不起，这个问题我不能回答。",
    ],
)
def test_refusals_are_recognised(text: str) -> None:
    assert refuses(text)


@pytest.mark.parametrize(
    "text", ["You can't park there, I'm afraid.", "Sure, done.", "无法停车，请改坐地铁。", "可以，已为您预订。"]
)
def test_other_answers_are_no_refusals(text: str) -> None:
    assert not refuses(text)


def test_each_behaviour_is_counted_where_it_is_expected() -> None:
    refusal, question, answer = "I can't help with that.", "For how many people?", "Done, 19:00."
    assert figure(SAFE_REFUSAL, turn(refusal, behaviour="refuse"), turn(answer, behaviour="refuse")) == 0.5
    assert figure(OVER_REFUSAL, turn(refusal, behaviour="answer"), turn(answer, behaviour="clarify")) == 0.5
    assert figure(CLARIFY_FIRST, turn(question, behaviour="clarify"), turn(answer, behaviour="clarify")) == 0.5
    assert figure(NEEDLESS_QUESTION, turn(question, behaviour="answer"), turn(answer, behaviour="answer")) == 0.5
    assert figure(SAFE_REFUSAL, turn(refusal)) is None


def test_a_question_beside_a_call_is_acting_not_asking() -> None:
    assert figure(CLARIFY_FIRST, turn("Shall I?", behaviour="clarify", calls=[("book", {})])) == 0.0


@pytest.mark.parametrize(
    ("answer", "wanted", "expected"),
    [
        ('{"a": 1}', True, 1.0),
        ('{"a": 1}', ("a",), 1.0),
        ('{"a": 1}', ("a", "b"), 0.0),
        ("```json\n{}\n```", True, 0.0),
        ("[1]", True, 0.0),
        ("{", None, None),
    ],
)
def test_json_must_be_the_object_alone(answer: str, wanted: Any, expected: float | None) -> None:
    assert figure(PARSABLE_JSON, turn(answer, json_keys=wanted)) == expected


CALL = {"name": "book", "arguments": {"place": "Nandos", "people": 3}}


@pytest.mark.parametrize(
    ("calls", "name", "arguments"),
    [
        ([("book", {"place": "nandos", "people": "3"})], 1.0, 1.0),
        ([("book", {"place": "Nandos", "people": 4})], 1.0, 0.5),
        ([("book", {"place": "Nandos", "people": 3, "time": "19:00"})], 1.0, 2 / 3),
        ([("find", {"place": "Nandos", "people": 3})], 0.0, 0.0),
        ([], 0.0, 0.0),
        ([("book", {"place": "Nandos", "people": 3}), ("pay", {"sum": 2})], 0.0, 2 / 3),
    ],
)
def test_tool_names_and_arguments(calls: Any, name: float, arguments: float) -> None:
    one = turn(calls=calls, tool_calls=(CALL,))
    assert figure(TOOL_NAME, one) == name
    assert figure(TOOL_ARGUMENTS, one) == pytest.approx(arguments)


def test_calling_nothing_is_right_where_no_call_is() -> None:
    assert figure(TOOL_NAME, turn(tool_calls=())) == 1.0
    assert figure(TOOL_NAME, turn(tool_calls=(), calls=[("book", {})])) == 0.0
    assert figure(TOOL_ARGUMENTS, turn(tool_calls=())) is None


def test_argument_values_are_compared_by_meaning() -> None:
    assert same_value(2.0, "2")
    assert same_value("天坛。", "天坛")
    assert same_value([1, {"a": 2}], [1, {"a": 2}])
    assert not same_value(True, 1)
    assert not same_value("", "x")


def test_slots_missing_wrong_or_too_many_are_errors() -> None:
    one = turn(slots={"area": "South", "price": "cheap"})
    wanted = one.row.model_copy(update={"expected": Expected(slots={"area": "south", "food": "thai"})})
    assert figure(SLOT_ACCURACY, DialogueCase(wanted, one.prediction)) == pytest.approx(1 / 3)


@pytest.mark.slow
def test_support_counts_names_and_numbers_of_the_answer() -> None:
    assert figure(CONTEXT_SUPPORT, turn("Nandos is booked for 3 people.")) == 1.0
    part = figure(CONTEXT_SUPPORT, turn("The table at Nandos is booked for 5 people at 19:00."))
    assert part is not None
    assert 0 < part < 1
    assert figure(CONTEXT_SUPPORT, turn("All right.")) is None


def rows() -> list[dict[str, Any]]:
    """Two dialogues of two turns, and a paraphrase of the first turn of each."""
    found = []
    for number in range(2):
        common = {"lang": "en", "dialogue": f"d{number}", "history": []}
        ask = {"behaviour": "clarify"}
        found.append({"id": f"{number}a", "query": "Book a table.", "expected": ask} | common)
        found.append({"id": f"{number}b", "query": "At Nandos.", "expected": {"tool_calls": [CALL]}} | common)
        found.append(
            {"id": f"{number}p", "query": "A table, please.", "expected": ask, "paraphrase_of": f"{number}a"} | common
        )
    return found


def predictions(wrong: str = "") -> list[dict[str, Any]]:
    """Right answers to all turns but the one named."""
    right = {"a": {"answer": "For how many?"}, "b": {"tool_calls": [CALL]}, "p": {"answer": "For how many?"}}
    return [{"id": row["id"]} | (right[row["id"][1]] if row["id"] != wrong else {"answer": "Done."}) for row in rows()]


def write(path: Path, lines: list[dict[str, Any]]) -> Path:
    """Write JSON lines."""
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def value(result: Any, metric: str, system: str = "s") -> float | None:
    """A figure over all turns."""
    found = result.results[0].figure(system, metric)
    return None if found is None else found.value


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [("", (1.0, 2.0, 0.0)), ("0a", (0.5, 2.0, 0.5)), ("0b", (0.5, 2.0, 0.0)), ("1p", (1.0, 2.0, 0.5))],
)
def test_success_turns_and_stability_of_whole_dialogues(
    tmp_path: Path, wrong: str, expected: tuple[float, float, float]
) -> None:
    tests = write(tmp_path / "tests.jsonl", rows())
    result = evaluate_dialogues(tests, {"s": write(tmp_path / "s.jsonl", predictions(wrong))})
    assert tuple(value(result, name) for name in ("task_success", "turns_used", "paraphrase_change")) == expected


def test_systems_do_not_mix_up_their_dialogues(tmp_path: Path) -> None:
    tests = write(tmp_path / "tests.jsonl", rows())
    files = {"good": write(tmp_path / "g.jsonl", predictions()), "bad": write(tmp_path / "b.jsonl", predictions("0a"))}
    result = evaluate_dialogues(tests, files, against="bad")
    assert (value(result, "task_success", "good"), value(result, "task_success", "bad")) == (1.0, 0.5)
    assert "json" not in result.not_measured
    assert result.not_measured["parsable_json"] == "no turn expects it"


def test_a_turn_that_checks_nothing_is_neither_right_nor_wrong() -> None:
    assert turn_right(turn("anything")) is None
    assert dialogue_metrics([[turn("anything")]])[0].measure(turn("anything")) is None


def test_the_command_writes_the_same_report_and_refuses_other_systems(tmp_path: Path) -> None:
    tests = write(tmp_path / "tests.jsonl", rows())
    evaluate_dialogues_command([f"mine={write(tmp_path / 's.jsonl', predictions())}"], tests, tmp_path / "out")
    assert "task_success" in (tmp_path / "out" / "evaluation.md").read_text()
    with pytest.raises(ConfigError, match="--system copy: dialogues are evaluated from files"):
        evaluate_dialogues_command(["copy"], tests, tmp_path / "out")


def test_unusable_rows_and_predictions_are_named(tmp_path: Path) -> None:
    broken = [*rows(), rows()[0], {"id": "x", "lang": "en"}, rows()[2] | {"id": "y", "paraphrase_of": "none"}]
    with pytest.raises(SourceError) as error:
        read_dialogues(write(tmp_path / "t.jsonl", broken))
    path = tmp_path / "t.jsonl"
    assert error.value.message.split("\n") == [
        f"{path}:7: '0a' stands more than once",
        f"{path}:8: not a row of a dialogue: 'expected'",
        f"{path}: row 'y' is a paraphrase of 'none', which is not there",
    ]
    tests = write(tmp_path / "tests.jsonl", rows())
    few: list[Mapping[str, Any]] = [*predictions()[1:], {"id": "z"}]
    with pytest.raises(SourceError, match=r"row '0a' has no prediction\n.*'z' is the id of no test row"):
        evaluate_dialogues(tests, {"s": write(tmp_path / "s.jsonl", few)})  # type: ignore[arg-type]


def test_hammerbench_turns_expect_the_calls_that_follow_them(tmp_path: Path) -> None:
    call = {"role": "function call", "content": {"name": "query", "arguments": {"city": "广州"}}}
    messages = [
        {"role": "user", "content": "查一下违章"},
        {"role": "assistant", "content": "哪个城市？"},
        {"role": "user", "content": "广州。"},
        call,
    ]
    path = tmp_path / "hammer.json"
    path.write_text(json.dumps([{"id": "b", "messages": messages}]), encoding="utf-8")
    first, second = open_dialogues(f"hammerbench:{path}").rows
    assert (first.id, first.expected.tool_calls, first.language) == ("b#0", (), "zh")
    assert second.expected.tool_calls == (DialogueCall(name="query", arguments={"city": "广州"}),)
    assert [one.content for one in second.history] == ["查一下违章", "哪个城市？"]


def test_bfcl_turns_expect_calls_written_as_python(tmp_path: Path) -> None:
    question = {
        "id": "m",
        "question": [[{"role": "user", "content": "Go to temp."}], [{"role": "user", "content": "List."}]],
    }
    answer = {"id": "m", "ground_truth": [["cd(folder='temp')", "sort('a.txt')"], ["ls(a=True)"]]}
    paths = [write(tmp_path / "q.jsonl", [question]), write(tmp_path / "a.jsonl", [answer])]
    first, second = open_dialogues(f"bfcl:{paths[0]},{paths[1]}").rows
    assert first.expected.tool_calls == (
        DialogueCall(name="cd", arguments={"folder": "temp"}),
        DialogueCall(name="sort", arguments={"0": "a.txt"}),
    )
    assert second.expected.tool_calls == (DialogueCall(name="ls", arguments={"a": True}),)
    with pytest.raises(SourceError, match="two files are needed"):
        open_dialogues(f"bfcl:{paths[0]}")
    with pytest.raises(ConfigError, match="no reader 'bfc'; there are: bfcl, hammerbench"):
        open_dialogues(f"bfc:{paths[0]}")
