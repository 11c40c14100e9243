"""Checks of a stage against the device it would run on: precision, size, and whether there is a GPU at all."""

from __future__ import annotations

from collections.abc import Iterator

from pairwright.training_recipes.checks.device import Device
from pairwright.training_recipes.checks.memory import MemoryEstimate, estimate
from pairwright.training_recipes.checks.problem import CheckedStage, Problem


def check_device(case: CheckedStage, device: Device) -> Iterator[Problem]:
    """Can the device do what the stage asks for?"""
    if device.kind == "cpu":
        yield from _on_cpu(case, device)
    elif case.get("use_cpu"):
        yield case.warning("use_cpu", f"trains on the CPU although there is {device.name}", "Remove 'use_cpu'.")
    else:
        yield from _on_gpu(case, device)
    yield from _memory(case, device)


def _on_cpu(case: CheckedStage, device: Device) -> Iterator[Problem]:
    if not case.get("use_cpu"):
        hint = "Run it where there is a GPU, take a recipe for the CPU ('pairwright recipes list smollm2'), or set "
        message = f"the recipe is for a GPU, and {device.name} is none"
        yield case.problem("use_cpu", message, f"{hint}'use_cpu: true'.")
    for key in ("bf16", "fp16", "pure_bf16"):
        if case.get(key):
            yield case.problem(key, "a CPU trains in float32", f"Set '{key}: false'.")
    if case.stage.trainer == "trl" and case.get("bf16") is None and not case.get("fp16"):
        yield case.problem("bf16", "TRL takes bfloat16 unless told otherwise", "Set 'bf16: false'.")
    for key in ("quantization_bit", "load_in_4bit", "load_in_8bit", "deepspeed"):
        if case.get(key):
            yield case.problem(key, "needs a GPU", "Remove it.")


def _on_gpu(case: CheckedStage, device: Device) -> Iterator[Problem]:
    wants_bf16 = case.get("bf16") or case.get("pure_bf16")
    if case.stage.trainer == "trl" and case.get("bf16") is None and not case.get("fp16"):
        wants_bf16 = True
    if wants_bf16 and not device.has_bf16:
        message = f"{device.name} has no bfloat16 (it came with Ampere): PyTorch emulates it, many times slower"
        yield case.problem("bf16", message, "Set 'bf16: false' and 'fp16: true'.")
    if case.get("dtype") == "bfloat16" and not device.has_bf16:
        yield case.problem("dtype", f"{device.name} has no bfloat16", "Set 'dtype: float16'.")
    if case.stage.trainer == "llamafactory" and not (wants_bf16 or case.get("fp16")):
        message = "trains in float32: twice the memory and a fraction of the speed"
        yield case.warning("bf16", message, f"Set '{'bf16' if device.has_bf16 else 'fp16'}: true'.")


def _memory(case: CheckedStage, device: Device) -> Iterator[Problem]:
    needs = estimate(case)
    key = "per_device_train_batch_size"
    if needs is None:
        message = f"memory is not estimated: the shape of {case.get('model_name_or_path')} is not known here"
        yield case.warning("model_name_or_path", message, "Download it and name its folder, or watch nvidia-smi.")
    elif device.memory and needs.total > device.memory:
        message = f"needs about {needs.total:.1f} GiB ({needs.spoken}), {device.name} has {device.memory:g}"
        yield case.problem(key, message, _smaller(case, needs))


def _smaller(case: CheckedStage, needs: MemoryEstimate) -> str:
    """What to change, by what takes most."""
    batch = int(case.number("per_device_train_batch_size", 8))
    grows = needs.activations + needs.logits
    if grows > needs.weights + needs.trained + needs.reference and batch > 1:
        accumulated = int(case.number("gradient_accumulation_steps", 1)) * batch
        return f"Set 'per_device_train_batch_size: 1' and 'gradient_accumulation_steps: {accumulated}'."
    if case.get("quantization_bit") or case.get("load_in_4bit"):
        return "Take a smaller student or a larger GPU, or build with shorter contexts."
    if needs.trained > needs.weights:
        return "Train an adapter (LoRA), or use the recipe with DeepSpeed ZeRO-3 offload."
    return "Take the QLoRA recipe ('pairwright recipes list qlora'), a smaller student or a larger GPU."
