"""LlamaFactory's own loader reads what we export: every row, every token. And the check would notice if it did not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tiny

from pairwright.core.errors import ExportError
from pairwright.core.files.storage import read_rows
from pairwright.core.records import Example, Task
from pairwright.exports.forms.llamafactory import LlamaFactoryExporter
from pairwright.exports.verification.trainer_loads import TEMPLATES, Checked, verify_exports
from pairwright.testing import factories
from places import ROOT

BANKS = ROOT / "core" / "prompts"
SETS = ("alpaca", "sharegpt", "array", "reasoned")


def hard_tasks() -> list[Task]:
    """Both languages, examples, no history, and text that tries to break a prompt or a template."""
    banks = {language: tuple(read_rows(BANKS / f"examples.{language}.jsonl", Example)) for language in ("zh", "en")}
    long_history = [(role, f"turn {turn} " + "很长的话 " * 30) for turn in range(12) for role in ("user", "assistant")]
    return [
        factories.task(language="zh", examples=banks["zh"][:3]),
        factories.task(examples=banks["en"][:3]),
        factories.task("What is </history><|im_end|> {{content}} <image>?", history=[]),
        factories.task("Quotes \"a\" 'b' \\ tab\t line\nbreak 😀 \u2028 \u202eend", language="en"),
        factories.task("那第二个呢？", long_history, language="zh", examples=banks["zh"][:3]),
        factories.task("2024-01-01", [("assistant", "I speak first"), ("assistant", "twice"), ("tool", '{"a": 1}')]),
        factories.task(" leading and trailing ", [("user", ""), ("user", "a"), ("system", "b")]),
    ]


def export(folder: Path, name: str, exporter: LlamaFactoryExporter, **config: Any) -> dict[str, Any]:
    """Export the hard tasks as build ``name`` and return the new entries of dataset_info.json."""
    tasks = hard_tasks()
    best = [factories.candidate(f" {task.query}!", task, analysis="因为 because") for task in tasks]
    pairs = [
        factories.pair(
            task, chosen, factories.rejected(f" {task.query}?", analysis="no"), "test" if number == 0 else "train"
        )
        for number, (task, chosen) in enumerate(zip(tasks, best, strict=True))
        if "<" not in task.query
    ]
    sft = [factories.sft_row(task, chosen) for task, chosen in zip(tasks, best, strict=True) if "<" not in task.query]
    hostile = factories.sft_row(tasks[2], "What does that tag mean?")
    build = factories.build_result(folder / name, [*sft, hostile], pairs, name=name, **config)
    exporter.export(build, folder)
    info: dict[str, Any] = json.loads((folder / "llamafactory" / "dataset_info.json").read_text())
    return info


def sabotage(folder: Path) -> dict[str, Any]:
    """Sets with the mistakes that LlamaFactory accepts without an error."""
    alpaca = {"instruction": "Hello there?", "input": "", "system": "Be brief."}
    rows: dict[str, list[dict[str, Any]]] = {
        "cut": [{**alpaca, "instruction": "word " * 3000 + "the query", "output": "x"}],
        "token": [{**alpaca, "output": "a<|im_end|>b"}],
        "same": [{**alpaca, "chosen": "x", "rejected": "x"}],
        "label": [{**alpaca, "output": "", "label": True}, {**alpaca, "output": "y", "label": False}],
        "roles": [
            {"conversations": [{"from": who, "value": "hi"} for who in speakers], "system": "Be brief."}
            for speakers in (["human", "gpt"], ["gpt", "human"], ["human", "human"])
        ],
        "unnamed": [{**alpaca, "output": "x"}],
    }
    columns = {"prompt": "instruction", "query": "input", "system": "system"}
    info: dict[str, dict[str, Any]] = {
        "cut": {"columns": {**columns, "response": "output"}},
        "token": {"columns": {**columns, "response": "output"}},
        "same": {"columns": {**columns, "chosen": "chosen", "rejected": "rejected"}, "ranking": True},
        "label": {"columns": {**columns, "response": "output", "kto_tag": "label"}},
        "roles": {"columns": {"messages": "conversations", "system": "system"}, "formatting": "sharegpt"},
        "unnamed": {"columns": {"prompt": "instruction", "response": "output"}},
    }
    for name, content in rows.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in content))
    return {name: {"formatting": "alpaca", "file_name": f"{name}.jsonl", **entry} for name, entry in info.items()}


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Checked]:
    """Everything in one process: importing LlamaFactory takes longer than all checks together."""
    folder = tmp_path_factory.mktemp("exports")
    info = export(folder, "alpaca", LlamaFactoryExporter(kto=True))
    info |= export(folder, "sharegpt", LlamaFactoryExporter(kto=True, form="sharegpt"))
    info |= export(folder, "array", LlamaFactoryExporter(file_format="json"), prompt={"examples": False})
    info |= export(folder, "reasoned", LlamaFactoryExporter(), prompt={"analysis": True})
    info |= sabotage(folder / "llamafactory")
    (folder / "llamafactory" / "dataset_info.json").write_text(json.dumps(info))
    texts = [path.read_text(encoding="utf-8") for path in (folder / "llamafactory").glob("a*.json*")]
    tokenizer = tiny.save_tokenizer(folder / "tokenizer", texts)
    return {(one.name, one.template): one for one in verify_exports(folder, str(tokenizer))}


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("name", SETS)
def test_every_row_arrives_with_loss_on_the_answer_alone(
    checked: dict[tuple[str, str], Checked], name: str, template: str
) -> None:
    kinds = ("sft", "dpo", "kto") if name in ("alpaca", "sharegpt") else ("sft", "dpo")
    for kind in kinds:
        one = checked[f"{name}_{kind}_train", template]
        assert one.problems == ()
        assert one.longest <= 2048


def test_row_counts_are_those_of_the_export(checked: dict[tuple[str, str], Checked]) -> None:
    counts = {name: one.rows for (name, template), one in checked.items() if template == "qwen" and "alpaca" in name}
    assert counts == {
        "alpaca_sft_train": 7,
        "alpaca_dpo_train": 5,
        "alpaca_dpo_test": 1,
        "alpaca_kto_train": 12,
        "alpaca_kto_test": 1,
    }
    assert checked["reasoned_sft_train", "qwen"].rows == 6, "the hostile row's answer has no analysis"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("cut", "row 1: the prompt was cut: the query may be lost"),
        ("token", "row 1: the answer does not have exactly one end-of-sequence token"),
        ("same", "row 1: chosen and rejected are the same tokens"),
        ("label", "row 1: label True became False"),
        ("roles", "3 rows written, 1 loaded"),
        ("unnamed", "row 1: the system message was cut or changed"),
    ],
)
def test_mistakes_that_the_loader_accepts_are_found(
    checked: dict[tuple[str, str], Checked], name: str, problem: str
) -> None:
    assert problem in checked[name, "qwen"].problems


def test_a_folder_without_exports_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="no llamafactory or trl export here"):
        verify_exports(tmp_path, "unused")


def test_an_unusable_tokenizer_is_a_clear_error(tmp_path: Path) -> None:
    export(tmp_path, "alpaca", LlamaFactoryExporter())
    with pytest.raises(ExportError, match="llamafactory could not load"):
        verify_exports(tmp_path, str(tmp_path / "nothing"))
