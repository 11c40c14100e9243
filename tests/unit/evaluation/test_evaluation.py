"""Test sets, predictions, systems, comparison: nothing is skipped, and words say no more than the numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from pairwright.core.config.build_file import ContextConfig, PromptConfig
from pairwright.core.config.sections import ExamplesConfig
from pairwright.core.errors import ConfigError, SourceError, StorageError
from pairwright.core.files.storage import write_rows as write_build_rows
from pairwright.core.prompts.rewriting import student_prompt
from pairwright.core.prompts.student import Student
from pairwright.core.records import Example, Turn
from pairwright.evaluation.evaluation import MetricNote
from pairwright.evaluation.gold_rows import GoldRow, GoldSet, gold_set, read_gold
from pairwright.evaluation.predictions import Prediction, System, read_predictions, write_predictions
from pairwright.evaluation.reports.leaderboard import record, require_leaderboard
from pairwright.evaluation.rewrite_evaluation import evaluate
from pairwright.evaluation.scores import Difference
from pairwright.evaluation.slices import depends_on_assistant, slices
from pairwright.evaluation.system_comparison import compare, verdict
from pairwright.evaluation.systems.baselines import baseline, last_entity
from pairwright.evaluation.systems.student_requests import (
    RequestOptions,
    like_build,
    prediction_from,
    request_for,
    with_examples,
)
from pairwright.evaluation.systems.system_spec import parse_system
from pairwright.testing import factories


def raw(number: int, **changes: Any) -> dict[str, Any]:
    """A rewriting row."""
    return {
        "id": f"r{number}",
        "lang": "en",
        "history": [{"role": "user", "content": "Who founded Apple?"}, {"role": "assistant", "content": "Steve Jobs."}],
        "query": "When was he born?",
        "rewrite": "When was Steve Jobs born?",
        "meta": {"dialogue": f"d{number}"},
    } | changes


def write_rows(path: Path, *rows: Mapping[str, Any]) -> Path:
    """Write JSON lines."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def gold(tmp_path: Path) -> GoldSet:
    """Three rows."""
    return read_gold(write_rows(tmp_path / "gold.jsonl", *(raw(number) for number in range(3))))


def test_rewriting_rows_are_read_with_their_annotations(tmp_path: Path) -> None:
    meta = {"key_entities": ["天坛"], "needs_rewrite": True, "depends_on_assistant": False, "phenomenon": "pronoun"}
    row = raw(1, lang="zh", query="它在哪？", rewrite="天坛在哪？", meta=meta)
    found = read_gold(write_rows(tmp_path / "gold.jsonl", row)).rows[0]
    assert (found.key_entities, found.dependent, found.depends_on_assistant) == (("天坛",), True, False)
    assert (found.defect, found.dialogue) == ("pronoun", "Who founded Apple?")


def test_every_unusable_row_is_named_and_none_is_skipped(tmp_path: Path) -> None:
    path = write_rows(
        tmp_path / "gold.jsonl",
        raw(1),
        raw(1),
        raw(2, rewrite=" "),
        raw(3, rewrite="天坛在哪？"),
        raw(4, lang="fr"),
        {"id": "r5"},
    )
    path.write_text(path.read_text() + "{broken\n", encoding="utf-8")
    with pytest.raises(SourceError) as error:
        read_gold(path)
    assert error.value.message.split("\n") == [
        f"{path}:5: language: Input should be 'zh' or 'en'",
        f"{path}:6: key 'history' is missing",
        f"{path}:7: not JSON: Expecting property name enclosed in double quotes at column 2",
        f"{path}: row 'r1': this id stands more than once",
        f"{path}: row 'r2': empty reference (rewrite)",
        f"{path}: row 'r3': lang is 'en' but the reference is written in 'zh': '天坛在哪？'",
    ]


def test_a_missing_or_empty_test_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.jsonl: No such file"):
        read_gold(tmp_path / "none.jsonl")
    with pytest.raises(SourceError, match="no test rows"):
        read_gold(write_rows(tmp_path / "empty.jsonl"))
    with pytest.raises(SourceError, match="neither a test file nor a finished build"):
        read_gold(tmp_path)


