"""Trainings that are over in seconds: a small build, a Qwen2 that knows at most its rows, and recipes for both trainers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import tiny
import yaml

import building

STEPS = 10
TRAINERS = ("llamafactory", "trl")
COMMON: dict[str, Any] = {
    "per_device_train_batch_size": 4,
    "learning_rate": 3.0e-3,
    "max_steps": STEPS,
    "logging_steps": 1,
    "save_steps": 2,
    "report_to": "none",
    "use_cpu": True,
    "bf16": False,
}


def small_build(folder: Path, validation: float = 0.15, test: float = 0.25, rows: int = 32) -> Path:
    """A build of real rows with short prompts, each from a dialogue of its own, exported for both trainers."""
    half = rows // 2
    building.write_rows(
        folder / "rows.jsonl", [*building.rows("zh_gold.jsonl", half), *building.rows("gecor.en.jsonl", rows - half)]
    )
    file = building.build_file(
        folder,
        perturbers=[{"use": "entity_deletion"}, {"use": "made_ambiguous"}, {"use": "unchanged_copy"}],
        prompt={"examples": False},
        context={"turns": 1, "max_tokens": 96},
        split={"validation": validation, "test": test},
        exports=[{"use": "llamafactory"}, {"use": "trl", "kto": True}],
    )
    done = building.run("build", file, "--quiet")
    assert done.returncode == 0, done.stderr[-2000:]
    return folder / "build"


def model(folder: Path, build: Path) -> Path:
    """A random Qwen2 whose tokens are those of the build's texts."""
    return tiny.save_model(_tokenizer(folder, build))


def taught_model(folder: Path, build: Path) -> Path:
    """A Qwen2 that answers most rows of the build, those of the test split as well, as they should be answered."""
    files = sorted((build / "exports" / "trl").glob("*_sft_*.jsonl"))
    rows = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    return tiny.teach(tiny.save_model(_tokenizer(folder, build), spread=0.1), rows)


def _tokenizer(folder: Path, build: Path) -> Path:
    texts = [path.read_text(encoding="utf-8") for path in (build / "exports" / "llamafactory").glob("*.jsonl")]
    return tiny.save_tokenizer(folder / "student", texts, vocabulary=800)


def write_recipe(path: Path, settings: dict[str, Any], command: str = "llamafactory-cli train") -> Path:
    """A recipe file."""
    text = yaml.safe_dump(settings, sort_keys=False)
    path.write_text(f"# {command} {path.name}\n# For a test.\n{text}", encoding="utf-8")
    return path


def chain(folder: Path, student: Path, trainer: str, **dpo: Any) -> Path:
    """SFT, merge, DPO from the merged model, evaluation: four recipes and the chain that runs them."""
    stages = {"llamafactory": _llamafactory, "trl": _trl}[trainer](student)
    paths = [
        write_recipe(folder / f"{trainer}.sft.yaml", stages["sft"], f"trl sft --config {trainer}.sft.yaml"),
        write_recipe(folder / f"{trainer}.merge.yaml", stages["merge"]),
        write_recipe(folder / f"{trainer}.dpo.yaml", {**stages["dpo"], **dpo}, f"trl dpo --config {trainer}.dpo.yaml"),
    ]
    systems = {"base": f"hf:{student}", "sft": "hf:saves/merged", "dpo": "hf:saves/merged+saves/dpo"}
    content = {"chain": list(map(str, paths)), "evaluate": systems}
    return write_recipe(folder / f"{trainer}.chain.yaml", content, "pairwright train")


def _llamafactory(student: Path) -> dict[str, dict[str, Any]]:
    lora = {"finetuning_type": "lora", "lora_rank": 8, "lora_target": "all", "template": "qwen", "do_train": True}
    data = {"dataset_dir": "x", "dataset": "y", "cutoff_len": 512}
    return {
        "sft": {
            "model_name_or_path": str(student),
            "stage": "sft",
            **lora,
            **data,
            **COMMON,
            "output_dir": "saves/sft",
        },
        "merge": {
            "model_name_or_path": str(student),
            "adapter_name_or_path": "saves/sft",
            "template": "qwen",
            "finetuning_type": "lora",
            "export_dir": "saves/merged",
            "export_device": "cpu",
        },
        "dpo": {
            "model_name_or_path": "saves/merged",
            "stage": "dpo",
            "pref_ftx": 0.2,
            **lora,
            **data,
            **COMMON,
            "output_dir": "saves/dpo",
        },
    }


def _trl(student: Path) -> dict[str, dict[str, Any]]:
    lora = {"use_peft": True, "lora_r": 8, "lora_target_modules": ["all-linear"]}
    data = {"dataset_name": "x", "dataset_test_split": "validation"}
    return {
        "sft": {
            "model_name_or_path": str(student),
            **lora,
            **data,
            **COMMON,
            "dataset_config": "sft",
            "output_dir": "saves/sft",
        },
        "merge": {
            "model_name_or_path": str(student),
            "adapter_name_or_path": "saves/sft",
            "export_dir": "saves/merged",
        },
        "dpo": {
            "model_name_or_path": "saves/merged",
            **lora,
            **data,
            **COMMON,
            "dataset_config": "dpo",
            "loss_type": ["sigmoid", "sft"],
            "loss_weights": [1.0, 0.2],
            "output_dir": "saves/dpo",
        },
    }
