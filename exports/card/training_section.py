"""The part of the card that a newcomer copies: how to train on the set with LlamaFactory and with TRL."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pairwright.core.prompts.kinds import KINDS
from pairwright.core.records import TaskKind
from pairwright.core.result import BuildResult
from pairwright.exports.card.kinds import CARD_KINDS
from pairwright.exports.card.use_sections import getting

Kinds = dict[str, dict[str, str]]  # {kind: {split: path}}
Found = dict[str, Kinds]  # {form: {kind: {split: path}}}
BASE = "Qwen/Qwen2.5-0.5B-Instruct"

_LLAMAFACTORY = """\
```yaml
# llamafactory-cli train {stage}.yaml
model_name_or_path: {model}
stage: {stage}
do_train: true
finetuning_type: lora
lora_target: all
dataset_dir: llamafactory
dataset: {dataset}
template: qwen            # Qwen2.5; qwen3_nothink for Qwen3
cutoff_len: {length}
output_dir: out/{stage}
learning_rate: {rate}
lr_scheduler_type: cosine
num_train_epochs: {epochs}
per_device_train_batch_size: 1
gradient_accumulation_steps: 8
bf16: true                # needs a GPU that has it
{more}```"""
_MERGE = """\
```yaml
# llamafactory-cli export merge.yaml
model_name_or_path: {model}
adapter_name_or_path: out/sft
template: qwen
export_dir: out/merged
```"""
_DPO = """\
pref_beta: 0.1
pref_loss: sigmoid
pref_ftx: 0.2             # SFT loss mixed in: it keeps the chosen answers likely
"""
_LAST_ANSWER = """\
mask_history: true        # each earlier answer is the answer of a row of its own
"""
_TRL = """\
```python
from datasets import load_dataset
from trl import {trainer}Config, {trainer}Trainer

rows = load_dataset("json", data_files={{"train": "{path}"}}, split="train")
config = {trainer}Config(output_dir="out/trl-{kind}", max_length={length})
trainer = {trainer}Trainer(model="{model}", args=config, train_dataset=rows)
trainer.train()
trainer.save_model()
```"""


def training_section(build: BuildResult, found: Found, folder: Path) -> Iterator[str]:
    """Commands for the forms that were exported; the hashes of the prompt that the student must be served with."""
    hashes = ", ".join(
        f"`{name}` {value}" for name, value in sorted(build.prompt_hashes.items()) if name.startswith("student.")
    )
    yield f"Serve and evaluate the student with the prompt that it was trained on: {hashes}."
    trainable = [form for form in _TRAINERS if form in found]
    if trainable:
        yield from ("", getting(build.config.name, trainable))
    lines = [
        line for form in trainable for line in _TRAINERS[form](found[form], _length(folder / form), build.config.task)
    ]
    yield from lines or (
        "",
        "Add `llamafactory` or `trl` to the exports of the build file for files that a trainer loads.",
    )


def _length(folder: Path) -> int:
    """The tokens that rows were fitted to."""
    return int(json.loads((folder / "export.json").read_text(encoding="utf-8"))["max_tokens"])


def _with_llamafactory(kinds: Kinds, length: int, task: TaskKind) -> Iterator[str]:
    def recipe(kind: str, model: str, rate: str, epochs: str, more: str) -> str:
        name = Path(kinds[kind]["train"]).stem
        settings = {"stage": kind, "model": model, "rate": rate, "epochs": epochs, "more": more}
        return _LLAMAFACTORY.format(length=length, dataset=name, **settings)

    if "train" in kinds.get("sft", {}):
        more = _LAST_ANSWER if KINDS[task].mask_history else ""
        yield from ("", "LlamaFactory, first the answers:", "", recipe("sft", BASE, "1.0e-4", "3.0", more))
    if "train" in kinds.get("dpo", {}):
        yield from ("", "then the pairs, from the merged SFT model, so that this model is DPO's reference:", "")
        yield from (_MERGE.format(model=BASE), "", recipe("dpo", "out/merged", "5.0e-6", "1.0", _DPO))


def _with_trl(kinds: Kinds, length: int, task: TaskKind) -> Iterator[str]:
    trained = ""
    # DPOTrainer cuts prompts at 512 tokens unless told otherwise.
    for kind, trainer, model, more in (
        ("sft", "SFT", BASE, ""),
        ("dpo", "DPO", "out/trl-sft", ", max_prompt_length=None"),
    ):
        if "train" in kinds.get(kind, {}):
            yield from ("", f"TRL, {'the answers' if kind == 'sft' else 'the pairs'}:", "")
            path, limit = kinds[kind]["train"], f"{length}{more}"
            yield _TRL.format(trainer=trainer, kind=kind, model=model, path=path, length=limit)
            trained = kind
    unseen = [kinds["sft"][split] for split in ("test", "validation") if split in kinds.get("sft", {})]
    if trained and unseen:
        yield from CARD_KINDS[task].asking(unseen[0], trained)


_TRAINERS: Mapping[str, Callable[[Kinds, int, TaskKind], Iterator[str]]] = {
    "llamafactory": _with_llamafactory,
    "trl": _with_trl,
}