def test_predictions_come_in_the_order_of_the_rows_whatever_the_file_says(gold: GoldSet, tmp_path: Path) -> None:
    answers = [Prediction(id=f"r{number}", rewrite=str(number), analysis="天") for number in (2, 0, 1)]
    write_predictions(tmp_path / "p.jsonl", answers)
    found = read_predictions(tmp_path / "p.jsonl", gold)
    assert [one.rewrite for one in found] == ["0", "1", "2"]
    assert found[0].analysis == "天"


def test_missing_unknown_and_repeated_predictions_are_all_named_at_once(gold: GoldSet, tmp_path: Path) -> None:
    path = write_rows(
        tmp_path / "p.jsonl",
        {"id": "r1", "rewrite": "a"},
        {"id": "r1", "rewrite": "b"},
        {"id": "other", "rewrite": "c"},
        {"id": "r2"},
    )
    with pytest.raises(SourceError) as error:
        read_predictions(path, gold)
    assert error.value.message.split("\n") == [
        f"{path}:4: rewrite: Field required",
        f"{path}: 2 of 3 test rows of gold have no prediction: 'r0', 'r2'",
        f"{path}: 1 predictions have an id that no test row of gold has: 'other'",
        f"{path}: 1 ids stand more than once: 'r1' (lines 1, 2)",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("copy", ("copy", "baseline", "copy")),
        ("human=reference", ("human", "baseline", "reference")),
        ("runs/sft.jsonl", ("sft", "file", "runs/sft.jsonl")),
        ("sft=runs/{test}.jsonl", ("sft", "file", "runs/{test}.jsonl")),
        ("gguf", ("smollm2-135m", "gguf", "")),
        ("gguf:a/b.gguf", ("b", "gguf", "a/b.gguf")),
        ("http://localhost:8000/v1#qwen", ("qwen", "endpoint", "http://localhost:8000/v1#qwen")),
        ("t=https://h/v1#org/m=1", ("t", "endpoint", "https://h/v1#org/m=1")),
        ("hf:base+sft+dpo", ("dpo", "hf", "base+sft+dpo")),
    ],
)
def test_systems_are_read_as_written(text: str, expected: tuple[str, str, str]) -> None:
    assert tuple(parse_system(text)) == expected


def test_what_is_no_system_is_an_error_that_says_the_forms() -> None:
    with pytest.raises(ConfigError, match="--system nonsense: not a system"):
        parse_system("nonsense")


def row(query: str, *history: str, language: str = "en", **fields: Any) -> GoldRow:
    """A gold row without a file."""
    turns = tuple(Turn(role="assistant" if n % 2 else "user", content=text) for n, text in enumerate(history))
    defaults = {"id": "1", "dialogue": "d", "reference": query}
    return GoldRow.model_validate(defaults | {"language": language, "history": turns, "query": query} | fields)


@pytest.mark.parametrize(
    ("query", "history", "language", "expected"),
    [
        ("When was he born?", ("Who founded Apple?", "Steve Jobs."), "en", "When was Steve Jobs born?"),
        ("What was his job?", ("Who founded Apple?", "Steve Jobs."), "en", "What was Steve Jobs's job?"),
        ("When was he born?", (), "en", "When was he born?"),
        ("When was Apple founded?", ("Who is Steve Jobs?",), "en", "When was Apple founded?"),
        ("它的门票多少钱？", ("推荐一个景点", "推荐您去天坛公园。"), "zh", "天坛公园的门票多少钱？"),
        ("这家餐馆在哪？", ("想吃驴肉", "推荐讲礼驴肉馆。"), "zh", "讲礼驴肉馆在哪？"),
    ],
)
def test_the_last_entity_heuristic(query: str, history: tuple[str, ...], language: str, expected: str) -> None:
    assert last_entity(row(query, *history, language=language)) == expected


def test_slices_say_where_the_missing_part_was_said() -> None:
    said = ("Who founded Apple?", "Steve Jobs.")
    by_assistant = row("When was he born?", *said, reference="When was Steve Jobs born?")
    by_user = row("Where is it?", "I like the Louvre.", "Me too.", reference="Where is the Louvre?")
    assert depends_on_assistant(by_assistant) is True
    assert depends_on_assistant(by_user) is False
    assert depends_on_assistant(row("Where is Rome?")) is None
    parts = {(one.kind, one.value): len(one.rows) for one in slices([by_assistant] * 5 + [by_user] * 6)}
    assert parts[("source", "assistant turns needed")] == 5
    assert parts[("source", "user turns enough")] == 6


