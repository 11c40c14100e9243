"""The shipped recipes are read by the trainer's own argument parser and fit the demo's data sets."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

CONFIGS = sorted((Path(__file__).parents[2] / "training_recipes" / "configs").glob("*.yaml"))

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
        [sys.executable, "-W", "ignore", "-c", CHECK, *map(str, CONFIGS)], capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("READ ")]
    found = {Path(path).name: values for path, values in json.loads(line.removeprefix("READ ")).items()}
    assert len(found) == len(CONFIGS)
    assert all(values["template"] and isinstance(values["lr"], float) for values in found.values())
    dpo = found["qwen2.5-3b.dpo.lora.yaml"]
    assert dpo["stage"] == "dpo"
    assert dpo["new_adapter"], "without a new adapter the base model would be the reference"
    assert dpo["pref_ftx"] > 0, "minimal-edit pairs need some of the SFT loss"


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_the_first_comment_is_the_command_that_runs_the_recipe(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first == f"# llamafactory-cli train training_recipes/configs/{path.name}"


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_a_recipe_names_the_demos_data_sets_for_its_stage(path: Path) -> None:
    recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert recipe["dataset"] == f"demo_{recipe['stage']}_train"
    assert recipe["dataset_dir"] == "builds/demo/exports/llamafactory"
