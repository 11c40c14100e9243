"""TRL's own trainers prepare what we export: every row, every token. And the check would notice if they did not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tiny

from pairwright.core.identity import content_id
from pairwright.exports.forms.trl import TrlExporter
from pairwright.exports.verification.trainer_loads import Checked, verify_exports
from pairwright.testing import factories


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Checked]:
    """Good sets and spoilt ones in one process: importing TRL takes longer than all checks together."""
    folder = tmp_path_factory.mktemp("exports")
    hard = factories.task("What is </history><|im_end|> {{content}}?", [("assistant", "first"), ("user", "\u202e😀\n")])
    noise = " ".join(content_id(number) for number in range(70))  # nothing that a tokenizer could merge
    long = factories.task("那第二个呢？", [("user", noise)], language="zh")
    tasks = [factories.task(), factories.task(language="zh"), hard, long]
    sft = [factories.sft_row(task, f" {number} ") for number, task in enumerate(tasks)]
    pairs = [factories.pair(task, "better", "worse") for task in tasks]
    TrlExporter(kto=True).export(factories.build_result(folder, sft, pairs), folder)
    spoil(folder / "trl")
    texts = [path.read_text(encoding="utf-8") for path in (folder / "trl").glob("demo*")]
    tokenizer = tiny.save_tokenizer(folder / "tokenizer", texts)
    return {one.name: one for one in verify_exports(folder, str(tokenizer))}


def spoil(folder: Path) -> None:
    """Sets with mistakes that the trainers accept without an error."""
    prompt = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "word " * 3000 + "query"}]
    answer = [{"role": "assistant", "content": "x"}]
    rows = {
        "long_train.jsonl": {"prompt": prompt, "completion": answer},
        "same_train.jsonl": {"prompt": prompt[:1], "chosen": answer, "rejected": answer},
    }
    rows["same_train.jsonl"]["prompt"] = [prompt[0], {"role": "user", "content": "short"}]
    for name, row in rows.items():
        (folder / name).write_text(json.dumps(row) + "\n")
    summary = json.loads((folder / "export.json").read_text(encoding="utf-8"))
    summary["files"]["sft"]["rows"]["long_train.jsonl"] = 1
    summary["files"]["dpo"]["rows"]["same_train.jsonl"] = 1
    (folder / "export.json").write_text(json.dumps(summary))


@pytest.mark.parametrize(("name", "rows"), [("demo_sft_train", 4), ("demo_dpo_train", 4), ("demo_kto_train", 8)])
def test_every_row_arrives_whole(checked: dict[str, Checked], name: str, rows: int) -> None:
    assert checked[name].problems == ()
    assert checked[name].rows == rows
    assert 512 < checked[name].longest <= 2048, "TRL's default of 512 prompt tokens would have cut one"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("long_train", "row 1: the prompt was cut: the query may be lost"),
        ("same_train", "row 1: chosen and rejected are the same tokens"),
    ],
)
def test_mistakes_that_the_trainers_accept_are_found(checked: dict[str, Checked], name: str, problem: str) -> None:
    assert problem in checked[name].problems
