"""Checks of what a stage does and leaves: that it trains at all, evaluates on something, and writes over nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pairwright.core.extras import install_line
from pairwright.training_recipes.checks.memory import read_sharding, uses_adapter
from pairwright.training_recipes.checks.problem import CheckedStage, Problem
from pairwright.training_recipes.recipes.rendering import Stage

RUN_RECORD = "run.json"
_FINISHED = ("adapter_model.safetensors", "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin")
_PACKAGES = (
    ("quantization_bit", "bitsandbytes"),
    ("load_in_4bit", "bitsandbytes"),
    ("load_in_8bit", "bitsandbytes"),
    ("deepspeed", "deepspeed"),
    ("use_unsloth", "unsloth"),
    ("enable_liger_kernel", "liger_kernel"),
    ("use_liger_kernel", "liger_kernel"),
)
_NEEDED = {
    "llamafactory": ("torch", "transformers", "llamafactory", "matplotlib"),
    "trl": ("torch", "transformers", "trl", "peft", "matplotlib"),
}


def check_run(case: CheckedStage) -> Iterator[Problem]:
    """Will the stage train, and can it?"""
    if case.stage.trainer == "llamafactory" and not case.get("do_train"):
        message = "without 'do_train: true' LlamaFactory loads everything, trains nothing and reports success"
        yield case.problem("do_train", message, "Set 'do_train: true'.")
    yield from _evaluation(case)
    yield from _quantised(case)
    yield from _sharding(case)
    if case.device and case.device.here:
        yield from _packages(case)


def _evaluation(case: CheckedStage) -> Iterator[Problem]:
    evaluates = case.get("eval_strategy", "no") not in ("no", False) or bool(case.get("do_eval"))
    llamafactory = case.stage.trainer == "llamafactory"
    if llamafactory and evaluates and not case.get("eval_dataset") and not case.get("val_size"):
        message = "evaluates, and there is no evaluation data"
        yield case.problem("eval_strategy", message, "Set 'eval_strategy: \"no\"', or 'split.validation' of the build.")
    if case.get("load_best_model_at_end") and not evaluates:
        message = "needs evaluations to know which model is best"
        yield case.problem("load_best_model_at_end", message, "Set 'eval_strategy' as 'save_strategy', or remove it.")


def check_place(case: CheckedStage) -> Iterator[Problem]:
    """Is the folder that the stage writes to free?"""
    key = "export_dir" if case.stage.kind == "merge" else "output_dir"
    place = Path(str(case.get(key) or ""))
    if not case.get(key):
        yield case.problem(key, "is missing", f"Set '{key}: saves/my-run'.")
    # A folder with a run record is ours: what is finished there is not done again.
    elif case.get("overwrite_output_dir") or case.get("resume_from_checkpoint") or _is_ours(place):
        return
    elif finished := [name for name in _FINISHED if (place / name).is_file()]:
        message = f"{place} holds a finished model ({finished[0]})"
        yield case.problem(key, message, "Give another folder, or set 'overwrite_output_dir: true'.")
    elif checkpoints := sorted(place.glob("checkpoint-*")):
        message = f"{place} holds {checkpoints[-1].name} of another run: the trainer would go on from it or mix both"
        yield case.problem(key, message, "Give another folder, or set 'overwrite_output_dir: true'.")


def _is_ours(place: Path) -> bool:
    return (place.parent / RUN_RECORD).is_file()


def _quantised(case: CheckedStage) -> Iterator[Problem]:
    bits = case.get("quantization_bit")
    if bits is not None and bits not in (4, 8):
        yield case.problem("quantization_bit", f"bitsandbytes has 4 and 8 bits, found {bits}", "Set it to 4.")
    if (bits or case.get("load_in_4bit") or case.get("load_in_8bit")) and not uses_adapter(case):
        key = "use_peft" if case.stage.trainer == "trl" else "finetuning_type"
        value = "true" if case.stage.trainer == "trl" else "lora"
        yield case.problem(key, "quantised weights cannot be trained themselves", f"Set '{key}: {value}'.")


def _sharding(case: CheckedStage) -> Iterator[Problem]:
    value: Any = case.get("deepspeed")
    if not isinstance(value, str | dict) or not value:
        return
    try:
        stage = read_sharding(value).stage
    except OSError:
        hint = "'pairwright recipes copy' puts the file beside the recipe."
        yield case.problem("deepspeed", f"{value}: no such file", hint)
        return
    except ValueError as exc:
        yield case.problem("deepspeed", f"{value}: no DeepSpeed settings: {exc}", "Correct the file.")
        return
    if stage == 3 and case.get("predict_with_generate"):
        yield case.problem("predict_with_generate", "cannot be combined with DeepSpeed ZeRO-3", "Remove it.")
    if stage == 3 and (case.get("quantization_bit") or case.get("load_in_4bit")):
        message = "ZeRO-3 shards weights that 4-bit quantisation packs"
        yield case.problem("deepspeed", message, "Use ZeRO-2, or no quantisation.")


def missing_packages(stages: Sequence[Stage]) -> Iterator[Problem]:
    """Whatever the trainers need from the first step to the last picture, and this environment does not have."""
    # In reverse, so that the first stage of each trainer is the one that stays.
    for stage in {stage.trainer: stage for stage in reversed(stages)}.values():
        if missing := [package for package in _NEEDED[stage.trainer] if find_spec(package) is None]:
            message = f"needs {', '.join(missing)}: not installed here"
            yield Problem(stage.name, "trainer", message, install_line("train"))


def _packages(case: CheckedStage) -> Iterator[Problem]:
    for key, package in _PACKAGES:
        if case.get(key) and find_spec(package) is None:
            yield case.problem(key, f"needs the package {package}, which is not installed", f"pip install {package}")
    if case.get("flash_attn") == "fa2" or case.get("attn_implementation") == "flash_attention_2":
        key = "flash_attn" if case.stage.trainer == "llamafactory" else "attn_implementation"
        if find_spec("flash_attn") is None:
            yield case.problem(key, "needs the package flash-attn, which is not installed", "Remove it: sdpa is fast.")
