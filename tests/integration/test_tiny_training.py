"""LlamaFactory trains on the exported files for real: SFT of a tiny random Qwen2, then DPO from what SFT made."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tiny

import factories
from pairwright.exports.llamafactory import LlamaFactoryExporter

PEOPLE = ("Ada", "Ben", "Cleo", "Dai", "Eva", "Finn", "Gus", "Hana")
TRAIN = """
import json, sys
from llamafactory.train.tuner import run_exp
for arguments in json.load(open(sys.argv[1])):
    run_exp(arguments)
"""


def export(folder: Path) -> Path:
    """Sixteen answers and sixteen pairs in two languages."""
    tasks = [
        factories.task("Where is she?", [("user", f"Do you know {name}?"), ("assistant", f"Yes, {name}.")])
        for name in PEOPLE
    ] + [
        factories.task("她在哪里？", [("user", f"你认识{name}吗？"), ("assistant", f"认识{name}。")], language="zh")
        for name in PEOPLE
    ]
    said = [task.history[0].content.split()[-1].strip("?") for task in tasks[:8]] + list(PEOPLE)
    answers = [f"Where is {name}?" for name in said[:8]] + [f"{name}在哪里？" for name in said[8:]]
    sft = [factories.sft_row(task, answer) for task, answer in zip(tasks, answers, strict=True)]
    pairs = [factories.pair(task, answer, task.query) for task, answer in zip(tasks, answers, strict=True)]
    LlamaFactoryExporter().export(factories.build_result(folder, sft, pairs), folder)
    return folder / "llamafactory"


def recipe(data: Path, stage: str, model: Path, output: Path) -> dict[str, Any]:
    return {
        "model_name_or_path": str(model),
        "stage": stage,
        "do_train": True,
        "finetuning_type": "full",
        "dataset_dir": str(data),
        "dataset": f"demo_{stage}_train",
        "template": "qwen",
        "cutoff_len": 512,
        "output_dir": str(output),
        "overwrite_output_dir": True,
        "per_device_train_batch_size": 4,
        "max_steps": 8,
        "learning_rate": 1.0e-3,
        "logging_steps": 1,
        "save_only_model": True,
        "report_to": "none",
        "use_cpu": True,
    }


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """The log of each stage, from one process: importing LlamaFactory takes longer than both trainings."""
    folder = tmp_path_factory.mktemp("training")
    data = export(folder)
    texts = [path.read_text(encoding="utf-8") for path in data.glob("*.jsonl")]
    model = tiny.save_model(tiny.save_tokenizer(folder / "model", texts, vocabulary=800))
    stages = [recipe(data, "sft", model, folder / "sft"), recipe(data, "dpo", folder / "sft", folder / "dpo")]
    (folder / "stages.json").write_text(json.dumps(stages))
    env = {
        **os.environ,
        "HF_DATASETS_CACHE": str(folder / "cache"),
        "WANDB_MODE": "disabled",
        "CUDA_VISIBLE_DEVICES": "",
    }
    run = subprocess.run(
        [sys.executable, "-c", TRAIN, str(folder / "stages.json")], env=env, capture_output=True, text=True, timeout=280
    )
    assert run.returncode == 0, run.stderr[-3000:]
    states = {stage: json.loads((folder / stage / "trainer_state.json").read_text()) for stage in ("sft", "dpo")}
    return {stage: [entry for entry in state["log_history"] if "loss" in entry] for stage, state in states.items()}


def test_both_stages_run_all_steps_with_finite_losses(runs: dict[str, list[dict[str, Any]]]) -> None:
    for log in runs.values():
        assert len(log) == 8
        assert all(math.isfinite(entry["loss"]) for entry in log)


def test_sft_learns(runs: dict[str, list[dict[str, Any]]]) -> None:
    losses = [entry["loss"] for entry in runs["sft"]]
    assert losses[-1] < losses[0] - 0.3


def test_dpo_starts_from_the_sft_model_as_its_own_reference(runs: dict[str, list[dict[str, Any]]]) -> None:
    first = runs["dpo"][0]
    assert first["loss"] == pytest.approx(math.log(2), abs=1e-3)
    assert first["rewards/margins"] == pytest.approx(0, abs=1e-4)


def test_dpo_moves_the_margin_the_right_way(runs: dict[str, list[dict[str, Any]]]) -> None:
    assert runs["dpo"][-1]["rewards/margins"] > 0
