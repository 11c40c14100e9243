"""The trainers' own parsers accept every shipped recipe, and know the keys that we say they know."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import recipe_builds
import yaml

from pairwright.training_recipes.checks.trainer_parsers import to_parse
from pairwright.training_recipes.recipes.filling import ROWS
from pairwright.training_recipes.recipes.recipe_files import Recipe, read_recipe, recipes
from pairwright.training_recipes.recipes.rendering import render
from places import ROOT

RECIPES = recipes()
SINGLE = [recipe for recipe in RECIPES.values() if recipe.stage != "chain"]
REFUSED = {"report_to": 3, "early_stopping_steps": 2, "neat_packing": True, "val_size": 0.1}
SCRIPT = """
import json, sys
from pathlib import Path
from pairwright.training_recipes.checks.trainer_parsers import main
from pairwright.training_recipes.models.trainer_snapshot import snapshot
asked, said, taken = sys.argv[1:]
main(asked, said)
Path(taken).write_text(json.dumps(snapshot()))
"""


class Asked(NamedTuple):
    problems: dict[str, str]
    snapshot: dict[str, Any]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """Every recipe and a bad one, in one process: importing the trainers takes longer than all the rest."""
    folder = tmp_path_factory.mktemp("asked")
    build = recipe_builds.finished_build(folder / "build")
    stages = [
        stage._replace(name=recipe.name)
        for recipe in SINGLE
        for stage in render(recipe, build, folder / "runs" / recipe.name)
    ]
    (bad,) = render(read_recipe("qwen2.5-3b.dpo.mixed"), build, folder / "bad", REFUSED)
    (folder / "stages.json").write_text(json.dumps(to_parse([*stages, bad._replace(name="bad")])))
    files = [str(folder / name) for name in ("stages.json", "said.json", "taken.json")]
    env = {**os.environ, "WANDB_MODE": "disabled"}
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, *files], env=env, capture_output=True, text=True, timeout=280
    )
    assert run.returncode == 0, run.stderr[-3000:]
    said, taken = (json.loads(Path(path).read_text(encoding="utf-8")) for path in files[1:])
    return Asked({problem[0]: problem[2] for problem in said}, taken)


def test_the_trainers_accept_every_recipe_and_refuse_a_bad_one(asked: Asked) -> None:
    assert set(asked.problems) == {"bad"}
    assert "LlamaFactory refuses them" in asked.problems["bad"]


def test_the_keys_that_are_checked_are_those_of_the_installed_trainers(asked: Asked) -> None:
    path = ROOT / "training_recipes" / "models" / "trainer_keys.json"
    taken = json.loads(path.read_text(encoding="utf-8"))
    assert taken == asked.snapshot, (
        "run: python -m pairwright.training_recipes.models.trainer_snapshot training_recipes/models/trainer_keys.json"
    )


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


@pytest.mark.parametrize("recipe", SINGLE, ids=lambda recipe: recipe.name)
def test_a_recipe_names_the_demos_data_sets_for_its_stage(recipe: Recipe) -> None:
    if recipe.stage not in ROWS:
        return
    rows, settings = ROWS[recipe.stage], recipe.settings
    if recipe.trainer == "llamafactory":
        assert settings["dataset"] == f"demo_{rows}_train"
        assert settings["dataset_dir"] == "builds/demo/exports/llamafactory"
    else:
        assert (settings["dataset_name"], settings["dataset_config"]) == ("builds/demo/exports/trl", rows)


def test_recipes_of_two_students_differ_in_what_the_student_dictates() -> None:
    allowed = {
        "model_name_or_path",
        "adapter_name_or_path",
        "template",
        "output_dir",
        "export_dir",
        "chain",
        "evaluate",
    }
    for name, recipe in RECIPES.items():
        if name.startswith("qwen3-4b."):
            other = RECIPES[name.replace("qwen3-4b", "qwen2.5-3b")].settings
            assert {key for key in recipe.settings if recipe.settings[key] != other[key]} <= allowed
            assert recipe.settings.keys() == other.keys()


def test_a_recipe_reads_the_same_with_any_yaml_reader() -> None:
    for recipe in RECIPES.values():
        assert yaml.safe_load(recipe.path.read_text(encoding="utf-8")) == dict(recipe.settings)
