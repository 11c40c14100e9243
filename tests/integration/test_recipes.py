"""The shipped recipes are read by the trainer's own argument parser and fit the demo's data sets."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pairwright.training_recipes.filling import ROWS
from pairwright.training_recipes.recipes import Recipe, recipes

RECIPES = recipes()
CONFIGS = [recipe.path for recipe in RECIPES.values()]
LLAMAFACTORY = [recipe.path for recipe in RECIPES.values() if recipe.trainer == "llamafactory" and recipe.stage in ROWS]

CHECK = """
import json, sys, yaml
from llamafactory.data.template import TEMPLATES
from llamafactory.hparams import get_train_args
read = {}
for path in sys.argv[1:]:
    recipe = yaml.safe_load(open(path, encoding="utf-8"))
    # This machine need not have the recipe's hardware: only what the file says is checked.
    model, data, training, tuning, _ = get_train_args({**recipe, "bf16": False})
    read[path] = {
        "template": data.template in TEMPLATES, "stage": tuning.stage, "pref_ftx": tuning.pref_ftx,
        "lr": training.learning_rate, "new_adapter": model.create_new_adapter if hasattr(model, "create_new_adapter") else tuning.create_new_adapter,
    }
print("READ " + json.dumps(read))
"""


@pytest.mark.timeout(300)
def test_llamafactory_reads_every_recipe() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CHECK, *map(str, LLAMAFACTORY)],
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("READ ")]
    found = {Path(path).name: values for path, values in json.loads(line.removeprefix("READ ")).items()}
    assert len(found) == len(LLAMAFACTORY)
    assert all(values["template"] and isinstance(values["lr"], float) for values in found.values())
    dpo = found["qwen2.5-3b.dpo.adapter.yaml"]
    assert dpo["stage"] == "dpo"
    assert dpo["new_adapter"], "without a new adapter the base model would be the reference"
    assert dpo["pref_ftx"] > 0, "minimal-edit pairs need some of the SFT loss"


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_the_first_comment_is_the_command_that_runs_the_recipe(recipe: Recipe) -> None:
    first = recipe.path.read_text(encoding="utf-8").splitlines()[0]
    path = f"training_recipes/configs/{recipe.path.name}"
    assert first in {
        f"# llamafactory-cli train {path}",
        f"# llamafactory-cli export {path}",
        f"# FORCE_TORCHRUN=1 llamafactory-cli train {path}",
        f"# trl {recipe.stage} --config {path}",
        f"# pairwright train {recipe.name} builds/demo",
    }


@pytest.mark.parametrize("path", LLAMAFACTORY, ids=lambda path: path.name)
def test_a_recipe_names_the_demos_data_sets_for_its_stage(path: Path) -> None:
    recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert recipe["dataset"] == f"demo_{recipe['stage']}_train"
    assert recipe["dataset_dir"] == "builds/demo/exports/llamafactory"
