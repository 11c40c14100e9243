"""Which models a run has: what every stage started from and what it made, as systems that can be evaluated.

A system is ``hf:FOLDER`` or ``hf:FOLDER+ADAPTER+ADAPTER``, adapters in the order in which they were trained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pairwright.training_recipes.recipes.rendering import Stage

PREFERENCE = ("dpo", "kto", "simpo", "orpo")


def systems_of(stages: Sequence[Stage]) -> dict[str, str]:
    """The models to compare: those that the recipe names, else what its last stage started from and what it made."""
    for stage in stages:
        if stage.kind == "evaluate":
            return dict(stage.settings["systems"])
    last = stages[-1]
    before = "sft" if last.kind in PREFERENCE and last.kind != "orpo" else "base"
    return {before: _system(_start(last)), last.name: _system(made_by(last))}


def made_by(stage: Stage) -> tuple[str, ...]:
    """The model that a stage leaves: a folder, or a folder and the adapters to load onto it."""
    start, output = _start(stage), str(stage.output)
    if stage.kind == "merge" or not _trains_adapter(stage):
        return (output,)
    # Without a new adapter LlamaFactory goes on with the last one and saves it again.
    goes_on = len(start) > 1 and not stage.settings.get("create_new_adapter")
    return (*(start[:-1] if goes_on else start), output)


def _start(stage: Stage) -> tuple[str, ...]:
    adapters = str(stage.settings.get("adapter_name_or_path") or "")
    return (
        str(stage.settings["model_name_or_path"]),
        *(adapter.strip() for adapter in adapters.split(",") if adapter.strip()),
    )


def _trains_adapter(stage: Stage) -> bool:
    settings: Mapping[str, object] = stage.settings
    if stage.trainer == "trl":
        return bool(settings.get("use_peft"))
    return settings.get("finetuning_type", "lora") == "lora"


def _system(parts: Sequence[str]) -> str:
    return "hf:" + "+".join(parts)
