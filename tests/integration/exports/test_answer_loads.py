"""LlamaFactory's and TRL's own loaders read chats with tools as they were written. And the check would notice if not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import answers
import pytest
import tiny

from pairwright.exports.forms.llamafactory import LlamaFactoryExporter
from pairwright.exports.forms.trl import TrlExporter
from pairwright.exports.verification.trainer_loads import TEMPLATES, Checked, verify_exports
from pairwright.testing import factories

Found = dict[tuple[str, str], Checked]
KINDS = ("sft", "dpo", "kto")


def build(folder: Path, name: str, tools: str) -> Any:
    sft, pairs = answers.rows()
    return factories.build_result(folder / name, sft, pairs, name=name, task="answer", prompt={"tools": tools})


def sabotage(folder: Path) -> dict[str, Any]:
    """Chats with the mistakes that LlamaFactory accepts without an error."""
    fields = {"system": "Be brief.", "tools": ""}
    said = {"human": "q", "gpt": "a", "function_call": '[{"name": "a", "arguments": {}}]', "observation": "r"}
    rows = {
        "orders": [["human", "gpt"], ["human", "function_call", "observation", "gpt"], ["gpt", "human"]],
        "cut": [["human", "gpt"] * 40 + ["human", "gpt"]],
        "token": [["human", "gpt"]],
    }
    for name, content in rows.items():
        records = [
            {**fields, "conversations": [{"from": who, "value": said[who]} for who in roles]} for roles in content
        ]
        if name == "cut":
            records[0]["conversations"][0]["value"] = "word " * 3000
        if name == "token":
            records[0]["conversations"][0]["value"] = "<|im_end|>"
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    info = json.loads((folder / "dataset_info.json").read_text())
    return {name: {**info["native_sft_train"], "file_name": f"{name}.jsonl"} for name in rows}


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """Everything in one process per trainer: importing them takes longer than all checks together."""
    folder = tmp_path_factory.mktemp("exports")
    info: dict[str, Any] = {}
    for name, tools, form in (
        ("native", "native", "sharegpt"),
        ("text", "text", "sharegpt"),
        ("alpaca", "text", "alpaca"),
    ):
        LlamaFactoryExporter(kto=True, form=form).export(build(folder, name, tools), folder)  # type: ignore[arg-type]
        info |= json.loads((folder / "llamafactory" / "dataset_info.json").read_text())
        if name == "native":
            info |= sabotage(folder / "llamafactory")
    (folder / "llamafactory" / "dataset_info.json").write_text(json.dumps(info))
    files: dict[str, Any] = {}
    for name, tools in (("native", "native"), ("text", "text")):
        TrlExporter(kto=True).export(build(folder, name, tools), folder)
        summary = json.loads((folder / "trl" / "export.json").read_text())
        files |= {f"{name}_{kind}": content for kind, content in summary["files"].items()}
    kinds: dict[str, Any] = {kind: {"rows": {}} for kind in KINDS}
    for name, content in files.items():
        kinds[name.rpartition("_")[2]]["rows"] |= content["rows"]
    (folder / "trl" / "export.json").write_text(json.dumps({**summary, "files": kinds}))
    texts = [path.read_text(encoding="utf-8") for path in (folder / "llamafactory").glob("*train*.jsonl")]
    tokenizer = tiny.save_tokenizer(folder / "tokenizer", texts, chat_template=tiny.TOOL_TEMPLATE)
    return {(one.name, one.template): one for one in verify_exports(folder, str(tokenizer))}


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["native", "text", "alpaca"])
def test_llamafactory_learns_exactly_the_last_answer(checked: Found, name: str, kind: str, template: str) -> None:
    one = checked[f"{name}_{kind}_train", template]
    assert one.problems == ()
    assert one.rows == (20 if kind == "kto" else 10)
    if name == "native" and template == "smollm2":
        assert one.skipped == "LlamaFactory has no tool format of its own for smollm2: set prompt.tools: text"
    else:
        assert 0 < one.longest <= 2048
        assert one.skipped == ""


@pytest.mark.parametrize(
    ("name", "rows"),
    [("native_sft", 9), ("native_dpo", 4), ("native_kto", 8), ("text_sft", 10), ("text_dpo", 10), ("text_kto", 20)],
)
def test_trl_learns_exactly_the_last_answer(checked: Found, name: str, rows: int) -> None:
    one = checked[f"{name}_train", "chat_template"]
    assert one.problems == ()
    assert one.rows == rows
    assert one.longest <= 2048


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("orders", "3 rows written, 2 loaded"),
        ("cut", "row 1: the prompt was cut: the query, a turn or a call may be lost"),
        ("token", "row 1: the messages of the prompt do not end as often as there are messages"),
    ],
)
def test_mistakes_that_the_loader_accepts_are_found(checked: Found, name: str, problem: str) -> None:
    assert problem in checked[name, "qwen"].problems
