"""Fills in what a recipe cannot know: the build's data sets, seed and lengths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pairwright.core.prompts.kinds import KINDS
from pairwright.training_recipes.recipes.build_facts import BuildFacts, Export
from pairwright.training_recipes.recipes.kto_labels import balancing_weight, read_labels, weight_keys
from pairwright.training_recipes.recipes.recipe_files import Kind, Trainer

ROWS: Mapping[Kind, str] = {"sft": "sft", "dpo": "dpo", "simpo": "dpo", "orpo": "dpo", "kto": "kto"}
"""Which kind of exported rows a stage trains on."""

STEP = 128  # tokens that limits are rounded up to


def fill(settings: dict[str, Any], trainer: Trainer, kind: Kind, facts: BuildFacts) -> None:
    """Fill in one stage that trains. A set of this build that the recipe names itself stays as it is."""
    settings["seed"] = facts.seed
    export = facts.exports.get(trainer)
    if export and export.longest(ROWS[kind]):
        limit = token_limit(export, ROWS[kind], str(settings.get("model_name_or_path")))
        settings.update(_limits(trainer, kind, limit))
    if trainer == "llamafactory":
        _llamafactory(settings, kind, facts, export)
    else:
        _trl(settings, kind, facts, export)
    if export and kind == "kto":
        _balance(settings, export, f"{facts.name}_kto_train", trainer)


def _llamafactory(settings: dict[str, Any], kind: Kind, facts: BuildFacts, export: Export | None) -> None:
    registered = export.registered if export else {}
    settings["dataset_dir"] = str(facts.folder / "exports" / "llamafactory")
    if str(settings.get("dataset")) not in registered:
        settings["dataset"] = f"{facts.name}_{ROWS[kind]}_train"
    if str(settings.get("eval_dataset")) not in registered:
        settings["eval_dataset"] = f"{facts.name}_{ROWS[kind]}_validation"
    if export and KINDS[export.task].mask_history and kind == "sft":
        settings["mask_history"] = True
    if export and str(settings["eval_dataset"]) not in registered:
        del settings["eval_dataset"]
        settings["eval_strategy"] = "no"


def _trl(settings: dict[str, Any], kind: Kind, facts: BuildFacts, export: Export | None) -> None:
    settings["dataset_name"] = str(facts.folder / "exports" / "trl")
    settings["dataset_config"] = ROWS[kind]
    if export and not export.rows.get(f"{facts.name}_{ROWS[kind]}_validation"):
        settings["eval_strategy"] = "no"


def token_limit(export: Export, rows: str, student: str) -> int:
    """Tokens that no row passes: the longest row, with slack where its length was estimated.

    Estimates are for a tokenizer like Qwen's. Others need more for Chinese: SmolLM2's up to 2.1 times as much.
    """
    slack = 1.0 if export.counted else 1.25 if "qwen" in student.lower() else 2.25
    return int(-(-export.longest(rows) * slack // STEP) * STEP)


def _limits(trainer: Trainer, kind: Kind, limit: int) -> dict[str, int]:
    if trainer == "llamafactory":
        return {"cutoff_len": limit}
    if kind == "sft":
        return {"max_length": limit}
    # TRL cuts prompts at 512 tokens unless told otherwise. SimPO and KTO want the prompt's limit below the whole.
    return {"max_prompt_length": limit, "max_length": limit if kind == "dpo" else limit + STEP}


def _balance(settings: dict[str, Any], export: Export, name: str, trainer: Trainer) -> None:
    """Make desirable and undesirable answers weigh the same, unless the recipe weighs them itself."""
    labels = read_labels(export, name)
    if labels.good and labels.bad and not settings.keys() & set(weight_keys(trainer)):
        key, value = balancing_weight(labels, trainer)
        settings[key] = value
