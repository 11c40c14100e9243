"""How much memory one GPU needs for a stage, estimated from the model's shape, the recipe and the build's longest row.

Per GPU, in bytes, for P parameters, T of them trained, and a batch of B rows of L tokens (2 B for pairs) on a model of
width H, inner width I, N layers, V tokens:

- weights: 2 P in half precision, 4 P in float32; quantised to 4 bits 0.53 per linear parameter, embeddings in half;
- trained: 16 T (float32 weight, gradient, Adam's two moments), 10 T with an 8-bit optimizer, and 2 T for the copies of
  mixed precision where everything is trained; the weights then count here;
- reference: 2 P where everything is trained and the loss has a reference model; an adapter needs none;
- activations: B L H N (what gradient checkpointing keeps) and B L (16 H + 6 I) for the layer that is computed again,
  two bytes each in half precision, four in float32; all N layers at once without checkpointing;
- logits: B L V times 16 (2 + float32 copy 4 + log-softmax 4 + gradients 4 and 2), 12 in float32, and 2 more where a
  reference model or KTO's KL term is computed while they are kept: often the largest part of all;
- 1 GiB for the framework, 1.5 on a CPU.

DeepSpeed's stages divide weights, gradients and optimizer by the GPUs; offloaded parts are in the machine's memory.
Sources: Rajbhandari et al. 2020 (ZeRO), section 3; Korthikanti et al. 2022, section 4; Dettmers et al. 2023 (QLoRA).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from pairwright.training_recipes.checks.problem import CheckedStage
from pairwright.training_recipes.models.students import Shape, origin_of, shape_of

GIB = 2**30


class MemoryEstimate(NamedTuple):
    """GiB per GPU by what takes them; ``host`` is what DeepSpeed keeps in the machine's memory."""

    weights: float
    trained: float
    reference: float
    activations: float
    logits: float
    framework: float
    host: float = 0

    @property
    def total(self) -> float:
        """GiB that one GPU needs."""
        return sum(self) - self.host

    @property
    def spoken(self) -> str:
        """The parts in words."""
        parts = self._asdict()
        host = parts.pop("host")
        shown = ", ".join(f"{name} {size:.1f}" for name, size in parts.items() if size >= 0.05)
        return f"{shown}" + (f"; {host:.0f} GiB of the machine's memory besides" if host else "")


class Sharding(NamedTuple):
    """What a DeepSpeed file divides among the GPUs and what it moves into the machine's memory."""

    stage: int = 0
    offload_weights: bool = False
    offload_optimizer: bool = False


def estimate(case: CheckedStage) -> MemoryEstimate | None:
    """What a stage that trains needs; None where the model's shape is not known."""
    shape = shape_of(origin_of(str(case.get("model_name_or_path", "")), case.earlier))
    if shape is None:
        return None
    half = is_half(case)
    tokens = _tokens(case)
    activations = _activations(case, shape, tokens) * (2 if half else 4)
    logits = tokens * shape.vocabulary * ((16 if half else 12) + (2 if _has_reference(case) else 0))
    framework = GIB * (1.5 if case.get("use_cpu") else 1)
    if uses_adapter(case):
        rank = case.number("lora_r", 16) if case.stage.trainer == "trl" else case.number("lora_rank", 8)
        trained = shape.adapter(int(rank)) * _per_trained(case)
        return _gib(_weights(case, shape, half), trained, 0, activations, logits, framework)
    reference = shape.parameters * (2 if half else 4) if _has_reference(case) else 0
    trained = shape.parameters * (_per_trained(case) + (2 if half else 0))
    return _sharded(case, _gib(0, trained, reference, activations, logits, framework), shape)


def uses_adapter(case: CheckedStage) -> bool:
    """True where the stage trains an adapter and leaves the model as it is."""
    if case.stage.trainer == "trl":
        return bool(case.get("use_peft"))
    return bool(case.get("finetuning_type", "lora") == "lora")


