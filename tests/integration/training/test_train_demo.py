"""``make train-demo``: its build, and what its commands would run on it. The training itself takes too long for a test."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from pairwright.cli.app import app
from places import ROOT

SHAPE = {
    "model_type": "llama",
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_attention_heads": 9,
    "num_hidden_layers": 30,
    "num_key_value_heads": 3,
    "tie_word_embeddings": True,
    "vocab_size": 49152,
}


def commands() -> list[list[str]]:
    """What make would run, without the environment."""
    said = subprocess.run(["make", "-n", "train-demo"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [shlex.split(line) for line in said.splitlines() if line.startswith(".venv/bin/p") and "uv" not in line]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments], env={"COLUMNS": "200"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the examples with the build that the first command makes, and a student's configuration."""
    place = tmp_path_factory.mktemp("train-demo")
    shutil.copytree(ROOT / "examples", place / "examples")
    student = place / "builds" / "smollm2-135m"
    student.mkdir(parents=True)
    (student / "config.json").write_text(json.dumps(SHAPE), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        done = run(*commands()[0][1:])
    assert done.exit_code == 0, done.output
    return place


def test_it_builds_then_saves_the_student_then_trains() -> None:
    build, student, train = commands()
    assert build == [".venv/bin/pairwright", "build", "examples/train_demo.yaml"]
    assert student[1:3] == ["-m", "pairwright.cli.save_student"]
    assert train[:4] == [".venv/bin/pairwright", "train", "smollm2-135m.chain", "builds/train-demo"]
    assert train[train.index("--model") + 1] == student[-1]


def test_its_data_is_the_english_part_of_the_demo() -> None:
    demo, ours = (
        yaml.safe_load((ROOT / "examples" / name).read_text(encoding="utf-8"))["sources"]
        for name in ("demo.yaml", "train_demo.yaml")
    )
    assert ours == [source for source in demo if source["path"].endswith(".en.jsonl")]


def test_its_recipe_passes_the_check_on_its_build(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    done = run(*commands()[2][1:], "--check", "--device", "cpu")
    assert done.exit_code == 0, done.output
    assert "smollm2-135m.chain: fine on builds/train-demo" in done.output
    assert "warning" not in done.output


def test_pairs_show_what_the_student_should_not_do(folder: Path) -> None:
    pairs = [json.loads(line) for line in (folder / "builds/train-demo/rows/pairs.jsonl").read_text().splitlines()]
    defects = {pair["rejected"]["defect"] for pair in pairs if pair["split"] == "train"}
    assert defects == {
        "ambiguous_reference",
        "example_leak",
        "missing_entity",
        "over_edited",
        "unchanged",
        "wrong_antecedent",
    }
