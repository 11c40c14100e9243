"""Checks of the stages that do not train: merging an adapter, and evaluating on the build's test split."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pairwright.training_recipes.checks.problem import CheckedStage, Problem
from pairwright.training_recipes.checks.training_data import check_prompt
from pairwright.training_recipes.models.students import is_local


def check_merge(case: CheckedStage) -> Iterator[Problem]:
    """Does merging give a model that can be trained on and served?"""
    for key in ("quantization_bit", "export_quantization_bit"):
        if case.get(key):
            message = "an adapter cannot be merged into quantised weights"
            yield case.problem(
                key, message, "Remove it: merge in half precision, quantise the merged model for serving."
            )
    if not case.get("adapter_name_or_path"):
        yield case.problem(
            "adapter_name_or_path", "is missing: there is nothing to merge", "Name the adapter's folder."
        )
    for key in ("model_name_or_path", "adapter_name_or_path"):
        if case.get("export_dir") and case.get("export_dir") == case.get(key):
            yield case.problem("export_dir", f"is the folder of '{key}', which would be overwritten", "Give another.")


def check_evaluate(case: CheckedStage) -> Iterator[Problem]:
    """Is there something to evaluate on, and are the models there or made before?"""
    for export in case.facts.exports.values():
        yield from check_prompt(case, export)
    if not any(rows for export in case.facts.exports.values() for name, rows in export.rows.items() if _is_test(name)):
        yield case.problem(
            "test", "the build's test split is empty", "Set 'split.test' in the build file; build again."
        )
    made = {str(stage.output) for stage in case.earlier}
    for name, system in dict(case.get("systems", {})).items():
        for part in str(system).removeprefix("hf:").split("+"):
            if part not in made and is_local(part) and not Path(part).is_dir():
                message = f"{part}: no such folder, and no stage makes it"
                yield case.problem(f"systems.{name}", message, "Name a model's folder or an earlier stage's output.")


def _is_test(name: str) -> bool:
    return name.endswith("_test")