def is_half(case: CheckedStage) -> bool:
    """True where the model computes in half precision. TRL does so unless told otherwise."""
    if case.stage.trainer == "trl":
        return case.get("bf16") is not False or bool(case.get("fp16"))
    return bool(case.get("bf16") or case.get("fp16") or case.get("pure_bf16"))


def read_sharding(value: Any) -> Sharding:
    """What the ``deepspeed`` key of a recipe does: a JSON file's path, or its content.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not JSON.
    """
    content = json.loads(Path(value).read_text(encoding="utf-8")) if isinstance(value, str) else value
    zero = _part(content, "zero_optimization")
    moved = [_part(zero, f"offload_{part}").get("device") == "cpu" for part in ("param", "optimizer")]
    return Sharding(int(zero.get("stage", 0)), *moved)


def _part(content: Any, key: str) -> dict[str, Any]:
    part = content.get(key, {}) if isinstance(content, dict) else None
    if not isinstance(part, dict):
        raise ValueError(f"'{key}' holds no keys and values")
    return part


def _tokens(case: CheckedStage) -> int:
    """Tokens of the largest batch: rows are padded to the longest of their batch."""
    key, default = ("cutoff_len", 2048) if case.stage.trainer == "llamafactory" else ("max_length", 1024)
    limit = int(case.number(key, default))
    longest = case.export.longest(case.rows) if case.export else 0
    rows = int(case.number("per_device_train_batch_size", 8)) * (2 if case.rows == "dpo" else 1)
    return rows * min(limit, longest or limit)


def _activations(case: CheckedStage, shape: Shape, tokens: int) -> int:
    layer = 16 * shape.hidden + 6 * shape.inner
    # LlamaFactory checkpoints unless it is told not to, whatever transformers' own key says.
    kept = not case.get("disable_gradient_checkpointing") if case.stage.trainer == "llamafactory" else None
    if kept or (kept is None and case.get("gradient_checkpointing", True)):
        return tokens * (shape.hidden * shape.layers + layer)
    return tokens * shape.layers * layer


def _weights(case: CheckedStage, shape: Shape, half: bool) -> float:
    bits = case.get("quantization_bit") or (4 if case.get("load_in_4bit") else 8 if case.get("load_in_8bit") else None)
    if bits is None:
        return shape.parameters * (2 if half else 4)
    linear = shape.parameters - shape.embeddings
    return shape.embeddings * 2 + linear * (0.53 if bits == 4 else 1.05)


def _per_trained(case: CheckedStage) -> int:
    # TRL trains a model that was loaded in half precision as it is; LlamaFactory makes what it trains float32.
    if case.stage.trainer == "trl" and not uses_adapter(case) and case.get("dtype") in ("bfloat16", "float16"):
        return 8
    return 10 if "8bit" in str(case.get("optim", "")) else 16


def _has_reference(case: CheckedStage) -> bool:
    return case.stage.kind in ("dpo", "kto")


def _gib(*parts: float) -> MemoryEstimate:
    return MemoryEstimate(*(part / GIB for part in parts))


def _sharded(case: CheckedStage, whole: MemoryEstimate, shape: Shape) -> MemoryEstimate:
    """The estimate with DeepSpeed's share taken off; a file that cannot be read divides nothing."""
    try:
        zero = read_sharding(case.get("deepspeed") or {})
    except (OSError, ValueError):
        return whole
    gpus = case.device.gpus if case.device else 1
    if zero.stage < 2:
        return whole
    # Adam's two moments, four bytes each.
    optimizer = 8 * shape.parameters / GIB
    weights = whole.trained - optimizer
    gathered = (shape.embeddings + 2 * sum(a * b for a, b in shape.linears)) * 2 / GIB  # two layers, as they are used
    host = (optimizer if zero.offload_optimizer else 0) + (weights if zero.offload_weights else 0)
    on_gpu = (0 if zero.offload_optimizer else optimizer / gpus) + (
        gathered + (0 if zero.offload_weights else weights / gpus) if zero.stage == 3 else weights
    )
    reference = whole.reference / gpus if zero.stage == 3 else whole.reference
    return whole._replace(trained=on_gpu, reference=reference, host=host)
