"""Fills in what a recipe cannot know: the build's data sets, seed and lengths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pairwright.training_recipes.facts import BuildFacts, Export
from pairwright.training_recipes.labels import balancing_weight, read_labels, weight_keys
from pairwright.training_recipes.recipes import Kind, Trainer

ROWS: Mapping[Kind, str] = {"sft": "sft", "dpo": "dpo", "simpo": "dpo", "orpo": "dpo", "kto": "kto"}
"""Which kind of exported rows a stage trains on."""

SLACK = 1.25  # for lengths that were estimated and not counted with the student's tokenizer
STEP = 128


def fill(settings: dict[str, Any], trainer: Trainer, kind: Kind, facts: BuildFacts) -> None:
    """Fill in one stage that trains. A set of this build that the recipe names itself stays as it is."""
    settings["seed"] = facts.seed
    export = facts.exports.get(trainer)
    if trainer == "llamafactory":
        _llamafactory(settings, kind, facts, export)
    else:
        _trl(settings, kind, facts, export)
    if export and kind == "kto":
        _balance(settings, export, f"{facts.name}_kto_train", trainer)


def _llamafactory(settings: dict[str, Any], kind: Kind, facts: BuildFacts, export: Export | None) -> None:
    registered = export.registered if export else {}
    settings["dataset_dir"] = str(facts.folder / "exports" / "llamafactory")
    if settings.get("dataset") not in registered:
        settings["dataset"] = f"{facts.name}_{ROWS[kind]}_train"
    if settings.get("eval_dataset") not in registered:
        settings["eval_dataset"] = f"{facts.name}_{ROWS[kind]}_validation"
    if export and settings["eval_dataset"] not in registered:
        del settings["eval_dataset"]
        settings["eval_strategy"] = "no"
    if export and export.longest(ROWS[kind]):
        settings["cutoff_len"] = _limit(export, ROWS[kind])


def _trl(settings: dict[str, Any], kind: Kind, facts: BuildFacts, export: Export | None) -> None:
    settings["dataset_name"] = str(facts.folder / "exports" / "trl")
    settings["dataset_config"] = ROWS[kind]
    if export and not export.rows.get(f"{facts.name}_{ROWS[kind]}_validation"):
        settings["eval_strategy"] = "no"
    if export and export.longest(ROWS[kind]):
        limit = _limit(export, ROWS[kind])
        settings["max_length"] = limit
        if kind != "sft":  # these trainers cut prompts at 512 tokens unless told otherwise
            settings["max_prompt_length"] = limit
        if kind in ("simpo", "kto"):  # these want the prompt's limit below the whole
            settings["max_length"] = limit + STEP


def _limit(export: Export, rows: str) -> int:
    """Tokens that no row passes: the longest row, with slack where its length was estimated."""
    longest = export.longest(rows) * (1 if export.counted else SLACK)
    return int(-(-longest // STEP) * STEP)


def _balance(settings: dict[str, Any], export: Export, name: str, trainer: Trainer) -> None:
    """Make desirable and undesirable answers weigh the same, unless the recipe weighs them itself."""
    labels = read_labels(export, name)
    if labels.good and labels.bad and not settings.keys() & set(weight_keys(trainer)):
        key, value = balancing_weight(labels, trainer)
        settings[key] = value
