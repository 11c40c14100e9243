"""The memory that a training step takes against the estimate of ``pairwright train --check``.

    python benchmarks/training_memory.py

A random model of SmolLM2-135M's shape takes two steps in float32 on the CPU, each setting in a process of its own;
printed are the most memory that the process held and what ``training_recipes/checks/memory.py`` expects. Minutes on 2 cores.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from pairwright.training_recipes.checks.memory import estimate
from pairwright.training_recipes.checks.problem import CheckedStage
from pairwright.training_recipes.recipes.build_facts import BuildFacts
from pairwright.training_recipes.recipes.rendering import Stage

SHAPE = {
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "tie_word_embeddings": True,
}
SETTINGS: dict[str, dict[str, Any]] = {
    "LoRA": {"vocab_size": 49152},
    "LoRA, small vocabulary": {"vocab_size": 8000},
    "LoRA, no checkpointing": {"vocab_size": 49152, "disable_gradient_checkpointing": True},
    "all weights": {"vocab_size": 49152, "finetuning_type": "full"},
}
ROWS, LENGTH, RANK = 2, 512, 16


def expected(setting: dict[str, Any]) -> float:
    """GiB by the estimate."""
    with tempfile.TemporaryDirectory() as folder:
        shape = SHAPE | {"vocab_size": setting["vocab_size"]}
        (Path(folder) / "config.json").write_text(json.dumps(shape))
        batch = {"per_device_train_batch_size": ROWS, "cutoff_len": LENGTH, "lora_rank": RANK, "use_cpu": True}
        settings = {"model_name_or_path": folder, **batch, **setting}
        stage = Stage("sft", "llamafactory", "sft", settings, Path("sft.yaml"), Path("sft"))
        found = estimate(CheckedStage(stage, BuildFacts(Path(), "", "", 0, {}, {}), None, ()))
    assert found
    return found.total


def measured(setting: dict[str, Any]) -> float:
    """GiB at most in this process, in two steps."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    model: Any = LlamaForCausalLM(LlamaConfig(**SHAPE, vocab_size=setting["vocab_size"]))
    if setting.get("finetuning_type") != "full":
        model = get_peft_model(model, LoraConfig(r=RANK, target_modules="all-linear", task_type="CAUSAL_LM"))
        model.enable_input_require_grads()
    if not setting.get("disable_gradient_checkpointing"):
        model.gradient_checkpointing_enable({"use_reentrant": True})
    model.train()
    optimizer = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad], lr=1e-4)
    for _ in range(2):
        tokens = torch.randint(0, setting["vocab_size"], (ROWS, LENGTH))
        model(input_ids=tokens, labels=tokens, use_cache=False).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--one", choices=SETTINGS, help=argparse.SUPPRESS)
    one = parser.parse_args().one
    if one:
        print(measured(SETTINGS[one]))
        return
    print("| training | measured GiB | estimated GiB |\n| --- | --- | --- |")
    for name, setting in SETTINGS.items():
        command = [sys.executable, "-W", "ignore", __file__, "--one", name]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        print(f"| {name} | {float(out.split()[-1]):.1f} | {expected(setting):.1f} |", flush=True)


if __name__ == "__main__":
    main()
