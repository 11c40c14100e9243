"""``pairwright recipes`` and ``pairwright train --check``, as a person meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import recipe_builds
from typer.testing import CliRunner, Result

from pairwright.cli.app import app
from pairwright.core.errors import ConfigError
from pairwright.training_recipes.recipes.recipe_files import read_recipe, recipes


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recipe_builds.finished_build(tmp_path_factory.mktemp("build"))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments], env={"COLUMNS": "200"})


def test_list_names_every_recipe_or_those_with_the_words() -> None:
    everything = run("recipes", "list").stdout
    assert all(name in everything for name in recipes())
    some = run("recipes", "list", "TRL", "dpo").stdout
    assert "qwen2.5-3b.trl.dpo" in some
    assert "qwen2.5-3b.dpo.mixed" not in some
    assert "smollm2-135m.sft.lora" in run("recipes", "list", "cpu").stdout  # it is in the comment only


def test_words_that_no_recipe_has_are_an_error() -> None:
    done = run("recipes", "list", "cpu", "nothing")
    assert isinstance(done.exception, ConfigError)
    assert "no recipe has 'cpu' and 'nothing'" in str(done.exception)


def test_show_prints_the_file() -> None:
    assert run("recipes", "show", "qwen3-4b.kto").stdout == read_recipe("qwen3-4b.kto").path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["qwen2.5-3b.sft.lora", "qwen2.5-3b.trl.dpo", "qwen2.5-3b.chain"])
def test_a_copy_is_the_same_recipe_and_names_itself_in_its_command(tmp_path: Path, name: str) -> None:
    assert run("recipes", "copy", name, tmp_path / "mine.yaml").exit_code == 0
    copy, original = read_recipe(str(tmp_path / "mine.yaml")), read_recipe(name)
    assert copy.settings == original.settings
    assert (copy.trainer, copy.stage, copy.summary) == (original.trainer, original.stage, original.summary)
    command = copy.path.read_text(encoding="utf-8").splitlines()[0]
    assert str(tmp_path / "mine.yaml") in command


def test_a_copy_takes_its_deepspeed_file_along(tmp_path: Path) -> None:
    run("recipes", "copy", "qwen2.5-3b.sft.full-zero3", tmp_path)
    copy = read_recipe(str(tmp_path / "qwen2.5-3b.sft.full-zero3.yaml"))
    assert copy.settings["deepspeed"] == str(tmp_path / "deepspeed-zero3-offload.json")
    assert json.loads(Path(copy.settings["deepspeed"]).read_text())["zero_optimization"]["stage"] == 3


def test_a_copy_may_go_into_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    assert run("recipes", "copy", "qwen2.5-3b.sft.lora", f"{tmp_path}/new/").exit_code == 0
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["qwen2.5-3b.sft.lora.yaml"]


def test_a_copy_is_never_written_over_a_file(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("mine")
    done = run("recipes", "copy", "qwen2.5-3b.sft.lora", tmp_path / "mine.yaml")
    assert isinstance(done.exception, ConfigError)
    assert (tmp_path / "mine.yaml").read_text() == "mine"


def test_check_says_what_a_run_needs_and_starts_nothing(build: Path, tmp_path: Path) -> None:
    done = run("train", "qwen2.5-3b.chain", build, "--check", "--device", "24gb", "--output", tmp_path / "run")
    assert done.exit_code == 0, done.output
    assert "sft: about" in done.stdout
    assert f"qwen2.5-3b.chain: fine on {build} and 24gb" in done.stdout
    assert not (tmp_path / "run").exists()


def test_check_lists_all_problems_and_prints_warnings_before(build: Path, tmp_path: Path) -> None:
    wrong = ("--set", "template=qwen2_5", "--set", "cutoff_len=100", "--set", "sft.learning_rate=0.005")
    done = run("train", "qwen2.5-3b.chain", build, "--check", "--device", "t4", "--output", tmp_path / "run", *wrong)
    assert isinstance(done.exception, ConfigError)
    assert "warning: sft.learning_rate" in done.stdout
    problems = "\n".join(done.exception.problems)
    for key in ("sft.template", "merge.template", "dpo.template", "sft.cutoff_len", "dpo.cutoff_len", "sft.bf16"):
        assert f"{key}:" in problems
    assert "docs/training.md" in done.exception.hint


def test_options_of_a_check_need_the_check(build: Path) -> None:
    done = run("train", "qwen2.5-3b.chain", build, "--device", "24gb")
    assert isinstance(done.exception, ConfigError)
    assert "--device and --deep are for --check" in str(done.exception)