EXAMPLE = Example(
    id="e", language="en", history=(), query="q?", analysis="it is clear", needs_rewrite=False, rewrite="q?"
)


def test_models_are_asked_with_the_windowed_history_and_the_rows_own_examples(gold: GoldSet) -> None:
    long = row("And then?", *(f"turn {number}" for number in range(12)), examples=(EXAMPLE,))
    text = request_for(long, RequestOptions()).messages[1].content
    assert "turn 6" in text
    assert "turn 5" not in text
    assert "q?" in text
    shown = with_examples(gold, RequestOptions())
    assert all(len(one.examples) == 3 for one in shown.rows)
    assert with_examples(gold, RequestOptions(student=Student(prompt=PromptConfig(examples=False)))) is gold


def test_an_answer_that_cannot_be_read_is_scored_as_an_empty_rewrite_with_its_reason() -> None:
    options = RequestOptions(student=Student(prompt=PromptConfig(analysis=True)))
    good = prediction_from(row("q?"), '{"analysis": "a", "rewrite": "b"}', options)
    assert (good.rewrite, good.analysis, good.error) == ("b", "a", None)
    bad = prediction_from(row("q?"), "When was he born?", options)
    assert bad.rewrite == ""
    assert bad.error
    cut = prediction_from(row("q?"), "When was", RequestOptions(), cut_off=True)
    assert (cut.rewrite, cut.error) == ("When was", "cut off after 400 tokens")


def systems(gold: GoldSet, *names: str) -> list[System]:
    """Baselines by name."""
    return [baseline(name, gold) for name in names]


def test_evaluation_lists_every_metric_measured_or_says_why_not(gold: GoldSet) -> None:
    result = evaluate([(gold, systems(gold, "copy", "reference"))], against="copy")
    measured = {note.name for note in result.metrics}
    assert {"bleu", "restoration_f1", "entity_retention"} <= measured
    assert set(result.not_measured) == {"over_edit", "example_leak", "analysis_leak", "analysis_contradiction"}
    best = result.results[0].figure("reference", "exact_match")
    assert best is not None
    assert (best.value, best.high, best.rows) == (1.0, 1.0, 3)
    assert best.low == pytest.approx(0.025 ** (1 / 3), abs=1e-6)  # three dialogues prove little


def test_evaluation_is_the_same_for_the_same_seed(gold: GoldSet) -> None:
    sets = [(gold, systems(gold, "copy", "last_entity"))]
    assert evaluate(sets, against="copy") == evaluate(sets, against="copy")


def test_two_systems_of_one_name_and_an_unknown_reference_are_errors(gold: GoldSet) -> None:
    with pytest.raises(ConfigError, match="'copy' is used twice"):
        evaluate([(gold, systems(gold, "copy", "copy"))], against="copy")
    with pytest.raises(ConfigError, match="no system is called 'base'; there are: copy"):
        evaluate([(gold, systems(gold, "copy"))], against="base")


def many(count: int) -> GoldSet:
    """A set with ``count`` rows of ``count`` dialogues."""
    said = ("Who founded Apple?", "Steve Jobs.")
    rows = [
        row("When was he born?", *said, id=str(n), dialogue=str(n), reference="When was Steve Jobs born?")
        for n in range(count)
    ]
    return gold_set("many", rows, [], source="many", sha256="0" * 64)


def test_comparison_shows_rows_gained_and_lost_and_says_who_is_better() -> None:
    gold = many(20)
    result = compare(gold, *systems(gold, "copy", "reference"))
    assert result.verdict.startswith("reference is better than copy on 20 rows of many (reference minus copy):")
    assert "restoration_f1 +100.0 points (+66.3 to +100.0)" in result.verdict
    assert len(result.gains) == 5
    assert result.losses == ()


def test_comparison_of_equal_systems_claims_nothing() -> None:
    gold = many(10)
    same = systems(gold, "copy")[0].model_copy(update={"name": "twin"})
    assert compare(gold, systems(gold, "copy")[0], same).verdict.startswith("No difference shown on 10 rows of many")


