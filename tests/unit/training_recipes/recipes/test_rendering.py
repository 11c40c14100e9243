"""Recipes are found, read as their trainers read them, and put onto a build."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import recipe_builds
import yaml

from pairwright.core.errors import ConfigError, TrainingError
from pairwright.training_recipes.recipes.recipe_files import read_recipe, recipes
from pairwright.training_recipes.recipes.rendering import Stage, render, write


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recipe_builds.finished_build(tmp_path_factory.mktemp("build"), seed=11)


def by_name(stages: tuple[Stage, ...]) -> dict[str, Stage]:
    return {stage.name: stage for stage in stages}


def recipe_file(folder: Path, text: str) -> str:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_every_recipe_is_found_by_its_name() -> None:
    assert all(read_recipe(name) == recipe for name, recipe in recipes().items())
    assert len(recipes()) > 30


def test_an_unknown_recipe_is_answered_with_a_guess() -> None:
    with pytest.raises(ConfigError, match=r"no recipe 'qwen2.5-3b.sft.lroa', did you mean qwen2.5-3b.sft.lora\?"):
        read_recipe("qwen2.5-3b.sft.lroa")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("stage: sft\nstage: dpo\n", "the key 'stage' stands here twice"),
        ("- a\n", "expected keys and values, found list"),
        ("a: [\n", "not valid YAML"),
        ("learning_rate: 1.0\n", "neither a LlamaFactory recipe"),
    ],
)
def test_a_file_that_is_no_recipe_is_a_clear_error(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        read_recipe(recipe_file(tmp_path, text))


def test_numbers_are_read_as_the_trainers_command_line_reads_them(tmp_path: Path) -> None:
    settings = read_recipe(recipe_file(tmp_path, "stage: sft\nlearning_rate: 1e-5\nseed: '1e-5'\n")).settings
    assert settings["learning_rate"] == pytest.approx(1e-5)
    assert settings["seed"] == "1e-5"


@pytest.mark.parametrize(
    ("text", "trainer", "stage"),
    [
        ("stage: sft\n", "llamafactory", "sft"),
        ("stage: dpo\n", "llamafactory", "dpo"),
        ("stage: dpo\npref_loss: orpo\n", "llamafactory", "orpo"),
        ("stage: dpo\npref_loss: simpo\n", "llamafactory", "simpo"),
        ("stage: kto\n", "llamafactory", "kto"),
        ("template: qwen\nexport_dir: x\n", "llamafactory", "merge"),
        ("export_dir: x\n", "trl", "merge"),
        ("# trl kto --config x.yaml\nbeta: 0.1\n", "trl", "kto"),
        ("loss_type: simpo\n", "trl", "simpo"),
    ],
)
def test_what_a_recipe_does_is_read_from_its_keys(tmp_path: Path, text: str, trainer: str, stage: str) -> None:
    recipe = read_recipe(recipe_file(tmp_path, text))
    assert (recipe.trainer, recipe.stage) == (trainer, stage)


def test_a_chain_is_connected_by_the_folders_that_its_recipes_name(build: Path, tmp_path: Path) -> None:
    stages = by_name(render(read_recipe("qwen2.5-3b.chain"), build, tmp_path))
    assert list(stages) == ["sft", "merge", "dpo", "evaluate"]
    assert stages["merge"].settings["adapter_name_or_path"] == str(tmp_path / "sft")
    assert stages["dpo"].settings["model_name_or_path"] == str(tmp_path / "merge")
    assert stages["evaluate"].settings["systems"] == {
        "base": "hf:Qwen/Qwen2.5-3B-Instruct",
        "sft": f"hf:{tmp_path}/merge",
        "dpo": f"hf:{tmp_path}/merge+{tmp_path}/dpo",
    }


def test_llamafactory_gets_the_builds_sets_seed_and_length(build: Path, tmp_path: Path) -> None:
    (sft,) = render(read_recipe("qwen2.5-3b.sft.lora"), build, tmp_path)
    assert sft.settings["dataset"] == "demo_sft_train"
    assert sft.settings["eval_dataset"] == "demo_sft_validation"
    assert sft.settings["dataset_dir"] == str(build / "exports" / "llamafactory")
    assert sft.settings["seed"] == 11
    longest = max(
        map(int, json.loads((build / "exports/llamafactory/export.json").read_text())["files"]["sft"]["tokens"])
    )
    assert longest < sft.settings["cutoff_len"] <= longest * 1.25 + 128


def test_a_tokenizer_unlike_qwens_gets_more_room(build: Path, tmp_path: Path) -> None:
    (qwen,) = render(read_recipe("qwen2.5-3b.sft.lora"), build, tmp_path)
    (other,) = render(read_recipe("smollm2-135m.sft.lora"), build, tmp_path)
    assert other.settings["cutoff_len"] > 1.5 * qwen.settings["cutoff_len"]


@pytest.mark.parametrize(("kind", "below"), [("dpo", 0), ("simpo", 128), ("kto", 128)])
def test_trl_is_told_not_to_cut_prompts(build: Path, tmp_path: Path, kind: str, below: int) -> None:
    (stage,) = render(read_recipe(f"qwen2.5-3b.trl.{kind}"), build, tmp_path)
    assert stage.settings["max_length"] - stage.settings["max_prompt_length"] == below
    assert stage.settings["dataset_config"] == ("kto" if kind == "kto" else "dpo")


@pytest.mark.parametrize(
    ("recipe", "key"), [("qwen2.5-3b.kto", "kto_rejected_weight"), ("qwen2.5-3b.trl.kto", "undesirable_weight")]
)
def test_kto_weighs_good_and_bad_answers_the_same(build: Path, tmp_path: Path, recipe: str, key: str) -> None:
    (stage,) = render(read_recipe(recipe), build, tmp_path)
    assert stage.settings[key] == 1.0  # as many of both


def test_a_split_without_rows_is_not_evaluated_on(tmp_path: Path) -> None:
    build = recipe_builds.finished_build(tmp_path / "build")
    for form in ("llamafactory", "trl"):
        path = build / "exports" / form / "export.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        for kind in content["files"].values():
            kind["rows"] = {name: rows for name, rows in kind["rows"].items() if "validation" not in name}
        path.write_text(json.dumps(content), encoding="utf-8")
    info = build / "exports/llamafactory/dataset_info.json"
    content = {name: one for name, one in json.loads(info.read_text()).items() if "validation" not in name}
    info.write_text(json.dumps(content), encoding="utf-8")
    for recipe in ("qwen2.5-3b.sft.lora", "qwen2.5-3b.trl.dpo"):
        (stage,) = render(read_recipe(recipe), build, tmp_path)
        assert stage.settings["eval_strategy"] == "no"
        assert "eval_dataset" not in stage.settings


def test_overrides_reach_the_stages_that_have_the_key(build: Path, tmp_path: Path) -> None:
    wanted = {"learning_rate": 3e-4, "pref_beta": 0.3, "dpo.num_train_epochs": 2, "max_steps": 5}
    stages = by_name(render(read_recipe("qwen2.5-3b.chain"), build, tmp_path, wanted))
    assert {name: stages[name].settings["learning_rate"] for name in ("sft", "dpo")} == {"sft": 3e-4, "dpo": 3e-4}
    assert "pref_beta" not in stages["sft"].settings
    assert stages["dpo"].settings["pref_beta"] == 0.3
    assert (stages["sft"].settings["num_train_epochs"], stages["dpo"].settings["num_train_epochs"]) == (3.0, 2)
    assert (stages["sft"].settings["max_steps"], stages["dpo"].settings["max_steps"]) == (5, 5)
    assert "max_steps" not in stages["merge"].settings


def test_another_student_replaces_the_recipes_everywhere(build: Path, tmp_path: Path) -> None:
    stages = by_name(render(read_recipe("qwen2.5-3b.chain"), build, tmp_path, {"model_name_or_path": "tiny"}))
    assert [stages[name].settings["model_name_or_path"] for name in ("sft", "merge")] == ["tiny", "tiny"]
    assert stages["dpo"].settings["model_name_or_path"] == str(tmp_path / "merge")
    assert stages["evaluate"].settings["systems"]["base"] == "hf:tiny"


def test_an_override_for_a_stage_that_is_not_there_is_an_error(build: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"kto.pref_beta: the recipe has no such stage; there are: sft"):
        render(read_recipe("qwen2.5-3b.sft.lora"), build, tmp_path, {"kto.pref_beta": 1})


def test_a_folder_without_a_build_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no finished build here"):
        render(read_recipe("qwen2.5-3b.sft.lora"), tmp_path, tmp_path / "run")


@pytest.mark.parametrize("name", ["manifest.json", "build.yaml", "exports/llamafactory/export.json"])
@pytest.mark.parametrize("content", ["[]", "null", "{", "[" * 5000])
def test_a_damaged_build_is_an_error(tmp_path: Path, name: str, content: str) -> None:
    folder = recipe_builds.finished_build(tmp_path / "build")
    (folder / name).write_text(content)
    with pytest.raises(TrainingError, match="its manifest, build file or exports cannot be read"):
        render(read_recipe("qwen2.5-3b.sft.lora"), folder, tmp_path / "run")


def test_what_is_written_reads_back_as_it_was_rendered(build: Path, tmp_path: Path) -> None:
    stages = render(read_recipe("qwen2.5-3b.chain"), build, tmp_path)
    write(stages)
    for stage in stages:
        assert yaml.safe_load(stage.config.read_text(encoding="utf-8")) == dict(stage.settings)


def test_the_deepspeed_file_is_found_beside_its_recipe(build: Path, tmp_path: Path) -> None:
    (stage,) = render(read_recipe("qwen2.5-3b.sft.full-zero3"), build, tmp_path)
    assert json.loads(Path(stage.settings["deepspeed"]).read_text())["zero_optimization"]["stage"] == 3
