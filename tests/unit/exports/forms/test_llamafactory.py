"""The LlamaFactory export: what is written, what is left out, and that it is the same every time."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st

from pairwright.core.config.build_file import PromptConfig
from pairwright.core.errors import ExportError
from pairwright.core.prompts.rewriting import prompt_hashes, student_prompt
from pairwright.core.records import PreferencePair
from pairwright.exports.forms.llamafactory import LlamaFactoryExporter
from pairwright.exports.verification.trainer_loads import require_current_prompt
from pairwright.testing import factories


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def export(folder: Path, exporter: LlamaFactoryExporter | None = None, **build: Any) -> dict[str, Path]:
    paths = (exporter or LlamaFactoryExporter()).export(factories.build_result(folder, **build), folder / "exports")
    return {path.name: path for path in paths}


def test_alpaca_rows_hold_the_student_prompt_and_the_answers(tmp_path: Path) -> None:
    pair = factories.pair(factories.task(language="zh"))
    files = export(tmp_path, sft=[factories.sft_row(pair.task)], pairs=[pair])
    prompt = student_prompt(pair.task, PromptConfig())
    head = {"instruction": prompt.user, "input": "", "system": prompt.system}
    assert read(files["demo_sft_train.jsonl"]) == [{**head, "output": pair.chosen.text}]
    assert read(files["demo_dpo_train.jsonl"]) == [{**head, "chosen": pair.chosen.text, "rejected": pair.rejected.text}]


def test_each_split_has_its_file_and_every_file_its_entry(tmp_path: Path) -> None:
    files = export(
        tmp_path,
        LlamaFactoryExporter(kto=True),
        sft=[factories.sft_row(), factories.sft_row(split="test")],
        pairs=[factories.pair(split="validation")],
    )
    data = {
        "demo_sft_train",
        "demo_sft_test",
        "demo_dpo_validation",
        "demo_kto_train",
        "demo_kto_test",
        "demo_kto_validation",
    }
    assert set(files) == {f"{name}.jsonl" for name in data} | {"dataset_info.json", "export.json"}
    info = json.loads(files["dataset_info.json"].read_text(encoding="ascii"))  # LlamaFactory reads it in any locale
    assert set(info) == data
    for name, entry in info.items():
        rows = read(files[entry["file_name"]])
        assert set(entry["columns"].values()) == set(rows[0]), name
        assert entry.get("ranking", False) is ("dpo" in name)


def test_sharegpt_names_every_tag(tmp_path: Path) -> None:
    pair = factories.pair()
    files = export(tmp_path, LlamaFactoryExporter(form="sharegpt"), sft=[factories.sft_row(pair.task)], pairs=[pair])
    info = json.loads(files["dataset_info.json"].read_text(encoding="utf-8"))
    assert info["demo_dpo_train"]["tags"].keys() == {
        "role_tag", "content_tag", "user_tag", "assistant_tag", "observation_tag", "function_tag", "system_tag"
    }  # fmt: skip
    row = read(files["demo_dpo_train.jsonl"])[0]
    assert [turn["from"] for turn in row["conversations"]] == ["human"]
    assert row["chosen"] == {"from": "gpt", "value": pair.chosen.text}
    assert row["rejected"] == {"from": "gpt", "value": pair.rejected.text}
    assert [turn["from"] for turn in read(files["demo_sft_train.jsonl"])[0]["conversations"]] == ["human", "gpt"]


def test_kto_labels_are_booleans_and_rows_of_one_query_are_apart(tmp_path: Path) -> None:
    one, two = factories.task("Is it big?"), factories.task("Is it old?")
    pairs = [factories.pair(one, worse="a"), factories.pair(one, worse="b"), factories.pair(two, worse="c")]
    exporter = LlamaFactoryExporter(sft=False, preference=False, kto=True)
    files = export(tmp_path, exporter, sft=[factories.sft_row(one, "x"), factories.sft_row(two, "y")], pairs=pairs)
    rows = read(files["demo_kto_train.jsonl"])
    labelled = [(row["output"], row["label"]) for row in rows]
    assert labelled == [("x", True), ("y", True), ("a", False), ("c", False), ("b", False)]
    assert all(before["instruction"] != after["instruction"] for before, after in pairwise(rows[1:]))


@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        (factories.pair(chosen=" \n"), "empty_answer"),
        (factories.pair(worse="\t"), "empty_answer"),
        (factories.pair(chosen="Who?", worse="Who? "), "identical"),
        (factories.pair(chosen="Who?<|im_end|>"), "control_token"),
        (factories.pair(worse="<image> who?"), "control_token"),
        (factories.pair(chosen="<think>hm</think> who?"), "control_token"),
        (factories.pair(factories.task("why " * 3000)), "too_long"),
    ],
)
def test_rows_that_loaders_would_spoil_are_left_out_and_counted(
    tmp_path: Path, pair: PreferencePair, reason: str
) -> None:
    files = export(tmp_path, pairs=[pair, factories.pair()])
    assert len(read(files["demo_dpo_train.jsonl"])) == 1
    summary = json.loads(files["export.json"].read_text(encoding="utf-8"))["files"]["dpo"]
    assert summary["left_out"] == {reason: 1}
    assert summary["rows"] == {"demo_dpo_train.jsonl": 1}


def test_rows_without_analysis_are_left_out_where_one_is_asked_for(tmp_path: Path) -> None:
    task = factories.task()
    reasoned = factories.candidate("Who?", task, analysis="She is Ada.")
    pairs = [
        factories.pair(task, reasoned, factories.rejected("x", analysis="y")),
        factories.pair(task, reasoned, factories.rejected("x")),
        factories.pair(task, factories.candidate("Who?", task), factories.rejected("x", analysis="y")),
    ]
    files = export(tmp_path, pairs=pairs, prompt={"analysis": True})
    assert read(files["demo_dpo_train.jsonl"])[0]["chosen"] == '{"analysis": "She is Ada.", "rewrite": "Who?"}'
    assert json.loads(files["export.json"].read_text(encoding="utf-8"))["files"]["dpo"]["left_out"] == {
        "no_analysis": 2
    }


def test_an_export_that_would_be_empty_is_an_error_that_says_why(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="no_analysis 1"):
        export(tmp_path, sft=[factories.sft_row()], prompt={"analysis": True})


def test_a_build_without_pairs_writes_no_preference_file(tmp_path: Path) -> None:
    assert sorted(export(tmp_path, sft=[factories.sft_row()])) == [
        "dataset_info.json",
        "demo_sft_train.jsonl",
        "export.json",
    ]


def test_a_long_row_loses_its_oldest_turns_and_never_its_query(tmp_path: Path) -> None:
    history = [("user", f"turn{number} " + "word " * 40) for number in range(20)]
    task = factories.task("And where is it?", history)
    files = export(tmp_path, LlamaFactoryExporter(max_tokens=512), sft=[factories.sft_row(task)])
    row = read(files["demo_sft_train.jsonl"])[0]
    assert "turn19" in row["instruction"]
    assert "turn0 " not in row["instruction"]
    assert row["instruction"].endswith("<current_query>And where is it?</current_query>")
    summary = json.loads(files["export.json"].read_text(encoding="utf-8"))["files"]["sft"]
    assert summary["shortened"] == 1
    assert list(summary["tokens"]) == ["512"]


@pytest.mark.slow
def test_tokens_are_counted_with_the_tokenizer_of_the_student(tmp_path: Path) -> None:
    tiny.save_tokenizer(tmp_path / "student", ["Who wrote The Glass Orchard?"])
    tokenizer = str(tmp_path / "student" / "tokenizer.json")
    exporter = LlamaFactoryExporter(tokenizer=tokenizer, max_tokens=3000)
    history = [("user", "zzzzzzzzzz " * 400), ("assistant", "I see.")]  # few words, many tokens
    rows = [factories.sft_row(factories.task("And?", history)), factories.sft_row()]
    counted = json.loads(export(tmp_path, exporter, sft=rows)["export.json"].read_text(encoding="utf-8"))
    assert (counted["counted_by"], counted["max_tokens"]) == ("student", 3000)
    assert counted["files"]["sft"]["shortened"] == 1
    files = export(tmp_path / "estimated", LlamaFactoryExporter(max_tokens=3000), sft=rows)
    assert json.loads(files["export.json"].read_text(encoding="utf-8"))["files"]["sft"]["shortened"] == 0


def test_a_tokenizer_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"nothing.json: no such file"):
        export(tmp_path, LlamaFactoryExporter(tokenizer="nothing.json"), sft=[factories.sft_row()])


def test_the_export_names_the_prompt_that_it_was_made_with(tmp_path: Path) -> None:
    files = export(tmp_path, sft=[factories.sft_row()], prompt={"style": "informative"})
    summary = json.loads(files["export.json"].read_text(encoding="utf-8"))
    config = PromptConfig(style="informative")
    assert summary["prompt"] == config.model_dump()
    assert summary["prompt_hashes"] == {
        f"student.{one}": prompt_hashes(config)[f"student.{one}"] for one in ("en", "zh")
    }


def test_an_export_with_another_prompt_than_todays_is_an_error(tmp_path: Path) -> None:
    files = export(tmp_path, sft=[factories.sft_row()], prompt={"style": "informative"})
    assert require_current_prompt(files["export.json"]) == PromptConfig(style="informative")
    older = (
        files["export.json"]
        .read_text(encoding="utf-8")
        .replace(prompt_hashes(PromptConfig(style="informative"))["student.zh"], "0" * 16)
    )
    files["export.json"].write_text(older, encoding="utf-8")
    with pytest.raises(ExportError, match="student.zh was 0000000000000000, is "):
        require_current_prompt(files["export.json"])


def test_two_exports_of_one_build_are_the_same_bytes(tmp_path: Path) -> None:
    build = factories.build_result(tmp_path, sft=[factories.sft_row()], pairs=[factories.pair()])
    exporter = LlamaFactoryExporter(kto=True)
    first, second = (exporter.export(build, tmp_path / name) for name in ("one", "two"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(str.strip)


@settings(max_examples=50, deadline=None)
@given(query=texts, chosen=texts, rejected=texts, form=st.sampled_from(["alpaca", "sharegpt"]))
def test_every_answer_comes_back_from_the_file_unchanged(
    tmp_path_factory: pytest.TempPathFactory, query: str, chosen: str, rejected: str, form: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    task = factories.task(query, history=[])
    marked = f"{rejected}#"  # never equal to chosen
    exporter = LlamaFactoryExporter.model_validate({"form": form, "file_format": "json"})
    files = export(folder, exporter, pairs=[factories.pair(task, chosen, marked)] * 2)
    text = files["demo_dpo_train.json"].read_text(encoding="utf-8")
    values = [row["chosen"] if form == "alpaca" else row["chosen"]["value"] for row in json.loads(text)]
    assert values == [chosen, chosen]
    assert "\\u4" not in text