def gap(metric: str, value: float, adjusted: float) -> Difference:
    """A difference on all rows."""
    return Difference(
        first="A",
        second="B",
        metric=metric,
        slice=("all", "all rows"),
        value=value,
        low=value - 0.1,
        high=value + 0.1,
        p=adjusted,
        adjusted=adjusted,
        rows=100,
    )


NOTES = (
    MetricNote(name="restoration_f1", what="", better="higher", percent=True),
    MetricNote(name="invented_entity", what="", better="lower", percent=True),
)


@pytest.mark.parametrize(
    ("restoration", "invented", "expected"),
    [
        ((0.2, 0.01), (0.0, 1.0), "B is better than A"),
        ((-0.2, 0.01), (0.0, 1.0), "A is better than B"),
        ((0.2, 0.01), (0.2, 0.01), "Neither is better"),
        ((0.0, 1.0), (-0.2, 0.01), "B makes fewer faults than A"),
        ((0.2, 0.06), (-0.2, 0.06), "No difference shown"),
    ],
)
def test_the_verdict_follows_from_significant_headline_figures_only(
    restoration: tuple[float, float], invented: tuple[float, float], expected: str
) -> None:
    overall = [gap("restoration_f1", *restoration), gap("invented_entity", *invented), gap("bleu", 0.5, 0.0)]
    assert verdict("A", "B", many(1), overall, NOTES).startswith(expected)


def test_the_verdict_names_the_resolution_when_nothing_differs() -> None:
    text = verdict("A", "B", many(1), [gap("restoration_f1", 0.02, 1.0)], NOTES)
    assert "restoration_f1 ±10.0" in text


def test_the_leaderboard_keeps_old_lines_and_replaces_repeated_ones(gold: GoldSet, tmp_path: Path) -> None:
    first = evaluate([(gold, systems(gold, "copy"))], against="copy")
    second = evaluate([(gold, systems(gold, "copy", "reference"))], against="copy")
    record(first, tmp_path)
    path = record(second, tmp_path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["system"] for line in lines] == ["copy", "reference"]
    assert lines[1]["figures"]["exact_match"][0] == 1.0
    assert "| reference |" in (tmp_path / "leaderboard.md").read_text()


def test_a_file_in_the_place_of_the_leaderboard_is_told_what_to_do_with(tmp_path: Path) -> None:
    (tmp_path / "leaderboard.jsonl").write_text("mine\n")
    with pytest.raises(StorageError, match="no leaderboard") as caught:
        require_leaderboard(tmp_path)
    assert "build again" not in str(caught.value)


def test_the_student_of_a_build_is_asked_with_the_very_prompt_it_was_trained_on(tmp_path: Path) -> None:
    config = PromptConfig(analysis=True, examples=True)
    rows = [
        factories.sft_row(of=factories.task(language=language, examples=(factories.example(language),)), split="test")
        for language in ("en", "zh")
    ]
    (tmp_path / "rows").mkdir()
    write_build_rows(tmp_path / "rows" / "sft.jsonl", [*rows, factories.sft_row()])
    sections = {"prompt": config, "context": ContextConfig(turns=1), "examples": ExamplesConfig(per_prompt=2)}
    (tmp_path / "build.yaml").write_text(
        yaml.safe_dump({name: one.model_dump(mode="json") for name, one in sections.items()})
    )
    gold = read_gold(tmp_path)
    options = like_build(tmp_path, RequestOptions())
    assert [one.id for one in gold.rows] == [one.id for one in rows]
    assert (options.student.examples.per_prompt, options.student.context.turns) == (2, 1)
    for found, trained in zip(with_examples(gold, options).rows, rows, strict=True):
        assert tuple(one.content for one in request_for(found, options).messages) == student_prompt(
            trained.task, config
        )
    with pytest.raises(SourceError, match=r"no finished build \(no build.yaml\)"):
        like_build(tmp_path / "rows", RequestOptions())


def test_a_student_that_answers_is_not_measured_as_one_that_rewrites(tmp_path: Path) -> None:
    sections = {"prompt": PromptConfig(), "context": ContextConfig(), "examples": ExamplesConfig()}
    content = {"task": "answer", **{name: one.model_dump(mode="json") for name, one in sections.items()}}
    (tmp_path / "build.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(SourceError, match="its student learns to answer") as caught:
        like_build(tmp_path, RequestOptions())
    assert "evaluate-dialogues" in caught.value.hint
